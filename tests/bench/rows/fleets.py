# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many sets with nothing to change: in a loop, and in one task."""

from __future__ import annotations

from pathlib import Path

from bench.contest import Contestant, of_kubectl, of_tasks, run_unchanged
from bench.figures import Row, ratio, requests_at_most
from bench.ground import Ground
from bench.works import apply, core, fleet, ours
from integration.support.ansible import Task
from integration.support.api import Object

LOOP_NAMESPACES = ["bench-loop"]
FLEET_NAMESPACES = ["bench-fleet-a", "bench-fleet-b", "bench-fleet-c"]
LOOPED, IN_ONE_TASK = 20, 60


def measure_loop(ground: Ground, runs: int, row: Row) -> None:
    """A task of one set, once for each file of a list."""
    objects = fleet(LOOP_NAMESPACES, LOOPED, 1)
    files = _prepare(ground, "loop", LOOP_NAMESPACES, objects)
    contestants = [
        of_tasks("vmirs, loop of 20", _looped("vmirs", files)),
        of_tasks("kubernetes.core.k8s, loop of 20", _looped("k8s", files)),
    ]
    mine, theirs = row.series = run_unchanged(ground, contestants, runs, LOOP_NAMESPACES)
    row.verdicts = [ratio("seconds over those of the same loop of `kubernetes.core.k8s`", mine, theirs, 0.1)]
    ground.clear(LOOP_NAMESPACES)


def measure_fleet(ground: Ground, runs: int, row: Row) -> None:
    """One file of many documents, in three namespaces; and for one contestant, each document by itself."""
    objects = fleet(FLEET_NAMESPACES, IN_ONE_TASK, 3)
    files = _prepare(ground, "fleet", FLEET_NAMESPACES, objects)
    whole = ground.write("fleet.yml", objects)
    contestants: list[Contestant] = [
        of_tasks("vmirs, one task", ours("vmirs", src=str(whole)), may_fail=True),
        of_kubectl(ground, "kubectl apply", apply(whole)),
        of_tasks("kubernetes.core.k8s, one task", core("k8s", src=str(whole))),
        of_tasks("kubernetes.core.k8s, loop of 60", _looped("k8s", files)),
    ]
    mine, kubectl, one_task, looped = row.series = run_unchanged(ground, contestants, runs, FLEET_NAMESPACES)
    remote = Contestant("vmirs, one task, as a module", contestants[0].tasks, may_fail=True)
    row.series = [*row.series, *run_unchanged(ground, [remote], runs, FLEET_NAMESPACES, "remote")]
    row.verdicts = [
        requests_at_most(mine, 3),
        ratio("seconds over those of `kubectl apply -f`", mine, kubectl, 0.1),
        ratio("seconds over those of `kubernetes.core.k8s`, one task", mine, one_task, 0.25),
        ratio("seconds over those of the loop of `kubernetes.core.k8s`", mine, looped, 0.01),
    ]
    row.notes = [f"The sets lie in {len(FLEET_NAMESPACES)} namespaces."]
    ground.clear(FLEET_NAMESPACES)


def _prepare(ground: Ground, name: str, namespaces: list[str], objects: list[Object]) -> list[Path]:
    """Create the sets with kubectl and wait for them; returns a file for each."""
    ground.prepare(namespaces)
    ground.run_kubectl(*apply(ground.write(f"{name}-created.yml", objects)))
    ground.await_ready(namespaces, len(objects))
    return [ground.write(f"{name}-{body['metadata']['name']}.yml", [body]) for body in objects]


def _looped(module: str, files: list[Path]) -> Task:
    task = ours("vmirs", src="{{ item }}") if module == "vmirs" else core("k8s", src="{{ item }}")
    return {**task, "loop": [str(path) for path in files]}
