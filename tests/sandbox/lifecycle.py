# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bringing a sandbox up, down, and its components down and up again on purpose."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from sandbox import processes
from sandbox.builder import ensure_binaries
from sandbox.certificates import ensure_certificates
from sandbox.components import NAMES
from sandbox.files import locked, write_atomically
from sandbox.health import Health, examine_all
from sandbox.identities import write_kubeconfigs
from sandbox.installation import fingerprint, write_configuration
from sandbox.ports import is_listening
from sandbox.state import Sandbox
from sandbox.supervisor import SUPERVISOR, start_supervisor

Say = Callable[[str], None]


class SandboxError(Exception):
    """A sandbox did not come up or go down."""


def bring_up(sandbox: Sandbox, say: Say, timeout: float = 120, mend: Callable[[], None] = lambda: None) -> None:
    """Bring a sandbox up, or what is down of it; returns once all of it is well. ``mend`` undoes what only the API server can undo."""
    with locked(sandbox.lock, say):
        binaries = ensure_binaries(say)
        if sandbox.directory.is_dir() and not _is_current(sandbox, binaries):
            say("the sandbox has changed: restarting it on its data")
            _end_all(sandbox)
        if _is_well(sandbox):
            return
        for name in ("logs", "processes", "halted", "faults", "temporary", "kubeconfigs", "configuration"):
            (sandbox.directory / name).mkdir(parents=True, exist_ok=True, mode=0o700)
        for name in NAMES:
            sandbox.halted(name).unlink(missing_ok=True)
        ensure_certificates(sandbox.certificates)
        supervisor = processes.load(sandbox.process(SUPERVISOR))
        if supervisor is None:
            running = {name for name in NAMES if processes.load(sandbox.process(name))}
            ports = sandbox.settle_ports(running)
            write_kubeconfigs(sandbox, ports["kube-apiserver"])
            sandbox.remember_binaries(binaries)
            write_configuration(sandbox, binaries)
            supervisor = start_supervisor(sandbox, Path(sys.executable))
        _wait_until_well(sandbox, supervisor, say, timeout, mend)


def bring_down(sandbox: Sandbox, *, keep: bool = False) -> None:
    """End every process of a sandbox and, unless told to keep it, remove its data."""
    with locked(sandbox.lock):
        if sandbox.directory.is_dir():
            _end_all(sandbox)
            if not keep:
                sandbox.remove()


def _end_all(sandbox: Sandbox) -> None:
    supervisor = processes.load(sandbox.process(SUPERVISOR))
    if supervisor is not None:
        # It ends the components by itself, in order.
        processes.stop([supervisor], 15)
    processes.stop(_processes(sandbox), 2)
    if left := _processes(sandbox):
        raise SandboxError(f"processes are left: {[process.pid for process in left]}")


def _is_current(sandbox: Sandbox, binaries: Mapping[str, Path]) -> bool:
    """Whether the sandbox runs what this source describes; one that has never come up does."""
    try:
        return sandbox.binaries() == binaries and sandbox.installed.read_text() == fingerprint(sandbox)
    except (OSError, ValueError):
        return True


def _processes(sandbox: Sandbox) -> list[processes.Process]:
    return processes.marked(processes.SUPERVISOR_MARKER, processes.COMPONENT_MARKER, value=str(sandbox.directory))


def halt(sandbox: Sandbox, names: Sequence[str], number: int = signal.SIGTERM) -> None:
    """End components and hold them down."""
    for name in names:
        write_atomically(sandbox.halted(name), "")
    end(sandbox, names, number)


def end(sandbox: Sandbox, names: Sequence[str], number: int = signal.SIGTERM) -> None:
    """End components; the supervisor starts anew those that are not held down."""
    found = [process for name in names if (process := processes.load(sandbox.process(name)))]
    for process in found:
        process.signal(number)
    processes.stop(found, 2)


def resume(sandbox: Sandbox, names: Sequence[str]) -> None:
    """Let components that are held down run again."""
    for name in names:
        sandbox.halted(name).unlink(missing_ok=True)


def await_health(sandbox: Sandbox, names: Sequence[str], timeout: float = 60) -> None:
    """Wait until components are well."""
    deadline = time.monotonic() + timeout
    while unwell := [part for part in examine_all(sandbox) if part.name in names and not part.is_well]:
        if time.monotonic() > deadline:
            raise SandboxError(_description(unwell))
        time.sleep(0.2)


def listening_ports(sandbox: Sandbox) -> list[int]:
    """The ports of a sandbox that something listens on."""
    return [port for port in sandbox.ports().values() if is_listening(port)]


def _is_well(sandbox: Sandbox) -> bool:
    try:
        return all(part.is_well for part in examine_all(sandbox))
    except OSError:
        return False


def _wait_until_well(sandbox: Sandbox, supervisor: processes.Process, say: Say, timeout: float, mend: Callable[[], None]) -> None:
    began = time.monotonic()
    said = ""
    is_mended = False
    while unwell := [part for part in examine_all(sandbox) if not part.is_well]:
        if time.monotonic() - began > timeout or not supervisor.is_alive():
            raise SandboxError(f"{_description(unwell)}; see {sandbox.log(SUPERVISOR).parent}")
        waiting = ", ".join(part.name for part in unwell)
        if waiting != said:
            say(f"{time.monotonic() - began:5.1f} s  waiting for {waiting}")
            said = waiting
        if not is_mended and all(part.name != "kube-apiserver" for part in unwell):
            mend()
            is_mended = True
        time.sleep(0.2)


def _description(unwell: Sequence[Health]) -> str:
    return "; ".join(f"{part.name}: {part.problem}" for part in unwell)
