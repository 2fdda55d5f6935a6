#!/usr/bin/python

# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vmirs
short_description: Ensure a KubeVirt VirtualMachineInstanceReplicaSet
version_added: 0.1.0
author:
  - vmscale.kubevirt contributors (@vmscale)
description:
  - Ensures that a VirtualMachineInstanceReplicaSet (VMIRS) is as described, or absent, and waits for it.
  - The manifest is taken as KubeVirt's documentation prints it, from O(src) or O(definition), or as the options O(replicas), O(selector),
    O(template) and O(paused).
  - With a template (from any of them) the description is whole, and what this module applied earlier and the description no longer has is
    removed. Without one, only the options that are given are changed.
  - A set that is as described costs one request and no write. Fields that others added are left alone.
  - Many sets, from a list, a file, a directory or a pattern, are a fleet. They are ensured in one task, with one request for each namespace
    where there is nothing to change, and what becomes of one does not keep the others from finishing.
  - Replicas belong to the autoscaler once a HorizontalPodAutoscaler targets the set, see O(replicas_when_autoscaled).
requirements:
  - python >= 3.9
  - kubernetes >= 24.2.0
  - PyYAML >= 5.1
  - urllib3 >= 2.0
extends_documentation_fragment:
  - vmscale.kubevirt._options
  - vmscale.kubevirt._options.wait
  - vmscale.kubevirt._options.grace
  - vmscale.kubevirt._options.rollout
  - kubernetes.core.k8s_auth_options
  - vmscale.kubevirt._attributes
  - vmscale.kubevirt._attributes.actiongroup_vmirs
attributes:
  check_mode:
    support: full
    details:
      - What would be written is sent to the API server as a dry run, so admission and quota have their say; nothing is written or
        waited for. With O(rollout=true), RV(replaced) names the instances that would be replaced.
  diff_mode:
    support: full
options:
  replicas:
    description:
      - Desired number of VirtualMachineInstances, V(0) or more.
      - A new set that says nothing gets V(1), or what a HorizontalPodAutoscaler that already targets it has as its minimum.
      - An existing set that says nothing keeps what it has.
    type: int
  selector:
    description:
      - Label selector of the set, with C(matchLabels) and C(matchExpressions). It must match the labels of the template.
    type: dict
  template:
    description:
      - Template of the VirtualMachineInstances, with C(metadata) and C(spec).
    type: dict
  paused:
    description:
      - While V(true), KubeVirt neither creates nor deletes VirtualMachineInstances of the set.
    type: bool
  replicas_when_autoscaled:
    description:
      - What to do when the live number of replicas differs from the wanted one and a HorizontalPodAutoscaler targets the set.
      - V(keep) leaves the number to the autoscaler and says so in a warning, V(set) writes it all the same, V(fail) fails before
        anything is written.
      - A set that stands at 0 is not being autoscaled, Kubernetes has switched its autoscaler off, so its number is written.
    type: str
    choices: [keep, set, fail]
    default: keep
  template_hash:
    description:
      - Stamp a hash of the template into the template, as the label C(vmscale.kubevirt/template-hash), so that VirtualMachineInstances
        of older templates can be told apart. KubeVirt itself keeps no trace of which template an instance came from.
      - A set that another tool made from the same template is left as it is. It gets the hash with the first template that differs.
    type: bool
    default: true
  allow_selector_change:
    description:
      - Change the selector of a live set. KubeVirt then lets go of the running VirtualMachineInstances and starts new ones beside them, so
        without this the task fails.
    type: bool
    default: false
  orphan:
    description:
      - With O(state=absent), leave the VirtualMachineInstances running.
    type: bool
    default: false
  rollout:
    description:
      - Replace the VirtualMachineInstances that run on an older template, as M(vmscale.kubevirt.vmirs_rollout) does, once the set is as
        described. Without it they keep running until something else ends them.
      - The rollout has the options O(max_unavailable), O(order), O(pause_between), O(batch_timeout), O(progress_deadline),
        O(min_ready_seconds) and O(disruption_budgets). It waits until the set has converged, whatever O(wait) and O(wait_timeout) say, and
        takes the time that O(batch_timeout) and O(progress_deadline) give to each batch.
      - It needs the hash of O(template_hash), and a set that is not paused.
    type: bool
    default: false
notes:
  - With O(wait=true) the task waits until the set has converged. Desired, current and ready replicas are equal, virt-controller
    has acknowledged the
    selector and the pause, it reports no failure, and none of its VirtualMachineInstances is still shutting down.
  - Where the pause is asked for, the wait is over once it is acknowledged. A set that somebody else has paused has to have the right
    numbers all the same. Where it has not, the wait ends after O(wait_grace) seconds and says that it is paused.
  - With O(state=absent) and O(wait=true) the task waits until the set and its VirtualMachineInstances are gone.
  - KubeVirt applies a changed template to new VirtualMachineInstances only. RV(replicas.outdated) counts those that run on an older one,
    and O(rollout) or M(vmscale.kubevirt.vmirs_rollout) replaces them.
  - Before a template is overwritten, it is kept as a revision, to which M(vmscale.kubevirt.vmirs_rollout) can go back. Where that is
    forbidden, a warning says so. O(revision_history_limit=0) keeps none.
