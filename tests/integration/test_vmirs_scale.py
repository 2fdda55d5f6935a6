# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""vmirs_scale: numbers and victims, each in check mode first, then for real, then again."""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import Any

import pytest

from dev.sandbox import Sandbox
from integration.support.ansible import Ansible
from integration.support.api import Api, Object, eventually
from integration.support.audit import AuditLog, writes
from integration.support.cluster import Cluster
from integration.support.fleet import change_template, names, quick_set, start, unready
from integration.support.manifests import await_counts, counts, vmirs_scale
from integration.support.sandbox import process_of
from integration.support.steps import run_three_times
from integration.support.trace import Trace

NAME = "web"
PATCH, DELETE = "patch virtualmachineinstancereplicasets", "delete virtualmachineinstances"


def test_from_3_to_5_to_2_to_0_to_3(local_ansible: Ansible, api: Api, audit: AuditLog, cluster: Cluster, namespace: str) -> None:
    first = start(api, namespace, quick_set(NAME, 3))
    with Trace(cluster.admin, namespace, NAME) as trace:
        up = run_three_times(local_ansible, audit, vmirs_scale(name=NAME, replicas=5))
        assert (up.writes, up.done["method"], up.done["removed"]) == ([PATCH], "patch", None)
        assert (up.done["previous_replicas"], up.done["replicas"]["ready"]) == (3, 5)
        second = sorted({*names(api, namespace)} - {*first})
        assert len(second) == 2

        named = [first[0], second[0]]
        down = run_three_times(local_ansible, audit, vmirs_scale(name=NAME, replicas=2, remove=named, scale_in_order="newest"))
        assert down.done["removed"] == down.predicted["removed"] == [*named, second[1]]
        assert trace.history.removed == down.done["removed"]
        assert down.writes == [PATCH, DELETE, DELETE, DELETE, PATCH]
        assert {*names(api, namespace)} == {*first[1:]}
        assert "removed" in down.again.data
        assert down.again["removed"] == []

        none = run_three_times(local_ansible, audit, vmirs_scale(name=NAME, replicas=0, scale_in_order="oldest"))
        assert none.done["removed"] == none.predicted["removed"]
        assert trace.history.removed[3:] == none.done["removed"]
        assert {*none.done["removed"]} == {*first[1:]}

        back = run_three_times(local_ansible, audit, vmirs_scale(name=NAME, replicas=3))
        assert (back.writes, back.done["previous_replicas"]) == ([PATCH], 0)
    print(f"\n{trace.history.text()}")
    assert counts(api.get("vmirs", namespace, NAME)) == (3, 3, 3)
    assert len(trace.history.born) == 5
    assert len(trace.history.removed) == 5


def test_each_order_takes_whom_it_says(local_ansible: Ansible, api: Api, sandbox: Sandbox, cluster: Cluster, namespace: str) -> None:
    """Three old VMs of an old template on one node, three new ones on another, one of which is not ready: one goes at a time."""
    assert sandbox
    host = "kubernetes.io/hostname"
    body = quick_set(NAME, 3)
    body["spec"]["template"]["spec"]["nodeSelector"] = {host: "kwok-node-0"}
    old = {*start(api, namespace, body)}
    # Times of creation are whole seconds.
    time.sleep(1.1)
    change_template(api, namespace, NAME, "second", nodeSelector={host: "kwok-node-1"})
    api.merge("vmirs", namespace, NAME, {"spec": {"replicas": 6}})
    await_counts(api, namespace, NAME, 6)
    new = {*names(api, namespace)} - old
    broken = min(new)
    unready(api, namespace, broken)
    expected = [("not_ready_first", {broken}), ("outdated_first", old), ("newest", new), ("node_spread", old), ("oldest", old)]
    tasks: list[dict[str, Any]] = []
    for number, (order, _candidates) in enumerate(expected):
        task = vmirs_scale(name=NAME, replicas=5 - number, scale_in_order=order)
        tasks += [{**task, "check_mode": True}, {**task}]

    with Trace(cluster.admin, namespace, NAME) as trace:
        run = local_ansible.run_tasks(tasks).require_ok()

    predicted = [result["removed"] for result in run.tasks[::2]]
    real = [result["removed"] for result in run.tasks[1::2]]
    assert predicted == real
    assert [[name] for name in trace.history.removed] == real
    assert [order for (order, candidates), removed in zip(expected, real, strict=True) if not candidates.issuperset(removed)] == []
    assert trace.history.born == []


@pytest.mark.versions
def test_what_is_named_goes_and_the_number_with_it(ansible: Ansible, api: Api, audit: AuditLog, namespace: str) -> None:
    there = start(api, namespace, quick_set(NAME, 3))
    gone = run_three_times(ansible, audit, vmirs_scale(name=NAME, remove=[there[1], "web-that-is-gone"]))

    assert gone.done["removed"] == gone.predicted["removed"] == [there[1]]
    assert {*names(api, namespace)} == {there[0], there[2]}
    assert counts(api.get("vmirs", namespace, NAME)) == (2, 2, 2)
    assert gone.writes == [PATCH, DELETE, PATCH]


