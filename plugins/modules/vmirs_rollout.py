#!/usr/bin/python

# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vmirs_rollout
short_description: Bring the instances of a KubeVirt VirtualMachineInstanceReplicaSet to its template
version_added: 0.1.0
author:
  - vmscale.kubevirt contributors (@vmscale)
description:
  - Replaces the VirtualMachineInstances of a VirtualMachineInstanceReplicaSet (VMIRS) that run on an older template, batch after batch,
    since KubeVirt itself applies a changed template to new instances only.
  - Deletes the instances of a batch, and goes on to the next once they are gone and as many available ones of the present template have
    taken their place.
  - Stops at the first batch that does not get there, says why, and leaves the rest untouched. Run again, it goes on where it stood.
  - Restarts all instances although the template is the same (O(state=restarted)), and goes back to an earlier template
    (O(state=rolled_back)).
  - Where no instance is outdated, the task costs two reads and no write.
requirements:
  - python >= 3.9
  - kubernetes >= 24.2.0
  - PyYAML >= 5.1
  - urllib3 >= 2.0
extends_documentation_fragment:
  - vmscale.kubevirt._options.namespace
  - vmscale.kubevirt._options.rollout
  - vmscale.kubevirt._options.grace
  - kubernetes.core.k8s_auth_options
  - vmscale.kubevirt._attributes
  - vmscale.kubevirt._attributes.actiongroup_vmirs
attributes:
  check_mode:
    support: full
    details:
      - Nothing is written or waited for. RV(replaced) and RV(batches) name the instances that would be replaced, if every batch becomes
        ready and no PodDisruptionBudget makes one smaller.
  diff_mode:
    support: full
  idempotent:
    support: partial
    details:
      - With O(state=restarted) and without O(restart_id), each run restarts the instances anew once the run before it has finished.
options:
  name:
    description: Name of the set.
    type: str
    required: true
  state:
    description:
      - With V(updated), every instance runs the present template.
      - With V(restarted), every instance is replaced although the template is the same. It gets the annotation
        C(vmscale.kubevirt/restarted-at), which makes another revision of it.
      - With V(rolled_back), the template is that of the revision before the current one, or of O(revision), and every instance runs it.
        A revision that differs by a restart alone does not count as one before.
    type: str
    choices: [updated, restarted, rolled_back]
    default: updated
  restart_id:
    description:
      - With O(state=restarted), a name for this restart. A restart with the same name happens once, however often the task is run.
    type: str
  revision:
    description:
      - With O(state=rolled_back), the number of the revision to go back to. M(vmscale.kubevirt.vmirs_info) lists them.
    type: int
notes:
  - Outdated instances are told by the hash that M(vmscale.kubevirt.vmirs) stamps into the template
    (O(vmscale.kubevirt.vmirs#module:template_hash)). For a set without it, O(state=updated) fails and says so.
  - A set that is paused cannot be rolled out, since KubeVirt would replace nothing. The task fails before anything is written.
  - The replacement of an instance is made at once, while the old one still shuts down. Both need room and quota for as long as that takes.
  - The template of a revision is kept in a C(ControllerRevision) that the set owns, which goes when the set goes. It has the cloud-init
    data of the template, as the set itself has.
  - An instance is ready when its launcher is, not when its guest has booted, unless the template has a C(readinessProbe).
seealso:
  - module: vmscale.kubevirt.vmirs
  - module: vmscale.kubevirt.vmirs_info
  - name: Rollouts
    description: What happens step by step, what is promised and what is not, and which rights it needs.
    link: https://github.com/vmscale/vmscale.kubevirt/blob/main/docs/rollouts.md
"""

EXAMPLES = r"""
- name: Bring every instance to the present template, one after the other
  vmscale.kubevirt.vmirs_rollout:
    name: testreplicaset
    namespace: default
    max_unavailable: 1
    min_ready_seconds: 5

- name: Replace every instance although the template is the same, once
  vmscale.kubevirt.vmirs_rollout:
    name: testreplicaset
    namespace: default
    state: restarted
    restart_id: new-guest-image-of-november
    max_unavailable: 50%
    order: by_node

- name: Return to the template before
  vmscale.kubevirt.vmirs_rollout:
    name: testreplicaset
    namespace: default
    state: rolled_back

- name: Return to a certain one
  vmscale.kubevirt.vmirs_rollout:
    name: testreplicaset
    namespace: default
    state: rolled_back
    revision: 2
    max_unavailable: 2
    batch_timeout: 300
"""

RETURN = r"""
method:
  description:
    - What was written, V(patch) where the template was, V(delete) where only instances were replaced; null where nothing was.
  returned: always
  type: str
  sample: delete
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
      replicas: 3
      selector:
        matchLabels:
          myvmi: myvmi
    status:
      labelSelector: myvmi=myvmi
      readyReplicas: 3
      replicas: 3
replicas:
  description: The counts desired, current, ready, outdated and terminating, as RV(vmscale.kubevirt.vmirs#module:replicas) has them.
  returned: always
  type: dict
  sample:
    desired: 3
    current: 3
    ready: 3
    outdated: 0
    terminating: 0
replaced:
  description: The VirtualMachineInstances that were replaced, or would be in check mode, in their order.
  returned: always
  type: list
  elements: str
  sample: [testrc6bk, testx7k2p, testm7b9m]
batches:
  description: The same by batches, the first batch first.
  returned: always
  type: list
  elements: list
  sample:
    - [testrc6bk]
    - [testx7k2p]
    - [testm7b9m]
revision:
  description:
    - The number of the current revision.
    - Null where none is kept, or where nothing was outdated, since the revisions are not read then. M(vmscale.kubevirt.vmirs_info) always
      says.
  returned: always
  type: int
  sample: 2
rolled_back_from:
  description: With O(state=rolled_back), the number of the revision that was left; null where it is not kept, and with another state.
  returned: always
  type: int
  sample: null
duration:
  description: Seconds that the task waited.
  returned: when the task waited
  type: float
  sample: 31.274
timeline:
  description: What happened meanwhile, over all batches, a point for each change, as RV(vmscale.kubevirt.vmirs#module:timeline) has it.
  returned: when the task waited
  type: list
  elements: dict
  sample:
    - elapsed: 2.241
      desired: 3
      current: 3
      ready: 2
      outdated: 2
      terminating: 1
      transitions:
        - object: VirtualMachineInstance testw4n8c
          from: null
          to: Pending
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
  returned: when the rollout failed
  type: list
  elements: str
  sample:
    - 2 of 3 ready
    - "VMI testw4n8c is Scheduling (Unschedulable: 0/4 nodes are available: 4 Insufficient memory.)"
"""

from ansible_collections.vmscale.kubevirt.plugins.module_utils._module_shell import run_module
from ansible_collections.vmscale.kubevirt.plugins.module_utils._vmirs_rollout import roll_out_replica_set


def main() -> None:
    """Run the module."""
    run_module("vmirs_rollout", roll_out_replica_set)


if __name__ == "__main__":
    main()
