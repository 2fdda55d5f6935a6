# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The timeline of a wait: every change, bounded."""

from __future__ import annotations

from ansible_collections.vmscale.kubevirt.plugins.module_utils._timeline import MOST_POINTS, MOST_TRANSITIONS, Timeline, joined


def test_a_point_is_kept_for_each_change() -> None:
    timeline = Timeline()
    assert timeline.note(0.12345, {"ready": 0}, {"a": "Pending"})
    assert not timeline.note(1, {"ready": 0}, {"a": "Pending"})
    assert timeline.note(2, {"ready": 0}, {"a": "Running"})
    assert timeline.note(3, {"ready": 1}, {"a": "Running"})
    assert timeline.note(4, {"ready": 1}, {})
    assert timeline.as_result() == [
        {"elapsed": 0.123, "ready": 0, "transitions": [{"object": "a", "from": None, "to": "Pending"}], "omitted": 0},
        {"elapsed": 2, "ready": 0, "transitions": [{"object": "a", "from": "Pending", "to": "Running"}], "omitted": 0},
        {"elapsed": 3, "ready": 1, "transitions": [], "omitted": 0},
        {"elapsed": 4, "ready": 1, "transitions": [{"object": "a", "from": "Running", "to": None}], "omitted": 0},
    ]


def test_a_long_wait_keeps_its_beginning_its_end_and_the_number_of_what_it_left_out() -> None:
    timeline = Timeline()
    for second in range(1000):
        timeline.note(second, {"ready": second}, {"a": str(second)})
    points = timeline.as_result()
    assert MOST_POINTS // 2 < len(points) <= MOST_POINTS
    moments = [point["elapsed"] for point in points]
    assert moments == sorted(moments)
    assert moments[-MOST_POINTS // 2 :] == list(range(1000 - MOST_POINTS // 2, 1000))
    assert points[-1]["ready"] == 999
    assert sum(len(point["transitions"]) + point["omitted"] for point in points) == 1000
    assert all(len(point["transitions"]) <= MOST_TRANSITIONS for point in points)


def test_a_fleet_that_changes_at_once_is_bounded_too() -> None:
    timeline = Timeline()
    timeline.note(0, {}, {f"vmi-{number:03}": "New" for number in range(300)})
    (point,) = timeline.as_result()
    assert (len(point["transitions"]), point["omitted"]) == (MOST_TRANSITIONS, 300 - MOST_TRANSITIONS)


def part(*moments: tuple[float, int, dict[str, str]]) -> list[dict[str, object]]:
    """Return the timeline of a wait that saw so many ready, and these states."""
    timeline = Timeline()
    for elapsed, ready, states in moments:
        timeline.note(elapsed, {"ready": ready}, states)
    return timeline.as_result()


def test_waits_that_follow_one_another_are_one_timeline() -> None:
    first = part((0, 2, {"a": "Ready", "b": "Ready"}), (1.5, 1, {"a": "Ready"}))
    second = part((0, 1, {"a": "Ready", "c": "New"}), (2, 2, {"a": "Ready", "c": "Ready"}))
    assert joined([(0, first), (4.25, second)]) == [
        {
            "elapsed": 0,
            "ready": 2,
            "transitions": [{"object": "a", "from": None, "to": "Ready"}, {"object": "b", "from": None, "to": "Ready"}],
            "omitted": 0,
        },
        {"elapsed": 1.5, "ready": 1, "transitions": [{"object": "b", "from": "Ready", "to": None}], "omitted": 0},
        # What the second finds as the first has left it is no news.
        {"elapsed": 4.25, "ready": 1, "transitions": [{"object": "c", "from": None, "to": "New"}], "omitted": 0},
        {"elapsed": 6.25, "ready": 2, "transitions": [{"object": "c", "from": "New", "to": "Ready"}], "omitted": 0},
    ]
    assert joined([]) == joined([(3, [])]) == []


def test_what_became_of_an_object_between_two_waits_is_a_transition() -> None:
    found = joined([(0, part((0, 1, {"a": "Scheduling"}))), (5, part((0, 1, {"a": "Ready"})))])
    assert found[1]["transitions"] == [{"object": "a", "from": "Scheduling", "to": "Ready"}]


def test_many_waits_are_bounded_too() -> None:
    points = joined([(number * 10, part(*((second, second, {}) for second in range(9)))) for number in range(100)])
    assert MOST_POINTS // 2 < len(points) <= MOST_POINTS
    moments = [point["elapsed"] for point in points]
    assert moments == sorted(moments)
    assert moments[-1] == 998
