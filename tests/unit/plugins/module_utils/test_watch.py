# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waiting: looking again until it is as it should be or time is up."""

from __future__ import annotations

import itertools
import typing as t

import pytest

from ansible_collections.vmscale.kubevirt.plugins.module_utils._clock import Deadline, SystemClock
from ansible_collections.vmscale.kubevirt.plugins.module_utils._watch import LONGEST_PAUSE_SECONDS, Waited, wait_until
from unit.support.clock import FakeClock


def wait(seen: t.Iterable[int], timeout: float = 60, goal: int = 3, first: int | None = None) -> tuple[Waited[int], list[str], FakeClock]:
    """Return how a wait for a goal ends, what it reports, and its clock."""
    clock, looks = FakeClock(), iter(seen)
    lines: list[str] = []
    waited = wait_until(
        look=lambda: next(looks),
        unmet=lambda number: [] if number >= goal else [f"only {number}"],
        say=lambda number: f"{number}/{goal}",
        report=lines.append,
        deadline=Deadline.after(clock, timeout),
        clock=clock,
        first=first,
    )
    return waited, lines, clock


def test_what_is_there_already_takes_no_time_and_no_words() -> None:
    waited, lines, clock = wait([3])
    assert (waited, lines, clock.slept) == (Waited(3, (), 0.0), [], [])


def test_what_has_been_seen_already_is_not_looked_at_again() -> None:
    assert wait([], first=3)[0] == Waited(3, (), 0.0)
    assert wait([3], first=0)[0].seen == 3


def test_each_change_is_reported_once() -> None:
    waited, lines, clock = wait([0, 0, 1, 1, 1, 2, 3])
    assert waited.seen == 3
    assert [line.partition(" ")[0] for line in lines] == ["0/3", "1/3", "2/3", "3/3"]
    assert lines[0] == "0/3 (0 s)"
    assert lines[-1] == f"3/3 ({clock.time - 1000:.0f} s)"


def test_it_ends_at_once_when_it_is_as_it_should_be() -> None:
    waited, _, clock = wait([0, 3])
    assert clock.slept == [0.2]
    assert waited.seconds == 0.2


def test_pauses_grow_to_a_second() -> None:
    _, _, clock = wait([0] * 8 + [3])
    assert clock.slept[0] == 0.2
    assert clock.slept == sorted(clock.slept)
    assert clock.slept[-1] == LONGEST_PAUSE_SECONDS


@pytest.mark.parametrize("timeout", [0, 0.05, 1, 7.3, 120])
def test_it_ends_with_the_deadline_after_a_last_look(timeout: float) -> None:
    waited, lines, clock = wait(itertools.repeat(1), timeout)
    assert (waited.seen, waited.unmet) == (1, ("only 1",))
    assert waited.seconds == pytest.approx(timeout, abs=0.02)
    assert clock.time == pytest.approx(1000 + timeout, abs=0.02)
    assert lines == ["1/3 (0 s)"]


def test_what_comes_true_with_the_last_look_counts() -> None:
    clock, seen = FakeClock(), []

    def look() -> int:
        seen.append(clock.time)
        return 3 if clock.time >= 1005 else 0

    waited = wait_until(look, lambda number: [] if number else ["no"], str, lambda _: None, Deadline.after(clock, 5), clock)
    assert (waited.seen, waited.unmet) == (3, ())


def test_a_deadline_counts_from_when_it_was_set() -> None:
    clock = FakeClock()
    deadline = Deadline.after(clock, 10)
    assert (deadline.elapsed, deadline.remaining, deadline.is_over) == (0, 10, False)
    clock.sleep(9)
    assert (deadline.elapsed, deadline.remaining, deadline.is_over) == (9, 1, False)
    clock.sleep(2)
    assert (deadline.elapsed, deadline.remaining, deadline.is_over) == (11, 0, True)


def test_the_clock_of_the_machine_goes_forward() -> None:
    clock = SystemClock()
    before = clock.now()
    clock.sleep(0.01)
    assert 0.009 < clock.now() - before < 5
