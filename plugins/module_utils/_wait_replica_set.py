# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it can change at any time.

"""What is watched in order to wait for a replica set: the set, its VMIs, and what explains them."""

from __future__ import annotations

import datetime
import typing as t
from dataclasses import replace

from ansible_collections.vmscale.kubevirt.plugins.module_utils import _replicaset, _selector
from ansible_collections.vmscale.kubevirt.plugins.module_utils._api import Api, Listing
from ansible_collections.vmscale.kubevirt.plugins.module_utils._probes import LeaseProbe, ScaleUpProbe
from ansible_collections.vmscale.kubevirt.plugins.module_utils._replicaset import Snapshot
from ansible_collections.vmscale.kubevirt.plugins.module_utils._resources import (
    EVENTS,
    INSTANCES,
    PODS,
    REPLICA_SETS,
    Object,
    condition,
    is_deleting,
    metadata,
    moment,
    name_of,
    spec,
)
from ansible_collections.vmscale.kubevirt.plugins.module_utils._situation import Finished, Situation
from ansible_collections.vmscale.kubevirt.plugins.module_utils._source import Change, Source, View, known
from ansible_collections.vmscale.kubevirt.plugins.module_utils._timeline import Counts

if t.TYPE_CHECKING:
    from ansible_collections.vmscale.kubevirt.plugins.module_utils._diagnosis import Finding

SET, VMIS, LAUNCHERS, WARNINGS = "set", "vmis", "launchers", "warnings"


def set_source(namespace: str, name: str) -> Source:
    """One set."""
    return Source(SET, REPLICA_SETS, namespace, field_selector=f"metadata.name={name}")


def selector_of(live: Object) -> str:
    """What chooses the VMIs of a set, as a ``labelSelector``."""
    return _selector.to_query(spec(live).get("selector") or {})


def instances_source(namespace: str, live: Object) -> Source:
    """The VMIs that a set's selector chooses."""
    return Source(VMIS, INSTANCES, namespace, selector_of(live))


def evidence_sources(namespace: str, live: Object) -> list[Source]:
    """The pods of a set's VMIs, and the warnings of its namespace."""
    pods = ",".join(part for part in (selector_of(live), "kubevirt.io=virt-launcher") if part)
    return [
        Source(LAUNCHERS, PODS, namespace, pods, is_evidence=True),
        Source(WARNINGS, EVENTS, namespace, field_selector="type=Warning", is_evidence=True),
    ]


def finished_in(changes: t.Iterable[Change], elapsed: float, now: datetime.datetime | None) -> list[Finished]:
    """The VMIs that ended by themselves, and were not on their way out."""
    found = []
    for change in changes:
        if change.key != VMIS or change.after is None or is_deleting(change.after) or not _replicaset.is_final(change.after):
            continue
        if change.before is not None and _replicaset.is_final(change.before):
            continue
        created = moment(metadata(change.after).get("creationTimestamp"))
        age = None if created is None or now is None else round((now - created).total_seconds(), 3)
        phase = _replicaset.instance_state(change.after)
        found.append(Finished(name_of(change.after), str(metadata(change.after).get("uid", "")), phase, round(elapsed, 3), age))
    return found


def snapshot_of(situation: Situation) -> Snapshot:
    """The set of a situation with those VMIs that are its own."""
    live = situation.replica_set
    return Snapshot(live, () if live is None else _replicaset.own_instances(live, situation.instances))


def _is_unschedulable(instance: Object) -> bool:
    return condition(instance, "PodScheduled").get("reason") == "Unschedulable"


