# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What keeps an autoscaler from working, told from recorded states."""

from __future__ import annotations

import dataclasses
import re
import typing as t

import pytest

from ansible_collections.vmscale.kubevirt.plugins.module_utils._diagnosis_autoscaler import diagnose_autoscaler
from ansible_collections.vmscale.kubevirt.plugins.module_utils._resources import Object
from ansible_collections.vmscale.kubevirt.plugins.module_utils._situation import Situation
from unit.support.findings import LATER, NEVER, Told, ends, says, told
from unit.support.recorded import sandbox
from unit.support.situations import FAULTS, REAL_STATES, fault, real_situation, the_set, with_condition, without_condition

UNREAD = "the HPA controller was unable to get the target's current scale"
UNCOMPUTED = "the HPA was unable to compute the replica count"
NONE_RETURNED = "failed to get cpu utilization: unable to get metrics for resource cpu: no metrics returned from resource metrics API"
UNFETCHED = (
    f"{UNCOMPUTED}: failed to get cpu utilization: unable to get metrics for resource cpu: "
    "unable to fetch metrics from resource metrics API"
)
MISSING_API = f"{UNFETCHED}: the server could not find the requested resource (get pods.metrics.k8s.io)"
AT_MAX = "it is held at its maximum of 5: the desired replica count is more than the maximum replica count"
AT_MIN = "it is held at its minimum of 3: the desired replica count is less than the minimum replica count"
LEFT = "launcher pod virt-launcher-testt62h6-hn6tw is completed and still counts as a pod at its full request"
HIGHEST = "recent recommendations were higher than current one, applying the highest recent recommendation"

# State: the first finding's reason, whether it ends a wait, and what it says.
FIRST: dict[str, Told] = {
    "autoscaled-paused-set": ("TooManyReplicas", NEVER, AT_MAX),
    "autoscaler-down": ("TooFewReplicas", NEVER, AT_MIN),
    "metrics-down": (
        "MetricsApiDown",
        LATER,
        f"the metrics API is missing or does not answer: {UNFETCHED}: the server is currently unable to handle the request "
        "(get pods.metrics.k8s.io)",
    ),
    "no-metrics": ("NoMetricsYet", NEVER, f"there are no metrics of its pods yet: {UNCOMPUTED}: {NONE_RETURNED}"),
    "no-metrics-api": ("MetricsApiDown", LATER, f"the metrics API is missing or does not answer: {MISSING_API}"),
    "completed-launcher": (
        "CompletedPods",
        NEVER,
        "launcher pod virt-launcher-web-completed is completed and still counts as a pod at its full request",
    ),
    "stabilising": ("Stabilized", NEVER, f"it holds 5 replicas for its stabilization window of 300 s: {HIGHEST}"),
    "custom-metric": (
        "MetricsApiDown",
        LATER,
        f"the custom metrics API is missing or does not answer: {UNCOMPUTED}: unable to get metric requests: "
        "unable to fetch metrics from custom metrics API: no custom metrics API (custom.metrics.k8s.io) registered",
    ),
    "empty-selector-autoscaled": (
        "InvalidSelector",
        LATER,
        "its target has no usable selector: the HPA target's scale is missing a selector",
    ),
    "healthy-autoscaled": ("TooFewReplicas", NEVER, AT_MIN),
    "limited-by-max": ("TooManyReplicas", NEVER, AT_MAX),
    "no-cpu-request": (
        "MissingRequest",
        LATER,
        f"a container has no request to compare with (cpu of container debug in pod debug): {UNCOMPUTED}: "
        "failed to get cpu utilization: missing request for cpu in container debug of Pod debug",
    ),
    "no-scale-replicas": (
        "ReplicasMissing",
        LATER,
        f"its target has no spec.replicas, so it cannot be scaled: {UNREAD}: Internal error occurred: "
        'the spec replicas field ".spec.replicas" does not exist',
    ),
    "no-such-metric": ("ContainerNotFound", LATER, "no pod has the container that it scales by (missing)"),
    "scaled-to-zero": (
        "ScalingDisabled",
        LATER,
        "its target has 0 replicas, which turns it off: scaling is disabled since the replica count of the target is zero",
    ),
    "scaling-out": ("TooManyReplicas", NEVER, AT_MAX),
    "selector-overlap-autoscaled": ("ForeignPods", NEVER, "2 pods match the selector and run no VMI of the target"),
    "selector-overlap-two-autoscalers": (
        "AmbiguousSelector",
        LATER,
        "several autoscalers control the same pods (selector-overlap-two-autoscalers/*, selector-overlap-two-autoscalers/*): "
        "pods by selector app=web are controlled by multiple HPAs: [selector-overlap-two-autoscalers/* *]",
    ),
    "target-missing": (
        "TargetNotFound",
        LATER,
        f'its target does not exist: {UNREAD}: virtualmachineinstancereplicasets.kubevirt.io "web" not found',
    ),
    "two-autoscalers": (
        "AmbiguousSelector",
        LATER,
        "several autoscalers control the same pods (two-autoscalers/web, two-autoscalers/web-rival): pods by selector app=web are "
        "controlled by multiple HPAs: [two-autoscalers/web* two-autoscalers/web*]",
    ),
    "warming-up": ("NoMetricsYet", NEVER, f"there are no metrics of its pods yet: {UNCOMPUTED}: {NONE_RETURNED}"),
}

