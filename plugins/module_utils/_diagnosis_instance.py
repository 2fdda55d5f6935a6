# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it can change at any time.

"""What is wrong with one VMI and its launcher pod."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.vmscale.kubevirt.plugins.module_utils import _diagnosis_reasons as reasons
from ansible_collections.vmscale.kubevirt.plugins.module_utils._diagnosis import Symptom
from ansible_collections.vmscale.kubevirt.plugins.module_utils._diagnosis_creation import pod_failures, quantities_apart
from ansible_collections.vmscale.kubevirt.plugins.module_utils._diagnosis_events import is_recent, seconds_since, text_of
from ansible_collections.vmscale.kubevirt.plugins.module_utils._diagnosis_reasons import Reason
from ansible_collections.vmscale.kubevirt.plugins.module_utils._diagnosis_scene import FINAL_PHASES, Scene
from ansible_collections.vmscale.kubevirt.plugins.module_utils._resources import (
    INSTANCES,
    Object,
    condition,
    is_deleting,
    metadata,
    name_of,
    spec,
    status,
)

# A normal boot takes that long at most, measured on software emulation.
SLOW_SECONDS = 30.0
UNREADY_SECONDS = 10.0

_IMAGE_REASONS = frozenset(
    ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError", "RegistryUnavailable")
)
_NORMAL_WAITS = frozenset(("ContainerCreating", "PodInitializing", ""))
_BACK_OFF = re.compile(r'^Back-off pulling image "[^"]*": ErrImagePull: ')
# A registry that is slow or busy may answer at one of the next tries, which come only after the usual grace; a name that is not
# resolved is neither.
BUSY_REGISTRY_SECONDS = 60.0
_UNRESOLVED = re.compile(r"dial tcp: lookup ")
_BUSY_REGISTRY = re.compile(
    r"i/o timeout|TLS handshake timeout|deadline exceeded|connection reset|toomanyrequests|429 |50[234] |pull QPS exceeded"
)
_ROOM_COMES = re.compile(r"unbound immediate PersistentVolumeClaims|waiting for .* to be bound", re.IGNORECASE)
_NODE_AUTOSCALER = frozenset(("TriggeredScaleUp", "Nominated"))
_PAUSED = {"PausedByUser": reasons.PAUSED_BY_USER, "PausedIOError": reasons.PAUSED_IO_ERROR}


def instance_symptoms(scene: Scene, instance: Object) -> list[Symptom]:
    """Everything that keeps a VMI from being ready."""
    rules = (pod_failures, missing_volume, unschedulable, image_pull, paused, node_lost, launcher_died, container_waiting)
    found = [symptom for rule in rules for symptom in rule(scene, instance)]
    for rule in (not_synchronized, guest_not_running, not_ready, not_scheduled, still_starting):
        found = found or list(rule(scene, instance))
    return found


def _symptom(reason: Reason, instance: Object, **what: t.Any) -> Symptom:
    return Symptom(reason, INSTANCES.kind, name_of(instance), **what)


def missing_volume(_scene: Scene, instance: Object) -> t.Iterator[Symptom]:
    """A PVC that does not exist, also that of a DataVolume: kubevirt pkg/virt-controller/watch/vmi/datavolumes.go."""
    found = condition(instance, "Synchronized")
    if found.get("status") == "False" and found.get("reason") == "FailedPvcNotFound":
        yield _symptom(reasons.FAILED_PVC_NOT_FOUND, instance, message=str(found.get("message") or ""))


def unschedulable(scene: Scene, instance: Object) -> t.Iterator[Symptom]:
    """A launcher pod that no node takes, with the scheduler's own counts.

    It is not hopeless where room comes free or nodes come up. Sources: kubernetes pkg/scheduler/schedule_one.go, and its copy on the
    VMI, kubevirt pkg/virt-controller/watch/vmi/lifecycle.go.
    """
    if condition(instance, "Synchronized").get("reason") == "FailedPvcNotFound":
        return
    pods = [pod for pod in scene.pods_of(instance) if not is_deleting(pod)]
    found = [condition(each, "PodScheduled") for each in (*pods, instance)]
    messages = [str(each.get("message") or "") for each in found if each.get("status") == "False" and each.get("reason") == "Unschedulable"]
    if not messages or any(condition(pod, "PodScheduled").get("status") == "True" for pod in pods):
        return
    room_comes = (
        scene.frees_room
        or bool(_ROOM_COMES.search(messages[0]))
        or any(status(pod).get("nominatedNodeName") for pod in pods)
        or any(event.get("reason") in _NODE_AUTOSCALER for event in scene.events_about(instance))
    )
    yield _symptom(
        reasons.UNSCHEDULABLE,
        instance,
        message=messages[0],
        is_fatal=False if room_comes else None,
        group=quantities_apart(messages[0]),
    )


def _waits(scene: Scene, instance: Object) -> t.Iterator[tuple[str, str, str]]:
    """Container, reason and message of every container of a VMI's pods that waits."""
    for pod in scene.pods_of(instance):
        if is_deleting(pod):
            continue
        for kind in ("initContainerStatuses", "containerStatuses"):
            for container in status(pod).get(kind) or []:
                waiting = (container.get("state") or {}).get("waiting") or {}
                yield str(container.get("name", "")), str(waiting.get("reason") or ""), str(waiting.get("message") or "")


