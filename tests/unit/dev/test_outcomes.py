# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What became of each sanity test is read from the reports of ansible-test."""

from __future__ import annotations

from pathlib import Path

import pytest

from dev.outcomes import Outcome, missing_programs, outcomes_tally, read_outcomes, told
from dev.tally import Tally

OUTPUT = (
    'Running sanity test "compile" on Python 3.9\n'
    'Running sanity test "pslint"\n'
    'Running sanity test "shellcheck"\n'
    'WARNING: Required program "shellcheck" not found.\n'
    'Running sanity test "yamllint"\n'
    "WARNING: Reviewing previous 1 warning(s):\n"
    'WARNING: Required program "shellcheck" not found.\n'
)
CASES = {
    "compile-python-3.9": "",
    "compile-python-3.10": "",
    "compile-python-3.14": '<skipped>Skipping sanity test "compile" on Python 3.14 because it could not be found.</skipped>',
    "compile-python-3.8": "<skipped>No tests applicable.</skipped>",
    "pslint": "<skipped>No tests applicable.</skipped>",
    "shellcheck-python-3.11": "<skipped>No tests applicable.</skipped>",
    "yamllint": '<failure message="The test failed with 1 error">line 1</failure>',
}
KNOWN = [
    Outcome("compile", "3.10"),
    Outcome("compile", "3.14", why_not="it could not be found"),
    Outcome("compile", "3.8", why_not="has nothing to check"),
    Outcome("compile", "3.9"),
    Outcome("pslint", why_not="has nothing to check"),
    Outcome("shellcheck", "3.11", why_not="needs shellcheck"),
    Outcome("yamllint", is_failed=True),
]


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    for name, inside in CASES.items():
        case = f'<testsuites><testsuite name="ansible-test"><testcase classname="sanity" name="{name}">{inside}</testcase></testsuite></testsuites>'
        (tmp_path / f"ansible-test-sanity-{name}.xml").write_text(case, encoding="utf-8")
    return tmp_path


def test_a_program_is_missed_by_the_test_that_ran_last() -> None:
    assert missing_programs(OUTPUT)["shellcheck"] == "shellcheck"
    assert "compile" not in missing_programs(OUTPUT)


def test_each_report_says_whether_its_test_ran(reports: Path) -> None:
    assert read_outcomes(reports, OUTPUT) == KNOWN


def test_a_test_is_counted_once() -> None:
    assert outcomes_tally(KNOWN) == Tally(passed=1, failed=1, skipped=2)
    assert outcomes_tally([]) == Tally()


def test_a_test_that_fails_on_one_python_failed() -> None:
    assert outcomes_tally([Outcome("import", "3.9"), Outcome("import", "3.10", is_failed=True)]) == Tally(failed=1)


def test_what_ran_is_told_and_what_did_not_with_the_reason() -> None:
    assert list(told(["compile", "pylint", "pslint", "shellcheck", "yamllint"], KNOWN)) == [
        "ran: compile (Python 3.9, 3.10), yamllint",
        "not run: compile on Python 3.14: it could not be found",
        "not run: compile on Python 3.8: has nothing to check",
        "not run: pslint: has nothing to check",
        "not run: shellcheck: needs shellcheck",
        "not run: pylint: ansible-test does not say why",
    ]