REAL_FIRST: dict[str, Told] = {
    "at-max": ("TooManyReplicas", NEVER, AT_MAX),
    "back-to-min": ("TooFewReplicas", NEVER, AT_MIN),
    "migrated": ("CompletedPods", NEVER, LEFT),
    "scaling-up-early": ("TooManyReplicas", NEVER, AT_MAX),
    "scaling-up-scheduling": ("TooManyReplicas", NEVER, AT_MAX),
    "stabilizing-at-5": ("Stabilized", NEVER, f"it holds 5 replicas for its stabilization window of 300 s: {HIGHEST}"),
    "stuck-at-4-after-migration": ("CompletedPods", NEVER, LEFT),
}


def words(situation: Situation) -> list[str]:
    """Return the reasons of all findings."""
    return [finding.reason for finding in diagnose_autoscaler(situation)]


def first(situation: Situation) -> tuple[str, str]:
    """Return the first finding's reason, and when it ends a wait."""
    finding = diagnose_autoscaler(situation)[0]
    return finding.reason, ends(finding)


def the_autoscaler(situation: Situation) -> Object:
    """Return the autoscaler of a situation that has one."""
    assert situation.autoscaler
    return situation.autoscaler


def changed(situation: Situation, kind: str, **fields: str) -> Situation:
    """Return a situation in which a condition of the autoscaler says something else."""
    return dataclasses.replace(situation, autoscaler=with_condition(the_autoscaler(situation), kind, **fields))


def respecified(live: Object, **fields: t.Any) -> Object:
    """Return an object with other fields in its spec."""
    return {**live, "spec": {**live["spec"], **fields}}


@pytest.mark.parametrize("state", sorted(FIRST))
def test_the_first_finding_of_a_fault(state: str) -> None:
    found = told(diagnose_autoscaler(fault(state))[0])
    assert says(found, FIRST[state]), found


@pytest.mark.parametrize("state", sorted(REAL_FIRST))
def test_the_first_finding_of_a_real_state(state: str) -> None:
    assert told(diagnose_autoscaler(real_situation(state))[0]) == REAL_FIRST[state]


@pytest.mark.parametrize("state", sorted(set(FAULTS) - set(FIRST)))
def test_where_nothing_is_wrong_nothing_is_found(state: str) -> None:
    assert words(fault(state)) == []


@pytest.mark.parametrize("state", sorted(set(REAL_STATES) - set(REAL_FIRST)))
def test_where_nothing_is_wrong_on_a_real_cluster_nothing_is_found(state: str) -> None:
    assert words(real_situation(state)) == []


