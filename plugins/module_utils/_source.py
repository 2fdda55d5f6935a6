# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it can change at any time.

"""What can be followed, and what is told of it."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.vmscale.kubevirt.plugins.module_utils._api import Listing
from ansible_collections.vmscale.kubevirt.plugins.module_utils._errors import EngineError
from ansible_collections.vmscale.kubevirt.plugins.module_utils._resources import Object, Resource, metadata


@dataclass(frozen=True)
class Source:
    """Objects that are followed.

    What ``is_evidence`` only helps to explain: a task does without it where it may not be read. What ``is_shared`` serves many: where it
    may not be read, ``View.refusal`` says so, and the rest is followed as before.
    """

    key: str
    resource: Resource
    namespace: str
    label_selector: str = ""
    field_selector: str = ""
    is_evidence: bool = False
    is_shared: bool = False


@dataclass(frozen=True)
class Change:
    """What happened to one object of a source: it came (no ``before``), changed, or went (no ``after``)."""

    key: str
    before: Object | None
    after: Object | None


@dataclass(frozen=True)
class Trouble:
    """Why nothing has been heard of a source, and for how many seconds."""

    text: str
    seconds: float

    def say(self) -> str:
        """As a clause."""
        return f"the API server has not answered for {self.seconds:.0f} s ({self.text})"


class View(t.Protocol):
    """What is seen of sources that are followed, by their keys."""

    def follows(self, key: str, /) -> bool:
        """True for a source that is followed."""

    def objects(self, key: str, /) -> tuple[Object, ...]:
        """The present objects of a source; none of one that is not followed."""

    def refusal(self, key: str, /) -> EngineError | None:
        """Why a shared source cannot be followed, None where it can."""


def known(live: Object | None) -> Listing | None:
    """An object that has just been read or written, as something to watch from."""
    return None if live is None else Listing((live,), str(metadata(live).get("resourceVersion", "")))
