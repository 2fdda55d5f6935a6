# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Recorded objects, and the manifests that the collection ships."""

from __future__ import annotations

import functools
import json
import typing as t
from pathlib import Path

from ansible_collections.vmscale.kubevirt.plugins.module_utils._replicaset import Snapshot

Object = dict[str, t.Any]

CHECKOUT = Path(__file__).parents[3]
FIXTURES = CHECKOUT / "tests" / "unit" / "plugins" / "module_utils" / "fixtures"
REAL = FIXTURES / "real"
SEED_SET = (CHECKOUT / "playbooks" / "files" / "testreplicaset.yaml").read_text(encoding="utf-8")
SEED_AUTOSCALER = (CHECKOUT / "playbooks" / "files" / "test-hpa.yaml").read_text(encoding="utf-8")


@functools.cache
def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def load(path: Path) -> t.Any:
    """Return a fresh copy of what a JSON file holds."""
    return json.loads(_text(path))


def real(state: str, name: str) -> list[Object]:
    """Return the objects that were recorded from a real KubeVirt in one state."""
    document = load(REAL / state / f"{name}.json")
    return list(document["items"]) if "items" in document else [document]


def real_set(state: str) -> Object:
    """Return the recorded replica set."""
    return real(state, "vmirs")[0]


def real_autoscaler(state: str) -> Object:
    """Return the recorded autoscaler."""
    return real(state, "hpa-v2")[0]


def real_snapshot(state: str) -> Snapshot:
    """Return the recorded replica set with its VMIs."""
    return Snapshot(real_set(state), tuple(real(state, "vmis")))


def real_text(state: str, name: str) -> str:
    """Return what kubectl printed in one state."""
    return _text(REAL / state / f"{name}.txt")


def has_recorded(state: str, file: str) -> bool:
    """Return whether a file was recorded in one state: not all were in all."""
    return (REAL / state / file).exists()


def sandbox(state: str, name: str) -> t.Any:
    """Return what was recorded from the sandbox in one state."""
    return load(FIXTURES / "sandbox" / state / f"{name}.json")


def sandbox_snapshot(state: str) -> Snapshot:
    """Return the replica set of the sandbox with its VMIs."""
    return Snapshot(sandbox(state, "vmirs"), tuple(sandbox(state, "vmis")))
