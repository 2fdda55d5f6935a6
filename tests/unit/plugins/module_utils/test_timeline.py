# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The timeline of a wait: every change, bounded."""

from __future__ import annotations

from ansible_collections.vmscale.kubevirt.plugins.module_utils._timeline import MOST_POINTS, MOST_TRANSITIONS, Timeline


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
