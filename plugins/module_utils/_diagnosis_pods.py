# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it can change at any time.

"""What an autoscaler measures: the pods that the selector of its target matches, and their metrics.

Source: kubernetes pkg/controller/podautoscaler/replica_calculator.go (groupPods, calculatePodRequests).
"""

from __future__ import annotations

import typing as t
from fractions import Fraction

from ansible_collections.vmscale.kubevirt.plugins.module_utils import _diagnosis_reasons as reasons
from ansible_collections.vmscale.kubevirt.plugins.module_utils import _quantity
from ansible_collections.vmscale.kubevirt.plugins.module_utils._diagnosis import Symptom
from ansible_collections.vmscale.kubevirt.plugins.module_utils._diagnosis_events import seconds_since
from ansible_collections.vmscale.kubevirt.plugins.module_utils._diagnosis_scene import Scene, owner_uid
from ansible_collections.vmscale.kubevirt.plugins.module_utils._replicaset import is_ready
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

METRICS_SECONDS = 60.0
# A guest that reboots again and again was seen at 200 to 350 % of its request, from its first second on; the request is a tenth of a vCPU.
DEAD_GUEST_LOAD = Fraction(2)
SETTLING_SECONDS = 60.0
BOOT_SECONDS = 180.0
_COMPUTE = "compute"
_NAMED = 5


def containers_of(pod: Object) -> t.Iterator[str]:
    """The names of the containers that run for as long as the pod: also init containers that are restarted."""
    for container in spec(pod).get("containers") or []:
        yield str(container.get("name"))
    for container in spec(pod).get("initContainers") or []:
        if container.get("restartPolicy") == "Always":
            yield str(container.get("name"))


def completed_pods(scene: Scene) -> t.Iterator[Symptom]:
    """Pods that have succeeded: a live migration leaves its source pod behind, and only failed pods are left out."""
    for pod in scene.situation.pods:
        if status(pod).get("phase") == "Succeeded" and not is_deleting(pod):
            yield Symptom(reasons.COMPLETED_PODS, "Pod", name_of(pod))


def foreign_pods(scene: Scene) -> t.Iterator[Symptom]:
    """Pods of anything else than the target's VMIs: nobody asks who owns a pod."""
    if scene.situation.replica_set is None:
        return
    known = {str(metadata(instance).get("uid")) for instance in scene.own}
    for pod in scene.situation.pods:
        if owner_uid(pod) not in known and not is_deleting(pod) and status(pod).get("phase") not in ("Succeeded", "Failed"):
            yield Symptom(reasons.FOREIGN_PODS, "Pod", name_of(pod), group="")


def pod_metrics_missing(scene: Scene) -> t.Iterator[Symptom]:
    """Running pods without metrics: idle when scaling up, at their full request when scaling down."""
    if not scene.situation.pod_metrics:
        return
    measured = set(map(name_of, scene.situation.pod_metrics))
    missing = []
    for pod in scene.situation.pods:
        age = seconds_since(status(pod).get("startTime"), scene.situation.now)
        is_running = status(pod).get("phase") == "Running" and not is_deleting(pod)
        if is_running and name_of(pod) not in measured and (age is None or age >= METRICS_SECONDS):
            missing.append(name_of(pod))
    named = ", ".join(sorted(missing)[:_NAMED]) + (", ..." if len(missing) > _NAMED else "")
    for name in missing:
        yield Symptom(reasons.POD_METRICS_MISSING, "Pod", name, detail=named, group="")


def guest_may_not_have_booted(scene: Scene) -> t.Iterator[Symptom]:
    """Guests that are Ready, tell nothing of themselves, and are all under load since they started.

    Load alone says nothing: a healthy guest without an agent may be busy as well. So it must be every guest that is measured, and the load
    must have begun with the boot: the autoscaler scaled up right after the first one ran, or all of them have just started.
    """
    loads = _loads(scene)
    if not loads or any(load < DEAD_GUEST_LOAD or tells_of_itself(instance) for instance, load, _age in loads):
        return
    if not _began_with_boot(scene, [age for _instance, _load, age in loads]):
        return
    least, most = (float(extreme(load for _instance, load, _age in loads) * 100) for extreme in (min, max))
    detail = f"{least:.0f} % of the CPU request" if len(loads) == 1 else f"{least:.0f} to {most:.0f} % of the CPU request"
    for instance, _load, _age in loads:
        yield Symptom(reasons.GUEST_MAY_NOT_HAVE_BOOTED, INSTANCES.kind, name_of(instance), detail=detail, group="")


def _began_with_boot(scene: Scene, ages: t.Sequence[float]) -> bool:
    scaled = seconds_since(status(scene.situation.autoscaler or {}).get("lastScaleTime"), scene.situation.now)
    has_scaled_at_boot = scaled is not None and 0 <= max(ages) - scaled <= SETTLING_SECONDS
    return has_scaled_at_boot or max(ages) <= BOOT_SECONDS


def tells_of_itself(instance: Object) -> bool:
    """True where the guest's agent has ever answered: kubevirt pkg/virt-handler/vm.go."""
    if condition(instance, "AgentConnected").get("status") == "True" or status(instance).get("guestOSInfo"):
        return True
    return any("guest-agent" in str(each.get("infoSource") or "") for each in status(instance).get("interfaces") or [])


def _loads(scene: Scene) -> list[tuple[Object, Fraction, float]]:
    """Ready VMIs that no longer boot, with the CPU that they use as a part of what they request, and how long they have run."""
    usage = {name_of(metrics): _of_compute(metrics.get("containers"), "usage") for metrics in scene.situation.pod_metrics or ()}
    found = []
    for instance in filter(is_ready, scene.own):
        age = scene.age_of_phase(instance)
        if age is None or age < SETTLING_SECONDS:
            continue
        for pod in scene.pods_of(instance):
            used = usage.get(name_of(pod))
            requested = _of_compute(spec(pod).get("containers"), "resources", "requests")
            if used is not None and requested:
                found.append((instance, used / requested, age))
    return found


def _of_compute(containers: t.Any, *path: str) -> Fraction | None:
    for container in containers or []:
        if container.get("name") == _COMPUTE:
            found = container
            for key in path:
                found = found.get(key) or {}
            return _quantity.parse(found["cpu"]) if "cpu" in found else None
    return None
