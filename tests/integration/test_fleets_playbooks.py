# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The roles and playbooks on a directory that describes sets and their autoscalers, in two namespaces."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from integration.support.ansible import Ansible
from integration.support.api import Api
from integration.support.fleet import quick_set, write_fleet
from integration.support.manifests import autoscaler
from integration.support.results import Run, TaskResult

Variables = dict[str, Any]


@pytest.fixture
def directory(tmp_path: Path, other_namespace: str) -> Path:
    """Three files, one of which names a namespace of its own."""
    found = tmp_path / "sets"
    write_fleet(found, {"blue": None, "green": None, "red": other_namespace})
    return found


@pytest.fixture
def variables(directory: Path, namespace: str, other_namespace: str) -> Variables:
    """The variables with which the fleet is ensured, and removed."""
    return {
        f"{role}_{name}": value
        for role in ("vmirs", "hpa")
        for name, value in {
            "src": str(directory),
            "namespace": namespace,
            "fleet": "colours",
            "prune": True,
            "prune_namespaces": [other_namespace],
            "wait_timeout": 240,
        }.items()
    }


@pytest.fixture
def written(api: Api, namespace: str, other_namespace: str) -> Any:
    """Return what has been written, by kind, namespace and name."""

    def look() -> dict[str, Any]:
        found = [(kind, each) for kind in ("vmirs", "hpas") for where in (namespace, other_namespace) for each in api.items(kind, where)]
        return {
            f"{kind} {each['metadata']['name']}": (each["metadata"].get("labels"), each["metadata"].get("generation"), each["spec"])
            for kind, each in found
        }

    return look


def tasks(run: Run) -> dict[str, TaskResult]:
    """Return the results of the modules."""
    return {each.action.rpartition(".")[2]: each for each in run.require_ok().tasks if each.action.startswith("vmscale.kubevirt.")}


def changes(run: Run) -> dict[str, list[str]]:
    """Return who was changed, by module."""
    found = tasks(run)
    return {module: [each["name"] for each in found[module]["results"] if each["changed"]] for module in ("vmirs", "hpa")}


ALL = ["blue", "green", "red"]
NONE: dict[str, list[str]] = {"vmirs": [], "hpa": []}


def test_ensure_and_remove(local_ansible: Ansible, directory: Path, variables: Variables, written: Any) -> None:
    def play(name: str, *, check: bool = False) -> Run:
        return local_ansible.run(f"vmscale.kubevirt.{name}", variables=variables, check=check)

    assert changes(play("ensure", check=True)) == {"vmirs": ALL, "hpa": ALL}
    assert written() == {}
    made = play("ensure")
    assert changes(made) == {"vmirs": ALL, "hpa": ALL}
    verified = tasks(made)["hpa_verify"]
    assert [(each["name"], each["reasons"]) for each in verified["results"]] == [(name, []) for name in ALL]
    assert [each["replicas"]["ready"] for each in tasks(made)["vmirs"]["results"]] == [1, 1, 1]
    before = written()
    assert len(before) == 6
    again = play("ensure")
    assert (changes(again), written()) == (NONE, before)
    assert len(tasks(again)["hpa_verify"]["results"]) == 3

    (directory / "red.yaml").unlink()
    assert changes(play("ensure", check=True)) == {"vmirs": ["red"], "hpa": ["red"]}
    assert changes(play("ensure")) == {"vmirs": ["red"], "hpa": ["red"]}
    assert written() == {name: part for name, part in before.items() if "red" not in name}

    assert changes(play("remove", check=True)) == {"vmirs": ["blue", "green"], "hpa": ["blue", "green"]}
    assert len(written()) == 4
    assert changes(play("remove")) == {"vmirs": ["blue", "green"], "hpa": ["blue", "green"]}
    assert (written(), changes(play("remove"))) == ({}, NONE)


def test_an_autoscaler_that_does_not_work_does_not_hide_the_others(local_ansible: Ansible, namespace: str) -> None:
    sets = [quick_set(name, 0) for name in ("blue", "green")]
    scalers = [autoscaler(name, name, 1, 3) for name in ("blue", "green")]
    variables = {
        "vmirs_definition": sets,
        "vmirs_namespace": namespace,
        "hpa_definition": scalers,
        "hpa_namespace": namespace,
        "hpa_wait": False,
        "verify_wait": False,
    }
    done = local_ansible.run("vmscale.kubevirt.ensure", variables=variables).require_failed()
    failed = done.failed[0]["results"]
    assert [each["failed"] for each in failed] == [True, True]
    assert [each["item"]["name"] for each in failed] == ["blue", "green"]
    assert all(
        f"HorizontalPodAutoscaler {namespace}/{name} does not work: " in each["msg"]
        for name, each in zip(("blue", "green"), failed, strict=True)
    )
