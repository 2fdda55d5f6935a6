# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is wrong with a VMI and its launcher pod, and when that ends a wait."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest

from ansible_collections.vmscale.kubevirt.plugins.module_utils._diagnosis_replica_set import diagnose_replica_set
from unit.support.findings import LATER, NEVER, ends, told, words
from unit.support.situations import (
    fault,
    real_situation,
    with_condition,
    with_instances,
    without_condition,
)


def test_a_vmi_that_cannot_be_scheduled_is_not_hopeless_while_others_leave() -> None:
    situation = fault("too-large")
    leaving = [each for each in fault("scaling-in-stuck").instances if "deletionTimestamp" in each["metadata"]]
    mine = situation.instances[0]["metadata"]["ownerReferences"]
    moved = tuple({**each, "metadata": {**each["metadata"], "ownerReferences": mine}} for each in leaving)
    first = diagnose_replica_set(dataclasses.replace(situation, instances=(*situation.instances, *moved)))[0]
    assert (first.reason, first.fatal) == ("Unschedulable", False)


@pytest.mark.parametrize("reason", ["TriggeredScaleUp", "Nominated"])
def test_a_vmi_that_cannot_be_scheduled_is_not_hopeless_while_nodes_are_made(reason: str) -> None:
    situation = fault("too-large")
    events = tuple({**event, "type": "Normal", "reason": reason} for event in situation.events)
    findings = diagnose_replica_set(dataclasses.replace(situation, events=events))
    assert {(finding.reason, finding.fatal) for finding in findings} == {("Unschedulable", False)}


def test_a_volume_that_is_being_made_ends_no_wait() -> None:
    situation = fault("too-large", pods=())
    message = "0/4 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found"
    situation = with_instances(situation, lambda each: with_condition(each, "PodScheduled", message=message))
    first = diagnose_replica_set(situation)[0]
    assert (first.reason, first.fatal, first.message) == ("Unschedulable", False, message)


def test_the_pod_tells_that_it_cannot_be_scheduled_before_the_vmi_does() -> None:
    situation = fault("too-large")
    situation = with_instances(situation, lambda each: without_condition(each, "PodScheduled"))
    assert words(situation) == ["Unschedulable"]
    assert words(dataclasses.replace(situation, pods=())) == []


@pytest.mark.parametrize(
    ("message", "is_fatal"),
    [
        ("rpc error: code = NotFound desc = x: not found", True),
        ("rpc error: code = Unknown desc = dial tcp 10.0.0.1:443: i/o timeout", False),
        ("rpc error: code = Unknown desc = toomanyrequests: You have reached your pull rate limit", False),
    ],
)
def test_a_busy_registry_ends_no_wait(message: str, is_fatal: bool) -> None:
    situation = fault("image-pull", pods=())
    situation = with_instances(situation, lambda each: with_condition(each, "Synchronized", message=message))
    findings = diagnose_replica_set(situation)
    assert [(finding.reason, finding.fatal, finding.message) for finding in findings] == [("ImagePullFailed", is_fatal, message)]


@pytest.mark.parametrize("reason", ["InvalidImageName", "ErrImageNeverPull", "ImagePullBackOff"])
def test_the_pod_tells_of_images_that_the_vmi_does_not_know_about(reason: str) -> None:
    situation = fault("image-pull")
    situation = with_instances(situation, lambda each: without_condition(each, "Synchronized"))
    pods = tuple(_waiting_for(pod, reason) for pod in situation.pods)
    findings = diagnose_replica_set(dataclasses.replace(situation, pods=pods))
    assert [(finding.reason, finding.fatal) for finding in findings] == [("ImagePullFailed", True)]


def _waiting_for(pod: t.Any, reason: str) -> t.Any:
    status = pod["status"]
    found = {
        kind: [
            {**each, "state": {"waiting": {**each["state"]["waiting"], "reason": reason}}} if "waiting" in each["state"] else each
            for each in status.get(kind) or []
        ]
        for kind in ("initContainerStatuses", "containerStatuses")
    }
    return {**pod, "status": {**status, **found}}


def test_a_container_that_waits_for_anything_else_is_told() -> None:
    situation = fault("image-pull")
    situation = with_instances(situation, lambda each: without_condition(each, "Synchronized"))
    pods = tuple(_waiting_for(pod, "CreateContainerConfigError") for pod in situation.pods)
    first = diagnose_replica_set(dataclasses.replace(situation, pods=pods))[0]
    assert (first.reason, first.fatal) == ("ContainerWaiting", False)
    assert "CreateContainerConfigError" in first.summary


