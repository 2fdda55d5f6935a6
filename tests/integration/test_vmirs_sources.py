# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The set of the quick start, byte for byte, however it is given: a second run changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from integration.support.ansible import Ansible, Shell
from integration.support.api import Api
from integration.support.audit import AuditLog
from integration.support.manifests import await_acknowledged, replica_set, vmirs, written_part
from integration.support.seed import SEED_SET, manifest

pytestmark = pytest.mark.slow_remote

NAME = "testreplicaset"
TEXT = SEED_SET.read_text(encoding="utf-8")
MAPPING = manifest(SEED_SET)
SPEC = MAPPING["spec"]
SOURCES: dict[str, dict[str, Any]] = {
    "src": {"src": str(SEED_SET)},
    "text": {"definition": TEXT},
    "mapping": {"definition": MAPPING},
    "list": {"definition": {"apiVersion": "v1", "kind": "List", "items": [MAPPING]}},
    "alias": {"resource_definition": MAPPING},
    "options": {"name": NAME, **{key: SPEC[key] for key in ("replicas", "selector", "template")}},
    "completed": {"src": str(SEED_SET), "name": NAME, "replicas": 3, "selector": SPEC["selector"]},
}
# How a manifest is read does not depend on the shell, how it is found does.
CASES = [*(("local", source) for source in SOURCES), ("remote", "src"), ("remote", "text"), ("remote", "mapping")]


@pytest.mark.parametrize(("shell", "source"), CASES)
def test_the_seed_is_unchanged_the_second_time(
    make_ansible: Callable[..., Ansible], api: Api, audit: AuditLog, namespace: str, shell: Shell, source: str
) -> None:
    ansible = make_ansible(shell)
    task = vmirs(**SOURCES[source])
    first = ansible.run_tasks(task).require_ok()
    live = await_acknowledged(api, namespace, NAME)
    mark = audit.mark()
    second = ansible.run_tasks(task, diff=True).require_ok()

    assert first.last.is_changed
    assert first.last["result"]["spec"]["replicas"] == 3
    assert not second.last.is_changed
    assert [request.verb for request in audit.requests(mark)] == ["get"]
    assert live["spec"]["template"]["spec"]["domain"]["devices"]["disks"] == [{"name": "containerdisk"}]


def test_each_way_to_write_it_writes_the_same(local_ansible: Ansible, api: Api, namespace: str) -> None:
    seen = []
    for options in SOURCES.values():
        local_ansible.run_tasks(vmirs(**options)).require_ok()
        seen.append(written_part(api.get("vmirs", namespace, NAME)))

    assert all(one == seen[0] for one in seen)


def test_all_sources_may_follow_one_another_without_a_change(local_ansible: Ansible, api: Api, namespace: str) -> None:
    first, *others = (vmirs(**options) for options in SOURCES.values())
    local_ansible.run_tasks(first).require_ok()
    await_acknowledged(api, namespace, NAME)

    assert local_ansible.run_tasks(others).require_ok().changed == ()


@pytest.mark.parametrize("version", ["kubevirt.io/v1", "kubevirt.io/v1alpha3"])
def test_old_api_versions_are_taken(local_ansible: Ansible, api: Api, namespace: str, version: str) -> None:
    task = vmirs(definition=replica_set("old", 0) | {"apiVersion": version})
    local_ansible.run_tasks(task).require_ok()
    await_acknowledged(api, namespace, "old")

    assert not local_ansible.run_tasks(task).require_ok().last.is_changed


def test_an_export_of_kubectl_can_be_given_back(ansible: Ansible, api: Api, namespace: str) -> None:
    ansible.run_tasks(vmirs(src=str(SEED_SET))).require_ok()
    live = await_acknowledged(api, namespace, NAME)

    again = ansible.run_tasks(vmirs(definition=live)).require_ok()

    # KubeVirt's own annotations are in the export, and become the user's wish.
    assert not again.last.is_changed
