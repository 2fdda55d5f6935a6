# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lets the unit tests import the collection by its full name."""

from __future__ import annotations

import sys
from pathlib import Path

# ansible-test knows nothing of pytest's configuration, and brings the collection by itself.
TESTS = str(Path(__file__).resolve().parents[1])
if TESTS in sys.path:
    from dev.paths import collection_tree

    sys.path.insert(0, str(collection_tree()))
else:
    sys.path.insert(0, TESTS)