def test_a_quota_ends_no_wait_while_others_leave() -> None:
    situation = fault("quota")
    leaving = [pod for pod in fault("scaling-in-stuck").pods if "deletionTimestamp" in pod["metadata"]]
    first = diagnose_replica_set(dataclasses.replace(situation, pods=(*situation.pods, *leaving)))[0]
    assert (first.reason, first.fatal) == ("QuotaExceeded", False)


@pytest.mark.parametrize(
    ("reason", "expected", "when"),
    [("PausedIOError", "PausedIOError", LATER), ("PausedByMigrationMonitor", "Paused", NEVER)],
)
def test_why_a_vmi_is_paused(reason: str, expected: str, when: str) -> None:
    situation = real_situation("paused")
    situation = with_instances(situation, lambda each: with_condition(each, "Paused", reason=reason))
    first = diagnose_replica_set(situation)[0]
    assert (first.reason, ends(first)) == (expected, when)


def test_a_node_that_is_not_ready_is_told_with_its_name() -> None:
    situation = fault("not-ready", later=20)
    pod = situation.pods[0]
    about = {"kind": "Pod", "name": pod["metadata"]["name"], "uid": pod["metadata"]["uid"]}
    event = {**fault("image-pull").events[0], "involvedObject": about, "reason": "NodeNotReady", "message": "Node is not ready"}
    first = diagnose_replica_set(dataclasses.replace(situation, events=(event,)))[0]
    node, name = pod["spec"]["nodeName"], pod["metadata"]["ownerReferences"][0]["name"]
    assert told(first) == ("NodeLost", NEVER, f"the node of VMI {name} is not ready ({node}): Node is not ready")


def test_a_probe_that_fails_is_told_in_the_words_of_the_kubelet() -> None:
    situation = fault("not-ready", later=20)
    pod = situation.pods[0]
    about = {"kind": "Pod", "name": pod["metadata"]["name"], "uid": pod["metadata"]["uid"]}
    event = {**fault("image-pull").events[0], "involvedObject": about, "reason": "Unhealthy", "message": "Readiness probe failed: refused"}
    findings = diagnose_replica_set(dataclasses.replace(situation, events=(event,)))
    name = pod["metadata"]["ownerReferences"][0]["name"]
    expected = f"VMI {name} runs and is not ready (ContainersNotReady): Readiness probe failed: refused"
    assert expected in [finding.clause for finding in findings]


def test_a_launcher_that_has_died_is_told() -> None:
    situation = fault("not-ready", later=20)
    pods = tuple(
        {**pod, "status": {**pod["status"], "phase": "Failed", "reason": "Evicted", "message": "The node was low on memory"}}
        for pod in situation.pods
    )
    first = diagnose_replica_set(dataclasses.replace(situation, pods=pods))[0]
    assert told(first) == ("LauncherDied", NEVER, "the launcher pods of 3 VMIs have ended: Evicted, The node was low on memory")


def test_a_pod_that_takes_long_to_start_is_told() -> None:
    situation = fault("node-selector", later=60, events=(), pods=())
    situation = with_instances(situation, lambda each: without_condition(each, "PodScheduled"))
    first = diagnose_replica_set(situation)[0]
    assert (first.reason, first.clause) == ("StillStarting", "3 VMIs are Scheduling for up to 61 s")


def test_an_event_about_an_earlier_object_of_the_same_name_is_history() -> None:
    situation = fault("not-ready", later=20)
    pod = situation.pods[0]
    about = {"kind": "Pod", "name": pod["metadata"]["name"], "uid": "another"}
    event = {**fault("image-pull").events[0], "involvedObject": about, "reason": "Unhealthy", "message": "Readiness probe failed: refused"}
    findings = diagnose_replica_set(dataclasses.replace(situation, events=(event,)))
    assert [finding.summary for finding in findings] == ["3 VMIs run and are not ready (ContainersNotReady)"]


def test_a_vmi_for_which_the_scheduler_evicts_something_is_not_hopeless() -> None:
    situation = fault("too-large")
    pods = tuple({**pod, "status": {**pod["status"], "nominatedNodeName": "kwok-node-1"}} for pod in situation.pods)
    findings = diagnose_replica_set(dataclasses.replace(situation, pods=pods))
    assert [(finding.reason, finding.fatal) for finding in findings] == [("Unschedulable", False)]


def test_counts_that_differ_are_one_finding() -> None:
    situation = fault("too-large", pods=())
    one, *others = situation.instances
    other = with_condition(one, "PodScheduled", message="0/5 nodes are available: 5 Insufficient memory.")
    same = [with_condition(each, "PodScheduled", message="0/4 nodes are available: 4 Insufficient memory.") for each in others]
    findings = diagnose_replica_set(dataclasses.replace(situation, instances=(other, *same)))
    assert [finding.summary for finding in findings] == ["3 VMIs cannot be scheduled"]
