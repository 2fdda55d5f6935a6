# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it can change at any time.

"""A VirtualMachineInstanceReplicaSet as it is: counts, and whether it has converged.

Status alone lies: it does not count VMIs that are shutting down, and nothing in it echoes a generation. So a set is judged by its
status and by the list of its VMIs together. Source: kubevirt ``pkg/virt-controller/watch/replicaset/replicaset.go``.
"""

from __future__ import annotations

import datetime
import typing as t
from dataclasses import dataclass

from ansible_collections.vmscale.kubevirt.plugins.module_utils import _selector
from ansible_collections.vmscale.kubevirt.plugins.module_utils._resources import (
    INSTANCES,
    TEMPLATE_HASH_LABEL,
    Object,
    condition,
    is_deleting,
    is_owned_by,
    metadata,
    moment,
    name_of,
    spec,
    status,
)

_FINAL_PHASES = ("Succeeded", "Failed")
# More names than these make a sentence unreadable.
_NAMED_INSTANCES = 5


@dataclass(frozen=True)
class Counts:
    """How many replicas; ``outdated`` and ``terminating`` are None where the VMIs were not read."""

    desired: int
    current: int
    ready: int
    outdated: int | None
    terminating: int | None

    def as_result(self) -> dict[str, int | None]:
        """As the modules return it."""
        return dict(self.__dict__)


@dataclass(frozen=True)
class Snapshot:
    """A set and its VMIs at one moment. ``live`` is None where the set is gone, ``instances`` None where they were not read."""

    live: Object | None
    instances: tuple[Object, ...] | None


def own_instances(live: Object, instances: t.Iterable[Object]) -> tuple[Object, ...]:
    """Those VMIs that the set controls."""
    uid = metadata(live).get("uid", "")
    return tuple(instance for instance in instances if is_owned_by(instance, uid))


def desired_replicas(live: Object) -> int:
    """What virt-controller works towards: a missing ``spec.replicas`` counts as 1."""
    replicas = spec(live).get("replicas")
    return 1 if replicas is None else int(replicas)


def template_hash_of(live: Object) -> str | None:
    """The hash that is stamped into the set's template, if any."""
    labels = ((spec(live).get("template") or {}).get("metadata") or {}).get("labels") or {}
    value = labels.get(TEMPLATE_HASH_LABEL)
    return None if value is None else str(value)


def is_ready(instance: Object) -> bool:
    """True where the VMI serves: Ready, not final, not on its way out."""
    return is_active(instance) and condition(instance, "Ready").get("status") == "True"


def is_final(instance: Object) -> bool:
    """True for a VMI that has ended."""
    return status(instance).get("phase") in _FINAL_PHASES


def is_active(instance: Object) -> bool:
    """True for a VMI that the controller counts as a replica."""
    return not is_deleting(instance) and not is_final(instance)


def is_outdated(instance: Object, live: Object) -> bool | None:
    """True for a VMI of an older template, None where the set carries no hash to tell by."""
    current = template_hash_of(live)
    if current is None:
        return None
    return (metadata(instance).get("labels") or {}).get(TEMPLATE_HASH_LABEL) != current


def count(snapshot: Snapshot) -> Counts:
    """The counts of a snapshot."""
    if snapshot.live is None:
        gone = snapshot.instances or ()
        return Counts(0, 0, 0, None, len(gone))
    live, instances = snapshot.live, snapshot.instances
    outdated: int | None = None
    if instances is not None and template_hash_of(live) is not None:
        outdated = sum(1 for instance in instances if is_active(instance) and is_outdated(instance, live))
    return Counts(
        desired=desired_replicas(live),
        current=int(status(live).get("replicas") or 0),
        ready=int(status(live).get("readyReplicas") or 0),
        outdated=outdated,
        terminating=None if instances is None else sum(1 for instance in instances if is_deleting(instance)),
    )


