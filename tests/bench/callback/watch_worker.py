# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Watches ansible's workers from within: their memory, when they come to what, and what a task's action does."""

from __future__ import annotations

DOCUMENTATION = r"""
name: watch_worker
type: notification
short_description: Write what each worker of ansible does to a file as JSON
description:
  - One line of JSON for each task, in the file named by the environment variable E(BENCH_WORKER_FILE).
  - With E(BENCH_PROFILE_DIRECTORY), the profile of each task's action is written there as well, for C(pstats).
"""

import cProfile
import functools
import json
import os
import time
from collections.abc import Callable
from typing import Any

import urllib3.connection
import urllib3.connectionpool
from ansible.executor.task_executor import TaskExecutor
from ansible.plugins.action import ActionBase
from ansible.plugins.callback import CallbackBase

# What happens in the process that this is imported into; workers are forks of it, with a copy of their own.
STAMPS: dict[str, float] = {}
SPANS: dict[str, float] = {}


class CallbackModule(CallbackBase):
    """Put measuring points into ansible before it forks its workers."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "watch_worker"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        TaskExecutor.run = _around_task(TaskExecutor.run)
        TaskExecutor._get_action_handler_with_module_context = _around_handler(TaskExecutor._get_action_handler_with_module_context)
        urllib3.connection.HTTPSConnection.connect = _spanned("connect", urllib3.connection.HTTPSConnection.connect)  # type: ignore[method-assign]
        pool = urllib3.connectionpool.HTTPConnectionPool
        pool.urlopen = _spanned("request", pool.urlopen)  # type: ignore[method-assign]


def _around_task(run: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(run)
    def watched(self: TaskExecutor) -> Any:
        STAMPS.clear()
        SPANS.clear()
        # Sets the peak back to what is used now.
        with open("/proc/self/clear_refs", "w", encoding="ascii") as stream:
            stream.write("5")
        first = _status("VmRSS")
        STAMPS["task"] = time.time()
        result = run(self)
        STAMPS["end"] = time.time()
        line = {"name": self._task.get_name().strip(), "first_kib": first, "peak_kib": _status("VmHWM"), "stamps": STAMPS, "spans": SPANS}
        with open(os.environ["BENCH_WORKER_FILE"], "a", encoding="utf-8") as stream:
            stream.write(json.dumps(line) + "\n")
        return result

    return watched


def _around_handler(get: Callable[..., Any]) -> Callable[..., Any]:
    """The action plugin that a task has been given is watched, whichever it is."""

    @functools.wraps(get)
    def watched(self: TaskExecutor, templar: Any) -> Any:
        handler, context = get(self, templar)
        handler.run = _around_action(handler, handler.run, self._task._uuid)
        return handler, context

    return watched


def _around_action(_handler: ActionBase, run: Callable[..., Any], name: str) -> Callable[..., Any]:
    def watched(*arguments: Any, **options: Any) -> Any:
        directory = os.environ.get("BENCH_PROFILE_DIRECTORY")
        profile = cProfile.Profile() if directory else None
        STAMPS["action"] = time.time()
        if profile is None:
            result = run(*arguments, **options)
        else:
            result = profile.runcall(run, *arguments, **options)
            profile.dump_stats(os.path.join(str(directory), f"{name}.pstats"))
        STAMPS["action end"] = time.time()
        return result

    return watched


def _spanned(name: str, act: Callable[..., Any]) -> Callable[..., Any]:
    """Add up how long something takes."""

    @functools.wraps(act)
    def watched(*arguments: Any, **options: Any) -> Any:
        began = time.time()
        try:
            return act(*arguments, **options)
        finally:
            SPANS[name] = SPANS.get(name, 0.0) + time.time() - began

    return watched


def _status(field: str) -> int:
    """A field of the process's memory, in KiB."""
    with open("/proc/self/status", encoding="ascii") as stream:
        return next(int(line.split()[1]) for line in stream if line.startswith(f"{field}:"))
