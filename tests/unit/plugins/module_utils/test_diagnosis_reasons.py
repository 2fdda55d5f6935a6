# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The reasons of a diagnosis, and the pages that list them."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from ansible_collections.vmscale.kubevirt.plugins.module_utils import _diagnosis_reasons
from ansible_collections.vmscale.kubevirt.plugins.module_utils._diagnosis_reasons import REASONS, Reason
from unit.support.recorded import CHECKOUT

PAGE = CHECKOUT / "docs" / "diagnosis.md"
HEADING = "| reason | what is wrong | ends a wait | what to do |"
GUIDE = CHECKOUT / "docs" / "docsite" / "rst" / "guide_troubleshooting.rst"
GLOSSARY = ".. glossary::\n"
ENDS = {
    "at once": "It ends a wait at once.",
    "when it lasts": "It ends a wait once it has lasted for the grace period.",
    "no": "It does not end a wait: it is told when the time is up.",
}


def says(reason: Reason) -> str:
    """Return the sentence of a reason, with names for what it is filled with."""
    return reason.one.format(name="NAME", count="COUNT", seconds="N", detail="...")


def ends_a_wait(reason: Reason) -> str:
    return "no" if not reason.fatal else "when it lasts" if reason.can_heal else "at once"


def row(reason: Reason) -> str:
    """Return a reason as the page shows it."""
    return f"| `{reason.word}` | {says(reason)} | {ends_a_wait(reason)} | {reason.hint} |"


def entry(reason: Reason) -> str:
    """Return a reason as the guide shows it."""
    end = "" if says(reason).endswith("...") else "."
    return f"\n   {reason.word}\n      *{says(reason)}{end}*\n\n      {reason.hint} {ENDS[ends_a_wait(reason)]}\n"


def has_text(path: Path, wanted: Callable[[str], str]) -> bool:
    """Whether a page reads as it should, made from what it reads now; it is written where that is asked for."""
    text = path.read_text(encoding="utf-8")
    if os.environ.get("VMSCALE_WRITE_TABLES") == "1":
        path.write_text(wanted(text), encoding="utf-8")
    return text == wanted(text)


def table() -> list[str]:
    """Return the table of all reasons."""
    return [HEADING, "|---|---|---|---|", *map(row, REASONS)]


def test_the_page_lists_every_reason_as_the_code_has_it() -> None:
    def wanted(text: str) -> str:
        before, _, rest = text.partition(HEADING)
        return "\n".join([*table(), "", rest.partition("\n\n")[2]]).join([before, ""])

    assert has_text(PAGE, wanted)


def test_the_guide_lists_every_reason_as_the_code_has_it() -> None:
    def wanted(text: str) -> str:
        return text.partition(GLOSSARY)[0] + GLOSSARY + "".join(map(entry, sorted(REASONS, key=lambda reason: reason.word)))

    assert has_text(GUIDE, wanted)


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
