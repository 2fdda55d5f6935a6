# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it can change at any time.

"""What is watched in order to verify an autoscaler: itself, the set that it scales, and what explains both."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.vmscale.kubevirt.plugins.module_utils import _autoscaler, _replicaset
from ansible_collections.vmscale.kubevirt.plugins.module_utils._api import Api, Listing
from ansible_collections.vmscale.kubevirt.plugins.module_utils._autoscaler import Evidence, Expectations
from ansible_collections.vmscale.kubevirt.plugins.module_utils._errors import ApiError
from ansible_collections.vmscale.kubevirt.plugins.module_utils._resources import AUTOSCALERS, POD_METRICS, Object, label, spec
from ansible_collections.vmscale.kubevirt.plugins.module_utils._situation import Finished, Situation
from ansible_collections.vmscale.kubevirt.plugins.module_utils._source import Change, Source, View, known
from ansible_collections.vmscale.kubevirt.plugins.module_utils._wait_autoscaler import AUTOSCALER, AutoscalerWait
from ansible_collections.vmscale.kubevirt.plugins.module_utils._wait_replica_set import (
    LAUNCHERS,
    SET,
    VMIS,
    WARNINGS,
    evidence_sources,
    finished_in,
    instances_source,
    selector_of,
    set_source,
    snapshot_of,
)

if t.TYPE_CHECKING:
    from ansible_collections.vmscale.kubevirt.plugins.module_utils._diagnosis import Finding

# metrics-server scrapes every 15 s. Where its figures are the last thing that is missing, they are asked for more often.
METRICS_EVERY_SECONDS = 15.0
LAST_METRICS_EVERY_SECONDS = 5.0


def asks_pod_metrics(seen: Situation) -> bool:
    """True where the autoscaler asks the metrics API for figures of the pods of a set that is there."""
    if seen.autoscaler is None or seen.replica_set is None or not _autoscaler.scales_replica_set(seen.autoscaler):
        return False
    return _autoscaler.uses_resource_metrics(spec(seen.autoscaler))


def read_pod_metrics(api: Api, seen: Situation) -> tuple[Object, ...] | None:
    """The figures of the pods that the set's selector chooses, None where the metrics API does not answer."""
    try:
        return tuple(api.list(POD_METRICS, seen.namespace, label_selector=selector_of(seen.replica_set or {}), tries_again=False))
    except ApiError as error:
        if error.answer.status in (404, 503):
            return None
        raise


class VerifiedWait(AutoscalerWait):
    """Until an autoscaler works, and the set that it scales is as it wants."""

    def __init__(self, api: Api, first: Situation, instances: Listing | None, expected: Expectations) -> None:
        super().__init__(api, first.namespace, first.name, first.autoscaler)
        self._known = replace(first, since=self._base.since, now=self._base.since)
        self._instances = instances
        self._expected = expected
        self._finished: tuple[Finished, ...] = ()
        self._read_at = 0.0
        self._has_news = False
        self._pod_metrics = first.pod_metrics
        self._has_pod_metrics = first.has_pod_metrics

    @property
    def first(self) -> Situation:
        return self._known

    def sources(self, view: View) -> list[tuple[Source, Listing | None]]:
        found = super().sources(view)
        autoscaler = next(iter(view.objects(AUTOSCALER)), self._live)
        if autoscaler is not None and _autoscaler.scales_replica_set(autoscaler):
            found.append((set_source(self._base.namespace, _autoscaler.target_of(autoscaler)[1]), known(self._known.replica_set)))
        target = self._target(view)
        if target is not None:
            found.append((instances_source(self._base.namespace, target), self._instances))
        return found

    def evidence(self, view: View) -> list[Source]:
        target = self._target(view)
        return [] if target is None else evidence_sources(self._base.namespace, target)

    def _target(self, view: View) -> Object | None:
        """The set that is scaled, as far as it is known."""
        present = view.objects(SET)
        return present[0] if present else None if view.follows(SET) else self._known.replica_set

    def learn(self, changes: t.Sequence[Change], elapsed: float) -> None:
        super().learn(changes, elapsed)
        self._finished = (*self._finished, *finished_in(changes, elapsed, self._api.now()))
        self._has_news = self._has_news or bool(changes)

    def look(self, view: View) -> Situation:
        return replace(
            super().look(view),
            replica_set=next(iter(view.objects(SET)), None),
            instances=view.objects(VMIS),
            pods=view.objects(LAUNCHERS),
            events=view.objects(WARNINGS),
            finished=self._finished,
            pod_metrics=self._pod_metrics,
            has_pod_metrics=self._has_pod_metrics,
        )

    def probe(self, seen: Situation, elapsed: float) -> float | None:
        """Figures of pods cannot be watched: they are read where nothing else is missing any more, and now and then."""
        if not asks_pod_metrics(seen):
            return None
        is_last = not self._verify(seen, asks_metrics=False)
        due = self._read_at + (LAST_METRICS_EVERY_SECONDS if is_last else METRICS_EVERY_SECONDS)
        if elapsed >= due or not self._has_pod_metrics or (is_last and self._has_news):
            self._pod_metrics = read_pod_metrics(self._api, seen)
            self._has_pod_metrics = True
            self._read_at = elapsed
        self._has_news = False
        return max(due, self._read_at + LAST_METRICS_EVERY_SECONDS)

    def unmet(self, seen: Situation) -> t.Sequence[str]:
        return self._verify(seen)

    def _verify(self, seen: Situation, asks_metrics: bool = True) -> list[str]:
        autoscaler = seen.autoscaler
        target = snapshot_of(seen) if autoscaler is not None and _autoscaler.scales_replica_set(autoscaler) else None
        evidence = Evidence(autoscaler, target, seen.pod_metrics if seen.has_pod_metrics else (), seen.now)
        return _autoscaler.verify(evidence, self._expected, label(AUTOSCALERS, seen.namespace, seen.name), asks_metrics)

    def diagnose(self, seen: Situation, is_time_up: bool) -> t.Sequence[Finding]:
        from ansible_collections.vmscale.kubevirt.plugins.module_utils._diagnosis_replica_set import diagnose_replica_set

        findings = tuple(super().diagnose(seen, is_time_up))
        if seen.replica_set is None:
            return findings
        name = _autoscaler.target_of(seen.autoscaler or {})[1]
        return (*findings, *diagnose_replica_set(replace(seen, name=name, is_time_up=is_time_up)))

    def slowest(self, seen: Situation) -> str:
        return _replicaset.slowest(snapshot_of(seen), seen.now)
