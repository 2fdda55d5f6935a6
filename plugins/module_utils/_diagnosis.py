# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it can change at any time.

"""What is wrong, from what was seen: findings, the most telling first."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, in the words of the component that knows.

    ``object`` is its kind and ``namespace/name``, ``reason`` one word that stays the same, ``summary`` a clause about the object or
    objects (``2 VMIs cannot be scheduled``), ``message`` what the component said (empty where there is nothing to quote), ``hint``
    what to do, a sentence. ``fatal``: nothing can come of waiting; ``can_heal``: it may go away by itself, so it ends a
    wait only once it has lasted.
    """

    object: str
    reason: str
    summary: str
    message: str
    hint: str
    fatal: bool = False
    can_heal: bool = True

    @property
    def clause(self) -> str:
        """The summary and what the component said, without a final period."""
        return f"{self.summary}: {self.message}" if self.message else self.summary

    def as_result(self) -> dict[str, t.Any]:
        """As the modules return it."""
        return {
            "object": self.object,
            "reason": self.reason,
            "message": self.message or self.summary,
            "hint": self.hint,
            "fatal": self.fatal,
        }
