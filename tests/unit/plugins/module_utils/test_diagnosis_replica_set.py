# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What keeps a replica set from being as it should be, told from recorded states."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from pathlib import Path

import pytest

from ansible_collections.vmscale.kubevirt.plugins.module_utils._diagnosis_replica_set import diagnose_replica_set
from ansible_collections.vmscale.kubevirt.plugins.module_utils._resources import moment
from ansible_collections.vmscale.kubevirt.plugins.module_utils._situation import Finished, Situation
from unit.support.findings import LATER, NEVER, NOW, Told, ends, says, told, words
from unit.support.objects import changed
from unit.support.recorded import REAL, load
from unit.support.situations import (
    FAULTS,
    REAL_STATES,
    fault,
    lapsed,
    real_situation,
    sandbox_situation,
    the_set,
)

NO_ROOM = "no new claims to deallocate, preemption: 0/4 nodes are available: 4 Preemption is not helpful for scheduling"
REFUSED = 'admission webhook "virtualmachineinstances-create-validator.kubevirt.io" denied the request'
DISK = "kubevirt/cirros-container-disk-demo:latest"
NO_IMAGE = "docker.io/kubevirt/no-such-image:latest"

# State and seconds later: the first finding's reason, whether it ends a wait, and what it says.
FIRST: dict[tuple[str, int], Told] = {
    ("adopted", 0): ("VmiAdopted", NEVER, "2 VMIs were not created by this set, which adopted them"),
    ("autoscaled-paused-set", 0): (
        "ReplicaPaused",
        LATER,
        "the set is paused, so VMIs are neither created nor deleted: Controller got paused",
    ),
    ("crash-after", 0): (
        "CrashLoop",
        NOW,
        "VMIs end and are replaced again and again (* within * s: * Failed): The VirtualMachineInstance crashed",
    ),
    ("crash-loop", 0): (
        "CrashLoop",
        NOW,
        "VMIs end and are replaced again and again (* within * s: * Failed): The VirtualMachineInstance crashed",
    ),
    **dict.fromkeys(
        [("image-pull", 0), ("image-pull-back-off", 0)],
        (
            "ImagePullFailed",
            LATER,
            "an image of 3 VMIs cannot be pulled: rpc error: code = NotFound desc = failed to pull and unpack image "
            f'"{DISK}": failed to resolve reference "{DISK}": {DISK}: not found',
        ),
    ),
    ("node-lost", 0): ("NodeLost", NEVER, "the node of * is not ready (kwok-node-*): Node is not ready"),
    ("node-lost-evicted", 0): ("NodeLost", NEVER, "the node of 3 VMIs is not ready (kwok-node-*): Node is not ready"),
    ("pod-security", 0): (
        "PodSecurity",
        LATER,
        "the launcher pods of 3 VMIs violate the namespace's Pod Security: failed to create pod for vmi pod-security/web-*, "
        'it needs a privileged namespace to run: pods "virt-launcher-web-*" is forbidden: violates PodSecurity "restricted:latest": *',
    ),
    ("scheduler-down", 40): (
        "NotScheduled",
        NEVER,
        "no scheduler has looked at the launcher pods of 2 VMIs for up to 4* s",
    ),
    ("unschedulable", 0): (
        "Unschedulable",
        LATER,
        f"2 VMIs cannot be scheduled: 0/4 nodes are available: 4 Insufficient devices.kubevirt.io/kvm. {NO_ROOM}",
    ),
    ("virt-controller-down", 0): ("VirtControllerDown", LATER, "virt-controller has not renewed its lease for * s"),
    ("vmi-paused", 0): ("PausedByUser", LATER, "3 VMIs are paused: VMI was paused by user"),
    ("missing-data-volume", 0): (
        "FailedPvcNotFound",
        LATER,
        "a volume of 3 VMIs does not exist: PVC missing-data-volume/missing does not exist, waiting for it to appear",
    ),
    ("missing-pvc", 0): (
        "FailedPvcNotFound",
        LATER,
        "a volume of 3 VMIs does not exist: PVC missing-pvc/missing does not exist, waiting for it to appear",
    ),
    ("never-boot", 60): (
        "GuestNotRunning",
        NEVER,
        "the guests of 3 VMIs have not come up for up to * s: Guest VM is not reported as running",
    ),
    ("node-selector", 0): (
        "Unschedulable",
        LATER,
        f"3 VMIs cannot be scheduled: 0/4 nodes are available: 4 node(s) didn't match Pod's node affinity/selector. {NO_ROOM}",
    ),
    ("not-ready", 20): (
        "NotReady",
        NEVER,
        "3 VMIs run and are not ready (ContainersNotReady): containers with unready status: [compute]",
    ),
    ("quota", 0): (
        "QuotaExceeded",
        LATER,
        '* a quota: failed to create virtual machine pod: pods "virt-launcher-web-*" is forbidden: '
        "exceeded quota: *, requested: pods=1, used: pods=*, limited: pods=*",
    ),
    ("virt-api-down", 0): (
        "VirtApiDown",
        LATER,
        "virt-api does not answer, so no VMI can be created: Internal error occurred: failed calling webhook "
        '"virtualmachineinstances-mutator.kubevirt.io": failed to call webhook: *: connect: connection refused',
    ),
    ("scaling-in-stuck", 30): (
        "StillTerminating",
        NEVER,
        "2 VMIs shut down for up to * s (its guest has 30 s for it)",
    ),
    ("selector-overlap", 0): (
        "SelectorOverlap",
        NEVER,
        "2 VMIs match the selector and belong to VirtualMachineInstanceReplicaSet other",
    ),
    ("selector-overlap-autoscaled", 0): (
        "SelectorOverlap",
        NEVER,
        "2 VMIs match the selector and belong to VirtualMachineInstanceReplicaSet other",
    ),
    ("selector-overlap-two-autoscalers", 0): (
        "SelectorOverlap",
        NEVER,
        "2 VMIs match the selector and belong to VirtualMachineInstanceReplicaSet other",
    ),
    ("set-paused", 0): (
        "ReplicaPaused",
        LATER,
        "the set is paused, so VMIs are neither created nor deleted: Controller got paused",
    ),
    ("too-large", 0): (
        "Unschedulable",
        LATER,
        f"3 VMIs cannot be scheduled: 0/4 nodes are available: 4 Insufficient memory. {NO_ROOM}",
    ),
    ("vmi-rejected", 0): (
        "VmiRejected",
        LATER,
        f"its VMIs are refused, though the set was accepted: {REFUSED}: no memory requested, at least one of "
        "'spec.domain.memory.guest', 'spec.domain.memory.hugepages.pageSize' or 'spec.domain.resources.requests.memory' must be set",
    ),
    ("vmi-rejected-architecture", 0): (
        "VmiRejected",
        LATER,
        f"its VMIs are refused, though the set was accepted: {REFUSED}: unsupported architecture: riscv64",
    ),
}

