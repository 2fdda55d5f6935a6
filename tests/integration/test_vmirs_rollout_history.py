# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The revisions of a set: kept in ControllerRevisions, listed, limited, and gone back to."""

from __future__ import annotations

import pytest

from integration.support.ansible import Ansible, Task
from integration.support.api import Api, Object
from integration.support.audit import AuditLog
from integration.support.fleet import quick_set
from integration.support.manifests import HASH, await_gone, vmirs, vmirs_rollout
from integration.support.steps import run_each_three_times

NAME = "web"
INFO: Task = {"vmscale.kubevirt.vmirs_info": {"name": NAME}}


def ensured(memory: str, **options: object) -> Task:
    """Return a task that ensures the set with a template of its own and rolls it out."""
    return vmirs(definition=quick_set(NAME, 1, memory=memory), rollout=True, **options)


def memory_in(live: Object) -> str:
    found: str = live["spec"]["template"]["spec"]["domain"]["resources"]["requests"]["memory"]
    return found


def numbers(found: Object) -> list[int]:
    return [each["number"] for each in found["revisions"]]


def test_revisions_are_listed_and_gone_back_to(local_ansible: Ansible, api: Api, audit: AuditLog, namespace: str) -> None:
    listed = local_ansible.run_tasks([ensured("64M"), ensured("96M"), ensured("128M"), INFO]).require_ok().last
    found = listed["replica_sets"][0]
    assert (found["revision"], numbers(found)) == (3, [3, 2, 1])
    assert [(each["current"], each["instances"]) for each in found["revisions"]] == [(True, 1), (False, 0), (False, 0)]
    assert found["revisions"][0]["hash"] == api.get("vmirs", namespace, NAME)["spec"]["template"]["metadata"]["labels"][HASH]
    assert found["instances"][0]["revision"] == 3
    kept = api.items("controllerrevisions", namespace)
    uid = api.get("vmirs", namespace, NAME)["metadata"]["uid"]
    assert {item["metadata"]["ownerReferences"][0]["uid"] for item in kept} == {uid}
    assert {item["metadata"]["labels"]["vmscale.kubevirt/replica-set-uid"] for item in kept} == {uid}

    back, named, old = run_each_three_times(
        local_ansible,
        audit,
        [
            vmirs_rollout(name=NAME, state="rolled_back"),
            vmirs_rollout(name=NAME, state="rolled_back", revision=1),
            # What was revision 2 at first is found by that number still.
            vmirs_rollout(name=NAME, state="rolled_back", revision=2),
        ],
    )
    went = [(each.done["rolled_back_from"], each.done["revision"]) for each in (back, named, old)]
    assert went == [(3, 4), (4, 5), (5, 6)]
    assert [memory_in(each.done["result"]) for each in (back, named, old)] == ["96M", "64M", "96M"]
    assert memory_in(api.get("vmirs", namespace, NAME)) == "96M"
    assert [each.done["replaced"] for each in (back, named, old)] == [each.predicted["replaced"] for each in (back, named, old)]
    assert old.writes.count("patch virtualmachineinstancereplicasets") == 3

    missing = {**vmirs_rollout(name=NAME, state="rolled_back", revision=17), "ignore_errors": True}
    run = local_ansible.run_tasks([missing, INFO]).require_ok()
    assert ' has no revision 17: "revision" must be one of those that are kept (3, 5, 6).' in run.tasks[0].message
    assert numbers(run.last["replica_sets"][0]) == [6, 5, 3]


def test_the_history_has_a_limit_and_goes_with_the_set(local_ansible: Ansible, api: Api, namespace: str) -> None:
    tasks = [ensured(f"{64 + 8 * number}M", revision_history_limit=1) for number in range(4)]
    found = local_ansible.run_tasks([*tasks, INFO]).require_ok().last["replica_sets"][0]
    # The current one does not count, nor does the one before it, which a VMI still ran when that was looked at.
    assert (found["revision"], numbers(found)) == (4, [4, 3, 2])
    assert len(api.items("controllerrevisions", namespace)) == 3

    local_ansible.run_tasks(vmirs(name=NAME, state="absent", wait=True)).require_ok()
    for item in api.items("controllerrevisions", namespace):
        await_gone(api, "controllerrevisions", namespace, item["metadata"]["name"], 30)


@pytest.mark.slow
def test_no_history_is_kept_where_none_is_wanted(local_ansible: Ansible, api: Api, namespace: str) -> None:
    local_ansible.run_tasks([ensured("64M", revision_history_limit=0), ensured("96M", revision_history_limit=0)]).require_ok()
    assert api.items("controllerrevisions", namespace) == []
    refused = local_ansible.run_tasks(vmirs_rollout(name=NAME, state="rolled_back")).require_failed().last
    assert " has no revision before the present one to go back to (kept: none): " in refused.message
