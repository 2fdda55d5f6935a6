# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it can change at any time.

"""The text of ``kubectl describe horizontalpodautoscaler``, from the object and its events.

Sources: k8s.io/kubectl pkg/describe/describe.go (v0.36), and for the older format k8s.io/kubernetes
pkg/apis/autoscaling/v1/conversion.go (v1.36). Nothing here reads a clock or the network.
"""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timezone, tzinfo

from ansible_collections.vmscale.kubevirt.plugins.module_utils._describe_v1 import annotations_in_v1, is_cpu
from ansible_collections.vmscale.kubevirt.plugins.module_utils._go_object import (
    annotations_of,
    items_of,
    number_of,
    part_of,
    quantity_of,
    text_of,
    time_of,
)
from ansible_collections.vmscale.kubevirt.plugins.module_utils._go_text import (
    GO_SPACE,
    GO_ZERO_TIME,
    escape_controls,
    go_quoted,
    rfc1123z,
    tabulate,
    time_since,
    utf8,
)
from ansible_collections.vmscale.kubevirt.plugins.module_utils._resources import Object

_SKIPPED_ANNOTATIONS = frozenset({"kubectl.kubernetes.io/last-applied-configuration"})
_MAX_ANNOTATION = 140
_TARGETS = {"value": "(target value):", "averageValue": "(target average value):"}

# What a metric of each type holds its details in.
_METRIC_FIELDS = {
    "External": "external",
    "Pods": "pods",
    "Object": "object",
    "Resource": "resource",
    "ContainerResource": "containerResource",
}


def describe(
    autoscaler: Mapping[str, t.Any],
    events: Sequence[Mapping[str, t.Any]] | None,
    now: datetime,
    zone: tzinfo = timezone.utc,
) -> str:
    """What kubectl v1.36 prints for an autoscaler.

    :param autoscaler: an autoscaling/v2 HorizontalPodAutoscaler as decoded from the API's JSON.
    :param events: its core/v1 Events as decoded from the API's JSON, in any order; None for what
        ``--show-events=false`` prints, which has no events section.
    :param now: the moment the ages in the events table are counted to, with its time zone.
    :param zone: the time zone of the creation timestamp; kubectl takes the local one of its own process.
    :returns: the text, ending in a newline.
    :raises ValueError: a quantity or timestamp cannot be read, a metric lacks the part its type
        announces (kubectl itself crashes on it), or ``now`` has no time zone.

    Source: describeHorizontalPodAutoscalerV2 in kubectl pkg/describe/describe.go.
    """
    _check_now(now)
    spec, status = part_of(autoscaler, "spec"), part_of(autoscaler, "status")
    out = _heading(autoscaler, annotations_of(autoscaler), zone)
    out.append("Metrics:\t( current / target )\n")
    current = items_of(status, "currentMetrics")
    for index, metric in enumerate(items_of(spec, "metrics")):
        out.append(f"  {_metric(metric, current[index] if index < len(current) else {})}\n")
    out.extend(_bounds(spec))
    if spec.get("behavior") is not None:
        out.append("Behavior:\n")
        out.extend(_direction("Scale Up", part_of(spec, "behavior").get("scaleUp")))
        out.extend(_direction("Scale Down", part_of(spec, "behavior").get("scaleDown")))
    out.append(_pods(spec, status))
    conditions = items_of(status, "conditions")
    if conditions:
        out.append("Conditions:\n  Type\tStatus\tReason\tMessage\n  ----\t------\t------\t-------\n")
    for condition in conditions:
        out.append(_row(text_of(condition, key) for key in ("type", "status", "reason", "message")))
    out.extend(_events(events, now))
    return tabulate(escape_controls("".join(out)))


