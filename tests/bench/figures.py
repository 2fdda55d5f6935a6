# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was measured: a series for each contestant, and what it says of a target."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any


@dataclass(frozen=True)
class Series:
    """The runs of one contestant, in order; run for run they stand beside those of the others."""

    contestant: str
    seconds: tuple[float, ...] = ()
    requests: tuple[int, ...] = ()
    cannot: str = ""
    """Why it cannot do the work."""

    @property
    def median(self) -> float:
        return median(self.seconds)

    @property
    def requests_seen(self) -> str:
        """How many requests a run costs; both ends where runs differ."""
        low, high = min(self.requests, default=0), max(self.requests, default=0)
        return str(low) if low == high else f"{low} to {high}"


@dataclass(frozen=True)
class Verdict:
    """One target, and what was measured."""

    what: str
    limit: float
    value: float | None
    unit: str = ""
    low: float | None = None
    high: float | None = None
    why: str = ""
    """Why there is no value."""

    @property
    def is_met(self) -> bool:
        return self.value is not None and self.value <= self.limit

    @property
    def is_ratio(self) -> bool:
        return self.low is not None


def ratio(what: str, ours: Series, theirs: Series, limit: float) -> Verdict:
    """Return the ratio of the medians, with that of the best and of the worst pair of runs."""
    if ours.cannot or theirs.cannot:
        return Verdict(what, limit, None, why=f"{ours.contestant if ours.cannot else theirs.contestant}: {ours.cannot or theirs.cannot}")
    pairs = [one / other for one, other in zip(ours.seconds, theirs.seconds, strict=True)]
    return Verdict(what, limit, ours.median / theirs.median, low=min(pairs), high=max(pairs))


def requests_at_most(series: Series, limit: int) -> Verdict:
    """Return how many requests the costliest run took."""
    what = f"requests of {series.contestant}"
    if series.cannot:
        return Verdict(what, limit, None, "requests", why=series.cannot)
    return Verdict(what, limit, float(max(series.requests)), "requests")


@dataclass(frozen=True)
class Point:
    """What a fleet of so many sets costs."""

    shell: str
    work: str
    sets: int
    seconds: tuple[float, ...] = ()
    peak_mib: float | None = None
    cannot: str = ""

    @property
    def median(self) -> float:
        return median(self.seconds)


@dataclass
class Row:
    """One kind of work: who did it how fast, and the targets."""

    name: str
    title: str
    series: list[Series] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    points: list[Point] = field(default_factory=list)


@dataclass
class Results:
    """A whole run of the bench."""

    machine: dict[str, str]
    runs: int
    is_whole: bool
    rows: list[Row] = field(default_factory=list)

    def write(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(dataclasses.asdict(self), indent=1) + "\n", encoding="utf-8")


def read_results(path: Path) -> Results:
    """Return what `Results.write` wrote."""
    given = json.loads(path.read_text(encoding="utf-8"))
    return Results(given["machine"], given["runs"], given["is_whole"], [_row(row) for row in given["rows"]])


def _row(given: Mapping[str, Any]) -> Row:
    return Row(
        given["name"],
        given["title"],
        [Series(**_with_tuples(each)) for each in given["series"]],
        [Verdict(**each) for each in given["verdicts"]],
        list(given["notes"]),
        [Point(**_with_tuples(each)) for each in given["points"]],
    )


def _with_tuples(given: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in given.items()}


def verdicts_of(rows: Sequence[Row]) -> list[Verdict]:
    return [verdict for row in rows for verdict in row.verdicts]
