# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Puts the figures into docs/performance.md, between marks; what stands around them is written by hand."""

from __future__ import annotations

from pathlib import Path

from dev.paths import CHECKOUT
from dev.sections import replace_section

DOCUMENT = CHECKOUT / "docs" / "performance.md"
IMAGES = CHECKOUT / "docs" / "images"


def write_sections(sections: dict[str, str], source: Path, target: Path) -> None:
    """Write the document with new content in the sections that are given."""
    text = source.read_text(encoding="utf-8")
    for name, content in sections.items():
        text = replace_section(text, "bench", name, content)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")
