# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The revisions of a set: kept in ControllerRevisions, listed, limited, and gone back to."""

from __future__ import annotations

from integration.support.ansible import Ansible, Task
from integration.support.api import Api, Object
from integration.support.audit import AuditLog, writes
from integration.support.fleet import quick_set
from integration.support.manifests import HASH, await_gone, vmirs, vmirs_rollout
from integration.support.steps import run_three_times

NAME = "web"
INFO: Task = {"vmscale.kubevirt.vmirs_info": {"name": NAME}}


def ensured(memory: str, **options: object) -> Task:
    """Return a task that ensures the set with a template of its own and rolls it out."""
    return vmirs(definition=quick_set(NAME, 1, memory=memory), rollout=True, **options)


def memory_of(api: Api, namespace: str) -> str:
    found: str = api.get("vmirs", namespace, NAME)["spec"]["template"]["spec"]["domain"]["resources"]["requests"]["memory"]
    return found


def info(ansible: Ansible) -> Object:
    found: Object = ansible.run_tasks(INFO).require_ok().last["replica_sets"][0]
    return found


def numbers(found: Object) -> list[int]:
    return [each["number"] for each in found["revisions"]]


def test_revisions_are_listed_and_gone_back_to(local_ansible: Ansible, api: Api, audit: AuditLog, namespace: str) -> None:
    local_ansible.run_tasks([ensured("64M"), ensured("96M"), ensured("128M")]).require_ok()
    found = info(local_ansible)
    assert (found["revision"], numbers(found)) == (3, [3, 2, 1])
    assert [(each["current"], each["instances"]) for each in found["revisions"]] == [(True, 1), (False, 0), (False, 0)]
    assert found["revisions"][0]["hash"] == api.get("vmirs", namespace, NAME)["spec"]["template"]["metadata"]["labels"][HASH]
    assert found["instances"][0]["revision"] == 3
    kept = api.items("controllerrevisions", namespace)
    uid = api.get("vmirs", namespace, NAME)["metadata"]["uid"]
    assert {item["metadata"]["ownerReferences"][0]["uid"] for item in kept} == {uid}
    assert {item["metadata"]["labels"]["vmscale.kubevirt/replica-set-uid"] for item in kept} == {uid}

    back = run_three_times(local_ansible, audit, vmirs_rollout(name=NAME, state="rolled_back"))
    assert (back.done["rolled_back_from"], back.done["revision"], memory_of(api, namespace)) == (3, 4, "96M")
    assert back.done["replaced"] == back.predicted["replaced"]
    assert numbers(info(local_ansible)) == [4, 3, 1]

    named = run_three_times(local_ansible, audit, vmirs_rollout(name=NAME, state="rolled_back", revision=1))
    assert (named.done["rolled_back_from"], named.done["revision"], memory_of(api, namespace)) == (4, 5, "64M")
    # What was revision 2 once is found by that number still.
    old = run_three_times(local_ansible, audit, vmirs_rollout(name=NAME, state="rolled_back", revision=2))
    assert (old.done["rolled_back_from"], old.done["revision"], memory_of(api, namespace)) == (5, 6, "96M")
    assert numbers(info(local_ansible)) == [6, 5, 3]

    mark = audit.mark()
    missing = local_ansible.run_tasks(vmirs_rollout(name=NAME, state="rolled_back", revision=17)).require_failed().last
    assert "17" in missing.message
    assert writes(audit.requests(mark)) == []


def test_the_history_has_a_limit_and_goes_with_the_set(local_ansible: Ansible, api: Api, namespace: str) -> None:
    tasks = [ensured(f"{64 + 8 * number}M", revision_history_limit=2) for number in range(5)]
    local_ansible.run_tasks(tasks).require_ok()
    found = info(local_ansible)
    # The current one does not count, nor does the one before it, which a VMI still ran when that was looked at.
    assert (found["revision"], numbers(found)) == (5, [5, 4, 3, 2])
    assert len(api.items("controllerrevisions", namespace)) == 4

    local_ansible.run_tasks(vmirs(name=NAME, state="absent", wait=True)).require_ok()
    for item in api.items("controllerrevisions", namespace):
        await_gone(api, "controllerrevisions", namespace, item["metadata"]["name"], 30)


def test_no_history_is_kept_where_none_is_wanted(local_ansible: Ansible, api: Api, namespace: str) -> None:
    local_ansible.run_tasks([ensured("64M", revision_history_limit=0), ensured("96M", revision_history_limit=0)]).require_ok()
    assert len(api.items("controllerrevisions", namespace)) <= 1
    refused = local_ansible.run_tasks(vmirs_rollout(name=NAME, state="rolled_back")).require_failed().last
    assert "no " in refused.message
