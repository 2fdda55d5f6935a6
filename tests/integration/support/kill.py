# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Kills ansible-playbook and all that it started with SIGKILL, as AWX does, once it has come to a stage that is seen from outside."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from integration.support.ansible import Ansible, Task
from integration.support.audit import AuditLog, writes
from integration.support.gate import Gate, IsEnough

TIMEOUT = 60


@dataclass(frozen=True)
class Killer:
    """Runs tasks that do not come to their end; what they wrote is told by the audit log of the sandbox."""

    sandbox: str
    audit: AuditLog

    def after_writes(self, ansible: Ansible, task: Task, is_enough: IsEnough) -> list[str]:
        """Kill the run when the API server has done the write with which it is enough, and the run does not know yet."""
        with Gate(self.sandbox, ansible.directory, is_enough) as gate:
            return self.when(replace(ansible, kubeconfig=gate.kubeconfig), task, gate.is_closed.is_set)

    def when(self, ansible: Ansible, task: Task, is_reached: Callable[[], bool]) -> list[str]:
        """Kill the run once the stage is reached; returns all that it wrote."""
        mark = self.audit.mark()
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
                start_new_session=True,
            )
            try:
                _await_stage(process, is_reached, log)
            finally:
                kill_marked(f"TEST_RESULTS_FILE={command.results}")
                process.wait(10)
        # What was under way when the run died may still be done by the API server.
        time.sleep(0.2)
        return writes(self.audit.requests(mark))


def _await_stage(process: subprocess.Popen[bytes], is_reached: Callable[[], bool], log: Path) -> None:
    deadline = time.monotonic() + TIMEOUT
    while not is_reached():
        if process.poll() is not None or time.monotonic() > deadline:
            why = "took too long" if process.poll() is None else f"ended with {process.returncode}"
            raise AssertionError(f"the run {why} before it came to the stage\n{log.read_text(encoding='utf-8')}")
        time.sleep(0.01)


def kill_marked(variable: str) -> set[int]:
    """Kill each process that was given that variable, and return their numbers.

    Ansible's workers have sessions of their own, and share no more than their environment with what has started them.
    """
    killed = set()
    while found := marked(variable):
        for number in found:
            try:
                os.kill(number, signal.SIGKILL)
            except ProcessLookupError:
                continue
            killed.add(number)
        time.sleep(0.002)
    return killed


def marked(variable: str) -> list[int]:
    """Return the processes that were given that variable."""
    mark = variable.encode()
    return [number for number in map(int, filter(str.isdigit, os.listdir("/proc"))) if _has(number, mark)]


def _has(number: int, mark: bytes) -> bool:
    """Whether a process that lives was given that variable; one that is dead has no environment any more."""
    try:
        return mark in Path(f"/proc/{number}/environ").read_bytes().split(b"\0")
    except OSError:
        return False
