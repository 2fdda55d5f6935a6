# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""vmirs_rollout: who is in a batch, when it is over, and what stops it."""

from __future__ import annotations

import time

from dev.sandbox import Sandbox
from integration.support.ansible import Ansible
from integration.support.api import Api, Object, eventually
from integration.support.audit import AuditLog, writes
from integration.support.cluster import Cluster
from integration.support.fleet import change_template, names, quick_set, start, unready
from integration.support.manifests import HASH, autoscaler, await_counts, vmirs_rollout
from integration.support.steps import run_three_times
from integration.support.trace import Trace

NAME = "web"
HOST = "kubernetes.io/hostname"
DELETE = "delete virtualmachineinstances"


def outdated(api: Api, namespace: str, replicas: int, dials: dict[str, str] | None = None) -> list[str]:
    """The VMIs of a set whose template has changed since."""
    there = start(api, namespace, quick_set(NAME, replicas, dials))
    change_template(api, namespace, NAME, "second")
    return there


def budget(least: dict[str, int]) -> Object:
    return {"metadata": {"name": NAME}, "spec": {**least, "selector": {"matchLabels": {"app": NAME}}}}


def test_each_order_takes_whom_it_says(local_ansible: Ansible, api: Api, sandbox: Sandbox, cluster: Cluster, namespace: str) -> None:
    """Two old VMs on one node and two newer ones on another, of which one is not ready: it goes first in every order."""
    assert sandbox
    body = quick_set(NAME, 2)
    body["spec"]["template"]["spec"]["nodeSelector"] = {HOST: "kwok-node-1"}
    old = {*start(api, namespace, body)}
    time.sleep(1.1)
    change_template(api, namespace, NAME, "second", nodeSelector={HOST: "kwok-node-0"})
    api.merge("vmirs", namespace, NAME, {"spec": {"replicas": 4}})
    await_counts(api, namespace, NAME, 4)
    new = {*names(api, namespace)} - old
    broken, sound = sorted(new)
    unready(api, namespace, broken)
    change_template(api, namespace, NAME, "third", nodeSelector=None)
    orders = ("not_ready_first", "oldest", "newest", "by_node")
    tasks = [{**vmirs_rollout(name=NAME, order=order, max_unavailable="1"), "check_mode": True} for order in orders]
    with Trace(cluster.admin, namespace, NAME) as trace:
        run = local_ansible.run_tasks([*tasks, vmirs_rollout(name=NAME, order="by_node", max_unavailable="1")]).require_ok()

    found = dict(zip(orders, (result["replaced"] for result in run.tasks), strict=False))
    assert {order: replaced[0] for order, replaced in found.items()} == dict.fromkeys(orders, broken)
    assert {order: {*replaced} for order, replaced in found.items()} == dict.fromkeys(orders, old | new)
    assert {*found["oldest"][1:3]} == old
    assert found["newest"][1] == sound
    assert found["by_node"][1] == sound
    assert trace.history.removed == run.last["replaced"] == found["by_node"]
    assert trace.history.least_ready == 3


def test_a_pause_and_a_time_to_prove_oneself_between_batches(local_ansible: Ansible, api: Api, cluster: Cluster, namespace: str) -> None:
    outdated(api, namespace, 2)
    with Trace(cluster.admin, namespace, NAME) as trace:
        local_ansible.run_tasks(vmirs_rollout(name=NAME, max_unavailable="1", min_ready_seconds=4, pause_between=4)).require_ok()
    (_, first, _), (before, second, _) = trace.history.removals
    ready = next(moment for moment in trace.history.moments if moment.at > first.at and moment.ready == 2)
    print(f"\n{trace.history.text()}")
    # Conditions have whole seconds, so ready for four may be ready for a little more than three, and a busy machine tells of it late: seven
    # seconds may look like less. Either of the two alone takes four.
    assert before.number == 2
    assert second.at - ready.at > 5


def test_a_disruption_budget_is_respected(local_ansible: Ansible, api: Api, audit: AuditLog, cluster: Cluster, namespace: str) -> None:
    outdated(api, namespace, 3)
    api.create("poddisruptionbudgets", namespace, budget({"minAvailable": 2}))
    eventually(
        "the budget to count",
        lambda: api.get("poddisruptionbudgets", namespace, NAME)["status"].get("disruptionsAllowed"),
        lambda allowed: allowed == 1,
    )
    with Trace(cluster.admin, namespace, NAME) as trace:
        runs = run_three_times(local_ansible, audit, vmirs_rollout(name=NAME, max_unavailable="3"))
    print(f"\n{trace.history.text()}")
    assert trace.history.least_ready == 2
    assert runs.done["replaced"] == runs.predicted["replaced"] == trace.history.removed
    assert runs.done["batches"] == runs.predicted["batches"]
    assert [len(batch) for batch in runs.done["batches"]] == [1, 1, 1]

    change_template(api, namespace, NAME, "third")
    with Trace(cluster.admin, namespace, NAME) as trace:
        local_ansible.run_tasks(vmirs_rollout(name=NAME, max_unavailable="3", disruption_budgets="ignore")).require_ok()
    assert trace.history.least_ready == 0


