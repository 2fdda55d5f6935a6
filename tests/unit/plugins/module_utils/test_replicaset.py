# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A replica set as it is: its counts, and every reason why it has not converged."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.vmscale.kubevirt.plugins.module_utils._replicaset import (
    Snapshot,
    count,
    desired_replicas,
    explain_instance,
    is_active,
    is_outdated,
    is_ready,
    own_instances,
    progress_line,
    summarise_instance,
    unmet,
)
from unit.support.objects import UID, instance, instances, replica_set, snapshot
from unit.support.recorded import REAL, Object, load, real, real_set, real_snapshot, sandbox_snapshot


def counts(found: Snapshot) -> tuple[int | None, ...]:
    """Return desired, current, ready, outdated and terminating."""
    return tuple(count(found).as_result().values())


@pytest.mark.parametrize("state", ["ready", "scaled"])
def test_a_set_of_the_sandbox_that_has_converged_lacks_nothing(state: str) -> None:
    assert unmet(sandbox_snapshot(state)) == []


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("starting", (2, 0, 0, 0, 0)),
        ("ready", (2, 2, 2, 0, 0)),
        ("scaling", (4, 2, 2, 0, 0)),
        ("scaling-in", (2, 3, 3, 0, 2)),
        ("deleting", (2, 0, 0, 0, 2)),
    ],
)
def test_counts_of_a_set_of_the_sandbox(state: str, expected: tuple[int | None, ...]) -> None:
    assert counts(sandbox_snapshot(state)) == expected


def test_what_was_not_read_is_not_counted() -> None:
    assert counts(Snapshot(replica_set(3, template_hash="a"), None)) == (3, 3, 3, None, None)
    assert counts(Snapshot(None, None)) == (0, 0, 0, None, 0)
    assert counts(snapshot(None, *instances(2, deleting=True))) == (0, 0, 0, None, 2)


def test_a_missing_number_of_replicas_counts_as_one() -> None:
    assert desired_replicas(replica_set(None)) == 1
    assert desired_replicas(replica_set(0)) == 0


def test_a_set_that_does_not_exist_or_goes_has_not_converged() -> None:
    assert unmet(snapshot(None)) == ["it does not exist"]
    assert unmet(snapshot(replica_set(1, deleting=True), *instances(1))) == ["it is being deleted"]
    assert unmet(sandbox_snapshot("deleting")) == ["it is being deleted"]


@pytest.mark.parametrize("acknowledged", [None, "", "app=other"])
def test_a_status_from_before_the_selector_is_not_believed(acknowledged: str | None) -> None:
    found = snapshot(replica_set(3, acknowledged_selector=acknowledged), *instances(3))
    assert unmet(found) == ["virt-controller has not acknowledged the selector"]


def test_a_set_of_zero_has_converged_once_its_vmis_are_gone() -> None:
    assert unmet(snapshot(replica_set(0))) == []
    assert unmet(snapshot(replica_set(0), instance("web0", deleting=True))) == ["1 still shutting down (web0)"]
    assert unmet(snapshot(replica_set(0, current=2, ready=2), *instances(2))) == ["2 more than 0"]


def test_a_status_that_lags_behind_the_vmis_is_not_believed() -> None:
    assert unmet(snapshot(replica_set(3, ready=2), *instances(3))) == ["its status still says 2 of 3 ready, instead of 3"]
    assert unmet(snapshot(replica_set(3), *instances(2))) == ["2 of 3 ready", "2 of 3 created"]
    assert unmet(snapshot(replica_set(3), *instances(2), instance("web2", ready=False)))[0] == "2 of 3 ready"
    assert unmet(snapshot(replica_set(3, current=2), *instances(3))) == ["its status still says 3 of 2 ready, instead of 3"]


def test_vmis_that_shut_down_keep_a_set_from_converging() -> None:
    found = snapshot(replica_set(3), *instances(3), instance("old2", deleting=True), instance("old1", deleting=True))
    assert unmet(found) == ["2 still shutting down (old1, old2)"]
    assert unmet(sandbox_snapshot("scaling-in"))[-2:] == [
        "its status still says 3 of 3 ready, instead of 2",
        "2 still shutting down (webnw4rf, webpntt8)",
    ]


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_a_vmi_that_has_ended_is_no_replica(phase: str) -> None:
    ended = instance("web2", phase=phase)
    assert not is_active(ended)
    assert not is_ready(ended)
    assert unmet(snapshot(replica_set(3), *instances(2), ended))[0] == "2 of 3 ready"


def test_a_replica_failure_is_said_first() -> None:
    failure = ("FailedCreate", "admission webhook denied the request: no memory requested")
    found = snapshot(replica_set(3, current=0, ready=0, failure=failure))
    assert unmet(found) == ["FailedCreate: admission webhook denied the request: no memory requested", "0 of 3 ready", "0 of 3 created"]


def test_a_paused_set_has_converged_once_the_pause_is_acknowledged() -> None:
    assert unmet(sandbox_snapshot("paused")) == []
    assert unmet(snapshot(replica_set(5, current=3, ready=1, paused=True), *instances(3))) == []
    waiting = replica_set(3, paused=True, acknowledged_pause=False)
    assert unmet(snapshot(waiting, *instances(3))) == ["virt-controller has not acknowledged that it is paused"]
    resumed = replica_set(3, paused=False, acknowledged_pause=True)
    assert unmet(snapshot(resumed, *instances(3))) == ["virt-controller has not acknowledged that it is resumed"]


