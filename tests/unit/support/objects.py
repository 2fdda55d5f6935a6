# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Objects that tests build."""

from __future__ import annotations

import copy
import typing as t

from ansible_collections.vmscale.kubevirt.plugins.module_utils._replicaset import Snapshot
from unit.support.recorded import Object

UID = "2d460f6f-a128-4ccc-a4b5-73205bd75492"


def replica_set(
    replicas: int | None = 3,
    ready: int | None = None,
    current: int | None = None,
    paused: bool = False,
    acknowledged_pause: bool | None = None,
    template_hash: str | None = None,
    selector: t.Mapping[str, t.Any] | None = None,
    acknowledged_selector: str | None = "app=web",
    failure: tuple[str, str] | None = None,
    deleting: bool = False,
) -> Object:
    """Return a set ``default/web`` as its controller would show it; it has converged unless told otherwise."""
    wanted = 1 if replicas is None else replicas
    status: Object = {"replicas": wanted if current is None else current, "readyReplicas": wanted if ready is None else ready}
    # The controller leaves zeros out.
    status = {key: value for key, value in status.items() if value}
    if acknowledged_selector is not None:
        status["labelSelector"] = acknowledged_selector
    conditions = []
    if paused if acknowledged_pause is None else acknowledged_pause:
        conditions.append({"type": "ReplicaPaused", "status": "True", "reason": "Paused", "message": "Controller got paused"})
    if failure:
        conditions.append({"type": "ReplicaFailure", "status": "True", "reason": failure[0], "message": failure[1]})
    if conditions:
        status["conditions"] = conditions
    labels = {"app": "web"}
    if template_hash:
        labels["vmscale.kubevirt/template-hash"] = template_hash
    spec: Object = {
        "selector": dict(selector or {"matchLabels": {"app": "web"}}),
        "template": {"metadata": {"labels": labels}, "spec": {"domain": {"devices": {}}}},
    }
    if replicas is not None:
        spec["replicas"] = replicas
    if paused:
        spec["paused"] = True
    metadata: Object = {"name": "web", "namespace": "default", "uid": UID, "resourceVersion": "7"}
    if deleting:
        metadata.update(deletionTimestamp="2026-11-23T20:39:00Z", finalizers=["foregroundDeletion"])
    return {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachineInstanceReplicaSet",
        "metadata": metadata,
        "spec": spec,
        "status": status,
    }


def instance(
    name: str,
    phase: str | None = "Running",
    ready: bool = True,
    deleting: bool = False,
    template_hash: str | None = None,
    conditions: t.Sequence[tuple[str, str, str, str]] = (),
    owner: str = UID,
    created: str = "2026-11-23T20:38:59Z",
    node: str | None = None,
    labels: t.Mapping[str, str] | None = None,
) -> Object:
    """Return a VMI of the set ``web``; ``conditions`` are (type, status, reason, message)."""
    metadata: Object = {
        "name": name,
        "namespace": "default",
        "uid": f"uid-of-{name}",
        "labels": {"app": "web", **(labels or {})},
        "creationTimestamp": created,
        "ownerReferences": [{"uid": owner, "controller": True, "kind": "VirtualMachineInstanceReplicaSet", "name": "web"}],
    }
    if template_hash:
        metadata["labels"]["vmscale.kubevirt/template-hash"] = template_hash
    if deleting:
        metadata["deletionTimestamp"] = "2026-11-23T20:39:00Z"
    found = [dict(zip(("type", "status", "reason", "message"), entry, strict=True)) for entry in conditions]
    if not any(entry["type"] == "Ready" for entry in found):
        found.append({"type": "Ready", "status": "True" if ready else "False"})
    status: Object = {"conditions": found}
    if phase:
        status["phase"] = phase
    if node:
        status["nodeName"] = node
    return {"kind": "VirtualMachineInstance", "metadata": metadata, "spec": {}, "status": status}


def instances(count: int, **options: t.Any) -> tuple[Object, ...]:
    """Return VMIs ``web0``, ``web1``, ..."""
    return tuple(instance(f"web{index}", **options) for index in range(count))


def snapshot(live: Object | None, *found: Object) -> Snapshot:
    """Return a set and its VMIs at one moment."""
    return Snapshot(live, found)


def autoscaler(
    name: str = "web",
    least: int | None = 2,
    most: int = 6,
    target: t.Mapping[str, t.Any] | None = None,
    status: t.Mapping[str, t.Any] | None = None,
) -> Object:
    """Return an autoscaler in ``default``."""
    reference = {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstanceReplicaSet", "name": "web", **(target or {})}
    spec: Object = {"scaleTargetRef": reference, "maxReplicas": most}
    if least is not None:
        spec["minReplicas"] = least
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": name, "namespace": "default", "uid": "af84b67a", "resourceVersion": "11"},
        "spec": spec,
        "status": dict(status or {}),
    }


def changed(live: Object, path: str, value: t.Any) -> Object:
    """Return a copy of an object with the value at a dotted path replaced; None takes the key out."""
    copied = copy.deepcopy(live)
    at = copied
    *way, last = path.split(".")
    for key in way:
        at = at.setdefault(key, {})
    if value is None:
        at.pop(last, None)
    else:
        at[last] = value
    return copied
