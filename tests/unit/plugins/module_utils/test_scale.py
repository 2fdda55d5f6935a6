# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Numbers of replicas: what they are to be, who goes for them, and what an autoscaler thinks of them."""

from __future__ import annotations

import json
import random
import typing as t

import pytest

from ansible_collections.vmscale.kubevirt.plugins.module_utils._errors import OptionError
from ansible_collections.vmscale.kubevirt.plugins.module_utils._removal import OLDEST, SCALE_IN_ORDERS
from ansible_collections.vmscale.kubevirt.plugins.module_utils._replicaset import is_active, own_instances
from ansible_collections.vmscale.kubevirt.plugins.module_utils._scale import (
    FAIL,
    KEEP,
    SET,
    Bounds,
    ScaleIn,
    decide_number,
    outlook,
    unfinished_scale_in,
    victims,
    wanted_number,
    widened,
)
from unit.support.fleets import any_fleet, names
from unit.support.objects import autoscaler, changed, instance, instances, replica_set
from unit.support.recorded import Object

JOB = ScaleIn(3, ("web0", "web1"), resume=True)
WEB = "VirtualMachineInstanceReplicaSet default/web"


def paused_by(job: ScaleIn | str, replicas: int = 5, paused: bool = True) -> Object:
    """Return a set with the annotation of a scale-in."""
    text = job if isinstance(job, str) else job.as_annotation()
    return changed(replica_set(replicas, paused=paused), "metadata.annotations", {"vmscale.kubevirt/scale-in": text})


def number_of(live: Object, fleet: t.Sequence[Object], replicas: int | None = None, remove: t.Sequence[str] = ()) -> int:
    """Return the number to arrive at."""
    return wanted_number(live, fleet, replicas, remove, WEB)


def test_a_scale_in_is_read_as_it_was_written() -> None:
    assert unfinished_scale_in(paused_by(JOB)) == JOB
    assert unfinished_scale_in(paused_by(ScaleIn(0, (), resume=False))) == ScaleIn(0, (), resume=False)
    assert JOB.as_result() == {"replicas": 3, "remove": ["web0", "web1"]}
    assert JOB.clause == "a scale-in to 3 that did not finish has paused it: run vmirs_scale again"


def test_there_is_none_where_nothing_says_so_or_somebody_has_resumed_the_set() -> None:
    assert unfinished_scale_in(replica_set(5)) is None
    assert unfinished_scale_in(replica_set(5, paused=True)) is None
    assert unfinished_scale_in(paused_by("")) is None
    assert unfinished_scale_in(paused_by(JOB, paused=False)) is None


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "3",
        "[]",
        "null",
        "{}",
        '{"replicas": 3}',
        '{"replicas": "many", "remove": [], "resume": true}',
        '{"replicas": 3, "remove": 4, "resume": true}',
    ],
)
def test_what_cannot_be_read_is_an_unfinished_scale_in_all_the_same(text: str) -> None:
    assert unfinished_scale_in(paused_by(text)) == ScaleIn(5, (), resume=True)


@pytest.mark.parametrize(
    ("replicas", "remove", "expected"),
    [
        (3, (), 3),
        (0, (), 0),
        (7, (), 7),
        (None, ("web0",), 4),
        (None, ("web0", "web4", "web0"), 3),
        # Those that are not there are removed already.
        (None, ("web0", "gone"), 4),
        (None, ("gone",), 5),
        (3, ("web0", "web1"), 3),
        (3, ("web0",), 3),
        (3, ("web0", "web0", "web1"), 3),
        (9, ("gone",), 9),
    ],
)
def test_the_number_is_given_or_falls_by_those_that_are_named(replicas: int | None, remove: tuple[str, ...], expected: int) -> None:
    assert number_of(replica_set(5), instances(5), replicas, remove) == expected


def test_those_on_their_way_out_are_removed_already() -> None:
    fleet = [*instances(4), instance("web4", deleting=True), instance("web5", phase="Failed")]
    assert number_of(replica_set(4), fleet, None, ["web4", "web5"]) == 4
    assert number_of(replica_set(4), fleet, 4, ["web4", "web5"]) == 4
    assert number_of(replica_set(None), instances(1), None, ["web0"]) == 0
    assert number_of(replica_set(0), instances(1), None, ["web0"]) == 0


@pytest.mark.parametrize(
    ("replicas", "remove", "told"),
    [
        (
            4,
            ("web0", "web1"),
            '"remove" names 2 VMIs of VirtualMachineInstanceReplicaSet default/web, and 1 of 5 have to go for "replicas: 4"',
        ),
        (5, ("web0",), 'names 1 VMI of VirtualMachineInstanceReplicaSet default/web, and 0 of 5 have to go for "replicas: 5"'),
        (8, ("web0",), "names 1 VMI of VirtualMachineInstanceReplicaSet default/web, and 0 of 5 have to go"),
    ],
)
def test_more_names_than_are_to_go_are_refused(replicas: int, remove: tuple[str, ...], told: str) -> None:
    with pytest.raises(OptionError) as caught:
        number_of(replica_set(5), instances(5), replicas, remove)
    assert told in caught.value.message
    assert caught.value.message.endswith('Lower "replicas", or leave it out so that it falls by those that are named.')


