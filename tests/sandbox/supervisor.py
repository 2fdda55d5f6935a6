# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The daemon that keeps a sandbox's components running and shares out the load of its VMs."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import threading
import time
from pathlib import Path
from types import FrameType

import urllib3

from sandbox import processes
from sandbox.api import Api, ApiError
from sandbox.components import Component, components
from sandbox.crowd import Crowd
from sandbox.files import held, write_atomically
from sandbox.health import answers, http_pool
from sandbox.installation import aggregate, fingerprint, install
from sandbox.load import LoadSharer
from sandbox.processes import Process
from sandbox.state import Sandbox

SUPERVISOR = "supervisor"
_TICK = 0.1
_LOG_LIMIT = 50_000_000
_EXAMINE_EVERY = 2.0
_STARTS_WITHIN = 40.0
_UNWELL_FOR_AT_MOST = 30.0
_log = logging.getLogger("supervisor")


class Supervisor:
    """Starts what should run and does not, in order, and installs the sandbox's objects once the API server answers."""

    def __init__(self, sandbox: Sandbox) -> None:
        """Supervise a sandbox whose files are all written."""
        self._sandbox = sandbox
        self._ports = sandbox.ports()
        self._binaries = sandbox.binaries()
        self._components = components(sandbox, self._ports)
        self._pool: urllib3.PoolManager = http_pool(sandbox)
        self._running: dict[str, Process] = {}
        self._not_before: dict[str, float] = {}
        self._started_at: dict[str, float] = {}
        self._well_at: dict[str, float] = {}
        self._examined_at = time.monotonic()
        self._is_ending = threading.Event()
        self._is_installed = False
        self._is_aggregated = False

    def run(self) -> None:
        """Supervise until told to end."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._end)
        self._adopt()
        for run in (self._share_load, Crowd(self._sandbox, self._ports["kube-apiserver"], self._is_ending).run):
            threading.Thread(target=run, daemon=True).start()
        while not self._is_ending.is_set():
            self._step()
            self._is_ending.wait(_TICK)
        self._stop()

    def _end(self, _number: int, _frame: FrameType | None) -> None:
        self._is_ending.set()

    def _adopt(self) -> None:
        for component in self._components:
            process = processes.load(self._sandbox.process(component.name))
            if process is not None:
                self._running[component.name] = process
                _log.info("%s runs already as %d", component.name, process.pid)
        strays = [
            stray
            for stray in processes.marked(processes.COMPONENT_MARKER, value=str(self._sandbox.directory))
            if stray not in self._running.values()
        ]
        if strays:
            _log.warning("ending strays: %s", [stray.pid for stray in strays])
            processes.stop(strays, 1)

    def _step(self) -> None:
        processes.reap()
        for component in self._components:
            process = self._running.get(component.name)
            if process is not None and not process.is_alive():
                self._bury(component, process)
                process = None
            halted = self._sandbox.halted(component.name).exists()
            if (
                process is None
                and not halted
                and time.monotonic() >= self._not_before.get(component.name, 0)
                and self._may_start(component)
            ):
                self._start(component)
        if not self._is_installed and self._answers("kube-apiserver"):
            self._install()
        if self._sandbox.fault("no-metrics-api").exists():
            self._is_aggregated = False
        elif self._is_installed and not self._is_aggregated and self._answers("metrics-server"):
            self._aggregate()
        if time.monotonic() - self._examined_at > _EXAMINE_EVERY:
            self._end_the_unwell()
            self._examined_at = time.monotonic()

    def _end_the_unwell(self) -> None:
        """End what lingers without answering, as kube-apiserver does for a minute after it was asked to end."""
        for component in self._components:
            process, name, now = self._running.get(component.name), component.name, time.monotonic()
            needs = component.needs
            if process is None or now - self._started_at.get(name, 0) < _STARTS_WITHIN or (needs and not self._answers(needs)):
                self._well_at.pop(name, None)
            elif self._answers(name):
                self._well_at[name] = now
            elif now - self._well_at.setdefault(name, now) > _UNWELL_FOR_AT_MOST:
                _log.warning("%s (%d) has not answered for %.0f s: ending it", name, process.pid, now - self._well_at.pop(name))
                process.signal(signal.SIGKILL)

    def _bury(self, component: Component, process: Process) -> None:
        del self._running[component.name]
        if component.name in ("metrics-server", "kube-apiserver"):
            self._is_aggregated = False
        lived = time.monotonic() - self._started_at.get(component.name, 0)
        wait = 0.0 if lived > 30 else 1.0
        self._not_before[component.name] = time.monotonic() + wait
        _log.warning("%s (%d) has ended", component.name, process.pid)

    def _may_start(self, component: Component) -> bool:
        if component.needs_installation and not self._is_installed:
            return False
        return not component.needs or self._answers(component.needs)

    def _answers(self, name: str) -> bool:
        component = next(each for each in self._components if each.name == name)
        return name in self._running and answers(self._pool, component, self._ports)

    def _start(self, component: Component) -> None:
        binary = self._binaries[component.name]
        log = self._sandbox.log(component.name)
        with contextlib.suppress(OSError):
            if log.stat().st_size > _LOG_LIMIT:
                log.replace(log.with_suffix(".log.1"))
        environment = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": str(self._sandbox.directory),
            "TMPDIR": str(self._sandbox.directory / "temporary"),
            # Less time in garbage collection while starting, for some memory.
            "GOGC": "200",
            processes.COMPONENT_MARKER: str(self._sandbox.directory),
        }
        process = processes.start([str(binary), *component.arguments], log, environment, self._sandbox.directory)
        processes.save(process, self._sandbox.process(component.name))
        self._running[component.name] = process
        self._started_at[component.name] = time.monotonic()
        _log.info("%s started as %d", component.name, process.pid)

    def _install(self) -> None:
        wanted = fingerprint(self._sandbox)
        with contextlib.suppress(OSError):
            self._is_installed = self._sandbox.installed.read_text() == wanted
        if self._is_installed:
            return
        began = time.monotonic()
        try:
            install(self._sandbox, self._ports, self._binaries)
        except (ApiError, TimeoutError, OSError, ValueError, KeyError) as error:
            _log.exception("installing failed")
            write_atomically(self._sandbox.failure, f"{type(error).__name__}: {error}\n")
            self._is_ending.wait(1)
            return
        write_atomically(self._sandbox.installed, wanted)
        self._sandbox.failure.unlink(missing_ok=True)
        self._is_installed = True
        _log.info("installed in %.1f s", time.monotonic() - began)

    def _aggregate(self) -> None:
        try:
            aggregate(self._sandbox, self._ports)
        except ApiError as error:
            _log.warning("aggregating failed: %s", error)
            return
        self._is_aggregated = True

    def _share_load(self) -> None:
        sharer = LoadSharer(self._sandbox, Api(self._sandbox, self._ports["kube-apiserver"], connections=2))
        while not self._is_ending.wait(1):
            if not self._is_installed:
                continue
            try:
                sharer.share()
            except (ApiError, OSError, ValueError, KeyError, TypeError) as error:
                _log.warning("sharing the load failed: %s", error)

    def _stop(self) -> None:
        # etcd last, so that the others can put down what they hold.
        processes.stop([process for name, process in self._running.items() if name != "etcd"], 2)
        processes.stop([process for name, process in self._running.items() if name == "etcd"], 3)
        _log.info("ended")


def supervise(sandbox: Sandbox) -> int:
    """Run as the supervisor of a sandbox, unless it has one."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    with held(sandbox.supervisor_lock) as mine:
        if not mine:
            _log.info("another supervisor runs")
            return 0
        processes.save(processes.current(), sandbox.process(SUPERVISOR))
        Supervisor(sandbox).run()
    return 0


def start_supervisor(sandbox: Sandbox, python: Path) -> Process:
    """Start the supervisor of a sandbox as a process of its own."""
    package = Path(__file__).parents[1]
    environment = {name: os.environ[name] for name in ("HOME", "PATH", "XDG_STATE_HOME", "XDG_CACHE_HOME") if name in os.environ}
    environment |= {"PYTHONPATH": str(package), "PYTHONDONTWRITEBYTECODE": "1", processes.SUPERVISOR_MARKER: str(sandbox.directory)}
    command = [str(python), "-m", "sandbox", "--name", sandbox.name, "supervise"]
    return processes.start(command, sandbox.log(SUPERVISOR), environment, sandbox.directory)
