# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pausing, deleting and waiting."""

from __future__ import annotations

import re
import time

import pytest

from dev.sandbox import Sandbox
from integration.support.ansible import Ansible
from integration.support.api import Api
from integration.support.manifests import await_counts, counts, replica_set, vmirs
from integration.support.sandbox import run_sandbox

NAME = "web"


def test_a_paused_set_is_ready_once_the_pause_is_acknowledged(ansible: Ansible, api: Api, namespace: str) -> None:
    done = ansible.run_tasks(vmirs(definition=replica_set(NAME, 2), paused=True, wait=True, wait_timeout=30)).require_ok()

    assert done.last["replicas"] == {"desired": 2, "current": 0, "ready": 0, "outdated": 0, "terminating": 0}
    conditions = api.get("vmirs", namespace, NAME)["status"]["conditions"]
    assert [condition["type"] for condition in conditions] == ["ReplicaPaused"]
    resumed = ansible.run_tasks(vmirs(name=NAME, paused=False, wait=True, wait_timeout=60)).require_ok()
    assert resumed.last["replicas"]["ready"] == 2


def test_orphans_run_on_and_are_adopted_again(ansible: Ansible, api: Api, namespace: str) -> None:
    task = vmirs(definition=replica_set(NAME, 2), wait=True, wait_timeout=60)
    ansible.run_tasks(task).require_ok()
    before = {item["metadata"]["uid"] for item in api.items("vmis", namespace)}
    gone = ansible.run_tasks(vmirs(name=NAME, state="absent", orphan=True, wait=True, wait_timeout=30)).require_ok()
    orphans = api.items("vmis", namespace)

    assert gone.last.is_changed
    assert api.find("vmirs", namespace, NAME) is None
    assert {item["metadata"]["uid"] for item in orphans} == before
    assert [item["metadata"].get("ownerReferences") for item in orphans] == [None, None]
    assert [item["status"]["phase"] for item in orphans] == ["Running", "Running"]

    again = ansible.run_tasks(task).require_ok()
    assert again.last["replicas"] == {"desired": 2, "current": 2, "ready": 2, "outdated": 0, "terminating": 0}
    assert {item["metadata"]["uid"] for item in api.items("vmis", namespace)} == before


def test_absent_waits_for_the_vms(ansible: Ansible, api: Api, namespace: str) -> None:
    ansible.run_tasks(vmirs(definition=replica_set(NAME, 2), wait=True, wait_timeout=60)).require_ok()
    gone = ansible.run_tasks(vmirs(name=NAME, state="absent", wait=True, wait_timeout=60)).require_ok()

    assert gone.last.is_changed
    assert gone.last["duration"] > 0
    assert api.items("vmis", namespace) == []
    assert gone.last["replicas"] == {"desired": 0, "current": 0, "ready": 0, "outdated": None, "terminating": 0}


def test_a_deletion_in_progress_is_waited_for(ansible: Ansible, api: Api, namespace: str) -> None:
    slow = replica_set(NAME, 1, annotations={"sandbox.vmscale.kubevirt/shutdown-seconds": "12"})
    ansible.run_tasks(vmirs(definition=slow, wait=True, wait_timeout=60)).require_ok()
    old = api.get("vmirs", namespace, NAME)["metadata"]["uid"]
    ansible.run_tasks(vmirs(name=NAME, state="absent")).require_ok()
    early = ansible.run_tasks(vmirs(definition=slow)).require_failed()
    again = ansible.run_tasks(vmirs(name=NAME, state="absent")).require_ok()
    anew = ansible.run_tasks(vmirs(definition=slow, wait=True, wait_timeout=60)).require_ok()

    assert early.last.message == (
        f"VirtualMachineInstanceReplicaSet {namespace}/{NAME} is being deleted, and a new one cannot be made before it is gone: "
        'run the task again later, or set "wait: true".'
    )
    assert not again.last.is_changed
    assert anew.last.is_changed
    assert anew.last["method"] == "create"
    live = api.get("vmirs", namespace, NAME)
    assert live["metadata"]["uid"] != old
    assert counts(live) == (1, 1, 1)


