# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it can change at any time.

"""What keeps an autoscaler from working: what its controller says, checked against what is there now.

Its conditions are as old as its controller's last look, 15 seconds by default. So where what they say can be seen from the objects
themselves, the objects decide whether it still holds. Source of all conditions: kubernetes
pkg/controller/podautoscaler/horizontal.go and replica_calculator.go.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.vmscale.kubevirt.plugins.module_utils import _diagnosis_reasons as reasons
from ansible_collections.vmscale.kubevirt.plugins.module_utils._autoscaler import (
    replicas,
    scales_replica_set,
    target_of,
    uses_resource_metrics,
)
from ansible_collections.vmscale.kubevirt.plugins.module_utils._diagnosis import Finding, Symptom, conclude
from ansible_collections.vmscale.kubevirt.plugins.module_utils._diagnosis_events import seconds_since
from ansible_collections.vmscale.kubevirt.plugins.module_utils._diagnosis_pods import (
    completed_pods,
    containers_of,
    foreign_pods,
    guest_may_not_have_booted,
    pod_metrics_missing,
)
from ansible_collections.vmscale.kubevirt.plugins.module_utils._diagnosis_reasons import Reason
from ansible_collections.vmscale.kubevirt.plugins.module_utils._diagnosis_scene import Scene
from ansible_collections.vmscale.kubevirt.plugins.module_utils._resources import (
    AUTOSCALERS,
    Object,
    condition,
    metadata,
    name_of,
    spec,
    status,
)
from ansible_collections.vmscale.kubevirt.plugins.module_utils._situation import Situation

# Twice the usual time between two looks of the controller.
NOT_OBSERVED_SECONDS = 30.0
_DEFAULT_WINDOWS = {"scaleUp": 0, "scaleDown": 300}
_MISSING_REQUEST = re.compile(r"missing request for (\S+) in container (\S+) of Pod (\S+)")
_NO_CONTAINER = re.compile(r"container (\S+) not found in Pod (\S+)")
_OTHERS = re.compile(r"controlled by multiple HPAs: \[([^\]]*)\]")
_API_MISSING = re.compile(r"unable to fetch metrics from (\w+) metrics API: ")
_NO_METRICS = re.compile(r"no metrics returned from|did not receive metrics for targeted pods")
_NO_PODS = "no pods returned by selector"


def diagnose_autoscaler(situation: Situation) -> tuple[Finding, ...]:
    """Findings about the autoscaler and what it measures, the most telling first."""
    live = situation.autoscaler
    if live is None:
        return ()
    scene = Scene(situation)
    rules = (not_observed, target, ambiguous_selector, metrics_api_down, container_not_found, metrics, limited, stabilized)
    symptoms = [symptom for rule in rules for symptom in rule(scene, live)]
    for measured in (completed_pods, foreign_pods, pod_metrics_missing, guest_may_not_have_booted):
        symptoms.extend(measured(scene))
    return conclude(symptoms, situation)


def _symptom(reason: Reason, live: Object, **what: t.Any) -> Symptom:
    return Symptom(reason, AUTOSCALERS.kind, name_of(live), group=what.pop("group", ""), **what)


def _is_false(found: t.Mapping[str, t.Any]) -> bool:
    return found.get("status") == "False"


def _words(found: t.Mapping[str, t.Any]) -> tuple[str, str]:
    return str(found.get("reason") or ""), str(found.get("message") or "")


def not_observed(scene: Scene, live: Object) -> t.Iterator[Symptom]:
    """No condition at all: the controller has not looked at it since it was created."""
    age = seconds_since(metadata(live).get("creationTimestamp"), scene.situation.now)
    if not status(live).get("conditions") and age is not None and age >= NOT_OBSERVED_SECONDS:
        yield _symptom(reasons.NOT_OBSERVED, live, seconds=age)


def target(scene: Scene, live: Object) -> t.Iterator[Symptom]:
    """AbleToScale is False (reconcileAutoscaler): the target, its scale subresource or its replicas are not there."""
    found = condition(live, "AbleToScale")
    if not _is_false(found):
        return
    word, message = _words(found)
    replica_set = _target_set(scene, live)
    if word == "FailedUpdateScale":
        yield _symptom(reasons.FAILED_UPDATE_SCALE, live, message=message)
    elif 'replicas field ".spec.replicas" does not exist' in message:
        is_set = replica_set is not None and spec(replica_set).get("replicas") is not None
        yield _symptom(reasons.REPLICAS_MISSING, live, message=message, is_fatal=False if is_set else None)
    elif "no matches for kind" in message or "could not find the requested resource" in message:
        yield _symptom(reasons.NO_SCALE, live, message=message, is_fatal=None if _can_never_scale(live, message) else False)
    elif "not found" in message:
        is_old = replica_set is not None or f'"{target_of(live)[1]}"' not in message
        yield _symptom(reasons.TARGET_NOT_FOUND, live, message=message, is_fatal=False if is_old else None)
    else:
        yield _symptom(reasons.FAILED_GET_SCALE, live, message=message)


def _target_set(scene: Scene, live: Object) -> Object | None:
    """The replica set, where it is the target."""
    found = scene.situation.replica_set
    return found if found is not None and scales_replica_set(live) and target_of(live)[1] == name_of(found) else None


def _can_never_scale(live: Object, message: str) -> bool:
    """False where the target is a replica set, which can be scaled once it is known, and where the message is about an earlier target."""
    kinds = re.findall(r'no matches for kind "([^"]*)"', message)
    return not scales_replica_set(live) and (not kinds or target_of(live)[0] in kinds)


def ambiguous_selector(scene: Scene, live: Object) -> t.Iterator[Symptom]:
    """Pods that several autoscalers select (validateAndParseSelector), or a target that several name."""
    word, message = _words(condition(live, "ScalingActive"))
    known = {f"{scene.situation.namespace}/{name_of(each)}" for each in scene.situation.autoscalers}
    own = f"{scene.situation.namespace}/{name_of(live)}"
    rivals = {
        f"{scene.situation.namespace}/{name_of(each)}"
        for each in scene.situation.autoscalers
        if name_of(each) != name_of(live) and _target_key(each) == _target_key(live)
    }
    if word == "AmbiguousSelector":
        named = _OTHERS.search(message)
        rivals |= {name for name in (named.group(1).split() if named else []) if name != own and (not known or name in known)}
    else:
        message = ""
    if rivals or word == "AmbiguousSelector":
        detail = ", ".join(sorted({own, *rivals}))
        yield _symptom(reasons.AMBIGUOUS_SELECTOR, live, message=message, detail=detail, is_fatal=None if rivals else False)


def _target_key(live: Object) -> tuple[str, str, str]:
    reference = spec(live).get("scaleTargetRef") or {}
    return (str(reference.get("apiVersion", "")).partition("/")[0], *target_of(live))


def metrics_api_down(scene: Scene, live: Object) -> t.Iterator[Symptom]:
    """A metrics API that is missing or does not answer (metrics/client.go); metrics-server's was asked by ourselves as well."""
    situation = scene.situation
    message = _words(condition(live, "ScalingActive"))[1]
    named = _API_MISSING.search(message) if _is_false(condition(live, "ScalingActive")) else None
    is_resource = named is not None and named.group(1) == "resource"
    if named is not None:
        is_back = is_resource and situation.has_pod_metrics and situation.pod_metrics is not None
        detail = "metrics" if is_resource else f"{named.group(1)} metrics"
        yield _symptom(reasons.METRICS_API_DOWN, live, message=message, detail=detail, is_fatal=False if is_back else None, group=detail)
    if not is_resource and situation.has_pod_metrics and situation.pod_metrics is None and uses_resource_metrics(spec(live)):
        yield _symptom(reasons.METRICS_API_DOWN, live, detail="metrics", group="metrics")


