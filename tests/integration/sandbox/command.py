# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sandbox's command line, and what the tests look at behind it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.api import Api
from sandbox.state import Sandbox

TESTS = Path(__file__).parents[2]


@dataclass(frozen=True)
class Command:
    """The command line of one sandbox."""

    name: str

    @property
    def state(self) -> Sandbox:
        """What is on the disk."""
        return Sandbox.named(self.name)

    def run(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command and return what it printed."""
        command = [sys.executable, "-m", "sandbox", "--name", self.name, *arguments]
        environment = {**os.environ, "PYTHONPATH": str(TESTS)}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert not check or done.returncode == 0, f"{' '.join(arguments)}: {done.stderr}"
        return done

    def status(self) -> dict[str, Any]:
        """The status as data."""
        document: dict[str, Any] = json.loads(self.run("status", "--json", check=False).stdout)
        return document

    def pids(self) -> dict[str, int]:
        """The process ids of all parts that have one."""
        return {part["name"]: part["pid"] for part in self.status()["components"] if part["pid"]}

    def is_healthy(self) -> bool:
        """Whether all of it is well."""
        return bool(self.status()["healthy"])

    def api(self, client: str = "admin") -> Api:
        """The API server, as one of its users."""
        return Api(self.state, self.state.ports()["kube-apiserver"], client)

    def kill(self, *names: str) -> None:
        """Kill parts with a signal that cannot be caught."""
        pids = self.pids()
        for name in names or pids:
            os.kill(pids[name], signal.SIGKILL)


def eventually(what: str, condition: Callable[[], bool], timeout: float = 60) -> float:
    """Wait for a condition; returns the seconds that it took."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < timeout, f"{what}: not within {timeout:.0f} s"
        time.sleep(0.3)
    return time.monotonic() - began
