# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a wait for a batch watches, looks for and says."""

from __future__ import annotations

import datetime
import typing as t
from dataclasses import replace

import pytest

from ansible_collections.vmscale.kubevirt.plugins.module_utils._api import Api, Listing
from ansible_collections.vmscale.kubevirt.plugins.module_utils._connection import Connection
from ansible_collections.vmscale.kubevirt.plugins.module_utils._rollout import Pace, max_unavailable
from ansible_collections.vmscale.kubevirt.plugins.module_utils._situation import Situation
from ansible_collections.vmscale.kubevirt.plugins.module_utils._wait_rollout import BatchWait, Step
from unit.support.budgets import budget
from unit.support.fleets import NEW, OLD, names
from unit.support.objects import instance, instances, replica_set
from unit.support.recorded import Object
from unit.support.watched import Watched

LIVE = replica_set(3, template_hash=NEW)
# Where nothing is left for virt-controller to do nobody asks after it.
COUNTED = replica_set(3, ready=2, template_hash=NEW)
NOW = datetime.datetime(2026, 11, 23, 20, 40, tzinfo=datetime.UTC)
BOOTING = [*instances(2, template_hash=OLD), instance("new", template_hash=NEW, ready=False, phase="Scheduling")]
SETTLED = [*instances(2, template_hash=OLD), instance("new", template_hash=NEW)]
DONE = instances(3, template_hash=NEW)


class Wait:
    """A wait for a batch, seen from outside at one moment after the other."""

    def __init__(
        self,
        step: Step | None = None,
        instances: Listing | None = None,
        known: Listing | None = None,
        now: datetime.datetime | None = None,
        **pace: t.Any,
    ) -> None:
        paced = Pace(**{"max_unavailable": max_unavailable(1), **pace})
        api = Api(Connection(server="http://127.0.0.1:1"))
        self.subject = BatchWait(api, "default", LIVE, instances, known, paced, Step(1) if step is None else step)
        self._now = now

    def at(self, elapsed: float, fleet: t.Sequence[Object], budgets: t.Sequence[Object] = (), live: Object = LIVE) -> Situation:
        """Return what is seen after so many seconds."""
        self.subject.learn([], elapsed)
        seen = self.subject.look(Watched(set=[live], vmis=fleet, budgets=budgets))
        return replace(seen, now=self._now)

    def unmet(self, *seen: t.Any, **more: t.Any) -> list[str]:
        """Return what is missing at a moment."""
        return [*self.subject.unmet(self.at(*seen, **more))]

    def words(self, *seen: t.Any, **more: t.Any) -> list[str]:
        """Return the findings at a moment."""
        return [each.reason for each in self.subject.diagnose(self.at(*seen, **more), is_time_up=False)]

    def next_look(self, elapsed: float, *seen: t.Any, **more: t.Any) -> float | None:
        """Return when to look again at the latest."""
        return self.subject.probe(self.at(elapsed, *seen, **more), elapsed)


@pytest.mark.parametrize("respects_budgets", [True, False])
def test_budgets_are_watched_where_they_count(respects_budgets: bool) -> None:
    known = Listing((budget("b", 0),), "5") if respects_budgets else None
    wait = Wait(known=known, respects_budgets=respects_budgets)
    keys = [(source.key, known.version if known else None) for source, known in wait.subject.sources(Watched(set=[LIVE]))]
    assert keys == [("set", "7"), ("vmis", None), *([("budgets", "5")] if respects_budgets else [])]
    held = wait.subject.batch(wait.at(0, SETTLED, [budget("b", 0)])).held_by is not None
    assert held is respects_budgets


def test_what_is_known_at_first_is_judged_at_first() -> None:
    assert Wait().subject.first is None
    wait = Wait(Step(), Listing(tuple(SETTLED), "1"), Listing((budget("b", 0),), "1"))
    first = wait.subject.first
    assert first is not None
    assert first.tolerated == {"uid-of-web0", "uid-of-web1"}
    assert "PodDisruptionBudget b allows no disruption" in wait.subject.unmet(first)[0]
    assert wait.subject.batch(first).victims == ()


