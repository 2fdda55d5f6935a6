# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The engine's judgement of every state of a real cluster that was recorded (fixtures/real), and that kubectl agrees with it."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from ansible_collections.vmscale.kubevirt.plugins.module_utils import _autoscaler, _replicaset
from ansible_collections.vmscale.kubevirt.plugins.module_utils._autoscaler import Evidence, Expectations
from ansible_collections.vmscale.kubevirt.plugins.module_utils._autoscaler_wanted import wanted_autoscaler
from ansible_collections.vmscale.kubevirt.plugins.module_utils._plan import (
    NOTHING,
    must_know_autoscalers,
    plan_autoscaler,
    plan_replica_set,
)
from ansible_collections.vmscale.kubevirt.plugins.module_utils._replicaset import Snapshot
from ansible_collections.vmscale.kubevirt.plugins.module_utils._replicaset_wanted import wanted_replica_set
from unit.support.kubectl import clock, rows
from unit.support.recorded import (
    REAL,
    SEED_AUTOSCALER,
    SEED_SET,
    Object,
    has_recorded,
    load,
    real,
    real_autoscaler,
    real_set,
)

SET = "testreplicaset"
NOT_RUNNING = "(GuestNotRunning: Guest VM is not reported as running)"
NOT_FOUND = "docker.io/kubevirt/no-such-image:latest"
AT_MAXIMUM = "ScalingLimited is True (TooManyReplicas: the desired replica count is more than the maximum replica count)"


@dataclass(frozen=True)
class Facts:
    """What is true of a set in one state: desired, current, ready, terminating (None where its VMIs were not recorded)."""

    counts: tuple[int, int, int, int | None]
    progress: str
    lacks: tuple[str, ...] = ()


SETS = {
    "idle": Facts((3, 3, 3, 0), "3/3 ready"),
    "scaling-up-early": Facts((5, 5, 3, None), "3/5 ready", ("3 of 5 ready",)),
    "scaling-up-scheduling": Facts(
        (5, 5, 3, 0),
        "3/5 ready, 2 Scheduling",
        ("3 of 5 ready", f"VMI testpqk5r is Scheduling {NOT_RUNNING}", f"VMI testrgvjx is Scheduling {NOT_RUNNING}"),
    ),
    "at-max": Facts((5, 5, 5, 0), "5/5 ready"),
    "stabilizing-at-5": Facts((5, 5, 5, None), "5/5 ready"),
    "back-to-min": Facts((3, 3, 3, 0), "3/3 ready"),
    "migrated": Facts((5, 5, 5, 0), "5/5 ready"),
    "stuck-at-4-after-migration": Facts((4, 4, 4, 0), "4/4 ready"),
    "quota": Facts(
        (2, 2, 0, 0),
        "0/2 ready, 1 Pending, 1 Scheduling",
        (
            "0 of 2 ready",
            'VMI testjvpt6 is Pending (FailedCreate: failed to create virtual machine pod: pods "virt-launcher-testjvpt6-dtd8m" is '
            "forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1)",
            f"VMI testvmcpw is Scheduling {NOT_RUNNING}",
        ),
    ),
    "unschedulable-cordoned": Facts(
        (1, 1, 0, 0),
        "0/1 ready, 1 Scheduling",
        (
            "0 of 1 ready",
            "VMI testll88t is Scheduling (Unschedulable: 0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 node(s) were "
            "unschedulable. no new claims to deallocate, preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.)",
        ),
    ),
    "image-missing": Facts((1, 1, 0, 0), "0/1 ready, 1 Scheduling", ("0 of 1 ready", f"VMI test4rhzj is Scheduling {NOT_RUNNING}")),
    "image-missing-backoff": Facts(
        (1, 1, 0, 0),
        "0/1 ready, 1 Scheduling",
        (
            "0 of 1 ready",
            'VMI test4rhzj is Scheduling (ImagePullBackOff: Back-off pulling image "kubevirt/no-such-image:latest": ErrImagePull: '
            f'rpc error: code = NotFound desc = failed to pull and unpack image "{NOT_FOUND}": failed to resolve reference '
            f'"{NOT_FOUND}": {NOT_FOUND}: not found)',
        ),
    ),
    "paused": Facts(
        (1, 1, 0, 0),
        "0/1 ready, 1 Running",
        ("0 of 1 ready", "VMI testrjhsx is Running (PausedByUser: VMI was paused by user)"),
    ),
    "guest-poweroff": Facts(
        (1, 1, 0, 1),
        "0/1 ready, 1 Scheduling, 1 shutting down",
        ("0 of 1 ready", f"VMI testrjhsx is Scheduling {NOT_RUNNING}", "1 still shutting down (testjxhsk)"),
    ),
    # The old VMI is gone already: its pod had been deleted, not the VMI.
    "pod-deleted-terminating": Facts(
        (1, 1, 0, 0), "0/1 ready, 1 Scheduling", ("0 of 1 ready", f"VMI testdmvrg is Scheduling {NOT_RUNNING}")
    ),
    "vmi-deleted-no-acpi": Facts(
        (1, 1, 0, 1),
        "0/1 ready, 1 Scheduling, 1 shutting down",
        ("0 of 1 ready", f"VMI testvt9gt is Scheduling {NOT_RUNNING}", "1 still shutting down (testdmvrg)"),
    ),
    "crash-before": Facts((1, 1, 1, None), "1/1 ready"),
    "crash-after-3s": Facts((1, 1, 0, 0), "0/1 ready, 1 Scheduling", ("0 of 1 ready", f"VMI testjxhsk is Scheduling {NOT_RUNNING}")),
    "crash-after": Facts((1, 1, 1, 0), "1/1 ready"),
    "bridge-fails": Facts(
        (3, 3, 0, 3),
        "0/3 ready, 3 Scheduling, 3 shutting down",
        (
            "0 of 3 ready",
            *(f"VMI {name} is Scheduling {NOT_RUNNING}" for name in ("test72shx", "testk7xhg", "testl4t4t")),
            "3 still shutting down (test9wbk4, testhbvhh, testhswgq)",
        ),
    ),
}

