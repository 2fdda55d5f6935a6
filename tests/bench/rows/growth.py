# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What one more set costs: fleets from one set to two hundred, through both shells."""

from __future__ import annotations

import math
from pathlib import Path

from bench.contest import of_tasks, run_unchanged
from bench.figures import Point, Row, Verdict
from bench.ground import BenchFailedError, Ground, tell
from bench.memory import peak_mib
from bench.rows.creation import WAIT_TIMEOUT, create_and_wait
from bench.works import fleet, ours
from integration.support.ansible import Shell, Task

NAMESPACES = ["bench-growth"]
SIZES = (1, 10, 50, 100, 200)
SHELLS: tuple[Shell, ...] = ("local", "remote")
NOTHING, CREATE = "nothing to change", "create and wait"
# From here on what a task costs whatever it does no longer hides how its time grows.
GROWS_FROM = 50
# The time of one and the same run differs by that much.
LINEAR = 1.05
PEAK_MIB = 150
# A fleet is created fewer times than it is looked at: it takes a hundred times as long.
LEAST_CREATIONS = 3


def measure(ground: Ground, runs: int, row: Row) -> None:
    """Size after size: created by each shell, its memory watched in a run that is not timed, then looked at with nothing to change."""
    ground.prepare(NAMESPACES)
    creations = min(runs, max(LEAST_CREATIONS, runs // 2))
    for size in SIZES:
        path = ground.write(f"growth-{size}.yml", fleet(NAMESPACES, size, 1))
        row.points += _created(ground, path, size, creations)
        row.points += _unchanged(ground, path, size, runs)
        ground.clear(NAMESPACES)
    row.verdicts = [*(exponent(row.points, shell, work) for work in (NOTHING, CREATE) for shell in SHELLS), _peak(row.points)]
    row.notes = [
        f"Medians of {runs} runs with nothing to change, of {creations} that create and wait.",
        "Memory is measured in runs that are not timed: the peak of the module's process, and how much the task adds to ansible's worker.",
        f"Growth is the exponent by which the seconds grow from {GROWS_FROM} to {SIZES[-1]} sets: 1 is linear.",
    ]


def _task(path: Path, *, wait: bool) -> Task:
    return ours("vmirs", src=str(path), **({"wait": True, "wait_timeout": WAIT_TIMEOUT} if wait else {}))


def _created(ground: Ground, path: Path, size: int, runs: int) -> list[Point]:
    """Create the fleet again and again, once more in each shell for the memory; the last one stays."""
    seconds: dict[Shell, list[float]] = {shell: [] for shell in SHELLS}
    peaks: dict[Shell, float] = {}
    for number in range(runs + 1):
        for shell in SHELLS:
            ground.clear(NAMESPACES)
            if number:
                taken, cannot = create_and_wait(ground, path, shell)
                if cannot:
                    return [Point(each, CREATE, size, cannot=cannot) for each in SHELLS]
                seconds[shell].append(taken)
                tell(f"{size} sets, {CREATE}, {shell}, run {number}: {taken:.2f} s")
            else:
                found = peak_mib(ground, shell, _task(path, wait=True))
                if found.cannot:
                    return [Point(each, CREATE, size, cannot=found.cannot) for each in SHELLS]
                peaks[shell] = found.mib
            if len(ground.sets(NAMESPACES)) != size:
                raise BenchFailedError(f"of {size} sets {len(ground.sets(NAMESPACES))} are there")
    return [Point(shell, CREATE, size, tuple(seconds[shell]), peaks[shell]) for shell in SHELLS]


def _unchanged(ground: Ground, path: Path, size: int, runs: int) -> list[Point]:
    """Look at the fleet that is there."""
    points = []
    for shell in SHELLS:
        found = peak_mib(ground, shell, _task(path, wait=False))
        if found.cannot:
            points.append(Point(shell, NOTHING, size, cannot=found.cannot))
            continue
        ground.await_ready(NAMESPACES, size)
        (series,) = run_unchanged(ground, [of_tasks("vmirs", _task(path, wait=False))], runs, NAMESPACES, shell)
        tell(f"{size} sets, {NOTHING}, {shell}: {series.median:.3f} s")
        points.append(Point(shell, NOTHING, size, series.seconds, found.mib))
    return points


def exponent(points: list[Point], shell: str, work: str) -> Verdict:
    """Return the exponent by which the seconds grow with the number of sets."""
    what = f"growth of the seconds, {work}, {'local shell' if shell == 'local' else 'module'}"
    chosen = {point.sets: point for point in points if (point.shell, point.work) == (shell, work)}
    few, many = chosen[GROWS_FROM], chosen[SIZES[-1]]
    if few.cannot or many.cannot:
        return Verdict(what, LINEAR, None, why=few.cannot or many.cannot)
    return Verdict(what, LINEAR, math.log(many.median / few.median) / math.log(many.sets / few.sets), "exponent")


def _peak(points: list[Point]) -> Verdict:
    what = f"peak memory of the module at {SIZES[-1]} sets"
    chosen = [point for point in points if point.shell == "remote" and point.sets == SIZES[-1]]
    cannot = next((point.cannot for point in chosen if point.cannot), "")
    peaks = [point.peak_mib for point in chosen if point.peak_mib is not None]
    return Verdict(what, PEAK_MIB, None if cannot else max(peaks), "MiB", why=cannot)
