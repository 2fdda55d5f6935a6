# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it can change at any time.

"""A HorizontalPodAutoscaler as it is: its replicas, whether its controller acts on it, and every reason why it does not work.

The status of an autoscaler has no observed generation (the controller never writes it), so whether the controller has seen what we
asked is read from the content: its conditions hold, its desired number lies within the bounds, and it reports the metrics that the
spec names. Source: kubernetes ``pkg/controller/podautoscaler/horizontal.go``.
"""

from __future__ import annotations

import datetime
import typing as t
from dataclasses import dataclass

from ansible_collections.vmscale.kubevirt.plugins.module_utils import _replicaset
from ansible_collections.vmscale.kubevirt.plugins.module_utils._replicaset import Snapshot
from ansible_collections.vmscale.kubevirt.plugins.module_utils._resources import (
    AUTOSCALERS,
    REPLICA_SETS,
    Object,
    condition,
    metadata,
    moment,
    name_of,
    spec,
    status,
)

# metrics-server scrapes every 15 s by default and may miss one: older figures than this come from something that has stopped.
STALE_METRICS_SECONDS = 120.0


@dataclass(frozen=True)
class Expectations:
    """What the user wants to be true of an autoscaler beyond its working; None means no opinion."""

    target: t.Mapping[str, t.Any] | None = None
    min_replicas: int | None = None
    max_replicas: int | None = None
    current_replicas: int | None = None
    not_limited: bool = False


@dataclass(frozen=True)
class Evidence:
    """Everything that was read to judge an autoscaler.

    ``target`` is the set it scales with its VMIs (None where the target is of another kind), ``pod_metrics`` the PodMetrics of the
    target's pods (None where the metrics API does not answer), ``now`` the API server's own time.
    """

    autoscaler: Object | None
    target: Snapshot | None = None
    pod_metrics: tuple[Object, ...] | None = ()
    now: datetime.datetime | None = None


def replicas(autoscaler: Object | None) -> dict[str, int | None]:
    """min, max, current and desired replicas, as the modules return them; all None where there is no autoscaler."""
    if autoscaler is None:
        return dict.fromkeys(("min", "max", "current", "desired"))
    return {
        "min": spec(autoscaler).get("minReplicas", 1),
        "max": spec(autoscaler).get("maxReplicas"),
        "current": status(autoscaler).get("currentReplicas", 0),
        "desired": status(autoscaler).get("desiredReplicas", 0),
    }


def target_of(autoscaler: Object) -> tuple[str, str]:
    """Kind and name of what it scales."""
    reference = spec(autoscaler).get("scaleTargetRef") or {}
    return str(reference.get("kind", "")), str(reference.get("name", ""))


def scales_replica_set(autoscaler: Object) -> bool:
    """True where the target is a VirtualMachineInstanceReplicaSet."""
    reference = spec(autoscaler).get("scaleTargetRef") or {}
    group = str(reference.get("apiVersion", "")).partition("/")[0]
    return reference.get("kind") == REPLICA_SETS.kind and group == REPLICA_SETS.group


def uses_resource_metrics(wanted_spec: t.Mapping[str, t.Any]) -> bool:
    """True where an autoscaler with this spec asks the metrics API for CPU or memory of pods (also by default)."""
    metrics = wanted_spec.get("metrics")
    return not metrics or any(metric.get("type") in ("Resource", "ContainerResource") for metric in metrics)


def unmet(autoscaler: Object | None) -> list[str]:
    """Why the controller does not (yet) act on the autoscaler; empty once it does."""
    if autoscaler is None:
        return ["it does not exist"]
    reasons = []
    able, active = condition(autoscaler, "AbleToScale"), condition(autoscaler, "ScalingActive")
    if not able:
        return ["its controller has not looked at it yet"]
    if able.get("status") != "True":
        reasons.append(_say("AbleToScale", able))
    if not active:
        reasons.append("its controller has not read its metrics yet")
    elif active.get("status") != "True":
        reasons.append(_say("ScalingActive", active))
    if not reasons:
        reasons.extend(_unmet_spec(autoscaler))
    return reasons


def _unmet_spec(autoscaler: Object) -> list[str]:
    """What the status shows that the spec no longer says: the controller has not seen the last change."""
    numbers, reasons = replicas(autoscaler), []
    least, most, desired = numbers["min"], numbers["max"], numbers["desired"]
    if desired is not None and most is not None and desired > most:
        reasons.append(f"it still wants {desired} replicas, more than the maximum of {most}")
    if desired is not None and least is not None and desired < least:
        reasons.append(f"it still wants {desired} replicas, fewer than the minimum of {least}")
    reported = [_metric_name(metric) for metric in status(autoscaler).get("currentMetrics") or [] if metric.get("type")]
    asked = [_metric_name(metric) for metric in spec(autoscaler).get("metrics") or []]
    missing = [name for name in asked if name not in reported]
    # While it only enforces a bound, the controller reads no metrics at all.
    if missing and not reasons and condition(autoscaler, "ScalingLimited").get("status") != "True":
        reasons.append(f"it does not report {', '.join(missing)} yet")
    return reasons


def _metric_name(metric: t.Mapping[str, t.Any]) -> str:
    kind = str(metric.get("type", ""))
    source = metric.get(kind[:1].lower() + kind[1:]) or {}
    name = source.get("name") or (source.get("metric") or {}).get("name") or ""
    container = f" of container {source['container']}" if source.get("container") else ""
    return f"{kind} {name}{container}"


