# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pages of docs/ as the site takes them: what they link to outside of docs/ is in the repository."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

REPOSITORY = "https://github.com/vmscale/vmscale.kubevirt/blob/main"
OUTSIDE = re.compile(r"\]\((\.\./[^)#\s]+)")
NOT_MEASURED = re.compile(r"^<!-- bench: (\w+) -->\n<!-- bench: end of \1 -->$", re.MULTILINE)


def copy_pages(docs: Path, pages: Path) -> list[str]:
    """Copy the pages and their pictures; returns the names of pages left out, since what they are to show is not measured yet."""
    pages.mkdir()
    if (docs / "images").is_dir():
        shutil.copytree(docs / "images", pages / "images")
    left_out = []
    for path in sorted(docs.glob("*.md")):
        text = path.read_text(encoding="utf-8")
        if NOT_MEASURED.search(text):
            left_out.append(path.name)
        else:
            (pages / path.name).write_text(linked(text, docs), encoding="utf-8")
    return left_out


def linked(text: str, docs: Path) -> str:
    """Return a page with addresses for what lies outside of docs/; raises `ValueError` where there is nothing."""

    def address(match: re.Match[str]) -> str:
        path = (docs / match[1]).resolve()
        if not path.exists():
            raise ValueError(f"a page of {docs.name} links to {match[1]}, which does not exist")
        return f"]({REPOSITORY}/{path.relative_to(docs.resolve().parent)}"

    return OUTSIDE.sub(address, text)