def test_many_vmis_do_not_make_a_novel() -> None:
    found = snapshot(replica_set(20, ready=0), *instances(20, phase="Scheduling", ready=False))
    reasons = unmet(found)
    assert len(reasons) == 7
    assert reasons[-1] == "15 more VMIs are not ready"
    leaving = unmet(snapshot(replica_set(0), *instances(8, deleting=True)))
    assert leaving == ["8 still shutting down (web0, web1, web2, web3, web4, ...)"]


@pytest.mark.parametrize(
    ("template_hash", "of_vmi", "outdated"), [("a", "a", False), ("a", "b", True), ("a", None, True), (None, "a", None)]
)
def test_a_vmi_of_an_older_template_is_outdated(template_hash: str | None, of_vmi: str | None, outdated: bool | None) -> None:
    live = replica_set(1, template_hash=template_hash)
    found = instance("web0", template_hash=of_vmi)
    assert is_outdated(found, live) is outdated
    assert count(snapshot(live, found)).outdated == (None if outdated is None else int(outdated))
    assert unmet(snapshot(live, found)) == []


def test_outdated_vmis_that_go_are_not_counted() -> None:
    live = replica_set(1, template_hash="a")
    assert count(snapshot(live, instance("web0", template_hash="b", deleting=True))).outdated == 0


def test_only_the_vmis_that_the_set_controls_are_its_own() -> None:
    mine, orphan = instance("web0"), instance("web1")
    foreign = instance("web2", owner="another")
    orphan["metadata"].pop("ownerReferences")
    observer = instance("web3")
    observer["metadata"]["ownerReferences"][0]["controller"] = False
    assert own_instances(replica_set(), [mine, orphan, foreign, observer]) == (mine,)
    assert len(own_instances(real_set("idle"), real("idle", "vmis"))) == 3
    assert own_instances(replica_set(), real("quota", "vmis")) == ()
    assert mine["metadata"]["ownerReferences"][0]["uid"] == UID


LIFECYCLE = sorted((REAL / "vmi-lifecycle").glob("*.json"))


@pytest.mark.parametrize("path", LIFECYCLE, ids=lambda path: path.stem)
def test_a_real_vmi_is_ready_only_in_the_middle_of_its_life(path: t.Any) -> None:
    found: Object = load(path)["object"]
    assert is_ready(found) is (path.stem == "06-Running-ready")
    assert is_active(found) is ("terminating" not in path.stem)
    assert explain_instance(found).startswith(f"VMI {found['metadata']['name']} is {path.stem.split('-')[1]}")


@pytest.mark.parametrize(
    ("conditions", "words"),
    [
        ([("Ready", "False", "GuestNotRunning", "no"), ("Synchronized", "False", "FailedCreate", "why")], "(FailedCreate: why)"),
        (
            [("Ready", "False", "A", "b"), ("Synchronized", "True", "", ""), ("PodScheduled", "False", "Unschedulable", "c")],
            "(Unschedulable: c)",
        ),
        ([("Ready", "False", "A", "b"), ("Paused", "True", "PausedByUser", "d")], "(PausedByUser: d)"),
        ([("Ready", "False", "A", "b"), ("Paused", "False", "X", "d")], "(A: b)"),
        ([("Ready", "False", "A", "")], "(A)"),
        ([("Ready", "False", "", "")], ""),
    ],
)
def test_the_most_telling_condition_is_quoted(conditions: list[tuple[str, str, str, str]], words: str) -> None:
    found = instance("web0", phase="Scheduling", conditions=conditions)
    assert explain_instance(found) == f"VMI web0 is Scheduling {words}".strip()
    assert explain_instance(instance("web0", phase=None, ready=True)) == "VMI web0 is no phase yet"


def test_a_vmi_is_summarised() -> None:
    assert summarise_instance(real("idle", "vmis")[0], real_set("idle")) == {
        "name": "testnpdz5",
        "phase": "Running",
        "ready": True,
        "reason": None,
        "node": "kb3-worker2",
        "ip": "10.244.2.10",
        "outdated": None,
        "terminating": False,
        "created": "2026-11-23T20:38:59Z",
    }
    waiting = summarise_instance(real("quota", "vmis")[0], real_set("quota"))
    assert (waiting["ready"], waiting["reason"], waiting["node"], waiting["ip"]) == (False, "PodNotExists", None, None)


@pytest.mark.parametrize(
    ("found", "line"),
    [
        (real_snapshot("idle"), "web: 3/3 ready"),
        (real_snapshot("scaling-up-scheduling"), "web: 3/5 ready, 2 Scheduling"),
        (real_snapshot("bridge-fails"), "web: 0/3 ready, 3 Scheduling, 3 shutting down"),
        (sandbox_snapshot("paused"), "web: 2/2 ready, paused"),
        (sandbox_snapshot("deleting"), "web: being deleted, 2 VMIs left"),
        (snapshot(replica_set(1, ready=0), instance("web0", phase=None, ready=False)), "web: 0/1 ready, 1 new"),
        (snapshot(None), "web: gone"),
        (snapshot(None, *instances(1, deleting=True)), "web: being deleted, 1 VMI left"),
    ],
)
def test_progress_is_one_line(found: Snapshot, line: str) -> None:
    assert progress_line("web", found) == line
