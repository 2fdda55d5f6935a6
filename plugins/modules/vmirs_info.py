#!/usr/bin/python

# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: vmirs_info
short_description: Describe KubeVirt VirtualMachineInstanceReplicaSets and their instances
version_added: 0.1.0
author:
  - vmscale.kubevirt contributors (@vmscale)
description:
  - Returns the VirtualMachineInstanceReplicaSets of a namespace with their counts, their VirtualMachineInstances, whether they
    have converged and
    why not, which instances run on an older template, and which HorizontalPodAutoscalers scale them.
requirements:
  - python >= 3.9
  - kubernetes >= 24.2.0
  - PyYAML >= 3.11
extends_documentation_fragment:
  - vmscale.kubevirt._options.choice
  - vmscale.kubevirt._options.namespace
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
  - module: vmscale.kubevirt.vmirs
"""

EXAMPLES = r"""
- name: Look at one set
  vmscale.kubevirt.vmirs_info:
    name: testreplicaset
    namespace: default
  register: found

- name: Look at all sets of a namespace that carry a label
  vmscale.kubevirt.vmirs_info:
    namespace: default
    label_selectors:
      - tier=web
"""

RETURN = r"""
replica_sets:
  description: The sets that were found; empty where there is none.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Name of the set.
      returned: always
      type: str
      sample: testreplicaset
    namespace:
      description: Namespace of the set.
      returned: always
      type: str
      sample: default
    result:
      description: The object, without managed fields and with cloud-init data hidden.
      returned: always
      type: dict
      sample:
        apiVersion: kubevirt.io/v1
        kind: VirtualMachineInstanceReplicaSet
        metadata:
          name: testreplicaset
          namespace: default
    replicas:
      description: The counts desired, current, ready, outdated and terminating, as M(vmscale.kubevirt.vmirs) returns them.
      returned: always
      type: dict
      sample:
        desired: 3
        current: 3
        ready: 3
        outdated: 0
        terminating: 0
    converged:
      description: Whether the set is as it should be, by its status and by its instances.
      returned: always
      type: bool
      sample: true
    reasons:
      description: Why it has not converged.
      returned: always
      type: list
      elements: str
      sample: []
    paused:
      description: Whether the set is paused.
      returned: always
      type: bool
      sample: false
    autoscaled_by:
      description: The HorizontalPodAutoscalers that target the set.
      returned: always
      type: list
      elements: str
      sample: [test-hpa]
    instances:
      description: The VirtualMachineInstances that the set controls, by name.
      returned: always
      type: list
      elements: dict
      sample:
        - name: testx7k2p
          phase: Running
          ready: true
          reason: null
          node: kwok-node-1
          ip: 10.128.31.7
          outdated: false
          terminating: false
          created: "2026-11-25T09:30:00Z"
"""

from ansible_collections.vmscale.kubevirt.plugins.module_utils._module_shell import run_module


def main() -> None:
    """Run the module."""
    run_module("vmirs_info")


if __name__ == "__main__":
    main()
