# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it can change at any time.

"""An autoscaler as autoscaling/v1 shows it: what v1 has no field for is written into annotations.

Source: k8s.io/kubernetes pkg/apis/autoscaling/v1/conversion.go (v1.36).
"""

from __future__ import annotations

import typing as t
from datetime import timezone

from ansible_collections.vmscale.kubevirt.plugins.module_utils._go_object import (
    annotations_of,
    items_of,
    number_of,
    part_of,
    quantity_of,
    text_of,
    time_of,
)
from ansible_collections.vmscale.kubevirt.plugins.module_utils._go_text import GO_ZERO_TIME, go_json
from ansible_collections.vmscale.kubevirt.plugins.module_utils._quantity import canonical
from ansible_collections.vmscale.kubevirt.plugins.module_utils._resources import Object

_ROUND_TRIP = "autoscaling.alpha.kubernetes.io/"
_ROUND_TRIP_ANNOTATIONS = frozenset(
    _ROUND_TRIP + name
    for name in (
        "metrics",
        "behavior",
        "current-metrics",
        "conditions",
        "scale-down-tolerance",
        "scale-up-tolerance",
    )
)


def is_cpu(metric: Object) -> bool:
    """True for the one metric that v1 has fields for."""
    return metric.get("type") == "Resource" and part_of(metric, "resource").get("name") == "cpu"


def annotations_in_v1(autoscaler: Object) -> dict[str, str]:
    """The annotations of an autoscaling/v2 object when it is read as autoscaling/v1."""
    spec, status = part_of(autoscaler, "spec"), part_of(autoscaler, "status")
    found = {key: value for key, value in annotations_of(autoscaler).items() if key not in _ROUND_TRIP_ANNOTATIONS}
    others = [
        _v1_metric(metric, "target")
        for metric in items_of(spec, "metrics")
        if not is_cpu(metric) or part_of(part_of(metric, "resource"), "target").get("averageUtilization") is None
    ]
    reports = [_v1_metric(metric, "current") for metric in items_of(status, "currentMetrics")]
    conditions = [_v1_condition(condition) for condition in items_of(status, "conditions")]
    for name, entries in (("metrics", others), ("current-metrics", reports), ("conditions", conditions)):
        if entries:
            found[_ROUND_TRIP + name] = go_json(entries)
    if spec.get("behavior") is not None:
        behavior = part_of(spec, "behavior")
        # The server writes its internal type here, whose fields have no JSON names: capitals and nulls.
        internal = {
            "ScaleUp": _internal_rules(behavior.get("scaleUp")),
            "ScaleDown": _internal_rules(behavior.get("scaleDown")),
        }
        found[_ROUND_TRIP + "behavior"] = go_json(internal)
    return found


def _v1_metric(metric: Object, side: str) -> dict[str, t.Any]:
    """A metric spec (side "target") or status (side "current") as autoscaling/v1 spells it, in its field order."""
    kind = text_of(metric, "type")
    out: dict[str, t.Any] = {"type": kind}
    for field in ("object", "pods", "resource", "containerResource", "external"):
        if metric.get(field) is not None:
            source = part_of(metric, field)
            out[field] = _V1_SOURCES[field](source, part_of(source, side), side)
    return out


def _v1_object(source: Object, numbers: Object, side: str) -> dict[str, t.Any]:
    described, metric = part_of(source, "describedObject"), part_of(source, "metric")
    target = {"kind": text_of(described, "kind"), "name": text_of(described, "name")}
    if text_of(described, "apiVersion"):
        target["apiVersion"] = text_of(described, "apiVersion")
    return {
        "target": target,
        "metricName": text_of(metric, "name"),
        side + "Value": quantity_of(numbers, "value", "0"),
        **_v1_selector(metric, "selector"),
        **_v1_optional(numbers, "averageValue", "averageValue"),
    }


def _v1_pods(source: Object, numbers: Object, side: str) -> dict[str, t.Any]:
    metric = part_of(source, "metric")
    return {
        "metricName": text_of(metric, "name"),
        side + "AverageValue": quantity_of(numbers, "averageValue", "0"),
        **_v1_selector(metric, "selector"),
    }


def _v1_resource(source: Object, numbers: Object, side: str) -> dict[str, t.Any]:
    out: dict[str, t.Any] = {"name": text_of(source, "name")}
    if numbers.get("averageUtilization") is not None:
        out[side + "AverageUtilization"] = numbers["averageUtilization"]
    if side == "current":
        out["currentAverageValue"] = quantity_of(numbers, "averageValue", "0")
    else:
        out.update(_v1_optional(numbers, "averageValue", "targetAverageValue"))
    return out


def _v1_container_resource(source: Object, numbers: Object, side: str) -> dict[str, t.Any]:
    return {**_v1_resource(source, numbers, side), "container": text_of(source, "container")}


def _v1_external(source: Object, numbers: Object, side: str) -> dict[str, t.Any]:
    metric = part_of(source, "metric")
    out = {"metricName": text_of(metric, "name"), **_v1_selector(metric, "metricSelector")}
    if side == "current":
        out["currentValue"] = quantity_of(numbers, "value", "0")
    else:
        out.update(_v1_optional(numbers, "value", "targetValue"))
    return {**out, **_v1_optional(numbers, "averageValue", side + "AverageValue")}


_V1_SOURCES = {
    "object": _v1_object,
    "pods": _v1_pods,
    "resource": _v1_resource,
    "containerResource": _v1_container_resource,
    "external": _v1_external,
}


def _v1_optional(numbers: Object, field: str, name: str) -> dict[str, str]:
    return {} if numbers.get(field) is None else {name: quantity_of(numbers, field)}


def _v1_selector(metric: Object, name: str) -> dict[str, t.Any]:
    if metric.get("selector") is None:
        return {}
    selector = part_of(metric, "selector")
    out: dict[str, t.Any] = {}
    if selector.get("matchLabels"):
        out["matchLabels"] = dict(sorted(selector["matchLabels"].items()))
    if selector.get("matchExpressions"):
        out["matchExpressions"] = [
            {
                "key": text_of(expression, "key"),
                "operator": text_of(expression, "operator"),
                **({"values": list(expression["values"])} if expression.get("values") else {}),
            }
            for expression in selector["matchExpressions"]
        ]
    return {name: out}


def _v1_condition(condition: Object) -> dict[str, t.Any]:
    changed = time_of(condition, "lastTransitionTime")
    out: dict[str, t.Any] = {
        "type": text_of(condition, "type"),
        "status": text_of(condition, "status"),
        "lastTransitionTime": None,
    }
    if changed != GO_ZERO_TIME:
        out["lastTransitionTime"] = changed.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    for key in ("reason", "message"):
        if text_of(condition, key):
            out[key] = text_of(condition, key)
    return out


def _internal_rules(rules: Object | None) -> dict[str, t.Any] | None:
    if rules is None:
        return None
    policies = rules.get("policies")
    if policies is not None:
        policies = [
            {
                "Type": text_of(policy, "type"),
                "Value": number_of(policy, "value"),
                "PeriodSeconds": number_of(policy, "periodSeconds"),
            }
            for policy in policies
        ]
    tolerance = rules.get("tolerance")
    return {
        "StabilizationWindowSeconds": rules.get("stabilizationWindowSeconds"),
        "SelectPolicy": rules.get("selectPolicy"),
        "Policies": policies,
        "Tolerance": None if tolerance is None else canonical(tolerance),
    }
