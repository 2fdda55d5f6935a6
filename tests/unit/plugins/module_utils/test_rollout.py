# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Deciding about a rollout: how many may be missing, who is next, and when a batch is over."""

from __future__ import annotations

import datetime
import random
import typing as t

import pytest

from ansible_collections.vmscale.kubevirt.plugins.module_utils import _rollout
from ansible_collections.vmscale.kubevirt.plugins.module_utils._errors import OptionError
from ansible_collections.vmscale.kubevirt.plugins.module_utils._removal import BY_NODE, NEWEST, NOT_READY_FIRST, OLDEST, ROLLOUT_ORDERS
from ansible_collections.vmscale.kubevirt.plugins.module_utils._replicaset import Snapshot, is_active, is_outdated, is_ready
from ansible_collections.vmscale.kubevirt.plugins.module_utils._rollout import Batch, MaxUnavailable, Pace, max_unavailable
from unit.support.budgets import budget
from unit.support.fleets import NEW, OLD, any_fleet, names
from unit.support.objects import changed, instance, replica_set
from unit.support.recorded import Object

NOW = datetime.datetime(2026, 11, 23, 20, 40, tzinfo=datetime.UTC)


def pace_of(amount: t.Any = 1, order: str = NOT_READY_FIRST, **more: t.Any) -> Pace:
    """Return how fast a rollout goes."""
    return Pace(max_unavailable(amount), order, **more)


def live_set(replicas: int | None = 4, **options: t.Any) -> Object:
    """Return a set of the new template."""
    return replica_set(replicas, template_hash=NEW, **options)


def vmis(ready: str, template_hash: str | None = OLD, prefix: str = "web") -> list[Object]:
    """Return VMIs, one for each letter, that are ready where it is `r`."""
    return [instance(f"{prefix}{number}", ready=letter == "r", template_hash=template_hash) for number, letter in enumerate(ready)]


@pytest.mark.parametrize(
    ("given", "desired", "expected"),
    [
        ("3", 12, 3),
        (3, 12, 3),
        (" 3 ", 12, 3),
        ("20", 12, 20),
        ("25%", 12, 3),
        ("25%", 11, 2),
        ("25%", 3, 1),
        ("25%", 0, 1),
        ("1%", 1000, 10),
        ("100%", 7, 7),
        ("99%", 7, 6),
    ],
)
def test_how_many_may_be_missing(given: t.Any, desired: int, expected: int) -> None:
    assert max_unavailable(given).of(desired) == expected


@pytest.mark.parametrize(
    ("given", "desired", "least", "expected"),
    [("25%", 12, 4, 1), ("25%", 12, 8, 2), ("25%", 12, 20, 3), ("25%", 12, 0, 1), ("3", 12, 1, 3), ("50%", 12, None, 6)],
)
def test_a_percentage_is_one_of_what_an_autoscaler_may_leave(given: str, desired: int, least: int | None, expected: int) -> None:
    assert max_unavailable(given).of(desired, least) == expected


@pytest.mark.parametrize("given", ["0", 0, "0%", "101%", "-1", "1.5", "25 %", "%", "", "x", None, True, "3\n3", "٣"])
def test_what_is_no_amount_is_refused(given: t.Any) -> None:
    with pytest.raises(OptionError) as caught:
        max_unavailable(given)
    expected = f'"max_unavailable" is "{given}": it must be a number of VMIs, 1 or more, or a percentage from 1% to 100%.'
    assert caught.value.message == expected


def test_an_amount_is_read_as_it_is_meant() -> None:
    assert max_unavailable("100%") == MaxUnavailable(100, is_percent=True)
    assert max_unavailable("100") == MaxUnavailable(100, is_percent=False)


def test_those_of_another_template_are_outdated_if_they_count_at_all() -> None:
    fleet = [
        instance("a", template_hash=OLD),
        instance("b", template_hash=NEW),
        instance("c"),
        instance("d", template_hash=OLD, deleting=True),
        instance("e", template_hash=OLD, phase="Failed"),
    ]
    assert names(_rollout.outdated(live_set(), fleet)) == ["a", "c"]
    assert _rollout.outdated(replica_set(4), fleet) == []


