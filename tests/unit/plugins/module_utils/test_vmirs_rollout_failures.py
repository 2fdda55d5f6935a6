# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rollouts that stop: after one batch, with the reason, what has been done, and the rest untouched."""

from __future__ import annotations

import re
import typing as t

import pytest

from unit.support.budgets import budget
from unit.support.cluster import BUDGETS, INSTANCES, REVISIONS, SCALERS, SETS, Cluster
from unit.support.controlled import controlled, facts, failing, forbid, right
from unit.support.objects import changed
from unit.support.recorded import Object
from unit.support.rollouts import HISTORY, VMIS, WEB, deleted, roll_out
from unit.support.server import Answer, Request, refusal
from unit.support.templates import HASH, hash_in

SYNC_FAILED = "virtualmachineinstances.kubevirt.io does not implement the scale subresource"


def is_updated(live: Object) -> bool:
    """Return whether a VMI has the present template."""
    return bool(live["metadata"]["labels"][HASH] == hash_in("2Gi"))


def never_booting(replicas: int = 6) -> Cluster:
    """Return a cluster whose new template cannot boot."""
    cluster, controller = controlled(replicas, outdated=replicas)
    controller.boots = lambda instance: not is_updated(instance)
    return cluster


def unschedulable(cluster: Cluster) -> t.Callable[[float], None]:
    """Return what makes VMIs that have no room say so."""
    act = cluster.meanwhile
    stuck = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/4 nodes are available"}

    def tell(seconds: float) -> None:
        act(seconds)
        for each in cluster.lists[INSTANCES]:
            if each["status"]["phase"] == "Scheduling" and stuck not in each["status"]["conditions"]:
                each["status"]["conditions"].append(stuck)

    return tell


def test_the_first_batch_that_does_not_become_ready_is_the_last() -> None:
    cluster = never_booting()
    made = roll_out(cluster, 2, batch_timeout=3, progress_deadline=0)
    assert facts(made, "failed", "changed", "method", "batches", "replaced") == [True, True, "delete", [["web5", "web4"]], ["web5", "web4"]]
    assert made["msg"].startswith(f"{WEB} has stopped its rollout in batch 1 after 3 s: ")
    assert made["msg"].endswith("VMI new0 is Scheduling; VMI new1 is Scheduling; 4 of 6 are still outdated.")
    assert made["replicas"] == {"desired": 6, "current": 6, "ready": 4, "outdated": 4, "terminating": 0}
    assert made["reasons"] == ["VMI new0 is Scheduling", "VMI new1 is Scheduling", "4 of 6 are still outdated"]
    assert (made["duration"], made["timeline"][0]["elapsed"], made["revision"]) == (pytest.approx(3, abs=0.1), 0, 1)
    assert made["timeline"][-1]["ready"] == 4
    assert deleted(cluster) == ["web5", "web4"]


def test_nothing_more_than_what_failed_is_tried_again() -> None:
    cluster = never_booting(4)
    assert roll_out(cluster, 1, batch_timeout=2, progress_deadline=0)["replaced"] == ["web3"]
    again = roll_out(cluster, 1, batch_timeout=2, progress_deadline=0)
    assert facts(again, "failed", "changed", "replaced", "method") == [True, False, [], None]
    assert again["msg"].startswith(f"{WEB} is not ready for a rollout after 2 s: ")
    assert deleted(cluster) == []


def test_what_cannot_come_any_more_is_not_waited_for() -> None:
    cluster = never_booting()
    cluster.meanwhile = unschedulable(cluster)
    made = roll_out(cluster, 2, wait_grace=1)
    assert re.match(f"{WEB} has stopped its rollout in batch 1 after [12] s, and waiting for the rest of 600 s is of no use: ", made["msg"])
    assert "2 VMIs cannot be scheduled: 0/4 nodes are available; 4 of 6 ready, and 4 of 6 are still outdated. Add nodes" in made["msg"]
    assert [(each["reason"], each["fatal"]) for each in made["diagnosis"]] == [("Unschedulable", True)]
    assert len(deleted(cluster)) == 2


