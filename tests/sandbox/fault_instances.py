# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults of a set's VMIs: an admission policy annotates those that are born while a fault is on, and the others are patched."""

from __future__ import annotations

import json
from collections.abc import Callable
from urllib.parse import quote

from sandbox.api import ApiError, Object
from sandbox.fault import INSTANCES, LABEL, SET, SET_LABEL, Fault, Option, Site, Target, nothing, nowhere

_PREFIX = "sandbox.vmscale.kubevirt/"
_FAULT = _PREFIX + "fault"
_NAMESPACE_LABEL = _PREFIX + "fault-namespace"
_POLICIES = "/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicies"
_BINDINGS = "/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicybindings"
_PROBE = "sandbox-fault-probe"
_OF_THE_SET = (
    "has(object.metadata.ownerReferences) && object.metadata.ownerReferences.exists(owner, "
    'owner.kind == "VirtualMachineInstanceReplicaSet" && owner.name == {})'
)


def _annotating(name: str, text: str, annotation: str = _FAULT, value: str = "", options: tuple[Option, ...] = ()) -> Fault:
    def begin(site: Site, target: Target) -> None:
        wanted = value or f"{float(target.options['seconds']):g}"
        site.replica_set(target)
        for item in _policy(name, target, annotation, wanted):
            site.api.ensure(item)
        site.until("the API server applies the fault to new VMIs", lambda: _given(site, target, annotation) == wanted)
        _annotate(site, target, {annotation: wanted})

    def end(site: Site, target: Target) -> None:
        policy = _policy_name(target, annotation)
        found = site.api.get(f"{_POLICIES}/{policy}")
        if found is None or found["metadata"]["labels"][LABEL] != name:
            return
        site.delete(f"{_BINDINGS}/{policy}")
        site.until("the API server spares new VMIs", lambda: _given(site, target, annotation) is None)
        _annotate(site, target, {annotation: None})
        # Last: as long as it is there, the fault can be healed once more.
        site.delete(f"{_POLICIES}/{policy}")

    return Fault(name, SET, text, begin, end, _where(name), options)


def _policy_name(target: Target, annotation: str) -> str:
    return f"sandbox-fault.{annotation.removeprefix(_PREFIX)}.{target.namespace}.{target.name}"


def _policy(fault: str, target: Target, annotation: str, value: str) -> list[Object]:
    """The policy and its binding; it applies to ConfigMaps as well, so that one can ask whether it does."""
    name = _policy_name(target, annotation)
    labels = {LABEL: fault, _NAMESPACE_LABEL: target.namespace, SET_LABEL: target.name}
    mutation = f"Object{{metadata: Object.metadata{{annotations: {{{json.dumps(annotation)}: {json.dumps(value)}}}}}}}"
    version = {"apiVersion": "admissionregistration.k8s.io/v1"}
    kinds = (("kubevirt.io", INSTANCES), ("", "configmaps"))
    rules = [{"apiGroups": [group], "apiVersions": ["*"], "operations": ["CREATE"], "resources": [kind]} for group, kind in kinds]
    spec = {
        "failurePolicy": "Fail",
        "reinvocationPolicy": "Never",
        "matchConstraints": {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": target.namespace}},
            "resourceRules": rules,
        },
        "matchConditions": [{"name": "of-the-set", "expression": _OF_THE_SET.format(json.dumps(target.name))}],
        "mutations": [{"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": mutation}}],
    }
    metadata = {"name": name, "labels": labels}
    return [
        {**version, "kind": "MutatingAdmissionPolicy", "metadata": metadata, "spec": spec},
        {**version, "kind": "MutatingAdmissionPolicyBinding", "metadata": metadata, "spec": {"policyName": name}},
    ]


def _given(site: Site, target: Target, annotation: str) -> str | None:
    """The value that an object of the set would be given if it were created now."""
    owner = {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstanceReplicaSet", "name": target.name, "uid": _PROBE}
    probe = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": _PROBE, "ownerReferences": [owner]}}
    try:
        created = site.api.request("POST", f"/api/v1/namespaces/{target.namespace}/configmaps?dryRun=All", probe)
    except ApiError as error:
        # The namespace is gone, or going.
        if error.status in (403, 404):
            return None
        raise
    annotations: dict[str, str] = created["metadata"].get("annotations", {})
    return annotations.get(annotation)


def _annotate(site: Site, target: Target, annotations: dict[str, str | None]) -> None:
    """Annotate the VMIs of a set, and their pods, which take annotations over at birth only."""
    root = f"/namespaces/{target.namespace}"
    paths = [f"/api/v1{root}/pods/{pod['metadata']['name']}" for pod in site.pods(target)]
    paths += [f"/apis/kubevirt.io/v1{root}/{INSTANCES}/{item['metadata']['name']}" for item in site.instances(target)]
    for path in paths:
        site.merge(path, {"metadata": {"annotations": annotations}})


def _where(fault: str) -> Callable[[Site], list[Target]]:
    def where(site: Site) -> list[Target]:
        labels = (item["metadata"]["labels"] for item in site.labelled(_POLICIES, quote(fault)))
        return [Target(each[_NAMESPACE_LABEL], each[SET_LABEL]) for each in labels]

    return where


def _crash(site: Site, target: Target) -> None:
    site.replica_set(target)
    _annotate(site, target, {_FAULT: "pod-crash"})


def _seconds(default: float, text: str) -> tuple[Option, ...]:
    return (Option("seconds", text, default),)


INSTANCE_FAULTS = (
    _annotating("image-pull", "the image of a disk cannot be pulled: ErrImagePull, then ImagePullBackOff", value="image-pull"),
    _annotating("slow-boot", "VMs take their time to boot", _PREFIX + "boot-seconds", options=_seconds(60, "from Scheduled to Running")),
    _annotating("never-boot", "VMs do not boot: they stay Scheduled", value="never-boot"),
    _annotating("boot-fail", "VMs crash while they boot, and so do those that replace them", value="boot-fail"),
    _annotating(
        "crash-after", "VMs crash when they have run for a while", _PREFIX + "crash-after-seconds", options=_seconds(10, "from Running on")
    ),
    _annotating("not-ready", "VMs run, and are not ready", value="not-ready"),
    _annotating("pause", "VMs are paused, as by a user", value="pause"),
    _annotating("no-acpi", "VMs do not hear the power button: they are killed when their grace period is over", value="no-acpi"),
    Fault("launcher-crash", SET, "the launcher pods of all present VMs crash, once", _crash, nothing, nowhere),
)
