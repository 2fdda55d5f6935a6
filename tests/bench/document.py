# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Puts the figures into docs/performance.md, between marks; what stands around them is written by hand."""

from __future__ import annotations

import re
from pathlib import Path

from dev.paths import CHECKOUT

DOCUMENT = CHECKOUT / "docs" / "performance.md"
IMAGES = CHECKOUT / "docs" / "images"


class MarkMissingError(Exception):
    """The document has no place for a section."""


def replace_section(text: str, name: str, content: str) -> str:
    """Return the text with other content between the marks of a section."""
    begin, end = f"<!-- bench: {name} -->", f"<!-- bench: end of {name} -->"
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    if len(pattern.findall(text)) != 1:
        raise MarkMissingError(f"{DOCUMENT.name} has not exactly one {begin} ... {end}")
    return pattern.sub(lambda _found: f"{begin}\n{content.strip()}\n{end}", text)


def write_sections(sections: dict[str, str], source: Path, target: Path) -> None:
    """Write the document with new content in the sections that are given."""
    text = source.read_text(encoding="utf-8")
    for name, content in sections.items():
        text = replace_section(text, name, content)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")
