# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Counts of what passed and failed, stage by stage."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from dev.processes import ESCAPES


@dataclass(frozen=True)
class Tally:
    """How many tests of a stage passed, failed and were skipped."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped)

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed" + (f", {self.skipped} skipped" if self.skipped else "")

    def with_code(self, code: int) -> Tally:
        """Return a tally that has at least one failure where the program itself says so."""
        return self + Tally(failed=1) if code != 0 and self.failed == 0 else self


def junit_tally(report: Path) -> Tally:
    """Return the counts in a JUnit report of pytest; nothing where there is none."""
    if not report.exists():
        return Tally()
    counts = Tally()
    for suite in ElementTree.parse(report).getroot().iter("testsuite"):
        total, skipped = int(suite.get("tests", 0)), int(suite.get("skipped", 0))
        failed = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        counts += Tally(total - failed - skipped, failed, skipped)
    return counts


def molecule_tally(output: str) -> Tally:
    """Return the counts of the scenarios' actions, each of which is one test, from molecule's recap."""
    recap = re.findall(r"\bsuccessful=(\d+)\s+disabled=\d+\s+skipped=(\d+)\s+missing=\d+\s+failed=(\d+)", ESCAPES.sub("", output))
    return sum((Tally(int(passed), int(failed), int(skipped)) for passed, skipped, failed in recap), Tally())
