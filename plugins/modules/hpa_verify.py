#!/usr/bin/python

# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: hpa_verify
short_description: Verify that a HorizontalPodAutoscaler works
version_added: 0.1.0
author:
  - vmscale.kubevirt contributors (@vmscale)
description:
  - Fails, with every reason at once, unless the HorizontalPodAutoscaler works.
  - It exists, points at its target, the conditions C(AbleToScale) and C(ScalingActive) hold, it reports its metrics, its replicas
    lie within its bounds.
  - Where its target is a VirtualMachineInstanceReplicaSet, the set has converged on the number that the autoscaler wants, and the
    metrics API has
    fresh figures for its pods where the autoscaler scales by CPU or memory.
  - Expectations of your own can be added.
  - By default it waits up to O(wait_timeout) seconds for all of this to become true.
requirements:
  - python >= 3.9
  - kubernetes >= 24.2.0
  - PyYAML >= 5.1
  - urllib3 >= 2.0
extends_documentation_fragment:
  - vmscale.kubevirt._options.namespace
  - vmscale.kubevirt._options.target
  - vmscale.kubevirt._options.describe
  - vmscale.kubevirt._options.wait
  - vmscale.kubevirt._options.grace
  - kubernetes.core.k8s_auth_options
  - vmscale.kubevirt._attributes
  - vmscale.kubevirt._attributes.actiongroup_vmirs
attributes:
  check_mode:
    support: full
    details:
      - This module does not modify anything, and verifies in check mode as well.
  diff_mode:
    support: N/A
    details:
      - This module does not modify anything.
options:
  name:
    description: Name of the autoscaler.
    type: str
    required: true
  min_replicas:
    description: What its lower bound must be.
    type: int
  max_replicas:
    description: What its upper bound must be.
    type: int
  current_replicas:
    description: How many replicas its target must have.
    type: int
  not_limited:
    description:
      - Fail where the autoscaler is held back, by its upper bound or by how fast it may scale. Resting at its lower bound is no limit.
    type: bool
    default: false
  wait:
    description: Wait until everything is true. With V(false) the first look decides.
    type: bool
    default: true
seealso:
  - module: vmscale.kubevirt.hpa
  - module: vmscale.kubevirt.hpa_info
"""

EXAMPLES = r"""
- name: Verify that the autoscaler works
  vmscale.kubevirt.hpa_verify:
    name: test-hpa
    namespace: default

- name: Verify that it scales the right set between the right bounds
  vmscale.kubevirt.hpa_verify:
    name: test-hpa
    namespace: default
    target:
      name: testreplicaset
    min_replicas: 3
    max_replicas: 5
    current_replicas: 3
    wait_timeout: 300
  register: verified

- name: Show what kubectl would print
  ansible.builtin.debug:
    msg: "{{ verified.description.splitlines() }}"
"""

RETURN = r"""
reasons:
  description: Every reason why the autoscaler does not work; empty where it does.
  returned: always
  type: list
  elements: str
  sample:
    - "ScalingActive is False (FailedGetResourceMetric: the HPA was unable to compute the replica count: failed to get cpu utilization)"
    - "target testreplicaset: 2 of 3 ready"
duration:
  description: Seconds that the task waited.
  returned: always
  type: float
  sample: 8.402
timeline:
  description:
    - What happened meanwhile, the oldest first, a point for each change. The first point is what was there at the start.
    - At most 100 points; where there were more, the older ones are merged.
  returned: always
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
  returned: always
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
name:
  description: Name of the autoscaler.
  returned: always
  type: str
  sample: test-hpa
namespace:
  description: Namespace of the autoscaler.
  returned: always
  type: str
  sample: default
result:
  description: The object in C(autoscaling/v2), without managed fields; empty where there is none.
  returned: always
  type: dict
  sample:
    apiVersion: autoscaling/v2
    kind: HorizontalPodAutoscaler
    metadata:
      name: test-hpa
      namespace: default
conditions:
  description: The conditions of its status.
  returned: always
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
  returned: always
  type: list
  elements: dict
  sample:
    - type: Resource
      resource:
        name: cpu
        current:
          averageUtilization: 3
          averageValue: 3m
replicas:
  description: The bounds min and max, and what the controller last saw (current) and wanted (desired).
  returned: always
  type: dict
  sample:
    min: 3
    max: 5
    current: 3
    desired: 3
events:
  description: Its events, as M(vmscale.kubevirt.hpa_info) returns them. Of one that works they are not read.
  returned: on failure, where they may be read
  type: list
  elements: dict
  sample: []
description:
  description:
    - The text that C(kubectl describe horizontalpodautoscaler) prints. Of one that works, what it prints with C(--show-events=false).
  returned: always
  type: str
  sample: |
    Name:                                                  test-hpa
    Namespace:                                             default
    Reference:                                             VirtualMachineInstanceReplicaSet/testreplicaset
    Min replicas:                                          3
    Max replicas:                                          5
    VirtualMachineInstanceReplicaSet pods:                 3 current / 3 desired
"""

from ansible_collections.vmscale.kubevirt.plugins.module_utils._hpa_verify import verify_autoscaler
from ansible_collections.vmscale.kubevirt.plugins.module_utils._module_shell import run_module


def main() -> None:
    """Run the module."""
    run_module("hpa_verify", verify_autoscaler)


if __name__ == "__main__":
    main()
