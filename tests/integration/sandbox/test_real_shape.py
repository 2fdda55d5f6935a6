# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Simulated VMIs and launcher pods have the fields of those that were recorded from a real cluster (docs/real-cluster.md)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from integration.sandbox.command import TESTS, Command, eventually
from integration.sandbox.objects import INSTANCES, REPLICA_SETS, replica_set

NAME = "shape"
PODS = "/api/v1/namespaces/default/pods"
RECORDED = TESTS / "unit" / "plugins" / "module_utils" / "fixtures" / "real"
ANNOTATION = "sandbox.vmscale.kubevirt"
# Asked for only where VMs are not emulated; the real ones were.
ACCELERATION = {"devices.kubevirt.io/kvm", "devices.kubevirt.io/vhost-net"}
# What the kubelet adds to the status of a pod and its containers, and nothing in the sandbox reads.
KUBELET_ONLY = re.compile(r"allocatedResources|\]\.resources|volumeMounts|observedGeneration")
SELECTED = f"labelSelector=test%3D{NAME}"


@pytest.fixture
def clean(sandbox: Command) -> Iterator[Command]:
    """The sandbox; the test's set is gone after it."""
    api = sandbox.api()
    # Some seconds after a cluster is new, as on a real one.
    eventually("the account of pods", lambda: api.get("/api/v1/namespaces/default/serviceaccounts/default") is not None)
    eventually("nodes for pods", lambda: not any(node["spec"].get("taints") for node in api.request("GET", "/api/v1/nodes")["items"]))
    yield sandbox
    if api.get(f"{REPLICA_SETS}/{NAME}") is not None:
        api.request("DELETE", f"{REPLICA_SETS}/{NAME}")
    eventually("no VMI", lambda: not items(sandbox, INSTANCES))


def items(sandbox: Command, path: str) -> list[dict[str, Any]]:
    """The objects of the test."""
    found: list[dict[str, Any]] = sandbox.api().request("GET", f"{path}?{SELECTED}")["items"]
    return found


def only_vmi(sandbox: Command) -> dict[str, Any]:
    """The VMI of the test, empty before there is one."""
    return next(iter(items(sandbox, INSTANCES)), {})


def recorded(step: str) -> dict[str, Any]:
    """What was recorded of a real VMI or launcher pod."""
    document: dict[str, Any] = json.loads((RECORDED / f"{step}.json").read_text())
    found: dict[str, Any] = document["object"]
    return found


def fields(value: Any, path: str = "") -> set[str]:
    """The paths of all fields; entries of a list count as one, and so do those of a map that is keyed by a uid."""
    if isinstance(value, dict) and not path.endswith("activePods"):
        return set().union(*(fields(content, f"{path}.{key}") for key, content in value.items()), {path} if not value else set())
    if isinstance(value, list):
        return set().union(*(fields(entry, f"{path}[]") for entry in value), {path} if not value else set())
    return {path}


def conditions(found: dict[str, Any]) -> dict[str, tuple[str, str | None]]:
    """Status and reason of every condition."""
    return {each["type"]: (each["status"], each.get("reason")) for each in found.get("status", {}).get("conditions", [])}


def phases(found: dict[str, Any]) -> list[str]:
    """The phases that a VMI has gone through."""
    return [each["phase"] for each in found.get("status", {}).get("phaseTransitionTimestamps", [])]


def event_reasons(sandbox: Command, name: str) -> list[tuple[str, str]]:
    """Type and reason of the events of a VMI."""
    path = f"/api/v1/namespaces/default/events?fieldSelector=involvedObject.name%3D{name}"
    found = sandbox.api().request("GET", path)["items"]
    return sorted({(each["type"], each["reason"]) for each in found})