def image_pull(scene: Scene, instance: Object) -> t.Iterator[Symptom]:
    """An image that cannot be pulled: kubernetes pkg/kubelet/images/types.go, kubevirt pkg/virt-controller/watch/vmi/lifecycle.go."""
    found = condition(instance, "Synchronized")
    messages = [message or word for _name, word, message in _waits(scene, instance) if word in _IMAGE_REASONS]
    if found.get("status") == "False" and found.get("reason") in _IMAGE_REASONS:
        messages.append(str(found.get("message") or found.get("reason")))
    if not scene.pods_of(instance) and status(instance).get("phase") == "Scheduling":
        events = [event for event in scene.events_about(instance) if event.get("reason") == "Failed" and is_recent(event, scene.situation)]
        messages += [text.partition(": ")[2] for text in map(text_of, events) if text.startswith("Failed to pull image")]
    told = sorted({_BACK_OFF.sub("", message) for message in messages}, key=lambda message: (-len(message), message))
    if told:
        is_busy = _BUSY_REGISTRY.search(told[0]) and not _UNRESOLVED.search(told[0])
        age = seconds_since(metadata(instance).get("creationTimestamp"), scene.situation.now)
        is_young = age is None or age < BUSY_REGISTRY_SECONDS
        yield _symptom(reasons.IMAGE_PULL, instance, message=told[0], is_fatal=False if is_busy and is_young else None)


def paused(_scene: Scene, instance: Object) -> t.Iterator[Symptom]:
    """A VMI that somebody or something has paused: kubevirt pkg/virt-handler/vm.go (calculatePausedCondition)."""
    found = condition(instance, "Paused")
    if found.get("status") == "True":
        word = str(found.get("reason") or "")
        yield _symptom(_PAUSED.get(word, reasons.PAUSED), instance, message=str(found.get("message") or ""), detail=word)


def node_lost(scene: Scene, instance: Object) -> t.Iterator[Symptom]:
    """A node that is gone: kubernetes pkg/controller/util/node/controller_utils.go, kubevirt pkg/virt-controller/watch/node/node.go."""
    where = str(status(instance).get("nodeName") or "unknown")
    pods = scene.pods_of(instance)
    is_serving = bool(pods) and all(condition(pod, "Ready").get("status") == "True" for pod in pods)
    told = [text_of(event) for event in scene.events_about(instance) if event.get("reason") == "NodeNotReady" and not is_serving]
    told += [str(status(pod).get("message") or "") for pod in pods if status(pod).get("reason") == "NodeLost"]
    if status(instance).get("reason") == "NodeUnresponsive":
        told.append(str(status(instance).get("message") or "NodeUnresponsive"))
    if told:
        yield _symptom(reasons.NODE_LOST, instance, message=max(told), detail=where, group=where)


