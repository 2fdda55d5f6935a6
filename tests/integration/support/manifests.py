# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Objects that the tests create, and the parts of objects that a user writes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from integration.support.ansible import Task
from integration.support.api import Api, Object, eventually

SERVER_FIELDS = ("uid", "resourceVersion", "creationTimestamp", "generation", "managedFields", "selfLink")
OBSERVED_VERSIONS = ("kubevirt.io/latest-observed-api-version", "kubevirt.io/storage-observed-api-version")
HASH = "vmscale.kubevirt/template-hash"


def vmi_template(
    app: str,
    *,
    memory: str = "64M",
    annotations: Mapping[str, str] | None = None,
    user_data: str | None = None,
) -> Object:
    """Return the template of a small VM that carries the label `app`."""
    disks: list[Object] = [{"name": "containerdisk", "disk": {"bus": "virtio"}}]
    volumes: list[Object] = [{"name": "containerdisk", "containerDisk": {"image": "quay.io/kubevirt/cirros-container-disk-demo:v1.8.2"}}]
    if user_data is not None:
        disks.append({"name": "cloudinit", "disk": {"bus": "virtio"}})
        volumes.append({"name": "cloudinit", "cloudInitNoCloud": {"userData": user_data}})
    metadata: Object = {"labels": {"app": app}}
    if annotations:
        metadata["annotations"] = dict(annotations)
    domain = {"devices": {"disks": disks}, "resources": {"requests": {"memory": memory}}}
    return {"metadata": metadata, "spec": {"domain": domain, "volumes": volumes}}


def replica_set(name: str, replicas: int | None = 1, **template: Any) -> Object:
    """Return a set whose VMs carry the label `app` with its name."""
    spec: Object = {"selector": {"matchLabels": {"app": name}}, "template": vmi_template(name, **template)}
    if replicas is not None:
        spec["replicas"] = replicas
    return {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstanceReplicaSet", "metadata": {"name": name}, "spec": spec}


def autoscaler(name: str, target: str, least: int, most: int, cpu: int = 50) -> Object:
    """Return an autoscaler of a set, in autoscaling/v2."""
    metric = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": cpu}}}
    reference = {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstanceReplicaSet", "name": target}
    spec = {"scaleTargetRef": reference, "minReplicas": least, "maxReplicas": most, "metrics": [metric]}
    return {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": name}, "spec": spec}


def vmirs(**options: Any) -> Task:
    """Return a task with the module vmirs."""
    return {"name": "Set", "vmscale.kubevirt.vmirs": options}


def hpa(**options: Any) -> Task:
    """Return a task with the module hpa."""
    return {"name": "Autoscaler", "vmscale.kubevirt.hpa": options}


def vmirs_scale(**options: Any) -> Task:
    """Return a task with the module vmirs_scale."""
    return {"name": "Scale", "vmscale.kubevirt.vmirs_scale": options}


def vmirs_rollout(**options: Any) -> Task:
    """Return a task with the module vmirs_rollout."""
    return {"name": "Roll out", "vmscale.kubevirt.vmirs_rollout": options}


def written_part(live: Mapping[str, Any]) -> Object:
    """Return what a user writes of an object: no status, and nothing that only a server or a controller sets."""
    if not live:
        return {}
    metadata = {key: value for key, value in live["metadata"].items() if key not in SERVER_FIELDS}
    annotations = {key: value for key, value in metadata.pop("annotations", {}).items() if key not in OBSERVED_VERSIONS}
    if annotations:
        metadata["annotations"] = annotations
    return {key: value for key, value in live.items() if key != "status"} | {"metadata": metadata}


def counts(live: Mapping[str, Any]) -> tuple[int, int, int]:
    """Return how many VMs a set wants, has, and has ready."""
    status = live.get("status", {})
    return live["spec"]["replicas"], status.get("replicas", 0), status.get("readyReplicas", 0)


def await_counts(api: Api, namespace: str, name: str, number: int, timeout: float = 60) -> Object:
    """Return the set once so many VMs are wanted, there and ready."""
    return eventually(
        f"{number} ready VMs of {name}", lambda: api.get("vmirs", namespace, name), lambda live: counts(live) == (number,) * 3, timeout
    )


def await_acknowledged(api: Api, namespace: str, name: str) -> Object:
    """Return the set once virt-controller has seen it for the first time, after which it writes no more of its own accord."""
    return eventually(
        f"virt-controller to see {name}",
        lambda: api.get("vmirs", namespace, name),
        lambda live: "labelSelector" in live.get("status", {}) and set(OBSERVED_VERSIONS) <= set(live["metadata"].get("annotations", {})),
        30,
    )


def await_gone(api: Api, resource: str, namespace: str, name: str, timeout: float = 60) -> None:
    """Return once there is no such object."""
    eventually(f"{name} to be gone", lambda: api.find(resource, namespace, name), lambda live: live is None, timeout)
