# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs pytest in one of the environments, and counts what came of it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from dev.environment import tool_environment
from dev.paths import TESTS, checkout_cache
from dev.processes import run_logged
from dev.tally import Tally, junit_tally

NO_TESTS_COLLECTED = 5


def run_pytest(python: Path, name: str, arguments: Sequence[str]) -> Tally:
    """Run it with that Python; its counts come from its report, its last word from its exit code."""
    environment = tool_environment()
    environment["PATH"] = f"{python.parent}{os.pathsep}{environment['PATH']}"
    with tempfile.TemporaryDirectory() as directory:
        report = Path(directory) / "report.xml"
        command = [str(python), "-m", "pytest", f"--junit-xml={report}", *arguments]
        done = run_logged(name, command, checkout_cache() / "logs" / f"{name}.log", environment=environment, live=True)
        return junit_tally(report).with_code(0 if done.code == NO_TESTS_COLLECTED else done.code)


def run_integration(python: Path, name: str, arguments: Sequence[str], which: str = "") -> Tally:
    """Run the integration tests: side by side, since they mostly wait, but for those that use what all of them share."""
    folder = str(TESTS / "integration")
    only = f" and {which}" if which else ""
    beside = ("--numprocesses=4", "--dist=loadgroup", "-m", f"not serial{only}")
    return run_pytest(python, name, (folder, "-v", *beside, *arguments)) + run_pytest(
        python, f"{name}-serial", (folder, "-v", "-m", f"serial{only}", *arguments)
    )
