# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs stages one after another, all of them even where one fails, and sums them up."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Sequence

from dev.environment import tool, tool_environment
from dev.processes import say
from dev.sandbox import Sandbox
from dev.stages import INTEGRATION_SANDBOX, STAGES, Stage
from dev.tally import Tally

# A stage that makes no sense where the other failed.
NEEDED = {"integration": "sandbox", "kind": "kind-images"}


def run_suite(stages: Sequence[Stage], arguments: Sequence[str] = ()) -> int:
    """Return the exit code: 0 only where nothing failed."""
    rows: list[tuple[str, Tally, float]] = []
    failed: set[str] = set()
    for stage in stages:
        started = time.monotonic()
        if NEEDED.get(stage.name) in failed:
            say(f"\n== {stage.name}: not run, since {NEEDED[stage.name]} failed")
            continue
        say(f"\n== {stage.name}")
        tally = stage.run(arguments)
        if tally.failed:
            failed.add(stage.name)
        rows.append((stage.name, tally, time.monotonic() - started))
    return _summary(rows)


def run_all() -> int:
    """Run what `make test` runs, and end the sandbox of the integration tests; running them alone leaves it up for the next time."""
    try:
        return run_suite([stage for stage in STAGES.values() if stage.in_suite])
    finally:
        Sandbox(INTEGRATION_SANDBOX).down()
        say(f"make test-kind, on VMs that boot: {_kind_answer()}")


def run_kind() -> int:
    """Run the scenario on VMs that boot, after making its images; a cluster that was left up is removed first."""
    say(f"kind: {_kind_answer()}")
    return run_suite([STAGES["kind-images"], STAGES["kind"]])


def run_kind_if_made() -> int:
    """Run the scenario on VMs that boot where its images are made and its Docker starts; elsewhere say why not, which is no failure."""
    code, answer = _ask_kind("--start")
    if code:
        say(f"make test-kind is not run: {answer}")
        return 0
    return run_kind()


def _kind_answer() -> str:
    """Return what the kind cluster says of itself: whether and how it can be had here."""
    return _ask_kind()[1]


def _ask_kind(*options: str) -> tuple[int, str]:
    command = tool("python", "-m", "kind", "check", *options)
    done = subprocess.run(command, env={**os.environ, **tool_environment()}, capture_output=True, text=True, check=False)
    return done.returncode, "; ".join((done.stdout + done.stderr).strip().splitlines())


def _summary(rows: Sequence[tuple[str, Tally, float]]) -> int:
    say("\n== summary")
    for name, tally, seconds in rows:
        say(f"  {name:<12} {tally!s:<40} {seconds:6.0f} s")
    total = sum((row[1] for row in rows), Tally())
    say(f"\n{total.passed} passed, {total.failed} failed")
    return 1 if total.failed else 0
