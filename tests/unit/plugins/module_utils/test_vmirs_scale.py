# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The operation behind `vmirs_scale`, where KubeVirt chooses who goes: by which way the number is written, and against whom."""

from __future__ import annotations

import typing as t

import pytest

from unit.support.cluster import SCALERS, SETS, Cluster
from unit.support.controlled import annotations_of, controlled, facts, failing, forbid, right
from unit.support.objects import autoscaler, changed, replica_set
from unit.support.server import Answer, Request, refusal

SET, SCALE = "virtualmachineinstancereplicasets", "virtualmachineinstancereplicasets/scale"
PATCHED = [("PATCH", f"{SET}/web", False)]
NO_SCALERS = 'User "jane" may not list horizontalpodautoscalers.autoscaling'


def scale(cluster: Cluster, replicas: int | None, check_mode: bool = False, **options: t.Any) -> dict[str, t.Any]:
    """Run `vmirs_scale`."""
    return cluster.run("vmirs_scale", check_mode=check_mode, name="web", replicas=replicas, **options)


def test_a_number_is_written_once() -> None:
    cluster, _controller = controlled(3)
    made = scale(cluster, 5)
    assert facts(made, "changed", "method", "previous_replicas", "removed", "autoscaled_by") == [True, "patch", 3, None, []]
    assert made["replicas"] == {"desired": 5, "current": 5, "ready": 5, "outdated": 0, "terminating": 0}
    assert (made["result"]["spec"]["replicas"], made["diagnosis"], made["warnings"], made["autoscaler_bounds"]) == (5, [], [], [])
    assert cluster.written() == PATCHED
    body = next(each.body for each in cluster.server.requests if each.method == "PATCH")
    assert body == {"metadata": {"resourceVersion": "101"}, "spec": {"replicas": 5}}
    assert (made["diff"]["before"]["spec"]["replicas"], made["diff"]["after"]["spec"]["replicas"]) == (3, 5)
    again = scale(cluster, 5)
    assert facts(again, "changed", "method", "previous_replicas", "autoscaled_by", "duration") == [False, None, 5, None, 0]
    assert [right(each) for each in cluster.server.requests] == [("get", SET), ("list", "virtualmachineinstances")]
    assert again["diff"]["before"] == again["diff"]["after"]


def test_without_waiting_the_set_alone_is_read_and_written() -> None:
    cluster, _controller = controlled(3)
    made = scale(cluster, 5, wait=False, replicas_when_autoscaled="set")
    assert facts(made, "changed", "duration", "timeline") == [True, None, None]
    assert made["replicas"]["terminating"] is None
    assert [each.method for each in cluster.server.requests] == ["GET", "GET", "PATCH"]
    scale(cluster, 5, wait=False)
    assert [each.method for each in cluster.server.requests] == ["GET"]


def test_it_waits_until_the_surplus_vmis_are_gone() -> None:
    cluster, _controller = controlled(3, shutdown_seconds=1)
    made = scale(cluster, 1)
    assert made["replicas"]["terminating"] == 0
    assert 1 <= made["duration"] <= 2
    assert len(cluster.names()) == 1
    assert made["removed"] is None
    assert scale(cluster, 0)["replicas"] == {"desired": 0, "current": 0, "ready": 0, "outdated": 0, "terminating": 0}


def test_a_wait_in_vain_says_why_and_what_has_been_done() -> None:
    cluster, controller = controlled(3)
    controller.boots = lambda instance: False
    made = scale(cluster, 4, wait_timeout=3)
    assert facts(made, "failed", "changed", "method", "previous_replicas") == [True, True, "patch", 3]
    assert made["msg"].startswith("VirtualMachineInstanceReplicaSet default/web is not ready after 3 s: ")
    assert made["replicas"]["ready"] == 3
    assert made["timeline"][0]["elapsed"] == 0
    again = scale(cluster, 4, wait_timeout=2)
    assert facts(again, "failed", "changed", "method") == [True, False, None]


def test_check_mode_sends_nothing_but_dry_runs() -> None:
    cluster, _controller = controlled(3)
    made = scale(cluster, 5, check_mode=True)
    assert facts(made, "changed", "method", "duration") == [True, "patch", None]
    assert (made["result"]["spec"]["replicas"], cluster.live["spec"]["replicas"]) == (5, 3)
    assert cluster.written() == [("PATCH", f"{SET}/web", True)]
    cluster.refuse = forbid(f"patch {SET}")
    made = scale(cluster, 5, check_mode=True)
    assert (made["method"], cluster.live["spec"]["replicas"]) == ("scale", 3)
    assert cluster.written() == [("PATCH", f"{SET}/web", True), ("PATCH", "web/scale", True)]


