# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""playbooks/controller.yml, against a server that answers as AWX's API does and records what it is asked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from dev.paths import CHECKOUT
from integration.support.ansible import Ansible
from integration.support.awx_api import TOKEN, AwxApi, Controller
from integration.support.awx_project import playbooks
from integration.support.awx_templates import controller_data, survey
from integration.support.results import Run

URL = "https://github.com/vmscale/vmscale.kubevirt"
PLAYBOOKS = ("ensure", "verify", "scale", "rollout", "remove")
NODES = ("ensure", "verify", "approve", "rollout")
# A credential type, a project, an inventory with a host, templates, a workflow, and its nodes.
WRITERS = {"credential_type", "project", "inventory", "host", "job_template", "workflow_job_template", "workflow_job_template_node"}


@pytest.fixture
def awx() -> Iterator[AwxApi]:
    """AWX, for the modules of awx.awx; the newest releases of the package ansible come without them."""
    if find_spec("ansible_collections.awx") is None:
        pytest.skip("needs awx.awx")
    with AwxApi({URL: playbooks(CHECKOUT), "https://example.com/wrapper": {f"{name}.yml" for name in PLAYBOOKS}}) as server:
        yield server


@pytest.fixture
def ansible(tmp_path: Path) -> Ansible:
    """Ansible without a cluster."""
    return Ansible(tmp_path, None)


def run(ansible: Ansible, awx: AwxApi, check: bool = False, **variables: Any) -> Run:
    environment = {"CONTROLLER_HOST": awx.url, "CONTROLLER_OAUTH_TOKEN": TOKEN}
    return ansible.run("vmscale.kubevirt.controller", environment=environment, variables=variables, check=check)


def linked(controller: Controller, node: str) -> list[str]:
    """Return the nodes that follow a node when it succeeds."""
    number = controller.get("workflow_job_template_nodes", node)["id"]
    nodes = controller.objects["workflow_job_template_nodes"]
    return [nodes[each]["identifier"] for each in controller.links.get(f"workflow_job_template_nodes/{number}/success_nodes", [])]


@pytest.mark.versions
def test_the_second_run_sends_no_write(ansible: Ansible, awx: AwxApi) -> None:
    controller = awx.controller
    first = run(ansible, awx).require_ok()
    wrote, mark = controller.writes(), len(controller.requests)
    second = run(ansible, awx).require_ok()
    print("\n".join(["first run:", *wrote, f"second run, of {len(controller.requests) - mark} requests:", *controller.writes(mark)]))

    assert {task.action.rpartition(".")[2] for task in first.changed} == WRITERS
    assert second.changed == ()
    assert controller.writes(mark) == []
    assert len(controller.requests) > mark
    assert {asked.code for asked in controller.requests} <= {200, 201, 204}
    assert TOKEN not in first.stdout + first.stderr + second.stdout + second.stderr
    check_what_is_there(controller)


def check_what_is_there(controller: Controller) -> None:
    data = controller_data()
    for name in PLAYBOOKS:
        made = controller.get("job_templates", f"vmscale.kubevirt {name}")
        (wanted,) = (each for each in data["controller_job_templates"] if each["playbook"] == name)
        assert made["playbook"] == f"playbooks/{name}.yml"
        assert json.loads(made["extra_vars"]) == wanted["extra_vars"]
        assert controller.surveys[made["id"]] == survey(wanted["survey"])
        assert made["survey_enabled"]
    assert controller.get("credential_types", "Kubeconfig")["injectors"] == data["controller_credential_type"]["injectors"]
    host = json.loads(controller.get("hosts", "localhost")["variables"])
    assert host == {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    assert [linked(controller, node) for node in NODES] == [["verify"], ["approve"], ["rollout"], []]
    approval = controller.objects["workflow_approval_templates"][
        controller.get("workflow_job_template_nodes", "approve")["unified_job_template"]
    ]
    assert approval["name"] == "Roll out"
    workflow = controller.get("workflow_job_templates", "vmscale.kubevirt")
    assert controller.surveys[workflow["id"]] == survey(data["controller_workflow"]["survey"])


@pytest.mark.slow
def test_what_was_changed_by_hand_is_put_right_and_nothing_else(ansible: Ansible, awx: AwxApi) -> None:
    controller = awx.controller
    token = controller.add("credential_types", name="OpenShift or Kubernetes API Bearer Token", kind="kubernetes", managed=True)
    controller.add("credentials", name="cluster", credential_type=token["id"])
    settings: dict[str, Any] = {
        "controller_project_url": "https://example.com/wrapper",
        "controller_playbook_directory": "",
        "controller_prefix": "web",
        "controller_credentials": ["cluster"],
    }
    run(ansible, awx, **settings).require_ok()
    scale = controller.get("job_templates", "web scale")
    assert scale["playbook"] == "scale.yml"
    assert controller.links[f"job_templates/{scale['id']}/credentials"] == [controller.get("credentials", "cluster")["id"]]
    del controller.surveys[scale["id"]]["spec"][0]
    controller.get("job_templates", "web remove")["timeout"] = 5
    controller.links[f"workflow_job_template_nodes/{controller.get('workflow_job_template_nodes', 'verify')['id']}/success_nodes"].clear()
    mark = len(controller.requests)
    predicted = run(ansible, awx, check=True, **settings).require_ok()
    assert controller.writes(mark) == [], "check mode wrote"
    again = run(ansible, awx, **settings).require_ok()

    wrong = ["job_template", "job_template", "workflow_job_template_node"]
    assert [task.action.rpartition(".")[2] for task in again.changed] == [task.action.rpartition(".")[2] for task in predicted.changed]
    assert len(controller.writes(mark)) == len(wrong)
    assert controller.surveys[scale["id"]]["spec"][0]["variable"] == "scale_name"
    assert controller.get("job_templates", "web remove")["timeout"] == 600
    assert linked(controller, "verify") == ["approve"]


@pytest.mark.slow
def test_a_project_without_the_playbooks_is_refused(ansible: Ansible, awx: AwxApi) -> None:
    done = run(ansible, awx, controller_project_url="https://example.com/wrapper").require_failed()

    assert "Playbook not found for project." in str(done.failed[0].data)


def test_without_awx_awx_it_says_what_is_missing(ansible: Ansible, awx: AwxApi) -> None:
    environment = {"ANSIBLE_COLLECTIONS_SCAN_SYS_PATH": "false"}
    done = ansible.run("vmscale.kubevirt.controller", environment=environment).require_failed()

    assert done.failed[0].message.startswith("This playbook needs the collection awx.awx, which is not installed: run")
    assert awx.controller.requests == []
