# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whose number of replicas counts: the task's, or that of an autoscaler."""

from __future__ import annotations

import pytest

from integration.support.ansible import Ansible
from integration.support.api import Api
from integration.support.audit import AuditLog
from integration.support.manifests import autoscaler, await_acknowledged, await_counts, replica_set, vmirs

pytestmark = pytest.mark.slow_remote

NAME, SCALER = "web", "web-scaler"


@pytest.fixture
def autoscaled(api: Api, namespace: str) -> None:
    """A set of 2, between the bounds 1 and 5 of an autoscaler that has no metrics to go by, because the set is paused."""
    wanted = replica_set(NAME, 2)
    wanted["spec"]["paused"] = True
    api.create("vmirs", namespace, wanted)
    api.create("hpas", namespace, autoscaler(SCALER, NAME, 1, 5))
    await_acknowledged(api, namespace, NAME)


def replicas_of(api: Api, namespace: str) -> int | None:
    found: int | None = api.get("vmirs", namespace, NAME)["spec"].get("replicas")
    return found


@pytest.mark.usefixtures("autoscaled")
@pytest.mark.parametrize("wanted", [1, 0])
def test_the_number_is_left_to_the_autoscaler(ansible: Ansible, api: Api, audit: AuditLog, namespace: str, wanted: int) -> None:
    mark = audit.mark()
    done = ansible.run_tasks(vmirs(name=NAME, replicas=wanted)).require_ok()

    assert not done.last.is_changed
    assert [request.verb for request in audit.requests(mark)] == ["get", "list"]
    assert replicas_of(api, namespace) == 2
    assert done.last["autoscaled_by"] == [SCALER]
    assert done.last["warnings"] == [
        f"replicas of VirtualMachineInstanceReplicaSet {namespace}/{NAME} left at 2 instead of {wanted}: "
        f"HorizontalPodAutoscaler {SCALER} scales it."
    ]


@pytest.mark.usefixtures("autoscaled")
def test_what_else_was_asked_for_is_written_all_the_same(local_ansible: Ansible, api: Api, namespace: str) -> None:
    done = local_ansible.run_tasks(vmirs(name=NAME, replicas=1, labels={"tier": "web"})).require_ok()

    assert done.last.is_changed
    assert replicas_of(api, namespace) == 2
    assert api.get("vmirs", namespace, NAME)["metadata"]["labels"] == {"tier": "web"}


@pytest.mark.usefixtures("autoscaled")
def test_set_writes_the_number_and_warns(ansible: Ansible, api: Api, namespace: str) -> None:
    done = ansible.run_tasks(vmirs(name=NAME, replicas=3, replicas_when_autoscaled="set")).require_ok()

    assert done.last.is_changed
    assert replicas_of(api, namespace) == 3
    assert done.last["warnings"] == [
        f"replicas of VirtualMachineInstanceReplicaSet {namespace}/{NAME} set to 3, although HorizontalPodAutoscaler {SCALER} "
        "scales it and may change it again."
    ]


@pytest.mark.usefixtures("autoscaled")
def test_fail_fails_before_anything_is_written(ansible: Ansible, api: Api, audit: AuditLog, namespace: str) -> None:
    mark = audit.mark()
    done = ansible.run_tasks(vmirs(name=NAME, replicas=3, replicas_when_autoscaled="fail")).require_failed()

    assert done.last.message == (
        f'"replicas" is 3, and VirtualMachineInstanceReplicaSet {namespace}/{NAME} has 2, set by HorizontalPodAutoscaler {SCALER}: '
        'leave "replicas" to it, or choose "replicas_when_autoscaled: keep" or "set".'
    )
    assert [request for request in audit.requests(mark) if request.is_write] == []
    assert replicas_of(api, namespace) == 2


