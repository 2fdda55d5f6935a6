# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbooks, each step in check mode first: ensure, again, modify, again, remove, again."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from integration.support.ansible import Ansible
from integration.support.api import Api, Object
from integration.support.audit import AuditLog
from integration.support.cluster import Cluster
from integration.support.results import Run
from integration.support.seed import PLAYBOOKS, SEED_AUTOSCALER, SEED_SET, manifest

pytestmark = pytest.mark.slow_remote

SET = "testreplicaset"
AUTOSCALER = "test-hpa"
Variables = dict[str, Any]


@pytest.fixture
def autoscaler(cluster: Cluster) -> Object:
    """The autoscaler of the quick start; guests that really boot are load, which is not to be acted on here."""
    found = manifest(SEED_AUTOSCALER)
    if not cluster.is_simulated:
        found["spec"]["targetCPUUtilizationPercentage"] = 10000
    return found


@pytest.fixture
def quick_start(namespace: str) -> Variables:
    """The variables of the quick start, in the test's namespace."""
    return {
        "vmirs_src": str(SEED_SET),
        "vmirs_namespace": namespace,
        "hpa_src": str(SEED_AUTOSCALER),
        "hpa_namespace": namespace,
    }


@pytest.fixture
def seed(quick_start: Variables, cluster: Cluster, autoscaler: Object) -> Variables:
    """The same, with an autoscaler that leaves guests alone that boot."""
    if cluster.is_simulated:
        return quick_start
    return {**{key: value for key, value in quick_start.items() if key != "hpa_src"}, "hpa_definition": autoscaler}


@pytest.fixture
def modified(namespace: str, autoscaler: Object) -> Variables:
    """The same with a label on the set and a higher maximum."""
    autoscaler = copy.deepcopy(autoscaler)
    autoscaler["spec"]["maxReplicas"] = 6
    return {
        "vmirs_src": str(SEED_SET),
        "vmirs_namespace": namespace,
        "vmirs_labels": {"tier": "web"},
        "hpa_definition": autoscaler,
        "hpa_namespace": namespace,
    }


def written(api: Api, namespace: str) -> dict[str, Any]:
    """Return what was written by someone: the parts of the objects that no controller touches."""
    found: list[Object] = [*api.items("vmirs", namespace), *api.items("hpas", namespace)]
    return {item["metadata"]["name"]: (item["metadata"].get("labels"), item["metadata"].get("generation"), item["spec"]) for item in found}


def describes(run: Run, replicas: int) -> bool:
    """Whether the description that was shown speaks of so many replicas."""
    return re.search(rf"VirtualMachineInstanceReplicaSet pods:\s+{replicas} current / {replicas} desired", run.stdout) is not None


def changed_modules(run: Run) -> list[str]:
    """Return the modules that reported a change, in their order."""
    return [task.action.rpartition(".")[2] for task in run.require_ok().changed]


def play_in_four_ways(ansible: Ansible, api: Api, namespace: str, name: str, variables: Mapping[str, Any]) -> list[list[str]]:
    """Run a playbook in check mode, for real, and both again; return what each reported as changed."""
    before = written(api, namespace)
    predicted = changed_modules(ansible.run(f"vmscale.kubevirt.{name}", variables=variables, check=True))
    assert written(api, namespace) == before, "check mode wrote something"
    done = changed_modules(ansible.run(f"vmscale.kubevirt.{name}", variables=variables))
    after = written(api, namespace)
    predicted_again = changed_modules(ansible.run(f"vmscale.kubevirt.{name}", variables=variables, check=True))
    again = changed_modules(ansible.run(f"vmscale.kubevirt.{name}", variables=variables))
    assert written(api, namespace) == after, "the second run wrote something"
    return [predicted, done, predicted_again, again]