REAL_FIRST: dict[str, Told] = {
    "bridge-fails": (
        "Warning",
        NEVER,
        "warning SyncFailed, for 3 objects: failed to configure vmi network: setup failed, err: Critical network error: "
        "LinkAdd: operation not supported",
    ),
    "image-missing-backoff": (
        "ImagePullFailed",
        LATER,
        f'an image of VMI test4rhzj cannot be pulled: rpc error: code = NotFound desc = failed to pull and unpack image "{NO_IMAGE}": '
        f'failed to resolve reference "{NO_IMAGE}": {NO_IMAGE}: not found',
    ),
    "paused": ("PausedByUser", LATER, "VMI testrjhsx is paused: VMI was paused by user"),
    "quota": (
        "QuotaExceeded",
        LATER,
        "the launcher pod of VMI testjvpt6 exceeds a quota: failed to create virtual machine pod: pods "
        '"virt-launcher-testjvpt6-dtd8m" is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1',
    ),
    "unschedulable-cordoned": (
        "Unschedulable",
        LATER,
        "VMI testll88t cannot be scheduled: 0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 node(s) were unschedulable. "
        "no new claims to deallocate, preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling",
    ),
}

# Nothing is wrong with the set in these: it is as it should be, on its way there, or somebody else's.
SOUND = {name for name in FAULTS if name not in {state for state, _ in FIRST}} - {"launcher-crash"}
SOUND_REAL = set(REAL_STATES) - set(REAL_FIRST)


@pytest.mark.parametrize(("state", "later"), sorted(FIRST))
def test_the_first_finding_of_a_fault(state: str, later: int) -> None:
    found = told(diagnose_replica_set(fault(state, later))[0])
    assert says(found, FIRST[state, later]), found


