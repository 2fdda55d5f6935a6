#!/usr/bin/python

# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vmirs_scale
short_description: Scale a KubeVirt VirtualMachineInstanceReplicaSet
version_added: 0.1.0
author:
  - vmscale.kubevirt contributors (@vmscale)
description:
  - Sets the number of replicas of a VirtualMachineInstanceReplicaSet (VMIRS), and waits until it has so many ready instances and the
    surplus ones are gone.
  - KubeVirt removes arbitrary VirtualMachineInstances when the number falls. With O(remove) or O(scale_in_order) the module chooses them.
    It pauses the set for a moment, deletes those that were chosen, lowers the number, and resumes the set.
  - A task that is killed meanwhile and run again finishes the same job.
  - A set that a HorizontalPodAutoscaler scales is left alone unless O(replicas_when_autoscaled) says otherwise.
  - A set that has the number already costs one read and no write.
requirements:
  - python >= 3.9
  - kubernetes >= 24.2.0
  - PyYAML >= 5.1
  - urllib3 >= 2.0
extends_documentation_fragment:
  - vmscale.kubevirt._options.namespace
  - vmscale.kubevirt._options.wait
  - vmscale.kubevirt._options.grace
  - kubernetes.core.k8s_auth_options
  - vmscale.kubevirt._attributes
  - vmscale.kubevirt._attributes.actiongroup_vmirs
attributes:
  check_mode:
    support: full
    details:
      - What would be written is sent to the API server as a dry run; nothing is written or waited for. RV(removed) names the instances that
        would be removed.
  diff_mode:
    support: full
options:
  name:
    description: Name of the set.
    type: str
    required: true
  replicas:
    description:
      - Desired number of VirtualMachineInstances, V(0) or more.
      - Without it, the present number less those of O(remove) that are there.
      - At least one of O(replicas) and O(remove) is required.
    type: int
  remove:
    description:
      - Names of the VirtualMachineInstances to remove.
      - One that is not there counts as removed already. One that the set does not control is an error, and so are more names than the set
        has instances too many.
      - Where more instances have to go than are named here, O(scale_in_order) chooses the rest, V(not_ready_first) where it says nothing.
    type: list
    elements: str
  scale_in_order:
    description:
      - Which VirtualMachineInstances go first when the number falls. Without it KubeVirt chooses, and its choice is arbitrary.
      - V(not_ready_first) takes those that are not ready, V(newest) and V(oldest) go by the time of creation, V(outdated_first) takes those
        of an older template, and V(node_spread) always takes from the node that has most.
    type: str
    choices: [not_ready_first, newest, oldest, outdated_first, node_spread]
  replicas_when_autoscaled:
    description:
      - What to do when the number would change and a HorizontalPodAutoscaler targets the set.
      - V(fail) fails before anything is written, V(keep) leaves the number to the autoscaler and says so in a warning, V(set) writes it
        all the same, and says in a warning what the autoscaler will do to it.
      - A set that stands at 0 is not being autoscaled, Kubernetes has switched its autoscaler off, so its number is written.
    type: str
    choices: [fail, keep, set]
    default: fail
  autoscaler_bounds:
    description:
      - With V(widen), C(minReplicas) or C(maxReplicas) of the autoscaler is moved as far as it takes for the number to be within. For V(0),
        which no autoscaler has within its bounds, neither is.
      - With V(keep) they stay, and the autoscaler undoes a number that is outside.
    type: str
    choices: [keep, widen]
    default: keep
  wait:
    description:
      - Wait until as many instances as desired are there and ready, and the surplus ones are gone.
    type: bool
    default: true
notes:
  - The number is written to the set. Where that is forbidden, it is written to the C(scale) subresource of the set, for which a right to
    C(virtualmachineinstancereplicasets/scale) is enough. Where neither is allowed, the message names both rights.
  - Who may only use C(scale) needs O(wait=false) and leaves the choice to KubeVirt, unless the set and its VirtualMachineInstances may
    be read as well.
  - The choice of instances needs the rights to patch the set and to list, watch and delete VirtualMachineInstances. A right that is
    missing is said before anything is written.
  - While the set is paused, no instance that ends is replaced. The pause lasts until virt-controller has counted the chosen ones out, not
    until they have shut down.
  - The annotation C(vmscale.kubevirt/scale-in) of a set says that instances are being chosen, and what was asked for. A set that has it
    without a task that works on it was left by a task that was killed. Run that task again.
seealso:
  - module: vmscale.kubevirt.vmirs
  - module: vmscale.kubevirt.vmirs_info
  - module: vmscale.kubevirt.hpa
  - name: Scaling
    description: What happens step by step, what is promised and what is not, and which rights it needs.
    link: https://github.com/vmscale/vmscale.kubevirt/blob/main/docs/scaling.md