def describe_legacy(
    autoscaler: Mapping[str, t.Any],
    events: Sequence[Mapping[str, t.Any]] | None,
    now: datetime,
    zone: tzinfo = timezone.utc,
) -> str:
    """What kubectl prints for an autoscaler it reads as autoscaling/v1.

    :param autoscaler: the **autoscaling/v2** object, as for :func:`describe`; what v1 has no field for is
        put into annotations as the API server does.
    :param events: as for :func:`describe`.
    :param now: as for :func:`describe`.
    :param zone: as for :func:`describe`.
    :returns: the text, ending in a newline.
    :raises ValueError: as for :func:`describe`.

    Source: describeHorizontalPodAutoscalerV1 in kubectl pkg/describe/describe.go (the same from v0.22 to
    v0.36) and pkg/apis/autoscaling/v1/conversion.go of kubernetes.
    """
    _check_now(now)
    spec, status = part_of(autoscaler, "spec"), part_of(autoscaler, "status")
    out = _heading(autoscaler, annotations_in_v1(autoscaler), zone)
    targets = [part_of(part_of(metric, "resource"), "target") for metric in items_of(spec, "metrics") if is_cpu(metric)]
    utilizations = [found["averageUtilization"] for found in targets if found.get("averageUtilization") is not None]
    if utilizations:
        reports = [part_of(part_of(metric, "resource"), "current") for metric in items_of(status, "currentMetrics") if is_cpu(metric)]
        reported = [found["averageUtilization"] for found in reports if found.get("averageUtilization") is not None]
        # The conversion keeps the first target but the last report.
        out.append(f"Target CPU utilization:\t{utilizations[0]}%\n")
        out.append(f"Current CPU utilization:\t{reported[-1] if reported else '<unknown>'}%\n")
    out.extend(_bounds(spec))
    out.append(_pods(spec, status))
    out.extend(_events(events, now))
    return tabulate(escape_controls("".join(out)))


def _check_now(now: datetime) -> None:
    if now.utcoffset() is None:
        raise ValueError(f"the moment ages are counted to needs a time zone, {now.isoformat()} has none")


# The sections


def _heading(autoscaler: Object, annotations: Mapping[str, str], zone: tzinfo) -> list[str]:
    metadata = part_of(autoscaler, "metadata")
    reference = part_of(part_of(autoscaler, "spec"), "scaleTargetRef")
    labels = [f"{key}={value}\n" for key, value in sorted(part_of(metadata, "labels").items())] or ["<none>\n"]
    return [
        f"Name:\t{text_of(metadata, 'name')}\n",
        f"Namespace:\t{text_of(metadata, 'namespace')}\n",
        "Labels:\t" + "\t".join(labels),
        "Annotations:\t" + "\t".join(_annotation_entries(annotations)),
        f"CreationTimestamp:\t{rfc1123z(time_of(metadata, 'creationTimestamp'), zone)}\n",
        f"Reference:\t{text_of(reference, 'kind')}/{text_of(reference, 'name')}\n",
    ]


def _annotation_entries(annotations: Mapping[str, str]) -> list[str]:
    entries = []
    for key in sorted(set(annotations) - _SKIPPED_ANNOTATIONS):
        value = annotations[key]
        if value.endswith("\n"):
            value = value[:-1]
        if len(utf8(value)) + len(utf8(key)) + 2 <= _MAX_ANNOTATION and "\n" not in value:
            entries.append(f"{key}: {value}\n")
            continue
        lines = "".join(f"\t  {_shorten(line, _MAX_ANNOTATION - 2)}\n" for line in value.split("\n"))
        entries.append(f"{key}:\n{lines}")
    return entries or ["<none>\n"]


def _shorten(text: str, limit: int) -> str:
    # kubectl cuts bytes: half a character may remain, which a terminal shows as U+FFFD.
    raw = utf8(text)
    return text if len(raw) <= limit else raw[:limit].decode("utf-8", "replace") + "..."


