# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every way to hand over credentials works, and through both shells."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from integration.support.ansible import Ansible, Shell
from integration.support.audit import AuditLog
from integration.support.cluster import Cluster
from integration.support.credential_forms import Form, forms
from integration.support.credentials import read_credentials
from integration.support.manifests import replica_set, vmirs


@pytest.fixture
def all_forms(cluster: Cluster, tmp_path: Path) -> dict[str, Form]:
    if cluster.sandbox is None:
        pytest.skip("needs the certificates and the token of the sandbox")
    return forms(read_credentials(cluster.sandbox.name), tmp_path, cluster.admin)


def test_every_form_of_credentials(make_ansible: Callable[..., Ansible], audit: AuditLog, all_forms: dict[str, Form], shell: Shell) -> None:
    # In check mode each sends a dry run of a create, which the audit log shows with its user.
    tasks = [
        {**vmirs(definition=replica_set("web", 0), **form.options), "name": name, "environment": dict(form.environment)}
        for name, form in all_forms.items()
    ]
    mark = audit.mark()
    done = make_ansible(shell, None).run_tasks([{**task, "ignore_errors": True} for task in tasks], check=True)
    writes = [request for request in audit.requests(mark, user=None) if request.is_write and request.agent.startswith("vmscale.kubevirt")]

    assert {task.name: task.message for task in done.tasks if task.status != "ok"} == {}
    assert [task.is_changed for task in done.tasks] == [True] * len(all_forms)
    assert [request.user for request in writes] == [form.user for form in all_forms.values()]
    assert [request.code for request in writes] == [201] * len(all_forms)


def test_module_defaults_of_the_group_hold_for_every_module(
    make_ansible: Callable[..., Ansible], all_forms: dict[str, Form], namespace: str, shell: Shell
) -> None:
    connection = {**all_forms["host and token"].options, "namespace": namespace}
    tasks = [
        vmirs(definition=replica_set("web", 0)),
        {"vmscale.kubevirt.hpa": {"name": "web", "target": {"name": "web"}, "max_replicas": 2, "target_cpu_utilization": 50}},
        {"vmscale.kubevirt.vmirs_info": {"name": "web"}},
        {"vmscale.kubevirt.hpa_info": {"name": "web"}},
        {"vmscale.kubevirt.hpa_verify": {"name": "web", "wait": False}, "ignore_errors": True},
    ]
    defaults = {"group/vmscale.kubevirt.vmirs": connection}
    done = make_ansible(shell, None).run_tasks(tasks, module_defaults=defaults).require_ok()

    assert [task.is_changed for task in done.tasks] == [True, True, False, False, False]
    assert done.tasks[2]["replica_sets"][0]["namespace"] == namespace
    assert done.tasks[3]["exists"]
    assert "ScalingActive" in done.tasks[4].message or "its controller" in done.tasks[4].message
