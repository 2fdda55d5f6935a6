# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many sets and their VMIs, in the cluster of a test."""

from __future__ import annotations

import typing as t

from unit.support.cluster import INSTANCES, SETS, Cluster, of
from unit.support.objects import autoscaler, instance, replica_set
from unit.support.recorded import Object

FLEET = "vmscale.kubevirt/fleet"


def described(name: str, replicas: int = 1, namespace: str | None = None, labels: t.Mapping[str, str] | None = None) -> Object:
    """Return the manifest of a set whose VMIs carry the label `app` with its name."""
    metadata: Object = {"name": name}
    if namespace is not None:
        metadata["namespace"] = namespace
    if labels is not None:
        metadata["labels"] = dict(labels)
    template = {"metadata": {"labels": {"app": name}}, "spec": {"domain": {"devices": {}}}}
    spec = {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": template}
    return {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstanceReplicaSet", "metadata": metadata, "spec": spec}


def described_scaler(name: str, target: str | None = None) -> Object:
    """Return the manifest of an autoscaler of the set of its name, or of another."""
    live = autoscaler(name, target={"name": target or name})
    return {key: live[key] for key in ("apiVersion", "kind", "spec")} | {"metadata": {"name": name}}


def live_set(name: str, replicas: int = 1, namespace: str = "default", labels: t.Mapping[str, str] | None = None, **shown: t.Any) -> Object:
    """Return a set as its controller shows it; it has converged unless told otherwise."""
    live = replica_set(replicas, selector={"matchLabels": {"app": name}}, acknowledged_selector=f"app={name}", **shown)
    live["metadata"].update(name=name, namespace=namespace, uid=f"uid of {namespace}/{name}")
    if labels is not None:
        live["metadata"]["labels"] = dict(labels)
    live["spec"]["template"]["metadata"]["labels"] = {"app": name}
    return live


def live_instances(live: Object, count: int | None = None, **shown: t.Any) -> list[Object]:
    """Return the VMIs of a set."""
    metadata = live["metadata"]
    found = []
    for number in range(live["spec"]["replicas"] if count is None else count):
        each = instance(f"{metadata['name']}-{number}", owner=metadata["uid"], **shown)
        each["metadata"].update(namespace=metadata["namespace"], labels={"app": metadata["name"]}, uid=f"{metadata['uid']} {number}")
        found.append(each)
    return found


def put_set(cluster: Cluster, live: Object, instances: t.Sequence[Object] | None = None) -> None:
    """Have a set with its VMIs."""
    namespace = live["metadata"]["namespace"]
    cluster.put(of(namespace, SETS), live)
    found = live_instances(live) if instances is None else instances
    cluster.lists.setdefault(of(namespace, INSTANCES), []).extend(found)


def converge(cluster: Cluster, *names: str, namespace: str = "default") -> None:
    """Let sets come up that have been written, as their controller would."""
    for name in names:
        live = cluster.objects.get(f"{of(namespace, SETS)}/{name}")
        if live is None or "status" in live:
            continue
        replicas = live["spec"]["replicas"]
        live.setdefault("metadata", {}).setdefault("namespace", namespace)
        cluster.lists.setdefault(of(namespace, INSTANCES), []).extend(live_instances(live))
        live["status"] = {"replicas": replicas, "readyReplicas": replicas, "labelSelector": f"app={name}"}
