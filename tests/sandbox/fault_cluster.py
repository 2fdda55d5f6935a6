# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults of the whole cluster: nodes, metrics, the API server's mood."""

from __future__ import annotations

import time

from sandbox.fault import CLUSTER, INSTANCES, LABEL, Fault, Option, Site, Target, nothing, nowhere
from sandbox.files import write_atomically
from sandbox.identities import OPERATOR_ACCOUNT, OPERATOR_ACCOUNT_NAMESPACE, OPERATOR_GROUP
from sandbox.installation import METRICS_SERVICE
from sandbox.nodes import LOST, nodes

_NODES = "/api/v1/nodes"
_FLOW = "/apis/flowcontrol.apiserver.k8s.io/v1"
_THROTTLE = "sandbox-fault-throttle"
_METRICS_PATH = "metrics.k8s.io/resource-metrics-path"
_KVM = "devices.kubevirt.io/kvm"
_DEFINITION = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{INSTANCES}.kubevirt.io"


def _empty(site: Site, _target: Target) -> None:
    for node in nodes():
        _set_capacity(site, node["metadata"]["name"], "0")


def _refill(site: Site, _target: Target) -> None:
    for node in nodes():
        _set_capacity(site, node["metadata"]["name"], node["status"]["capacity"][_KVM])


def _set_capacity(site: Site, node: str, amount: str) -> None:
    site.merge(f"{_NODES}/{node}/status", {"status": {"capacity": {_KVM: amount}, "allocatable": {_KVM: amount}}})


def _is_empty(site: Site) -> list[Target]:
    items = site.items(_NODES)
    return [Target()] if items and all(item["status"]["allocatable"].get(_KVM) == "0" for item in items) else []


def _lose(site: Site, target: Target) -> None:
    node = str(target.options["node"])
    if site.api.get(f"{_NODES}/{node}") is None:
        raise LookupError(f"there is no node {node}")
    site.merge(f"{_NODES}/{node}", {"metadata": {"labels": {"type": None, LOST: ""}}})
    for instance in site.items(f"/apis/kubevirt.io/v1/{INSTANCES}"):
        if instance.get("status", {}).get("nodeName") == node:
            _mark(site, instance, node)


def _find(site: Site, _target: Target) -> None:
    for node in site.items(_NODES, LOST):
        site.merge(f"{_NODES}/{node['metadata']['name']}", {"metadata": {"labels": {"type": "kwok", LOST: None}}})
    for instance in site.items(f"/apis/kubevirt.io/v1/{INSTANCES}"):
        if LOST in instance["metadata"].get("annotations", {}):
            _mark(site, instance, None)


def _mark(site: Site, instance: dict[str, dict[str, str]], node: str | None) -> None:
    metadata = instance["metadata"]
    path = f"/apis/kubevirt.io/v1/namespaces/{metadata['namespace']}/{INSTANCES}/{metadata['name']}"
    site.merge(path, {"metadata": {"annotations": {LOST: node}}})


def _unregister(site: Site, _target: Target) -> None:
    write_atomically(site.sandbox.fault("no-metrics-api"), "")
    site.delete(METRICS_SERVICE)


def _register(site: Site, _target: Target) -> None:
    site.sandbox.fault("no-metrics-api").unlink(missing_ok=True)
    # The supervisor registers it again, once there is something to register.
    if not site.sandbox.halted("metrics-server").exists():
        site.until("metrics.k8s.io is registered", lambda: site.api.get(METRICS_SERVICE) is not None, 60)


def _blind(site: Site, _target: Target) -> None:
    for node in nodes():
        site.merge(f"{_NODES}/{node['metadata']['name']}", {"metadata": {"annotations": {_METRICS_PATH: "/metrics/none"}}})


def _measure(site: Site, _target: Target) -> None:
    for node in nodes():
        annotations = {_METRICS_PATH: node["metadata"]["annotations"][_METRICS_PATH]}
        site.merge(f"{_NODES}/{node['metadata']['name']}", {"metadata": {"annotations": annotations}})


