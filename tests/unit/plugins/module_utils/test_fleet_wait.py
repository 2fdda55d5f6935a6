# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waiting for many at once: who is shown what, who ends when, and what is told of all, without a cluster."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.vmscale.kubevirt.plugins.module_utils._api import Api
from ansible_collections.vmscale.kubevirt.plugins.module_utils._connection import resolve
from ansible_collections.vmscale.kubevirt.plugins.module_utils._diagnosis import Finding
from ansible_collections.vmscale.kubevirt.plugins.module_utils._errors import EngineError
from ansible_collections.vmscale.kubevirt.plugins.module_utils._fleet_wait import FleetWait, Member, shared_source
from ansible_collections.vmscale.kubevirt.plugins.module_utils._manifest import Wanted
from ansible_collections.vmscale.kubevirt.plugins.module_utils._resources import (
    EVENTS,
    INSTANCES,
    PODS,
    REPLICA_SETS,
    name_of,
)
from ansible_collections.vmscale.kubevirt.plugins.module_utils._situation import Situation
from ansible_collections.vmscale.kubevirt.plugins.module_utils._source import Change, Source
from ansible_collections.vmscale.kubevirt.plugins.module_utils._wait_replica_set import (
    LAUNCHERS,
    SET,
    VMIS,
    WARNINGS,
    ReadyWait,
    evidence_sources,
    instances_source,
    set_source,
)
from unit.support.fleet import live_instances, live_set
from unit.support.recorded import Object

NO_NODE = ("PodScheduled", "False", "Unschedulable", "0/4 nodes are available: 4 Insufficient memory.")


class View:
    """Sources that have been shown by a test."""

    def __init__(self) -> None:
        self.refused: dict[str, EngineError] = {}

    def follows(self, key: str) -> bool:
        return True

    def objects(self, key: str) -> tuple[Object, ...]:
        return ()

    def refusal(self, key: str) -> EngineError | None:
        return self.refused.get(key)


class Scene:
    """A fleet that waits for sets, to which a test shows what it likes."""

    def __init__(self, *lives: Object, grace: float = 5) -> None:
        api = Api(resolve({"host": "http://127.0.0.1:1", "api_key": "t"}, {}))
        self.members = [
            Member(
                Wanted(REPLICA_SETS, live["metadata"]["namespace"], name_of(live), live, True),
                ReadyWait(api, live["metadata"]["namespace"], live, None),
                None,
            )
            for live in lives
        ]
        self.wait = FleetWait(api, self.members, "sets", lambda resource, namespace: None, grace)
        self.view = View()
        self.elapsed = 0.0
        self.wait.sources(self.view)

    def show(self, elapsed: float, *changes: Change) -> None:
        """Let something happen, and look."""
        self.elapsed = elapsed
        self.wait.learn(changes, elapsed)
        self.wait.look(self.view)

    def seen(self, key: str) -> list[list[str]]:
        """Return the names of the objects that each member has been shown under a key of its own."""
        return [sorted(name_of(each) for each in member.objects(key)) for member in self.members]


SET_KEY, VMI_KEY = "virtualmachineinstancereplicasets.kubevirt.io of default", "virtualmachineinstances.kubevirt.io of default"


def came(key: str, *objects: Object) -> list[Change]:
    """Return that objects have come."""
    return [Change(key, None, each) for each in objects]


def labelled(name: str, **labels: str) -> Object:
    """Return a VMI with these labels."""
    return {"metadata": {"name": name, "uid": name, "namespace": "default", "labels": labels}}


def test_one_source_serves_all_of_a_namespace() -> None:
    live = live_set("web")
    assert shared_source(set_source("default", "web")) == Source(SET_KEY, REPLICA_SETS, "default", is_shared=True)
    assert shared_source(instances_source("default", live)) == Source(VMI_KEY, INSTANCES, "default", is_shared=True)
    launchers, warnings = map(shared_source, evidence_sources("default", live))
    assert launchers == Source("pods of default", PODS, "default", "kubevirt.io=virt-launcher", is_evidence=True, is_shared=True)
    assert warnings == Source("events of default", EVENTS, "default", field_selector="type=Warning", is_evidence=True, is_shared=True)
    assert shared_source(set_source("other", "web")).key != SET_KEY


