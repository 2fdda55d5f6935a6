# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the bench writes into the documentation has its places there."""

from __future__ import annotations

import pytest

from bench.document import DOCUMENT
from dev.sections import replace_section


@pytest.mark.parametrize("name", ["machine", "targets", "contestants", "growth", "profile"])
def test_the_document_has_every_section(name: str) -> None:
    assert replace_section(DOCUMENT.read_text(encoding="utf-8"), "bench", name, "new").count("\nnew\n") == 1