@pytest.mark.parametrize("state", ["hpa-created", "hpa-steady", "hpa-warming-up"])
def test_nothing_ends_a_wait_while_an_autoscaler_of_the_sandbox_starts(state: str) -> None:
    situation = Situation("recorded", "web", replica_set=sandbox("ready", "vmirs"), autoscaler=sandbox(state, "hpa"))
    assert not any(finding.fatal for finding in diagnose_autoscaler(situation))


# What the controller said a while ago, against what is there now


def test_a_target_that_has_come_ends_no_wait() -> None:
    situation = fault("target-missing")
    assert first(dataclasses.replace(situation, replica_set=fault("healthy").replica_set)) == ("TargetNotFound", NEVER)


def test_an_autoscaler_that_has_another_target_now_ends_no_wait() -> None:
    situation = fault("target-missing")
    reference = {**the_autoscaler(situation)["spec"]["scaleTargetRef"], "name": "other"}
    moved = respecified(the_autoscaler(situation), scaleTargetRef=reference)
    assert first(dataclasses.replace(situation, autoscaler=moved)) == ("TargetNotFound", NEVER)


def test_replicas_that_have_been_set_end_no_wait() -> None:
    situation = fault("no-scale-replicas")
    assert first(dataclasses.replace(situation, replica_set=respecified(the_set(situation), replicas=3))) == ("ReplicasMissing", NEVER)


@pytest.mark.parametrize(
    ("message", "kind", "expected"),
    [
        ('no matches for kind "Thing" in group "example.com"', "Thing", LATER),
        ('no matches for kind "Other" in group "example.com"', "Thing", NEVER),
        ("the server could not find the requested resource", "Thing", LATER),
        ('no matches for kind "VirtualMachineInstanceReplicaSet" in group "kubevirt.io"', "VirtualMachineInstanceReplicaSet", NEVER),
    ],
)
def test_a_target_without_a_scale(message: str, kind: str, expected: str) -> None:
    situation = changed(fault("target-missing"), "AbleToScale", message=f"{UNREAD}: {message}")
    reference = {**the_autoscaler(situation)["spec"]["scaleTargetRef"], "kind": kind}
    moved = respecified(the_autoscaler(situation), scaleTargetRef=reference)
    assert first(dataclasses.replace(situation, autoscaler=moved)) == ("NoScaleSubresource", expected)


@pytest.mark.parametrize(
    ("reason", "message", "expected"),
    [
        ("FailedUpdateScale", "the HPA controller was unable to update the target scale: forbidden", "FailedUpdateScale"),
        ("FailedGetScale", f"{UNREAD}: etcdserver: request timed out", "FailedGetScale"),
    ],
)
def test_other_trouble_with_the_target_ends_no_wait(reason: str, message: str, expected: str) -> None:
    assert first(changed(fault("target-missing"), "AbleToScale", reason=reason, message=message)) == (expected, NEVER)


def test_two_autoscalers_are_seen_before_their_controller_sees_them() -> None:
    situation = fault("two-autoscalers")
    unseen = dataclasses.replace(situation, autoscaler=without_condition(the_autoscaler(situation), "ScalingActive"))
    assert told(diagnose_autoscaler(unseen)[0]) == (
        "AmbiguousSelector",
        LATER,
        "several autoscalers control the same pods (two-autoscalers/web, two-autoscalers/web-rival)",
    )


@pytest.mark.parametrize("state", ["two-autoscalers", "selector-overlap-two-autoscalers"])
def test_a_second_autoscaler_that_is_gone_ends_no_wait(state: str) -> None:
    situation = fault(state)
    assert first(dataclasses.replace(situation, autoscalers=(the_autoscaler(situation),))) == ("AmbiguousSelector", NEVER)
    assert first(dataclasses.replace(situation, autoscalers=())) == ("AmbiguousSelector", LATER)


