# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Nothing secret is printed, returned or logged: not by tasks that work, not by tasks that fail, however verbose the run."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from integration.support.ansible import Ansible, Shell
from integration.support.api import Api, eventually
from integration.support.cluster import Cluster
from integration.support.credentials import Credentials, read_credentials
from integration.support.manifests import replica_set

MARKER = "Xq7-marker"
# Takes the place of the system log in every module process.
SYSLOG = """
import os, syslog
def _log(*arguments):
    with open(os.environ["TEST_SYSLOG"], "a") as stream:
        print(*arguments, file=stream)
syslog.syslog = _log
"""


def user_data(number: int) -> str:
    return f"#cloud-config\npassword: {MARKER}-{number}\nchpasswd: {{expire: false}}\n"


def secrets(credentials: Credentials) -> list[str]:
    """Return every text that must not be seen."""
    user = credentials.kubeconfig["users"][0]["user"]
    encoded = base64.b64encode(user_data(4).encode()).decode()
    return [MARKER, encoded, encoded[20:60], credentials.token, user["client-key-data"], user["client-certificate-data"]]


def variables(credentials: Credentials, admin: Path) -> dict[str, Any]:
    """Return what the tasks are given, as variables: what a play shows of its own text is none of the modules' business."""
    sets = {f"set_{number}": replica_set("web", 0, user_data=user_data(number)) for number in (1, 2, 3)}
    encoded = replica_set("encoded", 0)
    source = {"userDataBase64": base64.b64encode(user_data(4).encode()).decode(), "networkData": f"# {MARKER}-5"}
    encoded["spec"]["template"]["spec"]["volumes"].append({"name": "cloudinit", "cloudInitConfigDrive": source})
    encoded["spec"]["template"]["spec"]["domain"]["devices"]["disks"].append({"name": "cloudinit", "disk": {"bus": "virtio"}})
    refused = replica_set("refused", 0, user_data=user_data(6))
    refused["spec"]["template"]["spec"]["domain"]["devices"]["disks"][0]["name"] = "nothing"
    huge = replica_set("huge", 1, user_data=user_data(7), memory="4000Gi")
    return {
        **sets,
        "encoded": encoded,
        "refused": refused,
        "huge": huge,
        "as_text": json.dumps(replica_set("text", 0, user_data=user_data(8))),
        "unknown_field": replica_set("unknown", 0, user_data=user_data(9)) | {"spek": user_data(9)},
        "server": credentials.server,
        "ca": str(credentials.ca_file),
        "token": credentials.token,
        "kubeconfig_mapping": credentials.kubeconfig,
        "admin_kubeconfig": str(admin),
        "wrong_token": f"{MARKER}-token",
        "password": f"{MARKER}-password",
    }


def task(title: str, /, **options: Any) -> dict[str, Any]:
    return {"name": title, "vmscale.kubevirt.vmirs": options, "ignore_errors": True}


