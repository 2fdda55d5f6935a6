# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The operation behind `vmirs_rollout`: batches, their floor, and what is between them."""

from __future__ import annotations

import typing as t

import pytest

from unit.support.budgets import budget
from unit.support.cluster import BUDGETS, INSTANCES, REVISIONS, SCALERS, SETS, Cluster
from unit.support.controlled import controlled, facts, forbid, right
from unit.support.objects import autoscaler, changed, instance, replica_set
from unit.support.rollouts import HISTORY, SET, VMIS, WEB, deleted, roll_out
from unit.support.server import Answer, Request
from unit.support.templates import hash_in


def test_every_vmi_is_replaced_once_and_never_too_many_at_a_time() -> None:
    cluster, controller = controlled(8, outdated=8, boot_seconds=1, shutdown_seconds=1)
    made = roll_out(cluster, 3)
    assert facts(made, "changed", "method", "revision", "rolled_back_from", "failed") == [True, "delete", 1, None, None]
    assert [len(batch) for batch in made["batches"]] == [3, 3, 2]
    assert made["replaced"] == [name for batch in made["batches"] for name in batch] == deleted(cluster)
    assert sorted(made["replaced"]) == sorted(f"web{number}" for number in range(8))
    assert min(controller.ready) == 5
    assert made["replicas"] == {"desired": 8, "current": 8, "ready": 8, "outdated": 0, "terminating": 0}
    assert (made["diff"]["before"]["instances"], made["diff"]["after"]["instances"]) == (sorted(made["replaced"]), [])
    assert "batch 3, 8/8 updated, 8/8 ready" in cluster.lines[-1]
    moments = [point["elapsed"] for point in made["timeline"]]
    assert moments == sorted(moments)
    assert 3 <= moments[-1] == made["duration"] <= 9
    again = roll_out(cluster, 3)
    assert facts(again, "changed", "method", "replaced", "batches", "revision") == [False, None, [], [], None]
    assert [right(each) for each in cluster.server.requests] == [("get", SET), ("list", VMIS)]
    assert "instances" not in again["diff"]["before"]


def test_what_is_asked_is_asked_before_the_first_batch() -> None:
    cluster, _controller = controlled(3, outdated=1)
    roll_out(cluster)
    asked = [right(each) for each in cluster.server.requests]
    assert asked[:6] == [
        ("get", SET),
        ("list", VMIS),
        ("delete", VMIS),
        ("list", "poddisruptionbudgets"),
        ("list", HISTORY),
        ("create", HISTORY),
    ]
    assert cluster.written() == [("DELETE", f"{VMIS}/web0", True), ("POST", f"default/{HISTORY}", False), ("DELETE", f"{VMIS}/web0", False)]
    deletion = next(each for each in cluster.server.requests if each.method == "DELETE" and not each.query)
    assert (deletion.body["propagationPolicy"], deletion.body["preconditions"]) == ("Background", {"uid": "uid-of-web0"})
    assert ("list", "horizontalpodautoscalers") not in asked


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("oldest", [["web2"], ["web0"], ["web1"], ["web3"]]),
        ("newest", [["web2"], ["web3"], ["web1"], ["web0"]]),
        ("by_node", [["web2"], ["web3"], ["web0"], ["web1"]]),
    ],
)
def test_the_order_is_the_one_that_is_asked_for(order: str, expected: list[list[str]]) -> None:
    cluster, _controller = controlled(4, outdated=4)
    cluster.lists[INSTANCES][2]["status"]["conditions"][0]["status"] = "False"
    planned = roll_out(cluster, check_mode=True, order=order)
    assert roll_out(cluster, order=order)["batches"] == planned["batches"] == expected


def test_check_mode_says_what_would_be_and_sends_nothing_but_dry_runs() -> None:
    cluster, _controller = controlled(5, outdated=3)
    made = roll_out(cluster, 2, check_mode=True)
    assert facts(made, "changed", "method", "batches", "duration") == [True, "delete", [["web2", "web1"], ["web0"]], None]
    assert made["replicas"]["outdated"] == 3
    assert made["diff"]["before"]["instances"] == ["web0", "web1", "web2"]
    assert cluster.written() == [("DELETE", f"{VMIS}/web0", True), ("POST", f"default/{HISTORY}", True)]
    assert (cluster.lists[REVISIONS], len(cluster.names()), cluster.lines) == ([], 5, [])
    assert roll_out(cluster, 2)["batches"] == made["batches"]