seealso:
  - name: Fleets
    description: Many objects in one task, what is read and written and when, pruning, failures and results.
    link: https://github.com/vmscale/vmscale.kubevirt/blob/main/docs/fleets.md
  - module: vmscale.kubevirt.vmirs_info
  - module: vmscale.kubevirt.vmirs_scale
  - module: vmscale.kubevirt.vmirs_rollout
  - module: vmscale.kubevirt.hpa
  - name: VirtualMachineInstanceReplicaSet
    description: The resource in KubeVirt's user guide.
    link: https://kubevirt.io/user-guide/user_workloads/replicaset/
"""

EXAMPLES = r"""
- name: Ensure the set of a manifest and wait until it is ready
  vmscale.kubevirt.vmirs:
    src: testreplicaset.yaml
    namespace: default
    wait: true

- name: Ensure the same set from options
  vmscale.kubevirt.vmirs:
    name: web
    namespace: default
    replicas: 3
    selector:
      matchLabels:
        app: web
    template:
      metadata:
        labels:
          app: web
      spec:
        domain:
          devices:
            disks:
              - name: containerdisk
                disk:
                  bus: virtio
          resources:
            requests:
              memory: 64M
        volumes:
          - name: containerdisk
            containerDisk:
              image: quay.io/kubevirt/cirros-container-disk-demo:v1.8.2
    wait: true
    wait_timeout: 300
    wait_grace: 30

- name: Ensure the manifest again, and replace what runs on an older template
  vmscale.kubevirt.vmirs:
    src: testreplicaset.yaml
    namespace: default
    rollout: true
    max_unavailable: 1

- name: Ensure every set that the files of a directory describe, and delete those of the fleet that they no longer do
  vmscale.kubevirt.vmirs:
    src: sets/
    namespace: default
    fleet: web
    prune: true
    wait: true

- name: Remove all of them
  vmscale.kubevirt.vmirs:
    src: sets/
    namespace: default
    state: absent
    wait: true

- name: Pause the set
  vmscale.kubevirt.vmirs:
    name: web
    namespace: default
    paused: true
    wait: true

- name: Resume it
  vmscale.kubevirt.vmirs:
    name: web
    namespace: default
    paused: false
    wait: true

- name: Remove it and wait until its VirtualMachineInstances are gone
  vmscale.kubevirt.vmirs:
    name: web
    namespace: default
    state: absent
    wait: true
"""

RETURN = r"""
result:
  description:
    - The VirtualMachineInstanceReplicaSet as it is at the end, or as it would be in check mode; without managed fields, and with
      cloud-init data hidden.
    - Empty when it is absent.
  returned: for one object
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
  description: How many VirtualMachineInstances the set has.
  returned: for one object
  type: dict
  contains:
    desired:
      description: What is asked for.
      type: int
      returned: always
      sample: 3
    current:
      description: How many there are, by the status of the set.
      type: int
      returned: always
      sample: 3
    ready:
      description: How many of them are ready, by the status of the set.
      type: int
      returned: always
      sample: 3
    outdated:
      description:
        - How many run on an older template. Null where the instances were not read (O(wait=false)), or the set carries no template hash.
      type: int
      returned: always
      sample: 0
    terminating:
      description: How many are shutting down. Null where the instances were not read (O(wait=false)).
      type: int
      returned: always
      sample: 0
autoscaled_by:
  description:
    - The HorizontalPodAutoscalers that target the set.
    - They are looked up only where the answer decides something, that is when the live number of replicas differs from the wanted one or
      a new set says no number; null otherwise. M(vmscale.kubevirt.vmirs_info) always says.
  returned: for one object
  type: list
  elements: str
  sample: [test-hpa]
method:
  description: What was written, V(create), V(patch) or V(delete); null where nothing was.
  returned: for one object
  type: str
  sample: create
replaced:
  description: The VirtualMachineInstances that were replaced, or would be in check mode, in their order.
  returned: with O(rollout=true)
  type: list
  elements: str
  sample: [testrc6bk, testx7k2p, testm7b9m]
batches:
  description: The same by batches, the first batch first.
  returned: with O(rollout=true)
  type: list
  elements: list
  sample:
    - [testrc6bk]
    - [testx7k2p]
    - [testm7b9m]
