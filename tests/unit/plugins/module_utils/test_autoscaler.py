# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An autoscaler as it is: whether its controller acts on it, and every reason why it does not work."""

from __future__ import annotations

import datetime
import typing as t

import pytest

from ansible_collections.vmscale.kubevirt.plugins.module_utils._autoscaler import (
    Evidence,
    Expectations,
    progress_line,
    replicas,
    scales_replica_set,
    unmet,
    uses_resource_metrics,
    verify,
)
from ansible_collections.vmscale.kubevirt.plugins.module_utils._replicaset import Snapshot
from unit.support.objects import changed, instances, replica_set, snapshot
from unit.support.recorded import Object, real, real_autoscaler, real_snapshot, sandbox, sandbox_snapshot

LABEL = "HorizontalPodAutoscaler default/test-hpa"
NOW = datetime.datetime(2026, 11, 23, 20, 41, 30, tzinfo=datetime.UTC)
ABLE = {"type": "AbleToScale", "status": "True", "reason": "ReadyForNewScale", "message": "recommended size matches current size"}
ACTIVE = {"type": "ScalingActive", "status": "True", "reason": "ValidMetricFound", "message": "the HPA was able to"}
NO_METRICS = {
    "type": "ScalingActive",
    "status": "False",
    "reason": "FailedGetResourceMetric",
    "message": "the HPA was unable to compute the replica count",
}


def launcher_metrics(state: str) -> tuple[Object, ...]:
    """Return the recorded metrics of the pods of VMIs."""
    return tuple(each for each in real(state, "podmetrics") if each["metadata"]["labels"].get("kubevirt.io") == "virt-launcher")


def evidence(state: str, **changes: t.Any) -> Evidence:
    """Return everything that was recorded from a real cluster in one state."""
    parts: dict[str, t.Any] = {
        "autoscaler": real_autoscaler(state),
        "target": real_snapshot(state),
        "pod_metrics": launcher_metrics(state),
        "now": NOW,
    }
    return Evidence(**{**parts, **changes})


def with_status(**status: t.Any) -> Object:
    """Return the recorded autoscaler with something else in its status; None takes a field out."""
    found = real_autoscaler("idle")
    merged = {**found["status"], **status}
    found["status"] = {key: value for key, value in merged.items() if value is not None}
    return found


@pytest.mark.parametrize("state", ["hpa-steady", "scaling", "scaled"])
def test_an_autoscaler_of_the_sandbox_that_works_acts(state: str) -> None:
    assert unmet(sandbox(state, "hpa")) == []


def test_an_autoscaler_that_is_new_does_not_act_yet() -> None:
    assert unmet(None) == ["it does not exist"]
    assert unmet(sandbox("hpa-created", "hpa")) == ["its controller has not looked at it yet"]
    warming_up = unmet(sandbox("hpa-warming-up", "hpa"))
    assert warming_up == [
        "ScalingActive is False (FailedGetResourceMetric: the HPA was unable to compute the replica count: failed to get cpu "
        "utilization: unable to get metrics for resource cpu: no metrics returned from resource metrics API)"
    ]
    assert unmet(with_status(conditions=[ABLE])) == ["its controller has not read its metrics yet"]


@pytest.mark.parametrize(
    ("kind", "reason"),
    [("AbleToScale", "FailedGetScale"), ("ScalingActive", "InvalidSelector"), ("ScalingActive", "ScalingDisabled")],
)
@pytest.mark.parametrize("status", ["False", "Unknown"])
def test_a_condition_that_does_not_hold_is_quoted(kind: str, reason: str, status: str) -> None:
    broken = {"type": kind, "status": status, "reason": reason, "message": "why"}
    others = [each for each in (ABLE, ACTIVE) if each["type"] != kind]
    assert unmet(with_status(conditions=[broken, *others])) == [f"{kind} is {status} ({reason}: why)"]


