# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""PodDisruptionBudgets: how many VMIs they let go, and why they do not."""

from __future__ import annotations

import random
import typing as t

import pytest

from ansible_collections.vmscale.kubevirt.plugins.module_utils._disruption_budgets import Allowance, is_broken, say_held, why_held
from unit.support.budgets import budget
from unit.support.objects import changed, instance
from unit.support.recorded import Object

SYNC_FAILED = "virtualmachineinstances.kubevirt.io does not implement the scale subresource"


def taken(budgets: t.Sequence[Object], *fleet: Object) -> list[bool]:
    """Return which VMIs may go, asked for one after the other."""
    allowance = Allowance(budgets)
    return [allowance.take(each) for each in fleet]


def vmi(name: str = "a", **labels: str) -> Object:
    """Return a VMI with labels of its own."""
    return instance(name, labels=labels)


def test_as_many_go_as_a_budget_allows() -> None:
    assert taken([budget("b", 2)], *[vmi()] * 4) == [True, True, False, False]
    assert taken([], vmi()) == [True]
    assert taken([budget("b", 0)], vmi()) == [False]
    assert taken([changed(budget("b", 1), "status.disruptionsAllowed", None)], vmi()) == [False]


def test_only_the_budgets_that_select_a_vmi_count() -> None:
    gold, everybody = budget("gold", 1, {"tier": "gold"}), budget("all", 2)
    assert taken([gold], vmi(tier="lead"), vmi(tier="gold"), vmi(tier="gold")) == [True, True, False]
    assert taken([gold, everybody], vmi(tier="gold"), vmi(tier="gold"), vmi(), vmi()) == [True, False, True, False]


def test_what_one_budget_forbids_is_counted_for_none() -> None:
    none, two = budget("none", 0, {"tier": "gold"}), budget("two", 2)
    assert taken([two, none], vmi(tier="gold"), vmi(), vmi(), vmi()) == [False, True, True, False]


def test_who_held_is_known() -> None:
    allowance = Allowance([budget("b", 1), budget("a", 0, {"tier": "gold"})])
    assert [allowance.take(vmi()), allowance.held_by] == [True, None]
    assert [allowance.take(vmi(tier="gold")), allowance.held_by] == [False, budget("b", 1)]
    assert say_held(budget("b", 0)) == "PodDisruptionBudget b allows no disruption: 4 of 4 pods are healthy, and 4 have to be"


def test_no_budget_loses_more_than_it_allows() -> None:
    chance = random.Random(2)
    for _ in range(200):
        budgets = [budget(f"b{number}", chance.randint(0, 3), {"tier": chance.choice("xyz")}) for number in range(chance.randint(0, 4))]
        fleet = [vmi(f"v{number}", tier=chance.choice("xyz")) for number in range(10)]
        gone = [each for each, went in zip(fleet, taken(budgets, *fleet), strict=True) if went]
        for tier in "xyz":
            count = sum(1 for each in gone if each["metadata"]["labels"]["tier"] == tier)
            allowed = [each["status"]["disruptionsAllowed"] for each in budgets if each["spec"]["selector"]["matchLabels"]["tier"] == tier]
            total = sum(1 for each in fleet if each["metadata"]["labels"]["tier"] == tier)
            assert count == min([*allowed, total])


@pytest.mark.parametrize(
    ("selector", "bears"),
    [
        (None, False),
        # An empty selector is everything, in policy/v1.
        ({}, True),
        ({"matchLabels": {"kubevirt.io": "virt-launcher"}}, True),
        ({"matchLabels": {"kubevirt.io/created-by": "uid-of-a"}}, True),
        ({"matchLabels": {"kubevirt.io/created-by": "uid-of-b"}}, False),
        ({"matchLabels": {"vm.kubevirt.io/name": "a"}}, True),
        ({"matchLabels": {"vm.kubevirt.io/name": "b"}}, False),
        ({"matchExpressions": [{"key": "app", "operator": "In", "values": ["web", "x"]}]}, True),
        ({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["web"]}]}, False),
    ],
)
def test_the_labels_of_launcher_pods_count(selector: t.Any, bears: bool) -> None:
    assert taken([changed(budget("b", 0), "spec.selector", selector)], vmi()) == [not bears]


def test_a_launcher_pod_is_named_by_the_guest() -> None:
    named = budget("b", 0, {"vm.kubevirt.io/name": "guest"})
    assert taken([named], changed(vmi(), "spec.hostname", "guest")) == [False]
    assert taken([budget("b", 0, {"vm.kubevirt.io/name": "a"})], changed(vmi(), "spec.hostname", "guest")) == [True]


def test_kubevirts_own_budgets_are_no_concern() -> None:
    own = changed(budget("kubevirt-migration-pdb", 0), "metadata.ownerReferences", [{"kind": "VirtualMachineInstance", "name": "a"}])
    other = changed(budget("b", 0), "metadata.ownerReferences", [{"kind": "Deployment", "name": "a"}])
    assert taken([own], vmi()) == [True]
    assert taken([other], vmi()) == [False]


@pytest.mark.parametrize("observed", [0, 2])
def test_a_status_that_is_not_of_this_spec_allows_nothing(observed: int) -> None:
    assert taken([budget("b", 2, observed=observed)], vmi()) == [False]
    assert taken([changed(budget("b", 2), "status", {})], vmi()) == [False]


def test_why_it_holds_is_said() -> None:
    assert why_held(budget("b", 0, healthy=3, needed=4)) == "3 of 4 pods are healthy, and 4 have to be"
    assert why_held(changed(budget("b", 0), "status", {})) == "0 of 0 pods are healthy, and 0 have to be"
    assert why_held(budget("b", 0, broken=SYNC_FAILED)) == SYNC_FAILED
    broken = budget("b", 0, broken=SYNC_FAILED)
    broken["status"]["conditions"][0]["message"] = ""
    assert why_held(broken) == "it could not be evaluated"
    assert [is_broken(each) for each in (budget("b", 0), budget("b", 1), broken)] == [False, False, True]
    assert not is_broken({"metadata": {"name": "new"}})