def test_a_disruption_budget_that_cannot_work_is_why_it_stops(local_ansible: Ansible, api: Api, audit: AuditLog, namespace: str) -> None:
    there = outdated(api, namespace, 2)
    api.create("poddisruptionbudgets", namespace, budget({"maxUnavailable": 1}))
    eventually(
        "the budget to fail",
        lambda: api.get("poddisruptionbudgets", namespace, NAME),
        lambda found: any(each["reason"] == "SyncFailed" for each in found["status"].get("conditions", [])),
    )
    mark = audit.mark()
    task = vmirs_rollout(name=NAME, max_unavailable="1", batch_timeout=5, wait_grace=1)
    predicted, done = local_ansible.run_tasks([{**task, "check_mode": True}, task]).require_failed().tasks
    print(f"\n{done.message}")
    assert predicted["replaced"] == []
    assert predicted["warnings"][0].startswith(f"The rollout would stop: PodDisruptionBudget {NAME} ")
    assert f"PodDisruptionBudget {NAME}" in done.message
    assert "minAvailable" in done.message
    assert DELETE not in writes(audit.requests(mark))
    assert {*names(api, namespace)} == {*there}


def test_a_batch_has_its_time(local_ansible: Ansible, api: Api, sandbox: Sandbox, cluster: Cluster, namespace: str) -> None:
    assert sandbox
    there = outdated(api, namespace, 3)
    api.merge(
        "vmirs",
        namespace,
        NAME,
        {"spec": {"template": {"metadata": {"annotations": {"sandbox.vmscale.kubevirt/fault": "never-boot"}}}}},
    )
    with Trace(cluster.admin, namespace, NAME) as trace:
        late = local_ansible.run_tasks(vmirs_rollout(name=NAME, max_unavailable="1", batch_timeout=3)).require_failed().last
        assert "; 2 of 3 ready, and 2 of 3 are still outdated. " in late.message
        assert 2 < late["duration"] < 13
        stuck = local_ansible.run_tasks(vmirs_rollout(name=NAME, max_unavailable="1", progress_deadline=2)).require_failed().last
        assert 1 < stuck["duration"] < 12
    print(f"\n{late.message}\n{stuck.message}")
    # The one that does not boot is not outdated, and nobody goes in its stead.
    assert len(trace.history.removed) == 1
    assert {*trace.history.removed} < {*there}
    assert trace.history.last.ready == 2


def test_a_percentage_is_of_what_the_autoscaler_may_leave(local_ansible: Ansible, api: Api, namespace: str) -> None:
    outdated(api, namespace, 4)
    half = {**vmirs_rollout(name=NAME, max_unavailable="50%"), "check_mode": True}
    quarter = {**vmirs_rollout(name=NAME), "check_mode": True}
    before = local_ansible.run_tasks([half, quarter]).require_ok()
    assert [[len(batch) for batch in result["batches"]] for result in before.tasks] == [[2, 2], [1, 1, 1, 1]]
    api.create("hpas", namespace, autoscaler("web-scaler", NAME, 2, 6))
    after = local_ansible.run_tasks(half).require_ok().last
    assert [len(batch) for batch in after["batches"]] == [1, 1, 1, 1]


def test_a_set_without_a_hash_can_be_restarted_only(local_ansible: Ansible, api: Api, audit: AuditLog, namespace: str) -> None:
    api.create("vmirs", namespace, quick_set(NAME, 2))
    await_counts(api, namespace, NAME, 2)
    mark = audit.mark()
    refused = local_ansible.run_tasks(vmirs_rollout(name=NAME)).require_failed().last
    assert writes(audit.requests(mark)) == []
    assert "restarted" in refused.message
    runs = run_three_times(local_ansible, audit, vmirs_rollout(name=NAME, state="restarted", restart_id="first", max_unavailable="1"))
    assert len(runs.done["replaced"]) == 2
    assert HASH in api.get("vmirs", namespace, NAME)["spec"]["template"]["metadata"]["labels"]


def test_a_paused_set_is_refused(local_ansible: Ansible, api: Api, audit: AuditLog, namespace: str) -> None:
    outdated(api, namespace, 1)
    api.merge("vmirs", namespace, NAME, {"spec": {"paused": True}})
    mark = audit.mark()
    tasks = [vmirs_rollout(name=NAME), vmirs_rollout(name=NAME, state="restarted")]
    run = local_ansible.run_tasks([{**task, "ignore_errors": True} for task in tasks]).require_ok()
    assert [result.status for result in run.tasks] == ["failed", "failed"]
    assert all("paused" in result.message for result in run.tasks)
    assert writes(audit.requests(mark)) == []
