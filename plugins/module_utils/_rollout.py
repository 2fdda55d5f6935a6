# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it can change at any time.

"""Deciding about a rollout: who is outdated, how many may be missing, who goes next, and whether a batch is over.

KubeVirt never brings a running VMI to the present template; one that is deleted is replaced from it at once: kubevirt
``pkg/virt-controller/watch/replicaset/replicaset.go``. Nothing here talks to a cluster.
"""

from __future__ import annotations

import datetime
import re
import typing as t
from dataclasses import dataclass

from ansible_collections.vmscale.kubevirt.plugins.module_utils import _replicaset
from ansible_collections.vmscale.kubevirt.plugins.module_utils._disruption_budgets import Allowance
from ansible_collections.vmscale.kubevirt.plugins.module_utils._errors import OptionError
from ansible_collections.vmscale.kubevirt.plugins.module_utils._removal import NOT_READY_FIRST, in_order_of_removal
from ansible_collections.vmscale.kubevirt.plugins.module_utils._replicaset import Snapshot, is_active, is_outdated, is_ready
from ansible_collections.vmscale.kubevirt.plugins.module_utils._resources import (
    Object,
    condition,
    is_deleting,
    metadata,
    moment,
    name_of,
    spec,
)

_AMOUNT = re.compile(r"(?P<number>[0-9]+)(?P<percent>%?)\Z")
_NAMED_INSTANCES = 5


