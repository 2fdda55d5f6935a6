# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The work: objects, and the tasks and commands that bring them about."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bench.ground import LABEL
from integration.support.ansible import Task
from integration.support.api import Object
from integration.support.manifests import replica_set

SET_KIND = {"api_version": "kubevirt.io/v1", "kind": "VirtualMachineInstanceReplicaSet"}
SELECTOR = ",".join(f"{key}={value}" for key, value in LABEL.items())


def fleet(namespaces: list[str], number: int, replicas: int) -> list[Object]:
    """Return so many sets, dealt out among the namespaces."""
    return [bench_set(f"set-{index:03}", namespaces[index % len(namespaces)], replicas) for index in range(number)]


def bench_set(name: str, namespace: str, replicas: int) -> Object:
    body = replica_set(name, replicas)
    body["metadata"] |= {"namespace": namespace, "labels": dict(LABEL)}
    return body


def ours(module: str, **options: Any) -> Task:
    return {f"vmscale.kubevirt.{module}": options}


def core(module: str, **options: Any) -> Task:
    return {f"kubernetes.core.{module}": options}


def until(task: Task, condition: str, retries: int = 240) -> Task:
    """Return a task that asks once a second."""
    return {**task, "register": "found", "until": condition, "retries": retries, "delay": 1}


def apply(path: Path, namespace: str | None = None) -> list[str]:
    return ["apply", "--filename", str(path), *(["--namespace", namespace] if namespace else [])]


def wait_for_ready(replicas: int, *where: str, timeout: int = 300) -> list[str]:
    return [
        "wait",
        "virtualmachineinstancereplicasets",
        *where,
        f"--for=jsonpath={{.status.readyReplicas}}={replicas}",
        f"--timeout={timeout}s",
    ]


PING: Task = {"ansible.builtin.ping": {}}
