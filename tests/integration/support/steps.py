# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A task in its four runs: check mode, real, and both again; with what each asked of the API server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from integration.support.ansible import Ansible, Task
from integration.support.audit import AuditLog, Request
from integration.support.results import TaskResult


@dataclass(frozen=True)
class Step:
    """One run of a task."""

    result: TaskResult
    requests: tuple[Request, ...]

    @property
    def verbs(self) -> list[str]:
        """The verbs that were sent, each dry run marked as such."""
        return [f"{request.verb} (dry run)" if "dryRun=All" in request.uri else request.verb for request in self.requests]

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
