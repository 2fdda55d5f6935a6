# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rows of `make versions`: what each is made of, and what is written down of them."""

from __future__ import annotations

import re

import pytest

from dev.matrix import ROWS, Row, chosen_rows, requirements, table
from dev.paths import CHECKOUT, REQUIREMENTS

PINNED = REQUIREMENTS.read_text(encoding="utf-8")
OLDEST, NEWEST = ROWS[0], ROWS[-1]


def test_a_row_pins_what_it_is_about_and_takes_its_tools_from_the_other_tests() -> None:
    wanted = requirements(OLDEST, PINNED).splitlines()
    assert {"ansible-core==2.17.14", "kubernetes==24.2.0", "urllib3==2.0.7"} <= set(wanted)
    assert [line for line in wanted if line.startswith("pytest==")] == re.findall(r"^pytest==.*$", PINNED, re.MULTILINE)


def test_a_tool_that_the_tests_do_not_pin_is_noticed() -> None:
    with pytest.raises(KeyError, match="pytest"):
        requirements(OLDEST, PINNED.replace("pytest==", "pytest>="))


def test_the_first_row_has_the_oldest_that_is_promised() -> None:
    promised = (CHECKOUT / "meta" / "runtime.yml").read_text(encoding="utf-8"), (CHECKOUT / "galaxy.yml").read_text(encoding="utf-8")
    floor = (CHECKOUT / "meta" / "ee-requirements.txt").read_text(encoding="utf-8")
    assert f'requires_ansible: ">={OLDEST.core.rpartition(".")[0]}.0"' in promised[0]
    assert f'kubernetes.core: ">={OLDEST.kubernetes_core}"' in promised[1]
    assert f"kubernetes>={OLDEST.kubernetes}\n" in floor
    assert f"urllib3>={OLDEST.urllib3.rpartition('.')[0]}\n" in floor


def test_one_row_is_what_the_other_tests_use() -> None:
    (row,) = [row for row in ROWS if f"ansible-core=={row.core}\n" in PINNED]
    for name, version in (("ansible", row.bundle), ("kubernetes", row.kubernetes), ("urllib3", row.urllib3)):
        assert f"\n{name}=={version}\n" in PINNED


@pytest.mark.parametrize(
    ("names", "chosen"),
    [((), list(ROWS)), (("2.17.14",), list(ROWS[:2])), (("2.17.14-24", "2.21"), [OLDEST, NEWEST]), (("2.16",), [])],
)
def test_rows_are_chosen_by_how_their_names_begin(names: tuple[str, ...], chosen: list[Row]) -> None:
    assert list(chosen_rows(names)) == chosen


def line(text: str, row: Row) -> str:
    return next(found for found in text.splitlines() if found.startswith(f"| {' | '.join(row.cells)} |"))


def test_only_what_was_run_gets_a_new_line() -> None:
    first = table({OLDEST: ("9 passed, 0 failed", "8 passed, 1 failed")}, "")
    assert line(first, OLDEST).endswith("| 9 passed, 0 failed | 8 passed, 1 failed |")
    assert line(first, NEWEST).endswith("| not run | not run |")

    second = table({NEWEST: ("7 passed, 0 failed", "6 passed, 0 failed, 2 skipped")}, f"Text.\n{first}\nText.")
    assert line(second, OLDEST) == line(first, OLDEST)
    assert line(second, NEWEST).endswith("| 7 passed, 0 failed | 6 passed, 0 failed, 2 skipped |")
    assert len(second.splitlines()) == len(ROWS) + 2