def launcher_died(scene: Scene, instance: Object) -> t.Iterator[Symptom]:
    """A launcher pod that has failed or is deleted under a VMI that should run: kubevirt pkg/virt-controller/watch/vmi/lifecycle.go."""
    if condition(instance, "Ready").get("reason") == "PodTerminating":
        yield _symptom(reasons.LAUNCHER_DIED, instance, message=str(condition(instance, "Ready").get("message") or ""))
        return
    pods = scene.pods_of(instance)
    if not pods or any(status(pod).get("phase") not in FINAL_PHASES for pod in pods):
        return
    for pod in pods:
        texts = [str(part) for part in (status(pod).get("reason"), status(pod).get("message")) if part]
        for container in status(pod).get("containerStatuses") or []:
            ended = (container.get("state") or {}).get("terminated") or {}
            if ended.get("exitCode"):
                texts.append(f"container {container.get('name')}: {ended.get('reason')}, exit code {ended.get('exitCode')}")
        yield _symptom(reasons.LAUNCHER_DIED, instance, message=", ".join(texts))


def container_waiting(scene: Scene, instance: Object) -> t.Iterator[Symptom]:
    """A container that cannot be created or is started again and again: kubernetes pkg/kubelet/kuberuntime."""
    for name, word, message in _waits(scene, instance):
        if word not in _NORMAL_WAITS and word not in _IMAGE_REASONS:
            yield _symptom(reasons.CONTAINER_WAITING, instance, message=message, detail=f"{name}: {word}")


def not_synchronized(_scene: Scene, instance: Object) -> t.Iterator[Symptom]:
    """Any other trouble that KubeVirt has with a VMI: kubevirt pkg/controller/conditions.go (CheckFailure)."""
    found = condition(instance, "Synchronized")
    if found.get("status") == "False":
        yield _symptom(
            reasons.NOT_SYNCHRONIZED, instance, message=str(found.get("message") or ""), detail=str(found.get("reason") or "").rstrip(".")
        )


def guest_not_running(scene: Scene, instance: Object) -> t.Iterator[Symptom]:
    """A guest whose pod runs and which does not come up: kubevirt pkg/virt-controller/watch/vmi/lifecycle.go (syncReadyCondition...)."""
    age = scene.age_of_phase(instance)
    if status(instance).get("phase") == "Scheduled" and scene.is_slow(age, SLOW_SECONDS):
        message = str(condition(instance, "Ready").get("message") or "")
        yield _symptom(reasons.GUEST_NOT_RUNNING, instance, message=message, seconds=age or 0.0)


def not_ready(scene: Scene, instance: Object) -> t.Iterator[Symptom]:
    """A VMI that runs and whose pod is not ready: the kubelet's condition, copied by kubevirt .../watch/vmi/lifecycle.go."""
    found, age = condition(instance, "Ready"), scene.age_of_phase(instance)
    if status(instance).get("phase") != "Running" or found.get("status") != "False":
        return
    if age is not None and not scene.is_slow(age, UNREADY_SECONDS):
        return
    probes = sorted(text_of(event) for event in scene.events_about(instance) if event.get("reason") == "Unhealthy")
    message = probes[-1] if probes else str(found.get("message") or "")
    yield _symptom(reasons.NOT_READY, instance, message=message, detail=str(found.get("reason") or "no reason given"))


def not_scheduled(scene: Scene, instance: Object) -> t.Iterator[Symptom]:
    """A launcher pod that has no word from any scheduler, not even that no node takes it: kubernetes pkg/scheduler/schedule_one.go."""
    for pod in scene.pods_of(instance):
        age = seconds_since(metadata(pod).get("creationTimestamp"), scene.situation.now)
        is_looked_at = bool(spec(pod).get("nodeName") or condition(pod, "PodScheduled") or is_deleting(pod))
        if not is_looked_at and scene.is_slow(age, SLOW_SECONDS):
            yield _symptom(reasons.NOT_SCHEDULED, instance, seconds=age or 0.0)


def still_starting(scene: Scene, instance: Object) -> t.Iterator[Symptom]:
    """A VMI whose pod takes long to start, for no reason that anybody tells."""
    phase, age = str(status(instance).get("phase") or "Pending"), scene.age_of_phase(instance)
    if phase in ("Pending", "Scheduling") and scene.is_slow(age, SLOW_SECONDS):
        waits = sorted({f"{name}: {word}" for name, word, _message in _waits(scene, instance) if word})
        yield _symptom(reasons.STILL_STARTING, instance, message=", ".join(waits), detail=phase, seconds=age or 0.0, group=phase)
