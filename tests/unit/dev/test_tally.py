# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the stages of the tests count."""

from __future__ import annotations

from pathlib import Path

from dev.tally import Tally, junit_tally, molecule_tally


def test_a_junit_report_is_counted_by_outcome(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    report.write_text('<testsuites><testsuite tests="9" failures="1" errors="2" skipped="3"/></testsuites>', encoding="utf-8")

    assert junit_tally(report) == Tally(passed=3, failed=3, skipped=3)


def test_a_missing_report_counts_nothing_until_the_exit_code_speaks(tmp_path: Path) -> None:
    nothing = junit_tally(tmp_path / "missing.xml")

    assert nothing == Tally()
    assert nothing.with_code(0) == Tally()
    assert nothing.with_code(2) == Tally(failed=1)


def test_an_exit_code_adds_nothing_to_counted_failures() -> None:
    assert Tally(passed=4, failed=2).with_code(1) == Tally(passed=4, failed=2)


def test_molecule_actions_are_counted_once_and_through_colors() -> None:
    output = (
        "INFO     default > converge: \x1b[32mExecuted: Successful\x1b[0m\n"
        "\x1b[32mdefault\x1b[0m  : \x1b[33mactions=8\x1b[0m  \x1b[32msuccessful=7\x1b[0m  disabled=0  skipped=0  missing=0  failed=1\n"
        "kind     : actions=2  successful=2  disabled=0  skipped=0  missing=0  failed=0\n"
    )

    assert molecule_tally(output) == Tally(passed=9, failed=1)
