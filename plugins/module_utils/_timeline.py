# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it can change at any time.

"""What happened while a task waited: counts and transitions over time, bounded, and enough to draw it."""

from __future__ import annotations

import typing as t

# A wait of an hour in a fleet must not fill the result: older points are merged, pair by pair, and lose transitions.
MOST_POINTS = 100
MOST_TRANSITIONS = 20

Counts = t.Mapping[str, t.Optional[int]]


class Timeline:
    """Keeps a point for each change of the counts or of an object's state. ``elapsed`` are seconds since the wait began."""

    def __init__(self) -> None:
        self._points: list[dict[str, t.Any]] = []
        self._states: dict[str, str] = {}
        self._counts: dict[str, int | None] = {}

    def note(self, elapsed: float, counts: Counts, states: t.Mapping[str, str]) -> bool:
        """Keep what is seen at one moment: counts by name, and the state of each object that is there; True where it is new."""
        transitions = [
            {"object": name, "from": self._states.get(name), "to": states.get(name)}
            for name in sorted({*self._states, *states})
            if self._states.get(name) != states.get(name)
        ]
        if self._points and not transitions and dict(counts) == self._counts:
            return False
        self._states, self._counts = dict(states), dict(counts)
        self._points.append(_bounded({"elapsed": round(elapsed, 3), **counts, "transitions": transitions, "omitted": 0}))
        if len(self._points) > MOST_POINTS:
            self._points = _with_older_half_merged(self._points)
        return True

    def as_result(self) -> list[dict[str, t.Any]]:
        """The points, oldest first."""
        return [dict(point) for point in self._points]


def joined(parts: t.Iterable[tuple[float, t.Sequence[t.Mapping[str, t.Any]]]]) -> list[dict[str, t.Any]]:
    """The timelines of waits that followed one another as one, each given with the seconds after which it began.

    Each wait begins with all that it finds: of that only what differs from before is kept.
    """
    points: list[dict[str, t.Any]] = []
    known: dict[str, t.Any] = {}
    for began, part in parts:
        for number, point in enumerate(part):
            transitions = [{**each, "from": known.get(each["object"]) if number == 0 else each["from"]} for each in point["transitions"]]
            transitions = [each for each in transitions if each["from"] != each["to"]]
            known.update({each["object"]: each["to"] for each in transitions})
            points.append({**point, "elapsed": round(began + point["elapsed"], 3), "transitions": transitions})
    while len(points) > MOST_POINTS:
        points = _with_older_half_merged(points)
    return points


def _with_older_half_merged(points: list[dict[str, t.Any]]) -> list[dict[str, t.Any]]:
    half = len(points) // 4 * 2
    older, younger = points[:half], points[half:]
    merged = []
    for first, second in zip(older[::2], older[1::2]):
        transitions = [*first["transitions"], *second["transitions"]]
        merged.append(_bounded({**second, "transitions": transitions, "omitted": first["omitted"] + second["omitted"]}))
    return merged + younger


def _bounded(point: dict[str, t.Any]) -> dict[str, t.Any]:
    kept = point["transitions"][:MOST_TRANSITIONS]
    return {**point, "transitions": kept, "omitted": point["omitted"] + len(point["transitions"]) - len(kept)}
