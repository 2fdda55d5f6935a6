#!/usr/bin/python

# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: hpa
short_description: Ensure a HorizontalPodAutoscaler of a VirtualMachineInstanceReplicaSet
version_added: 0.1.0
author:
  - vmscale.kubevirt contributors (@vmscale)
description:
  - Ensures that a HorizontalPodAutoscaler (HPA) is as described, or absent, and waits until its controller acts on it.
  - The manifest is taken in C(autoscaling/v1) or C(autoscaling/v2), from O(src) or O(definition), or as the options O(target),
    O(min_replicas),
    O(max_replicas), O(target_cpu_utilization), O(metrics) and O(behavior). It is always written as C(autoscaling/v2).
  - With a target (from any of them) the description is whole, and what this module applied earlier and the description no longer has is
    removed. Without one, only the options that are given are changed.
  - An autoscaler that is as described costs one request and no write.
  - Many autoscalers, from a list, a file, a directory or a pattern, are a fleet. They are ensured in one task, and what becomes of one does
    not keep the others from finishing.
requirements:
  - python >= 3.9
  - kubernetes >= 24.2.0
  - PyYAML >= 5.1
  - urllib3 >= 2.0
extends_documentation_fragment:
  - vmscale.kubevirt._options
  - vmscale.kubevirt._options.target
  - vmscale.kubevirt._options.wait
  - vmscale.kubevirt._options.grace
  - kubernetes.core.k8s_auth_options
  - vmscale.kubevirt._attributes
  - vmscale.kubevirt._attributes.actiongroup_vmirs
attributes:
  check_mode:
    support: full
    details:
      - What would be written is sent to the API server as a dry run; nothing is written or waited for. A target that does not
        exist yet is a
        warning then, because an earlier task of the same play would have created it.
  diff_mode:
    support: full
options:
  min_replicas:
    description:
      - Lower bound of the replicas. Kubernetes takes V(1) where nothing is said.
    type: int
  max_replicas:
    description:
      - Upper bound of the replicas.
    type: int
  target_cpu_utilization:
    description:
      - Average CPU utilization to keep, in percent of what the pods request, over all containers of a pod.
      - KubeVirt requests 100m for each vCPU unless the template says otherwise, so one busy vCPU is about 1000 percent.
      - Mutually exclusive with O(metrics).
    type: int
  metrics:
    description:
      - C(spec.metrics) of C(autoscaling/v2), as it is.
      - Mutually exclusive with O(target_cpu_utilization).
    type: list
    elements: dict
  behavior:
    description:
      - C(spec.behavior) of C(autoscaling/v2), as it is.
    type: dict
  require_target:
    description:
      - Fail before anything is written where the target does not exist. Only a target that is a VirtualMachineInstanceReplicaSet
        is looked for.
    type: bool
    default: true
  require_metrics_api:
    description:
      - Fail before anything is written where the autoscaler scales by CPU or memory and the metrics API is not installed or does
        not answer.
    type: bool
    default: true
notes:
  - With O(wait=true) the task waits until the conditions C(AbleToScale) and C(ScalingActive) hold, the number that the controller
    wants lies within the bounds that were asked for, and it reports the metrics that were asked for.
  - Kubernetes keeps no record of which version of an autoscaler its controller has seen. So after a change of a live autoscaler the
    task also waits until the controller has written its status once more, which it can only do with the version that was written
    here. A controller that has had nothing to write for 32 seconds, two of its usual periods, counts as one that has acted.
  - Use M(vmscale.kubevirt.hpa_verify) to verify that the autoscaler works, target and metrics included.
seealso:
  - name: Fleets
    description: Many objects in one task, what is read and written and when, pruning, failures and results.
    link: https://github.com/vmscale/vmscale.kubevirt/blob/main/docs/fleets.md
  - module: vmscale.kubevirt.hpa_verify
  - module: vmscale.kubevirt.hpa_info
  - module: vmscale.kubevirt.vmirs
"""

EXAMPLES = r"""
- name: Ensure the autoscaler of a manifest
  vmscale.kubevirt.hpa:
    src: test-hpa.yaml
    namespace: default
    wait: true