@pytest.mark.parametrize("state", sorted(REAL_FIRST))
def test_the_first_finding_of_a_fault_of_a_real_cluster(state: str) -> None:
    assert told(diagnose_replica_set(real_situation(state))[0]) == REAL_FIRST[state]


@pytest.mark.parametrize("state", sorted(SOUND))
def test_where_nothing_is_wrong_nothing_is_found(state: str) -> None:
    assert words(fault(state)) == []


def test_launchers_that_die_once_are_told_and_end_no_wait() -> None:
    findings = diagnose_replica_set(fault("launcher-crash"))
    assert {(finding.reason, finding.fatal) for finding in findings} == {("VmiEnded", False)}


@pytest.mark.parametrize("state", sorted(SOUND_REAL))
def test_where_nothing_is_wrong_on_a_real_cluster_nothing_is_found(state: str) -> None:
    assert words(real_situation(state)) == []


def test_the_tables_name_what_they_should() -> None:
    assert {"healthy", "slow-boot", "scaling-out", "healthy-autoscaled", "warming-up", "vmi-deleted"} <= SOUND
    assert {"idle", "at-max", "back-to-min", "scaling-up-early", "scaling-up-scheduling", "crash-after", "migrated"} <= SOUND_REAL


@pytest.mark.parametrize("state", ["starting", "ready", "scaled", "scaling", "scaling-in", "deleting"])
def test_nothing_is_wrong_while_a_set_of_the_sandbox_grows_and_shrinks(state: str) -> None:
    assert words(sandbox_situation(state)) == []


@pytest.mark.parametrize("path", sorted((REAL / "vmi-lifecycle").glob("*.json")), ids=lambda path: path.stem)
def test_the_life_of_a_vmi_is_no_finding(path: Path) -> None:
    situation = real_situation("idle")
    version = load(path)["object"]
    seen = moment(max(entry["phaseTransitionTimestamp"] for entry in version["status"]["phaseTransitionTimestamps"]))
    assert seen
    assert words(dataclasses.replace(situation, instances=(*situation.instances[1:], version), now=seen + timedelta(seconds=5))) == []


def test_nothing_is_fatal_once_the_set_is_as_it_should_be() -> None:
    crashed = fault("crash-loop").finished
    findings = diagnose_replica_set(lapsed(fault("healthy", finished=crashed), 3600))
    assert [(finding.reason, finding.fatal) for finding in findings] == [("VirtControllerDown", False)]


# Crash loops


def _ended(situation: Situation, *moments: float, age: float | None = None) -> Situation:
    finished = tuple(Finished(f"web-{number}", f"uid-{number}", "Failed", elapsed, age) for number, elapsed in enumerate(moments))
    return dataclasses.replace(situation, finished=finished, events=())


@pytest.mark.parametrize(
    ("moments", "age", "expected"),
    [
        ((1.0, 1.1), None, "VmiEnded"),
        ((1.0, 1.1, 1.2), 4.0, "VmiEnded"),
        ((1.0, 1.1, 1.2, 1.3), 4.0, "CrashLoop"),
        ((1.0, 1.1, 1.2, 1.3), 4000.0, "VmiEnded"),
    ],
)
def test_more_ends_than_replicas_are_a_loop(moments: tuple[float, ...], age: float | None, expected: str) -> None:
    assert words(_ended(fault("slow-boot"), *moments, age=age)) == [expected]


def test_a_lost_node_is_no_loop_in_a_large_set_and_one_vmi_that_ends_again_and_again_is() -> None:
    situation = fault("slow-boot")
    live = the_set(situation)
    large = dataclasses.replace(situation, replica_set={**live, "spec": {**live["spec"], "replicas": 50}})
    assert words(_ended(large, 1.0, 1.5, 2.0, 2.5)) == ["VmiEnded"]
    assert words(_ended(large, 1.0, 20.0, 40.0)) == ["CrashLoop"]