def test_every_condition_that_does_not_hold_is_quoted() -> None:
    both = [{**ABLE, "status": "False"}, NO_METRICS]
    assert len(unmet(with_status(conditions=both))) == 2


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"maxReplicas": 2, "minReplicas": 1}, "it still wants 3 replicas, more than the maximum of 2"),
        ({"minReplicas": 4}, "it still wants 3 replicas, fewer than the minimum of 4"),
        ({"metrics": [{"type": "Resource", "resource": {"name": "memory"}}]}, "it does not report Resource memory yet"),
        (
            {"metrics": [{"type": "ContainerResource", "containerResource": {"name": "cpu", "container": "compute"}}]},
            "it does not report ContainerResource cpu of container compute yet",
        ),
        ({"metrics": [{"type": "Pods", "pods": {"metric": {"name": "rps"}}}]}, "it does not report Pods rps yet"),
    ],
)
def test_a_status_from_before_the_last_change_is_not_believed(spec: Object, words: str) -> None:
    found = real_autoscaler("idle")
    found["spec"].update(spec)
    assert unmet(found) == [words]


def test_a_metric_that_failed_leaves_an_empty_entry() -> None:
    assert unmet(with_status(currentMetrics=[{"type": ""}])) == ["it does not report Resource cpu yet"]


def test_metrics_are_not_read_while_a_bound_is_enforced() -> None:
    limited = {"type": "ScalingLimited", "status": "True", "reason": "TooFewReplicas", "message": "x"}
    assert unmet(with_status(currentMetrics=None, conditions=[ABLE, ACTIVE, limited])) == []


@pytest.mark.parametrize(
    ("expected", "reason"),
    [
        (Expectations(min_replicas=2), "minReplicas is 3 and not 2"),
        (Expectations(max_replicas=6), "maxReplicas is 5 and not 6"),
        (Expectations(current_replicas=4), "current replicas is 3 and not 4"),
        (Expectations(current_replicas=0), "current replicas is 3 and not 0"),
        (
            Expectations(target={"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstanceReplicaSet", "name": "other"}),
            "it scales VirtualMachineInstanceReplicaSet testreplicaset (kubevirt.io/v1) and not "
            "VirtualMachineInstanceReplicaSet other (kubevirt.io/v1)",
        ),
        (
            Expectations(target={"apiVersion": "apps/v1", "kind": "Deployment", "name": "testreplicaset"}),
            "it scales VirtualMachineInstanceReplicaSet testreplicaset (kubevirt.io/v1) and not Deployment testreplicaset (apps/v1)",
        ),
    ],
)
def test_what_is_not_as_expected_is_said(expected: Expectations, reason: str) -> None:
    assert verify(evidence("idle"), expected, LABEL) == [reason]


@pytest.mark.parametrize(
    ("state", "is_limited"),
    [("idle", False), ("back-to-min", False), ("stabilizing-at-5", False), ("at-max", True)],
)
def test_a_limit_is_a_reason_only_where_that_is_asked_for(state: str, is_limited: bool) -> None:
    only = Evidence(real_autoscaler(state))
    assert verify(only, Expectations(), LABEL) == []
    reasons = verify(only, Expectations(not_limited=True), LABEL)
    limit = "ScalingLimited is True (TooManyReplicas: the desired replica count is more than the maximum replica count)"
    assert reasons == ([limit] if is_limited else [])


def test_every_reason_is_said_at_once() -> None:
    broken = real_autoscaler("at-max")
    broken["spec"]["maxReplicas"] = 4
    broken["status"]["conditions"] = [{**ABLE, "status": "False", "reason": "FailedGetScale"}, NO_METRICS]
    found = Evidence(broken, snapshot(replica_set(None, ready=0, current=1), *instances(1, ready=False)), None, NOW)
    expected = Expectations(min_replicas=2, max_replicas=9, current_replicas=1)
    reasons = verify(found, expected, LABEL)
    for words in (
        "minReplicas is 3 and not 2",
        "maxReplicas is 4 and not 9",
        "current replicas is 5 and not 1",
        "AbleToScale is False (FailedGetScale: ",
        "ScalingActive is False (FailedGetResourceMetric: ",
        "5 replicas lie outside of its bounds 3 to 4",
        "target testreplicaset: 0 of 1 ready",
        "target testreplicaset: VMI web0 is Running",
        "target testreplicaset has no spec.replicas, so it cannot be scaled",
        "the metrics API (metrics.k8s.io) does not answer",
    ):
        assert sum(reason.startswith(words) for reason in reasons) == 1, (words, reasons)
    assert len(reasons) == 10


