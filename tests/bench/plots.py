# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The figures as pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib import pyplot

from bench.figures import Point, Row, verdicts_of
from bench.rows.growth import CREATE, NOTHING

matplotlib.use("Agg")
# The same figures make the same file.
matplotlib.rcParams.update({"svg.hashsalt": "bench", "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 9})
METADATA = {"Date": None, "Creator": None}
MET, MISSED, TARGET = "#2a78b5", "#c4452f", "#1a1a1a"
SHELLS = {"local": ("local shell", "#2a78b5", "o"), "remote": ("module", "#d98c1f", "s")}


def plot_ratios(rows: Sequence[Row], path: Path) -> None:
    """Draw each ratio as a bar with its spread, and its target as a line across it."""
    shown = [(row, verdict) for row in rows for verdict in row.verdicts if verdict.is_ratio and verdict.value is not None]
    figure, axes = pyplot.subplots(figsize=(9, 0.9 + 0.45 * len(shown)), layout="constrained")
    for place, (_row, verdict) in enumerate(shown):
        value, low, high = verdict.value or 0.0, verdict.low or 0.0, verdict.high or 0.0
        axes.barh(place, value, height=0.6, color=MET if verdict.is_met else MISSED)
        axes.errorbar(value, place, xerr=[[max(0.0, value - low)], [max(0.0, high - value)]], color="#555555", capsize=2, linewidth=1)
        axes.plot([verdict.limit] * 2, [place - 0.4, place + 0.4], color=TARGET, linewidth=2)
        axes.annotate(f" {value:.2g}", (max(high, value), place), va="center", fontsize=8)
    axes.set_yticks(range(len(shown)), [_label(row, verdict.what) for row, verdict in shown])
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.axvline(1, color="#999999", linewidth=0.8)
    axes.set_xlabel("our seconds over theirs; thin: best and worst pair of runs; black: target; red: missed")
    axes.spines[["top", "right"]].set_visible(False)
    _save(figure, path)


def _label(row: Row, what: str) -> str:
    peer = what.removeprefix("seconds over those of ").replace("`", "")
    return f"{row.name}: over {peer}"


def plot_growth(points: Sequence[Point], path: Path) -> None:
    """Draw seconds and memory per set by the size of the fleet, for both kinds of work and both shells."""
    works = (NOTHING, CREATE)
    figure, grid = pyplot.subplots(2, len(works), figsize=(9, 6), sharex=True, layout="constrained")
    for column, work in enumerate(works):
        for shell, (label, color, marker) in SHELLS.items():
            chosen = sorted(
                (point for point in points if (point.shell, point.work) == (shell, work) and not point.cannot), key=lambda each: each.sets
            )
            sizes = [point.sets for point in chosen]
            style = {"color": color, "marker": marker, "markersize": 4, "linewidth": 1.2, "label": label}
            medians = [point.median / point.sets for point in chosen]
            spread = [
                [middle - min(point.seconds) / point.sets for middle, point in zip(medians, chosen, strict=True)],
                [max(point.seconds) / point.sets - middle for middle, point in zip(medians, chosen, strict=True)],
            ]
            grid[0][column].errorbar(sizes, medians, yerr=spread, capsize=2, **style)
            grid[1][column].plot(sizes, [(point.peak_mib or 0.0) / point.sets for point in chosen], **style)
        grid[0][column].set_title(work)
        grid[1][column].set_xlabel("sets of one VMI")
    grid[0][0].set_ylabel("seconds a set")
    grid[1][0].set_ylabel("peak MiB a set")
    for axes in grid.flat:
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xticks([1, 10, 50, 100, 200], ["1", "10", "50", "100", "200"])
        axes.minorticks_off()
        axes.yaxis.set_major_formatter("{x:g}")
        axes.grid(visible=True, linewidth=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    grid[0][0].legend(frameon=False)
    _save(figure, path)


def _save(figure: Any, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata=METADATA)
    pyplot.close(figure)
    # matplotlib leaves blanks at the ends of lines.
    text = path.read_text(encoding="utf-8")
    path.write_text("\n".join(line.rstrip() for line in text.splitlines()) + "\n", encoding="utf-8")


def can_plot(rows: Sequence[Row]) -> bool:
    return any(verdict.is_ratio and verdict.value is not None for verdict in verdicts_of(rows))
