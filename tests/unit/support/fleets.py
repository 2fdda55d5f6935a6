# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fleets of VMIs at random: the same ones each time."""

from __future__ import annotations

import random
import typing as t

from ansible_collections.vmscale.kubevirt.plugins.module_utils._resources import name_of
from unit.support.objects import instance
from unit.support.recorded import Object

OLD, NEW = "old", "new"
BEGUN = "2026-11-23T20:39:00Z"


def any_fleet(chance: random.Random, most: int = 14, foreign: float = 0.0) -> list[Object]:
    """Return VMIs of the set `web` in any state, some of which are another's where `foreign` is more than 0."""
    return [any_instance(chance, f"vmi{number:02}", foreign) for number in range(chance.randint(0, most))]


def any_instance(chance: random.Random, name: str, foreign: float = 0.0) -> Object:
    """Return a VMI in any state."""
    return instance(
        name,
        phase=chance.choice(["Running"] * 6 + ["Scheduling", "Failed", None]),
        ready=chance.random() < 0.7,
        deleting=chance.random() < 0.1,
        template_hash=chance.choice([OLD, OLD, NEW, None]),
        created=f"2026-11-23T20:{chance.randint(0, 5):02}:00Z",
        node=chance.choice([None, "node-1", "node-2", "node-3"]),
        owner="somebody-else" if chance.random() < foreign else instance("x")["metadata"]["ownerReferences"][0]["uid"],
    )


def names(fleet: t.Iterable[t.Mapping[str, t.Any]]) -> list[str]:
    """Return the names of VMIs."""
    return [name_of(each) for each in fleet]
