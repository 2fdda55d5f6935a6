# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Scale-ins of a cluster in memory whose victims are chosen."""

from __future__ import annotations

import json
import typing as t

from unit.support.cluster import INSTANCES, SETS, Cluster
from unit.support.controlled import annotations_of, controlled
from unit.support.objects import changed

SET = "virtualmachineinstancereplicasets"
VMIS = "virtualmachineinstances"
ANNOTATION = "vmscale.kubevirt/scale-in"
PAUSE = RESUME = ("PATCH", f"{SET}/web", False)
RESUMED, LEFT = "The set has been resumed.", "The set is left paused: run the task again to finish what it began."


def gone(*names: str, dry: bool = False) -> list[tuple[str, str, bool]]:
    """Return the requests that delete VMIs."""
    return [("DELETE", f"{VMIS}/{name}", dry) for name in names]


def choose(cluster: Cluster, replicas: int | None = None, check_mode: bool = False, **options: t.Any) -> dict[str, t.Any]:
    """Run `vmirs_scale`."""
    return cluster.run("vmirs_scale", check_mode=check_mode, name="web", replicas=replicas, **options)


def patches(cluster: Cluster) -> list[t.Any]:
    """Return what was patched into the set."""
    return [each.body for each in cluster.server.requests if each.method == "PATCH"]


def is_left(cluster: Cluster) -> dict[str, t.Any] | None:
    """Return what the set remembers of an unfinished scale-in, None where nothing of it is left."""
    assert bool(cluster.live["spec"].get("paused")) is (ANNOTATION in annotations_of(cluster.live))
    text = annotations_of(cluster.live).get(ANNOTATION)
    return None if text is None else dict(json.loads(text))


def interrupted(job: dict[str, t.Any], remaining: int = 5, **options: t.Any) -> Cluster:
    """Return a cluster whose set of 5 has been paused by a scale-in that ended when so many VMIs were left."""
    cluster, controller = controlled(5, **options)
    paused = changed(changed(cluster.live, "spec.paused", True), "metadata.annotations", {ANNOTATION: json.dumps({"resume": True, **job})})
    cluster.put(SETS, paused)
    cluster.lists[INSTANCES] = cluster.lists[INSTANCES][5 - remaining :]
    controller.act()
    return cluster
