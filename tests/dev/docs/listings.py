# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the start page lists: guides, pages, modules, roles and playbooks, each with what it says of itself."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from dev.paths import COLLECTION


@dataclass(frozen=True)
class Page:
    """A page of the site: how it is called, and what it is about."""

    document: str
    name: str
    summary: str

    @property
    def stem(self) -> str:
        return self.document.rpartition("/")[2]


def reference_pages(source: Path, kind: str) -> Sequence[Page]:
    """Return the pages of all modules, roles or playbooks, each with what its title says."""
    title = re.compile(rf"^{re.escape(COLLECTION)}\.(\S+) {kind} -- (.+)$", re.MULTILINE)
    return sorted((_page(source, path, title) for path in source.glob(f"*_{kind}.rst")), key=lambda page: page.name)


def guide_pages(source: Path, extra_docs: Path) -> Sequence[Page]:
    """Return the guides in their order, each with its title and its first paragraph."""
    sections = yaml.safe_load(extra_docs.read_text(encoding="utf-8"))["sections"]
    rst = re.compile(r"^(\S.*)\n==+\n\n(\S.*(?:\n\S.*)*)\n\n", re.MULTILINE)
    return [_page(source, source / "docsite" / f"{name}.rst", rst) for section in sections for name in section["toctree"]]


def markdown_pages(source: Path, first: Sequence[str]) -> Sequence[Page]:
    """Return the pages of docs/, each with its title and its first paragraph, those in front that are named."""
    title = re.compile(r"\A# (.+)\n\n(\S.*(?:\n\S.*)*)\n\n")
    paths = sorted((source / "pages").glob("*.md"), key=lambda path: (first.index(path.stem) if path.stem in first else len(first), path))
    return [_page(source, path, title) for path in paths]


def table(pages: Sequence[Page]) -> str:
    """Return a table of pages."""
    rows = "".join(f"   * - :doc:`{page.name} </{page.document}>`\n     - {page.summary}\n" for page in pages)
    return f".. list-table::\n   :widths: auto\n   :width: 100%\n\n{rows}\n"


def names(pages: Sequence[Page]) -> str:
    """Return a list of pages."""
    return "".join(f"- :doc:`{page.name} </{page.document}>`\n" for page in pages) + "\n"


def navigation(caption: str, pages: Sequence[Page]) -> str:
    """Return the place of pages in the navigation."""
    entries = "".join(f"   {page.name} </{page.document}>\n" for page in pages)
    return f".. toctree::\n   :caption: {caption}\n   :hidden:\n\n{entries}\n"


def _page(source: Path, path: Path, title: re.Pattern[str]) -> Page:
    found = title.search(path.read_text(encoding="utf-8"))
    if found is None:
        raise ValueError(f"{path} does not begin with a title and what it is about")
    return Page(str(path.relative_to(source).with_suffix("")), found[1], " ".join(found[2].split()))
