# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The two manifests of the quick start."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from dev.paths import CHECKOUT

PLAYBOOKS = CHECKOUT / "playbooks"
SEED_SET = PLAYBOOKS / "files" / "testreplicaset.yaml"
SEED_AUTOSCALER = PLAYBOOKS / "files" / "test-hpa.yaml"


def manifest(path: Path) -> dict[str, Any]:
    """Return the only object of a file; an empty document beside it does not count."""
    (found,) = (document for document in yaml.safe_load_all(path.read_text(encoding="utf-8")) if document is not None)
    return dict(found)
