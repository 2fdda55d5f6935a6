# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The three ways into AWX: this repository as a project, a project of one line, and an execution environment."""

from __future__ import annotations

import os
import subprocess
import sysconfig
from pathlib import Path

import pytest
import yaml

from dev.paths import CHECKOUT, collection_tree
from integration.support.api import Api
from integration.support.awx_credential import BearerToken
from integration.support.awx_job import PROGRAMS, Awx
from integration.support.awx_project import export, playbooks
from integration.support.fleet import quick_set

URL = "https://github.com/vmscale/vmscale.kubevirt"
PLAYBOOKS = {"ensure", "verify", "scale", "rollout", "remove", "controller"}


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    """Run a program of the environment of the tests, or git."""
    path = f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        list(map(str, command)), cwd=cwd, env={**os.environ, **environment, "PATH": path}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """This repository as a git server has it."""
    directory = export(CHECKOUT, tmp_path / "origin")
    run("git", "init", "--quiet", "--initial-branch=main", cwd=directory)
    run("git", "add", "--all", cwd=directory)
    run("git", "-c", "user.name=Test", "-c", "user.email=test@example.com", "commit", "--quiet", "--message=All", cwd=directory)
    return directory


def test_awx_lists_each_playbook_and_nothing_else_beside_them(checkout: Path) -> None:
    listed = playbooks(checkout)

    assert {name for name in listed if name.startswith(("playbooks/", "roles/", "plugins/", "meta/"))} == {
        f"playbooks/{name}.yml" for name in PLAYBOOKS
    }


def test_this_repository_is_a_project(checkout: Path, operator_token: BearerToken, tmp_path: Path, namespace: str) -> None:
    """AWX installs what collections/requirements.yml names when it synchronises the project, and runs its jobs with that."""
    installed = tmp_path / "requirements_collections"
    # What the requirements name of Galaxy is there already; the collection itself comes from its repository.
    there = installed / "ansible_collections" / "kubernetes"
    there.parent.mkdir(parents=True)
    there.symlink_to(Path(sysconfig.get_path("purelib")) / "ansible_collections" / "kubernetes", target_is_directory=True)
    redirect = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": f"url.{checkout}.insteadOf", "GIT_CONFIG_VALUE_0": URL}
    requirements = checkout / "collections" / "requirements.yml"
    run("ansible-galaxy", "collection", "install", "--offline", "-r", requirements, "-p", installed, cwd=tmp_path, **redirect)
    assert (installed / "ansible_collections" / "vmscale" / "kubevirt" / "MANIFEST.json").is_file()

    awx = Awx(tmp_path, operator_token, project=checkout, collections=installed)
    answers = {"vmirs_src": "testreplicaset.yaml", "vmirs_namespace": namespace}
    job = awx.run("playbooks/ensure.yml", variables=answers, check=True, verbosity=2).require("successful")

    assert job.artifacts["vmscale_ensure"]["name"] == "testreplicaset"
    assert f"task path: {installed}/ansible_collections/vmscale/kubevirt/roles/vmirs/" in job.stdout


def test_a_project_of_one_line(operator_token: BearerToken, tmp_path: Path, api: Api, namespace: str) -> None:
    project = tmp_path / "project"
    (project / "files").mkdir(parents=True)
    (project / "ensure.yml").write_text("- ansible.builtin.import_playbook: vmscale.kubevirt.ensure\n", encoding="utf-8")
    (project / "files" / "web.yml").write_text(yaml.safe_dump(quick_set("web", 1)), encoding="utf-8")
    assert playbooks(project) == {"ensure.yml"}

    awx = Awx(tmp_path, operator_token, project=project)
    job = awx.run("ensure.yml", variables={"vmirs_src": "files/web.yml", "vmirs_namespace": namespace}).require("successful")

    assert job.artifacts["vmscale_ensure"]["ready"] is True
    assert api.get("vmirs", namespace, "web")["status"]["readyReplicas"] == 1


def test_the_requirements_are_those_of_the_collection() -> None:
    collection = yaml.safe_load((CHECKOUT / "galaxy.yml").read_text(encoding="utf-8"))
    project = yaml.safe_load((CHECKOUT / "collections" / "requirements.yml").read_text(encoding="utf-8"))["collections"]
    environment = yaml.safe_load((CHECKOUT / "execution-environment.yml").read_text(encoding="utf-8"))["dependencies"]["galaxy"]

    own = f"{collection['namespace']}.{collection['name']}"
    depends = [{"name": name, "version": version} for name, version in collection["dependencies"].items()]
    assert project == [{"name": collection["repository"], "type": "git", "version": "main"}, *depends]
    assert environment["collections"] == [{"name": own}, *depends]


def test_an_execution_environment_can_be_built(tmp_path: Path) -> None:
    """Its definition is one to ansible-builder, which finds what the collection needs of Python; images are not to be had here."""
    run("ansible-builder", "create", "--file", CHECKOUT / "execution-environment.yml", "--context", tmp_path / "context", cwd=tmp_path)
    needed = yaml.safe_load(run("ansible-builder", "introspect", collection_tree(), cwd=tmp_path))

    asked = yaml.safe_load((tmp_path / "context" / "_build" / "requirements.yml").read_text(encoding="utf-8"))
    assert [each["name"] for each in asked["collections"]] == ["vmscale.kubevirt", "kubernetes.core"]
    # PyYAML comes with Ansible.
    assert [line.partition(" ")[0] for line in needed["python"]] == ["kubernetes>=24.2.0", "urllib3>=2.0"]
    assert needed["system"] == []