def test_a_set_that_has_been_started_again_ends_no_wait() -> None:
    situation = fault("scaled-to-zero")
    assert first(dataclasses.replace(situation, replica_set=respecified(the_set(situation), replicas=3))) == ("ScalingDisabled", NEVER)


def test_a_selector_that_is_not_yet_in_the_status_ends_no_wait() -> None:
    situation = fault("empty-selector-autoscaled")
    chosen = respecified(the_set(situation), selector={"matchLabels": {"app": "web"}})
    assert first(dataclasses.replace(situation, replica_set=chosen)) == ("InvalidSelector", NEVER)


# The metrics API


@pytest.mark.parametrize(
    ("has_asked", "answer", "expected"),
    [(True, None, LATER), (False, None, LATER), (True, (), NEVER)],
)
def test_a_metrics_api_that_is_missing(has_asked: bool, answer: tuple[Object, ...] | None, expected: str) -> None:
    situation = changed(fault("warming-up"), "ScalingActive", message=MISSING_API)
    findings = diagnose_autoscaler(dataclasses.replace(situation, pod_metrics=answer, has_pod_metrics=has_asked))
    assert [told(finding) for finding in findings] == [
        ("MetricsApiDown", expected, f"the metrics API is missing or does not answer: {MISSING_API}")
    ]


def test_a_metrics_api_that_does_not_answer_is_seen_before_the_controller_sees_it() -> None:
    situation = fault("healthy-autoscaled", pod_metrics=None)
    assert first(situation) == ("MetricsApiDown", LATER)
    pods = [{"type": "Pods", "pods": {}}]
    assert words(dataclasses.replace(situation, autoscaler=respecified(the_autoscaler(situation), metrics=pods))) == ["TooFewReplicas"]


def test_a_request_that_is_no_longer_missing_ends_no_wait() -> None:
    situation = fault("no-cpu-request")
    gone = tuple(pod for pod in situation.pods if pod["metadata"]["name"] != "debug")
    assert first(dataclasses.replace(situation, pods=gone)) == ("MissingRequest", NEVER)
    by_container = [{"type": "ContainerResource", "containerResource": {"name": "cpu", "container": "compute"}}]
    moved = respecified(the_autoscaler(situation), metrics=by_container)
    assert first(dataclasses.replace(situation, autoscaler=moved)) == ("MissingRequest", NEVER)


def test_a_pod_of_nobody_is_told() -> None:
    assert words(fault("no-cpu-request")) == ["MissingRequest", "ForeignPods"]


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (f"{UNCOMPUTED}: failed to get cpu utilization: no pods returned by selector while calculating replica count", "NoPods"),
        (f"{UNCOMPUTED}: did not receive metrics for targeted pods (pods might be unready)", "NoMetricsYet"),
        (f"{UNCOMPUTED}: something else", "FailedComputeMetricsReplicas"),
    ],
)
def test_a_metric_that_cannot_be_computed_ends_no_wait(message: str, expected: str) -> None:
    assert first(changed(fault("warming-up"), "ScalingActive", message=message)) == (expected, NEVER)


def test_an_autoscaler_that_nobody_looks_at_is_told() -> None:
    assert words(fault("autoscaler-new", later=10)) == []
    reason, severity, clause = told(diagnose_autoscaler(fault("autoscaler-new", later=60))[0])
    assert (reason, severity) == ("NotObserved", NEVER)
    assert re.fullmatch("its controller has not looked at it for 6[0-2] s", clause)


# Limits


def test_until_when_it_is_stabilised() -> None:
    situation = real_situation("stabilizing-at-5")
    hint = diagnose_autoscaler(situation)[0].hint
    assert hint.startswith("Wait: it scales down once nothing in the last 300 s has asked for more")
    assert hint.endswith("; it last scaled 463 s ago.")
    behavior = {"scaleDown": {"stabilizationWindowSeconds": 20}}
    quick = dataclasses.replace(situation, autoscaler=respecified(the_autoscaler(situation), behavior=behavior))
    assert "the last 20 s" in diagnose_autoscaler(quick)[0].hint


