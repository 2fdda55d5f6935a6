# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tests put into a sandbox."""

from __future__ import annotations

from typing import Any

REPLICA_SETS = "/apis/kubevirt.io/v1/namespaces/default/virtualmachineinstancereplicasets"
INSTANCES = "/apis/kubevirt.io/v1/namespaces/default/virtualmachineinstances"
AUTOSCALERS = "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers"
CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"


def replica_set(name: str, replicas: int, annotations: dict[str, str] | None = None) -> dict[str, Any]:
    """A replica set of the smallest VMs."""
    labels = {"test": name}
    disks = [{"name": "containerdisk", "disk": {}}]
    volumes = [{"name": "containerdisk", "containerDisk": {"image": "kubevirt/cirros-container-disk-demo:latest"}}]
    domain = {"devices": {"disks": disks}, "resources": {"requests": {"memory": "64M"}}}
    return {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachineInstanceReplicaSet",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels, "annotations": annotations or {}},
                "spec": {"domain": domain, "volumes": volumes, "terminationGracePeriodSeconds": 0},
            },
        },
    }


def autoscaler(name: str, minimum: int, maximum: int, percent: int) -> dict[str, Any]:
    """An autoscaler of the replica set of the same name."""
    target = {"type": "Utilization", "averageUtilization": percent}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": name},
        "spec": {
            "scaleTargetRef": {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstanceReplicaSet", "name": name},
            "minReplicas": minimum,
            "maxReplicas": maximum,
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
        },
    }


def config_map(name: str) -> dict[str, Any]:
    """An object that nobody acts on."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"kept": "yes"}}
