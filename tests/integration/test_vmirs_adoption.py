# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sets that others made, with kubectl and by hand."""

from __future__ import annotations

import pytest

from dev.sandbox import Sandbox
from integration.support.ansible import Ansible
from integration.support.api import Api
from integration.support.audit import AuditLog
from integration.support.manifests import await_acknowledged, replica_set, vmirs
from integration.support.sandbox import run_sandbox
from integration.support.seed import SEED_SET

NAME = "testreplicaset"


# kubectl itself cannot apply the empty `disk:` of the seed on the server's side.
@pytest.mark.parametrize("how", [("create",), ("apply",)])
def test_a_set_that_kubectl_made_is_adopted_without_a_change(
    local_ansible: Ansible, sandbox: Sandbox, api: Api, audit: AuditLog, namespace: str, how: tuple[str, ...]
) -> None:
    run_sandbox(sandbox, "kubectl", "--", *how, "--namespace", namespace, "--filename", str(SEED_SET))
    await_acknowledged(api, namespace, NAME)
    mark = audit.mark()
    adopted = local_ansible.run_tasks(vmirs(src=str(SEED_SET)), diff=True).require_ok()

    assert not adopted.last.is_changed
    assert [request.verb for request in audit.requests(mark)] == ["get"]


def test_fields_that_others_added_are_left_alone(local_ansible: Ansible, api: Api, namespace: str) -> None:
    task = vmirs(definition=replica_set("web", 0))
    local_ansible.run_tasks(task).require_ok()
    await_acknowledged(api, namespace, "web")
    api.merge("vmirs", namespace, "web", {"metadata": {"labels": {"theirs": "yes"}}, "spec": {"template": {"spec": {"hostname": "them"}}}})
    again = local_ansible.run_tasks(task).require_ok()
    live = api.get("vmirs", namespace, "web")

    assert not again.last.is_changed
    assert live["metadata"]["labels"] == {"theirs": "yes"}
    assert live["spec"]["template"]["spec"]["hostname"] == "them"


def test_fields_that_others_changed_are_brought_back(local_ansible: Ansible, api: Api, namespace: str) -> None:
    task = vmirs(definition=replica_set("web", 0))
    local_ansible.run_tasks(task).require_ok()
    await_acknowledged(api, namespace, "web")
    api.merge("vmirs", namespace, "web", {"spec": {"template": {"spec": {"domain": {"resources": {"requests": {"memory": "1G"}}}}}}})
    done = local_ansible.run_tasks(task, diff=True).require_ok()

    assert done.last.is_changed
    live = api.get("vmirs", namespace, "web")
    assert live["spec"]["template"]["spec"]["domain"]["resources"]["requests"]["memory"] == "64M"
