# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many objects in one task: made, changed, pruned and removed, each step in check mode first, wherever they are described."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from integration.support.ansible import Ansible, Shell
from integration.support.api import Api, Object
from integration.support.audit import AuditLog
from integration.support.fleet import quick_set
from integration.support.manifests import autoscaler, await_acknowledged, hpa, replica_set, vmirs
from integration.support.results import TaskResult
from integration.support.steps import run_three_times

LABEL = "vmscale.kubevirt/fleet"
PATCH, DELETE = "patch virtualmachineinstancereplicasets", "delete virtualmachineinstancereplicasets"


def flagged(result: TaskResult, flag: str) -> list[str]:
    """Return the names of those for which a flag is set."""
    return [each["name"] for each in result["results"] if each[flag]]


def present(api: Api, namespace: str, resource: str = "vmirs") -> list[str]:
    """Return the names of what is there and not about to go."""
    return sorted(each["metadata"]["name"] for each in api.items(resource, namespace) if "deletionTimestamp" not in each["metadata"])


def counted(total: int, changed: int = 0, pruned: int = 0) -> dict[str, int]:
    """Return the summary of a fleet that is well."""
    return {"total": total, "ok": total, "changed": changed, "failed": 0, "pruned": pruned, "skipped": 0}


def in_namespace(body: Object, namespace: str) -> Object:
    return {**body, "metadata": {**body["metadata"], "namespace": namespace}}


@pytest.mark.parametrize(("shell", "number"), [("local", 60), ("remote", 6)])
def test_a_fleet_from_nothing_to_nothing(
    make_ansible: Callable[..., Ansible], audit: AuditLog, api: Api, namespace: str, shell: Shell, number: int
) -> None:
    ansible, names = make_ansible(shell), [f"s{index:02}" for index in range(number)]
    # A set of none is made and changed like any other, and takes no room.
    sets = [quick_set(name, 1 if name < "s03" else 0) for name in names]

    def fleet(bodies: Sequence[Object], **options: Any) -> Any:
        return vmirs(definition=list(bodies), fleet="web", wait=True, wait_timeout=240, **options)

    api.create("vmirs", namespace, replica_set("stranger", 0))
    made = run_three_times(ansible, audit, fleet(sets, prune=True))
    assert made.writes == [PATCH] * number
    assert (made.predicted["summary"], made.done["summary"]) == (counted(number, number), counted(number, number))
    assert made.again["summary"] == counted(number)
    assert [each["name"] for each in made.done["results"]] == names
    assert [each["replicas"]["ready"] for each in made.done["results"][:4]] == [1, 1, 1, 0]
    assert len(made.done["diff"]) == number

    mark = audit.mark()
    unchanged = ansible.run_tasks(fleet(sets, prune=True)).require_ok().last
    asked = [f"{each.verb} {each.resource}" for each in audit.requests(mark)]
    assert not unchanged.is_changed
    assert asked == ["list virtualmachineinstancereplicasets", "list virtualmachineinstances"]

    other = [quick_set("s01", 2), quick_set("s04", 0, memory="65M"), quick_set("new", 0)]
    modified = [*other, *(body for body in sets if body["metadata"]["name"] not in ("s01", "s02", "s04", "s05"))]
    changed = run_three_times(ansible, audit, fleet(modified, prune=True))
    assert Counter(changed.writes) == {PATCH: 3, DELETE: 2, "create controllerrevisions": 1}
    for step in (changed.predicted, changed.done):
        assert step["summary"] == counted(number + 1, 5, 2)
        assert flagged(step, "changed") == ["s01", "s04", "new", "s02", "s05"]
        assert [each["method"] for each in step["results"] if each["changed"]] == ["patch", "patch", "create", "delete", "delete"]
        assert flagged(step, "pruned") == ["s02", "s05"]
    assert present(api, namespace) == sorted({*names, "new", "stranger"} - {"s02", "s05"})
    assert len(api.items("vmis", namespace)) == 3
    assert api.find("vmirs", namespace, "s02") is None, "the task has waited for what it pruned"

    gone = run_three_times(ansible, audit, fleet(modified, state="absent"))
    assert gone.writes == [DELETE] * (number - 1)
    assert (gone.done["summary"], gone.again["summary"]) == (counted(number - 1, number - 1), counted(number - 1))
    assert present(api, namespace) == ["stranger"]
    assert api.items("vmis", namespace) == []


