# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What KubeVirt's own functional tests check of replica sets, done with the modules.

Source: kubevirt ``tests/replicaset_test.go``.
"""

from __future__ import annotations

import pytest

from integration.support.ansible import Ansible
from integration.support.api import Api, eventually
from integration.support.cluster import Cluster
from integration.support.manifests import autoscaler, await_counts, counts, hpa, replica_set, vmirs

NAME, SCALER = "web", "web-scaler"


def names(api: Api, namespace: str) -> set[str]:
    return {item["metadata"]["name"] for item in api.items("vmis", namespace)}


@pytest.mark.parametrize(("start", "end"), [(3, 2), (5, 6)])
def test_it_scales_by_its_spec(local_ansible: Ansible, api: Api, namespace: str, start: int, end: int) -> None:
    seen = []
    for number in (start, end, 0):
        task = vmirs(definition=replica_set(NAME, number), wait=True, wait_timeout=90)
        done = local_ansible.run_tasks(task).require_ok()
        seen.append((done.last.is_changed, done.last["replicas"]["ready"], len(names(api, namespace))))
        assert counts(api.get("vmirs", namespace, NAME)) == (number,) * 3

    assert seen == [(True, number, number) for number in (start, end, 0)]


@pytest.mark.parametrize(("start", "end"), [pytest.param(3, 2, marks=pytest.mark.slow), (5, 6)])
def test_it_scales_by_an_autoscaler(local_ansible: Ansible, api: Api, namespace: str, start: int, end: int) -> None:
    local_ansible.run_tasks(vmirs(definition=replica_set(NAME, 1), wait=True, wait_timeout=60)).require_ok()
    for number in (start, end):
        local_ansible.run_tasks(hpa(definition=autoscaler(SCALER, NAME, number, number, cpu=900))).require_ok()
        await_counts(api, namespace, NAME, number, 90)
    local_ansible.run_tasks(hpa(name=SCALER, state="absent", wait=True)).require_ok()
    done = local_ansible.run_tasks(vmirs(name=NAME, replicas=0, wait=True, wait_timeout=60)).require_ok()

    assert done.last["replicas"]["current"] == 0
    assert names(api, namespace) == set()


def test_invalid_templates_are_rejected(local_ansible: Ansible, api: Api, namespace: str) -> None:
    wrong = replica_set(NAME, 1)
    wrong["spec"]["template"]["spec"]["volumes"] = []
    done = local_ansible.run_tasks(vmirs(definition=wrong)).require_failed()

    assert "spec.template.spec.domain.devices.disks[0].name" in done.last.message
    assert api.items("vmirs", namespace) == []


def test_vms_that_are_marked_for_deletion_are_gone_after_scaling_in(local_ansible: Ansible, api: Api, namespace: str) -> None:
    slow = replica_set(NAME, 3, annotations={"sandbox.vmscale.kubevirt/shutdown-seconds": "3"})
    local_ansible.run_tasks(vmirs(definition=slow, wait=True, wait_timeout=60)).require_ok()
    before = names(api, namespace)
    done = local_ansible.run_tasks(vmirs(name=NAME, replicas=1, wait=True, wait_timeout=60)).require_ok()

    assert done.last["replicas"] == {"desired": 1, "current": 1, "ready": 1, "outdated": 0, "terminating": 0}
    assert len(names(api, namespace)) == 1
    assert names(api, namespace) < before


def test_deleting_the_set_deletes_its_vms(local_ansible: Ansible, api: Api, namespace: str) -> None:
    local_ansible.run_tasks(vmirs(definition=replica_set(NAME, 2), wait=True, wait_timeout=60)).require_ok()
    local_ansible.run_tasks(vmirs(name=NAME, state="absent", wait=True, wait_timeout=60)).require_ok()

    assert api.find("vmirs", namespace, NAME) is None
    assert names(api, namespace) == set()


def test_deleting_the_set_and_leaving_orphans(local_ansible: Ansible, api: Api, namespace: str) -> None:
    local_ansible.run_tasks(vmirs(definition=replica_set(NAME, 2), wait=True, wait_timeout=60)).require_ok()
    before = names(api, namespace)
    local_ansible.run_tasks(vmirs(name=NAME, state="absent", orphan=True, wait=True, wait_timeout=30)).require_ok()

    assert names(api, namespace) == before
    assert all("ownerReferences" not in item["metadata"] for item in api.items("vmis", namespace))


def test_a_paused_set_does_not_scale(local_ansible: Ansible, api: Api, namespace: str) -> None:
    local_ansible.run_tasks(vmirs(definition=replica_set(NAME, 1), wait=True, wait_timeout=60)).require_ok()
    paused = local_ansible.run_tasks(vmirs(name=NAME, paused=True, replicas=3, wait=True, wait_timeout=30)).require_ok()
    assert paused.last["replicas"] == {"desired": 3, "current": 1, "ready": 1, "outdated": 0, "terminating": 0}
    assert len(names(api, namespace)) == 1

    resumed = local_ansible.run_tasks(vmirs(name=NAME, paused=False, wait=True, wait_timeout=60)).require_ok()
    assert resumed.last["replicas"]["ready"] == 3


def test_finished_vms_are_replaced(local_ansible: Ansible, api: Api, namespace: str) -> None:
    task = vmirs(definition=replica_set(NAME, 2), wait=True, wait_timeout=60)
    local_ansible.run_tasks(task).require_ok()
    before = {item["metadata"]["uid"] for item in api.items("vmis", namespace)}
    pod = api.items("pods", namespace, "kubevirt.io=virt-launcher")[0]["metadata"]["name"]
    api.delete("pods", namespace, pod)
    eventually(
        "a VM to be replaced",
        lambda: {item["metadata"]["uid"] for item in api.items("vmis", namespace)},
        lambda uids: bool(uids - before),
        60,
    )
    again = local_ansible.run_tasks(task).require_ok()

    assert not again.last.is_changed
    assert again.last["replicas"] == {"desired": 2, "current": 2, "ready": 2, "outdated": 0, "terminating": 0}
    assert len({item["metadata"]["uid"] for item in api.items("vmis", namespace)} & before) == 1


def test_vms_that_crash_are_replaced(local_ansible: Ansible, cluster: Cluster, api: Api, namespace: str) -> None:
    if not cluster.is_simulated:
        pytest.skip("needs VMs that crash at a word")
    crashing = replica_set(NAME, 1, annotations={"sandbox.vmscale.kubevirt/crash-after-seconds": "1"})
    local_ansible.run_tasks(vmirs(definition=crashing)).require_ok()
    seen: set[str] = set()

    def look() -> int:
        seen.update(item["metadata"]["uid"] for item in api.items("vmis", namespace))
        return len(seen)

    eventually("a second VM", look, lambda number: number > 1, 60)
    info = local_ansible.run_tasks({"vmscale.kubevirt.vmirs_info": {"name": NAME}}).require_ok().last["replica_sets"][0]
    assert info["replicas"]["desired"] == 1


def test_a_vm_that_loses_its_readiness_leaves_the_ready_count(local_ansible: Ansible, cluster: Cluster, api: Api, namespace: str) -> None:
    if not cluster.is_simulated:
        pytest.skip("needs VMs that lose their readiness at a word")
    task = vmirs(definition=replica_set(NAME, 2), wait=True, wait_timeout=60)
    local_ansible.run_tasks(task).require_ok()
    instance = api.items("vmis", namespace)[0]["metadata"]["name"]
    api.merge("vmis", namespace, instance, {"metadata": {"annotations": {"sandbox.vmscale.kubevirt/fault": "not-ready"}}})
    eventually("one VM to be unready", lambda: counts(api.get("vmirs", namespace, NAME)), lambda found: found == (2, 2, 1), 30)
    failed = local_ansible.run_tasks(vmirs(definition=replica_set(NAME, 2), wait=True, wait_timeout=2)).require_failed()

    assert not failed.last.is_changed
    assert f"VMI {instance} runs and is not ready (ContainersNotReady): " in failed.last.message
    assert "; 1 of 2 ready. " in failed.last.message
    api.merge("vmis", namespace, instance, {"metadata": {"annotations": {"sandbox.vmscale.kubevirt/fault": None}}})
    assert local_ansible.run_tasks(task).require_ok().last["replicas"]["ready"] == 2
