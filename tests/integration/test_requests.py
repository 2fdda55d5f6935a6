# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How many requests a task costs, and how long it takes beside tasks that everyone knows."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from integration.support.ansible import Ansible
from integration.support.api import Api
from integration.support.audit import AuditLog, Request
from integration.support.manifests import autoscaler, await_acknowledged, await_counts, hpa, replica_set, vmirs, vmirs_rollout, vmirs_scale

# Nothing may ask the API server anything, or keep the machine busy, meanwhile.
pytestmark = pytest.mark.serial

NAME, SCALER = "web", "web-scaler"
# So many that each task is run at a quiet moment once, on a machine on which others work as well.
ROUNDS = 8


@pytest.fixture
def settled(local_ansible: Ansible) -> None:
    """A set with one ready VM, and its autoscaler, which acts."""
    local_ansible.run_tasks(
        [
            vmirs(definition=replica_set(NAME, 1), wait=True, wait_timeout=60),
            hpa(definition=autoscaler(SCALER, NAME, 1, 2, cpu=900), wait=True, wait_timeout=90),
        ]
    ).require_ok()


def resources(requests: list[Request]) -> list[str]:
    """Return verb and resource of each request."""
    return [f"{request.verb} {request.uri.partition('/namespaces/')[2].partition('?')[0].split('/')[1]}" for request in requests]


SET, VMS, HPAS = "virtualmachineinstancereplicasets", "virtualmachineinstances", "horizontalpodautoscalers"
REVISIONS = "controllerrevisions"
UNCHANGED: dict[str, tuple[Mapping[str, Any], list[str]]] = {
    "vmirs": (vmirs(definition=replica_set(NAME, 1)), [f"get {SET}"]),
    "vmirs, waiting": (vmirs(definition=replica_set(NAME, 1), wait=True), [f"get {SET}", f"list {VMS}"]),
    "vmirs, another number of replicas": (vmirs(name=NAME, replicas=2), [f"get {SET}", f"list {HPAS}"]),
    "vmirs, absent": (vmirs(name="no", state="absent", wait=True), [f"get {SET}"]),
    "hpa": (hpa(definition=autoscaler(SCALER, NAME, 1, 2, cpu=900)), [f"get {HPAS}"]),
    "hpa, waiting": (hpa(definition=autoscaler(SCALER, NAME, 1, 2, cpu=900), wait=True), [f"get {HPAS}"]),
    "hpa, absent": (hpa(name="no", state="absent", wait=True), [f"get {HPAS}"]),
    "vmirs, rollout": (vmirs(definition=replica_set(NAME, 1), rollout=True), [f"get {SET}", f"list {VMS}"]),
    "vmirs_scale": (vmirs_scale(name=NAME, replicas=1, wait=False), [f"get {SET}"]),
    "vmirs_scale, waiting": (vmirs_scale(name=NAME, replicas=1), [f"get {SET}", f"list {VMS}"]),
    "vmirs_rollout": (vmirs_rollout(name=NAME), [f"get {SET}", f"list {VMS}"]),
    "vmirs_info": (
        {"vmscale.kubevirt.vmirs_info": {"name": NAME}},
        [f"get {SET}", f"list {VMS}", f"list {HPAS}", f"list {REVISIONS}"],
    ),
    "hpa_info": ({"vmscale.kubevirt.hpa_info": {"name": SCALER}}, [f"get {HPAS}", "list events"]),
    "hpa_verify": (
        {"vmscale.kubevirt.hpa_verify": {"name": SCALER}},
        [f"get {HPAS}", f"get {SET}", f"list {VMS}", "list pods"],
    ),
}


@pytest.mark.usefixtures("settled")
def test_tasks_that_change_nothing(local_ansible: Ansible, audit: AuditLog, record_property: Callable[..., None]) -> None:
    seen = {}
    for name, (task, _expected) in UNCHANGED.items():
        mark = audit.mark()
        done = local_ansible.run_tasks(task).require_ok()
        assert not done.last.is_changed, name
        seen[name] = resources(audit.requests(mark))
        record_property(f"requests: {name}", len(seen[name]))
    print("\n" + "\n".join(f"{name:36} {len(requests)}  {', '.join(requests)}" for name, requests in seen.items()))

    assert seen == {name: expected for name, (_task, expected) in UNCHANGED.items()}


def test_a_wait_lists_once_and_watches(local_ansible: Ansible, audit: AuditLog) -> None:
    mark = audit.mark()
    local_ansible.run_tasks(vmirs(definition=replica_set(NAME, 2), wait=True, wait_timeout=60)).require_ok()
    # The API server records a watch when it ends, which may be a moment later.
    time.sleep(1)
    found = Counter(resources(audit.requests(mark)))
    print(f"\n{dict(found)}")

    # What explains a wait is watched from its first second on.
    explaining = {"watch pods", "watch events"}
    assert {what: number for what, number in found.items() if what not in explaining} == {
        f"get {SET}": 1,
        f"patch {SET}": 1,
        f"list {VMS}": 1,
        f"watch {VMS}": 1,
        f"watch {SET}": 1,
    }
    assert all(found[what] <= 1 for what in explaining)


def test_our_tasks_are_not_slower_than_those_of_kubernetes_core(
    make_ansible: Callable[..., Ansible], api: Api, namespace: str, record_property: Callable[..., None]
) -> None:
    paused = replica_set(NAME, 0)
    make_ansible().run_tasks(vmirs(definition=paused, template_hash=False)).require_ok()
    await_acknowledged(api, namespace, NAME)
    tasks: dict[str, dict[str, Any]] = {
        "ping": {"ansible.builtin.ping": {}},
        "vmirs": {"vmscale.kubevirt.vmirs": {"definition": paused, "template_hash": False}},
        "k8s": {"kubernetes.core.k8s": {"definition": paused, "namespace": namespace}},
    }
    # Another one begins each round.
    names = list(tasks)
    turns = [(names[(number + turn) % len(names)], number) for number in range(ROUNDS) for turn in range(len(names))]
    listed = [{"name": f"{name} {number}", **tasks[name]} for name, number in turns]
    seconds: dict[str, dict[str, float]] = {}
    for shell in ("local", "remote"):
        run = make_ansible(shell).run_tasks(listed).require_ok()
        assert [task for task in run.tasks if task.is_changed] == []
        timed = {name: [task.seconds for task in run.tasks if task.name.startswith(f"{name} ")] for name in tasks}
        # Whatever else the machine does makes a task slower, never quicker: the best of each tells what the task itself takes.
        seconds[shell] = {name: min(values) for name, values in timed.items()}
    print(f"\nbest seconds of {ROUNDS} unchanged tasks")
    for shell, found in seconds.items():
        print(f"{shell:8}" + "".join(f"{name:>8} {value:5.3f}" for name, value in found.items()))
        for name, value in found.items():
            record_property(f"seconds: {name}, {shell}", round(value, 3))

    for found in seconds.values():
        assert found["vmirs"] <= found["k8s"]


def test_watching_ends_when_the_cluster_is_as_asked_and_not_later(local_ansible: Ansible, api: Api, namespace: str) -> None:
    done = local_ansible.run_tasks(vmirs(definition=replica_set(NAME, 1), wait=True, wait_timeout=60)).require_ok()

    await_counts(api, namespace, NAME, 1, 0.1)
    assert done.last["duration"] < 30