@pytest.mark.slow
@pytest.mark.serial
def test_the_set_is_not_resumed_before_its_vms_are_counted_out(
    local_ansible: Ansible, api: Api, audit: AuditLog, sandbox: Sandbox, namespace: str
) -> None:
    """virt-controller stands still while they are deleted; resumed with its old count, the set would lose more than was asked for."""
    there = start(api, namespace, quick_set(NAME, 4))
    controller = process_of(sandbox, "virt-controller")
    mark = audit.mark()
    meanwhile: list[list[str]] = []

    def hold() -> None:
        eventually("the pause", lambda: writes(audit.requests(mark)), lambda written: PATCH in written, pause=0.01)
        eventually("its acknowledgement", lambda: api.get("vmirs", namespace, NAME), is_paused, pause=0.001)
        os.kill(controller, signal.SIGSTOP)
        time.sleep(2)
        meanwhile.append(writes(audit.requests(mark)))
        os.kill(controller, signal.SIGCONT)

    holding = threading.Thread(target=hold)
    holding.start()
    try:
        done = local_ansible.run_tasks(vmirs_scale(name=NAME, replicas=2, scale_in_order="newest")).require_ok().last
    finally:
        holding.join()
    assert meanwhile == [[PATCH, DELETE, DELETE]]
    assert writes(audit.requests(mark)) == [PATCH, DELETE, DELETE, PATCH]
    assert {*names(api, namespace)} == {*there} - {*done["removed"]}


def is_paused(live: Object) -> bool:
    return any(each["type"] == "ReplicaPaused" for each in live.get("status", {}).get("conditions", []))


def test_the_diff_shows_the_number_and_who_goes(local_ansible: Ansible, api: Api, audit: AuditLog, namespace: str) -> None:
    there = start(api, namespace, quick_set(NAME, 2))
    runs = run_three_times(local_ansible, audit, vmirs_scale(name=NAME, remove=[there[0]]))
    diffs = [each["diff"] for each in (runs.predicted, runs.done, runs.again)]

    assert diffs[0] == diffs[1]
    before, after = diffs[1]["before"], diffs[1]["after"]
    assert (before["spec"]["replicas"], after["spec"]["replicas"]) == (2, 1)
    assert (before["instances"], after["instances"]) == ([there[0]], [])
    assert [key for key in after["spec"] if before["spec"][key] != after["spec"][key]] == ["replicas"]
    assert before["metadata"] == after["metadata"]
    assert diffs[2]["before"] == diffs[2]["after"]


def test_a_set_that_is_paused_stays_paused(local_ansible: Ansible, api: Api, audit: AuditLog, namespace: str) -> None:
    start(api, namespace, quick_set(NAME, 3))
    api.merge("vmirs", namespace, NAME, {"spec": {"paused": True}})
    chosen = run_three_times(local_ansible, audit, vmirs_scale(name=NAME, replicas=2, scale_in_order="oldest"))
    assert (chosen.done["replicas"]["current"], len(names(api, namespace))) == (2, 2)

    left = run_three_times(local_ansible, audit, vmirs_scale(name=NAME, replicas=1, wait=False))
    waited = local_ansible.run_tasks(vmirs_scale(name=NAME, replicas=1, wait_grace=0)).require_failed().last
    live = api.get("vmirs", namespace, NAME)
    assert (live["spec"]["paused"], live["spec"]["replicas"], len(names(api, namespace))) == (True, 1, 2)
    assert left.writes == [PATCH]
    assert waited["diagnosis"][0]["reason"] == "ReplicaPaused"


@pytest.mark.slow
def test_it_waits_until_those_that_are_too_many_are_gone(local_ansible: Ansible, api: Api, sandbox: Sandbox, namespace: str) -> None:
    assert sandbox
    start(api, namespace, quick_set(NAME, 2, {"shutdown-seconds": "3"}))
    done = local_ansible.run_tasks(vmirs_scale(name=NAME, replicas=1)).require_ok().last

    assert done["duration"] > 2
    assert len(api.items("vmis", namespace)) == 1
    assert done["replicas"] == {"desired": 1, "current": 1, "ready": 1, "outdated": 0, "terminating": 0}


def test_it_ends_with_the_reason_where_the_new_ones_cannot_start(local_ansible: Ansible, api: Api, namespace: str) -> None:
    body = quick_set(NAME, 1)
    start(api, namespace, body)
    change_template(api, namespace, NAME, "second", nodeSelector={"kubernetes.io/hostname": "no-such-node"})
    done = local_ansible.run_tasks(vmirs_scale(name=NAME, replicas=2, wait_timeout=60, wait_grace=1)).require_failed().last

    assert done["diagnosis"][0]["reason"] == "Unschedulable"
    assert done["changed"]
    assert done["duration"] < 45
    assert done.message.startswith(f"VirtualMachineInstanceReplicaSet {namespace}/{NAME} is not ready after ")