def test_each_member_is_shown_its_own() -> None:
    a, b = live_set("a"), live_set("b", 2)
    scene = Scene(a, b)
    scene.show(0, *came(SET_KEY, a, b, live_set("c")), *came(VMI_KEY, *live_instances(a), *live_instances(b), labelled("x", app="c")))
    assert scene.seen(SET) == [["a"], ["b"]]
    assert scene.seen(VMIS) == [["a-0"], ["b-0", "b-1"]]
    assert [member.is_open for member in scene.members] == [False, False]


def test_what_goes_or_is_labelled_otherwise_is_shown_no_longer() -> None:
    scene = Scene(live_set("a", 5), live_set("b", 5))
    mine, going = labelled("x", app="a"), labelled("y", app="a")
    scene.show(0, *came(VMI_KEY, mine, going))
    assert scene.seen(VMIS) == [["x", "y"], []]
    scene.show(1, Change(VMI_KEY, mine, labelled("x", app="b")), Change(VMI_KEY, going, None))
    assert scene.seen(VMIS) == [[], ["x"]]
    scene.show(2, Change(VMI_KEY, labelled("x", app="b"), labelled("x", other="b")))
    assert scene.seen(VMIS) == [[], []]


def test_selectors_of_every_kind_choose_as_they_would_alone() -> None:
    def choosing(name: str, **selector: t.Any) -> Object:
        live = live_set(name, 9)
        live["spec"]["selector"] = selector
        return live

    within = {"key": "tier", "operator": "In", "values": ["x", "y"]}
    scene = Scene(
        choosing("both", matchLabels={"app": "web", "zone": "1"}),
        choosing("listed", matchExpressions=[within]),
        choosing("mixed", matchLabels={"app": "web"}, matchExpressions=[{"key": "tier", "operator": "DoesNotExist"}]),
        choosing("outside", matchExpressions=[{**within, "operator": "NotIn"}]),
        choosing("all"),
    )
    vmis = [
        labelled("1", app="web", zone="1"),
        labelled("2", app="web", zone="2", tier="x"),
        labelled("3", tier="y"),
        labelled("4", tier="z"),
        labelled("5"),
    ]
    scene.show(0, *came(VMI_KEY, *vmis))
    assert scene.seen(VMIS) == [["1"], ["2", "3"], ["1"], ["1", "4", "5"], ["1", "2", "3", "4", "5"]]


def test_sets_of_one_name_in_two_namespaces_are_told_apart() -> None:
    here, there = live_set("web"), live_set("web", namespace="other")
    scene = Scene(here, there)
    scene.show(0, *came(SET_KEY, here), *came(VMI_KEY, *live_instances(here)), *came(SET_KEY.replace("default", "other"), there))
    assert scene.seen(VMIS) == [["web-0"], []]
    assert [member.is_open for member in scene.members] == [False, True]
    scene.show(1, *came(VMI_KEY.replace("default", "other"), *live_instances(there)))
    assert scene.seen(VMIS) == [["web-0"], ["web-0"]]
    assert not scene.wait.is_open


def test_what_explains_is_asked_for_late_and_shown_to_whose_it_is() -> None:
    scene = Scene(live_set("a", 5), live_set("b", 5))
    scene.wait.learn([], 4.9)
    assert scene.wait.evidence(scene.view) == []
    scene.wait.learn([], 5.0)
    assert [(each.resource, each.is_evidence) for each in scene.wait.evidence(scene.view)] == [(PODS, True), (EVENTS, True)]
    pod = {"metadata": {"name": "virt-launcher-a", "uid": "p", "labels": {"app": "a", "kubevirt.io": "virt-launcher"}}}
    other = {"metadata": {"name": "job", "uid": "j", "labels": {"app": "a"}}}
    event = {"metadata": {"name": "e", "uid": "e"}, "type": "Warning"}
    scene.show(6, *came("pods of default", pod, other), *came("events of default", event))
    assert scene.seen(LAUNCHERS) == [["virt-launcher-a"], []]
    assert scene.seen(WARNINGS) == [["e"], ["e"]]


def short(name: str, *conditions: tuple[str, str, str, str]) -> list[Change]:
    """Return that a set lacks one VMI of two, which says what is wrong with it."""
    live = live_set(name, 2, ready=1)
    good, bad = live_instances(live)
    bad["status"] = {
        "phase": "Scheduling",
        "conditions": [dict(zip(("type", "status", "reason", "message"), each, strict=True)) for each in conditions],
    }
    return [*came(SET_KEY, live), *came(VMI_KEY, good, bad)]


