#!/usr/bin/python

# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: hpa_info
short_description: Describe HorizontalPodAutoscalers
version_added: 0.1.0
author:
  - vmscale.kubevirt contributors (@vmscale)
description:
  - Returns the HorizontalPodAutoscalers of a namespace with their conditions, metrics, replicas and events, and the text that
    C(kubectl describe horizontalpodautoscaler) prints for each.
requirements:
  - python >= 3.9
  - kubernetes >= 24.2.0
  - PyYAML >= 5.1
  - urllib3 >= 2.0
extends_documentation_fragment:
  - vmscale.kubevirt._options.choice
  - vmscale.kubevirt._options.namespace
  - vmscale.kubevirt._options.describe
  - kubernetes.core.k8s_auth_options
  - vmscale.kubevirt._attributes
  - vmscale.kubevirt._attributes.actiongroup_vmirs
attributes:
  check_mode:
    support: full
    details:
      - This module does not modify anything.
  diff_mode:
    support: N/A
    details:
      - This module does not modify anything.
seealso:
  - module: vmscale.kubevirt.hpa
  - module: vmscale.kubevirt.hpa_verify
"""

EXAMPLES = r"""
- name: Describe one autoscaler
  vmscale.kubevirt.hpa_info:
    name: test-hpa
    namespace: default
  register: found

- name: Show the text
  ansible.builtin.debug:
    msg: "{{ found.description.splitlines() }}"

- name: Describe every autoscaler of a namespace in the older format
  vmscale.kubevirt.hpa_info:
    namespace: default
    describe: legacy
"""

RETURN = r"""
autoscalers:
  description: The autoscalers that were found, each with the keys that a single one has at the top level; empty where there is none.
  returned: always
  type: list
  elements: dict
  sample: []
exists:
  description: Whether the autoscaler exists.
  returned: when O(name) is given
  type: bool
  sample: true
result:
  description: The object in C(autoscaling/v2), without managed fields; empty where there is none.
  returned: when O(name) is given
  type: dict
  sample:
    apiVersion: autoscaling/v2
    kind: HorizontalPodAutoscaler
    metadata:
      name: test-hpa
      namespace: default
conditions:
  description: The conditions of its status.
  returned: when O(name) is given
  type: list
  elements: dict
  sample:
    - type: ScalingActive
      status: "True"
      reason: ValidMetricFound
      message: the HPA was able to successfully calculate a replica count from cpu resource utilization (percentage of request)
      lastTransitionTime: "2026-11-25T09:30:00Z"
metrics:
  description: The current metrics of its status.
  returned: when O(name) is given
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
  returned: when O(name) is given
  type: dict
  sample:
    min: 3
    max: 5
    current: 3
    desired: 3
events:
  description: Its events.
  returned: when O(name) is given
  type: list
  elements: dict
  sample:
    - type: Normal
      reason: SuccessfulRescale
      message: "New size: 5; reason: cpu resource utilization (percentage of request) above target"
      count: 1
      first_seen: "2026-11-25T09:30:00Z"
      last_seen: "2026-11-25T09:30:00Z"
description:
  description: The text that C(kubectl describe horizontalpodautoscaler) prints.
  returned: when O(name) is given
  type: str
  sample: |
    Name:                                                  test-hpa
    Namespace:                                             default
    Reference:                                             VirtualMachineInstanceReplicaSet/testreplicaset
    Metrics:                                               ( current / target )
      resource cpu on pods  (as a percentage of request):  3% (3m) / 50%
    Min replicas:                                          3
    Max replicas:                                          5
    VirtualMachineInstanceReplicaSet pods:                 3 current / 3 desired
"""

from ansible_collections.vmscale.kubevirt.plugins.module_utils._hpa_info import read_autoscalers
from ansible_collections.vmscale.kubevirt.plugins.module_utils._module_shell import run_module


def main() -> None:
    """Run the module."""
    run_module("hpa_info", read_autoscalers)


if __name__ == "__main__":
    main()