def test_those_that_are_not_ready_and_outdated_are_no_reason_to_wait() -> None:
    cluster, _controller = controlled(4, outdated=4)
    stuck = ("PodScheduled", "False", "Unschedulable", "0/4 nodes are available")
    for number in (0, 1):
        cluster.lists[INSTANCES][number] = instance(f"web{number}", ready=False, phase="Scheduling", conditions=[stuck])
    made = roll_out(cluster, 1, wait_grace=0)
    assert facts(made, "failed", "batches") == [None, [["web0"], ["web1"], ["web3"], ["web2"]]]


def test_with_an_autoscaler_a_percentage_is_one_of_its_minimum() -> None:
    cluster, _controller = controlled(8, outdated=8)
    cluster.put(SCALERS, autoscaler(least=4))
    cluster.put(SCALERS, autoscaler("other", least=1, target={"name": "another"}))
    made = roll_out(cluster, "50%")
    assert [len(batch) for batch in made["batches"]] == [2, 2, 2, 2]
    cluster, _controller = controlled(8, outdated=8)
    cluster.put(SCALERS, autoscaler(least=None))
    assert [len(batch) for batch in roll_out(cluster, "50%", check_mode=True)["batches"]] == [1] * 8
    assert len(roll_out(cluster, 4, check_mode=True)["batches"]) == 2
    assert "horizontalpodautoscalers" not in cluster.asked("GET")


def test_an_autoscaler_that_grows_the_set_meanwhile_is_kept_up_with() -> None:
    cluster, controller = controlled(3, outdated=3, boot_seconds=1)

    def grow(request: Request) -> Answer | None:
        if request.method == "DELETE" and not request.query and cluster.live["spec"]["replicas"] == 3:
            cluster.put(SETS, changed(cluster.live, "spec.replicas", 5))
        return None

    cluster.refuse = grow
    made = roll_out(cluster, 1)
    assert facts(made, "failed", "replicas") == [None, {"desired": 5, "current": 5, "ready": 5, "outdated": 0, "terminating": 0}]
    assert sorted(made["replaced"]) == ["web0", "web1", "web2"]
    assert len(made["batches"]) == 3
    assert min(controller.ready) == 2
    # Once it had grown and the new ones were ready, no more than one of five was missing.
    grown = controller.ready.index(5)
    assert min(controller.ready[grown:]) == 4


def test_one_that_shrinks_it_may_take_outdated_vmis_itself() -> None:
    cluster, _controller = controlled(6, outdated=6)

    def shrink(request: Request) -> Answer | None:
        if request.method == "DELETE" and not request.query and cluster.live["spec"]["replicas"] == 6:
            cluster.put(SETS, changed(cluster.live, "spec.replicas", 3))
        return None

    cluster.refuse = shrink
    made = roll_out(cluster, 1)
    assert made["replicas"] == {"desired": 3, "current": 3, "ready": 3, "outdated": 0, "terminating": 0}
    assert made["replaced"] == deleted(cluster)


def test_a_vmi_counts_once_it_has_been_ready_for_long_enough() -> None:
    cluster, _controller = controlled(2, outdated=1)
    cluster.tells_time = True
    made = roll_out(cluster, 1, min_ready_seconds=3)
    assert made["batches"] == [["web0"]]
    assert 3 <= made["duration"] <= 5
    assert any("1 Scheduling" not in line and "batch 1" in line for line in cluster.lines)


def test_there_is_a_pause_between_batches_and_none_after_the_last() -> None:
    cluster, _controller = controlled(3, outdated=3)
    made = roll_out(cluster, 1, pause_between=2)
    assert len(made["batches"]) == 3
    assert 4 <= made["duration"] <= 5.5
    assert any(line.partition(" (")[0].endswith("3/3 ready, pausing") for line in cluster.lines)
    assert "pausing" not in cluster.lines[-1]


def test_a_pause_takes_no_time_of_a_batch() -> None:
    cluster, _controller = controlled(2, outdated=2)
    made = roll_out(cluster, 1, pause_between=3, batch_timeout=2)
    assert facts(made, "failed", "batches") == [None, [["web1"], ["web0"]]]
    assert 3 <= made["duration"] <= 4


def test_a_rollout_begins_once_the_set_is_ready_for_it() -> None:
    cluster, _controller = controlled(3, outdated=1, boot_seconds=1)
    cluster.lists[INSTANCES] = cluster.lists[INSTANCES][:2]
    made = roll_out(cluster, 1)
    assert facts(made, "failed", "batches") == [None, [["web0"]]]
    assert 2 <= made["duration"] <= 4


def test_a_budget_makes_batches_smaller() -> None:
    cluster, controller = controlled(3, outdated=3, boot_seconds=1)
    cluster.lists[BUDGETS] = [budget("b", 1)]
    made = roll_out(cluster, 3, check_mode=True)
    assert [len(batch) for batch in made["batches"]] == [1, 1, 1]
    assert [len(batch) for batch in roll_out(cluster, 3)["batches"]] == [1, 1, 1]
    assert min(controller.ready) == 2