def test_who_may_not_patch_the_set_patches_its_scale() -> None:
    cluster, _controller = controlled(3)
    cluster.refuse = forbid(f"patch {SET}")
    made = scale(cluster, 5)
    assert facts(made, "changed", "method", "warnings") == [True, "scale", []]
    assert (made["replicas"]["ready"], made["result"]["spec"]["replicas"]) == (5, 5)
    (body,) = [each.body for each in cluster.server.requests if each.path.endswith("/scale")]
    assert body == {"metadata": {"resourceVersion": "101"}, "spec": {"replicas": 5}}
    assert made["diff"]["after"]["spec"] == {**made["diff"]["before"]["spec"], "replicas": 5}


def test_what_a_scale_in_has_left_on_a_set_that_somebody_resumed_goes_with_the_next_number() -> None:
    cluster, _controller = controlled(3)
    stale = {"vmscale.kubevirt/scale-in": '{"replicas": 1, "remove": ["web0"], "resume": true}', "team": "a"}
    cluster.put(SETS, changed(cluster.live, "metadata.annotations", stale))
    cluster.refuse = forbid(f"patch {SET}")
    assert scale(cluster, 4)["method"] == "scale"
    assert annotations_of(cluster.live) == stale
    cluster.refuse = lambda request: None
    assert scale(cluster, 5)["method"] == "patch"
    assert (annotations_of(cluster.live), len(cluster.names())) == ({"team": "a"}, 5)


def test_who_may_patch_neither_is_told_of_both_rights() -> None:
    cluster, _controller = controlled(3)
    cluster.refuse = forbid(f"patch {SET}", f"patch {SCALE}")
    made = scale(cluster, 5)
    assert facts(made, "failed", "changed", "status") == [True, False, 403]
    assert made["msg"] == (
        f'User "jane" may not patch {SET}.kubevirt.io in namespace "default": a Role or ClusterRole must grant the verb "patch" on '
        f'{SET}.kubevirt.io. Or grant it on its scale: User "jane" may not patch {SET}.kubevirt.io/scale in namespace "default": '
        f'a Role or ClusterRole must grant the verb "patch" on {SET}.kubevirt.io/scale.'
    )


@pytest.mark.parametrize("answer", [refusal(403, "Forbidden", "admission says no"), refusal(500, "InternalError", "no leader")])
def test_what_is_refused_for_another_reason_is_not_tried_by_the_other_way(answer: Answer) -> None:
    cluster, _controller = controlled(3)
    cluster.refuse = failing(lambda request: request.method == "PATCH" and not request.path.endswith("/scale"), answer)
    assert scale(cluster, 5)["failed"] is True
    assert cluster.written() == PATCHED
    cluster.refuse = lambda request: forbid(f"patch {SET}")(request) or (answer if right(request) == ("patch", SCALE) else None)
    made = scale(cluster, 5)
    assert made["failed"] is True
    assert "Or grant it" not in made["msg"]


def test_who_may_use_its_scale_alone_is_served_without_waiting() -> None:
    cluster, _controller = controlled(3)
    cluster.refuse = forbid(f"get {SET}", f"patch {SET}", "list virtualmachineinstances")
    made = scale(cluster, 5, wait=False)
    assert facts(made, "changed", "method", "previous_replicas") == [True, "scale", 3]
    # Its scale does not tell who is ready.
    assert made["replicas"] == {"desired": 5, "current": 3, "ready": None, "outdated": None, "terminating": None}
    assert cluster.live["spec"]["replicas"] == 5
    assert facts(scale(cluster, 5, wait=False), "changed", "method") == [False, None]
    cluster.objects.clear()
    assert "web does not exist: create it first (module vmirs)." in scale(cluster, 5, wait=False)["msg"]


@pytest.mark.parametrize("options", [{"wait": True}, {"wait": False, "scale_in_order": "oldest"}, {"wait": False, "remove": ["web0"]}])
def test_waiting_and_choosing_need_the_set_itself(options: dict[str, t.Any]) -> None:
    cluster, _controller = controlled(3)
    cluster.refuse = forbid(f"get {SET}")
    made = scale(cluster, 2, **options)
    assert f'User "jane" may not get {SET}.kubevirt.io in namespace "default"' in made["msg"]
    assert ('Or set "wait: false": then its scale is enough.' in made["msg"]) is options["wait"]
    assert cluster.asked("GET") == ["web"]


def test_who_may_read_neither_is_told_of_both_rights() -> None:
    cluster, _controller = controlled(3)
    cluster.refuse = forbid(f"get {SET}", f"get {SCALE}")
    made = scale(cluster, 5, wait=False)
    assert f'may not get {SET}.kubevirt.io in namespace "default"' in made["msg"]
    assert f'Or grant it on its scale: User "jane" may not get {SET}.kubevirt.io/scale in namespace "default"' in made["msg"]


