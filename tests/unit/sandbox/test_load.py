# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A set's load is a total that its ready VMs share."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.load import Load, Usage, requested_millicores, share_out


def instance(uid: str, *, is_ready: bool = True, owner: str = "web", cores: int = 1) -> dict[str, Any]:
    """A VMI of a set."""
    return {
        "metadata": {"uid": uid, "ownerReferences": [{"kind": "VirtualMachineInstanceReplicaSet", "name": owner}]},
        "spec": {"domain": {"cpu": {"cores": cores}}},
        "status": {"conditions": [{"type": "Ready", "status": "True" if is_ready else "False"}]},
    }


def pod(uid: str, phase: str = "Running") -> dict[str, Any]:
    """The launcher pod of a VMI, with the requests of the smallest VM."""
    return {
        "metadata": {"name": f"pod-{uid}", "labels": {"kubevirt.io/created-by": uid}},
        "spec": {
            "containers": [container("compute", "100m"), container("volumecontainerdisk", "1m")],
            "initContainers": [{**container("guest-console-log", "5m"), "restartPolicy": "Always"}, container("init", "10m")],
        },
        "status": {"phase": phase},
    }


def container(name: str, cpu: str) -> dict[str, Any]:
    """A container with a CPU request."""
    return {"name": name, "resources": {"requests": {"cpu": cpu}}}


def test_sidecars_count_and_other_init_containers_do_not() -> None:
    assert requested_millicores(pod("a")) == 106


@pytest.mark.parametrize("cpu", ["1", "1.0", "1000m", 1])
def test_requests_come_in_every_notation(cpu: str) -> None:
    assert requested_millicores({"spec": {"containers": [container("compute", cpu)]}}) == 1000


@pytest.mark.parametrize(("ready", "percent"), [(3, 80), (5, 48), (6, 40), (0, 240)])
def test_more_vms_have_less_each(ready: int, percent: float) -> None:
    assert Load("default", "web", 80, 3).share(ready) == percent


def test_only_ready_vms_of_the_set_share() -> None:
    instances = [instance("a"), instance("b", is_ready=False), instance("c", owner="other"), instance("d")]
    pods = [pod("a"), pod("b"), pod("c"), pod("d"), pod("e")]
    usages = share_out(Load("default", "web", 100, 2), instances, pods)
    # 106 millicores, less one for the other container and half a one for rounding.
    assert usages == [Usage("default", "pod-a", 104_500), Usage("default", "pod-d", 104_500)]


def test_a_pod_that_does_not_run_uses_nothing() -> None:
    assert share_out(Load("default", "web", 100, 1), [instance("a")], [pod("a", "Succeeded")]) == []


def test_a_vm_cannot_use_more_than_its_virtual_cpus() -> None:
    usages = share_out(Load("default", "web", 5000, 1), [instance("a", cores=2)], [pod("a")])
    assert usages == [Usage("default", "pod-a", 1_999_500)]
