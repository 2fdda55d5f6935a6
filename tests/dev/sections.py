# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Puts what a program measured into a document, between marks; what stands around them is written by hand."""

from __future__ import annotations

import re


class MarkMissingError(Exception):
    """The document has no place for a section."""


def replace_section(text: str, program: str, name: str, content: str) -> str:
    """Return the text with other content between the marks of a section."""
    begin, end = f"<!-- {program}: {name} -->", f"<!-- {program}: end of {name} -->"
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    if len(pattern.findall(text)) != 1:
        raise MarkMissingError(f"The document has not exactly one {begin} ... {end}")
    return pattern.sub(lambda _found: f"{begin}\n{content.strip()}\n{end}", text)