def unmet(snapshot: Snapshot, accepts_pause: bool = True) -> list[str]:
    """Why the set has not converged, the most telling first; empty once it has.

    A set that is paused has, whatever its counts, where ``accepts_pause``.
    """
    live = snapshot.live
    if live is None:
        return ["it does not exist"]
    if is_deleting(live):
        return ["it is being deleted"]
    failure = condition(live, "ReplicaFailure")
    reasons = []
    if failure.get("status") == "True":
        reasons.append(f"{failure.get('reason', 'ReplicaFailure')}: {failure.get('message', 'no message')}")
    if not has_acknowledged_selector(live):
        reasons.append("virt-controller has not acknowledged the selector")
    is_paused = condition(live, "ReplicaPaused").get("status") == "True"
    if bool(spec(live).get("paused")) != is_paused:
        reasons.append(f"virt-controller has not acknowledged that it is {'resumed' if is_paused else 'paused'}")
    if not spec(live).get("paused"):
        return reasons + _unmet_counts(snapshot)
    if accepts_pause:
        return reasons
    unmet_counts = _unmet_counts(snapshot)
    return [*reasons, *(["it is paused"] if unmet_counts else []), *unmet_counts]


def has_acknowledged_selector(live: Object) -> bool:
    """True once virt-controller works by the set's selector; an empty one is not written into the status."""
    return (status(live).get("labelSelector") or "") == _selector.to_query(spec(live).get("selector") or {})


def awaits_controller(snapshot: Snapshot) -> bool:
    """True where the next step is virt-controller's: to acknowledge, to create, to delete, to count."""
    live = snapshot.live
    if live is None or not has_acknowledged_selector(live):
        return True
    if bool(spec(live).get("paused")) != (condition(live, "ReplicaPaused").get("status") == "True"):
        return True
    instances = snapshot.instances or ()
    active = [instance for instance in instances if is_active(instance)]
    if len(active) != len(instances) or len(active) != desired_replicas(live):
        return True
    return sum(1 for each in active if is_ready(each)) != count(snapshot).ready


def unmet_gone(snapshot: Snapshot) -> list[str]:
    """What is left of a set that is to go; empty once it is gone."""
    reasons = [explain_instance(instance) for instance in snapshot.instances or ()]
    if snapshot.live is not None:
        finalizers = metadata(snapshot.live).get("finalizers") or []
        reasons.append(f"it is still there (finalizers: {', '.join(finalizers) or 'none'})")
    return reasons


def _unmet_counts(snapshot: Snapshot) -> list[str]:
    counts, reasons = count(snapshot), []
    instances = snapshot.instances or ()
    ready = [instance for instance in instances if is_ready(instance)]
    seen_ready = counts.ready if snapshot.instances is None else len(ready)
    created = counts.current if snapshot.instances is None else sum(1 for instance in instances if is_active(instance))
    if seen_ready < counts.desired:
        reasons.append(f"{seen_ready} of {counts.desired} ready")
    if created < counts.desired:
        reasons.append(f"{created} of {counts.desired} created")
    if created > counts.desired:
        reasons.append(f"{created - counts.desired} more than {counts.desired}")
    if not reasons and (counts.ready != counts.desired or counts.current != counts.desired):
        reasons.append(f"its status still says {counts.ready} of {counts.current} ready, instead of {counts.desired}")
    waiting = [instance for instance in instances if is_active(instance) and not is_ready(instance)]
    reasons.extend(explain_instance(instance) for instance in waiting[:_NAMED_INSTANCES])
    if len(waiting) > _NAMED_INSTANCES:
        reasons.append(f"{len(waiting) - _NAMED_INSTANCES} more VMIs are not ready")
    leaving = [name_of(instance) for instance in instances if is_deleting(instance)]
    if leaving:
        more = "" if len(leaving) <= _NAMED_INSTANCES else ", ..."
        reasons.append(f"{len(leaving)} still shutting down ({', '.join(sorted(leaving)[:_NAMED_INSTANCES])}{more})")
    return reasons


def explain_instance(instance: Object) -> str:
    """Where a VMI stands, in the words of the component that knows."""
    phase = status(instance).get("phase") or "no phase yet"
    for kind in ("Synchronized", "PodScheduled", "Paused", "Ready"):
        found = condition(instance, kind)
        is_trouble = found.get("status") == ("True" if kind == "Paused" else "False")
        if is_trouble and (found.get("reason") or found.get("message")):
            words = ": ".join(str(part) for part in (found.get("reason"), found.get("message")) if part)
            return f"VMI {name_of(instance)} is {phase} ({words})"
    return f"VMI {name_of(instance)} is {phase}"