def test_who_is_next_is_chosen_by_what_is_seen() -> None:
    wait = Wait(Step(1, least=None), max_unavailable=max_unavailable(2))
    assert names(wait.subject.batch(wait.at(0, SETTLED)).victims) == ["web0", "web1"]
    assert names(wait.subject.batch(wait.at(0, BOOTING)).victims) == ["web0"]
    assert wait.subject.batch(replace(wait.at(0, SETTLED), replica_set=None)).victims == ()
    percent = Wait(Step(1, least=1), max_unavailable=max_unavailable("70%"))
    assert names(percent.subject.batch(percent.at(0, SETTLED)).victims) == ["web0"]


def test_a_batch_is_over_once_nothing_is_missing_and_the_pause_has_passed() -> None:
    wait = Wait(Step(1, pause=10))
    assert wait.unmet(1, BOOTING) == ["VMI new is Scheduling", "2 of 3 are still outdated"]
    assert wait.unmet(5, SETTLED) == ["pausing for 10 s more"]
    assert wait.unmet(12, SETTLED) == ["pausing for 3 s more"]
    # What goes wrong in the pause begins it anew.
    assert wait.unmet(13, BOOTING)[0] == "VMI new is Scheduling"
    assert wait.unmet(14, SETTLED) == ["pausing for 10 s more"]
    assert wait.unmet(24, SETTLED) == []
    assert Wait(Step(1, pause=10)).unmet(1, DONE) == []
    assert Wait(Step(), pause_between=10).unmet(1, SETTLED) == []


def test_a_deletion_of_the_batch_has_to_be_seen() -> None:
    wait = Wait(Step(1, frozenset(["uid-of-web0"])))
    assert wait.unmet(1, SETTLED) == ["the deletion of web0 has not been seen yet", "2 of 3 are still outdated"]


def test_what_holds_it_is_missing_and_told() -> None:
    wait = Wait(Step(1, pause=10))
    held = [budget("b", 0)]
    assert wait.unmet(1, SETTLED, held) == ["PodDisruptionBudget b allows no disruption: 4 of 4 pods are healthy, and 4 have to be"]
    assert wait.words(1, SETTLED, held) == ["DisruptionBudget"]
    assert wait.words(1, SETTLED, [budget("b", 0, broken="no")]) == ["DisruptionBudgetBroken"]
    # While the batch itself is on its way the budget is no trouble.
    assert wait.words(1, BOOTING, held) == []
    assert wait.words(1, SETTLED, [budget("b", 1)]) == []
    two = Wait(max_unavailable=max_unavailable(2))
    assert [two.words(1, BOOTING, held), two.words(2, SETTLED, held)] == [[], ["DisruptionBudget"]]


def test_nobody_waits_for_outdated_vmis() -> None:
    stuck = ("PodScheduled", "False", "Unschedulable", "0/4 nodes are available")
    old = instance("old", template_hash=OLD, ready=False, phase="Scheduling", conditions=[stuck])
    new = instance("new", template_hash=NEW, ready=False, phase="Scheduling", conditions=[stuck])
    assert Wait().words(1, [*instances(2, template_hash=NEW), old]) == []
    assert Wait().words(1, [*instances(2, template_hash=NEW), new]) == ["Unschedulable"]


def test_the_deadline_for_progress_begins_anew_with_each_vmi_that_becomes_available_or_goes() -> None:
    wait = Wait(progress_deadline=10)
    leaving = instance("gone", template_hash=OLD, deleting=True)
    assert wait.words(0, [*BOOTING, leaving]) == []
    assert wait.words(9, [*BOOTING, leaving]) == []
    assert wait.words(9.5, BOOTING) == []
    assert wait.words(19, BOOTING) == []
    assert wait.words(19.5, BOOTING) == ["ProgressDeadlineExceeded"]
    # One that comes and goes is no progress.
    wait = Wait(progress_deadline=10)
    booting = [instance(name, template_hash=NEW, ready=False, phase="Scheduling") for name in "xy"]
    more = [*DONE[:2], booting[0]]
    assert wait.words(0, more) == []
    assert wait.words(5, [DONE[0], *booting]) == []
    assert wait.words(9, more) == []
    assert wait.words(10, more) == ["ProgressDeadlineExceeded"]
    (finding,) = wait.subject.diagnose(wait.at(12, more), is_time_up=False)
    assert (finding.fatal, finding.can_heal) == (True, False)
    assert finding.summary == "no further VMI has become available for 12 s"


