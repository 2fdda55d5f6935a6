# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What goes wrong with one object of a fleet, or with the whole task: the others finish, or the next run does."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable

import pytest

from dev.sandbox import Sandbox
from integration.support.accounts import AsUser
from integration.support.ansible import Ansible, Shell
from integration.support.api import Api, Object
from integration.support.audit import AuditLog
from integration.support.fleet import quick_set
from integration.support.kill import Killer
from integration.support.manifests import replica_set, vmirs
from integration.support.results import Run

SETS = "virtualmachineinstancereplicasets"
PATCH = f"patch {SETS}"
SET = "VirtualMachineInstanceReplicaSet"


def refused_by_admission(name: str) -> Object:
    body = replica_set(name, 1)
    body["spec"]["template"]["spec"]["domain"]["devices"]["disks"][0]["name"] = "nothing"
    return body


def with_unknown_field(name: str) -> Object:
    body = replica_set(name, 1)
    body["spec"]["template"]["spec"]["domain"]["cpus"] = 1
    return body


def names(run: Run, flag: str) -> list[str]:
    """Return the names of the results for which a flag is set."""
    return [each["name"] for each in run.last["results"] if each[flag]]


def test_what_is_wrong_with_some_is_told_while_the_others_finish(make_ansible: Callable[..., Ansible], api: Api, namespace: str) -> None:
    sets = [
        quick_set("blue", 2),
        refused_by_admission("admission"),
        replica_set("huge", 1, memory="4000Gi"),
        with_unknown_field("field"),
        quick_set("green", 1),
    ]
    api.create("vmirs", namespace, replica_set("old", 0) | {"metadata": {"name": "old", "labels": {"vmscale.kubevirt/fleet": "web"}}})
    task = vmirs(definition=sets, fleet="web", prune=True, wait=True, wait_timeout=120)
    runs: dict[Shell, Run] = {shell: make_ansible(shell).run_tasks(task).require_failed() for shell in ("local", "remote")}
    done = runs["local"]
    results = {each["name"]: each for each in done.last["results"]}

    assert done.last["summary"] == {"total": 6, "ok": 2, "changed": 2, "failed": 3, "pruned": 0, "skipped": 1}
    assert done.last.is_changed
    assert names(done, "failed") == ["admission", "huge", "field"]
    assert [results[name]["replicas"]["ready"] for name in ("blue", "green")] == [2, 1]
    assert "is refused by admission webhook" in results["admission"]["msg"]
    assert "spec.template.spec.domain.cpus: field not declared in schema" in results["field"]["msg"]
    huge = results["huge"]
    assert (huge["changed"], huge["method"], huge["diagnosis"][0]["reason"]) == (True, "create", "Unschedulable")
    assert f"{SET} {namespace}/huge is not ready after " in huge["msg"]
    assert "is of no use: " in huge["msg"]
    assert huge["reasons"][0] == "0 of 1 ready"
    told = [f"{namespace}/{name}: {results[name]['msg']}" for name in ("admission", "huge", "field")]
    assert done.last.message == f"3 of 6 sets failed: {' '.join(told)}"
    # What was to replace it has not been written.
    assert (results["old"]["pruned"], results["old"]["skipped"]) == (True, True)
    assert api.find("vmirs", namespace, "old") is not None
    assert "Traceback" not in done.stdout + done.stderr
    assert names(runs["remote"], "failed") == names(done, "failed")
    assert runs["remote"].last["summary"] == {**done.last["summary"], "changed": 0}


def test_after_the_first_failure_nothing_else_is_begun(local_ansible: Ansible, audit: AuditLog, api: Api, namespace: str) -> None:
    sets = [refused_by_admission("first"), *(replica_set(f"s{index}", 0) for index in range(59))]
    mark = audit.mark()
    done = local_ansible.run_tasks(vmirs(definition=sets, on_failure="stop", wait=True)).require_failed()
    made = [each["metadata"]["name"] for each in api.items("vmirs", namespace)]

    assert names(done, "failed") == ["first"]
    assert len(names(done, "skipped")) == done.last["summary"]["skipped"] >= 20
    assert set(made) == {f"s{index}" for index in range(59)} - set(names(done, "skipped"))
    assert done.last["summary"]["ok"] == len(made)
    assert len([each for each in audit.requests(mark) if each.is_write]) == len(made) + 1
    assert done.last.message.startswith(f"1 of 60 sets failed: {namespace}/first: ")


