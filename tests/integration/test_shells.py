# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A task does the same inside ansible's worker and as a module process, whatever keywords it carries."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from integration.support.ansible import Ansible, Shell, Task, interpreter_wrapper
from integration.support.api import Api
from integration.support.cluster import Cluster
from integration.support.manifests import HASH, autoscaler, await_acknowledged, await_gone, hpa, replica_set, vmirs
from integration.support.results import TaskResult
from integration.support.seed import SEED_SET

NAME = "web"
# What differs from run to run, whichever the shell.
VOLATILE = {
    "timeline",
    "diagnosis",
    "uid",
    "resourceVersion",
    "creationTimestamp",
    "lastTransitionTime",
    "generation",
    "duration",
    "created",
    "status",
    "conditions",
    "annotations",
    "invocation",
    "description",
    "events",
    "reasons",
    "metrics",
    "msg",
}
SLOW = {"sandbox.vmscale.kubevirt/boot-seconds": "3"}


def comparable(value: Any) -> Any:
    if isinstance(value, dict):
        if "min" in value and "desired" in value:
            # The rest is what the autoscaler's controller has looked at so far, and so are the metrics.
            value = {"min": value["min"], "max": value["max"]}
        return {key: comparable(content) for key, content in value.items() if key not in VOLATILE and not key.startswith("_ansible")}
    if isinstance(value, list):
        return [comparable(entry) for entry in value]
    return value


def arguments(result: TaskResult) -> dict[str, Any]:
    """Return the options that a result says it was run with, less the file that the remote shell is brought."""
    return {key: value for key, value in result.invocation.items() if key != "src"}


@pytest.mark.versions
def test_the_same_tasks_give_the_same_results(make_ansible: Callable[..., Ansible], api: Api, namespace: str) -> None:
    info: Task = {"vmscale.kubevirt.vmirs_info": {"label_selectors": ["tier=web"]}}
    steps: list[Task] = [
        vmirs(definition=replica_set(NAME, 0), labels={"tier": "web"}),
        vmirs(name=NAME, replicas=1, paused=True, wait=True, wait_timeout=30),
        vmirs(name=NAME, replicas=1),
        info,
        hpa(definition=autoscaler("scaler", NAME, 1, 3)),
        hpa(name="scaler", max_replicas=4),
        {"vmscale.kubevirt.hpa_info": {"name": "scaler"}},
        {"vmscale.kubevirt.hpa_verify": {"name": "scaler", "min_replicas": 2, "wait": False}, "ignore_errors": True},
        hpa(name="scaler", state="absent", wait=True),
        vmirs(name=NAME, state="absent", wait=True, wait_timeout=30),
        vmirs(name=NAME, state="absent"),
    ]
    seen: list[list[Any]] = []
    for shell in ("local", "remote"):
        done = make_ansible(shell).run_tasks(steps, diff=True, verbosity=3).require_ok()
        seen.append([(task.status, comparable(task.data), sorted(task.data), comparable(arguments(task))) for task in done.tasks])
        await_gone(api, "vmirs", namespace, NAME)
    local, remote = seen

    for one, other in zip(local, remote, strict=True):
        assert one == other


def test_keywords_for_check_mode_and_diff(ansible: Ansible, api: Api, namespace: str) -> None:
    task = {**vmirs(definition=replica_set(NAME, 0)), "check_mode": True, "diff": True}
    done = ansible.run_tasks(task).require_ok()

    assert done.last.is_changed
    assert done.last["diff"]["after"]["metadata"]["name"] == NAME
    assert HASH in done.stdout
    assert api.find("vmirs", namespace, NAME) is None


def test_no_diff_unless_it_is_asked_for(ansible: Ansible) -> None:
    assert "diff" not in ansible.run_tasks(vmirs(definition=replica_set(NAME, 0))).require_ok().last.data


@pytest.mark.versions
@pytest.mark.parametrize("asked", ["true", "false"])
def test_both_shells_show_the_invocation_alike(make_ansible: Callable[..., Ansible], asked: str) -> None:
    task: Task = {"vmscale.kubevirt.vmirs_info": {"name": NAME}}
    environment = {"ANSIBLE_INJECT_INVOCATION": asked}
    local, remote = (make_ansible(shell).run_tasks(task, verbosity=3, environment=environment).last.data for shell in ("local", "remote"))
    assert ("invocation" in local) == ("invocation" in remote)


@pytest.mark.versions
def test_no_log_hides_the_result(ansible: Ansible) -> None:
    task = {**vmirs(definition=replica_set(NAME, 1, annotations=SLOW), wait=True, wait_timeout=60), "no_log": True}
    done = ansible.run_tasks(task, diff=True, verbosity=4).require_ok()

    assert "censored" in done.last.data
    assert "result" not in done.last.data
    assert "1/1 ready" not in done.stdout


def test_progress_is_shown_while_the_task_waits(local_ansible: Ansible, tmp_path: Path) -> None:
    log = tmp_path / "ansible.log"
    task = vmirs(definition=replica_set(NAME, 1, annotations=SLOW), wait=True, wait_timeout=60)
    done = local_ansible.run_tasks(task, environment={"ANSIBLE_LOG_PATH": str(log)}).require_ok()
    shown = re.findall(rf"^{NAME}: \d+/1 ready.*\(\d+ s\)$", done.stdout, re.MULTILINE)
    moments = {
        text: datetime.strptime(moment, "%Y-%m-%d %H:%M:%S,%f")
        for moment, text in re.findall(r"^(\S+ \S+) .*?\| (.*)$", log.read_text(encoding="utf-8"), re.MULTILINE)
    }

    assert len(shown) >= 2
    assert len(shown) == len(set(shown))
    assert shown[-1].startswith(f"{NAME}: 1/1 ready")
    assert (moments["changed: [localhost]"] - moments[shown[0]]).total_seconds() > 1


