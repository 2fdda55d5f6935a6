# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What became of each sanity test: whether it ran, on which versions of Python, and why not where it did not."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from dev.tally import Tally

NOTHING_TO_CHECK = "No tests applicable."


@dataclass(frozen=True)
class Outcome:
    """A sanity test, on one version of Python where it depends on that."""

    test: str
    python: str = ""
    is_failed: bool = False
    why_not: str = ""

    @property
    def name(self) -> str:
        return f"{self.test} on Python {self.python}" if self.python else self.test


def read_outcomes(folder: Path, output: str) -> Sequence[Outcome]:
    """Read the reports of a run; which program it missed is said in its output alone."""
    missed = missing_programs(output)
    cases = (case for report in sorted(folder.glob("*.xml")) for case in ElementTree.parse(report).getroot().iter("testcase"))
    return [_outcome(case, missed) for case in cases]


def missing_programs(output: str) -> Mapping[str, str]:
    """Return the program that a test asked for in vain, by test."""
    found: dict[str, str] = {}
    test = ""
    for line in output.splitlines():
        if running := re.match(r'Running sanity test "([^"]+)"', line):
            test = running[1]
        elif missing := re.match(r'WARNING: Required program "([^"]+)" not found', line):
            found[test] = missing[1]
    return found


def _outcome(case: ElementTree.Element, missed: Mapping[str, str]) -> Outcome:
    test, dummy, python = case.get("name", "").partition("-python-")
    is_failed = case.find("failure") is not None or case.find("error") is not None
    skipped = case.find("skipped")
    if skipped is None:
        return Outcome(test, python, is_failed)
    said = skipped.get("message") or skipped.text or ""
    if said.strip() == NOTHING_TO_CHECK:
        return Outcome(test, python, why_not=f"needs {missed[test]}" if test in missed else "has nothing to check")
    reason = re.search(r"(?:because|due to) (.+?)\.?$", said.strip(), re.DOTALL)
    return Outcome(test, python, why_not=reason[1] if reason else said)


def outcomes_tally(outcomes: Iterable[Outcome]) -> Tally:
    """Return the counts; a test that ran on several versions of Python is one, and one that ran on any is not skipped."""
    known = list(outcomes)
    tests = {outcome.test for outcome in known}
    failed = {outcome.test for outcome in known if outcome.is_failed}
    ran = {outcome.test for outcome in known if not outcome.why_not}
    return Tally(len(ran - failed), len(failed), len(tests - ran))


def told(listed: Iterable[str], outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Say which tests ran, and each that did not with the reason."""
    ran = {outcome.test for outcome in outcomes if not outcome.why_not}
    yield f"ran: {', '.join(_with_versions(test, outcomes) for test in sorted(ran))}"
    for outcome in outcomes:
        if outcome.why_not:
            # Which Python it would have run on matters only where it ran on others.
            yield f"not run: {outcome.name if outcome.test in ran else outcome.test}: {outcome.why_not}"
    silent = set(listed) - {outcome.test for outcome in outcomes}
    yield from (f"not run: {test}: ansible-test does not say why" for test in sorted(silent))


def _with_versions(test: str, outcomes: Iterable[Outcome]) -> str:
    versions = sorted(
        (outcome.python for outcome in outcomes if outcome.test == test and outcome.python and not outcome.why_not),
        key=lambda version: [int(part) for part in version.split(".")],
    )
    return f"{test} (Python {', '.join(versions)})" if versions else test