def test_a_budget_that_holds_is_waited_for() -> None:
    cluster, controller = controlled(3, outdated=1)
    cluster.lists[BUDGETS] = [budget("b", 0)]

    def free(seconds: float) -> None:
        if seconds >= 2:
            cluster.lists[BUDGETS] = [budget("b", 1)]
        controller.act()

    cluster.meanwhile = free
    planned = roll_out(cluster, 1, check_mode=True)
    assert facts(planned, "changed", "batches") == [False, []]
    assert planned["warnings"] == [
        "The rollout would stop: PodDisruptionBudget b allows no disruption: 4 of 4 pods are healthy, and 4 have to be."
    ]
    made = roll_out(cluster, 1)
    assert facts(made, "failed", "replaced") == [None, ["web0"]]
    assert 2 <= made["duration"] <= 3


def test_budgets_can_be_ignored_and_are_not_read_then() -> None:
    cluster, _controller = controlled(3, outdated=1)
    cluster.lists[BUDGETS] = [budget("b", 0)]
    cluster.refuse = forbid("list poddisruptionbudgets", "watch poddisruptionbudgets")
    made = roll_out(cluster, 1)
    assert 'User "jane" may not list poddisruptionbudgets.policy' in made["msg"]
    assert made["msg"].endswith('Or set "disruption_budgets: ignore".')
    assert deleted(cluster) == []
    made = roll_out(cluster, 1, disruption_budgets="ignore")
    assert facts(made, "failed", "replaced") == [None, ["web0"]]
    assert "poddisruptionbudgets" not in cluster.asked("GET")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"max_unavailable": "0"}, '"max_unavailable" is "0"'),
        ({"pause_between": -1}, '"pause_between" is -1: it must be 0 or more.'),
        ({"batch_timeout": -1}, '"batch_timeout" is -1: it must be 0 or more.'),
        ({"batch_timeout": 0}, '"batch_timeout" is 0: a batch needs some seconds.'),
        ({"progress_deadline": -3}, '"progress_deadline" is -3: it must be 0 or more.'),
        ({"min_ready_seconds": -1}, '"min_ready_seconds" is -1: it must be 0 or more.'),
        ({"revision_history_limit": -1}, '"revision_history_limit" is -1: it must be 0 or more.'),
        ({"revision": 3}, '"revision" means something with "state: rolled_back" only, and the state is updated.'),
        ({"revision": 3, "state": "restarted"}, '"revision" means something with "state: rolled_back" only, and the state is restarted.'),
        ({"restart_id": "x", "state": "rolled_back"}, '"restart_id" means something with "state: restarted" only'),
        ({"wait_grace": -1}, '"wait_grace" is -1'),
    ],
)
def test_bad_input_is_said_before_anything_is_asked(options: dict[str, t.Any], told: str) -> None:
    cluster, _controller = controlled(3, outdated=1)
    assert cluster.run("vmirs_rollout", name="web", **options)["msg"].startswith(told)
    assert cluster.server.requests == []


def test_a_set_that_cannot_be_rolled_out_is_left_alone() -> None:
    cluster = Cluster()
    assert roll_out(cluster)["msg"] == f"{WEB} does not exist: create it first (module vmirs)."
    cluster.put(SETS, replica_set(3, deleting=True))
    assert roll_out(cluster)["msg"] == f"{WEB} is being deleted, so nothing can be rolled out."
    cluster.put(SETS, replica_set(3, paused=True))
    paused = f"{WEB} is paused, so nothing that a rollout removes would be replaced: "
    assert roll_out(cluster)["msg"] == f'{paused}resume it first (vmirs with "paused: false").'
    job = '{"replicas": 2, "remove": [], "resume": true}'
    cluster.put(SETS, changed(replica_set(3, paused=True), "metadata.annotations", {"vmscale.kubevirt/scale-in": job}))
    assert roll_out(cluster)["msg"] == f"{paused}a scale-in to 2 that did not finish has paused it: run vmirs_scale again."
    cluster.put(SETS, replica_set(3))
    assert "carries no template hash, so nobody can tell which of its VMIs are outdated" in roll_out(cluster)["msg"]
    assert cluster.written() == []


def test_vmis_of_somebody_else_are_not_replaced() -> None:
    cluster, _controller = controlled(3, outdated=1)
    cluster.lists[INSTANCES].append(instance("foreign", owner="somebody", template_hash=hash_in("1Gi")))
    assert facts(roll_out(cluster, 4), "failed", "replaced") == [None, ["web0"]]
    assert "foreign" in cluster.names()