- name: Ensure the same autoscaler from options
  vmscale.kubevirt.hpa:
    name: test-hpa
    namespace: default
    target:
      name: testreplicaset
    min_replicas: 3
    max_replicas: 5
    target_cpu_utilization: 50

- name: Widen its bounds, and leave the rest
  vmscale.kubevirt.hpa:
    name: test-hpa
    namespace: default
    max_replicas: 8

- name: Ensure every autoscaler that the files of a directory describe, beside the sets that they scale
  vmscale.kubevirt.hpa:
    src: sets/*.yaml
    namespace: default
    fleet: web
    prune: true

- name: Remove it
  vmscale.kubevirt.hpa:
    name: test-hpa
    namespace: default
    state: absent
    wait: true
"""

RETURN = r"""
result:
  description:
    - The HorizontalPodAutoscaler in C(autoscaling/v2), as it is at the end, or as it would be in check mode, without managed fields.
    - Empty when it is absent.
  returned: for one object
  type: dict
  sample:
    apiVersion: autoscaling/v2
    kind: HorizontalPodAutoscaler
    metadata:
      name: test-hpa
      namespace: default
    spec:
      minReplicas: 3
      maxReplicas: 5
      scaleTargetRef:
        apiVersion: kubevirt.io/v1
        kind: VirtualMachineInstanceReplicaSet
        name: testreplicaset
replicas:
  description: The bounds min and max, and what the controller last saw (current) and wanted (desired).
  returned: for one object
  type: dict
  sample:
    min: 3
    max: 5
    current: 3
    desired: 3
conditions:
  description: The conditions of its status.
  returned: for one object
  type: list
  elements: dict
  sample:
    - type: AbleToScale
      status: "True"
      reason: ReadyForNewScale
      message: recommended size matches current size
      lastTransitionTime: "2026-11-25T09:30:00Z"
metrics:
  description: The current metrics of its status.
  returned: for one object
  type: list
  elements: dict
  sample:
    - type: Resource
      resource:
        name: cpu
        current:
          averageUtilization: 3
          averageValue: 3m
method:
  description: What was written, V(create), V(patch) or V(delete); null where nothing was.
  returned: for one object
  type: str
  sample: create
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
      sample: test-hpa
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
      sample: "HorizontalPodAutoscaler default/idle does not act after 2 s: its controller has not looked at it yet."
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
  sample: 22.233
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
    min:
      description: Its lower bound.
      returned: always
      type: int
      sample: 3
    max:
      description: Its upper bound.
      returned: always
      type: int
      sample: 5
    current:
      description: What the controller last saw.
      returned: always
      type: int
      sample: 3
    desired:
      description: What the controller last wanted.
      returned: always
      type: int
      sample: 3
    transitions:
      description:
        - The objects whose state has changed, at most 20 of them, each with C(object), C(from) and C(to).
        - They are the conditions of the autoscaler; null where there is none of that type.
      returned: always
      type: list
      elements: dict
      sample:
        - object: HorizontalPodAutoscaler test-hpa ScalingActive
          from: "False FailedGetResourceMetric"
          to: "True ValidMetricFound"
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
      sample: HorizontalPodAutoscaler default/lost
    reason:
      description: One word that stays the same from release to release.
      returned: always
      type: str
      sample: TargetNotFound
    message:
      description: What the component that knows has said.
      returned: always
      type: str
      sample: "the HPA controller was unable to get the target's current scale: virtualmachineinstancereplicasets.kubevirt.io
        \"nothing\" not found"
    hint:
      description: What to do.
      returned: always
      type: str
      sample: Create the target, or correct the target of the autoscaler (spec.scaleTargetRef).
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
    - its controller has not looked at it yet
"""

from ansible_collections.vmscale.kubevirt.plugins.module_utils._hpa import ensure_autoscaler
from ansible_collections.vmscale.kubevirt.plugins.module_utils._module_shell import run_module


def main() -> None:
    """Run the module."""
    run_module("hpa", ensure_autoscaler)


if __name__ == "__main__":
    main()