# minReplicas, maxReplicas, current, desired; and the limit, where there is one that matters.
AUTOSCALERS: dict[str, tuple[tuple[int, int, int, int], tuple[str, ...]]] = {
    "idle": ((3, 5, 3, 3), ()),
    "scaling-up-early": ((3, 5, 3, 5), (AT_MAXIMUM,)),
    "scaling-up-scheduling": ((3, 5, 3, 5), (AT_MAXIMUM,)),
    "at-max": ((3, 5, 5, 5), (AT_MAXIMUM,)),
    "stabilizing-at-5": ((3, 5, 5, 5), ()),
    "back-to-min": ((3, 5, 3, 3), ()),
    "migrated": ((3, 5, 5, 5), (AT_MAXIMUM,)),
    "stuck-at-4-after-migration": ((3, 5, 4, 4), ()),
}
# What one version after another of the set's status lacks, from its creation on, by the status alone.
STATUS_LACKS = [
    ["virt-controller has not acknowledged the selector", "0 of 3 ready", "0 of 3 created"],
    ["0 of 3 ready", "0 of 3 created"],
    ["0 of 3 ready"],
    ["1 of 3 ready"],
    ["2 of 3 ready"],
    [],
    ["3 of 5 ready", "3 of 5 created"],
    ["3 of 5 ready"],
    ["4 of 5 ready"],
    [],
    ["2 more than 3"],
    ["1 more than 3"],
    [],
    ["3 of 5 ready", "3 of 5 created"],
    ["3 of 5 ready"],
    ["4 of 5 ready"],
    [],
    ["4 of 5 ready"],  # for a moment, while a VMI moves to another node
    [],
    ["1 more than 4"],
    [],
]


def snapshot(state: str) -> Snapshot:
    """Return the set, with its VMIs where they were recorded."""
    return Snapshot(real_set(state), tuple(real(state, "vmis")) if has_recorded(state, "vmis.json") else None)


def evidence(state: str) -> Evidence:
    """Return everything that is read of an autoscaler, at the clock of the cluster."""
    selector = real_set(state)["spec"]["selector"]["matchLabels"].items()
    found = real(state, "podmetrics") if has_recorded(state, "podmetrics.json") else []
    figures = tuple(each for each in found if selector <= each["metadata"]["labels"].items())
    return Evidence(real_autoscaler(state), snapshot(state), figures, clock(state))


def test_every_state_that_was_recorded_is_judged() -> None:
    assert sorted(path.parent.name for path in REAL.glob("*/vmirs.json")) == sorted(SETS)
    assert sorted(path.parent.name for path in REAL.glob("*/hpa-v2.json")) == sorted(AUTOSCALERS)


@pytest.mark.parametrize("state", SETS)
def test_what_is_said_of_a_set(state: str) -> None:
    facts, found = SETS[state], snapshot(state)
    counts = _replicaset.count(found)
    assert (counts.desired, counts.current, counts.ready, counts.terminating) == facts.counts
    assert counts.outdated is None
    assert _replicaset.progress_line(SET, found) == f"{SET}: {facts.progress}"
    assert _replicaset.unmet(found) == list(facts.lacks)


@pytest.mark.parametrize("state", sorted(SETS.keys() - {"bridge-fails"}))
def test_kubectl_counts_the_same(state: str) -> None:
    (row,) = rows(state, "virtualmachineinstancereplicaset").values()
    counts = _replicaset.count(snapshot(state))
    assert [int(row[title] or 0) for title in ("DESIRED", "CURRENT", "READY")] == [counts.desired, counts.current, counts.ready]


