# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The figures as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from bench.figures import Point, Results, Row, Series, Verdict


def table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """Return a table of Markdown."""
    rows = [head, ["---"] * len(head), *lines]
    return "\n".join("| " + " | ".join(cell.replace("\n", " ") for cell in row) + " |" for row in rows)


def machine_table(machine: Mapping[str, str]) -> str:
    return table(("", ""), ([key, value] for key, value in machine.items()))


def verdict_table(rows: Sequence[Row]) -> str:
    """Return every target with what was measured, and whether it is met."""
    lines = []
    for row in rows:
        for number, verdict in enumerate(row.verdicts):
            title = row.title if number == 0 else ""
            lines.append([title, verdict.what, f"at most {verdict.limit:g}{_unit(verdict)}", measured(verdict), answer(verdict)])
    return table(("work", "measured", "target", "found", ""), lines)


def measured(verdict: Verdict) -> str:
    """Return the value with its spread."""
    if verdict.value is None:
        return "nothing"
    if verdict.low is not None and verdict.high is not None:
        return f"**{_ratio(verdict.value)}** ({_ratio(verdict.low)} to {_ratio(verdict.high)})"
    text = f"{verdict.value:.0f}" if verdict.unit in ("requests", "MiB") else f"{verdict.value:.2f}"
    return f"**{text}**{_unit(verdict)}"


def answer(verdict: Verdict) -> str:
    if verdict.value is None:
        return f"not measured: {verdict.why}"
    return "met" if verdict.is_met else "not met"


def series_table(rows: Sequence[Row]) -> str:
    """Return every contestant of every row."""
    lines = []
    for row in rows:
        for number, series in enumerate(row.series):
            lines.append([row.title if number == 0 else "", series.contestant, *_figures(series)])
    return table(("work", "by", "seconds, median", "smallest to largest", "requests"), lines)


def growth_table(points: Sequence[Point]) -> str:
    """Return seconds and memory by the size of the fleet."""
    lines = []
    for point in sorted(points, key=lambda each: (each.work, each.shell, each.sets)):
        shell = "local shell" if point.shell == "local" else "module"
        if point.cannot:
            lines.append([point.work, shell, str(point.sets), point.cannot, "", "", ""])
            continue
        spread = f"{min(point.seconds):.3f} to {max(point.seconds):.3f}"
        memory = f"{point.peak_mib:.0f}" if point.peak_mib is not None else ""
        per_set = f"{point.median / point.sets * 1000:.1f}"
        lines.append([point.work, shell, str(point.sets), f"{point.median:.3f}", spread, per_set, memory])
    return table(("work", "", "sets", "seconds, median", "smallest to largest", "milliseconds a set", "peak MiB"), lines)


def notes(rows: Sequence[Row]) -> str:
    return "\n".join(f"- {row.title}: {note}" for row in rows for note in row.notes)


def summary(results: Results) -> str:
    """Return the verdicts for a terminal."""
    lines = []
    for row in results.rows:
        lines.append(f"\n{row.title}")
        for series in row.series:
            median, spread, requests = _figures(series)
            lines.append(f"    {series.contestant:<46} {median:>9}  {spread:<20} {requests}")
        for point in row.points:
            found = point.cannot or f"{point.median:.3f} s, {point.peak_mib or 0:.0f} MiB"
            lines.append(f"    {point.work:<18} {point.shell:<7} {point.sets:>4} sets  {found}")
        for verdict in row.verdicts:
            value = measured(verdict).replace("**", "")
            lines.append(f"  {answer(verdict).split(':')[0]:<13} {verdict.what}: {value}, at most {verdict.limit:g}")
    return "\n".join(lines)


def _figures(series: Series) -> list[str]:
    if series.cannot:
        return [f"cannot: {series.cannot}", "", ""]
    return [
        f"{series.median:.3f}",
        f"{min(series.seconds):.3f} to {max(series.seconds):.3f}",
        series.requests_seen if series.requests else "",
    ]


def _ratio(value: float) -> str:
    return f"{value:.4f}" if value < 0.01 else f"{value:.3f}" if value < 0.1 else f"{value:.2f}"


def _unit(verdict: Verdict) -> str:
    return f" {verdict.unit}" if verdict.unit == "MiB" else ""