def test_what_explains_is_not_asked_for_while_the_fleet_comes_nearer() -> None:
    scene = Scene(live_set("a", 2), live_set("b", 3))

    def has_evidence(elapsed: float, *ready: int) -> bool:
        shown = [
            Change(SET_KEY, None, live_set(name, replicas, ready=now)) for name, replicas, now in zip("ab", (2, 3), ready, strict=False)
        ]
        scene.show(elapsed, *shown)
        return bool(scene.wait.evidence(scene.view))

    assert [has_evidence(0, 0, 0), has_evidence(4, 1, 0), has_evidence(8, 1, 1)] == [False] * 3
    # What comes and goes brings nothing nearer.
    assert [has_evidence(9, 0, 1), has_evidence(10, 1, 1)] == [False] * 2
    assert has_evidence(12.9) is False
    assert has_evidence(13) is True
    # Asked for once, it stays.
    assert has_evidence(14, 1, 2) is True


def test_what_explains_is_asked_for_where_one_has_no_news_for_long() -> None:
    scene = Scene(live_set("a", 2), live_set("b", 99))
    scene.show(0, *came(SET_KEY, live_set("a", 2, ready=0), live_set("b", 99, ready=0)))
    for elapsed in range(1, 10):
        scene.show(elapsed, Change(SET_KEY, None, live_set("b", 99, ready=elapsed)))
        assert scene.wait.evidence(scene.view) == [], elapsed
    scene.show(10, Change(SET_KEY, None, live_set("b", 99, ready=10)))
    assert len(scene.wait.evidence(scene.view)) == 2


def test_what_explains_is_asked_for_where_something_is_wrong_with_one() -> None:
    scene = Scene(live_set("a", 2), live_set("b", 2))
    scene.show(0, *short("a"), *short("b"))
    assert scene.wait.evidence(scene.view) == []
    scene.show(1, *short("a", NO_NODE))
    assert len(scene.wait.evidence(scene.view)) == 2


def test_what_has_failed_is_nothing_that_has_come_nearer() -> None:
    scene = Scene(live_set("a", 2), live_set("b", 2))
    scene.show(0, *short("a"), *short("b"))
    scene.members[0].fail(EngineError("a cannot be seen"))
    scene.show(4, *short("b"))
    assert scene.wait.evidence(scene.view) == []
    scene.show(5)
    assert len(scene.wait.evidence(scene.view)) == 2


