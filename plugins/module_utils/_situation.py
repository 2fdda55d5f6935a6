# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it can change at any time.

"""Everything that was seen of a replica set and its autoscaler at one moment of a wait: what a diagnosis is made from."""

from __future__ import annotations

import datetime
import typing as t
from dataclasses import dataclass

from ansible_collections.vmscale.kubevirt.plugins.module_utils._resources import Object, moment


@dataclass(frozen=True)
class Finished:
    """A VMI that ended by itself while somebody was watching, not one that was deleted first.

    Its name and UID, its final phase, the seconds since the wait began, and the seconds that it lived (None where they are not known).
    """

    name: str
    uid: str
    phase: str
    elapsed: float
    age: float | None = None


@dataclass(frozen=True)
class Situation:
    """What is known at one moment; what was not read, or may not be read, is empty or None.

    ``instances`` are all VMIs that match the set's selector, also those that belong to somebody else; ``pods`` the launcher pods
    that match it; ``events`` the warnings of the namespace, from before the wait as well; ``autoscalers`` all of the namespace.
    ``pod_metrics`` is None where the metrics API does not answer; ``has_pod_metrics`` tells that from not having been asked.
    ``is_presence_wanted``: the set has been there, and is not to go. ``is_time_up``: nobody waits any longer, so that what may only be
    slow is worth telling.
    ``tolerated`` are the UIDs of VMIs that nobody waits for, such as outdated ones during a rollout.
    ``lease`` is virt-controller's own. ``now`` is the API server's time, ``since`` its time when the wait began.
    """

    namespace: str
    name: str
    replica_set: Object | None = None
    instances: tuple[Object, ...] = ()
    pods: tuple[Object, ...] = ()
    events: tuple[Object, ...] = ()
    autoscaler: Object | None = None
    autoscalers: tuple[Object, ...] = ()
    pod_metrics: tuple[Object, ...] | None = None
    has_pod_metrics: bool = False
    lease: Object | None = None
    finished: tuple[Finished, ...] = ()
    now: datetime.datetime | None = None
    since: datetime.datetime | None = None
    is_pause_wanted: bool = False
    is_presence_wanted: bool = False
    is_time_up: bool = False
    tolerated: frozenset[str] = frozenset()


def from_recorded(document: t.Mapping[str, t.Any]) -> Situation:
    """A situation from a mapping of its fields, times as RFC 3339 text."""
    times = {key: moment(document.get(key)) for key in ("now", "since")}
    lists = {key: tuple(document.get(key) or ()) for key in ("instances", "pods", "events", "autoscalers")}
    known: dict[str, t.Any] = {**lists, **times}
    metrics = document.get("pod_metrics")
    return Situation(
        namespace=document["namespace"],
        name=document["name"],
        replica_set=document.get("replica_set"),
        autoscaler=document.get("autoscaler"),
        pod_metrics=None if metrics is None else tuple(metrics),
        has_pod_metrics=bool(document.get("has_pod_metrics")),
        lease=document.get("lease"),
        finished=tuple(Finished(**each) for each in document.get("finished") or ()),
        is_pause_wanted=bool(document.get("is_pause_wanted")),
        is_presence_wanted=bool(document.get("is_presence_wanted")),
        **known,
    )
