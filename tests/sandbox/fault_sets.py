# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults of what stands beside a set: another autoscaler, a pod that is left over."""

from __future__ import annotations

from collections.abc import Callable

from sandbox.fault import LABEL, SET, SET_LABEL, Fault, Site, Target, target_of

_AUTOSCALERS = "/apis/autoscaling/v2{}/horizontalpodautoscalers"
_PODS = "/api/v1{}/pods"


def _rival(site: Site, target: Target) -> None:
    metric = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}}
    scaled = {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstanceReplicaSet", "name": target.name}
    site.replica_set(target)
    site.api.ensure(
        {
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": f"{target.name}-rival", "namespace": target.namespace, "labels": _labels("rival-autoscaler", target)},
            "spec": {"scaleTargetRef": scaled, "minReplicas": 1, "maxReplicas": 10, "metrics": [metric]},
        }
    )


def _leave(site: Site, target: Target) -> None:
    """A pod like one of the set's own, without an owner: KWOK ends it at once."""
    model = next(iter(site.pods(target)), None)
    if model is None:
        raise LookupError(f"{target} has no VM whose launcher pod could be left over")
    # Of no VMI that there is, or virt-controller would look after it.
    labels = {**model["metadata"]["labels"], "kubevirt.io/created-by": "migrated-away"}
    annotations = {**model["metadata"].get("annotations", {}), "sandbox.vmscale.kubevirt/fault": "completed"}
    name = f"virt-launcher-{target.name}-completed"
    metadata = {"name": name, "namespace": target.namespace, "labels": {**labels, **_labels("completed-launcher", target)}}
    site.api.ensure({"apiVersion": "v1", "kind": "Pod", "metadata": {**metadata, "annotations": annotations}, "spec": model["spec"]})


def _labels(fault: str, target: Target) -> dict[str, str]:
    return {LABEL: fault, SET_LABEL: target.name}


def _beside(name: str, text: str, collection: str, begin: Callable[[Site, Target], None]) -> Fault:
    def end(site: Site, target: Target) -> None:
        path = collection.format(f"/namespaces/{target.namespace}")
        for item in site.labelled(path, name):
            if target_of(item) == target:
                site.delete(f"{path}/{item['metadata']['name']}")

    def where(site: Site) -> list[Target]:
        return [target_of(item) for item in site.labelled(collection.format(""), name)]

    return Fault(name, SET, text, begin, end, where)


SET_FAULTS = (
    _beside("rival-autoscaler", "a second autoscaler scales the set", _AUTOSCALERS, _rival),
    _beside("completed-launcher", "a completed launcher pod of the set is left over, as by a live migration", _PODS, _leave),
)
