# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the figures were measured on."""

from __future__ import annotations

import datetime
import json
import os
import platform
import re
import subprocess
from importlib.metadata import version
from pathlib import Path

from bench.ground import SANDBOX
from dev.environment import environment_path
from dev.sandbox import Sandbox

# With more than this for each core, others are at work too.
BUSY_LOAD = 0.3


def describe_machine(load: float) -> dict[str, str]:
    """Return the machine, with the load that it had at first, and the versions, each with its name."""
    cores = len(os.sched_getaffinity(0))
    busy = " (others were at work on it)" if load > BUSY_LOAD * cores else ""
    components = _components()
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "CPU": f"{_field('/proc/cpuinfo', 'model name')}, {cores} cores",
        "memory": f"{int(_field('/proc/meminfo', 'MemTotal').split()[0]) / 2**20:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "load when it began": f"{load:.2f}{busy}",
        "Python": platform.python_version(),
        "ansible-core": version("ansible-core"),
        "kubernetes.core": _collection("kubernetes", "core"),
        "packages": ", ".join(f"{name} {version(name)}" for name in ("kubernetes", "urllib3", "PyYAML")),
        "Kubernetes, kubectl": components["kube-apiserver"],
        "KubeVirt": components["virt-controller"],
    }


def is_busy(machine: dict[str, str]) -> bool:
    return "(" in machine["load when it began"]


def _field(path: str, name: str) -> str:
    found = re.search(rf"^{name}\s*:\s*(.+)$", Path(path).read_text(encoding="utf-8"), re.MULTILINE)
    return found[1].strip() if found else f"unknown {name}"


def _collection(namespace: str, name: str) -> str:
    (manifest,) = environment_path().glob(f"lib/python3.*/site-packages/ansible_collections/{namespace}/{name}/MANIFEST.json")
    found: str = json.loads(manifest.read_text(encoding="utf-8"))["collection_info"]["version"]
    return found


def _components() -> dict[str, str]:
    done = subprocess.run(Sandbox(SANDBOX).command("status", "--json"), capture_output=True, text=True, check=True)
    return {each["name"]: str(each["version"]) for each in json.loads(done.stdout)["components"]}
