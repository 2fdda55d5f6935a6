# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it can change at any time.

"""What keeps a replica set from being as it should be."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.vmscale.kubevirt.plugins.module_utils import _diagnosis_reasons as reasons
from ansible_collections.vmscale.kubevirt.plugins.module_utils._diagnosis import Finding, Symptom, conclude
from ansible_collections.vmscale.kubevirt.plugins.module_utils._diagnosis_creation import set_failures
from ansible_collections.vmscale.kubevirt.plugins.module_utils._diagnosis_events import seconds_since, text_of
from ansible_collections.vmscale.kubevirt.plugins.module_utils._diagnosis_instance import instance_symptoms, node_lost
from ansible_collections.vmscale.kubevirt.plugins.module_utils._diagnosis_scene import FINAL_PHASES, Scene
from ansible_collections.vmscale.kubevirt.plugins.module_utils._replicaset import desired_replicas
from ansible_collections.vmscale.kubevirt.plugins.module_utils._resources import (
    INSTANCES,
    REPLICA_SETS,
    condition,
    is_deleting,
    metadata,
    moment,
    name_of,
    spec,
    status,
)
from ansible_collections.vmscale.kubevirt.plugins.module_utils._scale import unfinished_scale_in
from ansible_collections.vmscale.kubevirt.plugins.module_utils._situation import Finished, Situation

LEASE_SECONDS = 30.0
TERMINATING_SECONDS = 15.0
FEWEST_IN_A_LOOP = 3
WAVE_SECONDS = 5.0
# What lived longer has not failed to start.
LONGEST_LIFE_IN_A_LOOP = 300.0
_DEFAULT_GRACE_SECONDS = 30
_KUBEVIRT = "kubevirt.io/"
_LOST_HINT = "Bring the node back, or remove it from the cluster for good: until then nobody can say that its VMIs have ended."
# Warnings that a rule of their own reads, or that say no more than a condition.
_READ_ELSEWHERE = frozenset(
    ("FailedScheduling", "FailedCreate", "FailedPvcNotFound", "Failed", "BackOff", "NodeNotReady", "Unhealthy", "Stopped")
)


def diagnose_replica_set(situation: Situation) -> tuple[Finding, ...]:
    """Findings about the set, its VMIs and their pods, the most telling first; none of them is fatal where all is as it should be."""
    scene = Scene(situation)
    symptoms = list(_symptoms(scene))
    if scene.is_settled:
        symptoms = [dataclasses.replace(symptom, is_fatal=False) for symptom in symptoms]
    return conclude(symptoms, situation)


def _symptoms(scene: Scene) -> t.Iterator[Symptom]:
    live = scene.situation.replica_set
    yield from being_deleted(scene)
    yield from virt_controller_down(scene)
    yield from still_terminating(scene)
    if live is not None and not is_deleting(live):
        for rule in (set_paused, set_failures, ended, selector_overlap, adopted):
            yield from rule(scene)
        for instance in scene.waiting:
            yield from instance_symptoms(scene, instance)
    yield from warnings(scene)


def being_deleted(scene: Scene) -> t.Iterator[Symptom]:
    """A set that goes though it should stay: in a namespace that is being deleted nothing else may be left to see."""
    live, situation = scene.situation.replica_set, scene.situation
    if situation.is_presence_wanted and (live is None or is_deleting(live)):
        detail = "has been deleted" if live is None else "is being deleted"
        yield Symptom(reasons.BEING_DELETED, REPLICA_SETS.kind, situation.name, detail=detail)


def virt_controller_down(scene: Scene) -> t.Iterator[Symptom]:
    """A leader lease that nobody renews: kubevirt pkg/virt-controller/leaderelectionconfig/config.go."""
    lease = scene.situation.lease
    if lease is None:
        return
    age = seconds_since(spec(lease).get("renewTime"), scene.situation.now)
    if age is not None and age > LEASE_SECONDS:
        namespace = str(metadata(lease).get("namespace") or "")
        yield Symptom(reasons.VIRT_CONTROLLER_DOWN, "Lease", name_of(lease), seconds=age, namespace=namespace)


def set_paused(scene: Scene) -> t.Iterator[Symptom]:
    """A set that somebody has paused while VMIs are missing or too many: kubevirt .../watch/replicaset/replicaset.go (execute)."""
    live = t.cast("t.Mapping[str, t.Any]", scene.situation.replica_set)
    found = condition(live, "ReplicaPaused")
    is_paused = bool(spec(live).get("paused")) or found.get("status") == "True"
    if is_paused and not scene.situation.is_pause_wanted and not scene.is_complete:
        unfinished = unfinished_scale_in(live)
        hint = "" if unfinished is None else f"{unfinished.clause[0].upper()}{unfinished.clause[1:]}."
        yield Symptom(reasons.REPLICA_PAUSED, REPLICA_SETS.kind, name_of(live), message=str(found.get("message") or ""), hint=hint)


def ended(scene: Scene) -> t.Iterator[Symptom]:
    """VMIs that ended by themselves. The set replaces them at once, without any back-off: kubevirt .../watch/replicaset/replicaset.go.

    It is a loop where as many have ended as the set has replicas, or where they ended one wave after the other: many at once may as
    well be the end of a node.
    """
    live = t.cast("t.Mapping[str, t.Any]", scene.situation.replica_set)
    if scene.is_complete:
        return
    finished = sorted(scene.situation.finished, key=lambda each: (each.elapsed, each.name))
    short = [each for each in finished if each.age is None or each.age <= LONGEST_LIFE_IN_A_LOOP]
    # Each VMI once is an accident that befell them all; one more is a loop.
    enough = len(short) >= max(FEWEST_IN_A_LOOP, desired_replicas(live) + 1) or _waves(short) >= FEWEST_IN_A_LOOP
    if enough:
        span = short[-1].elapsed - short[0].elapsed
        message = _why(scene, [each.name for each in short])
        yield Symptom(
            reasons.CRASH_LOOP,
            REPLICA_SETS.kind,
            name_of(live),
            message=message,
            detail=f"{len(short)} within {max(span, 1):.0f} s: {_tally(short)}",
        )
        return
    known = {each.name: each.phase for each in finished}
    for instance in scene.own:
        if status(instance).get("phase") in FINAL_PHASES and not is_deleting(instance):
            known.setdefault(name_of(instance), str(status(instance).get("phase")))
    for name, phase in sorted(known.items()):
        message = _why(scene, [name])
        yield Symptom(reasons.VMI_ENDED, INSTANCES.kind, name, message=message, detail=phase, group=f"{phase} {message}")


def _waves(finished: t.Sequence[Finished]) -> int:
    waves, started = 0, float("-inf")
    for each in finished:
        if each.elapsed - started > WAVE_SECONDS:
            waves, started = waves + 1, each.elapsed
    return waves


def _tally(finished: t.Sequence[Finished]) -> str:
    phases = [each.phase for each in finished]
    return ", ".join(f"{phases.count(phase)} {phase}" for phase in sorted(set(phases)))


def _why(scene: Scene, names: t.Sequence[str]) -> str:
    """What was said of VMIs that ended: what went wrong rather than that they crashed, the most frequent first."""
    launchers = tuple(f"virt-launcher-{name}-" for name in names)
    said = []
    for event in scene.situation.events:
        involved = str((event.get("involvedObject") or {}).get("name"))
        if involved in names or (event.get("reason") == "Evicted" and involved.startswith(launchers)):
            said.append(event)
    for is_cause in (True, False):
        texts = [text_of(event) for event in said if (event.get("reason") != "Stopped") == is_cause]
        if texts:
            return min(set(texts), key=lambda text: (-texts.count(text), text))
    return ""


def selector_overlap(scene: Scene) -> t.Iterator[Symptom]:
    """VMIs that match the selector and that another one controls: kubevirt pkg/controller/controller_ref_manager.go."""
    own = {metadata(instance).get("uid") for instance in scene.own}
    for instance in scene.situation.instances:
        owners = [owner for owner in metadata(instance).get("ownerReferences") or [] if owner.get("controller")]
        if owners and metadata(instance).get("uid") not in own:
            owner = f"{owners[0].get('kind')} {owners[0].get('name')}"
            yield Symptom(reasons.SELECTOR_OVERLAP, INSTANCES.kind, name_of(instance), detail=owner, group=owner)


def adopted(scene: Scene) -> t.Iterator[Symptom]:
    """VMIs that were there before the set, and became its own: kubevirt pkg/controller/controller_ref_manager.go (AdoptVMI)."""
    created = moment(metadata(t.cast("t.Mapping[str, t.Any]", scene.situation.replica_set)).get("creationTimestamp"))
    for instance in scene.active:
        born = moment(metadata(instance).get("creationTimestamp"))
        if created is not None and born is not None and born < created:
            yield Symptom(reasons.VMI_ADOPTED, INSTANCES.kind, name_of(instance))


def still_terminating(scene: Scene) -> t.Iterator[Symptom]:
    """VMIs that are being deleted and stay: the guest's grace period, a finalizer, a lost node.

    Source: kubevirt pkg/virt-controller/watch/vmi/lifecycle.go, pkg/virt-handler/vm.go (shutdown).
    """
    for instance in scene.leaving:
        asked = seconds_since(metadata(instance).get("deletionTimestamp"), scene.situation.now)
        age = None if asked is None else asked + float(metadata(instance).get("deletionGracePeriodSeconds") or 0)
        for lost in node_lost(scene, instance):
            yield dataclasses.replace(lost, hint=_LOST_HINT)
        if scene.is_slow(age, TERMINATING_SECONDS):
            grace = spec(instance).get("terminationGracePeriodSeconds")
            others = [each for each in metadata(instance).get("finalizers") or [] if not str(each).startswith(_KUBEVIRT)]
            detail = f"its guest has {_DEFAULT_GRACE_SECONDS if grace is None else grace} s for it"
            if others:
                detail += f", and it has the finalizer {', '.join(sorted(others))}"
            yield Symptom(reasons.STILL_TERMINATING, INSTANCES.kind, name_of(instance), seconds=age or 0.0, detail=detail, group=detail)


def warnings(scene: Scene) -> t.Iterator[Symptom]:
    """Every other warning about a VMI of the set that is not ready, or its pod: FailedMount, SyncFailed and what others may say."""
    for instance in (*scene.waiting, *scene.leaving):
        for event in scene.events_about(instance):
            word, involved = str(event.get("reason") or ""), event.get("involvedObject") or {}
            if event.get("type") == "Warning" and word not in _READ_ELSEWHERE:
                kind, name = str(involved.get("kind")), str(involved.get("name"))
                yield Symptom(reasons.WARNING, kind, name, message=text_of(event), detail=f"warning {word}")
