# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the guide about kubectl and kubernetes.core says of them is still so.

It changes only with their versions, so it is looked at on demand.
"""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from dev.sandbox import Sandbox
from integration.support.ansible import Ansible
from integration.support.api import Api
from integration.support.audit import AuditLog
from integration.support.cluster import Cluster
from integration.support.manifests import await_counts, replica_set
from integration.support.sandbox import run_sandbox

pytestmark = pytest.mark.slow

NAME = "web"
HOLD = "vmscale.kubevirt/test"
NAMED = {"api_version": "kubevirt.io/v1", "kind": "VirtualMachineInstanceReplicaSet", "name": NAME}


def k8s(namespace: str, **options: Any) -> dict[str, Any]:
    """Return a task with the module k8s."""
    return {"name": "Object", "kubernetes.core.k8s": {"namespace": namespace, **options}}


@contextlib.contextmanager
def held_instance(api: Api, namespace: str) -> Iterator[None]:
    """Keep one instance of the namespace from going for as long as it takes to look."""
    living = [item["metadata"]["name"] for item in api.items("vmis", namespace) if "deletionTimestamp" not in item["metadata"]]
    name = living[0]

    def hold(*ours: str) -> None:
        others = [each for each in api.get("vmis", namespace, name)["metadata"].get("finalizers", []) if each != HOLD]
        api.merge("vmis", namespace, name, {"metadata": {"finalizers": [*others, *ours]}})

    hold(HOLD)
    try:
        yield
    finally:
        hold()


def test_kubernetes_core_does_not_wait_for_a_set_and_takes_its_number_back(
    make_ansible: Callable[..., Ansible], cluster: Cluster, api: Api, namespace: str, audit: AuditLog
) -> None:
    ansible = make_ansible(kubeconfig=cluster.operator)
    task = k8s(namespace, definition=replica_set(NAME, 3), wait=True)

    created = ansible.run_tasks(task).require_ok()
    assert created.last["result"].get("status", {}).get("readyReplicas", 0) < 3

    await_counts(api, namespace, NAME, 3)
    mark = audit.mark()
    assert not ansible.run_tasks(task).require_ok().changed
    assert [request.verb for request in audit.requests(mark) if request.is_write] in (["patch"], ["patch", "patch"])

    api.merge("vmirs", namespace, NAME, {"spec": {"replicas": 5}})
    ansible.run_tasks(task).require_ok()
    assert api.get("vmirs", namespace, NAME)["spec"]["replicas"] == 3

    with held_instance(api, namespace):
        ansible.run_tasks(k8s(namespace, **NAMED, state="absent", wait=True)).require_ok()
        assert api.find("vmirs", namespace, NAME) is None
        assert api.items("vmis", namespace) != []


def test_k8s_scale_cannot_scale_a_set(make_ansible: Callable[..., Ansible], cluster: Cluster, api: Api, namespace: str) -> None:
    api.create("vmirs", namespace, replica_set(NAME, 1))
    scale = {"name": "Scale", "kubernetes.core.k8s_scale": {"namespace": namespace, **NAMED, "replicas": 2}}

    assert '"code":415' in make_ansible(kubeconfig=cluster.operator).run_tasks(scale).require_failed().failed[0].message


def test_kubectl_has_no_rollout_of_a_set_and_does_not_wait_for_its_end(sandbox: Sandbox, api: Api, namespace: str) -> None:
    def kubectl(*arguments: str) -> str:
        return run_sandbox(sandbox, "kubectl", "--", "--namespace", namespace, *arguments)

    api.create("vmirs", namespace, replica_set(NAME, 1))
    await_counts(api, namespace, NAME, 1)
    for verb in ("restart", "status", "undo"):
        with pytest.raises(subprocess.CalledProcessError):
            kubectl("rollout", verb, f"vmirs/{NAME}")

    with held_instance(api, namespace):
        kubectl("delete", f"vmirs/{NAME}")
        assert api.find("vmirs", namespace, NAME) is None
        assert api.items("vmis", namespace) != []
