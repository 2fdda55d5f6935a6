# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Is what is wanted already there: the comparison of a wanted object with a live one."""

from __future__ import annotations

import copy
import typing as t

import pytest

from ansible_collections.vmscale.kubevirt.plugins.module_utils._compare import differences, prune


@pytest.mark.parametrize(
    ("given", "pruned"),
    [
        ({"a": None, "b": 1}, {"b": 1}),
        ({"a": {"b": None}}, {"a": {}}),
        ({"disks": [{"disk": None, "name": "x"}]}, {"disks": [{"name": "x"}]}),
        ([None, 1, [None]], [1, []]),
        ((1, None), [1]),
        ({"a": False, "b": 0, "c": "", "d": [], "e": {}}, {"a": False, "b": 0, "c": "", "d": [], "e": {}}),
        ({1: "x"}, {"1": "x"}),
    ],
)
def test_prune_takes_out_nulls_and_nothing_else(given: t.Any, pruned: t.Any) -> None:
    untouched = copy.deepcopy(given)
    assert prune(given) == pruned
    assert given == untouched


@pytest.mark.parametrize(
    ("wanted", "live", "paths"),
    [
        ({"a": 1}, {"a": 1, "b": 2}, []),
        ({"a": 1}, {"a": 2}, ["a"]),
        ({"a": 1}, {}, ["a"]),
        ({"a": {"b": {"c": 1}}}, {"a": {"b": {"c": 2, "d": 3}}}, ["a.b.c"]),
        ({"a": 1, "b": 2}, {"a": 2, "b": 3}, ["a", "b"]),
        ({"a": {"b": 1}}, {"a": "text"}, ["a"]),
        ({"a": {"b": 1}}, {"a": None}, ["a"]),
        ({"a": None}, {}, []),
        ({"a": []}, {}, []),
        ({"a": {}}, {"a": {}}, []),
    ],
)
def test_maps_are_compared_by_the_wanted_keys(wanted: t.Any, live: t.Any, paths: list[str]) -> None:
    assert differences(wanted, live) == paths


@pytest.mark.parametrize(
    ("wanted", "live", "paths"),
    [
        ([1, 2], [1, 2], []),
        ([1, 2], [2, 1], ["l[0]", "l[1]"]),
        ([1], [1, 2], ["l"]),
        ([], [1], ["l"]),
        ([{"name": "x"}], [{"name": "x"}], []),
        ([{"name": "x"}], [{"name": "x", "disk": {"bus": "virtio"}}], ["l[0].disk"]),
        ([{"name": "x"}], [{"name": "x", "disk": {}, "readonly": False, "cache": ""}], []),
        ([{"name": "x", "disk": {"bus": "sata"}}], [{"name": "x"}], ["l[0].disk"]),
    ],
)
def test_lists_are_compared_whole(wanted: t.Any, live: t.Any, paths: list[str]) -> None:
    assert differences({"l": wanted}, {"l": live}) == paths


@pytest.mark.parametrize("zero", [False, 0, "", {}, [], {"a": {"b": False}}])
def test_a_missing_zero_value_counts_only_where_the_comparison_is_strict(zero: t.Any) -> None:
    assert differences({"a": zero}, {}, lenient_below="") == []
    if zero != []:
        assert differences({"a": zero}, {}) == ["a"]


@pytest.mark.parametrize("value", [True, 1, "x", {"a": 1}, {"a": {"b": True}}])
def test_a_missing_value_that_says_something_counts_always(value: t.Any) -> None:
    assert differences({"a": value}, {}, lenient_below="") == ["a"]


def test_a_zero_value_differs_from_another_value_also_where_lenient() -> None:
    assert differences({"a": False}, {"a": True}, lenient_below="") == ["a"]
    assert differences({"a": 0}, {"a": 3}, lenient_below="") == ["a"]


@pytest.mark.parametrize(("wanted", "live"), [(True, 1), (1, True), (False, 0), (0, False), ("1", 1), (1, "1"), ("true", True)])
def test_types_are_told_apart(wanted: t.Any, live: t.Any) -> None:
    assert differences({"a": wanted}, {"a": live}) == ["a"]


@pytest.mark.parametrize(
    ("key", "wanted", "live", "is_same"),
    [
        ("averageValue", "0.5", "500m", True),
        ("averageValue", 1, "1", True),
        ("value", "1Gi", "1024Mi", True),
        ("value", "1000m", "2", False),
        ("value", "not a quantity", "not a quantity", True),
        ("value", "not a quantity", "1", False),
        ("name", "0.5", "500m", False),
    ],
)
def test_quantities_of_metrics_are_compared_by_value(key: str, wanted: t.Any, live: t.Any, is_same: bool) -> None:
    metrics = [{"target": {key: wanted}}], [{"target": {key: live}}]
    assert (differences({"metrics": metrics[0]}, {"metrics": metrics[1]}) == []) is is_same


@pytest.mark.parametrize(
    ("wanted", "live", "paths"),
    [
        ({"a": 1}, {"a": 1, "b": 2}, [".b"]),
        ({"a": 1}, {"a": 1, "b": {}, "c": None, "d": 0}, []),
    ],
)
def test_a_closed_comparison_reports_what_is_there_and_not_wanted(wanted: t.Any, live: t.Any, paths: list[str]) -> None:
    assert differences(wanted, live, closed=True) == paths