def _is_blind(site: Site) -> list[Target]:
    annotations = (item["metadata"].get("annotations", {}) for item in site.items(_NODES))
    return [Target()] if any(each.get(_METRICS_PATH) == "/metrics/none" for each in annotations) else []


def _throttle(site: Site, _target: Target) -> None:
    """Give the operators a priority level without seats: it serves a request only while it serves none, and one is kept waiting."""
    version = {"apiVersion": "flowcontrol.apiserver.k8s.io/v1"}
    metadata = {"name": _THROTTLE, "labels": {LABEL: "throttle"}}
    limits = {"nominalConcurrencyShares": 0, "lendablePercent": 0, "borrowingLimitPercent": 0, "limitResponse": {"type": "Reject"}}
    level = {"type": "Limited", "limited": limits}
    everything = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"], "namespaces": ["*"], "clusterScope": True}
    rule = {
        "subjects": [
            {"kind": "Group", "group": {"name": OPERATOR_GROUP}},
            {"kind": "ServiceAccount", "serviceAccount": {"name": OPERATOR_ACCOUNT, "namespace": OPERATOR_ACCOUNT_NAMESPACE}},
        ],
        "resourceRules": [everything],
        "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
    }
    flow = {"matchingPrecedence": 10, "priorityLevelConfiguration": {"name": _THROTTLE}, "rules": [rule]}
    site.api.ensure({**version, "kind": "PriorityLevelConfiguration", "metadata": metadata, "spec": level})
    site.api.ensure({**version, "kind": "FlowSchema", "metadata": metadata, "spec": flow})
    write_atomically(site.sandbox.fault("throttle"), "")


def _serve(site: Site, _target: Target) -> None:
    site.sandbox.fault("throttle").unlink(missing_ok=True)
    site.delete(f"{_FLOW}/flowschemas/{_THROTTLE}")
    site.delete(f"{_FLOW}/prioritylevelconfigurations/{_THROTTLE}")


def _expire(site: Site, _target: Target) -> None:
    """Change how VMIs are printed, and change it back: the API server ends their watches and forgets what has been."""
    column = "/spec/versions/0/additionalPrinterColumns/0/description"
    before = (site.api.get(_DEFINITION) or {})["spec"]["versions"][0]["additionalPrinterColumns"][0].get("description")
    back = {"op": "remove", "path": column} if before is None else {"op": "replace", "path": column, "value": before}
    for change in ({"op": "add", "path": column, "value": f"Changed at {time.time():.3f}"}, back):
        site.api.request("PATCH", _DEFINITION, [change], "application/json-patch+json")


def _marked(name: str, site: Site) -> list[Target]:
    return [Target()] if site.sandbox.fault(name).exists() else []


CLUSTER_FAULTS = (
    Fault("unschedulable", CLUSTER, "no node has a KVM device left, so no VM can be scheduled", _empty, _refill, _is_empty),
    Fault(
        "node-lost",
        CLUSTER,
        "a node's kubelet and virt-handler are dead",
        _lose,
        _find,
        lambda site: [Target()] if site.items(_NODES, LOST) else [],
        (Option("node", "which one", "kwok-node-0", str),),
        stops=True,
    ),
    Fault(
        "no-metrics-api",
        CLUSTER,
        "the metrics API is not registered, as without metrics-server",
        _unregister,
        _register,
        lambda site: _marked("no-metrics-api", site),
        stops=True,
    ),
    Fault("no-metrics", CLUSTER, "the metrics API answers, and has no figures", _blind, _measure, _is_blind),
    Fault("throttle", CLUSTER, "the API server answers 429 to the operators", _throttle, _serve, lambda site: _marked("throttle", site)),
    Fault("watch-gone", CLUSTER, "watches of VMIs end, and resume with 410 Gone, once", _expire, nothing, nowhere),
)
