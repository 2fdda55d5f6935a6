# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a playbook run came to."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Status = Literal["ok", "failed", "skipped", "unreachable"]


@dataclass(frozen=True)
class TaskResult:
    """The result of one task on one host, as a callback plugin sees it."""

    name: str
    action: str
    role: str | None
    host: str
    status: Status
    ignored: bool
    began_at: float
    """When it was handed to its worker: a time stamp."""
    seconds: float
    data: dict[str, Any] = field(repr=False)

    @property
    def is_changed(self) -> bool:
        return bool(self.data.get("changed", False))

    @property
    def message(self) -> str:
        return str(self.data.get("msg", ""))

    @property
    def invocation(self) -> dict[str, Any]:
        return dict(self.data.get("invocation", {}).get("module_args", {}))

    def __getitem__(self, key: str) -> Any:
        return self.data[key]


@dataclass(frozen=True)
class Run:
    """One run of ansible-playbook."""

    command: tuple[str, ...]
    code: int
    stdout: str = field(repr=False)
    stderr: str = field(repr=False)
    seconds: float
    tasks: tuple[TaskResult, ...]

    @property
    def is_ok(self) -> bool:
        return self.code == 0

    @property
    def changed(self) -> tuple[TaskResult, ...]:
        """The results that report a change."""
        return tuple(task for task in self.tasks if task.is_changed)

    @property
    def failed(self) -> tuple[TaskResult, ...]:
        """The results that ended the run."""
        return tuple(task for task in self.tasks if task.status in ("failed", "unreachable") and not task.ignored)

    @property
    def last(self) -> TaskResult:
        return self.tasks[-1]

    def task(self, name: str) -> TaskResult:
        """Return the only result whose task, or action without its collection, is called `name`."""
        found = [task for task in self.tasks if name in (task.name, task.action, task.action.rpartition(".")[2])]
        if len(found) != 1:
            raise LookupError(f"{len(found)} results of {name!r} among {[task.name for task in self.tasks]}")
        return found[0]

    def require_ok(self) -> Run:
        """Return the run, or raise with its whole output."""
        if not self.is_ok:
            raise AssertionError(f"ansible-playbook ended with {self.code}\n{self.stdout}\n{self.stderr}")
        return self

    def require_failed(self) -> Run:
        """Return the run, or raise with its whole output."""
        if self.is_ok:
            raise AssertionError(f"ansible-playbook was expected to fail\n{self.stdout}\n{self.stderr}")
        return self


def read_results(path: Path) -> tuple[TaskResult, ...]:
    """Return the results that the callback plugin recorded."""
    if not path.exists():
        return ()
    return tuple(TaskResult(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines())
