# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waits of one task that follow one another: told as one, also where one of them is in vain."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.vmscale.kubevirt.plugins.module_utils import _waits
from ansible_collections.vmscale.kubevirt.plugins.module_utils._api import Api
from ansible_collections.vmscale.kubevirt.plugins.module_utils._clock import Deadline
from ansible_collections.vmscale.kubevirt.plugins.module_utils._connection import Connection
from ansible_collections.vmscale.kubevirt.plugins.module_utils._errors import EngineError, WaitTimeout
from ansible_collections.vmscale.kubevirt.plugins.module_utils._task import Task
from ansible_collections.vmscale.kubevirt.plugins.module_utils._wait import Waited
from unit.support.clock import FakeClock


def point(elapsed: float) -> dict[str, t.Any]:
    """Return a point of a timeline."""
    return {"elapsed": elapsed, "transitions": [], "omitted": 0}


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> t.Callable[..., t.Any]:
    """Gives what waits: each entry of a script is how many seconds one takes, negative where it is in vain."""
    clock = FakeClock()
    found = _waits.Waits(Task({}, {}, clock=clock), Api(Connection(server="http://127.0.0.1:1"), clock), "Set a")

    def take(seconds: float) -> Waited[str]:
        clock.time += abs(seconds)
        if seconds < 0:
            raise WaitTimeout("in vain", timeline=[point(0), point(-seconds)], duration=-seconds, changed=True)
        return Waited("seen", (), (), seconds, (point(0), point(seconds)))

    def run(*script: float, pause: float = 0) -> _waits.Waits:
        for seconds in script:
            monkeypatch.setattr(_waits, "wait_or_fail", lambda *_arguments, seconds=seconds: take(seconds))
            assert found.wait("trouble", t.cast("t.Any", None), Deadline.after(clock, 9), lambda seen: {}, {}) == "seen"
            clock.time += pause
        return found

    return run


def test_they_are_told_as_one(waits: t.Callable[..., _waits.Waits]) -> None:
    told = waits(2, 3, pause=1.5).as_result()
    assert [each["elapsed"] for each in told["timeline"]] == [0, 2, 3.5, 6.5]
    # What was done after the last one counts as well.
    assert (told["duration"], told["diagnosis"]) == (8, [])


def test_without_one_there_is_nothing_to_tell(waits: t.Callable[..., _waits.Waits]) -> None:
    assert waits().as_result() == {"diagnosis": [], "timeline": [], "duration": 0}


def test_one_in_vain_tells_of_those_before_it(waits: t.Callable[..., _waits.Waits]) -> None:
    with pytest.raises(EngineError) as caught:
        waits(2, -4, pause=1)
    facts = caught.value.facts
    assert ([each["elapsed"] for each in facts["timeline"]], facts["duration"], facts["changed"]) == ([0, 2, 3, 7], 7, True)
