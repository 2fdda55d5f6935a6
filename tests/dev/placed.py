# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Copies the collection to a place of the kind that ansible-test wants, beside the collection that it needs."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from dev.environment import site_packages
from dev.paths import CHECKOUT, NAME, NAMESPACE
from dev.repository import files


def placed_copy(tree: Path, is_wanted: Callable[[str], bool]) -> Path:
    """Copy the files that are wanted, by their names in the repository, below `ansible_collections`; a copy of before goes."""
    collections = tree / "ansible_collections"
    copy = collections / NAMESPACE / NAME
    shutil.rmtree(copy, ignore_errors=True)
    for name in files(with_new=True):
        if not (is_wanted(name) and (CHECKOUT / name).is_file()):
            continue
        target = copy / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(CHECKOUT / name, target, follow_symlinks=False)
    needed = collections / "kubernetes" / "core"
    needed.parent.mkdir(parents=True, exist_ok=True)
    needed.unlink(missing_ok=True)
    needed.symlink_to(site_packages() / "ansible_collections" / "kubernetes" / "core")
    return copy