@pytest.mark.parametrize("replicas", [None, 2])
def test_a_vmi_of_somebody_else_is_refused(replicas: int | None) -> None:
    fleet = [*instances(3), instance("foreign", owner="somebody")]
    with pytest.raises(OptionError, match='"remove" names VirtualMachineInstance foreign, which .* does not control: name VMIs of the set'):
        number_of(replica_set(3), fleet, replicas, ["foreign"])


def test_what_is_unfinished_counts_the_names_that_it_had() -> None:
    live = paused_by(JOB)
    # web0 has gone already, web1 has not.
    left = instances(5)[1:]
    assert number_of(live, left, None, ["web0", "web1"]) == 3
    assert number_of(live, left, None, ["web1"]) == 3
    assert number_of(live, left, None, []) == 3
    assert number_of(live, left, None, ["web1", "web2"]) == 2
    assert number_of(live, left, 4, []) == 4
    assert number_of(paused_by(ScaleIn(0, (), resume=True)), left, None, ["web1"]) == 0


@pytest.mark.parametrize(
    ("replicas", "remove", "order", "remembered", "expected"),
    [
        (3, (), None, (), ["web0", "web1"]),
        (3, (), OLDEST, (), ["web0", "web1"]),
        (3, ("web4",), None, (), ["web4", "web0"]),
        (3, ("web4", "web3", "web4"), None, (), ["web4", "web3"]),
        (3, ("gone",), None, (), ["web0", "web1"]),
        # Whoever was chosen before goes before others, and after those that are named.
        (3, (), None, ("web3", "web2"), ["web3", "web2"]),
        (2, ("web4",), None, ("gone", "web3", "web4"), ["web4", "web3", "web0"]),
        (4, (), None, ("web3", "web2"), ["web3"]),
        (5, (), None, ("web3",), []),
        (9, (), None, (), []),
        (0, (), None, (), ["web0", "web1", "web2", "web3", "web4"]),
    ],
)
def test_who_goes(replicas: int, remove: tuple[str, ...], order: str | None, remembered: tuple[str, ...], expected: list[str]) -> None:
    assert names(victims(replica_set(5), instances(5), replicas, remove, order, remembered)) == expected


def test_those_that_are_not_ready_go_first_unless_asked_otherwise() -> None:
    fleet = [instance("a"), instance("b", ready=False), instance("c", created="2026-11-23T20:00:00Z")]
    assert names(victims(replica_set(3), fleet, 2)) == ["b"]
    assert names(victims(replica_set(3), fleet, 2, order=OLDEST)) == ["c"]


def test_as_many_go_as_are_too_many_and_nobody_else_s() -> None:
    chance = random.Random(1)
    for _ in range(300):
        fleet = any_fleet(chance, foreign=0.3)
        live = replica_set(5, template_hash="new")
        active = [each for each in own_instances(live, fleet) if is_active(each)]
        everybody = names(fleet)
        remove = chance.sample(everybody, min(len(everybody), chance.randint(0, 3)))
        remembered = chance.sample(everybody, min(len(everybody), chance.randint(0, 3)))
        replicas, order = chance.randint(0, 8), chance.choice([None, *SCALE_IN_ORDERS])
        found = names(victims(live, fleet, replicas, remove, order, remembered))
        named = [name for name in remove if name in names(active)]
        assert set(found) <= set(names(active))
        assert len(found) == len(set(found))
        assert found[: len(named)] == named
        assert len(active) - len(found) == min(replicas, len(active) - len(named))
        kept = [name for name in remembered if name in names(active) and name not in found]
        assert not kept or len(found) == len([name for name in found if name in {*remove, *remembered}])


def bounds_of(least: int | None, most: int, replicas: int) -> list[tuple[int, int]]:
    """Return how the bounds move."""
    return [(each.min_replicas, each.max_replicas) for each in widened([autoscaler(least=least, most=most)], replicas)]


@pytest.mark.parametrize(
    ("least", "most", "replicas", "expected"),
    [
        (2, 6, 2, []),
        (2, 6, 6, []),
        (2, 6, 7, [(2, 7)]),
        (2, 6, 1, [(1, 6)]),
        (None, 6, 1, []),
        (None, 6, 9, [(1, 9)]),
        (0, 6, 9, [(0, 9)]),
        # Nothing has to move for what switches an autoscaler off.
        (2, 6, 0, []),
    ],
)
def test_bounds_move_as_far_as_they_must(least: int | None, most: int, replicas: int, expected: list[tuple[int, int]]) -> None:
    assert bounds_of(least, most, replicas) == expected