def test_a_deletion_that_takes_too_long_names_what_is_left(local_ansible: Ansible, namespace: str) -> None:
    slow = replica_set(NAME, 1, annotations={"sandbox.vmscale.kubevirt/shutdown-seconds": "8"})
    local_ansible.run_tasks(vmirs(definition=slow, wait=True, wait_timeout=60)).require_ok()
    done = local_ansible.run_tasks(vmirs(name=NAME, state="absent", wait=True, wait_timeout=2)).require_failed()

    start = f"VirtualMachineInstanceReplicaSet {namespace}/{NAME} is not gone after 2 s: VMI {NAME}"
    assert done.last.message.startswith(start)
    assert done.last["reasons"]
    assert done.last["method"] == "delete"


def test_a_wait_that_fails_names_the_vm_and_the_schedulers_reason(ansible: Ansible, api: Api, namespace: str) -> None:
    huge = replica_set(NAME, 1, memory="4000Gi")
    started = time.monotonic()
    done = ansible.run_tasks(vmirs(definition=huge, wait=True, wait_timeout=120)).require_failed()
    instance = api.items("vmis", namespace)[0]["metadata"]["name"]

    assert time.monotonic() - started < 40
    assert re.fullmatch(
        rf"VirtualMachineInstanceReplicaSet {namespace}/{NAME} is not ready after \d+ s, and waiting for the rest of 120 s is of no use: "
        rf"VMI {instance} cannot be scheduled: 0/\d+ nodes are available: .*Insufficient memory.*; 0 of 1 ready\. Add nodes .*",
        done.last.message,
    )
    assert done.last.is_changed
    assert done.last["method"] == "create"
    assert done.last["replicas"] == {"desired": 1, "current": 1, "ready": 0, "outdated": 0, "terminating": 0}
    assert done.last["duration"] >= 5
    assert done.last["result"]["metadata"]["name"] == NAME


def test_a_quota_that_is_exhausted_is_named(local_ansible: Ansible, api: Api, namespace: str) -> None:
    api.create("resourcequotas", namespace, {"metadata": {"name": "no-pods"}, "spec": {"hard": {"pods": "0"}}})
    done = local_ansible.run_tasks(vmirs(definition=replica_set(NAME, 1), wait=True, wait_timeout=4)).require_failed()

    assert "exceeded quota: no-pods" in done.last.message


def test_without_wait_nothing_is_waited_for(local_ansible: Ansible, api: Api, namespace: str) -> None:
    done = local_ansible.run_tasks(vmirs(definition=replica_set(NAME, 1))).require_ok()

    assert "duration" not in done.last.data
    assert done.last["replicas"]["outdated"] is None
    await_counts(api, namespace, NAME, 1)


def test_absent_where_nothing_is_is_no_change(ansible: Ansible) -> None:
    for wait in (False, True):
        done = ansible.run_tasks(vmirs(name="never-was", state="absent", wait=wait)).require_ok()
        assert not done.last.is_changed
        assert done.last["result"] == {}


@pytest.mark.serial
def test_a_pause_that_nobody_acknowledges_is_waited_for(local_ansible: Ansible, sandbox: Sandbox, namespace: str) -> None:
    local_ansible.run_tasks(vmirs(definition=replica_set(NAME, 0), wait=True, wait_timeout=30)).require_ok()
    run_sandbox(sandbox, "stop", "virt-controller")
    try:
        done = local_ansible.run_tasks(vmirs(name=NAME, paused=True, wait=True, wait_timeout=2)).require_failed()
    finally:
        run_sandbox(sandbox, "start", "virt-controller")

    assert done.last.message == (
        f"VirtualMachineInstanceReplicaSet {namespace}/{NAME} is not ready after 2 s: "
        "virt-controller has not acknowledged that it is paused."
    )
    assert done.last["reasons"] == ["virt-controller has not acknowledged that it is paused"]
    assert not local_ansible.run_tasks(vmirs(name=NAME, paused=True, wait=True, wait_timeout=60)).require_ok().last.is_changed