def test_a_deadline_for_progress_ends_it_before_the_batch_would() -> None:
    cluster, controller = controlled(4, outdated=4, boot_seconds=1)
    controller.boots = lambda instance: instance["metadata"]["name"] != "new1"
    made = roll_out(cluster, 2, progress_deadline=3)
    # Three seconds after the other one of the batch had become available.
    assert "has stopped its rollout in batch 1 after 4 s" in made["msg"]
    assert "no further VMI has become available for 3 s" in made["msg"]
    assert "ProgressDeadlineExceeded" in [each["reason"] for each in made["diagnosis"]]
    assert made["duration"] == pytest.approx(4, abs=0.3)


def test_progress_begins_anew_with_each_batch() -> None:
    cluster, _controller = controlled(2, outdated=2, boot_seconds=2)
    made = roll_out(cluster, 1, progress_deadline=3, batch_timeout=3)
    assert facts(made, "failed", "replicas") == [None, {"desired": 2, "current": 2, "ready": 2, "outdated": 0, "terminating": 0}]
    assert made["duration"] > 3.5


def test_a_budget_that_goes_on_holding_ends_the_batch() -> None:
    cluster, _controller = controlled(4, outdated=4)
    cluster.lists[BUDGETS] = [budget("b", 0, needed=4)]
    made = roll_out(cluster, 1, batch_timeout=3, progress_deadline=2)
    assert made["msg"].startswith(
        f"{WEB} is not ready for a rollout after 3 s: the PodDisruptionBudget b allows no disruption: 4 of 4 pods are "
    )
    assert made["msg"].endswith('Wait until more pods are healthy, lower its minAvailable, or set "disruption_budgets: ignore".')
    assert [(each["reason"], each["fatal"]) for each in made["diagnosis"]] == [("DisruptionBudget", False)]
    assert facts(made, "changed", "replaced") == [False, []]
    assert deleted(cluster) == []


def test_a_budget_that_cannot_be_evaluated_ends_it_soon() -> None:
    cluster, controller = controlled(4, outdated=4)
    cluster.lists[BUDGETS] = [budget("b", 1)]

    def spend(request: Request) -> Answer | None:
        if request.method == "DELETE" and not request.query:
            cluster.lists[BUDGETS] = [budget("b", 0, broken=SYNC_FAILED)]
        return None

    cluster.refuse = spend
    made = roll_out(cluster, 1, wait_grace=1)
    assert made["msg"].startswith(f"{WEB} has stopped its rollout in batch 1 after 1 s, and waiting for the rest of 600 s is of no use: ")
    assert f"the PodDisruptionBudget b allows no disruption, since it cannot be evaluated: {SYNC_FAILED}" in made["msg"]
    assert facts(made, "replaced", "batches") == [["web3"], [["web3"]]]


def test_a_right_to_delete_that_is_missing_is_said_before_anything_is_written() -> None:
    cluster, _controller = controlled(4, outdated=4)
    cluster.refuse = forbid(f"delete {VMIS}")
    made = roll_out(cluster, 1)
    assert f'User "jane" may not delete {VMIS}.kubevirt.io' in made["msg"]
    assert facts(made, "changed", "replaced", "batches") == [False, [], []]
    assert cluster.written() == [("DELETE", f"{VMIS}/web0", True)]
    assert cluster.lists[REVISIONS] == []


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_deletion_that_fails_tells_of_those_before_it(number: int) -> None:
    cluster, _controller = controlled(4, outdated=4)
    sent: list[str] = []

    def refuse(request: Request) -> Answer | None:
        if request.method == "DELETE" and not request.query:
            sent.append(request.path)
        return failing(lambda request: request.method == "DELETE" and len(sent) == number)(request)

    cluster.refuse = refuse
    made = roll_out(cluster, 2)
    replaced = ["web3", "web2", "web1"][: number - 1]
    assert facts(made, "failed", "replaced", "changed") == [True, replaced, number > 1]
    assert made["batches"] == {1: [], 2: [["web3"]], 3: [["web3", "web2"]]}[number]
    assert made["timeline"]
    assert made["replicas"]["desired"] == 4
    cluster.refuse = lambda request: None
    rest = roll_out(cluster, 2)
    assert sorted([*replaced, *rest["replaced"]]) == ["web0", "web1", "web2", "web3"]


