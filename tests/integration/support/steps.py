# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A task in its four runs: check mode, real, and both again; with what each asked of the API server."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from integration.support.ansible import Ansible, Task
from integration.support.audit import OPERATOR, AuditLog, Request, writes
from integration.support.results import TaskResult


@dataclass(frozen=True)
class Step:
    """One run of a task."""

    result: TaskResult
    requests: tuple[Request, ...]

    @property
    def verbs(self) -> list[str]:
        """The verbs that were sent, each dry run marked as such."""
        return [f"{request.verb} (dry run)" if request.is_dry_run else request.verb for request in self.requests]

    @property
    def diff(self) -> tuple[Any, Any]:
        """The two sides of the diff."""
        shown = self.result["diff"]
        return shown["before"], shown["after"]


@dataclass(frozen=True)
class FourSteps:
    """The four runs of one task."""

    predicted: Step
    done: Step
    predicted_again: Step
    again: Step

    @property
    def all(self) -> tuple[Step, ...]:
        return (self.predicted, self.done, self.predicted_again, self.again)

    @property
    def is_changed(self) -> list[bool]:
        return [step.result.is_changed for step in self.all]

    @property
    def verbs(self) -> list[list[str]]:
        return [step.verbs for step in self.all]


def run_step(ansible: Ansible, audit: AuditLog, task: Task, *, check: bool = False) -> Step:
    """Run a task with --diff; returns its result and the requests of the operator meanwhile."""
    mark = audit.mark()
    run = ansible.run_tasks(task, check=check, diff=True).require_ok()
    return Step(run.last, tuple(audit.requests(mark)))


def run_four_steps(ansible: Ansible, audit: AuditLog, task: Task, settle: Callable[[], object] = lambda: None) -> FourSteps:
    """Run a task in check mode, for real, and both again; `settle` waits for what the cluster does after the real run."""
    predicted = run_step(ansible, audit, task, check=True)
    done = run_step(ansible, audit, task)
    settle()
    return FourSteps(predicted, done, run_step(ansible, audit, task, check=True), run_step(ansible, audit, task))


@dataclass(frozen=True)
class ThreeRuns:
    """A task in one play: in check mode, for real, and again; with what all of it wrote."""

    predicted: TaskResult
    done: TaskResult
    again: TaskResult
    writes: list[str]


def run_three_times(ansible: Ansible, audit: AuditLog, task: Task, user: str = OPERATOR) -> ThreeRuns:
    """Run a task in check mode, for real, and again, in one play.

    Requires that the first saw the change coming, and that the last changed nothing.
    """
    (runs,) = run_each_three_times(ansible, audit, [task], user)
    return runs


def run_each_three_times(ansible: Ansible, audit: AuditLog, tasks: Sequence[Task], user: str = OPERATOR) -> list[ThreeRuns]:
    """Run tasks one after the other, each three times, in one play; the last of them has the writes of all."""
    mark = audit.mark()
    run = ansible.run_tasks([each for task in tasks for each in ({**task, "check_mode": True}, {**task}, {**task})], diff=True).require_ok()
    assert [each.is_changed for each in run.tasks] == [True, True, False] * len(tasks), [each.data for each in run.tasks]
    written = writes(audit.requests(mark, user=user))
    last = len(run.tasks) - 3
    found = [(number, run.tasks[number : number + 3]) for number in range(0, len(run.tasks), 3)]
    return [ThreeRuns(predicted, done, again, written if number == last else []) for number, (predicted, done, again) in found]
