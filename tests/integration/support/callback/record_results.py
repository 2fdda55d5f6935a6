# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes each task result as a line of JSON, so that tests read results and people still read the usual output."""

from __future__ import annotations

DOCUMENTATION = r"""
name: record_results
type: notification
short_description: Write each task result to a file as JSON
description:
  - One line of JSON for each result of a task, in the file named by the environment variable E(TEST_RESULTS_FILE).
"""

import json
import os
import time
from typing import Any

from ansible.inventory.host import Host
from ansible.playbook.task import Task
from ansible.plugins.callback import CallbackBase


def parts(result: Any) -> tuple[Host, Task, dict[str, Any]]:
    """Return where a task ran, the task, and what it returned; they have names for others since ansible-core 2.19."""
    if hasattr(result, "task"):
        return result.host, result.task, result.result
    return result._host, result._task, result._result


class CallbackModule(CallbackBase):
    """Record results."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "record_results"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self._started: dict[str, tuple[float, float]] = {}

    def v2_runner_on_start(self, host: Host, task: Task) -> None:  # noqa: ARG002
        self._started[task._uuid] = time.monotonic(), time.time()

    def _record(self, status: str, result: Any, ignored: bool = False) -> None:
        # First of all: what it takes to write down a result is not the task's.
        now = time.monotonic()
        host, task, returned = parts(result)
        began, began_at = self._started.get(task._uuid, (now, time.time()))
        data = json.loads(self._dump_results(returned))
        for key in ("diff", "warnings"):
            # What makes the usual output readable takes these out of the result.
            if returned.get(key):
                data[key] = json.loads(json.dumps(returned[key], default=str))
        line: dict[str, Any] = {
            "status": status,
            "name": task.get_name().strip(),
            "action": task.action,
            "role": task._role.get_name() if task._role else None,
            "host": host.get_name(),
            "ignored": bool(ignored),
            "began_at": began_at,
            "seconds": now - began,
            "data": data,
        }
        with open(os.environ["TEST_RESULTS_FILE"], "a", encoding="utf-8") as stream:
            stream.write(json.dumps(line) + "\n")

    def v2_runner_on_ok(self, result: Any) -> None:
        self._record("ok", result)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        self._record("failed", result, ignore_errors)

    def v2_runner_on_skipped(self, result: Any) -> None:
        self._record("skipped", result)

    def v2_runner_on_unreachable(self, result: Any) -> None:
        self._record("unreachable", result)