def test_a_loop_is_told_with_what_went_wrong_rather_than_with_the_crash() -> None:
    situation = real_situation("bridge-fails")
    stopped = [event for event in situation.events if event["reason"] == "Stopped"]
    finished = tuple(
        Finished(event["involvedObject"]["name"], event["involvedObject"]["uid"], "Failed", float(number))
        for number, event in enumerate(stopped)
    )
    first = diagnose_replica_set(dataclasses.replace(situation, finished=finished))[0]
    assert told(first) == (
        "CrashLoop",
        NOW,
        "VMIs end and are replaced again and again (6 within 5 s: 6 Failed): failed to configure vmi network: setup failed, err: "
        "Critical network error: LinkAdd: operation not supported",
    )
    assert first.object == "VirtualMachineInstanceReplicaSet default/testreplicaset"


def test_a_vmi_that_has_ended_and_is_still_there_is_told() -> None:
    situation = fault("crash-loop", finished=())
    first = diagnose_replica_set(situation)[0]
    assert says(told(first), ("VmiEnded", NEVER, "* ended (Failed): The VirtualMachineInstance crashed"))


# virt-controller, pauses, and what is on its way out


@pytest.mark.parametrize(("later", "found"), [(25, []), (95, ["VirtControllerDown"])])
def test_a_lease_that_nobody_renews(later: int, found: list[str]) -> None:
    situation = lapsed(fault("scaling-out", pods=()), later)
    findings = [each for each in diagnose_replica_set(situation) if each.reason == "VirtControllerDown"]
    assert [finding.reason for finding in findings] == found
    for finding in findings:
        assert (finding.object, ends(finding), finding.clause) == (
            "Lease kubevirt/virt-controller",
            LATER,
            "virt-controller has not renewed its lease for 95 s",
        )


def test_the_lease_is_read_for_a_set_that_is_being_deleted_and_its_template_is_not() -> None:
    situation = lapsed(fault("too-large"), 60)
    live = the_set(situation)
    deleting = {**live, "metadata": {**live["metadata"], "deletionTimestamp": "2026-11-25T15:43:00Z"}}
    assert words(dataclasses.replace(situation, replica_set=deleting)) == ["VirtControllerDown"]


@pytest.mark.parametrize("is_wanted", [True, False])
def test_a_pause_that_is_wanted_is_no_finding(is_wanted: bool) -> None:
    assert words(fault("set-paused", is_pause_wanted=is_wanted)) == ([] if is_wanted else ["ReplicaPaused"])


@pytest.mark.parametrize(
    ("annotation", "hint"),
    [
        (None, 'Resume it with "paused: false" (spec.paused).'),
        ('{"replicas": 3, "remove": [], "resume": true}', "A scale-in to 3 that did not finish has paused it: run vmirs_scale again."),
        ("unreadable", "A scale-in to 5 that did not finish has paused it: run vmirs_scale again."),
    ],
)
def test_a_pause_that_a_scale_in_has_left_says_what_to_run(annotation: str | None, hint: str) -> None:
    situation = fault("set-paused")
    live = changed(dict(the_set(situation)), "metadata.annotations", {"vmscale.kubevirt/scale-in": annotation} if annotation else None)
    (finding,) = diagnose_replica_set(dataclasses.replace(situation, replica_set=live))
    assert (finding.reason, finding.hint) == ("ReplicaPaused", hint)


def test_a_finalizer_that_holds_a_vmi_back_is_told() -> None:
    situation = fault("scaling-in-stuck", later=60)
    instances = tuple(
        {**each, "metadata": {**each["metadata"], "finalizers": ["kubevirt.io/x", "example.com/hold"]}} for each in situation.instances
    )
    found = [
        each for each in diagnose_replica_set(dataclasses.replace(situation, instances=instances)) if each.reason == "StillTerminating"
    ]
    assert "has the finalizer example.com/hold)" in found[0].summary


def test_without_the_set_only_what_is_leaving_counts() -> None:
    situation = fault("scaling-in-stuck", later=20, replica_set=None)
    assert words(situation) == ["StillTerminating"]
    assert words(fault("too-large", replica_set=None)) == []


def test_a_set_that_goes_though_it_should_stay_ends_a_wait() -> None:
    held = fault("namespace-terminating-held")
    assert words(held) == []
    assert told(diagnose_replica_set(dataclasses.replace(held, is_presence_wanted=True))[0]) == (
        "BeingDeleted",
        NOW,
        "the set is being deleted, and not by this task",
    )
    gone = dataclasses.replace(fault("namespace-terminating"), is_presence_wanted=True)
    assert told(diagnose_replica_set(gone)[0]) == ("BeingDeleted", NOW, "the set has been deleted, and not by this task")
