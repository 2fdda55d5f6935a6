# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults of a namespace: nothing more fits in, nothing is let in, or it is about to go."""

from __future__ import annotations

from sandbox.fault import LABEL, NAMESPACE, Fault, Option, Site, Target

_NAME = "sandbox-fault"
_HOLD = "sandbox.vmscale.kubevirt/hold"
_ENFORCE = "pod-security.kubernetes.io/enforce"


def _path(target: Target, collection: str = "", name: str = "") -> str:
    return "/".join(part for part in (f"/api/v1/namespaces/{target.namespace}", collection, name) if part)


def _existing(site: Site, target: Target) -> None:
    if site.api.get(_path(target)) is None:
        raise LookupError(f"there is no namespace {target}")


def _limit(site: Site, target: Target) -> None:
    _existing(site, target)
    pods = target.options.get("pods")
    if pods is None:
        running = (pod for pod in site.items(_path(target, "pods")) if pod["status"].get("phase") not in ("Succeeded", "Failed"))
        pods = sum(1 for _ in running)
    metadata = {"name": _NAME, "namespace": target.namespace, "labels": {LABEL: "quota"}}
    spec = {"hard": {"pods": str(int(pods))}}
    site.api.ensure({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata, "spec": spec})
    # It counts nothing, and forbids everything, until its controller has counted for the first time.
    quota = _path(target, "resourcequotas", _NAME)
    site.until("the quota is counted", lambda: (site.api.get(quota) or {}).get("status", {}).get("hard") == spec["hard"])


def _lift(site: Site, target: Target) -> None:
    site.delete(_path(target, "resourcequotas", _NAME))


def _restrict(site: Site, target: Target) -> None:
    _existing(site, target)
    site.merge(_path(target), {"metadata": {"labels": {_ENFORCE: "restricted", LABEL: "pod-security"}}})


def _allow(site: Site, target: Target) -> None:
    if target in _labelled(site, "pod-security"):
        site.merge(_path(target), {"metadata": {"labels": {_ENFORCE: None, LABEL: None}}})


def _terminate(site: Site, target: Target) -> None:
    _existing(site, target)
    metadata = {"name": _NAME, "namespace": target.namespace, "finalizers": [_HOLD], "labels": {LABEL: "namespace-terminating"}}
    site.api.ensure({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})
    site.delete(_path(target))


def _let_go(site: Site, target: Target) -> None:
    site.merge(_path(target, "configmaps", _NAME), {"metadata": {"finalizers": None}})


def _labelled(site: Site, fault: str) -> list[Target]:
    return [Target(item["metadata"]["name"]) for item in site.labelled("/api/v1/namespaces", fault)]


def _holding(collection: str, fault: str, site: Site) -> list[Target]:
    return [Target(item["metadata"]["namespace"]) for item in site.labelled(f"/api/v1/{collection}", fault)]


NAMESPACE_FAULTS = (
    Fault(
        "quota",
        NAMESPACE,
        "a ResourceQuota admits no more pods",
        _limit,
        _lift,
        lambda site: _holding("resourcequotas", "quota", site),
        (Option("pods", "how many it admits (default: as many as there are)", None),),
    ),
    Fault(
        "pod-security",
        NAMESPACE,
        "pod security admits restricted pods only, which launcher pods are not",
        _restrict,
        _allow,
        lambda site: _labelled(site, "pod-security"),
    ),
    Fault(
        "namespace-terminating",
        NAMESPACE,
        "the namespace is deleted, and held by a finalizer until healed",
        _terminate,
        _let_go,
        lambda site: _holding("configmaps", "namespace-terminating", site),
    ),
)
