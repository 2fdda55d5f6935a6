# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The reasons of a diagnosis, and the page that lists them."""

from __future__ import annotations

import os
import re

import pytest

from ansible_collections.vmscale.kubevirt.plugins.module_utils import _diagnosis_reasons
from ansible_collections.vmscale.kubevirt.plugins.module_utils._diagnosis_reasons import REASONS, Reason
from unit.support.recorded import CHECKOUT

PAGE = CHECKOUT / "docs" / "diagnosis.md"
HEADING = "| reason | what is wrong | ends a wait | what to do |"


def row(reason: Reason) -> str:
    """Return a reason as the page shows it."""
    says = reason.one.format(name="NAME", count="COUNT", seconds="N", detail="...")
    when = "no" if not reason.fatal else "when it lasts" if reason.can_heal else "at once"
    return f"| `{reason.word}` | {says} | {when} | {reason.hint} |"


def table() -> list[str]:
    """Return the table of all reasons."""
    return [HEADING, "|---|---|---|---|", *map(row, REASONS)]


def test_the_page_lists_every_reason_as_the_code_has_it() -> None:
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(HEADING)
    after = rest.partition("\n\n")[2]
    wanted = "\n".join([*table(), "", after]).join([before, ""])
    if os.environ.get("VMSCALE_WRITE_TABLES") == "1":
        PAGE.write_text(wanted, encoding="utf-8")
    assert text == wanted


def test_every_reason_has_its_place_in_the_order() -> None:
    named = {value.word for value in vars(_diagnosis_reasons).values() if isinstance(value, Reason)}
    assert named == {reason.word for reason in REASONS}
    assert len(named) == len(REASONS)


@pytest.mark.parametrize("reason", REASONS, ids=lambda reason: reason.word)
def test_how_a_reason_is_written(reason: Reason) -> None:
    assert re.fullmatch(r"([A-Z]+[a-z]*)+", reason.word)
    assert reason.hint.endswith(".")
    assert not reason.one.endswith(".")
    assert "{count}" in reason.many or not reason.many