@pytest.mark.parametrize(
    ("ready", "updated", "amount", "expected"),
    [
        ("rrrr", "", 1, ["web0"]),
        ("rrrr", "", 3, ["web0", "web1", "web2"]),
        ("rrrr", "", 9, ["web0", "web1", "web2", "web3"]),
        ("rrrr", "", "50%", ["web0", "web1"]),
        ("rr", "rr", 1, ["web0"]),
        # One that is missing is one of those that may be.
        ("rr", "r.", 1, []),
        ("rr", "r.", 2, ["web0"]),
        ("rrr", "", 1, []),
        ("rrr", "", 2, ["web0"]),
        # Nobody misses those that are not ready.
        ("r.rr", "", 1, ["web1"]),
        ("r..r", "", 1, ["web1"]),
        ("r..r", "", 2, ["web1", "web2"]),
        ("r.rr", "", 2, ["web1", "web0"]),
        ("r..r", "", 3, ["web1", "web2", "web0"]),
        ("....", "", 2, ["web0", "web1"]),
        ("", "rrrr", 1, []),
    ],
)
def test_as_many_go_as_may_be_missing(ready: str, updated: str, amount: t.Any, expected: list[str]) -> None:
    fleet = [*vmis(ready), *vmis(updated, NEW, "new")]
    assert names(_rollout.next_batch(live_set(4), fleet, pace_of(amount)).victims) == expected


def test_more_than_are_desired_may_go() -> None:
    # The autoscaler has just shrunk the set, and KubeVirt has not taken anybody yet.
    assert len(_rollout.next_batch(live_set(2), vmis("rrrr"), pace_of(2)).victims) == 2
    assert names(_rollout.next_batch(live_set(0), vmis("r"), pace_of(1)).victims) == ["web0"]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (NOT_READY_FIRST, ["c", "b", "d", "a"]),
        (NEWEST, ["c", "b", "d", "a"]),
        (OLDEST, ["c", "a", "d", "b"]),
        (BY_NODE, ["c", "b", "a", "d"]),
    ],
)
def test_those_that_are_not_ready_go_first_in_every_order(order: str, expected: list[str]) -> None:
    times = {"a": ("20:01", "node-2"), "b": ("20:04", "node-1"), "c": ("20:02", "node-3"), "d": ("20:03", "node-3")}
    fleet = [
        instance(name, ready=name != "c", template_hash=OLD, created=f"2026-11-23T{minute}:00Z", node=node)
        for name, (minute, node) in times.items()
    ]
    assert names(_rollout.next_batch(live_set(4), fleet, pace_of(4, order)).victims) == expected


def test_with_an_autoscaler_a_percentage_is_smaller() -> None:
    assert len(_rollout.next_batch(live_set(8), vmis("rrrrrrrr"), pace_of("50%"), least=2).victims) == 1
    assert len(_rollout.next_batch(live_set(8), vmis("rrrrrrrr"), pace_of("50%")).victims) == 4


def test_a_budget_holds_those_that_are_ready() -> None:
    held = _rollout.next_batch(live_set(4), vmis("rrrr"), pace_of(2), [budget("b", 0)])
    assert (held.victims, held.held_by) == ((), budget("b", 0))
    one = _rollout.next_batch(live_set(4), vmis("rrrr"), pace_of(2), [budget("b", 1)])
    assert (names(one.victims), one.held_by) == (["web0"], None)
    # Who is not ready is no loss to it.
    broken = _rollout.next_batch(live_set(4), vmis("r.rr"), pace_of(2), [budget("b", 0)])
    assert (names(broken.victims), broken.held_by) == (["web1"], None)
    assert _rollout.next_batch(live_set(4), vmis("rrr"), pace_of(1), [budget("b", 0)]) == Batch(())


def test_a_budget_that_holds_one_lets_others_go() -> None:
    fleet = [changed(each, "metadata.labels.tier", "gold" if number == 0 else "lead") for number, each in enumerate(vmis("rrr"))]
    found = _rollout.next_batch(live_set(3), fleet, pace_of(2), [budget("b", 0, {"tier": "gold"})])
    assert names(found.victims) == ["web1", "web2"]


def test_a_batch_never_goes_below_the_floor_by_deleting() -> None:
    chance = random.Random(3)
    for _ in range(400):
        fleet, desired = any_fleet(chance), chance.randint(0, 14)
        live = live_set(desired)
        amount = chance.choice(["1", "2", "3", "20", "1%", "25%", "50%", "100%"])
        pace, least = pace_of(amount, chance.choice(ROLLOUT_ORDERS)), chance.choice([None, 0, 2, 6])
        victims = _rollout.next_batch(live, fleet, pace, least=least).victims
        allowed = pace.max_unavailable.of(desired, least)
        before = sum(1 for each in fleet if is_ready(each))
        after = before - sum(1 for each in victims if is_ready(each))
        assert after >= min(before, desired - allowed)
        assert len(victims) <= allowed
        assert all(is_outdated(each, live) and is_active(each) for each in victims)
        assert len(set(names(victims))) == len(victims)
        # Nobody who is ready goes while an outdated one that is not stays.
        left = [each for each in _rollout.outdated(live, fleet) if each not in victims and not is_ready(each)]
        assert not left or not any(is_ready(each) for each in victims)
        # Nobody is spared: the batch is as large as it may be.
        stays = [each for each in _rollout.outdated(live, fleet) if each not in victims]
        assert not stays or len(victims) == allowed or after <= desired - allowed


