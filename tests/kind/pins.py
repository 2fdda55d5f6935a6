# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which version of everything; those of Kubernetes and KubeVirt are in the go.mod files."""

from __future__ import annotations

from pathlib import Path

from sandbox.builder import KUBERNETES as SANDBOX_KUBERNETES
from sandbox.builder import required_versions

HERE = Path(__file__).parent
GO = HERE / "go"


def _required(module: str, requirement: str) -> str:
    return required_versions((GO / module / "go.mod").read_text())[requirement]


KUBERNETES = _required("kubernetes", "k8s.io/kubernetes")
KUBEVIRT = _required("kubevirt", "kubevirt.io/kubevirt")
METRICS_SERVER = SANDBOX_KUBERNETES.required()["sigs.k8s.io/metrics-server"]
KIND = "v0.32.0"
CNI_PLUGINS = "v1.9.0"
COREDNS = "v1.13.1"
# The tags that kubeadm of this Kubernetes asks for.
ETCD_TAG = "3.6.6-0"
PAUSE_TAG = "3.10"
# Its systemd still boots on cgroup v1, unlike that of the next release.
NODE_RELEASE = "bookworm"
# Its libvirt and QEMU are close to those that KubeVirt ships.
LAUNCHER_RELEASE = "trixie"
KERNEL_SOURCE = "linux-source-6.1"
