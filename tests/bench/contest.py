# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Contestants side by side in one play: a round to warm up, then round after round, each beginning with another one."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bench.figures import Series
from bench.ground import BenchFailedError, Ground
from integration.support.ansible import Shell, Task
from integration.support.results import TaskResult

PLAY_TIMEOUT = 3600.0


def task_seconds(result: TaskResult) -> float:
    """Return the time from handing the task to its worker to its result."""
    return result.seconds


def process_seconds(result: TaskResult) -> float:
    """Return how long the process ran that `ansible.builtin.command` started, without the task around it."""
    hours, minutes, seconds = str(result["delta"]).split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


@dataclass(frozen=True)
class Contestant:
    """One way to do the work: the tasks of a run, and how their time is read."""

    name: str
    tasks: tuple[Task, ...]
    seconds: Callable[[TaskResult], float] = task_seconds
    changes: bool | None = False
    """Whether it is to say that it changed something, to which it is held; None for one that may say so when it has not."""
    may_fail: bool = False
    """Whether it may be that it cannot do this, which is then told."""


def of_tasks(name: str, *tasks: Task, changes: bool | None = False, may_fail: bool = False) -> Contestant:
    return Contestant(name, tasks, changes=changes, may_fail=may_fail)


def of_kubectl(ground: Ground, name: str, *commands: Sequence[str], changes: bool | None = False) -> Contestant:
    """Return kubectl as a contestant: its own process is what is timed."""
    # What changed stands in kubectl's words: "configured", "created", "scaled", or else "unchanged".
    changed = r"\s(configured|created|scaled)(\s|$)"
    tasks = [
        {
            "ansible.builtin.command": {"argv": [ground.kubectl, *command]},
            "environment": ground.kubectl_environment,
            "register": "kubectl",
            "changed_when": f"kubectl.stdout is search('{changed}')",
        }
        for command in commands
    ]
    return Contestant(name, tuple(tasks), process_seconds, changes)


def run_rounds(ground: Ground, contestants: Sequence[Contestant], runs: int, shell: Shell = "local") -> list[Series]:
    """Run every contestant once to warm up and then `runs` times; the answer has a series for each."""
    tasks = [
        {"ignore_errors": contestant.may_fail, **task, "name": _name(contestant, number, step)}
        for number in range(runs + 1)
        for contestant in _turned(contestants, number)
        for step, task in enumerate(contestant.tasks)
    ]
    mark = ground.audit.mark()
    run = ground.ansible(shell).run_tasks(tasks, timeout=PLAY_TIMEOUT)
    failed = [f"{task.name}: {task.message}" for task in run.failed]
    if failed or not run.is_ok:
        raise BenchFailedError("; ".join(failed) or run.stdout + run.stderr)
    results = {task.name: task for task in run.tasks}
    requests = dict(
        zip(
            results,
            ground.requests_between(mark, [(each.began_at, each.began_at + each.seconds) for each in results.values()]),
            strict=True,
        )
    )
    return [_series(contestant, runs, results, requests) for contestant in contestants]


def run_unchanged(
    ground: Ground, contestants: Sequence[Contestant], runs: int, namespaces: Sequence[str], shell: Shell = "local"
) -> list[Series]:
    """Run rounds in which nobody may change the specification of a set, whatever they say."""
    before = ground.generations(namespaces)
    found = run_rounds(ground, contestants, runs, shell)
    if ground.generations(namespaces) != before:
        raise BenchFailedError(f"a set in {', '.join(namespaces)} has been changed by one of {[each.name for each in contestants]}")
    return found


def _series(contestant: Contestant, runs: int, results: Mapping[str, TaskResult], requests: Mapping[str, int]) -> Series:
    names = [[_name(contestant, number, step) for step in range(len(contestant.tasks))] for number in range(1, runs + 1)]
    for name in (name for each in names for name in each):
        result = results[name]
        if result.status == "failed":
            return Series(contestant.name, cannot=_first_sentence(result.message))
        if contestant.changes is not None and result.is_changed != contestant.changes:
            raise BenchFailedError(f"{name} {'changed something' if result.is_changed else 'changed nothing'}: {result.data}")
    return Series(
        contestant.name,
        tuple(sum(contestant.seconds(results[name]) for name in each) for each in names),
        tuple(sum(requests[name] for name in each) for each in names),
    )


def _name(contestant: Contestant, number: int, step: int) -> str:
    return f"{contestant.name}, run {number}, step {step + 1}"


def _turned(contestants: Sequence[Contestant], number: int) -> list[Contestant]:
    """Who goes first changes, so that nobody always follows the same one."""
    first = number % len(contestants)
    return [*contestants[first:], *contestants[:first]]


def _first_sentence(message: str) -> str:
    return re.split(r"(?<=[.!])\s|\n", message.strip())[0][:200]
