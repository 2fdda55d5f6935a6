# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The autoscaler of the quick start, byte for byte, however it is given: a second run changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from integration.support.ansible import Ansible, Shell
from integration.support.api import Api
from integration.support.audit import AuditLog
from integration.support.manifests import hpa, replica_set, written_part
from integration.support.seed import SEED_AUTOSCALER, manifest

pytestmark = pytest.mark.slow_remote

NAME, TARGET = "test-hpa", "testreplicaset"
TEXT = SEED_AUTOSCALER.read_text(encoding="utf-8")
MAPPING = manifest(SEED_AUTOSCALER)
CPU = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}}
TYPED = {"name": NAME, "target": {"name": TARGET}, "min_replicas": 3, "max_replicas": 5}
SOURCES: dict[str, dict[str, Any]] = {
    "src": {"src": str(SEED_AUTOSCALER)},
    "text": {"definition": TEXT},
    "mapping": {"definition": MAPPING},
    "options": {**TYPED, "target_cpu_utilization": 50},
    "metrics": {**TYPED, "metrics": [CPU]},
    "completed": {"src": str(SEED_AUTOSCALER), "name": NAME, "target": {"name": TARGET}, "target_cpu_utilization": 50},
}
# How a manifest is read does not depend on the shell, how it is found does.
CASES = [*(("local", source) for source in SOURCES), ("remote", "src"), ("remote", "text"), ("remote", "mapping")]


@pytest.fixture(autouse=True)
def target(api: Api, namespace: str) -> Iterator[None]:
    """The set that the autoscaler scales, without VMs: the autoscaler then leaves it alone."""
    api.create("vmirs", namespace, replica_set(TARGET, 0))
    yield


@pytest.mark.parametrize(("shell", "source"), CASES)
def test_the_seed_is_unchanged_the_second_time(
    make_ansible: Callable[..., Ansible], api: Api, audit: AuditLog, namespace: str, shell: Shell, source: str
) -> None:
    ansible = make_ansible(shell)
    task = hpa(**SOURCES[source])
    first = ansible.run_tasks(task).require_ok()
    mark = audit.mark()
    second = ansible.run_tasks(task, diff=True).require_ok()

    assert first.last.is_changed
    assert not second.last.is_changed
    assert [request.verb for request in audit.requests(mark)] == ["get"]
    assert first.last["result"]["apiVersion"] == "autoscaling/v2"
    assert (first.last["replicas"]["min"], first.last["replicas"]["max"]) == (3, 5)
    assert api.get("hpas", namespace, NAME)["spec"]["metrics"] == [CPU]


def test_each_way_to_write_it_writes_the_same(local_ansible: Ansible, api: Api, namespace: str) -> None:
    seen = []
    for options in SOURCES.values():
        local_ansible.run_tasks(hpa(**options)).require_ok()
        seen.append(written_part(api.get("hpas", namespace, NAME)))

    assert all(one == seen[0] for one in seen)


def test_all_sources_may_follow_one_another_without_a_change(local_ansible: Ansible) -> None:
    first, *others = (hpa(**options) for options in SOURCES.values())
    local_ansible.run_tasks(first).require_ok()

    assert local_ansible.run_tasks(others).require_ok().changed == ()


def test_an_autoscaler_that_was_written_in_v1_by_others_is_adopted(ansible: Ansible, api: Api, audit: AuditLog, namespace: str) -> None:
    api.call("POST", f"/apis/autoscaling/v1/namespaces/{namespace}/horizontalpodautoscalers", MAPPING)
    mark = audit.mark()
    adopted = ansible.run_tasks(hpa(src=str(SEED_AUTOSCALER)), diff=True).require_ok()

    assert not adopted.last.is_changed
    assert [request.verb for request in audit.requests(mark)] == ["get"]
