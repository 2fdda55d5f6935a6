# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs stages one after another, all of them even where one fails, and sums them up."""

from __future__ import annotations

import time
from collections.abc import Sequence

from dev.processes import say
from dev.sandbox import Sandbox
from dev.stages import INTEGRATION_SANDBOX, STAGES, Stage
from dev.tally import Tally

NEEDS_SANDBOX = "integration"


def run_suite(stages: Sequence[Stage], arguments: Sequence[str] = ()) -> int:
    """Return the exit code: 0 only where nothing failed."""
    rows: list[tuple[str, Tally, float]] = []
    sandbox_failed = False
    for stage in stages:
        started = time.monotonic()
        if sandbox_failed and stage.name == NEEDS_SANDBOX:
            say(f"\n== {stage.name}: not run, since the sandbox did not come up")
            continue
        say(f"\n== {stage.name}")
        tally = stage.run(arguments)
        sandbox_failed = sandbox_failed or (stage.name == "sandbox" and tally.failed > 0)
        rows.append((stage.name, tally, time.monotonic() - started))
    return _summary(rows)


def run_all() -> int:
    """Run what `make test` runs, and end the sandbox of the integration tests; running them alone leaves it up for the next time."""
    try:
        return run_suite([stage for stage in STAGES.values() if stage.in_suite])
    finally:
        Sandbox(INTEGRATION_SANDBOX).down()


def _summary(rows: Sequence[tuple[str, Tally, float]]) -> int:
    say("\n== summary")
    for name, tally, seconds in rows:
        say(f"  {name:<12} {tally!s:<40} {seconds:6.0f} s")
    total = sum((row[1] for row in rows), Tally())
    say(f"\n{total.passed} passed, {total.failed} failed")
    return 1 if total.failed else 0
