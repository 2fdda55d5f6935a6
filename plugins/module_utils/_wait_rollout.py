# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it can change at any time.

"""What is watched in order to wait for a batch of a rollout."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from ansible_collections.vmscale.kubevirt.plugins.module_utils import _diagnosis_reasons as reasons
from ansible_collections.vmscale.kubevirt.plugins.module_utils import _rollout
from ansible_collections.vmscale.kubevirt.plugins.module_utils._api import Api, Listing
from ansible_collections.vmscale.kubevirt.plugins.module_utils._diagnosis import Finding, Symptom, conclude
from ansible_collections.vmscale.kubevirt.plugins.module_utils._disruption_budgets import is_broken, say_held, why_held
from ansible_collections.vmscale.kubevirt.plugins.module_utils._resources import (
    DISRUPTION_BUDGETS,
    REPLICA_SETS,
    Object,
    metadata,
    name_of,
)
from ansible_collections.vmscale.kubevirt.plugins.module_utils._rollout import Batch, Pace, Progress
from ansible_collections.vmscale.kubevirt.plugins.module_utils._situation import Situation
from ansible_collections.vmscale.kubevirt.plugins.module_utils._source import Change, Source, View
from ansible_collections.vmscale.kubevirt.plugins.module_utils._wait_replica_set import ReadyWait

BUDGETS = "budgets"


@dataclass(frozen=True)
class Step:
    """One step of a rollout: the batch's number (0 before the first), the UIDs that it has deleted, and what an autoscaler's minimum is.

    ``pause`` are the seconds for which it has to stay as it is once the batch is over, before the next may begin.
    """

    number: int = 0
    gone: frozenset[str] = frozenset()
    least: int | None = None
    pause: float = 0.0


class BatchWait(ReadyWait):
    """Until a batch is over and the next may begin, or the rollout is done."""

    def __init__(
        self, api: Api, namespace: str, live: Object, instances: Listing | None, budgets: Listing | None, pace: Pace, step: Step
    ) -> None:
        super().__init__(api, namespace, live, instances)
        self._known_budgets = budgets
        self._budgets: tuple[Object, ...] = budgets.items if budgets else ()
        self._pace = pace
        self._step = step
        self._elapsed = 0.0
        self._settled_at: float | None = None
        self._best: tuple[int, int] = (-1, 0)
        self._best_at = 0.0

    @property
    def first(self) -> Situation | None:
        known = super().first
        return None if known is None else self._tolerating(known)

    def _tolerating(self, seen: Situation) -> Situation:
        """Outdated VMIs may be as they are: they go anyway."""
        live = seen.replica_set
        own = _rollout.outdated(live, self._snapshot(seen).instances or ()) if live is not None else []
        return replace(seen, tolerated=frozenset(str(metadata(each).get("uid")) for each in own))

    def batch(self, seen: Situation) -> Batch:
        """Who goes next."""
        live = seen.replica_set
        if live is None:
            return Batch(())
        instances = self._snapshot(seen).instances or ()
        return _rollout.next_batch(live, instances, self._pace, self._budgets, self._step.least)

    def sources(self, view: View) -> list[tuple[Source, Listing | None]]:
        budgets = Source(BUDGETS, DISRUPTION_BUDGETS, self._base.namespace)
        return [*super().sources(view), *([(budgets, self._known_budgets)] if self._pace.respects_budgets else [])]

    def learn(self, changes: t.Sequence[Change], elapsed: float) -> None:
        super().learn(changes, elapsed)
        self._elapsed = elapsed

    def look(self, view: View) -> Situation:
        seen = self._tolerating(super().look(view))
        if self._pace.respects_budgets:
            self._budgets = view.objects(BUDGETS)
        found = self._progress(seen)
        if (found.available, -found.leaving) > self._best:
            self._best, self._best_at = (found.available, -found.leaving), self._elapsed
        if self._unmet(seen):
            self._settled_at = None
        elif self._settled_at is None:
            self._settled_at = self._elapsed
        return seen

    def probe(self, seen: Situation, elapsed: float) -> float | None:
        moments = [super().probe(seen, elapsed)]
        if self._settled_at is not None:
            # Once the pause is over nothing is left but to wait for what holds the rollout.
            resumes_at = self._settled_at + self._step.pause
            moments.append(resumes_at if resumes_at > elapsed else None)
        elif self._pace.progress_deadline:
            moments.append(self._best_at + self._pace.progress_deadline)
        if seen.now is not None and self._pace.min_ready_seconds:
            ready = [_rollout.available_at(each, self._pace.min_ready_seconds) for each in self._snapshot(seen).instances or ()]
            waits = [(each - seen.now).total_seconds() for each in ready if each is not None and each > seen.now]
            # The times of conditions are whole seconds.
            moments.append(elapsed + min(waits) + 0.05 if waits else None)
        return min((moment for moment in moments if moment is not None), default=None)

    def unmet(self, seen: Situation) -> t.Sequence[str]:
        missing, found = self._unmet(seen), self._progress(seen)
        if missing:
            return [*missing, *([f"{found.outdated} of {found.desired} are still outdated"] if found.outdated else [])]
        if not found.outdated:
            return []
        batch = self.batch(seen)
        if batch.held_by is not None:
            return [say_held(batch.held_by)]
        rest = self._rest()
        return [f"pausing for {rest:.0f} s more"] if rest > 0 else []

    def _unmet(self, seen: Situation) -> list[str]:
        return _rollout.unmet(self._snapshot(seen), self._pace, seen.now, self._step.gone)

    def _rest(self) -> float:
        """Seconds that are left of the pause after a batch."""
        if not self._step.number or self._settled_at is None:
            return 0.0
        return max(0.0, self._settled_at + self._step.pause - self._elapsed)

    def diagnose(self, seen: Situation, is_time_up: bool) -> t.Sequence[Finding]:
        found = [*super().diagnose(seen, is_time_up)]
        held_by = None if self._unmet(seen) else self.batch(seen).held_by
        symptoms = []
        if held_by is not None:
            reason = reasons.DISRUPTION_BUDGET_BROKEN if is_broken(held_by) else reasons.DISRUPTION_BUDGET
            symptoms.append(Symptom(reason, DISRUPTION_BUDGETS.kind, name_of(held_by), message=why_held(held_by)))
        waited = self._elapsed - self._best_at
        if self._pace.progress_deadline and self._settled_at is None and waited >= self._pace.progress_deadline:
            symptoms.append(Symptom(reasons.PROGRESS_DEADLINE, REPLICA_SETS.kind, seen.name, seconds=waited))
        return [*found, *conclude(symptoms, seen)]

    def line(self, seen: Situation) -> str:
        text = super().line(seen)
        found = self._progress(seen)
        if seen.replica_set is None or not (self._step.number or found.outdated):
            return text
        name, _colon, rest = text.partition(": ")
        batch = f"batch {self._step.number}, " if self._step.number else ""
        pausing = ", pausing" if found.outdated and not self._unmet(seen) and self._rest() > 0 else ""
        return f"{name}: {batch}{found.updated}/{found.desired} updated, {rest}{pausing}"

    def standing(self, seen: Situation) -> str:
        found = self._progress(seen)
        return (
            f"{super().standing(seen)}, and {found.outdated} of {found.desired} are still outdated"
            if found.outdated
            else super().standing(seen)
        )

    def _progress(self, seen: Situation) -> Progress:
        return _rollout.progress(self._snapshot(seen), self._pace, seen.now)
