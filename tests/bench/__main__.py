# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The bench: `python -m bench`, called by `make bench`; README.md says what it measures."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from bench.document import DOCUMENT, IMAGES, write_sections
from bench.figures import Results, Row, read_results, verdicts_of
from bench.ground import BenchFailedError, Ground, leave_ground, prepare_ground, tell
from bench.machine import describe_machine, is_busy
from bench.profile import profile_section
from bench.rows import ROWS
from bench.rows.single import MORE
from bench.tables import growth_table, machine_table, notes, series_table, summary, verdict_table
from dev.paths import checkout_cache
from dev.processes import say

HOME = checkout_cache() / "bench"
RESULTS = HOME / "results.json"
ENOUGH_RUNS = 7


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what is asked for, and write down what is whole."""
    options = _parser().parse_args(arguments)
    if options.render:
        _publish(read_results(RESULTS), None)
        return 0
    # Before the sandbox starts, which is work of our own.
    load = os.getloadavg()[0]
    try:
        ground = prepare_ground(HOME / "work", is_fresh=not options.keep)
        return _measure(ground, options, describe_machine(load))
    except (BenchFailedError, AssertionError, subprocess.CalledProcessError) as error:
        say(f"\nThe bench FAILED: {error}")
        return 1
    finally:
        if not options.keep:
            leave_ground()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--rows", type=_row_names, default=[*ROWS], help=f"only these, with commas: {', '.join(ROWS)}")
    parser.add_argument("--runs", type=int, default=ENOUGH_RUNS, help=f"runs of each contestant; {ENOUGH_RUNS} or more are written down")
    parser.add_argument("--profile", action="store_true", help="only where the milliseconds of a task go")
    parser.add_argument("--keep", action="store_true", help="use the sandbox that is there, and leave it up")
    parser.add_argument("--render", action="store_true", help="measure nothing: write the figures of the last run once more")
    return parser


def _row_names(text: str) -> list[str]:
    names = text.split(",")
    unknown = [name for name in names if name not in ROWS]
    if unknown:
        raise argparse.ArgumentTypeError(f"no row {', '.join(unknown)}: there are {', '.join(ROWS)}")
    return [name for name in ROWS if name in names]


def _measure(ground: Ground, options: argparse.Namespace, machine: dict[str, str]) -> int:
    if is_busy(machine):
        say(f"The machine is busy (load {machine['load when it began']}): the figures are for trying only.")
    if options.profile:
        _publish(None, profile_section(ground, options.runs, machine), is_whole=options.runs >= ENOUGH_RUNS)
        return 0
    results = Results(machine, options.runs, is_whole=[*options.rows] == [*ROWS] and options.runs >= ENOUGH_RUNS)
    for name in options.rows:
        say(f"\n== {name}: {ROWS[name].title}")
        results.rows.append(_measure_row(ground, name, options.runs))
        results.write(RESULTS)
        say(summary(Results(machine, options.runs, is_whole=False, rows=results.rows[-1:])))
    profile = profile_section(ground, options.runs, machine) if results.is_whole else None
    say(f"\n== summary\n{summary(results)}")
    verdicts = verdicts_of(results.rows)
    say(f"\n{sum(verdict.is_met for verdict in verdicts)} of {len(verdicts)} targets met")
    _publish(results, profile)
    return 0


def _measure_row(ground: Ground, name: str, runs: int) -> Row:
    row = Row(name, ROWS[name].title)
    began = time.monotonic()
    ROWS[name].measure(ground, runs, row)
    tell(f"{name}: measured in {time.monotonic() - began:.0f} s")
    return row


def _publish(results: Results | None, profile: str | None, *, is_whole: bool = False) -> None:
    """Write what is whole into the documentation, and anything else beside it."""
    is_whole = is_whole or (results is not None and results.is_whole)
    document, images = (DOCUMENT, IMAGES) if is_whole else (HOME / DOCUMENT.name, HOME / "images")
    sections = {} if profile is None else {"profile": profile}
    if results is not None:
        sections |= _sections(results)
        _plot(results, images)
    write_sections(sections, DOCUMENT, document)
    say(f"Written: {document}" + ("" if is_whole else f" (every row and {ENOUGH_RUNS} runs go into {DOCUMENT.name})"))


def _sections(results: Results) -> dict[str, str]:
    rows = results.rows
    points = [point for row in rows for point in row.points]
    return {
        "machine": machine_table(
            {
                **results.machine,
                "runs of each contestant": f"{results.runs}, and {MORE * results.runs} where a run is one short task or play",
            }
        ),
        "targets": verdict_table(rows),
        "contestants": f"{series_table(rows)}\n\n{notes(rows)}",
        "growth": growth_table(points),
    }


def _plot(results: Results, images: Path) -> None:
    from bench.plots import can_plot, plot_growth, plot_ratios

    if can_plot(results.rows):
        plot_ratios(results.rows, images / "performance-ratios.svg")
    points = [point for row in results.rows for point in row.points if not point.cannot]
    if points:
        plot_growth(points, images / "performance-growth.svg")


if __name__ == "__main__":
    sys.exit(main())