def test_only_the_bounds_that_have_to_move_do_and_by_the_version_that_was_read() -> None:
    (moved,) = widened([autoscaler("a", 1, 9), autoscaler("b", 1, 3)], 5)
    assert moved == Bounds("b", "11", 1, 5)
    assert moved.as_result() == {"name": "b", "min_replicas": 1, "max_replicas": 5}


@pytest.mark.parametrize(
    ("replicas", "status", "expected"),
    [
        (0, {}, "HorizontalPodAutoscaler web (2 to 6 replicas) would stop scaling it until its number is raised by hand"),
        (1, {}, "HorizontalPodAutoscaler web (2 to 6 replicas) would bring it up to 2"),
        (7, {}, "HorizontalPodAutoscaler web (2 to 6 replicas) would bring it down to 6"),
        (2, {}, "HorizontalPodAutoscaler web (2 to 6 replicas) would change it again as its metrics say"),
        (
            6,
            {"desiredReplicas": 4},
            "HorizontalPodAutoscaler web (2 to 6 replicas) would change it again as its metrics say, and asks for 4 now",
        ),
        (6, {"desiredReplicas": 0}, "HorizontalPodAutoscaler web (2 to 6 replicas) would change it again as its metrics say"),
    ],
)
def test_what_an_autoscaler_would_do_is_said(replicas: int, status: dict[str, int], expected: str) -> None:
    assert outlook(autoscaler(status=status), replicas) == expected


@pytest.mark.parametrize(
    ("replicas", "told"),
    [(9, "(2 to 9 replicas) would change"), (1, "(1 to 6 replicas) would change"), (0, "(2 to 6 replicas) would stop scaling it")],
)
def test_what_it_would_do_with_other_bounds_is_said(replicas: int, told: str) -> None:
    assert told in outlook(autoscaler(), replicas, widens=True)
    assert told in decide_number(3, replicas, [autoscaler()], SET, WEB, widens=True).warnings[0]
    # Who keeps its number keeps its bounds.
    assert outlook(autoscaler(), replicas) in decide_number(3, replicas, [autoscaler()], KEEP, WEB, widens=True).warnings[0]


def test_the_bounds_that_are_not_given_are_those_of_kubernetes() -> None:
    assert "(1 to 6 replicas)" in outlook(autoscaler(least=None), 3)
    assert "(1 to 1 replicas)" in outlook(changed(autoscaler(least=None), "spec.maxReplicas", None), 3)


def test_a_number_is_written_where_nobody_scales_the_set() -> None:
    for policy in (FAIL, KEEP, SET):
        assert decide_number(3, 5, [], policy, WEB).writes
        # It has switched itself off.
        assert decide_number(0, 5, [autoscaler()], policy, WEB).writes
        assert decide_number(None, 5, [autoscaler()], policy, WEB).writes
        same = decide_number(5, 5, [autoscaler()], policy, WEB)
        assert (same.replicas, same.writes, same.warnings) == (5, False, ())


def test_an_autoscaler_is_not_fought() -> None:
    with pytest.raises(OptionError) as caught:
        decide_number(3, 8, [autoscaler("b", 1, 4), autoscaler("a", 2, 6)], FAIL, WEB)
    assert caught.value.message == (
        f"{WEB} has 3 replicas and is autoscaled, so 8 would not last: HorizontalPodAutoscaler a (2 to 6 replicas) would bring it down to 6; "
        "HorizontalPodAutoscaler b (1 to 4 replicas) would bring it down to 4. Change the bounds of the autoscaler instead (module hpa), "
        'or choose "replicas_when_autoscaled: set", with "autoscaler_bounds: widen" where it is out of them, or "keep".'
    )
    kept = decide_number(3, 8, [autoscaler()], KEEP, WEB)
    assert (kept.replicas, kept.writes) == (3, False)
    assert kept.warnings == (
        f"replicas of {WEB} left at 3 instead of 8, since it is autoscaled: HorizontalPodAutoscaler web (2 to 6 replicas) would bring it down to 6.",
    )
    put = decide_number(3, 8, [autoscaler()], SET, WEB)
    assert (put.replicas, put.writes) == (8, True)
    assert put.warnings == (
        f"replicas of {WEB} set to 8, although it is autoscaled: HorizontalPodAutoscaler web (2 to 6 replicas) would bring it down to 6.",
    )


def test_what_was_allowed_once_is_allowed_again() -> None:
    for policy in (FAIL, KEEP, SET):
        made = decide_number(5, 3, [autoscaler()], policy, WEB, JOB)
        assert (made.replicas, made.writes, made.warnings) == (3, True, ())
    with pytest.raises(OptionError, match=r"Also, a scale-in to 3 that did not finish has paused it: run vmirs_scale again for 3\."):
        decide_number(5, 4, [autoscaler()], FAIL, WEB, JOB)


def test_the_annotation_is_what_the_documentation_says() -> None:
    assert json.loads(JOB.as_annotation()) == {"replicas": 3, "remove": ["web0", "web1"], "resume": True}
