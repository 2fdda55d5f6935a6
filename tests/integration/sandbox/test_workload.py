# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Replica sets get their VMs, autoscalers follow the load that is dialled, and faults show as on real VMs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from integration.sandbox.command import Command, eventually
from integration.sandbox.objects import AUTOSCALERS, INSTANCES, REPLICA_SETS, autoscaler, replica_set

NAME = "workload"


@pytest.fixture
def clean(sandbox: Command) -> Iterator[Command]:
    """The sandbox; the test's objects are gone after it."""
    yield sandbox
    api = sandbox.api()
    sandbox.run("load", NAME, "--off")
    for path in (f"{AUTOSCALERS}/{NAME}", f"{REPLICA_SETS}/{NAME}"):
        if api.get(path) is not None:
            api.request("DELETE", path)
    eventually("no VMI", lambda: not instances(sandbox))


def instances(sandbox: Command) -> list[dict[str, Any]]:
    """The VMIs of the test."""
    items: list[dict[str, Any]] = sandbox.api().request("GET", f"{INSTANCES}?labelSelector=test%3D{NAME}")["items"]
    return items


def ready(sandbox: Command) -> int:
    """The ready replicas of the test's set."""
    found = sandbox.api().request("GET", f"{REPLICA_SETS}/{NAME}")
    return int(found.get("status", {}).get("readyReplicas", 0))


def test_an_autoscaled_set_follows_the_load(clean: Command) -> None:
    api = clean.api()
    api.request("POST", REPLICA_SETS, replica_set(NAME, 3))
    assert eventually("3 ready", lambda: ready(clean) == 3) < 20
    api.request("POST", AUTOSCALERS, autoscaler(NAME, 3, 5, 50))
    clean.run("load", NAME, "--percent", "80")
    eventually("5 ready", lambda: ready(clean) == 5, 60)
    eventually("48 % each", lambda: utilization(clean) in (47, 48, 49), 60)
    clean.run("load", NAME, "--off")
    eventually("3 VMIs", lambda: len(instances(clean)) == 3, 60)
    assert 16 <= utilization(clean) <= 24


def utilization(sandbox: Command) -> int:
    """The utilization that the autoscaler sees."""
    status = sandbox.api().request("GET", f"{AUTOSCALERS}/{NAME}").get("status", {})
    metrics = status.get("currentMetrics") or [{}]
    return int(metrics[0].get("resource", {}).get("current", {}).get("averageUtilization", -1))


def test_a_running_vmi_looks_like_a_real_one(clean: Command) -> None:
    clean.api().request("POST", REPLICA_SETS, replica_set(NAME, 1))
    eventually("a ready VMI", lambda: ready(clean) == 1)
    status = instances(clean)[0]["status"]
    assert {condition["type"]: condition["status"] for condition in status["conditions"]} == {
        "Ready": "True",
        "LiveMigratable": "True",
        "StorageLiveMigratable": "True",
    }
    assert [step["phase"] for step in status["phaseTransitionTimestamps"]] == ["Pending", "Scheduling", "Scheduled", "Running"]
    assert status["nodeName"].startswith("kwok-node-")
    interface = status["interfaces"][0]
    assert (interface["infoSource"], interface["linkState"]) == ("domain", "up")
    assert status["guestOSInfo"] == {}
    pods = clean.api().request("GET", f"/api/v1/namespaces/default/pods?labelSelector=test%3D{NAME}")["items"]
    assert pods[0]["status"]["podIP"] == interface["ipAddress"]
    assert {container["name"] for container in pods[0]["status"]["initContainerStatuses"]} >= {"guest-console-log"}


@pytest.mark.parametrize(
    ("fault", "phase", "condition", "reason"),
    [
        ("never-boot", "Scheduled", "Ready", "GuestNotRunning"),
        ("not-ready", "Running", "Ready", "ContainersNotReady"),
        ("image-pull", "Scheduling", "Synchronized", "ErrImagePull"),
    ],
)
def test_a_fault_shows_as_on_a_real_vm(clean: Command, fault: str, phase: str, condition: str, reason: str) -> None:
    clean.api().request("POST", REPLICA_SETS, replica_set(NAME, 1, {"sandbox.vmscale.kubevirt/fault": fault}))

    def shows() -> bool:
        return any(
            instance.get("status", {}).get("phase") == phase
            and any(each["type"] == condition and each.get("reason") == reason for each in instance["status"].get("conditions", []))
            for instance in instances(clean)
        )

    eventually(f"{phase} and {condition} {reason}", shows)


def test_a_deleted_vmi_shuts_down_and_is_replaced(clean: Command) -> None:
    api = clean.api()
    api.request("POST", REPLICA_SETS, replica_set(NAME, 1))
    eventually("a ready VMI", lambda: ready(clean) == 1)
    name = instances(clean)[0]["metadata"]["name"]
    api.request("DELETE", f"{INSTANCES}/{name}")
    phases: set[str] = set()

    def is_gone() -> bool:
        found = api.get(f"{INSTANCES}/{name}")
        phases.add(found["status"]["phase"] if found else "gone")
        return found is None

    assert eventually("gone", is_gone) < 10
    assert "Failed" not in phases
    eventually("a replacement", lambda: ready(clean) == 1)