results:
  description:
    - What became of each object of a fleet, in the order of the description; those that were pruned come last.
    - Beside what stands here, each has what this module returns of one object, save C(timeline). Of what could not be written, there is
      no more to tell than C(msg).
  returned: for a fleet
  type: list
  elements: dict
  contains:
    name:
      description: Name of the object.
      returned: always
      type: str
      sample: testreplicaset
    namespace:
      description: Namespace of the object.
      returned: always
      type: str
      sample: default
    changed:
      description: Whether it was changed, or would be in check mode.
      returned: always
      type: bool
      sample: true
    failed:
      description: Whether it could not be written, or did not become as it should be.
      returned: always
      type: bool
      sample: false
    msg:
      description: Why it has failed.
      returned: when it has failed
      type: str
      sample: "virtualmachineinstancereplicasets.kubevirt.io \"default/web\" is refused by the API server: spec.paused: expected boolean,
        got &{perhaps}"
    skipped:
      description: Whether it was not begun, because another had failed.
      returned: always
      type: bool
      sample: false
    pruned:
      description: Whether it is one that is no longer described.
      returned: always
      type: bool
      sample: false
summary:
  description: How many objects a fleet has, and what became of them.
  returned: for a fleet
  type: dict
  contains:
    total:
      description: How many there are, pruned ones included.
      returned: always
      type: int
      sample: 60
    ok:
      description: How many of them are as they should be.
      returned: always
      type: int
      sample: 58
    changed:
      description: How many of those were changed.
      returned: always
      type: int
      sample: 12
    failed:
      description: How many have failed.
      returned: always
      type: int
      sample: 2
    pruned:
      description: How many were deleted because they are no longer described.
      returned: always
      type: int
      sample: 1
    skipped:
      description: How many were not begun.
      returned: always
      type: int
      sample: 0
duration:
  description: Seconds that the task waited. Of a fleet, those that it took as a whole.
  returned: when the task waited
  type: float
  sample: 2.298
timeline:
  description:
    - What happened meanwhile, the oldest first, a point for each change. The first point is what was there at the start.
    - At most 100 points; where there were more, the older ones are merged.
    - Of a fleet, each point has C(objects), C(finished) and C(failed), and how many instances all sets together have C(ready) of those
      C(desired); the transitions are those of the objects, from V(Waiting) to V(Done) or V(Failed).
  returned: when the task waited
  type: list
  elements: dict
  contains:
    elapsed:
      description: Seconds since the wait began.
      returned: always
      type: float
      sample: 2.286
    desired:
      description: What is asked for.
      returned: always
      type: int
      sample: 3
    current:
      description: How many instances there are, by the status of the set.
      returned: always
      type: int
      sample: 3
    ready:
      description: How many of them are ready, by the status of the set.
      returned: always
      type: int
      sample: 2
    outdated:
      description: How many run on an older template. Null where the set carries no template hash.
      returned: always
      type: int
      sample: 0
    terminating:
      description: How many are shutting down.
      returned: always
      type: int
      sample: 0
    transitions:
      description:
        - The objects whose state has changed, at most 20 of them, each with C(object), C(from) and C(to).
        - The state of an instance is its phase, V(Ready) or V(Terminating); null where it is not there.
      returned: always
      type: list
      elements: dict
      sample:
        - object: VirtualMachineInstance testrc6bk
          from: Running
          to: Ready
    omitted:
      description: How many transitions are left out of this point.
      returned: always
      type: int
      sample: 0
diagnosis:
  description: What is wrong, the most telling first; empty after success.
  returned: when the task waited for one object
  type: list
  elements: dict
  contains:
    object:
      description: What it is about, its kind and C(namespace/name); the first of them where there are several.
      returned: always
      type: str
      sample: VirtualMachineInstance default/web94bcd
    reason:
      description: One word that stays the same from release to release.
      returned: always
      type: str
      sample: Unschedulable
    message:
      description: What the component that knows has said.
      returned: always
      type: str
      sample: "0/4 nodes are available: 4 Insufficient memory. no new claims to deallocate, preemption: 0/4 nodes are available:
        4 Preemption is not helpful for scheduling."
    hint:
      description: What to do.
      returned: always
      type: str
      sample: "Add nodes or room on them, or change what the template asks for: resources, nodeSelector, affinity, tolerations."
    fatal:
      description: Whether nothing can come of waiting while it lasts.
      returned: always
      type: bool
      sample: true
reasons:
  description: Everything that is wrong or missing, in sentences, what is wrong first.
  returned: when the wait for one object failed
  type: list
  elements: str
  sample:
    - 2 of 3 ready
    - "VMI testx7k2p is Scheduling (Unschedulable: 0/4 nodes are available: 4 Insufficient memory.)"
"""

from ansible_collections.vmscale.kubevirt.plugins.module_utils._module_shell import run_module
from ansible_collections.vmscale.kubevirt.plugins.module_utils._vmirs import ensure_replica_set


def main() -> None:
    """Run the module."""
    run_module("vmirs", ensure_replica_set)


if __name__ == "__main__":
    main()
