# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sandbox's commands, as the demo and the tests call them."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from dev.paths import CHECKOUT, TESTS


@dataclass(frozen=True)
class Sandbox:
    """One named sandbox."""

    name: str

    def up(self) -> None:
        """Bring it up; a sandbox that is up is left as it is."""
        self._run("up")

    def down(self) -> None:
        self._run("down")

    def load(self, replica_set: str, namespace: str, percent: int) -> None:
        """Make the VMIs of a set use that share of the CPU that they request."""
        self._run("load", replica_set, "--namespace", namespace, "--percent", str(percent))

    def unload(self, replica_set: str, namespace: str) -> None:
        """Let the VMIs of a set idle, whether the set exists or not."""
        self._run("load", replica_set, "--namespace", namespace, "--off")

    def fault(self, name: str, *arguments: str) -> None:
        """Bring a fault about: `name` and arguments as on the command line."""
        self._run("fault", name, *arguments)

    def heal(self, name: str, *arguments: str) -> None:
        """Undo a fault."""
        self._run("heal", name, *arguments)

    def restart(self, *components: str) -> None:
        """Kill components, and wait until they are well again."""
        self._run("restart", *components, "--kill")

    def kubeconfig(self, user: str) -> Path:
        """Return the kubeconfig of `admin`, `operator`, `operator-token` or `nobody`."""
        return Path(self._ask("kubeconfig", "--user", user))

    def audit_log(self) -> Path:
        return Path(self._ask("audit-log"))

    def command(self, *arguments: str) -> list[str]:
        """Return the command line of a sandbox command."""
        return [sys.executable, "-m", "sandbox", "--name", self.name, *arguments]

    def _run(self, *arguments: str) -> None:
        subprocess.run(self.command(*arguments), cwd=CHECKOUT, env=_environment(), check=True)

    def _ask(self, *arguments: str) -> str:
        """Return the line that a command prints."""
        command = self.command(*arguments)
        return subprocess.run(command, cwd=CHECKOUT, env=_environment(), check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(TESTS)}
