# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A job of each playbook, with the rights of its manifest and no others, and what it hands on to the next node of a workflow."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from integration.support.api import Api
from integration.support.awx_credential import BearerToken
from integration.support.awx_job import Awx, Job
from integration.support.awx_survey import answer_errors, job_variables
from integration.support.awx_templates import controller_data, job_template, survey
from integration.support.fleet import names, quick_set
from integration.support.job_rights import grant
from integration.support.manifests import autoscaler, await_counts

NAME = "web"


class Workflow:
    """Runs nodes one after another; each gets the answers of the workflow's survey and the artifacts of all nodes before it."""

    def __init__(self, directory: Path, server: BearerToken, api: Api, namespace: str, answers: Mapping[str, Any]) -> None:
        assert answer_errors(survey(controller_data()["controller_workflow"]["survey"]), answers) == []
        self.awx = Awx(directory, server)
        self.api = api
        self.namespace = namespace
        self.answers = answers
        self.artifacts: dict[str, Any] = {}

    def run(self, playbook: str, **answers: Any) -> Job:
        """Run the job template of a playbook with the rights of that playbook; answers are those of the node itself."""
        template = job_template(playbook)
        own = template["extra_vars"]
        runtime = {**answers, **self.artifacts, **self.answers}
        variables = {key: value for key, value in job_variables(own, survey(template["survey"]), runtime).items() if own.get(key) != value}
        token = grant(self.api, self.namespace, playbook)
        self.awx.credential = replace(self.server, token=token)
        job = self.awx.run(f"playbooks/{playbook}.yml", variables=variables, template_variables=own, verbosity=1)
        self.artifacts |= job.artifacts
        print(f"{playbook}: {job.status} in {job.seconds:.0f} s; places of the token: {job.places_of(token)}; artifacts:")
        print(json.dumps({name: {**kept, "description": "..."} for name, kept in job.artifacts.items()}))
        assert job.places_of(token) == []
        assert "may not" not in job.stdout, "a right is missing"
        return job

    @property
    def server(self) -> BearerToken:
        assert isinstance(self.awx.credential, BearerToken)
        return self.awx.credential


def test_a_workflow_with_a_job_of_each_playbook(operator_token: BearerToken, tmp_path: Path, api: Api, namespace: str) -> None:
    definitions = {"vmirs": quick_set(NAME, 2), "hpa": autoscaler(NAME, NAME, least=2, most=3, cpu=10000)}
    answers = {f"{each}_definition": yaml.safe_dump(definition) for each, definition in definitions.items()}
    # The set is there already, with another template, and has figures for the autoscaler before that is made.
    api.create("vmirs", namespace, quick_set(NAME, 2, memory="65M"))
    await_counts(api, namespace, NAME, 2)
    workflow = Workflow(tmp_path, operator_token, api, namespace, {**answers, "vmirs_namespace": namespace})
    before = set(names(api, namespace))

    ensured = workflow.run("ensure").require("successful").artifacts["vmscale_ensure"]
    assert (ensured["name"], ensured["namespace"], ensured["ready"], ensured["reasons"]) == (NAME, namespace, True, [])
    assert ensured["replicas"]["ready"] == 2
    assert ensured["autoscaler"]["name"] == NAME
    assert {each["type"] for each in ensured["autoscaler"]["conditions"]} == {"AbleToScale", "ScalingActive", "ScalingLimited"}
    assert "VirtualMachineInstanceReplicaSet pods:" in ensured["description"]

    verified = workflow.run("verify").require("successful").artifacts["vmscale_verify"]
    assert (verified["name"], verified["target"]["name"], verified["ready"], verified["reasons"]) == (NAME, NAME, True, [])
    assert verified["replicas"] == {"min": 2, "max": 3, "current": 2, "desired": 2}
    assert ("ScalingActive", "True") in {(each["type"], each["status"]) for each in verified["conditions"]}
    assert verified["description"].startswith("Name: ")

    rolled_out = workflow.run("rollout", rollout_max_unavailable="50%").require("successful").artifacts["vmscale_rollout"]
    assert set(rolled_out["replaced"]) == before
    assert (rolled_out["ready"], rolled_out["replicas"]["outdated"]) == (True, 0)
    assert rolled_out["description"] == f"VirtualMachineInstanceReplicaSet {namespace}/{NAME}: 2 of 2 ready"

    chosen = names(api, namespace)[0]
    named = {"scale_name": NAME, "scale_namespace": namespace, "scale_when_autoscaled": "set", "scale_autoscaler_bounds": "widen"}
    scaled = workflow.run("scale", **named, scale_remove=chosen).require("successful").artifacts["vmscale_scale"]
    assert (scaled["removed"], scaled["previous_replicas"], scaled["replicas"]["desired"]) == ([chosen], 2, 1)

    workflow.run("remove").require("successful")
    assert api.items("vmirs", namespace) == api.items("vmis", namespace) == api.items("hpas", namespace) == []


@pytest.mark.parametrize("playbook", ["verify", pytest.param("rollout", marks=pytest.mark.slow)])
def test_a_job_that_fails_hands_on_why(operator_token: BearerToken, tmp_path: Path, api: Api, namespace: str, playbook: str) -> None:
    api.create("vmirs", namespace, quick_set(NAME, 1))
    variables: Mapping[str, Mapping[str, Any]] = {
        "verify": {"verify_name": NAME, "verify_namespace": namespace, "verify_wait_timeout": 3},
        "rollout": {"rollout_name": NAME, "rollout_namespace": namespace},
    }
    job = Awx(tmp_path, operator_token).run(f"playbooks/{playbook}.yml", variables=variables[playbook]).require("failed")

    state = job.artifacts[f"vmscale_{playbook}"]
    assert state["ready"] is False
    assert NAME in state["reasons"][0]
    assert len(state["reasons"]) == 1
