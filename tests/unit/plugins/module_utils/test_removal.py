# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who goes first: every order is total, and the same whenever it is asked for."""

from __future__ import annotations

import random
import typing as t
from collections import Counter

import pytest

from ansible_collections.vmscale.kubevirt.plugins.module_utils._removal import (
    BY_NODE,
    NEWEST,
    NODE_SPREAD,
    NOT_READY_FIRST,
    OLDEST,
    OUTDATED_FIRST,
    ROLLOUT_ORDERS,
    SCALE_IN_ORDERS,
    in_order_of_removal,
)
from unit.support.fleets import any_fleet, names
from unit.support.objects import instance, replica_set
from unit.support.recorded import Object

ORDERS = tuple(dict.fromkeys((*SCALE_IN_ORDERS, *ROLLOUT_ORDERS)))
LIVE = replica_set(6, template_hash="new")


def vmi(name: str, minute: int, node: str | None = None, template_hash: str | None = "new", ready: bool = True) -> Object:
    """Return a VMI that was created in that minute."""
    return instance(name, ready=ready, template_hash=template_hash, node=node, created=f"2026-11-23T20:{minute:02}:00Z")


FLEET = [
    vmi("a", 1, "node-1"),
    vmi("b", 5, "node-2", ready=False),
    vmi("c", 3, "node-1", "old"),
    vmi("d", 3, "node-3", None, ready=False),
    vmi("e", 3, "node-2", ready=False),
    vmi("f", 4, None),
]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (NOT_READY_FIRST, "bdefca"),
        (NEWEST, "bfcdea"),
        (OLDEST, "acdefb"),
        (OUTDATED_FIRST, "dcbefa"),
        # First who is nowhere yet, then from the fullest node, the first by name of those that are equal.
        (NODE_SPREAD, "fcbaed"),
        (BY_NODE, "fcabed"),
    ],
)
def test_who_goes_first(order: str, expected: str) -> None:
    assert "".join(names(in_order_of_removal(FLEET, LIVE, order))) == expected


def test_without_a_hash_nobody_is_more_outdated_than_others() -> None:
    assert "".join(names(in_order_of_removal(FLEET, replica_set(6), OUTDATED_FIRST))) == "bdefca"


def test_those_that_fail_or_leave_are_not_ready() -> None:
    fleet = [vmi("a", 1), {**vmi("b", 1), "status": {**vmi("b", 1)["status"], "phase": "Failed"}}, instance("c", deleting=True)]
    assert names(in_order_of_removal(fleet, LIVE, NOT_READY_FIRST)) == ["c", "b", "a"]
    assert names(in_order_of_removal(fleet, LIVE, OLDEST)) == ["a", "b", "c"]


def test_vmis_without_times_or_status_are_ordered_as_well() -> None:
    bare: list[dict[str, t.Any]] = [{"metadata": {"name": name}} for name in "cab"]
    for order in ORDERS:
        assert names(in_order_of_removal(bare, LIVE, order)) == ["a", "b", "c"]
    assert in_order_of_removal([], LIVE, NODE_SPREAD) == []


@pytest.mark.parametrize("order", ORDERS)
def test_every_order_has_each_vmi_once_and_is_the_same_whenever_it_is_asked_for(order: str) -> None:
    chance = random.Random(order)
    for _ in range(60):
        fleet = any_fleet(chance)
        found = in_order_of_removal(fleet, LIVE, order)
        assert sorted(names(found)) == sorted(names(fleet))
        shuffled = chance.sample(fleet, len(fleet))
        assert names(in_order_of_removal(shuffled, LIVE, order)) == names(found)


def test_spreading_leaves_the_nodes_even() -> None:
    chance = random.Random(6)
    for _ in range(100):
        fleet = [each for each in any_fleet(chance) if each["status"].get("nodeName")]
        before = Counter(each["status"]["nodeName"] for each in fleet)
        ordered = in_order_of_removal(fleet, LIVE, NODE_SPREAD)
        for count in range(len(fleet) + 1):
            after = Counter(dict.fromkeys(before, 0))
            after.update(each["status"]["nodeName"] for each in ordered[count:])
            touched = [after[node] for node in before if after[node] < before[node]]
            # Nobody goes from a node while another has two more.
            assert all(number >= max(after.values()) - 1 for number in touched)


def test_node_after_node_ends_with_one_before_the_next() -> None:
    chance = random.Random(7)
    for _ in range(60):
        nodes = [each["status"].get("nodeName") or "" for each in in_order_of_removal(any_fleet(chance), LIVE, BY_NODE)]
        assert nodes == sorted(nodes)
