# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Manifests of virt-operator and of metrics-server, as their releases have them, but small."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from sandbox import kubevirt
from sandbox.api import Object
from sandbox.state import Sandbox as State

VERSION = kubevirt.VERSION
OLDER, NEWER = "v1.7.0", "v1.9.0"
RBAC = "rbac.authorization.k8s.io"
OPERATOR_NAMESPACE = kubevirt.NAMESPACE
METRICS_NAMESPACE = "kube-system"


def write_manifest(path: Path, objects: Sequence[Object]) -> Path:
    """Write objects into a file that begins with an empty document, as those of releases do."""
    path.write_text(f"---\n{yaml.safe_dump_all(objects, explicit_start=True, sort_keys=False)}", encoding="utf-8")
    return path


@cache
def kubevirt_definition(sandbox: str) -> Object:
    """Return the definition of the kind KubeVirt as KubeVirt's own generator prints it, without what would only cost time."""
    state = State.named(sandbox)
    definitions = kubevirt.generate(state.binaries()["kubevirt-manifests"], state, state.ports()).definitions
    found = dict(without_descriptions(next(each for each in definitions if each["spec"]["names"]["kind"] == "KubeVirt")))
    found["spec"]["versions"] = [version for version in found["spec"]["versions"] if version["storage"]]
    return found


def without_descriptions(part: Any) -> Any:
    """Return a schema without what it says to people."""
    if isinstance(part, list):
        return [without_descriptions(each) for each in part]
    if not isinstance(part, dict):
        return part
    return {key: without_descriptions(value) for key, value in part.items() if not (key == "description" and isinstance(value, str))}


def operator_release(definition: Object, version: str = VERSION) -> list[Object]:
    """Return what the manifest kubevirt-operator.yaml of a version holds."""
    image = f"quay.io/kubevirt/virt-operator:{version}"
    return [
        _object("v1", "Namespace", OPERATOR_NAMESPACE, labels={"kubevirt.io": ""}),
        definition,
        _object("scheduling.k8s.io/v1", "PriorityClass", "kubevirt-cluster-critical", value=1000000000, globalDefault=False),
        *_account(OPERATOR_NAMESPACE, "kubevirt-operator", {"apiGroups": ["kubevirt.io"], "resources": ["kubevirts"], "verbs": ["*"]}),
        _deployment(
            OPERATOR_NAMESPACE,
            "virt-operator",
            {"kubevirt.io": "virt-operator"},
            {
                "image": image,
                "command": ["virt-operator"],
                "env": [
                    {"name": "VIRT_OPERATOR_IMAGE", "value": image},
                    {"name": "WATCH_NAMESPACE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.annotations['olm.targetNamespaces']"}}},
                ],
            },
        ),
    ]


def metrics_server_release(*, is_served: bool) -> list[Object]:
    """Return what the manifest components.yaml holds; where nobody serves the API, its APIService never becomes available."""
    name, labels = "metrics-server", {"k8s-app": "metrics-server"}
    port = {"name": "https", "port": 443, "protocol": "TCP", "targetPort": 10250}
    # An APIService that names no service is available at once.
    backend = {} if is_served else {"service": {"name": name, "namespace": METRICS_NAMESPACE}, "insecureSkipTLSVerify": True}
    group = {"group": "metrics.k8s.io", "version": "v1beta1", "groupPriorityMinimum": 100, "versionPriority": 100}
    arguments = ["--secure-port=10250", "--kubelet-preferred-address-types=InternalIP", "--metric-resolution=15s"]
    return [
        *_account(METRICS_NAMESPACE, name, {"apiGroups": [""], "resources": ["nodes/metrics"], "verbs": ["get"]}),
        _object("v1", "Service", name, METRICS_NAMESPACE, spec={"selector": labels, "ports": [port]}),
        _deployment(METRICS_NAMESPACE, name, labels, {"image": "registry.k8s.io/metrics-server/metrics-server:v0.9.0", "args": arguments}),
        _object("apiregistration.k8s.io/v1", "APIService", "v1beta1.metrics.k8s.io", spec={**group, **backend}),
    ]


def _object(api_version: str, kind: str, name: str, namespace: str | None = None, labels: Any = None, **content: Any) -> Object:
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {}) | ({"labels": labels} if labels else {})
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **content}


def _account(namespace: str, name: str, rule: Object) -> list[Object]:
    """Return a service account and what it may do."""
    role = {"apiGroup": RBAC, "kind": "ClusterRole", "name": name}
    subject = {"kind": "ServiceAccount", "name": name, "namespace": namespace}
    return [
        _object("v1", "ServiceAccount", name, namespace),
        _object(f"{RBAC}/v1", "ClusterRole", name, rules=[rule]),
        _object(f"{RBAC}/v1", "ClusterRoleBinding", name, roleRef=role, subjects=[subject]),
    ]


def _deployment(namespace: str, name: str, labels: Object, container: Object) -> Object:
    pod = {"containers": [{"name": name, "imagePullPolicy": "Always", **container}]}
    template = {"metadata": {"labels": labels}, "spec": pod}
    return _object("apps/v1", "Deployment", name, namespace, labels, spec={"selector": {"matchLabels": labels}, "template": template})
