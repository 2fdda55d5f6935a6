# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it can change at any time.

"""Time, as the edges of the engine see it: a monotonic clock, a way to sleep, and deadlines."""

from __future__ import annotations

import queue
import time
import typing as t
from dataclasses import dataclass

Item = t.TypeVar("Item")


class Clock(t.Protocol):
    """What the edges need of time; tests bring their own."""

    def now(self) -> float:
        """Monotonic seconds."""

    def sleep(self, seconds: float) -> None:
        """Let ``seconds`` pass."""

    def receive(self, inbox: queue.SimpleQueue[Item], seconds: float) -> Item | None:
        """The next item of the inbox as soon as it is there, or None after ``seconds``."""


class SystemClock:
    """The machine's monotonic clock."""

    def now(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def receive(self, inbox: queue.SimpleQueue[Item], seconds: float) -> Item | None:
        try:
            return inbox.get(timeout=max(0.0, seconds))
        except queue.Empty:
            return None


@dataclass(frozen=True)
class Deadline:
    """A moment after which nothing is tried any more."""

    clock: Clock
    started: float
    seconds: float

    @classmethod
    def after(cls, clock: Clock, seconds: float) -> Deadline:
        """The deadline ``seconds`` from now."""
        return cls(clock=clock, started=clock.now(), seconds=seconds)

    @property
    def elapsed(self) -> float:
        """Seconds since the deadline was set."""
        return self.clock.now() - self.started

    @property
    def remaining(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, self.seconds - self.elapsed)

    @property
    def is_over(self) -> bool:
        """True when no time is left."""
        return self.remaining <= 0
