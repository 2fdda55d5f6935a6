# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A fleet that is not there yet: create it, and wait until every VMI is ready."""

from __future__ import annotations

import os
import resource
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from bench.contest import PLAY_TIMEOUT
from bench.figures import Row, Series, ratio
from bench.ground import BenchFailedError, Ground, tell
from bench.works import SELECTOR, apply, fleet, ours, wait_for_ready
from integration.support.ansible import Shell

NAMESPACES = ["bench-fleet-a", "bench-fleet-b", "bench-fleet-c"]
SETS, REPLICAS = 60, 3
WAIT_TIMEOUT = 600


@dataclass
class Runs:
    """What the runs of one contestant came to; `work` and `cluster` are CPU seconds, its own and those of the sandbox."""

    seconds: list[float] = field(default_factory=list)
    requests: list[int] = field(default_factory=list)
    work: list[float] = field(default_factory=list)
    cluster: list[float] = field(default_factory=list)
    cannot: str = ""

    def series(self, contestant: str) -> Series:
        return Series(contestant, tuple(self.seconds), tuple(self.requests), self.cannot)


def measure(ground: Ground, runs: int, row: Row) -> None:
    """By turns, each from nothing; a first run of each is not counted."""
    ground.prepare(NAMESPACES)
    path = ground.write("create.yml", fleet(NAMESPACES, SETS, REPLICAS))
    found = {name: Runs() for name in CONTESTANTS}
    for number in range(runs + 1):
        names = [name for name in CONTESTANTS if not found[name].cannot]
        for name in [*names[number % len(names) :], *names[: number % len(names)]]:
            _run(ground, path, name, found[name], is_counted=number > 0)
    mine, theirs, _floor = row.series = [each.series(name) for name, each in found.items()]
    row.verdicts = [ratio("seconds over those of `kubectl apply`, then `kubectl wait`", mine, theirs, 0.7)]
    row.notes = [f"The sets lie in {len(NAMESPACES)} namespaces.", _say_limit(found)]


def _run(ground: Ground, path: Path, name: str, runs: Runs, *, is_counted: bool) -> None:
    mark, cpu, cluster = ground.audit.mark(), _own_cpu(), ground.cpu_seconds()
    seconds, cannot = CONTESTANTS[name](ground, path)
    ready = sum(live.get("status", {}).get("readyReplicas", 0) == REPLICAS for live in ground.sets(NAMESPACES))
    if not cannot and ready != SETS:
        raise BenchFailedError(f"after {name} said that all are ready, {ready} of {SETS} sets are")
    runs.cannot = cannot
    cpu, cluster = _own_cpu() - cpu, ground.cpu_seconds() - cluster
    requests = len(ground.audit.requests(mark))
    tell(f"{name}: {cannot or f'{seconds:.1f} s, {requests} requests, CPU: {cpu:.1f} s, of the cluster {cluster:.1f} s'}")
    if is_counted and not cannot:
        runs.seconds.append(seconds)
        runs.requests.append(requests)
        runs.work.append(cpu)
        runs.cluster.append(cluster)
    ground.clear(NAMESPACES)


def create_and_wait(ground: Ground, path: Path, shell: Shell = "local") -> tuple[float, str]:
    """Run one task on what is not there; returns its seconds, and why it cannot, if so."""
    run = ground.ansible(shell).run_tasks(ours("vmirs", src=str(path), wait=True, wait_timeout=WAIT_TIMEOUT), timeout=PLAY_TIMEOUT)
    if not run.tasks:
        raise BenchFailedError(run.stdout + run.stderr)
    return run.last.seconds, "" if run.is_ok else run.last.message[:200]


def _with_kubectl(ground: Ground, path: Path) -> tuple[float, str]:
    seconds = ground.run_kubectl(*apply(path))
    return seconds + ground.run_kubectl(*wait_for_ready(REPLICAS, "--all-namespaces", "--selector", SELECTOR, timeout=WAIT_TIMEOUT)), ""


def _with_least(ground: Ground, path: Path) -> tuple[float, str]:
    return ground.run_floor("create", str(path)), ""


CONTESTANTS: Mapping[str, Callable[[Ground, Path], tuple[float, str]]] = {
    "vmirs, one task": create_and_wait,
    "kubectl apply, then kubectl wait": _with_kubectl,
    "the floor: 60 POSTs, 8 at a time, and one watch": _with_least,
}


def _own_cpu() -> float:
    """CPU seconds of all programs that were run so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _say_limit(found: Mapping[str, Runs]) -> str:
    """Return what the cluster itself needs, which no client can make less."""
    cores = len(os.sched_getaffinity(0))
    told = []
    for name, runs in found.items():
        if runs.work:
            cluster = median(runs.cluster)
            told.append(
                f"{name}: {median(runs.work):.1f} of its own and {cluster:.1f} of the cluster, {cluster / cores:.1f} s on {cores} cores"
            )
    return f"CPU seconds, medians. {'; '.join(told)}."
