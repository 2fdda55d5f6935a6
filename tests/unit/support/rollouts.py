# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rollouts of clusters in memory."""

from __future__ import annotations

import typing as t

from unit.support.cluster import INSTANCES, REVISIONS, Cluster
from unit.support.recorded import Object
from unit.support.templates import HASH

SET, VMIS, HISTORY = "virtualmachineinstancereplicasets", "virtualmachineinstances", "controllerrevisions"
WEB = "VirtualMachineInstanceReplicaSet default/web"


def roll_out(cluster: Cluster, max_unavailable: t.Any = 1, check_mode: bool = False, **options: t.Any) -> dict[str, t.Any]:
    """Run `vmirs_rollout`."""
    return cluster.run("vmirs_rollout", check_mode=check_mode, name="web", max_unavailable=str(max_unavailable), **options)


def deleted(cluster: Cluster) -> list[str]:
    """Return the names of the VMIs that were deleted, dry runs aside."""
    return [
        path.partition("/")[2] for method, path, is_dry in cluster.written() if method == "DELETE" and path.startswith(VMIS) and not is_dry
    ]


def memory_of(template: Object) -> str:
    """Return the memory that a template of `set_of` asks for."""
    return str(template["spec"]["domain"]["memory"]["guest"])


def kept(cluster: Cluster) -> dict[int, str]:
    """Return the number and the memory of each revision."""
    found = sorted(cluster.lists[REVISIONS], key=lambda each: int(each["revision"]))
    return {each["revision"]: memory_of(each["data"]["spec"]["template"]) for each in found}


def hashes(cluster: Cluster) -> set[str]:
    """Return the hashes that VMIs carry."""
    return {each["metadata"]["labels"].get(HASH, "") for each in cluster.lists[INSTANCES]}
