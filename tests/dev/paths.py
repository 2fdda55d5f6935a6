# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the checkout lies, and where what is made from it is kept."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
TESTS = CHECKOUT / "tests"
REQUIREMENTS = TESTS / "requirements.txt"
BENCH_REQUIREMENTS = TESTS / "bench" / "requirements.txt"
IMPORTER_REQUIREMENTS = TESTS / "dev" / "importer-requirements.txt"
NAMESPACE = "vmscale"
NAME = "kubevirt"
COLLECTION = f"{NAMESPACE}.{NAME}"


def cache_home() -> Path:
    """Return the project's directory in the user's cache."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "vmscale-kubevirt"


def checkout_cache() -> Path:
    """Return the directory for what belongs to this checkout alone."""
    key = hashlib.sha256(str(CHECKOUT).encode()).hexdigest()[:12]
    return cache_home() / "checkouts" / key


def collection_tree() -> Path:
    """Return a collections path in which this checkout is the collection, making it where missing."""
    tree = checkout_cache() / "tree"
    link = tree / "ansible_collections" / NAMESPACE / NAME
    if not (link.is_symlink() and link.resolve() == CHECKOUT):
        link.parent.mkdir(parents=True, exist_ok=True)
        fresh = link.with_name(f".{NAME}.{os.getpid()}")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(CHECKOUT, target_is_directory=True)
        fresh.replace(link)
    return tree