def start(sandbox: Command, grace_seconds: int = 0, **dials: str) -> None:
    """Make a set of one VM."""
    body = replica_set(NAME, 1, {f"{ANNOTATION}/{dial.replace('_', '-')}": value for dial, value in dials.items()})
    body["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = grace_seconds
    sandbox.api().request("POST", REPLICA_SETS, body)


def assert_like(found: dict[str, Any], step: str, already: frozenset[str] = frozenset()) -> None:
    """A VMI is like the recorded one: the same phases, conditions, and fields of its status; some may be there `already`."""
    real = recorded(f"vmi-lifecycle/{step}")
    assert phases(found) == phases(real)
    assert conditions(found) == conditions(real)
    assert fields(found["status"]) - already == fields(real["status"]) - already


def test_a_vmi_that_boots_has_the_fields_of_a_real_one(clean: Command) -> None:
    start(clean, boot_seconds="4", pull_seconds="2")
    eventually("Scheduling", lambda: conditions(only_vmi(clean)).get("Ready") == ("False", "GuestNotRunning"))
    # virt-controller writes these in a version of its own, which was not recorded.
    assert_like(only_vmi(clean), "02-Scheduling", frozenset({".activePods", ".qosClass"}))
    eventually("Scheduled", lambda: "LiveMigratable" in conditions(only_vmi(clean)))
    assert_like(only_vmi(clean), "04-Scheduled")
    eventually("ready", lambda: conditions(only_vmi(clean))["Ready"][0] == "True")
    assert_like(only_vmi(clean), "06-Running-ready")
    name, booted = only_vmi(clean)["metadata"]["name"], [("Normal", reason) for reason in ("Created", "Started", "SuccessfulCreate")]
    eventually("the last event", lambda: ("Normal", "Started") in event_reasons(clean, name))
    assert event_reasons(clean, name) == booted


def test_a_vmi_that_is_deleted_has_the_fields_of_a_real_one(clean: Command) -> None:
    start(clean, shutdown_seconds="4")
    eventually("ready", lambda: conditions(only_vmi(clean)).get("Ready", ("", None))[0] == "True")
    name = only_vmi(clean)["metadata"]["name"]
    clean.api().request("DELETE", f"{INSTANCES}/{name}")
    seen: dict[str, dict[str, Any]] = {}

    def is_gone() -> bool:
        found = clean.api().get(f"{INSTANCES}/{name}")
        if found and conditions(found)["Ready"][1] == "PodTerminating":
            seen.setdefault(found["status"]["phase"], found)
        return found is None

    eventually("gone", is_gone)
    assert_like(seen["Running"], "08-Running-terminating")
    assert_like(seen["Succeeded"], "09-Succeeded-terminating")


def test_a_guest_that_is_deaf_to_the_power_button_fails_after_its_grace_period(clean: Command) -> None:
    start(clean, grace_seconds=3, fault="no-acpi")
    eventually("ready", lambda: conditions(only_vmi(clean)).get("Ready", ("", None))[0] == "True")
    name = only_vmi(clean)["metadata"]["name"]
    clean.api().request("DELETE", f"{INSTANCES}/{name}")
    seen: set[str] = set()

    def is_gone() -> bool:
        found = clean.api().get(f"{INSTANCES}/{name}")
        seen.add(found["status"]["phase"] if found else "gone")
        return found is None

    # A real one with the usual 30 seconds is gone after 33.
    assert 3 < eventually("gone", is_gone) < 10
    assert seen == {"Running", "Failed", "gone"}


def test_a_vmi_of_no_set_whose_pod_is_deleted_has_crashed(clean: Command) -> None:
    template = replica_set(NAME, 1)["spec"]["template"]
    body = {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstance", **template}
    body["metadata"] = {**template["metadata"], "name": NAME}
    clean.api().request("POST", INSTANCES, body)
    eventually("ready", lambda: conditions(only_vmi(clean)).get("Ready", ("", None))[0] == "True")
    (pod,) = items(clean, PODS)
    clean.api().request("DELETE", f"{PODS}/{pod['metadata']['name']}")
    eventually("a crash", lambda: only_vmi(clean)["status"]["phase"] == "Failed")
    clean.api().request("DELETE", f"{INSTANCES}/{NAME}")
    eventually("its event", lambda: ("Warning", "Stopped") in event_reasons(clean, NAME))


def test_a_launcher_pod_asks_for_what_a_real_one_asks_for(clean: Command) -> None:
    start(clean, grace_seconds=30)
    eventually("ready", lambda: conditions(only_vmi(clean)).get("Ready", ("", None))[0] == "True")
    (found,), real = items(clean, PODS), recorded("launcher-pod")
    for kind in ("containers", "initContainers"):
        for mine, other in zip(found["spec"][kind], real["spec"][kind], strict=True):
            assert (mine["name"], mine.get("restartPolicy")) == (other["name"], other.get("restartPolicy"))
            asked = {
                amounts: {name: amount for name, amount in found_amounts.items() if name not in ACCELERATION}
                for amounts, found_amounts in mine["resources"].items()
            }
            assert asked == other["resources"], mine["name"]
    for field in ("readinessGates", "restartPolicy", "terminationGracePeriodSeconds"):
        assert found["spec"].get(field) == real["spec"].get(field)
    assert found["status"]["qosClass"] == real["status"]["qosClass"]
    assert conditions(found) == conditions(real)
    assert fields(found["status"]) == {field for field in fields(real["status"]) if not KUBELET_ONLY.search(field)}
