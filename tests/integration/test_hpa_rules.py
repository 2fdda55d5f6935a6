# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What hpa leaves alone, takes away, looks for and waits for."""

from __future__ import annotations

import re
from typing import Any

import pytest

from integration.support.ansible import Ansible
from integration.support.api import Api
from integration.support.manifests import autoscaler, await_counts, hpa, replica_set, vmirs

pytestmark = pytest.mark.slow_remote

NAME, TARGET = "web-scaler", "web"
SLOWLY = {"scaleDown": {"stabilizationWindowSeconds": 60, "policies": [{"type": "Pods", "value": 1, "periodSeconds": 30}]}}


@pytest.fixture
def target(api: Api, namespace: str) -> None:
    """A set without VMs: the autoscaler leaves it alone."""
    api.create("vmirs", namespace, replica_set(TARGET, 0))


@pytest.mark.usefixtures("target")
def test_a_partial_change_keeps_the_rest(ansible: Ansible, api: Api, namespace: str) -> None:
    whole = autoscaler(NAME, TARGET, 1, 3)
    ansible.run_tasks(hpa(definition=whole, labels={"tier": "web"})).require_ok()
    parts: list[dict[str, Any]] = [
        {"max_replicas": 6},
        {"min_replicas": 2},
        {"target_cpu_utilization": 70},
        {"behavior": SLOWLY},
        {"labels": {"more": "yes"}},
    ]
    tasks = [hpa(name=NAME, **part) for part in parts]
    done = ansible.run_tasks([*tasks, *tasks]).require_ok()
    live = api.get("hpas", namespace, NAME)

    assert [task.is_changed for task in done.tasks] == [True] * 5 + [False] * 5
    assert live["spec"]["scaleTargetRef"] == whole["spec"]["scaleTargetRef"]
    assert (live["spec"]["minReplicas"], live["spec"]["maxReplicas"]) == (2, 6)
    assert live["spec"]["metrics"][0]["resource"]["target"]["averageUtilization"] == 70
    assert live["spec"]["behavior"]["scaleDown"]["stabilizationWindowSeconds"] == 60
    assert live["metadata"]["labels"] == {"tier": "web", "more": "yes"}


@pytest.mark.usefixtures("target")
def test_what_is_taken_out_of_the_manifest_goes_away(ansible: Ansible, api: Api, namespace: str) -> None:
    whole = autoscaler(NAME, TARGET, 1, 3)
    ansible.run_tasks(hpa(definition=whole, behavior=SLOWLY, labels={"tier": "web"})).require_ok()
    done = ansible.run_tasks(hpa(definition=whole)).require_ok()
    again = ansible.run_tasks(hpa(definition=whole)).require_ok()
    live = api.get("hpas", namespace, NAME)

    assert [done.last.is_changed, again.last.is_changed] == [True, False]
    assert "behavior" not in live["spec"]
    assert "labels" not in live["metadata"]


@pytest.mark.usefixtures("target")
def test_a_bound_is_checked_against_the_live_other_one(local_ansible: Ansible, api: Api, namespace: str) -> None:
    local_ansible.run_tasks(hpa(definition=autoscaler(NAME, TARGET, 2, 3))).require_ok()
    done = local_ansible.run_tasks(hpa(name=NAME, min_replicas=4)).require_failed()

    assert done.last.message == (
        f'"min_replicas" (4) would be above "max_replicas" (3) of HorizontalPodAutoscaler {namespace}/{NAME}: it must not be greater.'
    )
    assert api.get("hpas", namespace, NAME)["spec"]["minReplicas"] == 2


@pytest.mark.usefixtures("target")
def test_quantities_in_other_words_are_no_change(local_ansible: Ansible) -> None:
    wanted = autoscaler(NAME, TARGET, 1, 3)
    wanted["spec"]["metrics"] = [
        {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "AverageValue", "averageValue": "1000m"}}}
    ]
    local_ansible.run_tasks(hpa(definition=wanted)).require_ok()

    assert not local_ansible.run_tasks(hpa(definition=wanted)).require_ok().last.is_changed


def test_it_waits_until_its_controller_acts(ansible: Ansible) -> None:
    ansible.run_tasks(vmirs(definition=replica_set(TARGET, 1), wait=True, wait_timeout=60)).require_ok()
    task = hpa(definition=autoscaler(NAME, TARGET, 1, 3, cpu=500), wait=True, wait_timeout=90)
    done = ansible.run_tasks(task).require_ok()
    again = ansible.run_tasks(task).require_ok()

    conditions = {condition["type"]: condition["status"] for condition in done.last["conditions"]}
    assert conditions["AbleToScale"] == conditions["ScalingActive"] == "True"
    assert done.last["metrics"][0]["resource"]["name"] == "cpu"
    assert done.last["replicas"] == {"min": 1, "max": 3, "current": 1, "desired": 1}
    assert not again.last.is_changed
    assert again.last["replicas"] == done.last["replicas"]


def test_a_wait_that_fails_says_why(ansible: Ansible, api: Api, namespace: str) -> None:
    api.create("vmirs", namespace, replica_set(TARGET, 0))
    done = ansible.run_tasks(hpa(definition=autoscaler(NAME, TARGET, 1, 3), wait=True, wait_timeout=120)).require_failed()

    assert re.fullmatch(
        rf"HorizontalPodAutoscaler {namespace}/{NAME} does not act after \d+ s, and waiting for the rest of 120 s is of no use: its target "
        r"has 0 replicas, which turns it off: scaling is disabled since the replica count of the target is zero\. .*",
        done.last.message,
    )
    assert done.last.is_changed
    assert api.get("hpas", namespace, NAME)["spec"]["maxReplicas"] == 3


def test_it_may_come_before_its_target(ansible: Ansible, namespace: str) -> None:
    asked = autoscaler(NAME, TARGET, 1, 3)
    predicted = ansible.run_tasks(hpa(definition=asked), check=True).require_ok()
    done = ansible.run_tasks(hpa(definition=asked, require_target=False)).require_ok()

    assert predicted.last.is_changed
    assert predicted.last["warnings"] == [
        f'"target" of HorizontalPodAutoscaler {namespace}/{NAME}, VirtualMachineInstanceReplicaSet {namespace}/{TARGET}, '
        "does not exist yet."
    ]
    assert done.last.is_changed
    assert "warnings" not in done.last.data


def test_other_kinds_of_targets_are_not_looked_for(local_ansible: Ansible, api: Api, namespace: str) -> None:
    target = {"name": "any", "kind": "Deployment", "api_version": "apps/v1"}
    done = local_ansible.run_tasks(hpa(name=NAME, target=target, max_replicas=2, target_cpu_utilization=50)).require_ok()

    assert done.last.is_changed
    assert api.get("hpas", namespace, NAME)["spec"]["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": "any"}


def test_its_bounds_move_the_set(local_ansible: Ansible, api: Api, namespace: str) -> None:
    local_ansible.run_tasks(vmirs(definition=replica_set(TARGET, 1), wait=True, wait_timeout=60)).require_ok()
    local_ansible.run_tasks(hpa(definition=autoscaler(NAME, TARGET, 2, 4, cpu=900))).require_ok()

    await_counts(api, namespace, TARGET, 2)
