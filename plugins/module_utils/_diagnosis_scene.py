# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it can change at any time.

"""A situation sorted out: whose VMIs these are, what becomes of them, and which pods belong to which."""

from __future__ import annotations

import functools
import typing as t
from dataclasses import dataclass

from ansible_collections.vmscale.kubevirt.plugins.module_utils import _replicaset
from ansible_collections.vmscale.kubevirt.plugins.module_utils._diagnosis_events import is_about, seconds_since
from ansible_collections.vmscale.kubevirt.plugins.module_utils._replicaset import Snapshot
from ansible_collections.vmscale.kubevirt.plugins.module_utils._resources import INSTANCES, Object, is_deleting, metadata, name_of, status
from ansible_collections.vmscale.kubevirt.plugins.module_utils._situation import Situation

FINAL_PHASES = ("Succeeded", "Failed")
_CREATED_BY = "kubevirt.io/created-by"


@dataclass(frozen=True)
class Scene:
    """A situation, seen from its replica set."""

    situation: Situation

    @functools.cached_property
    def own(self) -> tuple[Object, ...]:
        """The VMIs that the set controls; all, where the set is gone."""
        live = self.situation.replica_set
        return self.situation.instances if live is None else _replicaset.own_instances(live, self.situation.instances)

    @functools.cached_property
    def active(self) -> tuple[Object, ...]:
        """Those of them that count as replicas."""
        return tuple(instance for instance in self.own if _replicaset.is_active(instance))

    @functools.cached_property
    def waiting(self) -> tuple[Object, ...]:
        """Those of them that are not ready (yet), and have to be."""
        tolerated = self.situation.tolerated
        missed = (instance for instance in self.active if not _replicaset.is_ready(instance))
        return tuple(instance for instance in missed if metadata(instance).get("uid") not in tolerated)

    @functools.cached_property
    def leaving(self) -> tuple[Object, ...]:
        """Those of its VMIs that are being deleted."""
        return tuple(instance for instance in self.own if is_deleting(instance))

    @property
    def frees_room(self) -> bool:
        """True while something of the set shuts down: its room on the nodes and in quotas comes free."""
        return bool(self.leaving) or any(is_deleting(pod) for pod in self.situation.pods)

    @property
    def is_growing(self) -> bool:
        """True where the set is there, stays, and lacks VMIs."""
        live = self.situation.replica_set
        return live is not None and not is_deleting(live) and len(self.active) < _replicaset.desired_replicas(live)

    @functools.cached_property
    def is_settled(self) -> bool:
        """True where the set is as it should be."""
        live = self.situation.replica_set
        return live is not None and not _replicaset.unmet(Snapshot(live, self.own)) and (self.situation.is_pause_wanted or self.is_complete)

    @property
    def is_complete(self) -> bool:
        """True where there are as many VMIs as the set wants, and all are ready."""
        live = self.situation.replica_set
        return live is not None and not self.waiting and len(self.active) == _replicaset.desired_replicas(live)

    def pods_of(self, instance: Object) -> tuple[Object, ...]:
        """The launcher pods of a VMI: more than one during a live migration."""
        uid = str(metadata(instance).get("uid") or "")
        return self._pods.get(uid, ())

    @functools.cached_property
    def _pods(self) -> t.Mapping[str, tuple[Object, ...]]:
        found: dict[str, tuple[Object, ...]] = {}
        for pod in sorted(self.situation.pods, key=name_of):
            uid = owner_uid(pod)
            found[uid] = (*found.get(uid, ()), pod)
        return found

    def events_about(self, instance: Object) -> tuple[Object, ...]:
        """The events about a VMI and its launcher pods; where pods were not read, their names tell whose they are."""
        found = [event for event in self._events.get(name_of(instance), ()) if is_about(event, instance, INSTANCES.kind)]
        pods = self.pods_of(instance)
        for pod in pods:
            found += [event for event in self._events.get(name_of(pod), ()) if is_about(event, pod, "Pod")]
        if not pods:
            prefix = f"virt-launcher-{name_of(instance)}-"
            found += [event for name, events in self._events.items() if name.startswith(prefix) for event in events]
        return tuple(found)

    @functools.cached_property
    def _events(self) -> t.Mapping[str, list[Object]]:
        found: dict[str, list[Object]] = {}
        for event in self.situation.events:
            found.setdefault(str((event.get("involvedObject") or {}).get("name")), []).append(event)
        return found

    def is_slow(self, seconds: float | None, limit: float) -> bool:
        """True for what has taken longer than a normal boot does, or has come to nothing by the end of a wait."""
        return seconds is not None and (seconds >= limit or self.situation.is_time_up)

    def age_of_phase(self, instance: Object) -> float | None:
        """Seconds since a VMI has been in its phase."""
        phase = status(instance).get("phase")
        for entry in status(instance).get("phaseTransitionTimestamps") or []:
            if entry.get("phase") == phase:
                return seconds_since(entry.get("phaseTransitionTimestamp"), self.situation.now)
        return None


def owner_uid(pod: Object) -> str:
    """The UID of the VMI that a launcher pod runs; empty for other pods."""
    created_by = (metadata(pod).get("labels") or {}).get(_CREATED_BY)
    if created_by:
        return str(created_by)
    owners = [owner for owner in metadata(pod).get("ownerReferences") or [] if owner.get("controller")]
    return str(owners[0].get("uid", "")) if owners else ""
