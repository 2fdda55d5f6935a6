# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Kills ansible-playbook and all that it started with SIGKILL, as AWX does, once it has come to a stage that can be seen from outside."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from integration.support.ansible import Ansible, Command, Task
from integration.support.audit import AuditLog, Request, Tail, writes

IsReached = Callable[[list[Request]], bool]


def kill_when(ansible: Ansible, audit: AuditLog, task: Task, is_reached: IsReached, timeout: float = 60) -> list[str]:
    """Run a task and kill it once what it has written is enough; returns all that it wrote, by its verbs and resources."""
    tail = Tail(audit)
    command = ansible.command(ansible.play(task))
    log = command.results.with_suffix(".log")
    with log.open("wb") as output:
        process = subprocess.Popen(
            command.arguments,
            env=command.environment,
            cwd=ansible.directory,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
        try:
            _await_stage(process, tail, is_reached, timeout, log)
        finally:
            _kill_all(command)
            process.wait(10)
    # What was under way when the process died may still be done by the API server.
    time.sleep(0.3)
    return writes(tail.read())


def _await_stage(process: subprocess.Popen[bytes], tail: Tail, is_reached: IsReached, timeout: float, log: Path) -> None:
    deadline = time.monotonic() + timeout
    while not is_reached(tail.read()):
        if process.poll() is not None or time.monotonic() > deadline:
            why = "took too long" if process.poll() is None else f"ended with {process.returncode}"
            raise AssertionError(
                f"the run {why} before it came to the stage, after {writes(tail.read())}\n{log.read_text(encoding='utf-8')}"
            )
        time.sleep(0.001)


def _kill_all(command: Command) -> None:
    """Kill each process of the run: Ansible's workers have sessions of their own, so their environment is what they share."""
    mark = f"TEST_RESULTS_FILE={command.results}".encode()
    while found := [number for number in map(int, filter(str.isdigit, os.listdir("/proc"))) if _has(number, mark)]:
        for number in found:
            try:
                os.kill(number, signal.SIGKILL)
            except ProcessLookupError:
                continue
        time.sleep(0.002)


def _has(number: int, mark: bytes) -> bool:
    """Whether a process that runs was given that variable; the dead ones have no environment any more."""
    try:
        return mark in Path(f"/proc/{number}/environ").read_bytes().split(b"\0")
    except OSError:
        return False