def container_not_found(scene: Scene, live: Object) -> t.Iterator[Symptom]:
    """A ContainerResource metric of a container that no pod has: its controller says so only sometimes."""
    present = {name for pod in scene.situation.pods for name in containers_of(pod)}
    for metric in spec(live).get("metrics") or []:
        name = (metric.get("containerResource") or {}).get("container")
        if name and present and name not in present:
            said = _NO_CONTAINER.search(_words(condition(live, "ScalingActive"))[1])
            message = said.string if said else ""
            yield _symptom(reasons.CONTAINER_NOT_FOUND, live, message=message, detail=str(name), group=str(name))


def metrics(scene: Scene, live: Object) -> t.Iterator[Symptom]:
    """ScalingActive is False (computeReplicasForMetrics): no usable selector, nothing to measure, or nothing to compare it with."""
    found = condition(live, "ScalingActive")
    word, message = _words(found)
    if not _is_false(found) or word == "AmbiguousSelector" or _API_MISSING.search(message):
        return
    replica_set = _target_set(scene, live)
    if word == "ScalingDisabled":
        is_on = replica_set is not None and spec(replica_set).get("replicas") != 0
        yield _symptom(reasons.SCALING_DISABLED, live, message=message, is_fatal=False if is_on else None)
    elif word == "InvalidSelector":
        # virt-controller writes status.labelSelector with its first look at the set.
        is_coming = replica_set is not None and bool(spec(replica_set).get("selector")) and "couldn't convert" not in message
        yield _symptom(reasons.INVALID_SELECTOR, live, message=message, is_fatal=False if is_coming else None)
    elif _MISSING_REQUEST.search(message):
        yield from _missing_request(scene, live, message)
    elif _NO_PODS in message:
        yield _symptom(reasons.NO_PODS, live, message=message)
    elif _NO_METRICS.search(message) and not list(container_not_found(scene, live)):
        yield _symptom(reasons.NO_METRICS_YET, live, message=message)
    elif not list(container_not_found(scene, live)):
        yield _symptom(reasons.FAILED_METRIC, live, message=message)