def test_what_is_wrong_is_not_asked_with_each_piece_of_news(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[float] = []
    diagnose = ReadyWait.diagnose

    def counted(self: ReadyWait, seen: Situation, is_time_up: bool) -> t.Sequence[Finding]:
        looked.append(scene.elapsed)
        return diagnose(self, seen, is_time_up)

    monkeypatch.setattr(ReadyWait, "diagnose", counted)
    scene = Scene(live_set("a", 2), grace=5)
    scene.show(0, *short("a"))
    scene.show(0.2, *short("a", NO_NODE))
    assert (looked, scene.members[0].due) == ([0], 1)
    scene.show(1)
    waited = scene.members[0].waited
    assert waited is not None
    assert (looked, [each.reason for each in waited.findings]) == ([0, 1], ["Unschedulable"])
    scene.show(1.1, *short("a"))
    scene.show(1.4, *short("a", NO_NODE))
    assert looked == [0, 1]
    # Once it is as it should be, that is seen with the news.
    live = live_set("a", 2)
    scene.show(1.5, Change(SET_KEY, None, live), *came(VMI_KEY, *live_instances(live)))
    assert scene.members[0].state == "Done"
    assert scene.members[0].waited is not None
    assert (scene.members[0].waited.findings, looked) == ((), [0, 1])


def test_what_is_wrong_is_asked_when_patience_ends_and_when_time_is_up() -> None:
    scene = Scene(live_set("a", 2), live_set("b", 2), grace=0.5)
    scene.show(1, *short("a", NO_NODE), *short("b"))
    scene.show(1.4, *short("a", NO_NODE), *short("b", NO_NODE))
    scene.show(1.5)
    assert [member.state for member in scene.members] == ["Failed", "Waiting"]
    scene.wait.diagnose(0, True)
    waited = scene.members[1].waited
    assert waited is not None
    assert [each.reason for each in waited.findings] == ["Unschedulable"]


def test_each_has_patience_of_its_own() -> None:
    scene = Scene(live_set("a", 2), live_set("b", 2))
    scene.show(0, *short("a", NO_NODE), *short("b"))
    scene.show(4, *short("b", NO_NODE))
    scene.show(5)
    assert [member.state for member in scene.members] == ["Failed", "Waiting"]
    scene.show(8.9)
    assert [member.state for member in scene.members] == ["Failed", "Waiting"]
    scene.show(9)
    assert [member.state for member in scene.members] == ["Failed", "Failed"]
    assert [member.waited.seconds for member in scene.members if member.waited] == [5, 9]
    assert [member.waited.is_hopeless for member in scene.members if member.waited] == [True, True]


def test_who_is_to_be_looked_at_again_and_when() -> None:
    scene = Scene(live_set("a", 2), live_set("b", 2), grace=2)
    scene.show(1, *short("a", NO_NODE), *short("b"))
    assert [member.due for member in scene.members] == [3, 6]
    assert scene.wait.probe(0, 1) == 3
    scene.show(3)
    # The first has ended, and the other is looked at now and then though nothing happens to it.
    assert scene.wait.probe(0, 3) == 6
    scene.show(6)
    assert 6 < t.cast("float", scene.wait.probe(0, 6)) <= 11


def test_what_is_ready_stays_so_and_is_asked_no_more() -> None:
    live = live_set("a", 2)
    scene = Scene(live, live_set("b", 2))
    scene.show(1, *came(SET_KEY, live), *came(VMI_KEY, *live_instances(live)), *short("b"))
    assert [member.state for member in scene.members] == ["Done", "Waiting"]
    scene.show(2, *short("a", NO_NODE))
    scene.show(90)
    assert scene.members[0].state == "Done"
    assert scene.members[0].waited is not None
    assert (scene.members[0].waited.unmet, scene.members[0].waited.seconds) == ((), 1)


def test_what_one_line_tells_of_all() -> None:
    done = live_set("a", 2)
    scene = Scene(done, live_set("b", 2), live_set("c", 3))
    assert scene.wait.line(0) == "0/3 sets ready"
    scene.show(
        0, *came(SET_KEY, done), *came(VMI_KEY, *live_instances(done)), *short("b", NO_NODE), *came(SET_KEY, live_set("c", 3, ready=0))
    )
    assert scene.wait.line(1) == "1/3 sets ready, 3/7 VMIs ready"
    assert scene.wait.slowest(1) == "slowest: default/c, 0 of 3 ready"
    assert scene.wait.counts(1) == {"objects": 3, "finished": 1, "failed": 0, "desired": 7, "ready": 3}
    scene.show(5)
    assert scene.wait.line(2) == "1/3 sets ready, 1 failed, 3/7 VMIs ready"
    assert scene.wait.states(2) == {
        "VirtualMachineInstanceReplicaSet default/a": "Done",
        "VirtualMachineInstanceReplicaSet default/b": "Failed",
        "VirtualMachineInstanceReplicaSet default/c": "Waiting",
    }
    assert [each.partition(":")[0] for each in scene.wait.unmet(2)] == ["default/c"]


def test_what_only_the_end_brings_to_light_is_counted_once() -> None:
    scene = Scene(live_set("a", 2), live_set("b", 2), grace=0)
    scene.show(1, *short("a"), *short("b"))
    seen = scene.wait.look(scene.view)
    scene.members[0].tell(VMIS, "uid of default/a 1", None, short("a", NO_NODE)[-1].after)
    scene.wait.diagnose(seen, True)
    # The line is told after that, and of what is known by then.
    assert scene.wait.line(seen) == "0/2 sets ready, 1 failed, 2/4 VMIs ready"


def test_who_cannot_be_seen_any_more_ends_alone() -> None:
    here, there = live_set("a"), live_set("a", namespace="other")
    scene = Scene(here, there)
    scene.view.refused[VMI_KEY.replace("default", "other")] = EngineError("You may not look.")
    scene.show(0, *short("a"))
    assert [(member.state, member.failure and member.failure.message) for member in scene.members] == [
        ("Waiting", None),
        ("Failed", "You may not look."),
    ]
