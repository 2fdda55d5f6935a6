# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The CPU load of simulated VMs: a set's load is a total that its ready VMs share, as the users of a service would see to it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from sandbox.api import Api, Object
from sandbox.files import write_atomically
from sandbox.state import Sandbox

USAGE_NAME = "sandbox-usage"
REPLICA_SETS = "virtualmachineinstancereplicasets"
_CPU_ANNOTATION = "sandbox.vmscale.kubevirt/cpu"
# Metrics are rounded up to whole millicores for each container, so what should read 1 must be a little less.
_OTHER_CONTAINERS_CPU = "500u"
_ROUNDING_MICROCORES = 500
# Between 16 and 24 % of the 106 millicores that a VM with one virtual CPU requests, as a real guest that idles under emulation.
_IDLE_EXPRESSION = 'Quantity("20m") * (0.85 + 0.3 * Rand())'


@dataclass(frozen=True)
class Load:
    """A load dialled for a set: the percentage of its CPU request that each of so many VMs would show."""

    namespace: str
    name: str
    percent: float
    replicas: int

    def share(self, ready: int) -> float:
        """The percentage of each VM's request when so many share the load."""
        return self.percent * self.replicas / max(ready, 1)


@dataclass(frozen=True)
class Usage:
    """The CPU that the VM in a launcher pod uses."""

    namespace: str
    pod: str
    microcores: int


def loads(sandbox: Sandbox) -> list[Load]:
    """The loads that are dialled."""
    try:
        return [Load(**item) for item in json.loads((sandbox.directory / "loads.json").read_text())]
    except OSError:
        return []


def set_load(sandbox: Sandbox, api: Api, namespace: str, name: str, percent: float) -> Load:
    """Dial a load for a set that exists."""
    found = api.get(f"/apis/kubevirt.io/v1/namespaces/{namespace}/{REPLICA_SETS}/{name}")
    if found is None:
        raise LookupError(f"there is no VirtualMachineInstanceReplicaSet {namespace}/{name}")
    load = Load(namespace, name, percent, max(int(found["spec"].get("replicas", 1)), 1))
    _save(sandbox, [*_others(sandbox, namespace, name), load])
    return load


def clear_load(sandbox: Sandbox, namespace: str, name: str) -> None:
    """Let a set's VMs idle again."""
    _save(sandbox, _others(sandbox, namespace, name))


def share_out(load: Load, instances: Iterable[Mapping[str, Any]], pods: Iterable[Mapping[str, Any]]) -> list[Usage]:
    """What each ready VM of a set uses; a VM cannot use more than its virtual CPUs."""
    ready = {item["metadata"]["uid"]: item for item in instances if _belongs(item, load) and _is_ready(item)}
    percent = load.share(len(ready))
    usages = []
    for pod in pods:
        instance = ready.get(pod["metadata"].get("labels", {}).get("kubevirt.io/created-by", ""))
        if instance is None or pod["status"].get("phase") != "Running":
            continue
        others = len(pod["spec"]["containers"]) - 1
        millicores = round(requested_millicores(pod) * percent / 100) - others
        microcores = max(1, min(millicores, _virtual_cpus(instance) * 1000)) * 1000 - _ROUNDING_MICROCORES
        usages.append(Usage(load.namespace, pod["metadata"]["name"], microcores))
    return sorted(usages, key=lambda usage: usage.pod)


def requested_millicores(pod: Mapping[str, Any]) -> int:
    """A pod's CPU request as the autoscaler counts it: its containers and its sidecars."""
    spec = pod["spec"]
    sidecars = [container for container in spec.get("initContainers", []) if container.get("restartPolicy") == "Always"]
    requests = (container.get("resources", {}).get("requests", {}).get("cpu", "0") for container in [*spec["containers"], *sidecars])
    return sum(_millicores(request) for request in requests)


def idle_usage() -> Object:
    """What every VM uses while no load is dialled."""
    return _usage_object(_expression([]))


class LoadSharer:
    """Keeps the usage that KWOK reports in line with the loads that are dialled."""

    def __init__(self, sandbox: Sandbox, api: Api) -> None:
        """Share out the loads of a sandbox."""
        self._sandbox = sandbox
        self._api = api
        self._written: str | None = None

    def share(self) -> None:
        """Share out the loads once."""
        usages = [usage for load in loads(self._sandbox) for usage in self._usages(load)]
        expression = _expression(usages)
        if expression != self._written:
            self._api.ensure(_usage_object(expression))
            self._written = expression

    def _usages(self, load: Load) -> list[Usage]:
        instances = self._items(f"/apis/kubevirt.io/v1/namespaces/{load.namespace}/virtualmachineinstances")
        pods = self._items(f"/api/v1/namespaces/{load.namespace}/pods?labelSelector=kubevirt.io%3Dvirt-launcher")
        return share_out(load, instances, pods)

    def _items(self, path: str) -> list[Object]:
        separator = "&" if "?" in path else "?"
        found = self._api.get(f"{path}{separator}resourceVersion=0") or {}
        items: list[Object] = found.get("items", [])
        return items


def _usage_object(expression: str) -> Object:
    other = {"cpu": {"value": _OTHER_CONTAINERS_CPU}, "memory": {"value": "1Mi"}}
    compute = {"cpu": {"expression": expression}, "memory": {"value": "180Mi"}}
    return {
        "apiVersion": "kwok.x-k8s.io/v1alpha1",
        "kind": "ClusterResourceUsage",
        "metadata": {"name": USAGE_NAME},
        "spec": {"usages": [{"containers": ["compute"], "usage": compute}, {"usage": other}]},
    }


def _expression(usages: Iterable[Usage]) -> str:
    annotated = f'"{_CPU_ANNOTATION}" in pod.metadata.annotations ? Quantity(pod.metadata.annotations["{_CPU_ANNOTATION}"])'
    groups: dict[tuple[str, int], list[str]] = {}
    for usage in usages:
        groups.setdefault((usage.namespace, usage.microcores), []).append(usage.pod)
    loaded = [
        f'pod.metadata.namespace == "{namespace}" && pod.metadata.name in {json.dumps(pods)} ? Quantity("{microcores}u")'
        for (namespace, microcores), pods in sorted(groups.items())
    ]
    return " : ".join([annotated, *loaded, _IDLE_EXPRESSION])


def _belongs(instance: Mapping[str, Any], load: Load) -> bool:
    owners = instance["metadata"].get("ownerReferences", [])
    return any(owner["kind"] == "VirtualMachineInstanceReplicaSet" and owner["name"] == load.name for owner in owners)


def _is_ready(instance: Mapping[str, Any]) -> bool:
    conditions = instance.get("status", {}).get("conditions", [])
    return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)


def _virtual_cpus(instance: Mapping[str, Any]) -> int:
    cpu = instance["spec"]["domain"].get("cpu", {})
    return int(cpu.get("cores", 1)) * int(cpu.get("sockets", 1)) * int(cpu.get("threads", 1))


def _millicores(quantity: str | int) -> int:
    text = str(quantity)
    return int(Decimal(text[:-1])) if text.endswith("m") else int(Decimal(text) * 1000)


def _others(sandbox: Sandbox, namespace: str, name: str) -> list[Load]:
    return [load for load in loads(sandbox) if (load.namespace, load.name) != (namespace, name)]


def _save(sandbox: Sandbox, wanted: list[Load]) -> None:
    write_atomically(sandbox.directory / "loads.json", json.dumps([asdict(load) for load in wanted]))
