# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""vmirs_rollout: every VMI comes to the template, and never are fewer ready than was allowed; by a trace of the API server's watches."""

from __future__ import annotations

import threading

import pytest

from integration.support.ansible import Ansible
from integration.support.api import Api, Object, eventually
from integration.support.audit import AuditLog
from integration.support.cluster import Cluster
from integration.support.fleet import quick_set
from integration.support.history import History
from integration.support.manifests import HASH, autoscaler, counts, vmirs, vmirs_rollout
from integration.support.steps import run_each_three_times, run_three_times
from integration.support.trace import Trace

NAME, SCALER = "web", "web-scaler"
PATCH, DELETE = "patch virtualmachineinstancereplicasets", "delete virtualmachineinstances"
RECORD, FORGET = "create controllerrevisions", "delete controllerrevisions"


def version(replicas: int, memory: str, node: str | None = None) -> Object:
    """Return the set with a template of its own; without a node of that name, its VMs cannot boot."""
    body = quick_set(NAME, replicas, memory=memory)
    if node is not None:
        body["spec"]["template"]["spec"]["nodeSelector"] = {"kubernetes.io/hostname": node}
    return body


def live_hash(api: Api, namespace: str) -> str:
    found: str = api.get("vmirs", namespace, NAME)["spec"]["template"]["metadata"]["labels"][HASH]
    return found


def hashes(api: Api, namespace: str) -> set[str]:
    return {item["metadata"]["labels"][HASH] for item in api.items("vmis", namespace)}


def show(what: str, history: History) -> None:
    print(f"\n{what}\n{history.text()}least ready: {history.least_ready}")


def test_twelve_with_three_unavailable(local_ansible: Ansible, api: Api, audit: AuditLog, cluster: Cluster, namespace: str) -> None:
    local_ansible.run_tasks([vmirs(definition=version(12, "64M"), wait=True), vmirs(definition=version(12, "96M"))]).require_ok()
    with Trace(cluster.admin, namespace, NAME) as trace:
        runs = run_three_times(local_ansible, audit, vmirs_rollout(name=NAME, max_unavailable="3"))
    show("12 VMIs, max_unavailable 3", trace.history)

    assert trace.history.least_ready >= 9
    assert trace.history.removed == runs.done["replaced"] == runs.predicted["replaced"]
    assert runs.done["batches"] == runs.predicted["batches"]
    assert [len(batch) for batch in runs.done["batches"]] == [3, 3, 3, 3]
    assert len(trace.history.born) == 12
    assert trace.history.replaced_twice == []
    assert runs.writes == [RECORD, *([DELETE] * 12)]
    assert runs.done["method"] == "delete"
    assert hashes(api, namespace) == {live_hash(api, namespace)}
    assert counts(api.get("vmirs", namespace, NAME)) == (12, 12, 12)
    assert (runs.again["replaced"], runs.again["batches"]) == ([], [])


def test_a_template_that_cannot_boot_stops_after_one_batch_and_is_rolled_back(
    local_ansible: Ansible, api: Api, audit: AuditLog, cluster: Cluster, namespace: str
) -> None:
    local_ansible.run_tasks(vmirs(definition=version(12, "64M"), wait=True)).require_ok()
    good = live_hash(api, namespace)
    with Trace(cluster.admin, namespace, NAME) as trace:
        bad = vmirs(definition=version(12, "96M", "no-such-node"))
        stopped = local_ansible.run_tasks([bad, vmirs_rollout(name=NAME, max_unavailable="3", wait_grace=2)]).require_failed().last
        print(f"\n{stopped.message}")
        assert stopped.message.startswith(f"VirtualMachineInstanceReplicaSet {namespace}/{NAME} has stopped its rollout in batch 1 after ")
        assert ": 3 VMIs cannot be scheduled: 0/4 nodes are available: " in stopped.message
        assert "; 9 of 12 ready, and 9 of 12 are still outdated. " in stopped.message
        assert stopped["diagnosis"][0]["reason"] == "Unschedulable"
        assert stopped["duration"] < 60
        first = trace.history
        assert first.removed == stopped["replaced"]
        assert (len(first.removed), first.least_ready, first.last.of_hash(good)) == (3, 9, 9)

        back = run_three_times(local_ansible, audit, vmirs_rollout(name=NAME, state="rolled_back", max_unavailable="3"))
    show("12 VMIs, max_unavailable 3, a template that cannot boot, and back", trace.history)

    assert trace.history.least_ready >= 9
    assert trace.history.last.of_hash(good) == 12
    assert counts(api.get("vmirs", namespace, NAME)) == (12, 12, 12)
    assert live_hash(api, namespace) == good
    assert back.done["replaced"] == back.predicted["replaced"]
    assert {*back.done["replaced"]} == {each.name for each in trace.history.born[:3]}
    assert trace.history.removed == [*stopped["replaced"], *back.done["replaced"]]
    # What becomes current again is written anew under its new number.
    assert back.writes == [PATCH, RECORD, FORGET, DELETE, DELETE, DELETE]
    assert (back.done["method"], back.done["rolled_back_from"], back.done["revision"]) == ("patch", 2, 3)


