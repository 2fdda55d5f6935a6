# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Jobs as AWX runs them: credentials, answers, job types, verbosity."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from integration.support.api import Api
from integration.support.awx_credential import BearerToken, CustomCredential
from integration.support.awx_job import Awx, Job
from integration.support.awx_survey import answer_errors, job_variables
from integration.support.awx_templates import controller_data, job_template, survey
from integration.support.cluster import Cluster
from integration.support.fleet import names, quick_set, start
from integration.support.manifests import replica_set
from integration.support.seed import SEED_AUTOSCALER, SEED_SET

NAME = "web"
# What a job template's own variables are made of would be templates in an answer.
TYPED_IN = "#cloud-config\nhostname: '{{ ds.meta_data.local_hostname }}'\nruncmd: ['echo {% raw %} {{ 7 * 7 }}']\n"


@pytest.fixture
def awx(operator_token: BearerToken, tmp_path: Path) -> Awx:
    return Awx(tmp_path, operator_token)


def launch(awx: Awx, playbook: str, answers: Mapping[str, Any], **options: Any) -> Job:
    """Run the job template of a playbook with answers of its survey."""
    template = job_template(playbook)
    spec, own = survey(template["survey"]), template["extra_vars"]
    assert answer_errors(spec, answers) == []
    variables = {key: value for key, value in job_variables(own, spec, answers).items() if own.get(key) != value}
    return awx.run(f"playbooks/{playbook}.yml", variables=variables, template_variables=own, **options)


def empty_set(name: str = NAME) -> str:
    """Return the manifest of a set without VMs, as somebody types it in."""
    return yaml.safe_dump(replica_set(name, 0, user_data=TYPED_IN))


@pytest.mark.versions
def test_what_is_typed_in_is_text_whatever_it_looks_like(awx: Awx, api: Api, namespace: str) -> None:
    answers = {"vmirs_definition": empty_set(), "vmirs_namespace": namespace, "hpa_src": "", "hpa_name": "", "hpa_definition": ""}
    job = launch(awx, "ensure", answers).require("successful")

    live = api.get("vmirs", namespace, NAME)
    assert live["spec"]["template"]["spec"]["volumes"][1]["cloudInitNoCloud"]["userData"] == TYPED_IN
    assert job.artifacts["vmscale_ensure"]["name"] == NAME
    assert "hpa" not in job.results
    check_that_it_is_small(job)


def check_that_it_is_small(job: Job) -> None:
    sizes = [len(json.dumps(event.get("event_data", {}).get("res", {}))) for event in job.events]
    assert max(sizes) < 100_000, "AWX empties results of more than 700,000"
    assert len(json.dumps(job.artifacts)) < 10_000
    assert [event["counter"] for event in job.events] == list(range(1, len(job.events) + 1))


def test_names_come_as_one_text_and_numbers_as_numbers(awx: Awx, api: Api, namespace: str) -> None:
    first, second, third, _last = start(api, namespace, quick_set(NAME, 4))
    named = {"scale_name": NAME, "scale_namespace": namespace}
    by_text = launch(awx, "scale", {**named, "scale_remove": f"{first}, {second}\n"}).require("successful")
    assert by_text.artifacts["vmscale_scale"]["removed"] == [first, second]
    assert by_text.artifacts["vmscale_scale"]["previous_replicas"] == 4

    by_number = launch(awx, "scale", {**named, "scale_replicas": 1, "scale_remove": "", "scale_order": "newest"}).require("successful")
    assert by_number.artifacts["vmscale_scale"]["replicas"]["ready"] == 1
    assert third not in names(api, namespace) or len(names(api, namespace)) == 1


@pytest.mark.slow
def test_a_list_is_taken_as_well(awx: Awx, api: Api, namespace: str) -> None:
    first, second = start(api, namespace, quick_set(NAME, 2))
    variables = {"scale_name": NAME, "scale_namespace": namespace, "scale_remove": [second]}
    job = awx.run("playbooks/scale.yml", variables=variables).require("successful")

    assert job.artifacts["vmscale_scale"]["removed"] == [second]
    assert names(api, namespace) == [first]