def summarise_instance(instance: Object, live: Object) -> dict[str, t.Any]:
    """A VMI as ``vmirs_info`` lists it."""
    interfaces = status(instance).get("interfaces") or [{}]
    ready = condition(instance, "Ready")
    return {
        "name": name_of(instance),
        "phase": status(instance).get("phase"),
        "ready": is_ready(instance),
        "reason": None if is_ready(instance) else ready.get("reason"),
        "node": status(instance).get("nodeName"),
        "ip": interfaces[0].get("ipAddress"),
        "outdated": is_outdated(instance, live),
        "terminating": is_deleting(instance),
        "created": metadata(instance).get("creationTimestamp"),
    }


def instance_state(instance: Object) -> str:
    """Where a VMI stands in one word: its phase, or that it is ready or on its way out."""
    if is_deleting(instance):
        return "Terminating"
    return "Ready" if is_ready(instance) else str(status(instance).get("phase") or "New")


def standing(snapshot: Snapshot) -> str:
    """How far a set is in a few words: ``2 of 3 ready``, or how many VMIs are left of one that is to go."""
    if snapshot.live is None or is_deleting(snapshot.live):
        left = len(snapshot.instances or ())
        return f"{left} {'VMI' if left == 1 else 'VMIs'} left"
    ready = sum(1 for instance in snapshot.instances or () if is_ready(instance))
    return f"{ready} of {desired_replicas(snapshot.live)} ready"


def instance_states(snapshot: Snapshot) -> dict[str, str]:
    """The state of each VMI of a snapshot, by kind and name."""
    return {f"{INSTANCES.kind} {name_of(each)}": instance_state(each) for each in snapshot.instances or ()}


def slowest(snapshot: Snapshot, now: datetime.datetime | None) -> str:
    """The VMI that has been longest where it is, of those that are waited for: ``slowest: web7k2p, Scheduling for 12 s``."""
    if now is None:
        return ""
    gone = snapshot.live is None or is_deleting(snapshot.live)
    waited_for = [each for each in snapshot.instances or () if gone or is_deleting(each) or not is_ready(each)]
    if not waited_for:
        return ""
    since, name, instance = min((_since(each, now), name_of(each), each) for each in waited_for)
    return f"slowest: {name}, {instance_state(instance)} for {max(0.0, (now - since).total_seconds()):.0f} s"


def _since(instance: Object, now: datetime.datetime) -> datetime.datetime:
    """Since when a VMI has been where it is."""
    if is_deleting(instance):
        return moment(metadata(instance).get("deletionTimestamp")) or now
    phase = status(instance).get("phase")
    entered = [each for each in status(instance).get("phaseTransitionTimestamps") or [] if each.get("phase") == phase]
    text = entered[-1].get("phaseTransitionTimestamp") if entered else metadata(instance).get("creationTimestamp")
    return moment(text) or now


def progress_line(name: str, snapshot: Snapshot) -> str:
    """One line that says how far the set is, without a clock: ``web: 2/3 ready, 1 Scheduling``."""
    if snapshot.live is None or is_deleting(snapshot.live):
        left = len(snapshot.instances or ())
        return f"{name}: gone" if not left and snapshot.live is None else f"{name}: being deleted, {standing(snapshot)}"
    counts = count(snapshot)
    parts = [f"{counts.ready}/{counts.desired} ready"]
    phases: dict[str, int] = {}
    for instance in snapshot.instances or ():
        if is_active(instance) and not is_ready(instance):
            phase = str(status(instance).get("phase") or "new")
            phases[phase] = phases.get(phase, 0) + 1
    parts.extend(f"{number} {phase}" for phase, number in sorted(phases.items()))
    if counts.terminating:
        parts.append(f"{counts.terminating} shutting down")
    if spec(snapshot.live).get("paused"):
        parts.append("paused")
    return f"{name}: {', '.join(parts)}"
