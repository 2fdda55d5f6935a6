# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The template: its hash, the VMs of older templates, and what stays of it when only a part is changed."""

from __future__ import annotations

from typing import Any

from integration.support.ansible import Ansible
from integration.support.api import Api, eventually
from integration.support.manifests import HASH, await_acknowledged, await_counts, replica_set, vmi_template, vmirs

NAME = "web"


def test_vms_of_an_older_template_are_counted_until_they_are_replaced(ansible: Ansible, api: Api, namespace: str) -> None:
    first = ansible.run_tasks(vmirs(definition=replica_set(NAME, 2), wait=True, wait_timeout=60)).require_ok()
    newer = vmirs(definition=replica_set(NAME, 2, memory="96M"), wait=True, wait_timeout=60)
    changed = ansible.run_tasks(newer).require_ok()
    oldest = api.items("vmis", namespace)[0]["metadata"]["name"]
    api.delete("vmis", namespace, oldest)
    eventually("the VM to go", lambda: api.find("vmis", namespace, oldest), lambda found: found is None, 30)
    replaced = ansible.run_tasks(newer).require_ok()

    assert [run.last["replicas"]["outdated"] for run in (first, changed, replaced)] == [0, 2, 1]
    assert [run.last.is_changed for run in (first, changed, replaced)] == [True, True, False]
    info = ansible.run_tasks({"vmscale.kubevirt.vmirs_info": {"name": NAME}}).require_ok().last["replica_sets"][0]
    assert info["replicas"] == {"desired": 2, "current": 2, "ready": 2, "outdated": 1, "terminating": 0}
    assert sorted(instance["outdated"] for instance in info["instances"]) == [False, True]
    hashes = {item["metadata"]["labels"][HASH] for item in api.items("vmis", namespace)}
    assert len(hashes) == 2


def test_without_a_hash_nothing_is_stamped_and_nothing_counted(local_ansible: Ansible, api: Api, namespace: str) -> None:
    task = vmirs(definition=replica_set(NAME, 1), template_hash=False, wait=True, wait_timeout=60)
    done = local_ansible.run_tasks(task).require_ok()

    assert HASH not in api.get("vmirs", namespace, NAME)["spec"]["template"]["metadata"]["labels"]
    assert done.last["replicas"] == {"desired": 1, "current": 1, "ready": 1, "outdated": None, "terminating": 0}
    assert not local_ansible.run_tasks(task).require_ok().last.is_changed


def test_the_hash_does_not_depend_on_how_the_template_is_written(local_ansible: Ansible, api: Api, namespace: str) -> None:
    template = vmi_template(NAME)
    backwards = {key: template[key] for key in reversed(template)}
    hashes = []
    for given in (template, backwards):
        selector = {"matchLabels": {"app": NAME}}
        local_ansible.run_tasks(vmirs(name=NAME, replicas=0, selector=selector, template=given)).require_ok()
        hashes.append(api.get("vmirs", namespace, NAME)["spec"]["template"]["metadata"]["labels"][HASH])

    assert hashes[0] == hashes[1]


def test_a_partial_change_keeps_the_rest(ansible: Ansible, api: Api, namespace: str) -> None:
    whole = replica_set(NAME, 0, annotations={"note": "kept"})
    whole["metadata"]["labels"] = {"tier": "web"}
    ansible.run_tasks(vmirs(definition=whole)).require_ok()
    before = await_acknowledged(api, namespace, NAME)
    parts: list[dict[str, Any]] = [{"replicas": 1}, {"paused": True}, {"labels": {"more": "yes"}}, {"annotations": {"why": "because"}}]
    tasks = [vmirs(name=NAME, **part) for part in parts]
    done = ansible.run_tasks([*tasks, *tasks]).require_ok()
    after = api.get("vmirs", namespace, NAME)

    assert [task.is_changed for task in done.tasks] == [True] * 4 + [False] * 4
    assert after["spec"] == {**before["spec"], "replicas": 1, "paused": True}
    assert after["metadata"]["labels"] == {"tier": "web", "more": "yes"}
    assert after["metadata"]["annotations"]["why"] == "because"


def test_what_is_taken_out_of_the_manifest_goes_away(ansible: Ansible, api: Api, namespace: str) -> None:
    rich = replica_set(NAME, 0, annotations={"note": "gone"})
    rich["metadata"]["labels"] = {"tier": "web", "kept": "yes"}
    rich["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = 30
    ansible.run_tasks(vmirs(definition=rich)).require_ok()
    api.merge("vmirs", namespace, NAME, {"metadata": {"labels": {"foreign": "stays"}}})
    await_acknowledged(api, namespace, NAME)

    poor = replica_set(NAME, 0)
    poor["metadata"]["labels"] = {"kept": "yes"}
    predicted = ansible.run_tasks(vmirs(definition=poor), check=True, diff=True).require_ok()
    done = ansible.run_tasks(vmirs(definition=poor), diff=True).require_ok()
    again = ansible.run_tasks(vmirs(definition=poor)).require_ok()
    live = api.get("vmirs", namespace, NAME)

    assert [run.last.is_changed for run in (predicted, done, again)] == [True, True, False]
    assert predicted.last["diff"] == done.last["diff"]
    assert live["metadata"]["labels"] == {"kept": "yes", "foreign": "stays"}
    assert "annotations" not in live["spec"]["template"]["metadata"]
    assert "terminationGracePeriodSeconds" not in live["spec"]["template"]["spec"]


def test_a_label_alone_that_is_taken_out_goes_away(local_ansible: Ansible, api: Api, namespace: str) -> None:
    wanted = replica_set(NAME, 0)
    local_ansible.run_tasks(vmirs(definition=wanted, labels={"tier": "web"})).require_ok()
    done = local_ansible.run_tasks(vmirs(definition=wanted)).require_ok()

    assert done.last.is_changed
    assert "labels" not in api.get("vmirs", namespace, NAME)["metadata"]


def test_taking_paused_out_of_the_manifest_resumes_the_set(local_ansible: Ansible, api: Api, namespace: str) -> None:
    wanted = replica_set(NAME, 1)
    local_ansible.run_tasks(vmirs(definition=wanted, paused=True, wait=True, wait_timeout=30)).require_ok()
    assert api.items("vmis", namespace) == []
    local_ansible.run_tasks(vmirs(definition=wanted, wait=True, wait_timeout=60)).require_ok()

    await_counts(api, namespace, NAME, 1)