@pytest.mark.parametrize("state", sorted(path.parent.name for path in REAL.glob("*/vmis.json") if path.parent.name != "bridge-fails"))
def test_kubectl_sees_the_same_in_each_vmi(state: str) -> None:
    live = real_set(state)
    summaries = [_replicaset.summarise_instance(each, live) for each in real(state, "vmis")]
    table = rows(state, "virtualmachineinstance")
    assert sorted(table) == sorted(each["name"] for each in summaries)
    for each in summaries:
        row = table[each["name"]]
        assert (each["phase"], each["ip"] or "", each["node"] or "") == (row["PHASE"], row["IP"], row["NODENAME"])
        assert each["ready"] is (row["READY"] == "True")
        assert (each["reason"] is None) is each["ready"]


@pytest.mark.parametrize("state", AUTOSCALERS)
def test_an_autoscaler_works_as_soon_as_its_target_is_ready(state: str) -> None:
    numbers, limits = AUTOSCALERS[state]
    found = evidence(state)
    assert found.autoscaler is not None
    assert tuple(_autoscaler.replicas(found.autoscaler).values()) == numbers
    assert _autoscaler.unmet(found.autoscaler) == []
    assert _autoscaler.progress_line("test-hpa", found.autoscaler, []) == f"test-hpa: {numbers[2]} current / {numbers[3]} desired, acting"
    target = {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstanceReplicaSet", "name": SET}
    expected = Expectations(target=target, min_replicas=numbers[0], max_replicas=numbers[1], current_replicas=numbers[2])
    lacks = [f"target {SET}: {reason}" for reason in SETS[state].lacks]
    assert _autoscaler.verify(found, expected, "x") == lacks
    assert _autoscaler.verify(found, Expectations(not_limited=True), "x") == [*limits, *lacks]


@pytest.mark.parametrize("state", AUTOSCALERS)
def test_kubectl_counts_the_same_of_an_autoscaler(state: str) -> None:
    (row,) = rows(state, "horizontalpodautoscaler").values()
    found = real_autoscaler(state)
    numbers = _autoscaler.replicas(found)
    assert [int(row[title]) for title in ("MINPODS", "MAXPODS", "REPLICAS")] == [numbers["min"], numbers["max"], numbers["current"]]
    assert row["REFERENCE"] == "/".join(_autoscaler.target_of(found))


@pytest.mark.parametrize("state", sorted(AUTOSCALERS.keys() - {"stabilizing-at-5"}))
def test_every_ready_vmi_of_a_state_has_figures_of_the_last_minute(state: str) -> None:
    found = evidence(state)
    figures = found.pod_metrics
    assert figures is not None
    # A pod that has just started has none yet, and one that has ended no longer.
    assert len(figures) == (3 if state == "at-max" else SETS[state].counts[2])
    ages = [clock(state) - datetime.fromisoformat(each["timestamp"]) for each in figures]
    assert all(timedelta() < age < timedelta(minutes=1) for age in ages), ages


@pytest.mark.parametrize("state", AUTOSCALERS)
def test_the_manifests_that_were_applied_find_nothing_to_do(state: str) -> None:
    wanted = wanted_replica_set({"namespace": "default"}, SEED_SET, "x", "default")
    live, scaler = real_set(state), real_autoscaler(state)
    replicas = live["spec"]["replicas"]
    assert must_know_autoscalers(wanted, live) is (replicas != 3)
    made = plan_replica_set(wanted, live, [scaler], "keep", allow_selector_change=False)
    warning = (
        f"replicas of VirtualMachineInstanceReplicaSet default/{SET} left at {replicas} instead of 3: "
        "HorizontalPodAutoscaler test-hpa scales it."
    )
    assert (made.action, made.changes, made.warnings) == (NOTHING, (), (warning,) if replicas != 3 else ())
    hpa = wanted_autoscaler({"namespace": "default"}, SEED_AUTOSCALER, "x", "default")
    assert plan_autoscaler(hpa, scaler).action == NOTHING


def test_each_version_of_a_status_is_judged() -> None:
    found = []
    for version in load(REAL / "vmirs-status-history.json"):
        live = real_set("idle")
        live["spec"]["replicas"], live["status"] = version["specReplicas"], version["status"]
        found.append(_replicaset.unmet(Snapshot(live, None)))
    assert found == STATUS_LACKS


def test_an_autoscaler_acts_from_its_first_status_on() -> None:
    history: list[dict[str, t.Any]] = load(REAL / "hpa-conditions-history.json")
    assert [version["type"] for version in history].count("ADDED") == 2
    for version in history:
        lacks = ["its controller has not looked at it yet"] if version["type"] == "ADDED" else []
        assert _autoscaler.unmet(_with_status(version)) == lacks


def _with_status(version: dict[str, t.Any]) -> Object:
    """Return the recorded autoscaler with the status of another version of it."""
    live = real_autoscaler("idle")
    keys = ("type", "status", "reason", "message")
    status: Object = {
        "desiredReplicas": version["desired"],
        "conditions": [dict(zip(keys, each, strict=True)) for each in version["conditions"]],
    }
    if version["metric"]:
        status["currentMetrics"] = [{"type": "Resource", "resource": {"name": "cpu", "current": version["metric"]}}]
    if version["current"] is not None:
        status["currentReplicas"] = version["current"]
    live["status"] = status
    return live
