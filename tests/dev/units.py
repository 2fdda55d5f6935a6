# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the unit tests of the plugins as ansible-test does: each in a process of its own, without Ansible's controller in reach."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from dev.environment import tool, tool_environment
from dev.paths import checkout_cache
from dev.placed import placed_copy
from dev.processes import run_logged
from dev.tally import Tally, junit_tally

# What the unit tests of the plugins are made of; the others test what is not published.
TESTS = ("tests/config.yml", "tests/dev/", "tests/unit/conftest.py", "tests/unit/plugins/", "tests/unit/support/")
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


def run_units(log: Path, arguments: Sequence[str]) -> Tally:
    """Run them on this Python, and count them by its report."""
    copy = placed_copy(checkout_cache() / "units", _is_wanted)
    command = tool("ansible-test", "units", "--color", "no", "--num-workers", "2", "--python", PYTHON, *arguments)
    done = run_logged("units", command, log, environment=tool_environment(), cwd=copy, live=True)
    reports = (copy / "tests" / "output" / "junit").glob("*.xml")
    return sum((junit_tally(report) for report in reports), Tally()).with_code(done.code)


def _is_wanted(name: str) -> bool:
    return name.startswith(TESTS) or not name.startswith("tests/")
