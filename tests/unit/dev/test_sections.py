# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a program writes into a document, and what it leaves there."""

from __future__ import annotations

import pytest

from dev.sections import MarkMissingError, replace_section

TEXT = "before\n<!-- bench: a -->\nold\n<!-- bench: end of a -->\nafter\n"


def test_only_what_lies_between_the_marks_is_replaced() -> None:
    found = replace_section(TEXT, "bench", "a", "new \\1 |\n")
    assert found == "before\n<!-- bench: a -->\nnew \\1 |\n<!-- bench: end of a -->\nafter\n"
    assert replace_section(found, "bench", "a", "old") == TEXT


@pytest.mark.parametrize("text", ["", TEXT.replace("end of a", "end of b"), TEXT.replace("bench", "versions"), TEXT + TEXT])
def test_a_section_has_one_place(text: str) -> None:
    with pytest.raises(MarkMissingError):
        replace_section(text, "bench", "a", "new")
