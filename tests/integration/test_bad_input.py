# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What users get wrong: each gets one sentence that says what and where, through both shells, and nothing is written."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from dev.paths import CHECKOUT
from integration.support.ansible import Ansible, Shell
from integration.support.api import Api, Object
from integration.support.audit import AuditLog, Request
from integration.support.bad_input import CONNECTION, MANIFESTS, OPTIONS, Row
from integration.support.bad_input_fleets import FLEETS
from integration.support.bad_input_scaling import RESTING, ROLLING_OUT, SCALING, STRAY
from integration.support.bare import bare_server
from integration.support.cluster import Cluster
from integration.support.credentials import expired_token, read_credentials
from integration.support.manifests import autoscaler, await_acknowledged, replica_set, vmi_template, written_part
from integration.support.results import Run
from integration.support.selection import IS_SLOW_WANTED, WHY_NOT

pytestmark = pytest.mark.xdist_group("bad input")
NAMESPACE = f"test-{uuid.uuid4().hex[:8]}"
TABLE = CHECKOUT / "docs" / "messages.md"
SECTIONS = {
    "The cluster and the credentials": CONNECTION,
    "Manifests": MANIFESTS,
    "Options": OPTIONS,
    "Scaling": SCALING,
    "Rollouts": ROLLING_OUT,
    "Fleets": FLEETS,
}
ROWS = [row for rows in SECTIONS.values() for row in rows]
# What a module's argument spec refuses differs between the shells; of the rest one for each module shows that it is the same engine.
REMOTE_ROWS = ROWS if IS_SLOW_WANTED else [*{row.module: row for row in reversed(ROWS) if row not in OPTIONS}.values(), *OPTIONS]


@dataclass(frozen=True)
class Outcome:
    """What came of all the tasks through one shell."""

    run: Run
    values: Mapping[str, str]
    requests: tuple[Request, ...]
    left: Mapping[str, Object]


