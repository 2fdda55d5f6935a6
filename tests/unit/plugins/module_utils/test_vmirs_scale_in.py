# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The operation behind `vmirs_scale`, where it is chosen who goes: pause, delete, lower the number and resume."""

from __future__ import annotations

import json
import typing as t

import pytest

from unit.support.cluster import INSTANCES, SCALERS, SETS
from unit.support.controlled import annotations_of, controlled, facts, failing, forbid
from unit.support.objects import autoscaler, changed, instance
from unit.support.scaling import ANNOTATION, PAUSE, RESUME, SET, VMIS, choose, gone, interrupted, is_left, patches
from unit.support.server import Answer, Request, refusal


def test_it_pauses_deletes_and_resumes_with_one_write() -> None:
    cluster, _controller = controlled(5)
    made = choose(cluster, 3, scale_in_order="oldest")
    assert facts(made, "changed", "method", "previous_replicas", "removed") == [True, "patch", 5, ["web0", "web1"]]
    assert made["replicas"] == {"desired": 3, "current": 3, "ready": 3, "outdated": 0, "terminating": 0}
    assert cluster.names() == ["web2", "web3", "web4"]
    assert cluster.written() == [*gone("web0", dry=True), PAUSE, *gone("web0", "web1"), RESUME]
    pause, resume = patches(cluster)
    assert json.loads(pause["metadata"]["annotations"][ANNOTATION]) == {"replicas": 3, "remove": ["web0", "web1"], "resume": True}
    assert (pause["metadata"]["resourceVersion"], pause["spec"]) == ("101", {"paused": True})
    # By the version that was read last: whoever has resumed the set meanwhile is not overruled.
    version = resume["metadata"].pop("resourceVersion")
    assert int(version) > 101
    assert resume == {"metadata": {"annotations": {ANNOTATION: None}}, "spec": {"replicas": 3, "paused": None}}
    assert is_left(cluster) is None
    assert (made["diff"]["before"]["instances"], made["diff"]["after"]["instances"]) == (["web0", "web1"], [])
    assert "instances" not in choose(cluster, 3, scale_in_order="oldest")["diff"]["before"]
    assert cluster.written() == []


@pytest.mark.parametrize(
    ("options", "removed"),
    [
        ({"replicas": 3, "scale_in_order": "newest"}, ["web4", "web3"]),
        ({"replicas": 3, "scale_in_order": "outdated_first"}, ["web1", "web0"]),
        ({"replicas": 3, "scale_in_order": "node_spread"}, ["web3", "web4"]),
        ({"replicas": 0, "scale_in_order": "oldest"}, ["web0", "web1", "web2", "web3", "web4"]),
        ({"replicas": 3, "remove": ["web2"]}, ["web2", "web4"]),
        ({"replicas": 3, "remove": ["web2"], "scale_in_order": "oldest"}, ["web2", "web0"]),
        ({"remove": ["web2", "web0"]}, ["web2", "web0"]),
        ({"remove": ["web2", "never", "web2"]}, ["web2"]),
        ({"remove": ["never"]}, []),
        ({"replicas": 7, "scale_in_order": "oldest"}, []),
        ({"replicas": 5, "remove": ["never"]}, []),
    ],
)
def test_those_that_are_chosen_go(options: dict[str, t.Any], removed: list[str]) -> None:
    cluster, _controller = controlled(5, outdated=2)
    dry = choose(cluster, check_mode=True, **options)
    assert all(is_dry for _method, _path, is_dry in cluster.written())
    made = choose(cluster, **options)
    assert made["removed"] == dry["removed"] == removed
    assert made["changed"] is dry["changed"] is bool(removed or options.get("replicas") == 7)
    assert set(removed).isdisjoint(cluster.names())
    assert made["replicas"]["ready"] == made["replicas"]["desired"] == options.get("replicas", 5 - len(removed))
    assert is_left(cluster) is None
    again = choose(cluster, **options)
    assert facts(again, "changed", "removed") == [False, []]
    assert cluster.written() == []


def test_check_mode_asks_for_each_vmi_and_writes_nothing() -> None:
    cluster, _controller = controlled(5)
    made = choose(cluster, 3, check_mode=True, scale_in_order="newest")
    assert facts(made, "changed", "method", "removed", "duration") == [True, "patch", ["web4", "web3"], None]
    assert cluster.written() == [*gone("web4", "web3", dry=True), ("PATCH", f"{SET}/web", True)]
    assert (made["result"]["spec"]["replicas"], made["diff"]["before"]["instances"]) == (3, ["web3", "web4"])
    assert cluster.live["spec"] == {**cluster.live["spec"], "replicas": 5}
    assert len(cluster.names()) == 5
    cluster.refuse = failing(lambda request: request.path.endswith("web3"), refusal(403, "Forbidden", "admission says no"))
    assert "admission says no" in choose(cluster, 3, check_mode=True, scale_in_order="newest")["msg"]