def _metric(metric: Object, status: Object) -> str:
    kind = text_of(metric, "type")
    if kind not in _METRIC_FIELDS:
        return f"<unknown metric type {go_quoted(kind)}>"
    field = _METRIC_FIELDS[kind]
    if metric.get(field) is None:
        raise ValueError(f"a metric of type {kind} has no field {field!r}")
    source, reported = part_of(metric, field), status.get(field) is not None
    current, target = part_of(part_of(status, field), "current"), part_of(source, "target")
    if kind == "Resource":
        return _resource_metric(f"resource {text_of(source, 'name')} on pods", target, current, reported)
    if kind == "ContainerResource":
        title = f'resource {text_of(source, "name")} of container "{text_of(source, "container")}" on pods'
        return _resource_metric(title, target, current, reported)
    name = text_of(part_of(source, "metric"), "name")
    if kind == "Pods":
        title, number = f"{go_quoted(name)} on pods:", "averageValue"
    elif kind == "Object":
        described = part_of(source, "describedObject")
        number = "averageValue" if target.get("type") == "AverageValue" else "value"
        title = f'"{name}" on {text_of(described, "kind")}/{text_of(described, "name")} {_TARGETS[number]}'
    else:
        number = "value" if target.get("averageValue") is None else "averageValue"
        title = f"{go_quoted(name)} {_TARGETS[number]}"
        # Only here does kubectl look before it prints a missing average.
        reported = reported and (number == "value" or current.get(number) is not None)
    shown = quantity_of(current, number) if reported else "<unknown>"
    return f"{title}\t{shown} / {quantity_of(target, number)}"


def _resource_metric(title: str, target: Object, current: Object, reported: bool) -> str:
    shown = "<unknown>"
    if target.get("averageValue") is not None:
        if reported:
            shown = quantity_of(current, "averageValue")
        return f"{title}:\t{shown} / {quantity_of(target, 'averageValue')}"
    if current.get("averageUtilization") is not None:
        shown = f"{current['averageUtilization']}% ({quantity_of(current, 'averageValue')})"
    wanted = "<auto>" if target.get("averageUtilization") is None else f"{target['averageUtilization']}%"
    return f"{title}  (as a percentage of request):\t{shown} / {wanted}"


def _bounds(spec: Object) -> list[str]:
    lowest = spec.get("minReplicas")
    return [
        f"Min replicas:\t{'<unset>' if lowest is None else lowest}\n",
        f"Max replicas:\t{number_of(spec, 'maxReplicas')}\n",
    ]


def _direction(title: str, rules: Object | None) -> list[str]:
    if rules is None:
        return []
    out = [f"  {title}:\n"]
    window, select = rules.get("stabilizationWindowSeconds"), rules.get("selectPolicy")
    if window is not None:
        out.append(f"    Stabilization Window: {window} seconds\n")
    policies = items_of(rules, "policies")
    if policies:
        out.append(f"    Select Policy: {'Max' if select is None else select}\n    Policies:\n")
    for policy in policies:
        value, period = number_of(policy, "value"), number_of(policy, "periodSeconds")
        out.append(f"      - Type: {text_of(policy, 'type')}\tValue: {value}\tPeriod: {period} seconds\n")
    return out


def _pods(spec: Object, status: Object) -> str:
    current, desired = number_of(status, "currentReplicas"), number_of(status, "desiredReplicas")
    return f"{text_of(part_of(spec, 'scaleTargetRef'), 'kind')} pods:\t{current} current / {desired} desired\n"


def _events(events: Sequence[Object] | None, now: datetime) -> list[str]:
    if events is None:
        return []
    if not events:
        return ["Events:\t<none>\n"]
    out = ["Events:\n  Type\tReason\tAge\tFrom\tMessage\n  ----\t------\t----\t----\t-------\n"]
    for event in sorted(events, key=lambda each: time_of(each, "lastTimestamp")):
        source = text_of(part_of(event, "source"), "component") or text_of(event, "reportingComponent")
        message = text_of(event, "message").strip(GO_SPACE)
        field = text_of(part_of(event, "involvedObject"), "fieldPath")
        if field:
            message = f"{field}: {message}"
        cells = (text_of(event, "type"), text_of(event, "reason"), _age(event, now), source, message)
        out.append(_row(cells))
    return out


def _row(cells: Iterable[str]) -> str:
    return "  " + "\t".join(cells) + "\n"


def _age(event: Object, now: datetime) -> str:
    first = time_of(event, "eventTime")
    if first == GO_ZERO_TIME:
        first = time_of(event, "firstTimestamp")
    over = time_since(first, now)
    if event.get("series") is not None:
        last, count = time_of(part_of(event, "series"), "lastObservedTime"), number_of(part_of(event, "series"), "count")
    elif number_of(event, "count") > 1:
        last, count = time_of(event, "lastTimestamp"), number_of(event, "count")
    else:
        return over
    return f"{time_since(last, now)} (x{count} over {over})"
