# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Processes that outlive their starter, known by process id and start time so that a reused id is never mistaken for one of ours."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from sandbox.files import write_atomically

COMPONENT_MARKER = "VMSCALE_KUBEVIRT_SANDBOX"
SUPERVISOR_MARKER = "VMSCALE_KUBEVIRT_SUPERVISOR"


@dataclass(frozen=True)
class Process:
    """A process id together with the clock tick that it started at."""

    pid: int
    started: int

    def is_alive(self) -> bool:
        """Whether this very process runs (a zombie does not)."""
        return _start_time(self.pid) == self.started

    def signal(self, number: int) -> None:
        """Send a signal, if it is still this process."""
        if self.is_alive():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)


def start(command: Sequence[str], log: Path, environment: Mapping[str, str], directory: Path) -> Process:
    """Start a command in a session of its own, its output appended to a log."""
    with log.open("ab") as output:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            cwd=directory,
            start_new_session=True,
        )
    # The child is not reaped before its start time is read, so the id is still its own.
    return Process(child.pid, _start_time(child.pid) or -1)


def save(process: Process, path: Path) -> None:
    """Remember a process in a file."""
    write_atomically(path, json.dumps(asdict(process)) + "\n")


def load(path: Path) -> Process | None:
    """The process that a file remembers, if it still runs."""
    try:
        remembered = json.loads(path.read_text())
        process = Process(int(remembered["pid"]), int(remembered["started"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return process if process.is_alive() else None


def stop(processes: Iterable[Process], patience: float) -> None:
    """Ask processes to end, and end those that have not after some seconds; returns once all are gone."""
    remaining = list(processes)
    for process in remaining:
        process.signal(signal.SIGTERM)
    deadline = time.monotonic() + patience
    while any(process.is_alive() for process in remaining) and time.monotonic() < deadline:
        reap()
        time.sleep(0.02)
    for process in remaining:
        process.signal(signal.SIGKILL)
    while any(process.is_alive() for process in remaining):
        reap()
        time.sleep(0.02)


def reap() -> None:
    """Collect children that have ended."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def marked(*markers: str, value: str) -> list[Process]:
    """Every other process whose environment has one of some variables with a value."""
    wanted = {f"{marker}={value}".encode() for marker in markers}
    found: list[Process] = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        with contextlib.suppress(OSError):
            if not wanted.isdisjoint((entry / "environ").read_bytes().split(b"\0")):
                started = _start_time(int(entry.name))
                if started is not None:
                    found.append(Process(int(entry.name), started))
    return found


def _start_time(pid: int) -> int | None:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else int(fields[19])


def current() -> Process:
    """This very process."""
    return Process(os.getpid(), _start_time(os.getpid()) or -1)