def test_an_autoscaler_or_target_that_is_missing_is_said() -> None:
    assert verify(Evidence(None), Expectations(min_replicas=3), LABEL) == [f"{LABEL} does not exist"]
    gone = evidence("idle", target=Snapshot(None, ()))
    assert verify(gone, Expectations(), LABEL) == ["its target VirtualMachineInstanceReplicaSet testreplicaset does not exist"]


def test_a_target_that_is_set_to_another_number_is_said() -> None:
    found = evidence("idle", target=snapshot(replica_set(4), *instances(4)))
    assert verify(found, Expectations(), LABEL) == ["it wants 3 replicas and target testreplicaset is set to 4"]


def test_a_target_of_another_kind_is_not_looked_into() -> None:
    foreign = changed(real_autoscaler("idle"), "spec.scaleTargetRef.kind", "Deployment")
    assert not scales_replica_set(foreign)
    assert verify(Evidence(foreign, None, None, NOW), Expectations(), LABEL) == []


@pytest.mark.parametrize(
    ("pod_metrics", "reason"),
    [
        (None, "the metrics API (metrics.k8s.io) does not answer: is metrics-server installed and running?"),
        ((), "the metrics API has no figures for the pods of its target yet"),
    ],
)
def test_missing_metrics_are_said(pod_metrics: t.Any, reason: str) -> None:
    assert verify(evidence("idle", pod_metrics=pod_metrics), Expectations(), LABEL) == [reason]


def test_stale_metrics_are_said() -> None:
    assert verify(evidence("idle"), Expectations(), LABEL) == []
    # The three were taken at 20:40:41, :43 and :45.
    late = evidence("idle", now=datetime.datetime(2026, 11, 23, 20, 42, 44, tzinfo=datetime.UTC))
    assert verify(late, Expectations(), LABEL) == [
        "the metrics of 2 pods are older than 120 s (virt-launcher-testqcn7g-bt297, virt-launcher-testt62h6-hn6tw)"
    ]


def test_metrics_do_not_matter_to_an_autoscaler_that_does_not_use_them() -> None:
    found = evidence("idle", pod_metrics=None)
    assert found.autoscaler is not None
    external = [{"type": "External", "external": {"metric": {"name": "queue"}}}]
    spec = {**found.autoscaler["spec"], "metrics": external}
    status = {**found.autoscaler["status"], "currentMetrics": external}
    other = evidence("idle", pod_metrics=None, autoscaler={**found.autoscaler, "spec": spec, "status": status})
    assert verify(other, Expectations(), LABEL) == []
    assert not uses_resource_metrics(spec)


@pytest.mark.parametrize(
    ("spec", "uses"),
    [
        ({}, True),
        ({"metrics": []}, True),
        ({"metrics": [{"type": "Pods"}]}, False),
        ({"metrics": [{"type": "Pods"}, {"type": "Resource"}]}, True),
        ({"metrics": [{"type": "ContainerResource"}]}, True),
    ],
)
def test_who_needs_the_metrics_api(spec: Object, uses: bool) -> None:
    assert uses_resource_metrics(spec) is uses


def test_replicas_of_an_autoscaler() -> None:
    assert replicas(real_autoscaler("scaling-up-early")) == {"min": 3, "max": 5, "current": 3, "desired": 5}
    assert replicas(sandbox("hpa-created", "hpa")) == {"min": 2, "max": 4, "current": 0, "desired": 0}
    assert replicas({"spec": {"maxReplicas": 4}}) == {"min": 1, "max": 4, "current": 0, "desired": 0}


def test_progress_is_one_line() -> None:
    assert progress_line("web", None, []) == "web: absent"
    assert progress_line("web", real_autoscaler("scaling-up-early"), []) == "web: 3 current / 5 desired, acting"
    created = sandbox("hpa-created", "hpa")
    assert progress_line("web", created, unmet(created)) == "web: 0 current / 0 desired, its controller has not looked at it yet"


def test_the_scaled_sandbox_is_verified() -> None:
    found = Evidence(sandbox("scaled", "hpa"), sandbox_snapshot("scaled"), tuple(sandbox("scaled", "podmetrics")), None)
    assert verify(found, Expectations(current_replicas=4), "x") == []