@pytest.mark.versions
def test_ensure_and_remove_in_twelve_steps(ansible: Ansible, api: Api, namespace: str, seed: Variables, modified: Variables) -> None:
    def play(name: str, variables: Mapping[str, Any]) -> list[list[str]]:
        return play_in_four_ways(ansible, api, namespace, name, variables)

    assert play("ensure", seed) == [["vmirs", "hpa"], ["vmirs", "hpa"], [], []]
    assert api.get("vmirs", namespace, SET)["status"]["readyReplicas"] == 3
    assert api.get("hpas", namespace, AUTOSCALER)["spec"]["maxReplicas"] == 5

    assert play("ensure", modified) == [["vmirs", "hpa"], ["vmirs", "hpa"], [], []]
    assert api.get("vmirs", namespace, SET)["metadata"]["labels"]["tier"] == "web"
    assert api.get("hpas", namespace, AUTOSCALER)["spec"]["maxReplicas"] == 6

    assert play("remove", seed) == [["hpa", "vmirs"], ["hpa", "vmirs"], [], []]
    assert written(api, namespace) == {}
    assert api.items("vmis", namespace) == []


def test_ensure_shows_the_description(local_ansible: Ansible, seed: Variables) -> None:
    done = local_ansible.run("vmscale.kubevirt.ensure", variables=seed).require_ok()

    assert describes(done, 3)
    assert done.task("vmirs")["replicas"] == {"desired": 3, "current": 3, "ready": 3, "outdated": 0, "terminating": 0}


def test_ensure_takes_typed_variables_and_no_autoscaler(local_ansible: Ansible, api: Api, namespace: str) -> None:
    spec = manifest(SEED_SET)["spec"]
    variables = {
        "vmirs_name": "typed",
        "vmirs_namespace": namespace,
        "vmirs_replicas": 2,
        "vmirs_selector": spec["selector"],
        "vmirs_template": spec["template"],
    }
    done = local_ansible.run("vmscale.kubevirt.ensure", variables=variables)

    assert changed_modules(done) == ["vmirs"]
    assert api.get("vmirs", namespace, "typed")["status"]["readyReplicas"] == 2
    assert api.items("hpas", namespace) == []


@pytest.mark.parametrize("how", ["path", "wrapper"])
def test_playbooks_run_as_a_project_and_from_a_wrapper(local_ansible: Ansible, namespace: str, tmp_path: Path, how: str) -> None:
    playbook = PLAYBOOKS / "ensure.yml"
    if how == "wrapper":
        playbook = tmp_path / "wrapper.yml"
        playbook.write_text("- ansible.builtin.import_playbook: vmscale.kubevirt.ensure\n", encoding="utf-8")
    variables = {"vmirs_src": SEED_SET.name, "vmirs_namespace": namespace, "vmirs_wait": False}

    assert changed_modules(local_ansible.run(playbook, variables=variables)) == ["vmirs"]


@pytest.mark.versions
def test_verify_passes_on_what_works_and_changes_nothing(ansible: Ansible, api: Api, namespace: str, seed: Variables) -> None:
    ansible.run("vmscale.kubevirt.ensure", variables=seed).require_ok()
    before = written(api, namespace)
    expected = {"verify_name": AUTOSCALER, "verify_namespace": namespace, "verify_min_replicas": 3, "verify_max_replicas": 5}
    for check in (True, False):
        done = ansible.run("vmscale.kubevirt.verify", variables=expected, check=check).require_ok()
        assert not done.changed
        assert done.task("hpa_verify")["reasons"] == []
        assert describes(done, 3)
    assert written(api, namespace) == before


def test_verify_fails_with_every_reason(ansible: Ansible, namespace: str, seed: Variables) -> None:
    ansible.run("vmscale.kubevirt.ensure", variables=seed).require_ok()
    wrong = {
        "verify_name": AUTOSCALER,
        "verify_namespace": namespace,
        "verify_min_replicas": 2,
        "verify_max_replicas": 9,
        "verify_wait_timeout": 5,
    }
    done = ansible.run("vmscale.kubevirt.verify", variables=wrong).require_failed()

    reasons = done.task("hpa_verify")["reasons"]
    assert len(reasons) == 2
    assert all(reason in done.failed[0].message for reason in reasons)


