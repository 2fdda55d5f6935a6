# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Label selectors: matching, their written form, and when two are the same."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.vmscale.kubevirt.plugins.module_utils._errors import OptionError
from ansible_collections.vmscale.kubevirt.plugins.module_utils._selector import is_same, matches, parse_query, to_query
from unit.support.recorded import REAL, real_set

STATES = sorted(path.parent.name for path in REAL.glob("*/vmirs.json"))


def expression(operator: str, *values: str, key: str = "tier") -> dict[str, t.Any]:
    """Return a selector of one expression."""
    return {"matchExpressions": [{"key": key, "operator": operator, **({"values": list(values)} if values else {})}]}


@pytest.mark.parametrize("state", STATES)
def test_is_written_as_virt_controller_writes_it(state: str) -> None:
    live = real_set(state)
    assert to_query(live["spec"]["selector"]) == live["status"]["labelSelector"]


# What metav1.LabelSelectorAsSelector(...).String() returns.
@pytest.mark.parametrize(
    ("selector", "written"),
    [
        ({}, ""),
        ({"matchLabels": {"app": "web"}}, "app=web"),
        ({"matchLabels": {"b": "2", "a": "1"}}, "a=1,b=2"),
        ({"matchLabels": {"a": ""}}, "a="),
        (expression("In", "web"), "tier in (web)"),
        (expression("In", "web", "app"), "tier in (app,web)"),
        (expression("NotIn", "b", "a"), "tier notin (a,b)"),
        (expression("Exists"), "tier"),
        (expression("DoesNotExist"), "!tier"),
        ({"matchLabels": {"zone": "a"}, **expression("Exists")}, "tier,zone=a"),
        ({"matchLabels": {"app": "web"}, **expression("DoesNotExist")}, "app=web,!tier"),
        ({"matchLabels": {"app": "web"}, "matchExpressions": None}, "app=web"),
    ],
)
def test_is_written_as_kubernetes_writes_it(selector: t.Mapping[str, t.Any], written: str) -> None:
    assert to_query(selector) == written


def test_requirements_on_one_key_keep_the_order_in_which_kubernetes_adds_them() -> None:
    both = [*expression("NotIn", "a")["matchExpressions"], *expression("Exists")["matchExpressions"]]
    assert to_query({"matchExpressions": both}) == "tier notin (a),tier"
    assert to_query({"matchLabels": {"tier": "b"}, "matchExpressions": both}) == "tier=b,tier notin (a),tier"


SELECTORS: list[dict[str, t.Any]] = [
    {},
    {"matchLabels": {"app": "web"}},
    {"matchLabels": {"b": "2", "a": "1", "c": ""}},
    {"matchLabels": {"example.com/in": "notin"}},
    expression("In", "web"),
    expression("In", "web", "", "app"),
    expression("NotIn", "b", "a"),
    expression("Exists"),
    expression("DoesNotExist"),
    expression("In", "a", "b", key="example.com/tier"),
    {"matchLabels": {"app": "web", "zone": "a"}, **expression("NotIn", "x", "y")},
    {"matchExpressions": [*expression("Exists")["matchExpressions"], *expression("In", "a", key="app")["matchExpressions"]]},
    {"matchExpressions": [*expression("DoesNotExist")["matchExpressions"], *expression("NotIn", "a", "b")["matchExpressions"]]},
]


@pytest.mark.parametrize("selector", SELECTORS, ids=to_query)
def test_what_has_been_written_is_read_again(selector: t.Mapping[str, t.Any]) -> None:
    assert is_same(parse_query(to_query(selector)), selector)
    assert to_query(parse_query(to_query(selector))) == to_query(selector)


@pytest.mark.parametrize("selector", SELECTORS, ids=to_query)
@pytest.mark.parametrize(
    "labels", [{}, {"app": "web"}, {"tier": "a"}, {"tier": ""}, {"app": "web", "zone": "a", "tier": "z"}, {"a": "1", "b": "2", "c": ""}]
)
def test_what_is_read_again_chooses_the_same(selector: t.Mapping[str, t.Any], labels: dict[str, str]) -> None:
    assert matches(parse_query(to_query(selector)), labels) is matches(selector, labels)


@pytest.mark.parametrize("state", STATES)
def test_what_virt_controller_writes_can_be_read(state: str) -> None:
    live = real_set(state)
    assert is_same(parse_query(live["status"]["labelSelector"]), live["spec"]["selector"])


@pytest.mark.parametrize(
    ("selector", "labels", "does"),
    [
        ({}, {"app": "web"}, True),
        ({"matchLabels": {"app": "web"}}, {"app": "web", "x": "y"}, True),
        ({"matchLabels": {"app": "web"}}, {"app": "db"}, False),
        ({"matchLabels": {"app": "web"}}, {}, False),
        ({"matchLabels": {"app": "web", "x": "y"}}, {"app": "web"}, False),
        (expression("In", "a", "b"), {"tier": "b"}, True),
        (expression("In", "a", "b"), {"tier": "c"}, False),
        (expression("In", "a"), {}, False),
        (expression("NotIn", "a"), {"tier": "b"}, True),
        (expression("NotIn", "a"), {"tier": "a"}, False),
        (expression("NotIn", "a"), {}, True),
        (expression("Exists"), {"tier": ""}, True),
        (expression("Exists"), {"app": "web"}, False),
        (expression("DoesNotExist"), {"app": "web"}, True),
        (expression("DoesNotExist"), {"tier": ""}, False),
        (expression("Near", "a"), {"tier": "a"}, False),
        ({"matchLabels": {"app": "web"}, **expression("In", "a")}, {"app": "web", "tier": "b"}, False),
        ({"matchLabels": {"app": "web"}, **expression("In", "a")}, {"app": "web", "tier": "a"}, True),
    ],
)
def test_matches(selector: t.Mapping[str, t.Any], labels: t.Mapping[str, str], does: bool) -> None:
    assert matches(selector, labels) is does


def test_refuses_an_operator_that_kubernetes_does_not_have() -> None:
    with pytest.raises(OptionError, match='The operator "Near" .* is not one of In, NotIn, Exists, DoesNotExist'):
        to_query(expression("Near", "a"))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({"matchLabels": {"a": "1", "b": "2"}}, {"matchLabels": {"b": "2", "a": "1"}}, True),
        (expression("In", "a", "b"), expression("In", "b", "a"), True),
        (expression("In", "a"), expression("In", "a", "b"), False),
        ({"matchLabels": {"a": "1"}}, {"matchLabels": {"a": "1"}, "matchExpressions": []}, True),
        ({"matchLabels": {"a": "1"}}, {"matchLabels": {"a": "1", "b": "2"}}, False),
        ({"matchLabels": {"tier": "a"}}, expression("In", "a"), False),
        (
            {"matchExpressions": [{"key": "a", "operator": "Exists"}, {"key": "a", "operator": "NotIn", "values": ["x"]}]},
            {"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["x"]}, {"key": "a", "operator": "Exists"}]},
            True,
        ),
    ],
)
def test_two_are_the_same_if_they_say_the_same(one: t.Mapping[str, t.Any], other: t.Mapping[str, t.Any], same: bool) -> None:
    assert is_same(one, other) is same
    assert is_same(other, one) is same