@pytest.mark.parametrize("status", [404, 500])
def test_a_set_that_cannot_be_read_is_not_looked_for_in_its_scale(status: int) -> None:
    cluster, _controller = controlled(3)
    cluster.refuse = failing(lambda request: request.path == f"{SETS}/web", refusal(status, "x", "x", name="web", kind=SET))
    assert scale(cluster, 2, wait=False)["failed"] is True
    assert cluster.asked("GET") == ["web"]


def test_a_set_that_is_not_there_or_goes_is_not_scaled() -> None:
    cluster = Cluster()
    assert scale(cluster, 2)["msg"] == "VirtualMachineInstanceReplicaSet default/web does not exist: create it first (module vmirs)."
    cluster.put(SETS, replica_set(3, deleting=True))
    assert scale(cluster, 2)["msg"] == "VirtualMachineInstanceReplicaSet default/web is being deleted, so it cannot be scaled."
    assert cluster.written() == []


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"replicas": -1}, '"replicas" (spec.replicas) is -1: it must be 0 or more.'),
        ({"remove": ["web0", ""]}, '"remove" has an empty name in it: name VMIs of the set.'),
        ({"replicas": 1, "wait_timeout": -1}, '"wait_timeout" is -1: it must be a number of seconds, 0 or more.'),
    ],
)
def test_bad_input_is_said_before_anything_is_asked(options: dict[str, t.Any], told: str) -> None:
    cluster, _controller = controlled(3)
    assert cluster.run("vmirs_scale", name="web", **options)["msg"] == told
    assert cluster.server.requests == []


@pytest.mark.parametrize("way", ["patch", "scale"])
def test_whoever_writes_in_between_is_not_overruled(way: str) -> None:
    cluster, _controller = controlled(3)
    written: list[int] = []

    def interfere(request: Request) -> Answer | None:
        if request.method == "PATCH" and not written:
            written.append(6)
            cluster.put(SETS, changed(cluster.live, "spec.replicas", 6))
        return forbid(f"patch {SET}")(request) if way == "scale" else None

    cluster.refuse = interfere
    made = scale(cluster, 5)
    assert facts(made, "changed", "method", "previous_replicas") == [True, way, 6]
    assert cluster.live["spec"]["replicas"] == 5
    written.clear()
    cluster.refuse = lambda request: refusal(409, "Conflict", "modified") if request.method == "PATCH" else None
    assert "changed by somebody else" in scale(cluster, 4)["msg"]
    assert 3 < len(cluster.asked("PATCH")) <= 20


def autoscaled(replicas: int = 3, **options: t.Any) -> Cluster:
    """Return a cluster whose set is autoscaled between 2 and 6."""
    cluster, _controller = controlled(replicas)
    cluster.put(SCALERS, autoscaler(**options))
    cluster.put(SCALERS, autoscaler("other", target={"name": "another"}))
    return cluster


def test_an_autoscaler_is_not_fought_unless_asked() -> None:
    cluster = autoscaled()
    failed = scale(cluster, 8)
    assert "is autoscaled, so 8 would not last: HorizontalPodAutoscaler web (2 to 6 replicas) would bring it down to 6." in failed["msg"]
    assert cluster.written() == []
    kept = scale(cluster, 8, replicas_when_autoscaled="keep")
    assert facts(kept, "changed", "method", "autoscaled_by") == [False, None, ["web"]]
    assert kept["warnings"][0].startswith("replicas of VirtualMachineInstanceReplicaSet default/web left at 3 instead of 8")
    put = scale(cluster, 8, replicas_when_autoscaled="set")
    assert facts(put, "changed", "autoscaled_by", "autoscaler_bounds") == [True, ["web"], []]
    assert "would bring it down to 6" in put["warnings"][0]
    assert cluster.live["spec"]["replicas"] == 8


def test_a_set_at_zero_is_not_autoscaled_and_what_stays_is_not_asked_about() -> None:
    cluster = autoscaled(0)
    made = scale(cluster, 3)
    assert facts(made, "changed", "autoscaled_by", "warnings") == [True, None, []]
    assert "horizontalpodautoscalers" not in cluster.asked("GET")
    assert facts(scale(cluster, 3), "changed", "autoscaled_by") == [False, None]
    assert "horizontalpodautoscalers" not in cluster.asked("GET")


