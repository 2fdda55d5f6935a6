# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the options that several modules share."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of the modules that ensure an object."""

    DOCUMENTATION = r"""
options:
  state:
    description:
      - V(present) creates or changes the object so that it is as described, V(absent) deletes it.
    type: str
    choices: [present, absent]
    default: present
  name:
    description:
      - Name of the object, a DNS-1123 subdomain.
      - Required unless O(definition) or O(src) has it. A fleet has its names there.
    type: str
  namespace:
    description:
      - Namespace of the object.
      - Without it, that of O(definition) or O(src) is taken, else the one of the kubeconfig's context, else V(default).
      - In a fleet, the namespace of the objects that name none.
    type: str
  definition:
    description:
      - The whole manifest, as a mapping or as YAML text.
      - A list of these, or a YAML text with many objects, is a fleet, which is ensured in this one task.
      - Mutually exclusive with O(src).
      - The other options complete it. Where both speak of the same field and differ, the task fails. In a fleet, only those options are
        taken that can hold for all objects.
    type: raw
    aliases: [resource_definition]
  src:
    description:
      - Path of a file that holds the manifest.
      - A file with many objects, a directory or a pattern such as C(sets/*.yml) is a fleet, which is ensured in this one task. Of a
        directory, the files that end with C(.yml), C(.yaml) or C(.json) are taken, in the order of their names, and nothing below it.
      - It is looked up on the controller as for other tasks (in C(files/), beside the play), and at last where Ansible was started. It
        may be encrypted with ansible-vault.
        Where the controller has no such file and the task runs on another machine, it is read there.
      - Mutually exclusive with O(definition).
    type: path
  fleet:
    description:
      - Name of the fleet, a label value. Every object gets the label C(vmscale.kubevirt/fleet) with it, by which O(prune) knows what
        belongs to the fleet.
      - What O(definition) or O(src) describes is a fleet then, even if it is one object.
    type: str
  prune:
    description:
      - Delete the objects of the O(fleet) that are no longer described, of the kind that this module ensures.
      - They are looked for in the namespaces of the described objects, in O(namespace) and in O(prune_namespaces).
      - Nothing is deleted where a described object could not be written.
    type: bool
    default: false
  prune_namespaces:
    description:
      - Further namespaces in which O(prune) looks, such as one whose last object is no longer described.
    type: list
    elements: str
    default: []
  on_failure:
    description:
      - What becomes of the other objects of a fleet once one has failed. The task fails at its end in any case.
      - With V(continue), they are written and waited for.
      - With V(stop), nothing else is begun. What has been begun is finished and waited for.
    type: str
    choices: [continue, stop]
    default: continue
  labels:
    description: Labels of the object itself.
    type: dict
  annotations:
    description: Annotations of the object itself.
    type: dict
"""

    NAMESPACE = r"""
options:
  namespace:
    description:
      - Namespace to look in.
      - Without it, the one of the kubeconfig's context is taken, else V(default).
    type: str
"""

    CHOICE = r"""
options:
  name:
    description:
      - Only the object of this name.
      - Mutually exclusive with O(label_selectors).
    type: str
  label_selectors:
    description:
      - Only the objects that all of these label selectors choose, each as C(kubectl -l) takes it.
    type: list
    elements: str
    default: []
"""

    WAIT = r"""
options:
  wait:
    description: Wait until the cluster has done what was asked.
    type: bool
    default: false
  wait_timeout:
    description:
      - How many seconds to wait at most, and how long a lost connection is tried again.
      - The task fails when they are over, and says what is wrong or missing.
    type: int
    default: 120
"""

    GRACE = r"""
options:
  wait_grace:
    description:
      - How many seconds a wait bears with something that is wrong and may heal. If it is still wrong then, the task fails before its
        time is up.
      - With V(0) the first look at it ends the wait. A number as large as the time that the task has lets the wait go on to its end,
        except where nothing can heal.
    type: int
    default: 5
  quiet:
    description:
      - Show no progress while waiting.
    type: bool
    default: false
notes:
  - Waiting watches the cluster and outlives dropped connections and restarts of the API server, for as long as the task may wait.
    What it went through is a warning of the task.
  - Progress is shown where the task runs inside Ansible's own process on the control node. With C(async), C(become), another host or
    another interpreter the task waits as well, and shows nothing meanwhile.
seealso:
  - name: Waiting
    description: How a wait decides, what it watches, what it returns, and which rights it needs.
    link: https://github.com/vmscale/vmscale.kubevirt/blob/main/docs/waiting.md
  - name: Diagnosis
    description: Every reason that RV(diagnosis) may have, whether it ends a wait, and what to do.
    link: https://github.com/vmscale/vmscale.kubevirt/blob/main/docs/diagnosis.md
"""

    ROLLOUT = r"""
options:
  max_unavailable:
    description:
      - How many instances a rollout may make unavailable at the same time, as a number such as V(3) or as a share of the desired replicas
        such as V(25%). A share is rounded down, and is at least one.
      - By the doing of the rollout, the ready instances are never fewer than the desired replicas less this number. Instances that are not
        ready for another reason count.
      - While a HorizontalPodAutoscaler scales the set, a share is taken of its C(minReplicas) where that is smaller, since it may shrink
        the set at any moment.
    type: str
    default: 25%
  order:
    description:
      - Which instances go first. Those that are not ready always do, and V(not_ready_first) asks for nothing more.
      - V(oldest) and V(newest) go by the time of creation, V(by_node) goes node after node.
    type: str
    choices: [not_ready_first, oldest, newest, by_node]
    default: not_ready_first
  pause_between:
    description: How many seconds to pause between two batches.
    type: int
    default: 0
  batch_timeout:
    description:
      - How many seconds a batch may take until its instances are gone and have been replaced by available ones.
      - The task fails when they are over, says what is wrong or missing, and leaves the rest untouched.
    type: int
    default: 600
  progress_deadline:
    description:
      - How many seconds may pass in a batch without one more instance becoming available. The task fails when they are over. V(0) sets
        no deadline.
    type: int
    default: 300
  min_ready_seconds:
    description:
      - How many seconds an instance has to be ready before it counts as available.
    type: int
    default: 0
  revision_history_limit:
    description:
      - How many older revisions of the template to keep, to which the set can be rolled back. V(0) keeps none, not even the present one.
    type: int
    default: 10
  disruption_budgets:
    description:
      - With V(respect), a batch takes no more instances than the PodDisruptionBudgets of their launcher pods allow. Where they allow none,
        the rollout waits, and fails with their names when the time of the batch is over.
      - With V(ignore), they are not looked at. Kubernetes does not ask them either, since the deletion of an instance is no eviction.
    type: str
    choices: [respect, ignore]
    default: respect
"""

    TARGET = r"""
options:
  target:
    description: What the autoscaler scales, in the same namespace.
    type: dict
    suboptions:
      name:
        description: Name of the target.
        type: str
        required: true
      kind:
        description: Kind of the target.
        type: str
        default: VirtualMachineInstanceReplicaSet
      api_version:
        description: API version of the target.
        type: str
        default: kubevirt.io/v1
"""

    DESCRIBE = r"""
options:
  describe:
    description:
      - Format of the RV(description).
      - V(current) is what today's C(kubectl describe) prints for C(autoscaling/v2).
      - V(legacy) is the older format for C(autoscaling/v1), with C(Target CPU utilization) and C(Current CPU utilization).
    type: str
    choices: [current, legacy]
    default: current
"""
