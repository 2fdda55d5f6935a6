# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waiting: when it ends, what it bears with, and what it tells meanwhile."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.vmscale.kubevirt.plugins.module_utils._diagnosis import Finding
from ansible_collections.vmscale.kubevirt.plugins.module_utils._task import Task
from ansible_collections.vmscale.kubevirt.plugins.module_utils._wait import Patience, Waited, _Progress

HEALS = Finding("VirtualMachineInstance default/web0", "Unschedulable", "web0 cannot be scheduled", "0/4 nodes", "Add a node.", fatal=True)
LASTS = Finding("VirtualMachineInstance default/web0", "CrashLoop", "VMIs end", "", "", fatal=True, can_heal=False)
HARMLESS = Finding("VirtualMachineInstance default/web0", "Booting", "web0 boots", "", "Look at its console.")


def ends_at(moments: t.Sequence[tuple[float, t.Sequence[Finding]]], grace: float = 5) -> float | None:
    """Return at which of the moments patience is over."""
    patience = Patience(grace)
    return next((moment for moment, findings in moments if patience.is_over(moment, findings)), None)


def test_what_lasts_ends_a_wait_at_once_and_what_is_harmless_never_does() -> None:
    assert ends_at([(3, [HARMLESS]), (4, [HARMLESS, LASTS])]) == 4
    assert ends_at([(moment, [HARMLESS]) for moment in range(1000)]) is None


def test_what_may_heal_is_borne_with_for_a_while() -> None:
    assert ends_at([(1, [HEALS]), (5.9, [HEALS]), (6, [HEALS])]) == 6
    assert ends_at([(1, [HEALS]), (1.5, [HEALS])], grace=0) == 1
    # Nothing happened in between, so nobody looked.
    assert ends_at([(1, [HEALS]), (100, [HEALS])]) == 100


def test_what_has_healed_begins_anew_and_what_flaps_does_not() -> None:
    assert ends_at([(0, [HEALS]), (4, []), (6.5, []), (7, [HEALS]), (11, [HEALS]), (12, [HEALS])]) == 12
    assert ends_at([(0, [HEALS]), (4, []), (5.5, [HEALS])]) == 5.5


def test_patience_knows_when_to_look_again() -> None:
    patience = Patience(5)
    assert (patience.is_over(2, [HEALS]), patience.next_at) == (False, 7)
    assert (patience.is_over(3, []), patience.next_at) == (False, None)


def lines_of(*told: tuple[float, str, bool], slowest: str = "") -> list[str]:
    """Return the lines that come of what is told at some moments."""
    lines: list[str] = []
    progress = _Progress(Task({}, {}, report=lines.append))
    for moment, line, is_last in told:
        progress.tell(moment, line, slowest, is_last)
    return lines


def test_a_line_for_each_change_and_none_for_what_stays() -> None:
    assert lines_of((0, "0/3", False), (1, "0/3", False), (2, "1/3", False), (3, "3/3", True)) == ["0/3 (0 s)", "1/3 (2 s)", "3/3 (3 s)"]


def test_the_slowest_is_told_with_a_line() -> None:
    assert lines_of((12, "2/3", False), slowest="slowest: web0, Scheduling for 12 s") == ["2/3; slowest: web0, Scheduling for 12 s (12 s)"]


def test_lines_that_come_fast_are_held_back_save_the_last() -> None:
    assert lines_of((0, "0/3", False), (0.1, "1/3", False), (0.2, "2/3", False), (0.4, "2/3", False)) == ["0/3 (0 s)", "2/3 (0 s)"]
    assert lines_of((0, "0/3", False), (0.1, "1/3", False), (0.2, "3/3", True)) == ["0/3 (0 s)", "3/3 (0 s)"]


def test_a_long_silence_is_broken_now_and_then() -> None:
    assert lines_of(*((moment, "0/3", False) for moment in range(0, 130, 10))) == ["0/3 (0 s)", "0/3 (60 s)", "0/3 (120 s)"]


def test_what_is_there_at_once_is_no_progress() -> None:
    assert lines_of((0, "3/3", True)) == []


def test_whoever_wants_quiet_is_told_nothing() -> None:
    lines: list[str] = []
    _Progress(Task({"quiet": True}, {}, report=lines.append)).tell(0, "0/3", "", is_last=False)
    assert lines == []


def waited(*findings: Finding, is_hopeless: bool = False, trouble: str = "") -> Waited[None]:
    """Return a wait in vain."""
    return Waited(None, ("1 of 3 ready", "VMI web0 is Scheduling (0/4 nodes)"), findings, 6.2, (), "1 of 3 ready", trouble, is_hopeless)


@pytest.mark.parametrize(
    ("wait", "sentence"),
    [
        (waited(), "Set a is not ready after 6 s: 1 of 3 ready; VMI web0 is Scheduling (0/4 nodes)."),
        (waited(HARMLESS, trouble="no answer"), "Set a is not ready after 6 s: no answer; web0 boots; 1 of 3 ready. Look at its console."),
        (waited(trouble="no answer"), "Set a is not ready after 6 s: no answer; 1 of 3 ready; VMI web0 is Scheduling (0/4 nodes)."),
        (waited(HARMLESS), "Set a is not ready after 6 s: web0 boots; 1 of 3 ready. Look at its console."),
        (
            waited(HEALS, HARMLESS, is_hopeless=True),
            "Set a is not ready after 6 s, and waiting for the rest of 300 s is of no use: "
            "web0 cannot be scheduled: 0/4 nodes; web0 boots; 1 of 3 ready. Add a node.",
        ),
    ],
)
def test_a_wait_in_vain_is_one_sentence_and_what_to_do(wait: Waited[None], sentence: str) -> None:
    assert wait.sentence("Set a", "is not ready", 300) == sentence


def test_reasons_say_each_thing_once() -> None:
    assert waited(HEALS, HARMLESS).reasons == ["web0 boots", "1 of 3 ready", "VMI web0 is Scheduling (0/4 nodes)"]