@pytest.mark.slow_remote
def test_every_way_to_describe_a_fleet_means_the_same(ansible: Ansible, api: Api, namespace: str, tmp_path: Path) -> None:
    sets = [replica_set(name, 0) for name in ("blue", "green", "red")]
    scaler = autoscaler("blue", "blue", 1, 2)
    password = tmp_path / "vault-password"
    password.write_text("open sesame\n", encoding="utf-8")
    directory = tmp_path / "files" / "sets"
    directory.mkdir(parents=True)
    (directory / "10-blue.yaml").write_text(yaml.safe_dump_all([sets[0], scaler]), encoding="utf-8")
    (directory / "20-green.json").write_text(yaml.safe_dump(sets[1]), encoding="utf-8")
    (directory / "README.md").write_text("Not a manifest.", encoding="utf-8")
    (directory / "below").mkdir()
    (directory / "below" / "other.yml").write_text("kind: Nothing\n", encoding="utf-8")
    secret = directory / "30-red.yml"
    secret.write_text(yaml.safe_dump(sets[2]), encoding="utf-8")
    vault = [str(Path(sys.executable).with_name("ansible-vault")), "encrypt", "--vault-password-file", str(password), str(secret)]
    subprocess.run(vault, check=True, capture_output=True)
    (tmp_path / "all.yml").write_text(yaml.safe_dump_all([*sets, scaler]), encoding="utf-8")
    for name, body in zip(("x1.yml", "x2.yml", "x3.yml"), sets, strict=True):
        (tmp_path / name).write_text(yaml.safe_dump(body), encoding="utf-8")
    ways: list[dict[str, Any]] = [
        {"src": "sets"},
        {"src": f"{directory}/"},
        {"src": "sets/*0-*"},
        {"src": f"{tmp_path}/*/sets/*0-*"},
        {"src": "x?.yml"},
        {"src": str(tmp_path / "all.yml")},
        {"definition": sets},
        {"definition": [scaler, *(yaml.safe_dump(body) for body in sets)]},
        {"definition": yaml.safe_dump_all(sets)},
        {"definition": [{"kind": "List", "items": [*sets, scaler]}]},
    ]
    done = ansible.run_tasks([vmirs(**way) for way in ways], arguments=["--vault-password-file", str(password)], cwd=Path("/")).require_ok()

    assert [task.is_changed for task in done.tasks] == [True, *[False] * (len(ways) - 1)]
    assert [[each["name"] for each in task["results"]] for task in done.tasks] == [["blue", "green", "red"]] * len(ways)
    assert present(api, namespace) == ["blue", "green", "red"]
    assert present(api, namespace, "hpas") == [], "the other module's objects are passed over"
    refused = ansible.run_tasks(vmirs(src="sets")).require_failed().last
    assert re.match(r'The file "sets/30-red.yml" of the option "src" cannot be decrypted: ', refused.message)