def _missing_request(scene: Scene, live: Object, message: str) -> t.Iterator[Symptom]:
    resource, container, pod = t.cast("re.Match[str]", _MISSING_REQUEST.search(message)).groups()
    is_asked = any((metric.get("resource") or {}).get("name") == resource for metric in spec(live).get("metrics") or [])
    is_there = not scene.situation.pods or pod in map(name_of, scene.situation.pods)
    yield _symptom(
        reasons.MISSING_REQUEST,
        live,
        message=message,
        detail=f"{resource} of container {container} in pod {pod}",
        is_fatal=None if is_asked and is_there else False,
    )


def limited(_scene: Scene, live: Object) -> t.Iterator[Symptom]:
    """ScalingLimited is True (normalizeDesiredReplicas): the bounds, or a policy of its behavior."""
    found = condition(live, "ScalingLimited")
    if found.get("status") != "True" or condition(live, "ScalingActive").get("status") != "True":
        return
    word, message = _words(found)
    bounds = replicas(live)
    if word == "TooManyReplicas":
        yield _symptom(reasons.TOO_MANY_REPLICAS, live, message=message, detail=str(bounds["max"]))
    elif word == "TooFewReplicas":
        yield _symptom(reasons.TOO_FEW_REPLICAS, live, message=message, detail=str(bounds["min"]))
    else:
        yield _symptom(reasons.SCALE_LIMIT, live, message=message, detail=word)


def stabilized(scene: Scene, live: Object) -> t.Iterator[Symptom]:
    """Older recommendations still count (stabilizeRecommendation). Its controller does not tell since when, so only the window is known."""
    word, message = _words(condition(live, "AbleToScale"))
    direction = {"ScaleDownStabilized": "scaleDown", "ScaleUpStabilized": "scaleUp"}.get(word)
    numbers = replicas(live)
    # At its bound it says so as well, and there is nothing to wait for.
    if direction is None or numbers["current"] == numbers["min" if direction == "scaleDown" else "max"]:
        return
    rules = (spec(live).get("behavior") or {}).get(direction) or {}
    given = rules.get("stabilizationWindowSeconds")
    window = _DEFAULT_WINDOWS[direction] if given is None else int(given)
    way, asked = ("down", "more") if direction == "scaleDown" else ("up", "less")
    hint = f"Wait: it scales {way} once nothing in the last {window} s has asked for {asked}, that is {window} s after the load changed"
    if given is None and direction == "scaleDown":
        hint += " (300 s is the usual default, and the cluster may have another)"
    last = seconds_since(status(live).get("lastScaleTime"), scene.situation.now)
    if last is not None:
        hint += f"; it last scaled {last:.0f} s ago"
    yield _symptom(reasons.STABILIZED, live, message=message, seconds=float(window), detail=str(numbers["current"]), hint=f"{hint}.")