def test_there_is_no_deadline_where_none_is_wanted_or_nothing_is_missing() -> None:
    assert Wait(progress_deadline=0).words(500, BOOTING) == []
    wait = Wait(progress_deadline=10)
    wait.at(0, SETTLED)
    assert wait.words(50, SETTLED, [budget("b", 0)]) == ["DisruptionBudget"]


def test_when_to_look_again() -> None:
    assert Wait(progress_deadline=30).next_look(1, BOOTING, live=COUNTED) == 31
    assert Wait(progress_deadline=0).next_look(1, BOOTING, live=COUNTED) is None
    assert Wait(Step(1, pause=10)).next_look(5, SETTLED) == 15
    wait = Wait(Step(1, pause=10))
    wait.at(5, SETTLED)
    assert wait.next_look(12, SETTLED) == 15
    # A moment that is past is none to wait for: there would be no pause between two looks.
    assert wait.next_look(15, SETTLED, [budget("b", 0)]) is None
    assert Wait().next_look(5, SETTLED, [budget("b", 0)]) is None


def ready_for(seconds: float, name: str = "new") -> Object:
    """Return a VMI that has been ready for some seconds."""
    since = (NOW - datetime.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
    made = instance(name, template_hash=NEW)
    made["status"]["conditions"] = [{"type": "Ready", "status": "True", "lastTransitionTime": since}]
    return made


def test_it_looks_again_when_a_vmi_has_been_ready_for_long_enough() -> None:
    wait = Wait(progress_deadline=0, min_ready_seconds=20, now=NOW)
    fleet = [ready_for(5), ready_for(15, "newer"), instance("x", ready=False, template_hash=NEW)]
    assert wait.next_look(3, fleet, live=COUNTED) == pytest.approx(8.05)
    assert wait.next_look(3, [*instances(1, template_hash=NEW), ready_for(25), ready_for(45, "newer")]) is None
    assert Wait(progress_deadline=0, now=NOW).next_look(3, fleet, live=COUNTED) is None
    assert Wait(progress_deadline=0, min_ready_seconds=20).next_look(3, fleet, live=COUNTED) is None


@pytest.mark.parametrize(
    ("step", "fleet", "expected"),
    [
        (Step(2), BOOTING, "web: batch 2, 1/3 updated, 3/3 ready, 1 Scheduling"),
        (Step(2), DONE, "web: batch 2, 3/3 updated, 3/3 ready"),
        (Step(2), SETTLED, "web: batch 2, 1/3 updated, 3/3 ready, pausing"),
        (Step(), SETTLED, "web: 1/3 updated, 3/3 ready"),
        (Step(), DONE, "web: 3/3 ready"),
    ],
)
def test_a_line_says_how_far_it_is(step: Step, fleet: t.Sequence[Object], expected: str) -> None:
    wait = Wait(replace(step, pause=10))
    assert wait.subject.line(wait.at(1, fleet)) == expected


def test_where_it_stands_is_said() -> None:
    wait = Wait()
    assert wait.subject.standing(wait.at(1, BOOTING)) == "2 of 3 ready, and 2 of 3 are still outdated"
    assert wait.subject.standing(wait.at(1, DONE)) == "3 of 3 ready"
    gone = replace(wait.at(1, DONE), replica_set=None)
    assert wait.subject.line(gone) == "web: gone"
    assert wait.subject.unmet(gone) == ["it does not exist"]