@pytest.mark.parametrize("missing", [f"delete {VMIS}", f"patch {SET}", f"list {VMIS}"])
def test_a_right_that_is_missing_is_said_before_anything_is_written(missing: str) -> None:
    cluster, _controller = controlled(5)
    cluster.refuse = forbid(missing)
    made = choose(cluster, 3, scale_in_order="oldest")
    verb, resource = missing.split()
    assert facts(made, "failed", "changed") == [True, False]
    assert f'User "jane" may not {verb} {resource}.kubevirt.io' in made["msg"]
    assert "paused" not in made["msg"]
    assert cluster.written() in ([], gone("web0", dry=True), [*gone("web0", dry=True), PAUSE])
    assert (is_left(cluster), len(cluster.names())) == (None, 5)


def test_a_vmi_of_somebody_else_is_not_removed() -> None:
    cluster, _controller = controlled(3)
    cluster.lists[INSTANCES].append(instance("same-labels", owner="somebody"))
    cluster.objects[f"{INSTANCES}/other-labels"] = instance("other-labels", owner="somebody", labels={"app": "db"})
    for name in ("same-labels", "other-labels"):
        made = choose(cluster, remove=["web0", name, name])
        assert (
            f'"remove" names VirtualMachineInstance {name}, which VirtualMachineInstanceReplicaSet default/web does not control'
            in made["msg"]
        )
        assert cluster.written() == []
    assert cluster.asked("GET").count("other-labels") == 1


def test_a_set_that_somebody_has_paused_stays_paused() -> None:
    cluster, controller = controlled(5)
    cluster.put(SETS, changed(cluster.live, "spec.paused", True))
    controller.act()
    made = choose(cluster, 3, scale_in_order="oldest")
    assert facts(made, "changed", "removed", "failed") == [True, ["web0", "web1"], None]
    assert json.loads(patches(cluster)[0]["metadata"]["annotations"][ANNOTATION])["resume"] is False
    assert (cluster.live["spec"]["paused"], annotations_of(cluster.live)) == (True, {})
    assert cluster.live["spec"]["replicas"] == 3


def test_who_is_chosen_is_chosen_by_what_is_there_once_the_set_is_paused() -> None:
    cluster, _controller = controlled(5)
    cluster.refuse = lambda request: fall(request)

    def fall(request: Request) -> None:
        if request.method == "PATCH" and len(cluster.names()) == 5:
            cluster.lists[INSTANCES] = [each for each in cluster.lists[INSTANCES] if each["metadata"]["name"] != "web4"]

    made = choose(cluster, 3, scale_in_order="newest")
    # One of the two has gone by itself.
    assert made["removed"] == ["web3"]
    assert cluster.names() == ["web0", "web1", "web2"]


def test_an_autoscaler_that_writes_meanwhile_does_not_change_what_was_begun() -> None:
    cluster, _controller = controlled(5)

    def rescale(request: Request) -> Answer | None:
        if request.method == "DELETE" and request.body.get("dryRun") is None:
            cluster.put(SETS, changed(cluster.live, "spec.replicas", 8))
        return None

    cluster.refuse = rescale
    assert choose(cluster, 3, scale_in_order="oldest")["replicas"]["ready"] == 3
    assert cluster.names() == ["web2", "web3", "web4"]


@pytest.mark.parametrize(
    ("remaining", "options", "removed"),
    [
        # Ended before the first deletion, in between, after the last.
        (5, {"replicas": 3, "scale_in_order": "oldest"}, ["web0", "web1"]),
        (4, {"replicas": 3, "scale_in_order": "oldest"}, ["web1"]),
        (3, {"replicas": 3, "scale_in_order": "oldest"}, []),
        # Whoever was chosen stays chosen, and named ones go first.
        (5, {"replicas": 3, "scale_in_order": "newest"}, ["web0", "web1"]),
        (4, {"replicas": 3, "scale_in_order": "newest"}, ["web1"]),
        (4, {"replicas": 3}, ["web1"]),
        (4, {"replicas": 3, "remove": ["web3"]}, ["web3"]),
        (4, {"replicas": 2, "remove": ["web3"]}, ["web3", "web1"]),
        (5, {"remove": ["web0", "web1"]}, ["web0", "web1"]),
        (4, {"remove": ["web0", "web1"]}, ["web1"]),
        (3, {"remove": ["web0", "web1"]}, []),
        (4, {"replicas": 5}, []),
    ],
)
def test_what_was_ended_in_the_middle_is_finished(remaining: int, options: dict[str, t.Any], removed: list[str]) -> None:
    cluster = interrupted({"replicas": 3, "remove": ["web0", "web1"]}, remaining)
    dry = choose(cluster, check_mode=True, **options)
    made = choose(cluster, **options)
    assert facts(made, "changed", "failed", "method", "removed") == [True, None, "patch", removed]
    assert facts(dry, "changed", "method", "removed") == [True, "patch", removed]
    assert is_left(cluster) is None
    desired = options.get("replicas", 3)
    assert made["replicas"] == {"desired": desired, "current": desired, "ready": desired, "outdated": 0, "terminating": 0}
    assert facts(choose(cluster, **options), "changed", "removed") == [False, [] if len(options) > 1 or "remove" in options else None]