TASKS = [
    task("create", definition="{{ set_1 }}"),
    task("change", definition="{{ set_2 }}"),
    task("again", definition="{{ set_2 }}"),
    task("template", name="web", selector="{{ set_3.spec.selector }}", template="{{ set_3.spec.template }}"),
    task("encoded", definition="{{ encoded }}"),
    task("text", definition="{{ as_text }}"),
    task("file", src="web.yaml"),
    task("list", definition=["{{ set_2 }}", "{{ as_text }}"]),
    task("list of texts", resource_definition=["{{ as_text }}"], wait=True),
    task("directory", src="sets"),
    task("list with one that is refused", definition=["{{ set_2 }}", "{{ refused }}"]),
    task("list with one that is too slow", definition=["{{ huge }}"], wait=True, wait_timeout=2),
    task("list with a mistake", definition=["{{ set_1 }}", "{{ as_text }}"], replicas=3),
    task("refused", definition="{{ refused }}"),
    task("unknown field", definition="{{ unknown_field }}"),
    task("contradiction", definition="{{ set_1 }}", template="{{ set_2.spec.template }}"),
    task("no such option", definition="{{ set_1 }}", replica=3),
    task("wrong type", definition="{{ set_1 }}", replicas="many"),
    task("too slow", definition="{{ huge }}", wait=True, wait_timeout=2),
    {**task("ended", definition="{{ huge }}", wait=True, wait_timeout=30), "timeout": 2},
    task("token", name="web", replicas=0, host="{{ server }}", ca_cert="{{ ca }}", api_key="{{ token }}"),
    task("mapping", name="web", replicas=0, kubeconfig="{{ kubeconfig_mapping }}"),
    task("mapping, no such context", name="web", replicas=0, kubeconfig="{{ kubeconfig_mapping }}", context="none"),
    task("mapping, no such option", name="web", replica=0, kubeconfig="{{ kubeconfig_mapping }}"),
    task("wrong token", name="web", replicas=0, host="{{ server }}", ca_cert="{{ ca }}", api_key="{{ wrong_token }}"),
    task("password", name="web", replicas=0, host="{{ server }}", ca_cert="{{ ca }}", username="me", password="{{ password }}"),
    {"name": "info", "vmscale.kubevirt.vmirs_info": {}},
    task("delete", name="web", state="absent"),
]
WORK = (
    "create",
    "change",
    "again",
    "template",
    "encoded",
    "text",
    "file",
    "list",
    "list of texts",
    "directory",
    "token",
    "mapping",
    "info",
    "delete",
)


@pytest.fixture
def credentials(cluster: Cluster) -> Credentials:
    if cluster.sandbox is None:
        pytest.skip("needs the token and the certificate of the sandbox's operator")
    return read_credentials(cluster.sandbox.name)


def test_nothing_secret_is_seen(
    make_ansible: Callable[..., Ansible], cluster: Cluster, credentials: Credentials, tmp_path: Path, shell: Shell
) -> None:
    (tmp_path / "web.yaml").write_text(json.dumps(replica_set("file", 0, user_data=user_data(10))), encoding="utf-8")
    (tmp_path / "sets").mkdir()
    for name in ("one", "two"):
        (tmp_path / "sets" / f"{name}.json").write_text(json.dumps(replica_set(name, 0, user_data=user_data(11))), encoding="utf-8")
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(SYSLOG, encoding="utf-8")
    log, syslog = tmp_path / "ansible.log", tmp_path / "syslog"
    environment = {"ANSIBLE_LOG_PATH": str(log), "PYTHONPATH": str(tmp_path / "site"), "TEST_SYSLOG": str(syslog)}
    done = make_ansible(shell).run_tasks(
        TASKS, variables=variables(credentials, cluster.admin), verbosity=4, diff=True, environment=environment
    )
    seen = {
        "stdout": done.stdout,
        "stderr": done.stderr,
        "log": log.read_text(encoding="utf-8"),
        "syslog": syslog.read_text(encoding="utf-8") if syslog.exists() else "",
        **{f"result of {result.name}": json.dumps(result.data) for result in done.tasks},
    }

    assert [result.name for result in done.tasks if result.status == "ok"] == list(WORK)
    assert len(done.tasks) == len(TASKS)
    found = [(place, secret[:20]) for place, text in seen.items() for secret in secrets(credentials) if secret in text]
    assert found == []
    assert shell == "local" or "Invoked for" in seen["syslog"]
    change = done.task("change")["diff"]
    assert change["before"] != change["after"], "that the user data changed is shown all the same"


def test_the_cluster_gets_the_real_data(local_ansible: Ansible, api: Api, namespace: str) -> None:
    definition = {"vmscale.kubevirt.vmirs": {"definition": replica_set("web", 0, user_data=user_data(1))}}
    local_ansible.run_tasks(definition).require_ok()
    live = eventually("the set", lambda: api.get("vmirs", namespace, "web"), bool, 5)

    assert live["spec"]["template"]["spec"]["volumes"][1]["cloudInitNoCloud"]["userData"] == user_data(1)