def test_verify_fails_where_there_is_no_autoscaler(ansible: Ansible, namespace: str) -> None:
    missing = {"verify_name": "no-such-hpa", "verify_namespace": namespace, "verify_wait_timeout": 3}
    done = ansible.run("vmscale.kubevirt.verify", variables=missing).require_failed()

    assert "no-such-hpa" in done.failed[0].message


def test_the_autoscaler_follows_the_load_and_ensure_leaves_it_alone(
    local_ansible: Ansible, cluster: Cluster, api: Api, namespace: str, quick_start: Variables
) -> None:
    local_ansible.run("vmscale.kubevirt.ensure", variables=quick_start).require_ok()

    def verify(replicas: int) -> Run:
        expected = {
            "verify_name": AUTOSCALER,
            "verify_namespace": namespace,
            "verify_current_replicas": replicas,
            "verify_wait_timeout": 240 if cluster.is_simulated else 900,
        }
        return local_ansible.run("vmscale.kubevirt.verify", variables=expected, timeout=1000).require_ok()

    cluster.load(SET, namespace, 80)
    assert describes(verify(5), 5)
    assert changed_modules(local_ansible.run("vmscale.kubevirt.ensure", variables=quick_start)) == []
    assert api.get("vmirs", namespace, SET)["spec"]["replicas"] == 5

    cluster.load(SET, namespace, 5)
    assert describes(verify(3), 3)


def test_a_second_ensure_only_reads(local_ansible: Ansible, audit: AuditLog, seed: Variables) -> None:
    local_ansible.run("vmscale.kubevirt.ensure", variables=seed).require_ok()
    mark = audit.mark()
    local_ansible.run("vmscale.kubevirt.ensure", variables=seed).require_ok()

    requests = audit.requests(mark)
    assert requests
    assert [request for request in requests if request.is_write] == []


def test_ensure_without_rights_says_what_is_missing(make_ansible: Callable[..., Ansible], nobody: Path, seed: Variables) -> None:
    done = make_ansible(kubeconfig=nobody).run("vmscale.kubevirt.ensure", variables=seed).require_failed()

    assert "may not get virtualmachineinstancereplicasets.kubevirt.io" in done.failed[0].message


def test_the_connection_can_be_given_as_variables(make_ansible: Callable[..., Ansible], cluster: Cluster, seed: Variables) -> None:
    connection = {"kubeconfig": str(cluster.operator)}
    variables = {**seed, "vmirs_connection": connection, "hpa_connection": connection}

    done = make_ansible(kubeconfig=None).run("vmscale.kubevirt.ensure", variables=variables)

    assert changed_modules(done) == ["vmirs", "hpa"]


@pytest.mark.parametrize("wrong", [{"vmirs_replicas": "many"}, {"vmirs_state": "there"}, {"vmirs_wait": "perhaps"}])
def test_wrong_variables_are_refused_before_anything_happens(
    local_ansible: Ansible, api: Api, namespace: str, seed: Variables, wrong: Variables
) -> None:
    done = local_ansible.run("vmscale.kubevirt.ensure", variables=seed | wrong).require_failed()

    assert next(iter(wrong)) in str(done.failed[0].data)
    assert written(api, namespace) == {}


@pytest.mark.versions
def test_scale_in_twelve_steps(local_ansible: Ansible, api: Api, namespace: str, quick_start: Variables) -> None:
    def play(**variables: Any) -> list[list[str]]:
        named = {"scale_name": SET, "scale_namespace": namespace, **variables}
        return play_in_four_ways(local_ansible, api, namespace, "scale", named)

    def names() -> set[str]:
        return {item["metadata"]["name"] for item in api.items("vmis", namespace)}

    without_autoscaler = {key: value for key, value in quick_start.items() if not key.startswith("hpa_")}
    local_ansible.run("vmscale.kubevirt.ensure", variables=without_autoscaler).require_ok()
    first = names()

    assert play(scale_replicas=5) == [["vmirs_scale"], ["vmirs_scale"], [], []]
    assert len(names()) == 5

    assert play(scale_replicas=3, scale_order="newest") == [["vmirs_scale"], ["vmirs_scale"], [], []]
    assert names() == first

    gone = min(first)
    assert play(scale_remove=[gone]) == [["vmirs_scale"], ["vmirs_scale"], [], []]
    assert names() == first - {gone}


