# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A fleet that is not there yet: create it, and wait until every VMI is ready."""

from __future__ import annotations

from pathlib import Path

from bench.contest import PLAY_TIMEOUT
from bench.figures import Row, Series, ratio
from bench.ground import BenchFailedError, Ground, tell
from bench.works import SELECTOR, apply, fleet, ours, wait_for_ready
from integration.support.ansible import Shell

NAMESPACES = ["bench-fleet-a", "bench-fleet-b", "bench-fleet-c"]
SETS, REPLICAS = 60, 3
WAIT_TIMEOUT = 600


def measure(ground: Ground, runs: int, row: Row) -> None:
    """By turns, each from nothing; a first pair of runs is not counted."""
    ground.ensure_namespaces(NAMESPACES)
    path = ground.write("create.yml", fleet(NAMESPACES, SETS, REPLICAS))
    mine: list[float] = []
    theirs: list[float] = []
    requests: list[int] = []
    their_requests: list[int] = []
    cannot = ""
    for number in range(runs + 1):
        for contestant in ("vmirs", "kubectl") if number % 2 else ("kubectl", "vmirs"):
            if contestant == "vmirs" and cannot:
                continue
            mark = ground.audit.mark()
            if contestant == "kubectl":
                seconds = ground.run_kubectl(*apply(path))
                seconds += ground.run_kubectl(*wait_for_ready(REPLICAS, "--all-namespaces", "--selector", SELECTOR, timeout=WAIT_TIMEOUT))
            else:
                seconds, cannot = create_and_wait(ground, path)
            _require_ready(ground, contestant, cannot)
            asked = len(ground.audit.requests(mark))
            tell(f"{contestant}, run {number}: {seconds:.1f} s, {asked} requests{', ' + cannot if cannot else ''}")
            ground.clear(NAMESPACES)
            if number and not (contestant == "vmirs" and cannot):
                (mine if contestant == "vmirs" else theirs).append(seconds)
                (requests if contestant == "vmirs" else their_requests).append(asked)
    ours_series = Series("vmirs, one task", tuple(mine), tuple(requests), cannot)
    kubectl_series = Series("kubectl apply, then kubectl wait", tuple(theirs), tuple(their_requests))
    row.series = [ours_series, kubectl_series]
    row.verdicts = [ratio("seconds over those of `kubectl apply`, then `kubectl wait`", ours_series, kubectl_series, 0.7)]
    row.notes = [f"The sets lie in {len(NAMESPACES)} namespaces."]


def create_and_wait(ground: Ground, path: Path, shell: Shell = "local") -> tuple[float, str]:
    """Run one task on what is not there; returns its seconds, and why it cannot, if so."""
    run = ground.ansible(shell).run_tasks(ours("vmirs", src=str(path), wait=True, wait_timeout=WAIT_TIMEOUT), timeout=PLAY_TIMEOUT)
    if not run.tasks:
        raise BenchFailedError(run.stdout + run.stderr)
    return run.last.seconds, "" if run.is_ok else run.last.message[:200]


def _require_ready(ground: Ground, contestant: str, cannot: str) -> None:
    ready = sum(live.get("status", {}).get("readyReplicas", 0) == REPLICAS for live in ground.sets(NAMESPACES))
    if not cannot and ready != SETS:
        raise BenchFailedError(f"after {contestant} said that all are ready, {ready} of {SETS} sets are")
