# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the repository has."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence

from dev.paths import CHECKOUT


def files(*, with_new: bool = False) -> Sequence[str]:
    """Return the names of the files under version control; with those that are new and not ignored."""
    new = ("--others", "--exclude-standard") if with_new else ()
    listed = subprocess.run(["git", "ls-files", "--cached", *new, "-z"], cwd=CHECKOUT, check=True, stdout=subprocess.PIPE).stdout
    return [os.fsdecode(name) for name in listed.split(b"\0") if name]
