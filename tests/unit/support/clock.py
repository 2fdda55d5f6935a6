# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A clock that a test turns by hand."""

from __future__ import annotations

import queue
import typing as t

Item = t.TypeVar("Item")
# What is on its way to an inbox through a socket of this machine has arrived by then.
ARRIVAL_SECONDS = 0.04
TICK_SECONDS = 1.0


class FakeClock:
    """Time passes only by sleeping; ``slept`` keeps every pause."""

    def __init__(self, on_sleep: t.Callable[[float], None] | None = None) -> None:
        self.time = 1000.0
        self.slept: list[float] = []
        self._on_sleep = on_sleep

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds
        if self._on_sleep:
            self._on_sleep(self.time - 1000.0)

    def receive(self, inbox: queue.SimpleQueue[Item], seconds: float) -> Item | None:
        """Let time pass in ticks, each of which gives real news a moment to arrive."""
        # Some time always passes, as on any machine.
        end = self.time + max(seconds, 0.001)
        while True:
            try:
                return inbox.get(timeout=ARRIVAL_SECONDS)
            except queue.Empty:
                if self.time >= end:
                    return None
                self.sleep(min(TICK_SECONDS, end - self.time))
