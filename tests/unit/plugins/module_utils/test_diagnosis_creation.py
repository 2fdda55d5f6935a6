# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Why VMIs and launcher pods are not created, told from what was recorded and from what else is said there."""

from __future__ import annotations

import dataclasses

import pytest

from ansible_collections.vmscale.kubevirt.plugins.module_utils._diagnosis_replica_set import diagnose_replica_set
from unit.support.findings import LATER, NEVER, NOW, ends, words
from unit.support.situations import (
    fault,
    lapsed,
    real_situation,
    the_set,
    with_condition,
    with_instances,
    without_condition,
)

CREATIONS = [
    ('virtualmachineinstances.kubevirt.io "webx" is forbidden: exceeded quota: q, requested: count/x=1', "QuotaExceeded", LATER),
    ('Internal error occurred: failed calling webhook "virtualmachineinstances-mutator.kubevirt.io": failed to call webhook: Post '
     '"https://127.0.0.1:6443/x?timeout=10s": dial tcp 127.0.0.1:6443: connect: connection refused', "VirtApiDown", LATER),
    ('Internal error occurred: failed calling webhook "policy.example.com": context deadline exceeded', "WebhookDown", LATER),
    ('virtualmachineinstances.kubevirt.io "webx" is forbidden: unable to create new content in namespace n because it is being terminated',
     "NamespaceTerminating", NOW),
    ("etcdserver: request timed out", "ReplicaFailure", NEVER),
]  # fmt: skip


@pytest.mark.parametrize(("message", "reason", "when"), CREATIONS)
@pytest.mark.parametrize("teller", ["condition", "event"])
def test_why_a_set_cannot_create_vmis(message: str, reason: str, when: str, teller: str) -> None:
    situation = fault("vmi-rejected")
    if teller == "condition":
        said = with_condition(the_set(situation), "ReplicaFailure", message=message)
        situation = dataclasses.replace(situation, replica_set=said, events=())
    else:
        text = f"Error creating virtual machine instance: {message}"
        events = tuple({**event, "message": text} for event in situation.events)
        silent = without_condition(the_set(situation), "ReplicaFailure")
        situation = dataclasses.replace(situation, replica_set=silent, events=events)
    findings = diagnose_replica_set(situation)
    assert [(finding.reason, ends(finding), finding.message) for finding in findings] == [(reason, when, message)]


def test_an_event_that_is_newer_than_the_condition_counts() -> None:
    situation = fault("vmi-rejected")
    stale = with_condition(the_set(situation), "ReplicaFailure", message="exceeded quota", lastTransitionTime="2026-11-25T15:00:00Z")
    assert words(dataclasses.replace(situation, replica_set=stale)) == ["VmiRejected"]
    assert words(dataclasses.replace(situation, replica_set=stale, events=())) == ["QuotaExceeded"]


def test_an_event_from_before_the_wait_is_history_and_a_condition_is_not() -> None:
    situation = fault("vmi-rejected")
    since = lapsed(situation, 1).now
    healed = without_condition(the_set(situation), "ReplicaFailure")
    assert words(dataclasses.replace(situation, since=since)) == ["VmiRejected"]
    assert words(dataclasses.replace(situation, replica_set=healed)) == ["VmiRejected"]
    assert words(dataclasses.replace(situation, replica_set=healed, since=since)) == []


def test_events_about_a_vmi_that_is_gone_are_history() -> None:
    situation = real_situation("bridge-fails")
    kept = tuple(each for each in situation.instances if each["status"]["phase"] == "Scheduling")
    assert words(situation) == ["Warning"]
    assert words(dataclasses.replace(situation, instances=kept)) == []


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ('failed to create pod for vmi n/x, it needs a privileged namespace to run: pods "y" is forbidden: violates PodSecurity "restricted:latest"', "PodSecurity"),
        ('failed to create virtual machine pod: admission webhook "policy.example.com" denied the request: no', "PodRejected"),
        ('failed to create virtual machine pod: pods "y" is forbidden: failed quota: q: must specify limits.cpu', "PodRejected"),
        ('failed to create virtual machine pod: Internal error occurred: failed calling webhook "policy.example.com": EOF', "WebhookDown"),
    ],
)  # fmt: skip
def test_why_a_launcher_pod_is_refused(message: str, reason: str) -> None:
    situation = fault("quota", events=())
    instances = tuple(
        with_condition(each, "Synchronized", message=message) if each["status"].get("conditions") else each for each in situation.instances
    )
    findings = diagnose_replica_set(dataclasses.replace(situation, instances=instances))
    assert [(finding.reason, ends(finding), finding.message) for finding in findings] == [(reason, LATER, message)]


def test_anything_else_that_kubevirt_has_with_a_vmi_is_told() -> None:
    situation = fault("quota", events=())
    said = {"reason": "Synchronizing with the Domain failed.", "message": "server error"}
    situation = with_instances(situation, lambda each: with_condition(each, "Synchronized", **said))
    first = diagnose_replica_set(situation)[0]
    assert (first.reason, first.fatal, first.clause) == (
        "NotSynchronized",
        False,
        "2 VMIs are not as their spec says (Synchronizing with the Domain failed): server error",
    )


def test_an_event_that_goes_on_counts_by_its_last_time() -> None:
    situation = fault("vmi-rejected")
    assert situation.now
    healed = without_condition(the_set(situation), "ReplicaFailure")
    event = {**situation.events[0], "lastTimestamp": None, "eventTime": "2020-01-01T00:00:00.000000Z"}
    going_on = {**event, "series": {"count": 9, "lastObservedTime": situation.now.strftime("%Y-%m-%dT%H:%M:%S.123456Z")}}
    assert words(dataclasses.replace(situation, replica_set=healed, events=(event,))) == []
    assert words(dataclasses.replace(situation, replica_set=healed, events=(going_on,))) == ["VmiRejected"]


def test_what_could_not_be_created_before_does_not_matter_once_all_are_there() -> None:
    situation = fault("slow-boot")
    rejected = fault("vmi-rejected")
    live = the_set(situation)["metadata"]
    about = {"kind": "VirtualMachineInstanceReplicaSet", "name": live["name"], "uid": live["uid"]}
    events = tuple({**event, "involvedObject": about} for event in rejected.events)
    assert words(dataclasses.replace(situation, events=events, since=rejected.since)) == []


def test_a_namespace_without_its_service_account_yet_is_no_reason_to_give_up() -> None:
    message = 'pods "virt-launcher-web-" is forbidden: error looking up service account d/default: serviceaccount "default" not found'
    young = with_instances(fault("pod-security", events=()), lambda each: with_condition(each, "Synchronized", message=message))
    found = diagnose_replica_set(young)[0]
    assert (found.reason, found.fatal) == ("PodRejected", False)