def test_the_same_job_is_not_written_again_and_another_one_is() -> None:
    cluster = interrupted({"replicas": 3, "remove": ["web0", "web1"]})
    choose(cluster, 3, scale_in_order="oldest")
    assert cluster.written() == [*gone("web0", dry=True), *gone("web0", "web1"), RESUME]
    cluster = interrupted({"replicas": 3, "remove": ["web0", "web1"], "resume": False})
    choose(cluster, 2, scale_in_order="oldest")
    assert json.loads(patches(cluster)[0]["metadata"]["annotations"][ANNOTATION]) == {
        "replicas": 2,
        "remove": ["web0", "web1", "web2"],
        "resume": False,
    }
    assert cluster.live["spec"]["paused"] is True


def test_what_was_allowed_once_is_finished_against_an_autoscaler() -> None:
    cluster = interrupted({"replicas": 1, "remove": ["web0", "web1", "web2", "web3"]}, 3)
    cluster.put(SCALERS, autoscaler())
    made = choose(cluster, 2)
    assert "is autoscaled, so 2 would not last" in made["msg"]
    assert "Also, a scale-in to 1 that did not finish has paused it: run vmirs_scale again" in made["msg"]
    made = choose(cluster, 1)
    assert facts(made, "changed", "failed", "removed") == [True, None, ["web2", "web3"]]


def test_where_the_autoscaler_keeps_its_number_an_unfinished_scale_in_is_ended() -> None:
    cluster = interrupted({"replicas": 1, "remove": ["web0", "web1", "web2", "web3"]}, 4)
    cluster.put(SCALERS, autoscaler())
    made = choose(cluster, 2, remove=["web4"], replicas_when_autoscaled="keep")
    assert facts(made, "changed", "removed") == [True, []]
    assert (is_left(cluster), made["replicas"]["ready"], "web4" in cluster.names()) == (None, 5, True)


def test_named_vmis_stay_where_the_autoscaler_keeps_its_number() -> None:
    cluster, _controller = controlled(5)
    cluster.put(SCALERS, autoscaler())
    made = choose(cluster, remove=["web0"], replicas_when_autoscaled="keep")
    assert facts(made, "changed", "removed", "autoscaled_by") == [False, [], ["web"]]
    assert cluster.written() == []
    made = choose(cluster, remove=["web0"], replicas_when_autoscaled="set")
    assert facts(made, "changed", "removed") == [True, ["web0"]]
    assert made["warnings"]


def test_waits_that_follow_one_another_are_told_as_one() -> None:
    cluster, _controller = controlled(4, boot_seconds=1, shutdown_seconds=2)
    made = choose(cluster, 2, scale_in_order="oldest")
    moments = [point["elapsed"] for point in made["timeline"]]
    assert moments == sorted(moments)
    assert moments[0] == 0
    assert 2 <= moments[-1] <= made["duration"] <= 4
    assert made["timeline"][-1]["ready"] == 2


def test_without_waiting_it_is_done_all_the_same() -> None:
    cluster, _controller = controlled(5)
    made = choose(cluster, 3, scale_in_order="oldest", wait=False)
    assert facts(made, "changed", "removed", "duration") == [True, ["web0", "web1"], None]
    assert (is_left(cluster), cluster.live["spec"]["replicas"]) == (None, 3)


def test_a_set_whose_vmis_cannot_start_is_scaled_in_without_patience() -> None:
    cluster, _controller = controlled(3)
    stuck = ("PodScheduled", "False", "Unschedulable", "0/4 nodes are available")
    cluster.lists[INSTANCES][0] = instance("web0", ready=False, phase="Scheduling", conditions=[stuck])
    made = choose(cluster, 2, scale_in_order="not_ready_first", wait_grace=0)
    assert facts(made, "failed", "removed") == [None, ["web0"]]