def test_a_user_with_few_rights(as_user: AsUser, api: Api, namespace: str) -> None:
    sets = [replica_set(name, 0) for name in ("blue", "green")]
    fleet = vmirs(definition=sets, fleet="web", prune=True)
    may_list = as_user({SETS: ("list", "patch", "create")})
    assert may_list.run_tasks(fleet).require_ok().last["summary"]["changed"] == 2
    waiting = may_list.run_tasks(vmirs(definition=[*sets, replica_set("red", 1)], fleet="web", wait=True)).require_failed().last
    assert waiting["summary"] == {"total": 3, "ok": 0, "changed": 0, "failed": 3, "pruned": 0, "skipped": 0}
    assert "may not list virtualmachineinstances.kubevirt.io" in waiting.message
    assert waiting.is_changed, "what has been written is told"
    cannot_delete = may_list.run_tasks(vmirs(definition=sets[:1], fleet="web", prune=True)).require_failed().last
    assert cannot_delete.message.startswith(f'2 of 3 sets failed: {namespace}/green, {namespace}/red: User "')
    assert f"may not delete {SETS}" in cannot_delete.message
    assert {each["metadata"]["name"] for each in api.items("vmirs", namespace)} == {"blue", "green", "red"}


@pytest.mark.parametrize("written", [1, 25])
def test_a_run_that_is_killed_is_finished_by_the_next(
    local_ansible: Ansible, api: Api, audit: AuditLog, killer: Killer, namespace: str, written: int
) -> None:
    api.create("vmirs", namespace, replica_set("old", 0) | {"metadata": {"name": "old", "labels": {"vmscale.kubevirt/fleet": "web"}}})
    task = vmirs(definition=[replica_set(f"s{index:02}", 0) for index in range(60)], fleet="web", prune=True, wait=True)
    first = killer.after_writes(local_ansible, task, lambda writes: len(writes) >= written)
    assert set(first) == {PATCH}
    assert written <= len(first) < 60
    # What had been sent when the run died has been written by now.
    time.sleep(1)
    made = len(api.items("vmirs", namespace)) - 1
    mark = audit.mark()
    again, last = local_ansible.run_tasks([task, task]).require_ok().tasks
    done = Counter(f"{each.verb} {each.resource}" for each in audit.requests(mark) if each.is_write)
    assert done == {PATCH: 60 - made, f"delete {SETS}": 1}
    assert (again["summary"]["changed"], again["summary"]["ok"]) == (61 - made, 61)
    assert (last.is_changed, last["summary"]["total"]) == (False, 60)
    assert len(api.items("vmirs", namespace)) == 60


def throttled(sandbox: Sandbox, seconds: float) -> threading.Timer:
    """Throttle the operator for so long, at least."""
    sandbox.fault("throttle")
    timer = threading.Timer(seconds, sandbox.heal, ["throttle"])
    timer.start()
    return timer


@pytest.mark.slow
@pytest.mark.serial
def test_a_server_that_is_too_busy_is_given_time(local_ansible: Ansible, api: Api, sandbox: Sandbox, namespace: str) -> None:
    task = vmirs(definition=[quick_set(f"s{index}", 0) for index in range(20)], wait=True)
    timer = throttled(sandbox, 8)
    try:
        done = local_ansible.run_tasks(task).require_ok().last
    finally:
        timer.join()
        sandbox.heal("throttle")
    assert done["summary"]["changed"] == 20
    assert "HTTP 429" in done["warnings"][0]
    assert len(api.items("vmirs", namespace)) == 20
    print(f"\n{done['warnings'][0]}")


@pytest.mark.slow
@pytest.mark.serial
def test_a_task_that_is_ended_gives_up_what_it_tries_again(local_ansible: Ansible, sandbox: Sandbox) -> None:
    local_ansible.run_tasks(vmirs(definition=[replica_set("s0", 0)])).require_ok()
    task = vmirs(definition=[replica_set(f"s{index}", 0) for index in range(40)], wait=True, wait_timeout=100)
    timer = throttled(sandbox, 60)
    try:
        done = local_ansible.run_tasks({**task, "timeout": 4}).require_failed()
    finally:
        timer.cancel()
        sandbox.heal("throttle")
    assert "Timed out after 4 second" in done.last.message
    assert done.seconds < 50