@dataclass(frozen=True)
class MaxUnavailable:
    """How many VMIs may be missing: a number, or a percentage of those that are desired."""

    number: int
    is_percent: bool

    def of(self, desired: int, least: int | None = None) -> int:
        """How many of ``desired``, at least one. A percentage is rounded down, as a Deployment does.

        ``least`` is what an autoscaler may shrink the set to while a batch is on its way: a percentage is one of that then.
        """
        if not self.is_percent:
            return self.number
        base = desired if least is None else min(desired, least)
        return max(1, base * self.number // 100)


def max_unavailable(given: t.Any) -> MaxUnavailable:
    """``3`` or ``25%``. Raises ``OptionError``."""
    match = _AMOUNT.match(str(given).strip())
    if match is None or int(match["number"]) < 1 or (match["percent"] and int(match["number"]) > 100):
        raise OptionError(f'"max_unavailable" is "{given}": it must be a number of VMIs, 1 or more, or a percentage from 1% to 100%.')
    return MaxUnavailable(int(match["number"]), bool(match["percent"]))


@dataclass(frozen=True)
class Pace:
    """How fast a rollout goes: times in seconds, ``least`` as ``MaxUnavailable.of`` takes it."""

    max_unavailable: MaxUnavailable
    order: str = NOT_READY_FIRST
    pause_between: float = 0.0
    batch_timeout: float = 600.0
    progress_deadline: float = 300.0
    min_ready_seconds: float = 0.0
    respects_budgets: bool = True


@dataclass(frozen=True)
class Batch:
    """Who goes next; ``held_by`` is the PodDisruptionBudget that keeps everybody where nobody may go."""

    victims: tuple[Object, ...]
    held_by: Object | None = None


def outdated(live: Object, instances: t.Iterable[Object]) -> list[Object]:
    """The VMIs of the set that count as replicas and run on an older template."""
    return [each for each in instances if is_active(each) and is_outdated(each, live)]


def next_batch(
    live: Object,
    instances: t.Sequence[Object],
    pace: Pace,
    budgets: t.Iterable[Object] = (),
    least: int | None = None,
    replaced: int = 0,
) -> Batch:
    """Who is to be replaced next of the set's own ``instances``, as many as the floor and the budgets allow.

    Those that are not ready go first, since nobody misses them. ``replaced`` VMIs more are taken to be there and ready.
    """
    allowed = pace.max_unavailable.of(_replicaset.desired_replicas(live), least)
    floor = _replicaset.desired_replicas(live) - allowed
    spare = sum(1 for each in instances if is_ready(each)) + replaced - floor
    allowance = Allowance(budgets)
    chosen: list[Object] = []
    ordered = in_order_of_removal(outdated(live, instances), live, pace.order)
    ordered.sort(key=is_ready)
    for each in ordered:
        if len(chosen) == allowed:
            break
        if not is_ready(each):
            chosen.append(each)
        elif spare > 0 and allowance.take(each):
            chosen.append(each)
            spare -= 1
    return Batch(tuple(chosen), None if chosen else allowance.held_by)


def planned_batches(
    live: Object, instances: t.Sequence[Object], pace: Pace, least: int | None, budgets: t.Sequence[Object] = ()
) -> tuple[list[list[str]], Object | None]:
    """The names in each batch, if every batch becomes ready and nobody else interferes; and the budget that would end it before that."""
    left, batches = list(instances), t.cast("list[list[str]]", [])
    replaced = 0
    while outdated(live, left):
        batch = next_batch(live, left, pace, budgets, least, replaced)
        if batch.held_by is not None:
            return batches, batch.held_by
        if not batch.victims:
            # Fewer are ready than have to be: the rollout begins with waiting for those.
            replaced += 1
            continue
        batches.append([name_of(each) for each in batch.victims])
        left = [each for each in left if each not in batch.victims]
        replaced += len(batch.victims)
    return batches, None


def available_at(instance: Object, min_ready_seconds: float) -> datetime.datetime | None:
    """From when on a VMI that is ready counts as available, None where it is not ready."""
    if not is_ready(instance):
        return None
    since = moment(condition(instance, "Ready").get("lastTransitionTime")) or moment(metadata(instance).get("creationTimestamp"))
    return None if since is None else since + datetime.timedelta(seconds=min_ready_seconds)


def is_available(instance: Object, min_ready_seconds: float, now: datetime.datetime | None) -> bool:
    """True for a VMI that is ready and has been for ``min_ready_seconds``."""
    if min_ready_seconds <= 0 or now is None:
        return is_ready(instance)
    since = available_at(instance, min_ready_seconds)
    return since is not None and since <= now


@dataclass(frozen=True)
class Progress:
    """How far a rollout is: how many VMIs are desired, run the present template, are available of those, and are ready at all."""

    desired: int
    updated: int
    available: int
    ready: int
    outdated: int
    leaving: int


def progress(snapshot: Snapshot, pace: Pace, now: datetime.datetime | None) -> Progress:
    """How far a rollout is. ``snapshot`` has a set and its VMIs."""
    live, instances = snapshot.live or {}, snapshot.instances or ()
    active = [each for each in instances if is_active(each)]
    updated = [each for each in active if not is_outdated(each, live)]
    return Progress(
        desired=_replicaset.desired_replicas(live),
        updated=len(updated),
        available=sum(1 for each in updated if is_available(each, pace.min_ready_seconds, now)),
        ready=sum(1 for each in active if is_ready(each)),
        outdated=len(active) - len(updated),
        leaving=sum(1 for each in instances if is_deleting(each)),
    )


def unmet(snapshot: Snapshot, pace: Pace, now: datetime.datetime | None, gone: t.AbstractSet[str] = frozenset()) -> list[str]:
    """Why the batch whose VMIs have the UIDs ``gone`` is not over; empty once it is.

    It is when its VMIs are gone, there are as many as are desired, and those of the present template are available. Outdated VMIs that are
    not ready are no reason: they are the next.
    """
    live, instances = snapshot.live, snapshot.instances or ()
    if live is None or is_deleting(live) or spec(live).get("paused"):
        return _replicaset.unmet(snapshot, accepts_pause=False) or ["it is paused"]
    reasons: list[str] = []
    left = [name_of(each) for each in instances if metadata(each).get("uid") in gone and not is_deleting(each)]
    if left:
        reasons.append(f"the deletion of {_names(left)} has not been seen yet")
    found = progress(snapshot, pace, now)
    if not found.outdated:
        reasons.extend(_replicaset.unmet(snapshot, accepts_pause=False))
    elif found.updated + found.outdated != found.desired:
        reasons.append(f"{found.updated + found.outdated} of {found.desired} created")
    waiting = [each for each in instances if is_active(each) and not is_outdated(each, live)]
    waiting = [each for each in waiting if not is_available(each, pace.min_ready_seconds, now)]
    if found.outdated:
        reasons.extend(_replicaset.explain_instance(each) for each in waiting[:_NAMED_INSTANCES] if not is_ready(each))
        if found.leaving:
            reasons.append(f"{found.leaving} still shutting down ({_names([name_of(each) for each in instances if is_deleting(each)])})")
    young = [name_of(each) for each in waiting if is_ready(each)]
    if young:
        reasons.append(f"{_names(young)} ready for less than {pace.min_ready_seconds:.0f} s")
    if waiting and not reasons:
        reasons.append(f"{found.available} of {found.updated} available")
    return reasons


def _names(names: t.Sequence[str]) -> str:
    more = "" if len(names) <= _NAMED_INSTANCES else ", ..."
    return f"{', '.join(sorted(names)[:_NAMED_INSTANCES])}{more}"