def prepare_files(directory: Path) -> None:
    web, scaler = (yaml.safe_dump(each) for each in (replica_set("web", 1), autoscaler("web", "web", 1, 3)))
    pod, broken = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n", "kind: [unclosed\nmetadata: {"
    contents = {
        "web.yaml": web,
        "autoscaler.yaml": scaler,
        "two.yaml": f"{web}---\n{pod}",
        "empty.yaml": "---\n",
        "broken.yaml": broken,
        "fleet/broken.yaml": broken,
        "fleet/pod.yaml": f"{scaler}---\n{pod}",
        "fleet/web.yaml": web,
        "empty/notes.txt": web,
    }
    for name, content in contents.items():
        (directory / name).parent.mkdir(exist_ok=True)
        (directory / name).write_text(content, encoding="utf-8")


def prepare_cluster(api: Api) -> None:
    """Make a set that lives, one that is paused, a VMI of nobody, and give the user `reader` the right to read sets."""
    api.create("namespaces", None, {"metadata": {"name": NAMESPACE}})
    rbac = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{NAMESPACE}"
    rule = {"apiGroups": ["kubevirt.io"], "resources": ["virtualmachineinstancereplicasets"], "verbs": ["get", "list"]}
    api.call("POST", f"{rbac}/roles", {"metadata": {"name": "reader"}, "rules": [rule]})
    subject = {"kind": "User", "name": "reader", "apiGroup": "rbac.authorization.k8s.io"}
    role = {"kind": "Role", "name": "reader", "apiGroup": "rbac.authorization.k8s.io"}
    api.call("POST", f"{rbac}/rolebindings", {"metadata": {"name": "reader"}, "subjects": [subject], "roleRef": role})
    api.create("vmirs", NAMESPACE, replica_set("live", 0))
    resting = replica_set(RESTING, 0)
    resting["spec"]["paused"] = True
    api.create("vmirs", NAMESPACE, resting)
    template = vmi_template(STRAY)
    body = {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstance", **template}
    api.create("vmis", NAMESPACE, {**body, "metadata": {**template["metadata"], "name": STRAY}})
    await_acknowledged(api, NAMESPACE, "live")
    await_acknowledged(api, NAMESPACE, RESTING)


def objects(api: Api) -> dict[str, Object]:
    found = [(resource, item) for resource in ("vmirs", "hpas") for item in api.items(resource)]
    return {f"{resource} {item['metadata']['namespace']}/{item['metadata']['name']}": written_part(item) for resource, item in found}


@pytest.fixture(scope="module")
def outcomes(cluster: Cluster, api: Api, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[Shell, Outcome]]:
    """All the tasks, run in one play through each shell; each is in error and lets the next one run."""
    if cluster.sandbox is None or cluster.audit is None or cluster.nobody is None:
        pytest.skip("needs the users, the audit log and the certificates of the sandbox")
    directory = tmp_path_factory.mktemp("bad-input")
    prepare_files(directory)
    credentials = read_credentials(cluster.sandbox.name)
    audit = AuditLog(cluster.audit, NAMESPACE)
    found: dict[Shell, Outcome] = {}
    shells: tuple[Shell, ...] = ("local", "remote")
    with bare_server(cluster.sandbox.name, directory) as bare:
        values = {
            "namespace": NAMESPACE,
            "files": str(directory),
            "bare": bare,
            "server": credentials.server,
            "ca": str(credentials.ca_file),
            "wrong-ca": str(credentials.wrong_ca_file),
            "expired": expired_token(cluster.sandbox.name, "default", "vmscale-operator"),
            "kubeconfig": str(cluster.operator),
            "admin": str(cluster.admin),
            "nobody": str(cluster.nobody),
        }
        try:
            prepare_cluster(api)
            before = objects(api)
            for shell in shells:
                tasks = [row.task(values) for row in (ROWS if shell == "local" else REMOTE_ROWS)]
                mark = audit.mark()
                run = Ansible(directory, cluster.operator, shell, NAMESPACE).run_tasks(tasks, verbosity=3)
                requests = tuple(request for request in audit.requests(mark, user=None) if request.agent.startswith("vmscale.kubevirt"))
                left = {name: content for name, content in objects(api).items() if before.get(name) != content and NAMESPACE in name}
                found[shell] = Outcome(run, values, requests, left)
            yield found
        finally:
            api.delete("namespaces", None, NAMESPACE)


@pytest.mark.parametrize("row", ROWS, ids=[row.what for row in ROWS])
def test_the_message(outcomes: dict[Shell, Outcome], shell: Shell, row: Row) -> None:
    if shell == "remote" and row not in REMOTE_ROWS:
        pytest.skip(WHY_NOT)
    outcome = outcomes[shell]
    result = outcome.run.task(row.what)

    assert result.status == "failed"
    assert not result.is_changed
    assert row.is_message(result.message, outcome.values), f"\nseen:     {result.message}\nexpected: {row.message}"
    assert "exception" not in result.data
    assert "Traceback" not in str(result.data)


def test_nothing_is_written(outcomes: dict[Shell, Outcome], shell: Shell) -> None:
    outcome = outcomes[shell]

    assert [request for request in outcome.requests if request.is_write and request.code < 300] == []
    assert outcome.left == {}


def test_no_traceback_is_shown(outcomes: dict[Shell, Outcome], shell: Shell) -> None:
    assert "Traceback" not in outcomes[shell].run.stdout + outcomes[shell].run.stderr


def test_both_shells_say_the_same(outcomes: dict[Shell, Outcome]) -> None:
    local, remote = ({task.name: generalised(task.message, outcome) for task in outcome.run.tasks} for outcome in outcomes.values())

    assert {what: local[what] for what in remote} == remote
    assert len(remote) == len(REMOTE_ROWS)


def test_the_table_of_messages(outcomes: dict[Shell, Outcome]) -> None:
    outcome = outcomes["local"]
    text = table({task.name: generalised(task.message, outcome) for task in outcome.run.tasks})
    if os.environ.get("VMSCALE_WRITE_TABLES") == "1":
        TABLE.write_text(text, encoding="utf-8")

    assert all(f"| {row.what} |" in text for row in ROWS)


def generalised(message: str, outcome: Outcome) -> str:
    """Return a message with words in place of what differs from run to run."""
    message = message.replace(str(outcome.values["files"]) + "/", "")
    for word in ("namespace", "bare", "server", "kubeconfig"):
        message = message.replace(outcome.values[word], word.upper() if word != "bare" else "SERVER")
    start, separator, _ = message.partition(" Supported parameters include: ")
    return start + (f"{separator}..." if separator else "")


def table(messages: Mapping[str, str]) -> str:
    lines = [
        "# Messages",
        "",
        "What the modules say when something is wrong. NAMESPACE, SERVER and KUBECONFIG stand for the actual ones. The table is written",
        'by the integration tests: `VMSCALE_WRITE_TABLES=1 make integration ARGS="-k bad_input"`.',
    ]
    for title, rows in SECTIONS.items():
        lines += ["", f"## {title}", "", "| what is wrong | module | message |", "|---|---|---|"]
        for row in rows:
            message = messages[row.what].replace("|", "\\|").replace("\n", " ").replace("<", "\\<")
            lines.append(f"| {row.what} | `{row.module}` | {message} |")
    return "\n".join(lines) + "\n"