def test_job_type_check_and_show_changes(awx: Awx, api: Api, namespace: str, operator_token: BearerToken) -> None:
    answers = {"vmirs_src": SEED_SET.name, "vmirs_namespace": namespace, "hpa_src": SEED_AUTOSCALER.name}
    job = launch(awx, "ensure", answers, check=True, diff=True).require("successful")

    shown = [event["event_data"]["diff"]["after_header"] for event in job.events if event["event"] == "runner_on_file_diff"]
    assert [header.rpartition("/")[2] for header in shown] == [SEED_SET.stem, SEED_AUTOSCALER.stem]
    assert api.items("vmirs", namespace) == api.items("hpas", namespace) == []
    state = job.artifacts["vmscale_ensure"]
    assert (state["name"], state["replicas"]["desired"], state["ready"]) == (SEED_SET.stem, 3, False)
    assert job.places_of(operator_token.token) == []


@pytest.mark.parametrize("has_ca", [pytest.param(True, id="CA text"), pytest.param(False, id="no CA text", marks=pytest.mark.slow)])
@pytest.mark.parametrize("verbosity", [*(pytest.param(number, marks=pytest.mark.slow) for number in range(4)), 4])
def test_the_token_is_nowhere(operator_token: BearerToken, tmp_path: Path, api: Api, namespace: str, verbosity: int, has_ca: bool) -> None:
    credential = operator_token if has_ca else replace(operator_token, ca_text=None)
    awx = Awx(tmp_path, credential)
    works = launch(awx, "ensure", {"vmirs_definition": empty_set(), "vmirs_namespace": namespace}, verbosity=verbosity, diff=True)
    missing = {"scale_name": "none", "scale_namespace": namespace, "scale_replicas": 1}
    fails = launch(awx, "scale", missing, verbosity=verbosity)

    works.require("successful")
    fails.require("failed")
    assert api.get("vmirs", namespace, NAME)["metadata"]["name"] == NAME
    assert f"VirtualMachineInstanceReplicaSet {namespace}/none" in fails.results["vmirs_scale"]["msg"]
    for job in (works, fails):
        assert job.places_of(operator_token.token) == []
        assert operator_token.token in (job.directory / "env" / "envvars").read_text(encoding="utf-8")


def test_a_token_that_is_refused_is_not_told(operator_token: BearerToken, tmp_path: Path) -> None:
    awx = Awx(tmp_path, replace(operator_token, token=f"{operator_token.token}x"))
    job = launch(awx, "verify", {"verify_name": "none"}, verbosity=4).require("failed")

    assert "does not accept these credentials" in job.results["hpa_verify"]["msg"]
    assert job.places_of(f"{operator_token.token}x") == []


def test_a_kubeconfig_comes_from_the_credential_type(cluster: Cluster, tmp_path: Path, api: Api, namespace: str) -> None:
    text = cluster.operator.read_text(encoding="utf-8")
    awx = Awx(tmp_path, CustomCredential(controller_data()["controller_credential_type"], {"kubeconfig": text}))
    job = launch(awx, "ensure", {"vmirs_definition": empty_set(), "vmirs_namespace": namespace}, verbosity=4).require("successful")

    assert api.get("vmirs", namespace, NAME)["spec"]["replicas"] == 0
    for secret in yaml.safe_load(text)["users"][0]["user"].values():
        assert job.places_of(secret) == []


def test_a_fleet_hands_on_its_numbers_and_what_failed(awx: Awx, namespace: str) -> None:
    elsewhere = replica_set("other", 0)
    elsewhere["metadata"]["namespace"] = "no-such-namespace"
    fleet = f"{empty_set()}---\n{yaml.safe_dump(elsewhere)}"
    answers = {"vmirs_definition": fleet, "vmirs_namespace": namespace}
    state = launch(awx, "ensure", answers).require("failed").artifacts["vmscale_ensure"]

    assert state["summary"] == {"total": 2, "ok": 1, "changed": 1, "failed": 1, "pruned": 0, "skipped": 0}
    assert [message for message in state["failed"] if "no-such-namespace" not in message] == []
    assert len(state["failed"]) == 1
    assert set(state) == {"summary", "failed"}
