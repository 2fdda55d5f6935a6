# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The selector of a live set: not changed by accident, and changed when that is meant."""

from __future__ import annotations

from integration.support.ansible import Ansible
from integration.support.api import Api
from integration.support.audit import AuditLog
from integration.support.manifests import await_acknowledged, replica_set, vmirs

NAME = "web"


def relabelled() -> dict[str, object]:
    wanted = replica_set(NAME, 1)
    wanted["spec"]["selector"] = {"matchLabels": {"app": "other"}}
    wanted["spec"]["template"]["metadata"]["labels"] = {"app": "other"}
    return wanted


def test_another_selector_is_refused(ansible: Ansible, api: Api, audit: AuditLog, namespace: str) -> None:
    ansible.run_tasks(vmirs(definition=replica_set(NAME, 1), paused=True)).require_ok()
    mark = audit.mark()
    done = ansible.run_tasks(vmirs(definition=relabelled(), paused=True)).require_failed()

    assert done.last.message == (
        f'"selector" of VirtualMachineInstanceReplicaSet {namespace}/{NAME} would change from app=web to app=other: KubeVirt would let '
        "go of the running VirtualMachineInstances and start new ones beside them. If that is meant, set "
        '"allow_selector_change: true".'
    )
    assert [request for request in audit.requests(mark) if request.is_write] == []
    assert api.get("vmirs", namespace, NAME)["spec"]["selector"] == {"matchLabels": {"app": "web"}}


def test_another_selector_is_written_when_that_is_meant(local_ansible: Ansible, api: Api, namespace: str) -> None:
    local_ansible.run_tasks(vmirs(definition=replica_set(NAME, 1), wait=True, wait_timeout=60)).require_ok()
    task = vmirs(definition=relabelled(), allow_selector_change=True, wait=True, wait_timeout=60)
    done = local_ansible.run_tasks(task).require_ok()

    assert done.last.is_changed
    live = api.get("vmirs", namespace, NAME)
    assert live["spec"]["selector"] == {"matchLabels": {"app": "other"}}
    assert live["status"]["labelSelector"] == "app=other"
    owned = [item for item in api.items("vmis", namespace) if item["metadata"].get("ownerReferences")]
    assert [item["metadata"]["labels"]["app"] for item in owned] == ["other"]
    assert len(api.items("vmis", namespace)) == 2, "the VM of the old selector runs on, without an owner"
    assert not local_ansible.run_tasks(task).require_ok().last.is_changed


def test_the_same_selector_in_other_words_is_no_change(local_ansible: Ansible, api: Api, namespace: str) -> None:
    wanted = replica_set(NAME, 0)
    wanted["spec"]["selector"] = {"matchExpressions": [{"key": "app", "operator": "In", "values": ["web", "www"]}]}
    local_ansible.run_tasks(vmirs(definition=wanted, wait=True, wait_timeout=30)).require_ok()
    await_acknowledged(api, namespace, NAME)

    assert not local_ansible.run_tasks(vmirs(definition=wanted, wait=True, wait_timeout=30)).require_ok().last.is_changed
