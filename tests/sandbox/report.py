# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What runs in a sandbox, what of it is real, and what is simulated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.builder import KUBERNETES, KUBEVIRT
from sandbox.components import NAMES
from sandbox.health import Health, examine_all
from sandbox.state import Sandbox, cache_directory

REAL = "real"
SIMULATED = "simulated"
SIMULATION = {
    "nodes": "nodes and their kubelets, by KWOK: they accept any pod that the scheduler places",
    "virt-launcher pods": "by KWOK: pulled, started, ready and ended by stages, no container runs",
    "virt-handler": "by KWOK under its service account: VMIs boot, report an address, crash and shut down by stages, no guest runs",
    "CPU and memory usage": "by KWOK's kubelet endpoint, as dialled by 'load'; metrics-server really scrapes it",
    "virt-operator": "absent: its objects come from its own generators",
}
_VERSIONS = {
    "etcd": (KUBERNETES, "go.etcd.io/etcd/server/v3"),
    "kube-apiserver": (KUBERNETES, "k8s.io/kubernetes"),
    "kube-controller-manager": (KUBERNETES, "k8s.io/kubernetes"),
    "kube-scheduler": (KUBERNETES, "k8s.io/kubernetes"),
    "metrics-server": (KUBERNETES, "sigs.k8s.io/metrics-server"),
    "kwok": (KUBERNETES, "sigs.k8s.io/kwok"),
    "virt-api": (KUBEVIRT, "kubevirt.io/kubevirt"),
    "virt-controller": (KUBEVIRT, "kubevirt.io/kubevirt"),
}


@dataclass(frozen=True)
class Part:
    """A part of a sandbox: its health, what it is, and which version."""

    health: Health
    nature: str
    version: str


def inspect(sandbox: Sandbox) -> list[Part]:
    """Every part of a sandbox; none if it is not there."""
    if not (sandbox.directory / "ports.json").exists():
        return []
    return [Part(health, _nature(health.name), _version(sandbox, health.name)) for health in examine_all(sandbox)]


def document(sandbox: Sandbox, parts: Sequence[Part]) -> dict[str, Any]:
    """The status as data."""
    return {
        "name": sandbox.name,
        "healthy": bool(parts) and all(part.health.is_well for part in parts),
        "directory": str(sandbox.directory),
        "components": [
            {
                "name": part.health.name,
                "nature": part.nature,
                "version": part.version,
                "pid": part.health.pid,
                "port": part.health.port,
                "healthy": part.health.is_well,
                "problem": part.health.problem,
            }
            for part in parts
        ],
        "simulated": SIMULATION,
    }


def table(sandbox: Sandbox, parts: Sequence[Part]) -> str:
    """The status for people."""
    if not parts:
        return f"sandbox {sandbox.name} is not there"
    rows = [("COMPONENT", "NATURE", "VERSION", "PID", "PORT", "HEALTH")]
    for part in parts:
        health = part.health
        rows.append((health.name, part.nature, part.version, str(health.pid or "-"), str(health.port or "-"), health.problem or "healthy"))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    lines = ["  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]]) for row in rows]
    width = max(map(len, SIMULATION))
    return "\n".join([*lines, "", "SIMULATED", *(f"{what.ljust(width)}  {how}" for what, how in SIMULATION.items())])


def _nature(name: str) -> str:
    if name in ("kwok", "nodes"):
        return SIMULATED if name == "nodes" else "simulator"
    return "launcher" if name == "supervisor" else REAL


def component_version(name: str) -> str:
    """The version that a component is built from."""
    module, path = _VERSIONS[name]
    return module.required()[path]


def _version(sandbox: Sandbox, name: str) -> str:
    if name not in NAMES:
        return "-"
    # One that KUBEBUILDER_ASSETS led to is not of our building.
    return component_version(name) if sandbox.binaries()[name].is_relative_to(cache_directory()) else "provided"
