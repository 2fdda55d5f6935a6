# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The description of an autoscaler, compared with what kubectl's own code printed (fixtures/describe)."""

from __future__ import annotations

import copy
import json
import typing as t
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from ansible_collections.vmscale.kubevirt.plugins.module_utils._describe import describe, describe_legacy

FIXTURES = Path(__file__).parent / "fixtures" / "describe"
CASES = sorted(path.stem for path in FIXTURES.glob("*.txt"))
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def load(name: str) -> dict[str, t.Any]:
    case: dict[str, t.Any] = json.loads((FIXTURES / f"{name}.json").read_text(encoding="utf-8"))
    return case


def printed(case: dict[str, t.Any]) -> str:
    function = describe_legacy if case["legacy"] else describe
    return function(
        case["autoscaler"],
        case["events"] if case.get("show_events", True) else None,
        datetime.fromisoformat(case["now"].replace("Z", "+00:00")),
        timezone(timedelta(minutes=case["zone_minutes"])),
    )


def test_there_are_cases_of_both_formats() -> None:
    assert len([name for name in CASES if name.startswith("legacy-")]) > 20
    assert len([name for name in CASES if not name.startswith("legacy-")]) > 40


@pytest.mark.parametrize("name", CASES)
def test_prints_what_kubectl_printed(name: str) -> None:
    case = load(name)
    untouched = copy.deepcopy(case)
    expected = (FIXTURES / f"{name}.txt").read_bytes().decode("utf-8")
    assert printed(case) == expected
    assert case == untouched


def test_times_are_printed_in_utc_unless_a_zone_is_given() -> None:
    autoscaler = load("zone-plus-one")["autoscaler"]
    assert "Thu, 30 Nov 2023 18:17:19 +0000\n" in describe(autoscaler, [], NOW)
    assert "Thu, 30 Nov 2023 19:17:19 +0100\n" in describe(autoscaler, [], NOW, timezone(timedelta(hours=1)))


def test_the_zone_of_now_does_not_matter() -> None:
    case = load("events-sorted")
    elsewhere = NOW.astimezone(timezone(timedelta(hours=-8)))
    assert describe(case["autoscaler"], case["events"], elsewhere) == printed(case)


def test_the_order_of_the_events_does_not_matter() -> None:
    case = load("events-ages")
    assert describe(case["autoscaler"], case["events"][::-1], NOW) == printed(case)


@pytest.mark.parametrize("function", [describe, describe_legacy])
def test_refuses_a_moment_without_zone(function: t.Callable[..., str]) -> None:
    with pytest.raises(ValueError, match="needs a time zone"):
        function(load("cpu-utilization")["autoscaler"], [], datetime(2026, 3, 2, 12))


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        (("spec", "metrics"), {}, "the field 'metrics' is not a list"),
        (("spec", "metrics"), [{"type": "Pods"}], "a metric of type Pods has no field 'pods'"),
        (("status",), [], "the field 'status' is not an object"),
        (("metadata", "creationTimestamp"), "yesterday", "the field 'creationTimestamp' is not a timestamp"),
        (
            ("spec", "metrics"),
            [{"type": "Resource", "resource": {"name": "cpu", "target": {"averageValue": "ten"}}}],
            "'ten' is not a Kubernetes quantity",
        ),
    ],
)
def test_says_what_it_cannot_read(path: tuple[str, ...], value: object, sentence: str) -> None:
    autoscaler = load("cpu-utilization")["autoscaler"]
    at = autoscaler
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    with pytest.raises(ValueError, match=sentence):
        describe(autoscaler, [], NOW)