def _say(kind: str, found: t.Mapping[str, t.Any]) -> str:
    return f"{kind} is {found.get('status')} ({found.get('reason')}: {found.get('message')})"


def verify(evidence: Evidence, expected: Expectations, label: str, asks_metrics: bool = True) -> list[str]:
    """Every reason why the autoscaler does not work or is not what is expected; empty where it works.

    Without ``asks_metrics``, what the metrics API says is left out.
    """
    autoscaler = evidence.autoscaler
    if autoscaler is None:
        return [f"{label} does not exist"]
    reasons = _verify_expectations(autoscaler, expected)
    reasons.extend(unmet(autoscaler))
    reasons.extend(_verify_bounds(autoscaler))
    reasons.extend(_verify_target(autoscaler, evidence))
    if asks_metrics:
        reasons.extend(_verify_metrics(autoscaler, evidence))
    return reasons


def _verify_expectations(autoscaler: Object, expected: Expectations) -> list[str]:
    reasons = []
    if expected.target is not None:
        reference = spec(autoscaler).get("scaleTargetRef") or {}
        wrong = [key for key in ("apiVersion", "kind", "name") if reference.get(key) != expected.target.get(key)]
        if wrong:
            is_, should = (f"{each.get('kind')} {each.get('name')} ({each.get('apiVersion')})" for each in (reference, expected.target))
            reasons.append(f"it scales {is_} and not {should}")
    numbers = replicas(autoscaler)
    for key, wanted, words in (
        ("min", expected.min_replicas, "minReplicas"),
        ("max", expected.max_replicas, "maxReplicas"),
        ("current", expected.current_replicas, "current replicas"),
    ):
        if wanted is not None and numbers[key] != wanted:
            reasons.append(f"{words} is {numbers[key]} and not {wanted}")
    limited = condition(autoscaler, "ScalingLimited")
    # Resting at the minimum is what an idle autoscaler does; being cut off at the maximum, or slowed down, is a limit.
    if expected.not_limited and limited.get("status") == "True" and limited.get("reason") != "TooFewReplicas":
        reasons.append(_say("ScalingLimited", limited))
    return reasons


def _verify_bounds(autoscaler: Object) -> list[str]:
    numbers = replicas(autoscaler)
    current, least, most = numbers["current"] or 0, numbers["min"] or 0, numbers["max"]
    if most is not None and not least <= current <= most and condition(autoscaler, "AbleToScale"):
        return [f"{current} replicas lie outside of its bounds {least} to {most}"]
    return []


def _verify_target(autoscaler: Object, evidence: Evidence) -> list[str]:
    if evidence.target is None:
        return []
    kind, name = target_of(autoscaler)
    if evidence.target.live is None:
        return [f"its target {kind} {name} does not exist"]
    reasons = [f"target {name}: {reason}" for reason in _replicaset.unmet(evidence.target)]
    desired, present = status(autoscaler).get("desiredReplicas"), spec(evidence.target.live).get("replicas")
    if present is None:
        reasons.append(f"target {name} has no spec.replicas, so it cannot be scaled")
    elif desired and desired != present:
        reasons.append(f"it wants {desired} replicas and target {name} is set to {present}")
    return reasons


def _verify_metrics(autoscaler: Object, evidence: Evidence) -> list[str]:
    if not uses_resource_metrics(spec(autoscaler)) or evidence.target is None or evidence.target.live is None:
        return []
    if evidence.pod_metrics is None:
        return ["the metrics API (metrics.k8s.io) does not answer: is metrics-server installed and running?"]
    ready = [instance for instance in evidence.target.instances or () if _replicaset.is_ready(instance)]
    if not ready:
        return []
    if not evidence.pod_metrics:
        return ["the metrics API has no figures for the pods of its target yet"]
    if evidence.now is None:
        return []
    ages = [_age(metrics, evidence.now) for metrics in evidence.pod_metrics]
    stale = [name_of(metrics) for metrics, age in zip(evidence.pod_metrics, ages) if age > STALE_METRICS_SECONDS]
    if stale:
        return [f"the metrics of {len(stale)} pods are older than {STALE_METRICS_SECONDS:.0f} s ({', '.join(sorted(stale)[:5])})"]
    return []


def _age(metrics: Object, now: datetime.datetime) -> float:
    text = str(metrics.get("timestamp") or metadata(metrics).get("creationTimestamp") or "")
    taken = moment(text)
    return 0.0 if taken is None else (now - taken).total_seconds()


def condition_states(autoscaler: Object | None) -> dict[str, str]:
    """The state of each condition, by the autoscaler's kind and name and the condition's type."""
    if autoscaler is None:
        return {}
    return {
        f"{AUTOSCALERS.kind} {name_of(autoscaler)} {each.get('type')}": f"{each.get('status')} {each.get('reason')}"
        for each in status(autoscaler).get("conditions") or []
    }


def progress_line(name: str, autoscaler: Object | None, reasons: t.Sequence[str]) -> str:
    """One line that says how far the autoscaler is: its numbers, and the first of the reasons why it is not there yet."""
    if autoscaler is None:
        return f"{name}: absent"
    numbers = replicas(autoscaler)
    return f"{name}: {numbers['current']} current / {numbers['desired']} desired, {reasons[0] if reasons else 'acting'}"