def test_a_file_and_a_pattern_are_looked_up_where_ansible_was_started(ansible: Ansible, tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    for name in ("x1", "x2"):
        (project / f"{name}.yml").write_text(yaml.safe_dump(replica_set(name, 0)), encoding="utf-8")
    # Beside the play lies neither of them.
    done = ansible.run_tasks([vmirs(src=src) for src in ("x1.yml", "x?.yml", "*.yml")], cwd=project).require_failed()
    assert [task.status for task in done.tasks] == ["ok", "ok", "failed"]
    assert [each["name"] for each in done.tasks[1]["results"]] == ["x1", "x2"]
    # What lies beside the play comes first, as it does for a plain file.
    assert "play-" in done.last.message


def test_a_fleet_of_several_namespaces(local_ansible: Ansible, audit: AuditLog, api: Api, namespace: str, other_namespace: str) -> None:
    other = other_namespace
    here, there = replica_set("web", 0), in_namespace(replica_set("web", 0), other)
    everywhere = AuditLog(audit.path)

    def run(*bodies: Object, **options: Any) -> TaskResult:
        return local_ansible.run_tasks(vmirs(definition=list(bodies), fleet="web", prune=True, **options)).require_ok().last

    made = run(here, there, in_namespace(replica_set("old", 0), other))
    assert [(each["namespace"], each["name"]) for each in made["results"]] == [(namespace, "web"), (other, "web"), (other, "old")]
    mark = everywhere.mark()
    pruned = run(here, there)
    assert [(each["namespace"], each["name"]) for each in pruned["results"] if each["pruned"]] == [(other, "old")]
    asked = [each.uri.partition("?")[0] for each in everywhere.requests(mark) if each.verb == "list" and each.uri.count(namespace)]
    assert sorted(asked) == sorted(api.path("vmirs", where) for where in (namespace, other))
    # A namespace that nobody describes any more has to be named.
    assert run(here)["summary"] == counted(1)
    assert present(api, other) == ["web"]
    assert run(here, prune_namespaces=[other])["summary"] == counted(2, 1, 1)
    assert present(api, other) == []


def test_what_is_pruned_is_only_the_fleets_own(ansible: Ansible, api: Api, namespace: str) -> None:
    for name, labels in (("mine", {LABEL: "web"}), ("theirs", {LABEL: "db"}), ("nobodys", {})):
        body = replica_set(name, 0)
        api.create("vmirs", namespace, {**body, "metadata": {"name": name, "labels": labels}})
    task = vmirs(definition=[replica_set("web", 0)], fleet="web")
    kept, predicted, pruned = (
        ansible.run_tasks(
            [
                task,
                {**vmirs(definition=[replica_set("web", 0)], fleet="web", prune=True), "check_mode": True},
                vmirs(**task["vmscale.kubevirt.vmirs"], prune=True),
            ],
            diff=True,
        )
        .require_ok()
        .tasks
    )
    assert flagged(kept, "pruned") == []
    assert flagged(predicted, "pruned") == flagged(pruned, "pruned") == ["mine"]
    before, after = predicted["diff"][-1]["before"], predicted["diff"][-1]["after"]
    assert (before["metadata"]["name"], after) == ("mine", {})
    assert "mine" not in present(api, namespace)
    assert {"theirs", "nobodys", "web"} <= set(present(api, namespace))
    assert api.get("vmirs", namespace, "web")["metadata"]["labels"] == {LABEL: "web"}


@pytest.mark.versions
@pytest.mark.slow_remote
def test_a_fleet_of_autoscalers(ansible: Ansible, audit: AuditLog, api: Api, namespace: str) -> None:
    names = [f"s{index}" for index in range(4)]
    for name in names:
        api.create("vmirs", namespace, replica_set(name, 0))
    for name in names:
        await_acknowledged(api, namespace, name)
    scalers = [autoscaler(name, name, 1, 3) for name in names]
    patch, delete = "patch horizontalpodautoscalers", "delete horizontalpodautoscalers"

    made = run_three_times(ansible, audit, hpa(definition=scalers, fleet="web"))
    assert made.writes == [patch] * 4
    assert [each["result"]["kind"] for each in made.done["results"]] == ["HorizontalPodAutoscaler"] * 4
    assert made.again["results"][0]["result"]["apiVersion"] == "autoscaling/v2"
    mark = audit.mark()
    ansible.run_tasks(hpa(definition=scalers, fleet="web")).require_ok()
    assert [f"{each.verb} {each.resource}" for each in audit.requests(mark)] == ["list horizontalpodautoscalers"]

    modified = [autoscaler("s0", "s0", 1, 9), *scalers[1:3]]
    changed = run_three_times(ansible, audit, hpa(definition=modified, fleet="web", prune=True))
    assert sorted(changed.writes) == [delete, patch]
    assert (flagged(changed.done, "changed"), flagged(changed.done, "pruned")) == (["s0", "s3"], ["s3"])
    assert changed.done["results"][0]["replicas"]["max"] == 9

    gone = run_three_times(ansible, audit, hpa(definition=modified, state="absent", wait=True))
    assert gone.writes == [delete] * 3
    assert present(api, namespace, "hpas") == []
    assert len(present(api, namespace)) == 4


def test_progress_of_a_fleet_is_one_line(local_ansible: Ansible) -> None:
    slow = {"sandbox.vmscale.kubevirt/boot-seconds": "2", "sandbox.vmscale.kubevirt/boot-jitter-seconds": "0"}
    sets = [replica_set(name, 1, annotations=slow) for name in ("one", "two", "three")]
    done = local_ansible.run_tasks(vmirs(definition=sets, wait=True)).require_ok()
    lines = re.findall(r"^\d/3 sets ready.*\(\d+ s\)$", done.stdout, re.MULTILINE)
    assert len(lines) >= 2
    assert len(lines) == len(set(lines))
    assert re.match(r"0/3 sets ready, 0/3 VMIs ready; slowest: \S+/(one|two|three), 0 of 1 ready ", lines[0])
    assert lines[-1].startswith("3/3 sets ready, 3/3 VMIs ready (")
    assert not re.search(r"^(one|two|three): ", done.stdout, re.MULTILINE)
    last = done.last["timeline"][-1]
    assert {key: last[key] for key in ("objects", "finished", "failed", "desired", "ready")} == {
        "objects": 3,
        "finished": 3,
        "failed": 0,
        "desired": 3,
        "ready": 3,
    }


def test_a_fleet_rolls_out_set_after_set(local_ansible: Ansible, audit: AuditLog, api: Api, namespace: str) -> None:
    names = ["b", "a"]
    local_ansible.run_tasks(vmirs(definition=[quick_set(name, 1) for name in names], wait=True)).require_ok()
    task = vmirs(definition=[quick_set(name, 1, memory="65M") for name in names], rollout=True)
    mark = audit.mark()
    runs = run_three_times(local_ansible, audit, task)
    replaced = [each["replaced"] for each in runs.done["results"]]
    deleted = [each.name for each in audit.requests(mark) if each.verb == "delete" and not each.is_dry_run]

    assert [len(each) for each in replaced] == [1, 1]
    assert deleted == [name for each in replaced for name in each], "set after set, in the order of the description"
    assert runs.predicted["results"][0]["replaced"] == replaced[0]
    assert [each["replicas"]["outdated"] for each in runs.again["results"]] == [0, 0]
    assert {item["spec"]["domain"]["resources"]["requests"]["memory"] for item in api.items("vmis", namespace)} == {"65M"}
