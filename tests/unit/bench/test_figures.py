# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the bench makes of its series: ratios, targets, and a file that it can read again."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.figures import Point, Results, Row, Series, Verdict, ratio, read_results, requests_at_most
from bench.rows.growth import CREATE, NOTHING, exponent
from bench.tables import growth_table, series_table, verdict_table

OURS = Series("vmirs", (1.0, 2.0, 4.0), (1, 1, 2))
THEIRS = Series("k8s", (10.0, 10.0, 10.0), (3, 3, 3))


def test_a_ratio_is_that_of_the_medians_and_its_spread_that_of_the_pairs() -> None:
    found = ratio("seconds", OURS, THEIRS, 0.2)
    assert (found.value, found.low, found.high) == (0.2, 0.1, 0.4)
    assert found.is_met
    assert not ratio("seconds", OURS, THEIRS, 0.19).is_met


def test_runs_that_do_not_stand_beside_each_other_are_not_compared() -> None:
    with pytest.raises(ValueError, match="shorter"):
        ratio("seconds", OURS, Series("k8s", (10.0, 10.0)), 1)


def test_who_cannot_do_the_work_meets_no_target_and_is_told() -> None:
    cannot = Series("vmirs", cannot="it holds 60 objects")
    for found in (ratio("seconds", cannot, THEIRS, 1), ratio("seconds", THEIRS, cannot, 1), requests_at_most(cannot, 3)):
        assert not found.is_met
        assert found.value is None
        assert "it holds 60 objects" in found.why


def test_requests_are_those_of_the_costliest_run() -> None:
    assert requests_at_most(OURS, 1) == Verdict("requests of vmirs", 1, 2.0, "requests")
    assert OURS.requests_seen == "1 to 2"
    assert THEIRS.requests_seen == "3"


@pytest.mark.parametrize(("seconds", "is_met"), [((1.0, 4.0), True), ((1.0, 3.0), True), ((1.0, 4.5), False), ((1.0, 16.0), False)])
def test_growth_is_held_to_linear(seconds: tuple[float, float], is_met: bool) -> None:
    points = [Point("local", NOTHING, sets, (value,)) for sets, value in zip((50, 200), seconds, strict=True)]
    assert exponent(points, "local", NOTHING).is_met is is_met


def test_growth_of_a_fleet_that_cannot_be_had_is_no_growth() -> None:
    points = [Point("remote", CREATE, sets, cannot="no such option") for sets in (50, 200)]
    assert exponent(points, "remote", CREATE).why == "no such option"


def test_results_are_read_as_they_were_written(tmp_path: Path) -> None:
    row = Row(
        "noop", "nothing", [OURS, THEIRS], [ratio("seconds", OURS, THEIRS, 1)], ["a note"], [Point("local", NOTHING, 1, (0.1,), 20.5)]
    )
    results = Results({"CPU": "one"}, 7, is_whole=True, rows=[row])
    results.write(tmp_path / "results.json")
    assert read_results(tmp_path / "results.json") == results


def test_tables_say_what_was_measured_and_what_was_not() -> None:
    cannot = Series("k8s_scale", cannot="HTTP 415")
    row = Row("noop", "nothing", [OURS, cannot], [ratio("seconds", OURS, THEIRS, 0.1), ratio("seconds", cannot, THEIRS, 1)])
    verdicts = verdict_table([row]).splitlines()
    assert verdicts[2] == "| nothing | seconds | at most 0.1 | **0.20** (0.10 to 0.40) | not met |"
    assert verdicts[3] == "|  | seconds | at most 1 | nothing | not measured: k8s_scale: HTTP 415 |"
    assert "| nothing | vmirs | 2.000 | 1.000 to 4.000 | 1 to 2 |" in series_table([row])
    assert "cannot: HTTP 415" in series_table([row])
    assert "| nothing to change | module | 10 | 0.500 | 0.400 to 0.600 | 50.0 | 41 |" in growth_table(
        [Point("remote", NOTHING, 10, (0.4, 0.5, 0.6), 41.2)]
    )
