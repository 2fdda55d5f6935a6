# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it can change at any time.

"""The wanted HorizontalPodAutoscaler, from the options of the module ``hpa``.

Whatever form the user writes, the object is read and written as ``autoscaling/v2``. The rules of the conversion are those of the API
server (``pkg/apis/autoscaling/v1/conversion.go``), the rules of validity those of ``pkg/apis/autoscaling/validation``.
"""

from __future__ import annotations

import typing as t

from ansible_collections.vmscale.kubevirt.plugins.module_utils._errors import OptionError
from ansible_collections.vmscale.kubevirt.plugins.module_utils._manifest import (
    Choice,
    Wanted,
    check_count,
    check_texts,
    complete,
    complete_map,
    identify,
    read_manifest,
)
from ansible_collections.vmscale.kubevirt.plugins.module_utils._resources import AUTOSCALERS, REPLICA_SETS

# The options that describe one autoscaler.
ONE_AUTOSCALER = ("name", "target", "min_replicas", "max_replicas", "target_cpu_utilization", "metrics", "behavior")
API_VERSIONS = ("autoscaling/v1", "autoscaling/v2")
_V1_ANNOTATIONS = ("autoscaling.alpha.kubernetes.io/metrics", "autoscaling.alpha.kubernetes.io/behavior")
_V1_STATUS_ANNOTATIONS = ("autoscaling.alpha.kubernetes.io/conditions", "autoscaling.alpha.kubernetes.io/current-metrics")


def wanted_autoscaler(params: t.Mapping[str, t.Any], manifest: t.Any, source: str, fallback_namespace: str) -> Wanted:
    """The wanted autoscaler in ``autoscaling/v2``. It is complete where a target is given. Raises ``OptionError``."""
    body: dict[str, t.Any] = {"metadata": {}, "spec": {}}
    if manifest is not None:
        body = _as_v2(read_manifest(manifest, source, AUTOSCALERS, API_VERSIONS), source)
    body.setdefault("spec", {})
    namespace, name = identify(body, source, params.get("name"), params.get("namespace"), fallback_namespace)
    complete(
        body,
        source,
        [
            Choice("target", ("spec", "scaleTargetRef"), target_reference(params.get("target"))),
            Choice("min_replicas", ("spec", "minReplicas"), params.get("min_replicas")),
            Choice("max_replicas", ("spec", "maxReplicas"), params.get("max_replicas")),
            Choice("metrics", ("spec", "metrics"), params.get("metrics")),
            Choice("target_cpu_utilization", ("spec", "metrics"), _cpu_metrics(params.get("target_cpu_utilization"))),
            Choice("behavior", ("spec", "behavior"), params.get("behavior")),
        ],
    )
    for option in ("labels", "annotations"):
        complete_map(body, source, option, params.get(option))
    body["apiVersion"], body["kind"] = AUTOSCALERS.api_version, AUTOSCALERS.kind
    is_complete = "scaleTargetRef" in body["spec"]
    if params.get("state") != "absent":
        _check(body, is_complete)
    return Wanted(AUTOSCALERS, namespace, name, body, is_complete)


def target_reference(target: t.Mapping[str, t.Any] | None) -> dict[str, t.Any] | None:
    """``spec.scaleTargetRef`` from the option ``target``."""
    if target is None:
        return None
    return {
        "apiVersion": target.get("api_version") or REPLICA_SETS.api_version,
        "kind": target.get("kind") or REPLICA_SETS.kind,
        "name": target.get("name"),
    }


def check_bounds(least: int | None, most: int | None) -> None:
    """Both bounds are possible, and in order. ``least`` None means the API server's default of 1."""
    check_count(least, "min_replicas", "spec.minReplicas", 0)
    check_count(most, "max_replicas", "spec.maxReplicas", 1)
    if most is not None and (1 if least is None else least) > most:
        raise OptionError(f'"min_replicas" ({1 if least is None else least}) is above "max_replicas" ({most}): it must not be greater.')


def _check(body: t.Mapping[str, t.Any], is_complete: bool) -> None:
    spec = body["spec"]
    check_texts(body, ("metadata", "labels"), ("metadata", "annotations"))
    if not is_complete:
        if "minReplicas" in spec and "maxReplicas" in spec:
            check_bounds(spec["minReplicas"], spec["maxReplicas"])
        else:
            check_count(spec.get("minReplicas"), "min_replicas", "spec.minReplicas", 0)
            check_count(spec.get("maxReplicas"), "max_replicas", "spec.maxReplicas", 1)
        return
    target = spec["scaleTargetRef"]
    if not isinstance(target, t.Mapping) or not target.get("kind") or not target.get("name"):
        raise OptionError('"target" (spec.scaleTargetRef) must have a kind and a name.')
    if "maxReplicas" not in spec:
        raise OptionError('"max_replicas" (spec.maxReplicas) is missing: an autoscaler must know how far it may go.')
    check_bounds(spec.get("minReplicas"), spec["maxReplicas"])
    if not isinstance(spec.get("metrics", []), list):
        raise OptionError('"metrics" (spec.metrics) must be a list.')


def _cpu_metrics(utilization: t.Any) -> list[dict[str, t.Any]] | None:
    if utilization is None:
        return None
    check_count(utilization, "target_cpu_utilization", "targetCPUUtilizationPercentage", 1)
    target = {"type": "Utilization", "averageUtilization": utilization}
    return [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]


def _as_v2(body: dict[str, t.Any], source: str) -> dict[str, t.Any]:
    if body["apiVersion"] == API_VERSIONS[1]:
        return body
    check_texts(body, ("metadata", "annotations"))
    annotations = dict(body["metadata"].get("annotations") or {})
    for key in _V1_ANNOTATIONS:
        if key in annotations:
            raise OptionError(f'{source} carries the annotation "{key}": write the autoscaler as autoscaling/v2 instead.')
    for key in _V1_STATUS_ANNOTATIONS:
        if annotations.pop(key, None) is not None:
            body["metadata"]["annotations"] = annotations
    spec = dict(body.get("spec") or {})
    metrics = _cpu_metrics(spec.pop("targetCPUUtilizationPercentage", None))
    unknown = sorted(set(spec) - {"scaleTargetRef", "minReplicas", "maxReplicas"})
    if unknown:
        raise OptionError(f"spec of {source} has {', '.join(unknown)}, which autoscaling/v1 does not know: write autoscaling/v2.")
    if metrics:
        spec["metrics"] = metrics
    body["spec"] = spec
    return body