def test_an_unchanged_set_shows_no_progress(local_ansible: Ansible) -> None:
    task = vmirs(definition=replica_set(NAME, 0), wait=True, wait_timeout=30)
    local_ansible.run_tasks(task).require_ok()

    assert f"{NAME}: " not in local_ansible.run_tasks(task).require_ok().stdout


@pytest.mark.parametrize("poll", [1, 0])
def test_async(ansible: Ansible, poll: int) -> None:
    started = {**vmirs(definition=replica_set(NAME, 1), wait=True, wait_timeout=60), "async": 90, "poll": poll, "register": "job"}
    tasks: list[dict[str, Any]] = [started]
    if not poll:
        status = {"jid": "{{ job.ansible_job_id }}"}
        tasks.append({"ansible.builtin.async_status": status, "register": "ended", "until": "ended is finished", "retries": 90, "delay": 1})
    done = ansible.run_tasks(tasks).require_ok()

    assert done.last.is_changed
    assert done.last["replicas"]["ready"] == 1


def test_async_in_check_mode(ansible: Ansible, api: Api, namespace: str) -> None:
    ansible.run_tasks({**vmirs(definition=replica_set(NAME, 0)), "async": 60, "poll": 1}, check=True)

    assert api.find("vmirs", namespace, NAME) is None


@pytest.mark.versions
def test_delegation_to_another_host(ansible: Ansible, cluster: Cluster, tmp_path: Path) -> None:
    other = {
        "name": "elsewhere",
        "ansible_connection": "local",
        "ansible_python_interpreter": str(interpreter_wrapper(tmp_path)),
    }
    delegated = {**vmirs(src=str(SEED_SET), kubeconfig=str(cluster.operator)), "delegate_to": "elsewhere"}
    done = ansible.run_tasks([{"ansible.builtin.add_host": other}, delegated]).require_ok()

    assert done.last.is_changed


def test_a_timeout_ends_the_task(ansible: Ansible) -> None:
    endless = vmirs(definition=replica_set(NAME, 1, memory="4000Gi"), wait=True, wait_timeout=60)
    done = ansible.run_tasks({**endless, "timeout": 3}).require_failed()

    # Far from the 60 seconds that the task itself would wait, even on a busy machine.
    assert done.seconds < 40
    assert "Timed out after 3 second" in done.last.message
    assert "Traceback" not in done.stdout + done.stderr


def test_loops(ansible: Ansible, api: Api, namespace: str) -> None:
    task = {
        "vmscale.kubevirt.vmirs": {
            "name": "{{ item.name }}",
            "replicas": "{{ item.replicas }}",
            "paused": True,
            "selector": {"matchLabels": {"app": "{{ item.name }}"}},
            "template": replica_set("{{ item.name }}")["spec"]["template"],
        },
        "loop": [{"name": "one", "replicas": 1}, {"name": "two", "replicas": 2}],
    }
    done = ansible.run_tasks(task).require_ok()

    assert [result["changed"] for result in done.last["results"]] == [True, True]
    assert [api.get("vmirs", namespace, name)["spec"]["replicas"] for name in ("one", "two")] == [1, 2]
    await_acknowledged(api, namespace, "two")
    assert not ansible.run_tasks(task).require_ok().last.is_changed


@pytest.mark.versions
def test_files_encrypted_with_vault(make_ansible: Callable[..., Ansible], cluster: Cluster, shell: Shell, tmp_path: Path) -> None:
    password = tmp_path / "vault-password"
    password.write_text("open sesame\n", encoding="utf-8")
    for name, source in (("set.yaml", SEED_SET), ("kubeconfig.yaml", cluster.operator)):
        command = [str(Path(sys.executable).with_name("ansible-vault")), "encrypt", "--vault-password-file", str(password)]
        subprocess.run([*command, "--output", str(tmp_path / name), str(source)], check=True, capture_output=True)
    task = vmirs(src="set.yaml", kubeconfig="kubeconfig.yaml")
    done = make_ansible(shell, None).run_tasks(task, arguments=["--vault-password-file", str(password)]).require_ok()
    refused = make_ansible(shell, None).run_tasks(task).require_failed()

    assert done.last.is_changed
    assert re.match(r'The file "\S+" that the option "(src|kubeconfig)" names cannot be decrypted: ', refused.last.message)
    assert "Traceback" not in refused.stdout + refused.stderr


def test_files_beside_the_play(ansible: Ansible, tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "mine.yaml").write_bytes(SEED_SET.read_bytes())

    assert ansible.run_tasks(vmirs(src="mine.yaml"), cwd=Path("/")).require_ok().last.is_changed


def test_become_is_left_to_the_module(ansible: Ansible) -> None:
    done = ansible.run_tasks({**vmirs(definition=replica_set(NAME, 0)), "become": True, "become_method": "ansible.builtin.su"}, check=True)

    if "su" in done.last.message or done.last.status == "unreachable":
        pytest.skip("this machine lets nobody become another user")
    assert done.require_ok().last.is_changed