def test_a_policy_that_slows_it_down_is_told() -> None:
    situation = changed(fault("scaling-out"), "ScalingLimited", reason="ScaleUpLimit", message="increasing faster than the maximum")
    assert told(diagnose_autoscaler(situation)[0]) == (
        "ScaleLimit",
        NEVER,
        "its scaling policies slow it down (ScaleUpLimit): increasing faster than the maximum",
    )


def test_a_limit_that_the_controller_no_longer_measures_is_not_told() -> None:
    assert "TooFewReplicas" not in words(fault("no-cpu-request"))


# Pods and guests


def test_pods_without_metrics_are_named() -> None:
    situation = fault("limited-by-max", later=60)
    found = [finding for finding in diagnose_autoscaler(situation) if finding.reason == "PodMetricsMissing"]
    assert [finding.summary.partition(" (")[0] for finding in found] == ["there are no metrics of 2 pods"]
    assert all(pod["metadata"]["name"] in found[0].summary for pod in situation.pods if _is_new(pod))
    assert "PodMetricsMissing" not in words(fault("limited-by-max"))


def _is_new(pod: Object) -> bool:
    return bool(pod["metadata"]["creationTimestamp"] > "2026-11-25T15:44:45Z")


def _loaded(situation: Situation, factor: int) -> Situation:
    """Return a situation in which every guest uses that many times the CPU."""
    measured = []
    for metrics in situation.pod_metrics or ():
        containers = [
            {**each, "usage": {**each["usage"], "cpu": f"{int(each['usage']['cpu'].rstrip('n')) * factor}n"}}
            for each in metrics["containers"]
        ]
        measured.append({**metrics, "containers": containers})
    return dataclasses.replace(situation, pod_metrics=tuple(measured))


def test_guests_that_are_under_load_since_they_started_may_never_have_booted() -> None:
    situation = _loaded(fault("limited-by-max", later=50), 2)
    found = [finding for finding in diagnose_autoscaler(situation) if finding.reason == "GuestMayNotHaveBooted"]
    assert [told(finding) for finding in found] == [
        (
            "GuestMayNotHaveBooted",
            NEVER,
            "the guests of 3 VMIs may never have booted: they are under load since they started (315 to 315 % of the CPU request)",
        )
    ]


def test_guests_that_tell_of_themselves_have_booted() -> None:
    situation = _loaded(fault("limited-by-max", later=50), 2)
    agent = {"type": "AgentConnected", "status": "True"}
    one, *others = situation.instances
    talking = {**one, "status": {**one["status"], "conditions": [*one["status"]["conditions"], agent]}}
    assert "GuestMayNotHaveBooted" not in words(dataclasses.replace(situation, instances=(talking, *others)))


@pytest.mark.parametrize(("later", "factor"), [(50, 1), (5, 2), (2000, 2)])
def test_guests_with_less_load_or_that_boot_or_that_are_busy_later_are_not_suspected(later: int, factor: int) -> None:
    situation = fault("limited-by-max", later=later)
    if later > 1000:
        live = the_autoscaler(situation)
        busy = {**live, "status": {**live["status"], "lastScaleTime": "2026-11-25T16:10:00Z"}}
        situation = dataclasses.replace(situation, autoscaler=busy)
    assert "GuestMayNotHaveBooted" not in words(_loaded(situation, factor))


@pytest.mark.parametrize("state", ["idle", "at-max", "stuck-at-4-after-migration"])
def test_a_healthy_guest_without_an_agent_is_not_suspected(state: str) -> None:
    assert "GuestMayNotHaveBooted" not in words(real_situation(state))


def test_without_an_autoscaler_nothing_is_found() -> None:
    assert words(fault("too-large")) == []


def test_a_completed_pod_is_told_once() -> None:
    assert words(fault("completed-launcher")) == ["CompletedPods"]