def test_bounds_are_moved_before_the_number() -> None:
    cluster = autoscaled()
    made = scale(cluster, 8, replicas_when_autoscaled="set", autoscaler_bounds="widen")
    moved = [{"name": "web", "min_replicas": 2, "max_replicas": 8}]
    assert facts(made, "changed", "method", "autoscaler_bounds") == [True, "patch", moved]
    assert made["warnings"][0].endswith("HorizontalPodAutoscaler web (2 to 8 replicas) would change it again as its metrics say.")
    assert cluster.written() == [("PATCH", "horizontalpodautoscalers/web", False), *PATCHED]
    assert cluster.server.requests[2].body == {"metadata": {"resourceVersion": "102"}, "spec": {"minReplicas": 2, "maxReplicas": 8}}
    assert made["diff"]["after"]["autoscalers"] == moved
    again = scale(cluster, 8, replicas_when_autoscaled="set", autoscaler_bounds="widen")
    assert facts(again, "changed", "autoscaler_bounds", "autoscaled_by") == [False, [], ["web"]]
    assert cluster.written() == []


def test_bounds_are_moved_for_a_number_that_is_there_and_not_for_one_that_is_not_written() -> None:
    cluster = autoscaled(8)
    made = scale(cluster, 8, autoscaler_bounds="widen")
    assert facts(made, "changed", "method") == [True, "patch"]
    assert cluster.written() == [("PATCH", "horizontalpodautoscalers/web", False)]
    for policy in ("keep", "fail"):
        scale(cluster, 12, autoscaler_bounds="widen", replicas_when_autoscaled=policy)
        assert cluster.written() == []
    made = scale(cluster, 0, replicas_when_autoscaled="set", autoscaler_bounds="widen")
    assert facts(made, "changed", "autoscaler_bounds") == [True, []]
    assert "would stop scaling it until its number is raised by hand" in made["warnings"][0]


def test_bounds_are_moved_in_check_mode_by_a_dry_run() -> None:
    cluster = autoscaled()
    made = scale(cluster, 8, check_mode=True, replicas_when_autoscaled="set", autoscaler_bounds="widen")
    assert facts(made, "changed", "autoscaler_bounds") == [True, [{"name": "web", "min_replicas": 2, "max_replicas": 8}]]
    assert cluster.written() == [("PATCH", "horizontalpodautoscalers/web", True), ("PATCH", f"{SET}/web", True)]
    assert cluster.objects[f"{SCALERS}/web"]["spec"]["maxReplicas"] == 6


@pytest.mark.parametrize("collection", [SETS, SCALERS])
def test_bounds_are_told_though_somebody_wrote_in_between(collection: str) -> None:
    cluster = autoscaled()
    written: list[str] = []

    def interfere(request: Request) -> Answer | None:
        if request.method == "PATCH" and request.path.startswith(collection) and not written:
            written.append("x")
            cluster.put(collection, cluster.objects[f"{collection}/web"])
        return None

    cluster.refuse = interfere
    made = scale(cluster, 8, replicas_when_autoscaled="set", autoscaler_bounds="widen")
    assert facts(made, "changed", "autoscaler_bounds") == [True, [{"name": "web", "min_replicas": 2, "max_replicas": 8}]]
    assert (cluster.live["spec"]["replicas"], cluster.objects[f"{SCALERS}/web"]["spec"]["maxReplicas"]) == (8, 8)


def test_bounds_that_have_been_moved_are_told_whatever_becomes_of_the_number() -> None:
    cluster = autoscaled()
    cluster.refuse = forbid(f"patch {SET}", f"patch {SCALE}")
    made = scale(cluster, 8, replicas_when_autoscaled="set", autoscaler_bounds="widen")
    moved = [{"name": "web", "min_replicas": 2, "max_replicas": 8}]
    assert facts(made, "failed", "changed", "method", "autoscaler_bounds") == [True, True, "patch", moved]
    assert cluster.objects[f"{SCALERS}/web"]["spec"]["maxReplicas"] == 8


def test_who_may_not_list_autoscalers_can_set_all_the_same() -> None:
    cluster = autoscaled()
    cluster.refuse = forbid("list horizontalpodautoscalers")
    made = scale(cluster, 8, replicas_when_autoscaled="set")
    assert facts(made, "changed", "autoscaled_by", "warnings") == [True, None, []]
    for policy, bounds in (("fail", "keep"), ("keep", "keep"), ("set", "widen")):
        failed = scale(cluster, 4, replicas_when_autoscaled=policy, autoscaler_bounds=bounds)
        assert failed["failed"] is True
        assert NO_SCALERS in failed["msg"]
        assert cluster.written() == []
    cluster.refuse = failing(lambda request: request.path == SCALERS)
    assert "no leader" in scale(cluster, 4, replicas_when_autoscaled="set")["msg"]
