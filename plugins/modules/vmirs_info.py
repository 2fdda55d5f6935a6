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
    have converged and why not, which instances run on an older template, the revisions of the template, and which
    HorizontalPodAutoscalers scale them.
requirements:
  - python >= 3.9
  - kubernetes >= 24.2.0
  - PyYAML >= 5.1
  - urllib3 >= 2.0
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
  - module: vmscale.kubevirt.vmirs_scale
  - module: vmscale.kubevirt.vmirs_rollout
"""

EXAMPLES = r"""
- name: Look at one set
  vmscale.kubevirt.vmirs_info:
    name: testreplicaset
    namespace: default
  register: found

- name: Show which instances a rollout would replace, and the revisions that the set can go back to
  ansible.builtin.debug:
    msg:
      outdated: "{{ found.replica_sets[0].instances | selectattr('outdated') | map(attribute='name') }}"
      revisions: "{{ found.replica_sets[0].revisions }}"

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
    revision:
      description: The number of the current revision of the template; null where none is kept, or they may not be read.
      returned: always
      type: int
      sample: 2
    revisions:
      description: The revisions of the template that are kept, the newest first; null where they may not be read.
      returned: always
      type: list
      elements: dict
      contains:
        number:
          description: Its number, by which M(vmscale.kubevirt.vmirs_rollout) goes back to it.
          returned: always
          type: int
          sample: 2
        hash:
          description: The hash of its template.
          returned: always
          type: str
          sample: 8d1f0c5b7a
        created:
          description: When it was recorded.
          returned: always
          type: str
          sample: "2026-11-25T09:30:00Z"
        current:
          description: Whether it is the present template of the set.
          returned: always
          type: bool
          sample: true
        instances:
          description: How many VirtualMachineInstances of the set run it.
          returned: always
          type: int
          sample: 3
    unfinished_scale_in:
      description:
        - What a task of M(vmscale.kubevirt.vmirs_scale) that was killed, or still runs, has begun and not finished. The set is paused
          meanwhile.
        - Null where there is nothing of the kind.
      returned: always
      type: dict
      contains:
        replicas:
          description: The number of replicas that was asked for.
          returned: always
          type: int
          sample: 2
        remove:
          description: The names of the instances that were chosen.
          returned: always
          type: list
          elements: str
          sample: [testx7k2p]
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
          revision: 2
          terminating: false
          created: "2026-11-25T09:30:00Z"
"""

from ansible_collections.vmscale.kubevirt.plugins.module_utils._module_shell import run_module
from ansible_collections.vmscale.kubevirt.plugins.module_utils._vmirs_info import read_replica_sets


def main() -> None:
    """Run the module."""
    run_module("vmirs_info", read_replica_sets)


if __name__ == "__main__":
    main()