@pytest.mark.usefixtures("autoscaled")
@pytest.mark.parametrize("policy", ["keep", "fail"])
def test_the_same_number_is_no_conflict(local_ansible: Ansible, policy: str) -> None:
    done = local_ansible.run_tasks(vmirs(name=NAME, replicas=2, replicas_when_autoscaled=policy)).require_ok()

    assert not done.last.is_changed
    assert "warnings" not in done.last.data


@pytest.mark.usefixtures("autoscaled")
def test_a_set_at_zero_is_nobodys(local_ansible: Ansible, api: Api, namespace: str) -> None:
    api.merge("vmirs", namespace, NAME, {"spec": {"replicas": 0}})
    done = local_ansible.run_tasks(vmirs(name=NAME, replicas=2)).require_ok()

    assert done.last.is_changed
    assert replicas_of(api, namespace) == 2


def test_zero_is_a_number_like_any_other(ansible: Ansible, api: Api, namespace: str) -> None:
    created = ansible.run_tasks(vmirs(definition=replica_set(NAME, 0), wait=True, wait_timeout=30)).require_ok()
    up = ansible.run_tasks(vmirs(name=NAME, replicas=1, wait=True, wait_timeout=30)).require_ok()
    down = ansible.run_tasks(vmirs(name=NAME, replicas=0, wait=True, wait_timeout=30)).require_ok()
    again = ansible.run_tasks(vmirs(name=NAME, replicas=0, wait=True, wait_timeout=30)).require_ok()

    assert [run.last.is_changed for run in (created, up, down, again)] == [True, True, True, False]
    assert [run.last["replicas"]["ready"] for run in (created, up, down, again)] == [0, 1, 0, 0]
    assert api.items("vmis", namespace) == []


def test_a_new_set_without_a_number_gets_one(local_ansible: Ansible, api: Api, namespace: str) -> None:
    done = local_ansible.run_tasks(vmirs(definition=replica_set(NAME, None), paused=True)).require_ok()

    assert done.last["autoscaled_by"] == []
    assert replicas_of(api, namespace) == 1


def test_a_new_set_without_a_number_gets_the_minimum_of_its_autoscaler(local_ansible: Ansible, api: Api, namespace: str) -> None:
    api.create("hpas", namespace, autoscaler(SCALER, NAME, 3, 5))
    done = local_ansible.run_tasks(vmirs(definition=replica_set(NAME, None), paused=True)).require_ok()

    assert done.last["autoscaled_by"] == [SCALER]
    assert replicas_of(api, namespace) == 3


def test_a_set_that_lost_its_number_gets_one_again(local_ansible: Ansible, api: Api, namespace: str) -> None:
    api.create("vmirs", namespace, replica_set(NAME, None))
    await_acknowledged(api, namespace, NAME)
    done = local_ansible.run_tasks(vmirs(definition=replica_set(NAME, None), template_hash=False)).require_ok()

    assert done.last.is_changed
    assert replicas_of(api, namespace) == 1


def test_a_manifest_without_a_number_leaves_the_live_one(local_ansible: Ansible, api: Api, namespace: str) -> None:
    task = vmirs(definition=replica_set(NAME, None), paused=True)
    local_ansible.run_tasks(task).require_ok()
    api.merge("vmirs", namespace, NAME, {"spec": {"replicas": 4}})
    await_acknowledged(api, namespace, NAME)

    assert not local_ansible.run_tasks(task).require_ok().last.is_changed
    assert replicas_of(api, namespace) == 4


def test_an_autoscaler_that_acts_keeps_its_number(local_ansible: Ansible, api: Api, namespace: str) -> None:
    task = vmirs(definition=replica_set(NAME, 1), wait=True, wait_timeout=60)
    local_ansible.run_tasks(task).require_ok()
    api.create("hpas", namespace, autoscaler(SCALER, NAME, 2, 2))
    await_counts(api, namespace, NAME, 2)

    done = local_ansible.run_tasks(task).require_ok()

    assert not done.last.is_changed
    assert done.last["replicas"]["ready"] == 2