def test_the_plan_has_each_outdated_vmi_once_and_ends() -> None:
    chance = random.Random(4)
    for _ in range(300):
        fleet, desired = any_fleet(chance), chance.randint(0, 14)
        live, pace = live_set(desired), pace_of(chance.choice(["1", "3", "25%", "100%"]), chance.choice(ROLLOUT_ORDERS))
        batches, held_by = _rollout.planned_batches(live, fleet, pace, chance.choice([None, 2]))
        assert held_by is None
        replaced = [name for batch in batches for name in batch]
        assert sorted(replaced) == sorted(names(_rollout.outdated(live, fleet)))
        assert all(0 < len(batch) <= pace.max_unavailable.of(desired) for batch in batches)


def planned(replicas: int, fleet: t.Sequence[Object], amount: t.Any, least: int | None = None) -> list[int]:
    """Return how large the batches are that are planned."""
    batches, _held_by = _rollout.planned_batches(live_set(replicas), fleet, pace_of(amount), least)
    return [len(batch) for batch in batches]


def test_the_plan_of_a_fleet_that_is_ready_has_full_batches() -> None:
    assert planned(12, vmis("r" * 12), 3) == [3, 3, 3, 3]
    assert planned(5, vmis("rrrrr"), "50%") == [2, 2, 1]
    assert planned(5, vmis("rrrrr"), "50%", least=2) == [1] * 5
    # It waits for those that are missing first.
    assert planned(5, vmis("rr"), 2) == [1, 1]
    assert planned(2, vmis("rr", NEW), 1) == []


def test_the_plan_ends_where_a_budget_would_hold_it() -> None:
    fleet = [changed(each, "metadata.labels.tier", "gold" if number > 1 else "lead") for number, each in enumerate(vmis("rrrr"))]
    budgets = [budget("b", 0, {"tier": "gold"})]
    assert _rollout.planned_batches(live_set(4), fleet, pace_of(1), None, budgets) == ([["web0"], ["web1"]], budgets[0])
    assert _rollout.planned_batches(live_set(4), fleet, pace_of(1), None, [budget("b", 1)]) == (
        [["web0"], ["web1"], ["web2"], ["web3"]],
        None,
    )


