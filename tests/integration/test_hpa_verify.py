# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""hpa_verify: fails with every reason, and only where there is one."""

from __future__ import annotations

from typing import Any

import pytest

from integration.support.ansible import Ansible, Task
from integration.support.api import Api
from integration.support.audit import AuditLog
from integration.support.manifests import autoscaler, await_acknowledged, hpa, replica_set, vmirs

NAME, TARGET = "web-scaler", "web"


def verify(**options: Any) -> Task:
    return {"name": "Verify", "vmscale.kubevirt.hpa_verify": {"name": NAME, **options}}


@pytest.mark.slow_remote
def test_what_works_is_verified_and_each_wrong_expectation_is_named(ansible: Ansible, audit: AuditLog, namespace: str) -> None:
    ansible.run_tasks(
        [
            vmirs(definition=replica_set(TARGET, 1), wait=True, wait_timeout=60),
            hpa(definition=autoscaler(NAME, TARGET, 1, 3, cpu=500), wait=True, wait_timeout=90),
        ]
    ).require_ok()
    mark = audit.mark()
    right = {"target": {"name": TARGET}, "min_replicas": 1, "max_replicas": 3, "current_replicas": 1, "not_limited": True}
    for check in (True, False):
        done = ansible.run_tasks(verify(**right, wait_timeout=60), check=check).require_ok()
        assert not done.last.is_changed
        assert done.last["reasons"] == []
        assert (
            f"Reference:                                             VirtualMachineInstanceReplicaSet/{TARGET}" in done.last["description"]
        )
    wrong = {"target": {"name": "other"}, "min_replicas": 2, "max_replicas": 4, "current_replicas": 3}
    failed = ansible.run_tasks(verify(**wrong, wait=False)).require_failed()

    assert failed.last["reasons"] == [
        "it scales VirtualMachineInstanceReplicaSet web (kubevirt.io/v1) and not VirtualMachineInstanceReplicaSet other (kubevirt.io/v1)",
        "minReplicas is 1 and not 2",
        "maxReplicas is 3 and not 4",
        "current replicas is 1 and not 3",
    ]
    reasons = "; ".join(failed.last["reasons"])
    assert failed.last.message == f"HorizontalPodAutoscaler {namespace}/{NAME} does not work: {reasons}."
    assert not failed.last.is_changed
    assert [request for request in audit.requests(mark) if request.is_write] == []


def test_a_missing_autoscaler(ansible: Ansible, namespace: str) -> None:
    failed = ansible.run_tasks(verify(wait=False)).require_failed()

    assert failed.last["reasons"] == [f"HorizontalPodAutoscaler {namespace}/{NAME} does not exist"]
    assert failed.last["result"] == {}
    assert failed.last["description"] == ""


def test_a_missing_target(local_ansible: Ansible, api: Api, namespace: str) -> None:
    api.create("hpas", namespace, autoscaler(NAME, TARGET, 1, 3))
    failed = local_ansible.run_tasks(verify(wait_timeout=60)).require_failed()

    assert f"its target VirtualMachineInstanceReplicaSet {TARGET} does not exist" in failed.last["reasons"]
    assert any(reason.startswith("AbleToScale is False (FailedGetScale: ") for reason in failed.last["reasons"])


def test_a_target_without_a_number(local_ansible: Ansible, api: Api, namespace: str) -> None:
    api.create("vmirs", namespace, replica_set(TARGET, None))
    await_acknowledged(api, namespace, TARGET)
    api.create("hpas", namespace, autoscaler(NAME, TARGET, 1, 3))
    failed = local_ansible.run_tasks(verify(wait_timeout=4)).require_failed()

    assert f"target {TARGET} has no spec.replicas, so it cannot be scaled" in failed.last["reasons"]


def test_not_limited_fails_at_the_upper_bound(local_ansible: Ansible) -> None:
    local_ansible.run_tasks(
        [
            vmirs(definition=replica_set(TARGET, 1), wait=True, wait_timeout=60),
            hpa(definition=autoscaler(NAME, TARGET, 1, 1, cpu=1), wait=True, wait_timeout=90),
        ]
    ).require_ok()
    failed = local_ansible.run_tasks(verify(not_limited=True, wait_timeout=2)).require_failed()

    assert failed.last["reasons"] == [
        "ScalingLimited is True (TooManyReplicas: the desired replica count is more than the maximum replica count)"
    ]
    local_ansible.run_tasks(verify(wait_timeout=30)).require_ok()
