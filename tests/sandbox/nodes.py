# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The simulated nodes."""

from __future__ import annotations

import platform

from sandbox.api import Object
from sandbox.ports import LOOPBACK

COUNT = 4
# The label of a node that is lost, and the annotation of its VMIs.
LOST = "sandbox.vmscale.kubevirt/node-lost"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "s390x": "s390x"}
_MACHINES = {"amd64": ("q35", "pc-q35-10.0"), "arm64": ("virt", "virt-10.0"), "s390x": ("s390-ccw-virtio", "s390-ccw-virtio-10.0")}
_CPU_MODEL = "Skylake-Server"


def architecture() -> str:
    """The architecture that VMs get, in Kubernetes' words: the one of this machine."""
    return _ARCHITECTURES.get(platform.machine(), "amd64")


def machine_type() -> str:
    """The machine type that a booted VM reports."""
    return _MACHINES[architecture()][1]


def nodes() -> list[Object]:
    """Every simulated node."""
    return [_node(f"kwok-node-{index}") for index in range(COUNT)]


def _node(name: str) -> Object:
    machines = {f"machine-type.node.kubevirt.io/{machine}": "true" for machine in _MACHINES[architecture()]}
    capacity = {
        "cpu": "32",
        "memory": "256Gi",
        "ephemeral-storage": "500Gi",
        "pods": "110",
        "devices.kubevirt.io/kvm": "1k",
        "devices.kubevirt.io/tun": "1k",
        "devices.kubevirt.io/vhost-net": "1k",
    }
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "labels": {
                "type": "kwok",
                "kubernetes.io/hostname": name,
                "kubernetes.io/os": "linux",
                "kubernetes.io/arch": architecture(),
                "kubevirt.io/schedulable": "true",
                "cpu-vendor.node.kubevirt.io/Intel": "true",
                f"cpu-model.node.kubevirt.io/{_CPU_MODEL}": "true",
                f"cpu-model-migration.node.kubevirt.io/{_CPU_MODEL}": "true",
                f"host-model-cpu.node.kubevirt.io/{_CPU_MODEL}": "true",
                **machines,
            },
            # KubeVirt's heartbeat annotation stays off: without it a node counts as alive, with a stale one as dead.
            "annotations": {
                "kwok.x-k8s.io/node": "fake",
                "metrics.k8s.io/resource-metrics-path": f"/metrics/nodes/{name}/metrics/resource",
            },
        },
        "status": {
            "addresses": [{"type": "InternalIP", "address": LOOPBACK}, {"type": "Hostname", "address": name}],
            "capacity": capacity,
            "allocatable": capacity,
        },
    }
