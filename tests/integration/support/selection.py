# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which tests are run: what takes long is, on demand."""

from __future__ import annotations

import os

import pytest

IS_SLOW_WANTED = os.environ.get("VMSCALE_TEST_SLOW") == "1"
WHY_NOT = "takes long: VMSCALE_TEST_SLOW=1"


def is_slow(item: pytest.Item) -> bool:
    """True for what is marked so, and for the remote shell where that makes no difference."""
    if item.get_closest_marker("slow"):
        return True
    shell = item.callspec.params.get("shell") if isinstance(item, pytest.Function) and hasattr(item, "callspec") else None
    return shell == "remote" and item.get_closest_marker("slow_remote") is not None
