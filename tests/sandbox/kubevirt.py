# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""KubeVirt's own objects, as its generators print them, pointed at the processes of a sandbox."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sandbox.api import Object
from sandbox.nodes import architecture
from sandbox.ports import LOOPBACK
from sandbox.state import Sandbox

NAMESPACE = "kubevirt"
VERSION = "v1.8.2"


@dataclass(frozen=True)
class KubeVirt:
    """What virt-operator would install."""

    definitions: list[Object]
    access: list[Object]
    webhooks: list[Object]
    priorities: list[Object]


def generate(binary: Path, sandbox: Sandbox, ports: Mapping[str, int]) -> KubeVirt:
    """KubeVirt's objects, with webhooks that lead to the sandbox's virt-api."""
    printed = subprocess.run([binary], check=True, capture_output=True, env={"HOME": str(sandbox.directory)}).stdout
    generated = json.loads(printed)
    authority = base64.b64encode((sandbox.certificates / "ca.crt").read_bytes()).decode()
    for configuration in generated["webhooks"]:
        for webhook in configuration["webhooks"]:
            path = webhook["clientConfig"]["service"]["path"]
            webhook["clientConfig"] = {"url": f"https://{LOOPBACK}:{ports['virt-api']}{path}", "caBundle": authority}
    return KubeVirt(
        definitions=[_cleaned(item) for item in generated["definitions"]],
        access=[_cleaned(item) for item in generated["access"]],
        webhooks=[_cleaned(item) for item in generated["webhooks"]],
        priorities=[_cleaned(item) for item in generated["priorities"]],
    )


def configuration() -> Object:
    """The KubeVirt object. Masquerade is what makes VMs on the pod network migratable, as most clusters have it."""
    return {
        "apiVersion": "kubevirt.io/v1",
        "kind": "KubeVirt",
        "metadata": {"name": "kubevirt", "namespace": NAMESPACE},
        "spec": {"configuration": {"network": {"defaultNetworkInterface": "masquerade"}}},
    }


def configuration_status() -> Object:
    """What virt-operator would say about the KubeVirt object; virt-api and virt-controller take the architecture from it."""
    conditions = [
        {"type": "Available", "status": "True", "reason": "AllComponentsReady", "message": "All components are ready."},
        {"type": "Progressing", "status": "False", "reason": "AllComponentsReady", "message": "All components are ready."},
        {"type": "Degraded", "status": "False", "reason": "AllComponentsReady", "message": "All components are ready."},
        {"type": "Created", "status": "True", "reason": "AllResourcesCreated", "message": "All resources were created."},
    ]
    return {
        "status": {
            "phase": "Deployed",
            "defaultArchitecture": architecture(),
            "observedKubeVirtVersion": VERSION,
            "targetKubeVirtVersion": VERSION,
            "operatorVersion": VERSION,
            "conditions": conditions,
        }
    }


def _cleaned(item: Object) -> Object:
    item.pop("status", None)
    item["metadata"].pop("creationTimestamp", None)
    return item