"""

EXAMPLES = r"""
- name: Scale out to five, and wait until five are ready
  vmscale.kubevirt.vmirs_scale:
    name: testreplicaset
    namespace: default
    replicas: 5

- name: Scale in to four, and let the newest go
  vmscale.kubevirt.vmirs_scale:
    name: testreplicaset
    namespace: default
    replicas: 4
    scale_in_order: newest

- name: Look at the instances
  vmscale.kubevirt.vmirs_info:
    name: testreplicaset
    namespace: default
  register: found

- name: Remove one of them, and do with one less
  vmscale.kubevirt.vmirs_scale:
    name: testreplicaset
    namespace: default
    remove:
      - "{{ found.replica_sets[0].instances[0].name }}"

- name: Scale to two where an autoscaler scales the set, and lower its minimum if need be
  vmscale.kubevirt.vmirs_scale:
    name: web
    namespace: default
    replicas: 2
    replicas_when_autoscaled: set
    autoscaler_bounds: widen

- name: Switch the set off, and its autoscaler with it
  vmscale.kubevirt.vmirs_scale:
    name: web
    namespace: default
    replicas: 0
    replicas_when_autoscaled: set
    wait_timeout: 300
"""

RETURN = r"""
method:
  description:
    - What was written, V(patch) where the set or the bounds of its autoscaler were, V(scale) where the number was written to the
      subresource of the set; null where nothing was.
  returned: always
  type: str
  sample: patch
result:
  description:
    - The VirtualMachineInstanceReplicaSet as it is at the end, or as it would be in check mode; without managed fields, and with
      cloud-init data hidden.
  returned: always
  type: dict
  sample:
    apiVersion: kubevirt.io/v1
    kind: VirtualMachineInstanceReplicaSet
    metadata:
      name: testreplicaset
      namespace: default
    spec:
      replicas: 4
      selector:
        matchLabels:
          myvmi: myvmi
    status:
      labelSelector: myvmi=myvmi
      readyReplicas: 4
      replicas: 4
replicas:
  description: The counts desired, current, ready, outdated and terminating, as RV(vmscale.kubevirt.vmirs#module:replicas) has them.
  returned: always
  type: dict
  sample:
    desired: 4
    current: 4
    ready: 4
    outdated: 0
    terminating: 0
previous_replicas:
  description: The desired number as it was before.
  returned: always
  type: int
  sample: 5
removed:
  description:
    - The VirtualMachineInstances that were removed, or would be in check mode, in the order of their removal.
    - Null where the choice was KubeVirt's.
  returned: always
  type: list
  elements: str
  sample: [testrc6bk]
autoscaled_by:
  description:
    - The HorizontalPodAutoscalers that target the set.
    - They are looked up only where the number would change; null otherwise.
  returned: always
  type: list
  elements: str
  sample: [test-hpa]
autoscaler_bounds:
  description: The autoscalers whose bounds were moved, with the bounds that they have now; empty where none was.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Name of the autoscaler.
      returned: always
      type: str
      sample: test-hpa
    min_replicas:
      description: Its lower bound.
      returned: always
      type: int
      sample: 2
    max_replicas:
      description: Its upper bound.
      returned: always
      type: int
      sample: 5
duration:
  description: Seconds that the task waited.
  returned: when the task waited
  type: float
  sample: 3.142
timeline:
  description: What happened meanwhile, a point for each change, as RV(vmscale.kubevirt.vmirs#module:timeline) has it.
  returned: when the task waited
  type: list
  elements: dict
  sample:
    - elapsed: 0.412
      desired: 4
      current: 4
      ready: 4
      outdated: 0
      terminating: 1
      transitions:
        - object: VirtualMachineInstance testrc6bk
          from: Ready
          to: Terminating
      omitted: 0
diagnosis:
  description:
    - What is wrong, the most telling first, as RV(vmscale.kubevirt.vmirs#module:diagnosis) has it; empty after success.
  returned: when the task waited
  type: list
  elements: dict
  sample: []
reasons:
  description: Everything that is wrong or missing, in sentences, what is wrong first.
  returned: when the wait failed
  type: list
  elements: str
  sample:
    - 4 of 5 ready
    - "VMI testx7k2p is Scheduling (Unschedulable: 0/4 nodes are available: 4 Insufficient memory.)"
"""

from ansible_collections.vmscale.kubevirt.plugins.module_utils._module_shell import run_module
from ansible_collections.vmscale.kubevirt.plugins.module_utils._vmirs_scale import scale_replica_set


def main() -> None:
    """Run the module."""
    run_module("vmirs_scale", scale_replica_set)


if __name__ == "__main__":
    main()
