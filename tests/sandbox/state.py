# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a sandbox keeps what it knows, and what it remembers between two runs."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sandbox.files import write_atomically
from sandbox.ports import free_ports, is_listening

PORTS = (
    "etcd",
    "etcd-peer",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "virt-api",
    "virt-controller",
    "metrics-server",
    "kwok",
)


def cache_directory() -> Path:
    """Where built binaries and Go's caches live, shared by all sandboxes of a user."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "vmscale-kubevirt"


def state_directory() -> Path:
    """Where the sandboxes of a user live, one directory each."""
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "vmscale-kubevirt" / "sandboxes"


@dataclass(frozen=True)
class Sandbox:
    """One sandbox: its name, and the directory that holds everything about it."""

    name: str
    directory: Path

    @classmethod
    def named(cls, name: str) -> Sandbox:
        """The sandbox of a name, whether it exists or not."""
        if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,40}[a-z0-9])?", name):
            raise ValueError(f"sandbox name {name!r}: use up to 42 lowercase letters, digits and inner dashes")
        return cls(name, state_directory() / name)

    @property
    def lock(self) -> Path:
        """Held by whoever brings the sandbox up or down (outside its directory, which may be removed)."""
        return self.directory.parent / f".{self.name}.lock"

    @property
    def supervisor_lock(self) -> Path:
        """Held by the supervisor for as long as it lives."""
        return self.directory / "supervisor.lock"

    @property
    def certificates(self) -> Path:
        """The directory of keys and certificates."""
        return self.directory / "certificates"

    @property
    def kubeconfigs(self) -> Path:
        """The directory of kubeconfigs."""
        return self.directory / "kubeconfigs"

    @property
    def configuration(self) -> Path:
        """The directory of files that components are given."""
        return self.directory / "configuration"

    @property
    def data(self) -> Path:
        """etcd's data."""
        return self.directory / "etcd"

    @property
    def audit_log(self) -> Path:
        """The API server's audit log."""
        return self.directory / "logs" / "audit.log"

    @property
    def installed(self) -> Path:
        """Says which version of the sandbox's objects etcd holds."""
        return self.directory / "installed"

    @property
    def failure(self) -> Path:
        """Why the supervisor last failed to install the sandbox's objects."""
        return self.directory / "failure"

    def log(self, component: str) -> Path:
        """A component's log."""
        return self.directory / "logs" / f"{component}.log"

    def process(self, component: str) -> Path:
        """Remembers a component's process."""
        return self.directory / "processes" / f"{component}.json"

    def halted(self, component: str) -> Path:
        """Exists while a component is held down on purpose."""
        return self.directory / "halted" / component

    def fault(self, name: str) -> Path:
        """Exists while the supervisor is to keep up a fault."""
        return self.directory / "faults" / name

    def kubeconfig(self, user: str) -> Path:
        """A user's kubeconfig."""
        return self.kubeconfigs / f"{user}.yaml"

    def ports(self) -> dict[str, int]:
        """The ports of its components by name."""
        ports: dict[str, int] = json.loads((self.directory / "ports.json").read_text())
        return ports

    def binaries(self) -> dict[str, Path]:
        """The binaries of its components by name."""
        return {name: Path(path) for name, path in json.loads((self.directory / "binaries.json").read_text()).items()}

    def remember_binaries(self, binaries: Mapping[str, Path]) -> None:
        """Remember which binaries to run."""
        write_atomically(self.directory / "binaries.json", json.dumps({name: str(path) for name, path in binaries.items()}))

    def settle_ports(self, running: set[str]) -> dict[str, int]:
        """Remembered ports, found anew for components that are down while someone else listens there."""
        try:
            ports = self.ports()
        except (OSError, ValueError):
            ports = {}
        lost = [name for name in PORTS if name not in ports or (name.removesuffix("-peer") not in running and is_listening(ports[name]))]
        if lost:
            ports |= free_ports(lost, ports.values())
            write_atomically(self.directory / "ports.json", json.dumps(ports))
        return ports

    def remove(self) -> None:
        """Remove everything about it."""
        shutil.rmtree(self.directory, ignore_errors=True)


def known_sandboxes() -> list[Sandbox]:
    """Every sandbox of this user that has a directory."""
    root = state_directory()
    return [Sandbox(path.name, path) for path in sorted(root.iterdir()) if path.is_dir()] if root.is_dir() else []