class ReadyWait:
    """Until a set has converged."""

    def __init__(self, api: Api, namespace: str, live: Object, instances: Listing | None, is_pause_wanted: bool = False) -> None:
        self._api = api
        self._live = live
        self._instances = instances
        self._lease = LeaseProbe(api)
        self._scale_up = ScaleUpProbe(api, namespace)
        self._finished: tuple[Finished, ...] = ()
        self._base = Situation(namespace, name_of(live), since=api.now(), is_pause_wanted=is_pause_wanted, is_presence_wanted=True)

    @property
    def first(self) -> Situation | None:
        """What is known already, None where that is not enough to judge by."""
        if self._instances is None:
            return None
        return replace(self._base, replica_set=self._live, instances=self._instances.items, now=self._api.now())

    def share_probes(self, lease: LeaseProbe, scale_up: ScaleUpProbe) -> None:
        """Use these, which others use as well."""
        self._lease, self._scale_up = lease, scale_up

    def sources(self, view: View) -> list[tuple[Source, Listing | None]]:
        present = self._present(view)
        namespace = self._base.namespace
        return [(set_source(namespace, name_of(present)), known(self._live)), (instances_source(namespace, present), self._instances)]

    def evidence(self, view: View) -> list[Source]:
        return evidence_sources(self._base.namespace, self._present(view))

    def _present(self, view: View) -> Object:
        return next(iter(view.objects(SET)), self._live)

    def learn(self, changes: t.Sequence[Change], elapsed: float) -> None:
        self._finished = (*self._finished, *finished_in(changes, elapsed, self._api.now()))

    def look(self, view: View) -> Situation:
        return replace(
            self._base,
            replica_set=next(iter(view.objects(SET)), None),
            instances=view.objects(VMIS),
            pods=view.objects(LAUNCHERS),
            events=(*view.objects(WARNINGS), *self._scale_up.events),
            finished=self._finished,
            lease=self._lease.stale,
            now=self._api.now(),
        )

    def probe(self, seen: Situation, elapsed: float) -> float | None:
        # Each is asked for only where it can explain something.
        moments = [
            self._lease.look(elapsed, _replicaset.awaits_controller(self._snapshot(seen))),
            self._scale_up.look(elapsed, any(_is_unschedulable(instance) for instance in seen.instances)),
        ]
        return min((moment for moment in moments if moment is not None), default=None)

    def unmet(self, seen: Situation) -> t.Sequence[str]:
        return _replicaset.unmet(self._snapshot(seen), accepts_pause=self._base.is_pause_wanted)

    def diagnose(self, seen: Situation, is_time_up: bool) -> t.Sequence[Finding]:
        from ansible_collections.vmscale.kubevirt.plugins.module_utils._diagnosis_replica_set import diagnose_replica_set

        return diagnose_replica_set(replace(seen, is_time_up=is_time_up))

    def line(self, seen: Situation) -> str:
        return _replicaset.progress_line(seen.name, self._snapshot(seen))

    def standing(self, seen: Situation) -> str:
        return _replicaset.standing(self._snapshot(seen))

    def slowest(self, seen: Situation) -> str:
        return _replicaset.slowest(self._snapshot(seen), seen.now)

    def counts(self, seen: Situation) -> Counts:
        return _replicaset.count(self._snapshot(seen)).as_result()

    def states(self, seen: Situation) -> dict[str, str]:
        return _replicaset.instance_states(self._snapshot(seen))

    def _snapshot(self, seen: Situation) -> Snapshot:
        return snapshot_of(seen)


class GoneWait(ReadyWait):
    """Until a set is gone, and its VMIs with it unless they are to stay."""

    def __init__(self, api: Api, namespace: str, live: Object, leaves_instances: bool) -> None:
        super().__init__(api, namespace, live, None)
        self._base = replace(self._base, is_presence_wanted=False)
        self._leaves_instances = leaves_instances

    def sources(self, view: View) -> list[tuple[Source, Listing | None]]:
        return super().sources(view)[: 1 if self._leaves_instances else 2]

    def _present(self, _view: View) -> Object:
        return self._live

    def look(self, view: View) -> Situation:
        seen, before = super().look(view), self._live
        is_other = seen.replica_set is not None and metadata(seen.replica_set).get("uid") != metadata(before).get("uid")
        # Once the set is gone, whose VMIs they were can be told by what it was.
        own = _replicaset.own_instances(before, seen.instances)
        return replace(seen, replica_set=None if is_other else seen.replica_set, instances=own)

    def unmet(self, seen: Situation) -> t.Sequence[str]:
        return _replicaset.unmet_gone(self._snapshot(seen))

    def _snapshot(self, seen: Situation) -> Snapshot:
        return Snapshot(seen.replica_set, seen.instances)


class PausedWait(ReadyWait):
    """Until virt-controller has acknowledged that a set is paused, and counts the VMIs that there are, without those of the UIDs ``gone``.

    Resumed before that it would still take the deleted ones for replicas, and delete more.
    """

    def __init__(self, api: Api, namespace: str, live: Object, gone: t.AbstractSet[str] = frozenset()) -> None:
        super().__init__(api, namespace, live, None, is_pause_wanted=True)
        self._gone = gone

    def look(self, view: View) -> Situation:
        seen = super().look(view)
        # Nobody waits for a VMI here: one that cannot start may be the very one that is to go.
        return replace(seen, tolerated=frozenset(str(metadata(each).get("uid")) for each in seen.instances))

    def unmet(self, seen: Situation) -> t.Sequence[str]:
        unmet = super().unmet(seen)
        if unmet or seen.replica_set is None:
            return unmet
        active = [each for each in self._snapshot(seen).instances or () if _replicaset.is_active(each)]
        left = [name_of(each) for each in active if metadata(each).get("uid") in self._gone]
        if left:
            return [f"the deletion of {', '.join(sorted(left))} has not been seen yet"]
        counted = _replicaset.count(self._snapshot(seen)).current
        return [] if counted == len(active) else [f"virt-controller counts {counted} VMIs, and there are {len(active)}"]