@pytest.mark.parametrize(("number", "unavailable"), [(6, 2), pytest.param(12, 3, marks=pytest.mark.slow)])
def test_the_autoscaler_grows_the_set_under_load_meanwhile(
    local_ansible: Ansible, api: Api, audit: AuditLog, cluster: Cluster, namespace: str, number: int, unavailable: int
) -> None:
    """The load asks for more than the autoscaler may give; what it may give is raised as soon as the first VMI is deleted."""
    more = number + number // 3
    local_ansible.run_tasks([vmirs(definition=version(number, "64M"), wait=True), vmirs(definition=version(number, "96M"))]).require_ok()
    api.create("hpas", namespace, autoscaler(SCALER, NAME, number, number))
    cluster.load(NAME, namespace, 90)
    eventually("the autoscaler to want more", lambda: api.get("hpas", namespace, SCALER), is_limited, 60)

    with Trace(cluster.admin, namespace, NAME) as trace:

        def grow() -> None:
            trace.until("the first deletion", lambda moment: moment.leaving > 0)
            api.merge("hpas", namespace, SCALER, {"spec": {"maxReplicas": more}})

        growing = threading.Thread(target=grow)
        growing.start()
        task = vmirs_rollout(name=NAME, max_unavailable=str(unavailable), pause_between=2)
        runs = run_three_times(local_ansible, audit, task)
        growing.join()
    show(f"{number} VMIs, max_unavailable {unavailable}, the autoscaler goes to {more}", trace.history)

    grown = next(moment for moment in trace.history.moments if moment.desired == more)
    assert grown.number < more
    assert trace.history.removals[-1][1].at > grown.at
    assert trace.history.least_ready >= number - unavailable
    assert trace.history.floor_breaches(unavailable) == []
    assert trace.history.replaced_twice == []
    assert {*trace.history.removed} == {each.name for each in trace.history.first_instances}
    assert hashes(api, namespace) == {live_hash(api, namespace)}
    assert runs.done["replicas"]["ready"] == more


@pytest.mark.slow
def test_the_autoscaler_shrinks_the_set_meanwhile(local_ansible: Ansible, api: Api, cluster: Cluster, namespace: str) -> None:
    """KubeVirt takes whom it likes then; a percentage is of what the autoscaler may leave, so the floor holds all the same."""
    local_ansible.run_tasks([vmirs(definition=version(8, "64M"), wait=True), vmirs(definition=version(8, "96M"))]).require_ok()
    api.create("hpas", namespace, autoscaler(SCALER, NAME, 4, 8))
    with Trace(cluster.admin, namespace, NAME) as trace:

        def shrink() -> None:
            trace.until("the first deletion", lambda moment: moment.leaving > 0)
            api.merge("hpas", namespace, SCALER, {"spec": {"maxReplicas": 4}})

        shrinking = threading.Thread(target=shrink)
        shrinking.start()
        done = local_ansible.run_tasks(vmirs_rollout(name=NAME, max_unavailable="50%", pause_between=1)).require_ok().last
        shrinking.join()
    show("8 VMIs, max_unavailable 50%, the autoscaler goes to 4", trace.history)
    assert trace.history.last.desired == 4
    assert [moment.what for moment in trace.history.moments if moment.ready < moment.desired - 2] == []
    assert not {*done["replaced"]} & {each.name for each in trace.history.born}
    assert done["replicas"]["outdated"] == 0
    assert hashes(api, namespace) == {live_hash(api, namespace)}


def is_limited(scaler: Object) -> bool:
    return any(each["reason"] == "TooManyReplicas" for each in scaler.get("status", {}).get("conditions", []))


@pytest.mark.versions
def test_ensured_and_rolled_out_in_one_task(ansible: Ansible, api: Api, audit: AuditLog, cluster: Cluster, namespace: str) -> None:
    ansible.run_tasks(vmirs(definition=version(3, "64M"), wait=True)).require_ok()
    with Trace(cluster.admin, namespace, NAME) as trace:
        runs = run_three_times(ansible, audit, vmirs(definition=version(3, "96M"), rollout=True, max_unavailable="2"))

    assert trace.history.least_ready == 1
    assert trace.history.removed == runs.done["replaced"] == runs.predicted["replaced"]
    assert [len(batch) for batch in runs.done["batches"]] == [2, 1]
    assert runs.done["batches"] == runs.predicted["batches"]
    assert runs.writes == [RECORD, PATCH, RECORD, DELETE, DELETE, DELETE]
    assert hashes(api, namespace) == {live_hash(api, namespace)}


def test_a_restart_happens_once_for_its_id(local_ansible: Ansible, api: Api, audit: AuditLog, namespace: str) -> None:
    local_ansible.run_tasks(vmirs(definition=version(2, "64M"), wait=True)).require_ok()
    before = live_hash(api, namespace)
    whole = {"name": NAME, "state": "restarted", "max_unavailable": "100%"}
    one, two = run_each_three_times(
        local_ansible, audit, [vmirs_rollout(restart_id="one", **whole), vmirs_rollout(restart_id="two", **whole)]
    )
    assert two.writes == [PATCH, RECORD, DELETE, DELETE] * 2
    for each in (one, two):
        assert each.done["replaced"] == each.predicted["replaced"]
        assert len(each.done["replaced"]) == 2
    assert len({before, live_hash(api, namespace), *hashes(api, namespace)}) == 2
    assert "vmscale.kubevirt/restarted-at" in api.get("vmirs", namespace, NAME)["spec"]["template"]["metadata"]["annotations"]

    # Without an id each is another one; and what is described is what runs still.
    ensured = vmirs(definition=version(2, "64M"), wait=True)
    more = local_ansible.run_tasks([vmirs_rollout(**whole), vmirs_rollout(**whole), ensured]).require_ok()
    assert [result.is_changed for result in more.tasks] == [True, True, False]
    assert [len(result["replaced"]) for result in more.tasks[:2]] == [2, 2]
    assert more.last["replicas"]["outdated"] == 0