def ready_since(seconds: float | None, created: str | None = "2026-11-23T20:00:00Z") -> Object:
    """Return a VMI that has been ready for some seconds, or since a time that nobody knows."""
    made = changed(instance("a", template_hash=NEW), "metadata.creationTimestamp", created)
    if seconds is not None:
        since = (NOW - datetime.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
        made["status"]["conditions"] = [{"type": "Ready", "status": "True", "lastTransitionTime": since}]
    return made


def test_a_vmi_is_available_once_it_has_been_ready_for_long_enough() -> None:
    assert _rollout.available_at(ready_since(10), 30) == NOW + datetime.timedelta(seconds=20)
    assert not _rollout.is_available(ready_since(29), 30, NOW)
    assert _rollout.is_available(ready_since(30), 30, NOW)
    assert _rollout.is_available(ready_since(0), 0, NOW)
    # Without a time of the condition or the cluster, what there is has to do.
    assert _rollout.available_at(ready_since(None), 30) == NOW - datetime.timedelta(minutes=39, seconds=30)
    assert _rollout.available_at(ready_since(None, created=None), 30) is None
    assert not _rollout.is_available(ready_since(None, created=None), 30, NOW)
    assert _rollout.is_available(ready_since(1), 30, None)
    for seconds in (0, 30):
        assert not _rollout.is_available(instance("a", ready=False), seconds, NOW)
        assert not _rollout.is_available(instance("a", deleting=True), seconds, NOW)
    assert _rollout.available_at(instance("a", ready=False), 30) is None


def test_how_far_it_is() -> None:
    fleet = [
        *vmis("r.r"),
        ready_since(10),
        instance("new1", template_hash=NEW, ready=False),
        instance("x", template_hash=NEW, deleting=True),
        instance("y", template_hash=OLD, deleting=True),
        instance("z", template_hash=NEW, phase="Succeeded"),
    ]
    found = _rollout.progress(Snapshot(live_set(6), tuple(fleet)), pace_of(min_ready_seconds=5), NOW)
    assert found == _rollout.Progress(desired=6, updated=2, available=1, ready=3, outdated=3, leaving=2)
    assert _rollout.progress(Snapshot(live_set(6), tuple(fleet)), pace_of(min_ready_seconds=20), NOW).available == 0
    assert _rollout.progress(Snapshot(None, None), pace_of(), None) == _rollout.Progress(1, 0, 0, 0, 0, 0)


def missing(fleet: t.Sequence[Object], live: Object | None = None, gone: t.Sequence[str] = (), **pace: t.Any) -> list[str]:
    """Return why a batch is not over."""
    found = live or live_set(4)
    return _rollout.unmet(Snapshot(found, tuple(fleet)), pace_of(**pace), NOW, frozenset(f"uid-of-{name}" for name in gone))


def test_a_batch_is_over_when_its_vmis_are_gone_and_the_new_ones_are_available() -> None:
    assert missing([*vmis("rrr"), instance("new", template_hash=NEW)], gone=["web3"]) == []
    assert missing([*vmis("r.r"), instance("new", template_hash=NEW)]) == []
    assert missing(vmis("rrrr", NEW)) == []


@pytest.mark.parametrize(
    ("fleet", "expected"),
    [
        ([*vmis("rrr")], ["3 of 4 created"]),
        ([*vmis("rrrrr")], ["5 of 4 created"]),
        ([*vmis("rrr"), instance("n", template_hash=NEW, ready=False, phase="Scheduled")], ["VMI n is Scheduled"]),
        (
            [*vmis("rrrr"), instance("old", template_hash=OLD, deleting=True)],
            ["1 still shutting down (old)"],
        ),
        # The last batch has to leave a set that has converged, and its status counts then as well.
        ([*vmis("rrr.", NEW)], ["3 of 4 ready", "VMI web3 is Running"]),
        (
            [*vmis("rrr", NEW), instance("n", template_hash=NEW, deleting=True)],
            ["3 of 4 ready", "3 of 4 created", "1 still shutting down (n)"],
        ),
    ],
)
def test_what_a_batch_waits_for(fleet: list[Object], expected: list[str]) -> None:
    assert missing(fleet) == expected


def test_a_status_that_lags_behind_is_waited_for_at_the_end_only() -> None:
    assert missing(vmis("rrrr", NEW), live_set(4, ready=3)) == ["its status still says 3 of 4 ready, instead of 4"]
    assert missing(vmis("rrrr"), live_set(4, ready=3)) == []


def test_a_deletion_has_to_be_seen_first() -> None:
    fleet = vmis("rrrr")
    assert missing(fleet, gone=["web1", "web3"]) == ["the deletion of web1, web3 has not been seen yet"]
    assert missing([*fleet[:3], instance("web3", deleting=True)], gone=["web3"]) == ["3 of 4 created", "1 still shutting down (web3)"]
    assert missing(vmis("r" * 9), live_set(9), gone=[f"web{number}" for number in range(7)]) == [
        "the deletion of web0, web1, web2, web3, web4, ... has not been seen yet"
    ]


def test_who_has_just_become_ready_is_waited_for() -> None:
    assert missing([*vmis("rrr"), ready_since(10)], min_ready_seconds=30) == ["a ready for less than 30 s"]
    assert missing([*vmis("rrr"), ready_since(40)], min_ready_seconds=30) == []
    assert missing([*vmis("rrr", NEW, "new"), ready_since(10)], min_ready_seconds=30) == ["a ready for less than 30 s"]


def test_no_more_vmis_are_named_than_can_be_read() -> None:
    told = missing([*vmis("r"), *vmis("." * 7, NEW, "new")], live_set(8))
    assert told == [f"VMI new{number} is Running" for number in range(5)]


@pytest.mark.parametrize(
    ("live", "expected"),
    [
        (live_set(4, deleting=True), "it is being deleted"),
        (live_set(4, paused=True), "it is paused"),
        (live_set(5, paused=True), "it is paused"),
    ],
)
def test_a_set_that_is_going_or_paused_is_not_ready_for_more(live: Object, expected: str) -> None:
    assert missing(vmis("rrrr"), live)[0] == expected
    assert _rollout.unmet(Snapshot(None, None), pace_of(), NOW) == ["it does not exist"]
