# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it can change at any time.

"""Wait for the cluster: look again and again until it is as it should be or time is up.

The only file of the engine that decides when to look. What is looked at, and what is enough, its callers say.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.vmscale.kubevirt.plugins.module_utils._clock import Clock, Deadline

Seen = t.TypeVar("Seen")

FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 1.0


@dataclass(frozen=True)
class Waited(t.Generic[Seen]):
    """How a wait ended: the last thing seen, what is still unmet (nothing after success), and the seconds it took."""

    seen: Seen
    unmet: tuple[str, ...]
    seconds: float


def wait_until(
    look: t.Callable[[], Seen],
    unmet: t.Callable[[Seen], t.Sequence[str]],
    say: t.Callable[[Seen], str],
    report: t.Callable[[str], None],
    deadline: Deadline,
    clock: Clock,
    first: Seen | None = None,
) -> Waited[Seen]:
    """Look until nothing is unmet or the deadline is over.

    ``first`` is what has been seen already, if anything. ``report`` gets the line that ``say`` makes whenever it changes, save one that
    is already true at the first look.
    """
    pause, line = FIRST_PAUSE_SECONDS, ""
    seen = look() if first is None else first
    while True:
        reasons = tuple(unmet(seen))
        now = say(seen)
        if now != line and (line or reasons):
            report(f"{now} ({deadline.elapsed:.0f} s)")
        line = now
        if not reasons or deadline.is_over:
            return Waited(seen, reasons, round(deadline.elapsed, 3))
        clock.sleep(min(pause, max(deadline.remaining, 0.01)))
        pause = min(pause * 1.5, LONGEST_PAUSE_SECONDS)
        seen = look()
