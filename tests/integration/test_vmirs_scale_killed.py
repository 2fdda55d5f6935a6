# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A scale-in that is killed leaves a set that says so, and the next run finishes the same job."""

from __future__ import annotations

import pytest

from dev.sandbox import Sandbox
from integration.support.ansible import Ansible
from integration.support.api import Api, Object
from integration.support.audit import AuditLog, writes
from integration.support.cluster import Cluster
from integration.support.fleet import names, quick_set, start
from integration.support.history import History
from integration.support.kill import Killer
from integration.support.manifests import counts, vmirs, vmirs_scale
from integration.support.trace import Trace

NAME = "web"
SCALE_IN = "vmscale.kubevirt/scale-in"
PATCH, DELETE = "patch virtualmachineinstancereplicasets", "delete virtualmachineinstances"
WHOLE = [PATCH, DELETE, DELETE, PATCH]
TASK = vmirs_scale(name=NAME, replicas=2, scale_in_order="newest")
STAGES = {"paused": 1, "one is deleted": 2, "all are deleted": 3, "resumed": 4}
"""The stages, by how much is written then."""


def set_of_four(api: Api, namespace: str) -> list[str]:
    return start(api, namespace, quick_set(NAME, 4, {"shutdown-seconds": "2"}))


def is_unfinished(live: Object) -> bool:
    return SCALE_IN in live["metadata"].get("annotations", {})


def is_paused(api: Api, namespace: str) -> bool:
    return bool(api.get("vmirs", namespace, NAME)["spec"].get("paused"))


def require_finished(api: Api, namespace: str, history: History, chosen: list[str]) -> None:
    """Check that the chosen two are gone and nobody else, and that nothing is left of the pause."""
    live = api.get("vmirs", namespace, NAME)
    assert counts(live) == (2, 2, 2)
    assert not is_unfinished(live)
    assert "paused" not in live["spec"]
    assert sorted(history.removed) == sorted(chosen)
    assert history.born == []


def test_a_scale_in_that_is_killed_again_and_again(
    local_ansible: Ansible, api: Api, killer: Killer, cluster: Cluster, namespace: str
) -> None:
    set_of_four(api, namespace)
    chosen = local_ansible.run_tasks(TASK, check=True).require_ok().last["removed"]
    with Trace(cluster.admin, namespace, NAME) as trace:
        first = killer.after_writes(local_ansible, TASK, lambda written: PATCH in written)
        assert first == [PATCH]
        live = api.get("vmirs", namespace, NAME)
        assert (live["spec"]["paused"], live["spec"]["replicas"], is_unfinished(live)) == (True, 4, True)
        second = killer.after_writes(local_ansible, TASK, lambda written: DELETE in written)
        assert second == [DELETE]
        third = killer.after_writes(local_ansible, TASK, lambda written: DELETE in written)
        assert third[-1] == DELETE
        fourth = killer.after_writes(local_ansible, TASK, lambda written: PATCH in written and not is_paused(api, namespace))
        assert fourth[-1] == PATCH
        last = local_ansible.run_tasks([TASK, TASK]).require_ok()
    print(f"\n{first}, {second}, {third}, {fourth}\n{trace.history.text()}")
    assert [result.is_changed for result in last.tasks] == [False, False]
    require_finished(api, namespace, trace.history, chosen)


@pytest.mark.slow
@pytest.mark.parametrize("stage", STAGES)
def test_a_scale_in_that_is_killed(
    ansible: Ansible, api: Api, audit: AuditLog, killer: Killer, cluster: Cluster, namespace: str, stage: str
) -> None:
    set_of_four(api, namespace)
    chosen = ansible.run_tasks(TASK, check=True).require_ok().last["removed"]
    with Trace(cluster.admin, namespace, NAME) as trace:
        written = killer.after_writes(ansible, TASK, lambda written: len(written) == STAGES[stage])
        assert written == WHOLE[: STAGES[stage]]
        mark = audit.mark()
        again = ansible.run_tasks([TASK, TASK]).require_ok()
    rest = writes(audit.requests(mark))
    print(f"\n{stage}: {written}, then {rest}\n{trace.history.text()}")
    assert [*written, *rest].count(DELETE) == 2
    assert [result.is_changed for result in again.tasks] == [stage != "resumed", False]
    require_finished(api, namespace, trace.history, chosen)


def test_a_set_that_was_left_paused_is_not_paused_silently(local_ansible: Ansible, api: Api, killer: Killer, namespace: str) -> None:
    start(api, namespace, quick_set(NAME, 3))
    task = vmirs_scale(name=NAME, replicas=2, scale_in_order="oldest")
    chosen = local_ansible.run_tasks(task, check=True).require_ok().last["removed"]
    assert killer.after_writes(local_ansible, task, lambda written: PATCH in written) == [PATCH]
    body = api.get("vmirs", namespace, NAME)["spec"]
    wanted = {"name": NAME, "template": body["template"], "selector": body["selector"], "wait": True, "wait_grace": 0, "wait_timeout": 30}
    info = {"vmscale.kubevirt.vmirs_info": {"name": NAME}}
    run = local_ansible.run_tasks([info, {**vmirs(**wanted), "ignore_errors": True}]).require_ok()

    assert run.tasks[0]["replica_sets"][0]["unfinished_scale_in"] == {"replicas": 2, "remove": chosen}
    assert "scale-in to 2 that did not finish has paused it: run vmirs_scale again" in str(run.tasks[1].data)
    done = local_ansible.run_tasks([task, info]).require_ok()
    assert done.tasks[0]["removed"] == chosen
    assert done.tasks[1]["replica_sets"][0]["unfinished_scale_in"] is None
    assert len(names(api, namespace)) == 2


@pytest.mark.slow
@pytest.mark.serial
def test_a_failure_after_the_pause_undoes_it(local_ansible: Ansible, api: Api, sandbox: Sandbox, audit: AuditLog, namespace: str) -> None:
    """virt-controller is to acknowledge the pause, and is not there to do it."""
    there = start(api, namespace, quick_set(NAME, 2))
    sandbox.fault("virt-controller-down")
    try:
        mark = audit.mark()
        done = local_ansible.run_tasks(vmirs_scale(name=NAME, remove=there[:1], wait_timeout=4)).require_failed().last
    finally:
        sandbox.heal("virt-controller-down")
    assert done.message.endswith("The set has been resumed.")
    assert writes(audit.requests(mark)) == [PATCH, PATCH]
    live = api.get("vmirs", namespace, NAME)
    assert not is_unfinished(live)
    assert "paused" not in live["spec"]
    assert {*names(api, namespace)} == {*there}