def test_what_has_been_seen_last_is_told() -> None:
    cluster, _controller = controlled(3, outdated=3)

    def grow(request: Request) -> Answer | None:
        if request.method == "DELETE" and not request.query:
            if "web2" not in cluster.names():
                return refusal(500, "InternalError", "no leader")
            cluster.put(SETS, changed(cluster.live, "spec.replicas", 5))
        return None

    cluster.refuse = grow
    made = roll_out(cluster, 1)
    assert facts(made, "failed", "replaced") == [True, ["web2"]]
    assert made["replicas"]["desired"] == 5


def test_no_batch_begins_before_the_deletions_of_the_last_one_are_seen() -> None:
    cluster, _controller = controlled(3, outdated=3)
    stale = {"metadata": {"resourceVersion": "1000"}, "items": [*cluster.lists[INSTANCES]]}

    def lag(request: Request) -> Answer | None:
        return Answer(200, stale) if request.path == INSTANCES and not request.query.get("watch") else None

    cluster.refuse = lag
    made = roll_out(cluster, 1, batch_timeout=2)
    assert "the deletion of web2 has not been seen yet" in made["msg"]
    assert deleted(cluster) == ["web2"]


def test_what_fails_between_batches_tells_of_those_before_it() -> None:
    cluster, _controller = controlled(4, outdated=4)
    cluster.refuse = failing(lambda request: request.path == SCALERS and "web3" not in cluster.names())
    made = roll_out(cluster, "25%")
    assert facts(made, "failed", "changed", "replaced") == [True, True, ["web3"]]


def test_a_set_that_goes_ends_its_rollout() -> None:
    cluster, controller = controlled(4, outdated=4)

    def remove(request: Request) -> Answer | None:
        if request.method == "DELETE" and not request.query:
            cluster.put(SETS, changed(cluster.live, "metadata.deletionTimestamp", "2026-11-23T20:41:00Z"))
            controller.is_down = True
        return None

    cluster.refuse = remove
    made = roll_out(cluster, 1)
    assert made["failed"] is True
    assert "BeingDeleted" in [each["reason"] for each in made["diagnosis"]]
    assert deleted(cluster) == ["web3"]


def test_a_set_that_somebody_pauses_is_not_rolled_out_any_further() -> None:
    cluster, _controller = controlled(4, outdated=4)

    def pause(request: Request) -> Answer | None:
        if request.method == "DELETE" and not request.query:
            cluster.put(SETS, changed(cluster.live, "spec.paused", True))
        return None

    cluster.refuse = pause
    made = roll_out(cluster, 1, wait_grace=1)
    assert made["failed"] is True
    assert "the set is paused, so VMIs are neither created nor deleted" in made["msg"]
    assert deleted(cluster) == ["web3"]


def test_a_conflict_over_a_revision_is_no_failure() -> None:
    cluster, _controller = controlled(2, outdated=1)
    taken: list[str] = []

    def take(request: Request) -> Answer | None:
        if right(request) == ("create", HISTORY) and not taken:
            taken.append("x")
            return Answer(409, {"kind": "Status", "reason": "AlreadyExists"})
        return None

    cluster.refuse = take
    assert facts(roll_out(cluster), "failed", "replaced", "revision") == [None, ["web0"], 1]
