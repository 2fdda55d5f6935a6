# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A rollout of VMs that boot, from one disk to another, while a node is drained; told by the API server's watches."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from integration.support.ansible import Ansible
from integration.support.api import Api, Object, eventually
from integration.support.cluster import Cluster
from integration.support.history import History, Instance
from integration.support.manifests import HASH, replica_set, vmirs, vmirs_rollout
from integration.support.trace import Trace

NAME = "web"
OTHER_DISK = "quay.io/kubevirt/alpine-container-disk-demo:v1.8.2"
# Four guests boot one after the other, and those of the drained node once more.
BOOTS = 900


@pytest.fixture(autouse=True)
def guests(cluster: Cluster) -> None:
    if cluster.is_simulated:
        pytest.skip("VMs of the sandbox have no disk that they could boot from")


def on_another_disk(replicas: int) -> Object:
    body = replica_set(NAME, replicas, memory="128M")
    body["spec"]["template"]["spec"]["volumes"][0]["containerDisk"]["image"] = OTHER_DISK
    return body


def booted_disks(api: Api, namespace: str) -> list[str]:
    """Return the digest of the disk that each guest runs from, as the kubelet says."""
    pods = [
        pod for pod in api.items("pods", namespace) if pod["status"]["phase"] == "Running" and "deletionTimestamp" not in pod["metadata"]
    ]
    containers = (container for pod in pods for container in pod["status"]["containerStatuses"])
    return [container["imageID"] for container in containers if container["name"].startswith("volume")]


@contextmanager
def drained(api: Api, namespace: str, node: str) -> Iterator[None]:
    """Let no pod start on a node, and evict those of the namespace from it, as `kubectl drain` does."""
    path = f"/api/v1/nodes/{node}"
    merge = "application/merge-patch+json"
    api.call("patch", path, {"spec": {"unschedulable": True}}, merge)
    try:
        for pod in api.items("pods", namespace):
            if pod["spec"].get("nodeName") == node and pod["status"]["phase"] == "Running":
                name = pod["metadata"]["name"]
                eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": namespace}}
                api.call("post", f"/api/v1/namespaces/{namespace}/pods/{name}/eviction", eviction)
        yield
    finally:
        api.call("patch", path, {"spec": {"unschedulable": False}}, merge)


def by_the_drain(history: History, node: str, since: float) -> list[Instance]:
    """Return who left the node that was drained, from then on."""
    return [instance for _before, after, instance in history.removals if instance.node == node and after.at >= since]


def test_another_disk_while_a_node_is_drained(
    make_ansible: Callable[..., Ansible], api: Api, cluster: Cluster, namespace: str, record_property: Callable[..., None]
) -> None:
    ansible = make_ansible()
    ansible.run_tasks(vmirs(definition=replica_set(NAME, 4, memory="128M"), wait=True, wait_timeout=300)).require_ok()
    before = booted_disks(api, namespace)
    assert len(before) == 4
    assert len(set(before)) == 1
    ansible.run_tasks(vmirs(definition=on_another_disk(4))).require_ok()
    other = api.get("vmirs", namespace, NAME)["spec"]["template"]["metadata"]["labels"][HASH]
    done: list[Any] = []
    task = vmirs_rollout(name=NAME, max_unavailable="1", batch_timeout=300, progress_deadline=BOOTS)
    with Trace(cluster.admin, namespace, NAME) as trace:
        thread = threading.Thread(target=lambda: done.append(ansible.run_tasks(task, timeout=BOOTS + 60)))
        thread.start()
        trace.until("the first VMI of the other disk", lambda moment: moment.of_hash(other) == 1, 300)
        node = next(each.node for each in trace.history.last.instances.values() if each.is_ready)
        drained_at = trace.history.last.at
        with drained(api, namespace, node):
            thread.join(BOOTS + 60)
    history = trace.history
    print(f"\nnode {node} is drained\n{history.text()}least ready: {history.least_ready}")
    record_property("least ready", history.least_ready)
    [run] = done
    run.require_ok()

    # Whom the drain takes is unready in any case; the rollout takes nobody that is ready while more are missing than it may.
    evicted = {each.name for each in by_the_drain(history, node, drained_at)}
    assert evicted
    assert history.floor_breaches(1) == []
    assert history.last.ready == history.last.number == 4
    assert {each.node for each in history.last.instances.values()}.isdisjoint({node})
    after = eventually("four guests on the other disk", lambda: booted_disks(api, namespace), lambda disks: len(disks) == 4, 60)
    assert len(set(after)) == 1
    assert set(after) != set(before)
    assert set(history.replaced_twice) - evicted == set()
    again = ansible.run_tasks(task).require_ok()
    assert not again.changed