def test_scale_leaves_an_autoscaled_set_alone_unless_told(local_ansible: Ansible, api: Api, namespace: str, seed: Variables) -> None:
    local_ansible.run("vmscale.kubevirt.ensure", variables=seed).require_ok()
    lower = {"scale_name": SET, "scale_namespace": namespace, "scale_replicas": 2}
    before = written(api, namespace)

    refused = local_ansible.run("vmscale.kubevirt.scale", variables=lower).require_failed()
    assert AUTOSCALER in refused.failed[0].message
    assert changed_modules(local_ansible.run("vmscale.kubevirt.scale", variables={**lower, "scale_when_autoscaled": "keep"})) == []
    assert written(api, namespace) == before

    told = {**lower, "scale_when_autoscaled": "set", "scale_autoscaler_bounds": "widen"}
    assert changed_modules(local_ansible.run("vmscale.kubevirt.scale", variables=told)) == ["vmirs_scale"]
    assert api.get("hpas", namespace, AUTOSCALER)["spec"]["minReplicas"] == 2


@pytest.mark.versions
def test_rollout_in_twelve_steps(local_ansible: Ansible, api: Api, namespace: str) -> None:
    def play(**variables: Any) -> list[list[str]]:
        named = {"rollout_name": SET, "rollout_namespace": namespace, "rollout_max_unavailable": "50%", **variables}
        return play_in_four_ways(local_ansible, api, namespace, "rollout", named)

    def uids() -> set[str]:
        return {item["metadata"]["uid"] for item in api.items("vmis", namespace)}

    def memory() -> set[str]:
        return {item["spec"]["domain"]["resources"]["requests"]["memory"] for item in api.items("vmis", namespace)}

    other = manifest(SEED_SET)
    other["spec"]["template"]["spec"]["domain"]["resources"]["requests"]["memory"] = "65M"
    for definition in (manifest(SEED_SET), other):
        ensured = {"vmirs_definition": definition, "vmirs_namespace": namespace}
        local_ansible.run("vmscale.kubevirt.ensure", variables=ensured).require_ok()
    first = uids()
    assert memory() == {"64M"}, "a changed template rolled out of its own"

    assert play() == [["vmirs_rollout"], ["vmirs_rollout"], [], []]
    assert memory() == {"65M"}
    second = uids()
    assert not first & second

    assert play(rollout_state="restarted", rollout_restart_id="once") == [["vmirs_rollout"], ["vmirs_rollout"], [], []]
    third = uids()
    assert not second & third

    assert play(rollout_state="rolled_back", rollout_revision=1) == [["vmirs_rollout"], ["vmirs_rollout"], [], []]
    assert memory() == {"64M"}
    assert not third & uids()


def test_ensure_rolls_out_when_asked(local_ansible: Ansible, api: Api, namespace: str) -> None:
    other = manifest(SEED_SET)
    other["spec"]["template"]["spec"]["domain"]["resources"]["requests"]["memory"] = "65M"
    local_ansible.run("vmscale.kubevirt.ensure", variables={"vmirs_src": str(SEED_SET), "vmirs_namespace": namespace}).require_ok()
    before = {item["metadata"]["name"] for item in api.items("vmis", namespace)}

    variables = {"vmirs_definition": other, "vmirs_namespace": namespace, "vmirs_rollout": True, "vmirs_max_unavailable": 1}
    predicted = local_ansible.run("vmscale.kubevirt.ensure", variables=variables, check=True).require_ok()
    done = local_ansible.run("vmscale.kubevirt.ensure", variables=variables).require_ok()

    assert set(predicted.task("vmirs")["replaced"]) == set(done.task("vmirs")["replaced"]) == before
    assert [len(batch) for batch in done.task("vmirs")["batches"]] == [1, 1, 1]
    assert done.task("vmirs")["replicas"] == {"desired": 3, "current": 3, "ready": 3, "outdated": 0, "terminating": 0}
    assert changed_modules(local_ansible.run("vmscale.kubevirt.ensure", variables=variables)) == []
