# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A rollout that is killed with SIGKILL in any of its stages, and run again: the same end, and no VMI replaced twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from integration.support.ansible import Ansible, Task
from integration.support.api import Api, Object
from integration.support.audit import AuditLog, writes
from integration.support.cluster import Cluster
from integration.support.fleet import quick_set
from integration.support.kill import Killer
from integration.support.manifests import HASH, counts, vmirs, vmirs_rollout
from integration.support.trace import Trace

NAME, NUMBER = "web", 6
PATCH, DELETE = "patch virtualmachineinstancereplicasets", "delete virtualmachineinstances"
HOW = {"max_unavailable": "2"}
Act = Callable[[Killer, Ansible, Task, Trace], list[str]]


def version(memory: str) -> Object:
    return quick_set(NAME, NUMBER, {"boot-seconds": "1", "shutdown-seconds": "1"}, memory=memory)


ENSURE = vmirs(definition=version("96M"), rollout=True, pause_between=2, **HOW)
UPDATE = vmirs_rollout(name=NAME, pause_between=2, **HOW)
RESTART = vmirs_rollout(name=NAME, state="restarted", pause_between=2, **HOW)
NAMED_RESTART = vmirs_rollout(name=NAME, state="restarted", restart_id="once", pause_between=2, **HOW)
ROLL_BACK = vmirs_rollout(name=NAME, state="rolled_back", pause_between=2, **HOW)


def after_patch(killer: Killer, ansible: Ansible, task: Task, _trace: Trace) -> list[str]:
    return killer.after_writes(ansible, task, lambda written: PATCH in written)


def after_delete(killer: Killer, ansible: Ansible, task: Task, _trace: Trace) -> list[str]:
    return killer.after_writes(ansible, task, lambda written: DELETE in written)


def while_waiting(killer: Killer, ansible: Ansible, task: Task, trace: Trace) -> list[str]:
    """Two more are deleted, and those that take their place are there and not ready yet."""
    number = len(trace.history.removed) + 2
    return killer.when(ansible, task, lambda: is_replacing(trace, number))


def is_replacing(trace: Trace, number: int) -> bool:
    history = trace.history
    return len(history.removed) == len(history.born) == number and history.last.ready == NUMBER - 2


def while_waiting_for_the_last(killer: Killer, ansible: Ansible, task: Task, trace: Trace) -> list[str]:
    """All are deleted, and not all that take their places are ready."""
    return killer.when(ansible, task, lambda: is_replacing(trace, NUMBER))


def between_batches(killer: Killer, ansible: Ansible, task: Task, trace: Trace) -> list[str]:
    """Two more are replaced, all are ready, and the pause is not over."""
    number = len(trace.history.removed) + 2
    return killer.when(ansible, task, lambda: is_replaced(trace, number))


def is_replaced(trace: Trace, number: int) -> bool:
    history = trace.history
    return len(history.removed) == number and history.last.ready == NUMBER and history.last.leaving == 0


@dataclass(frozen=True)
class Stage:
    """A task, where it is killed, and what it has written by then."""

    task: Task
    kill: Act
    deleted: int


STAGES = {
    "vmirs, after the template": Stage(ENSURE, after_patch, 0),
    "vmirs, among the deletions of a batch": Stage(ENSURE, after_delete, 1),
    "updated, among the deletions of a batch": Stage(UPDATE, after_delete, 1),
    "updated, while it waits": Stage(UPDATE, while_waiting, 2),
    "updated, while it waits for the last batch": Stage(UPDATE, while_waiting_for_the_last, NUMBER),
    "updated, between batches": Stage(UPDATE, between_batches, 2),
    "restarted, after the stamp": Stage(RESTART, after_patch, 0),
    "restarted, while it waits": Stage(RESTART, while_waiting, 2),
    "restarted, while it waits for the last batch": Stage(RESTART, while_waiting_for_the_last, NUMBER),
    "restarted by id, after the stamp": Stage(NAMED_RESTART, after_patch, 0),
    "restarted by id, between batches": Stage(NAMED_RESTART, between_batches, 2),
    "rolled back, after the template": Stage(ROLL_BACK, after_patch, 0),
    "rolled back, among the deletions of a batch": Stage(ROLL_BACK, after_delete, 1),
    "rolled back, while it waits": Stage(ROLL_BACK, while_waiting, 2),
    "rolled back, between batches": Stage(ROLL_BACK, between_batches, 2),
}


def prepare(ansible: Ansible, task: Task) -> None:
    """Make a set of which the task has VMIs to replace."""
    first = vmirs(definition=version("64M"), wait=True)
    if task is UPDATE:
        ansible.run_tasks([first, vmirs(definition=version("96M"))]).require_ok()
    elif task is ROLL_BACK:
        ansible.run_tasks([first, vmirs(definition=version("96M"), rollout=True, max_unavailable="100%")]).require_ok()
    else:
        ansible.run_tasks(first).require_ok()


def require_done(api: Api, namespace: str, trace: Trace, task: Task) -> None:
    """Check that each VMI that was there is replaced by one of the template, and each once."""
    history, live = trace.history, api.get("vmirs", namespace, NAME)
    template = live["spec"]["template"]
    assert counts(live) == (NUMBER,) * 3
    assert {each.template_hash for each in history.last.instances.values()} == {template["metadata"]["labels"][HASH]}
    assert template["spec"]["domain"]["resources"]["requests"]["memory"] == ("96M" if task in (ENSURE, UPDATE) else "64M")
    assert sorted(history.removed) == sorted(each.name for each in history.first_instances)
    assert len(history.born) == NUMBER
    assert history.replaced_twice == []
    assert history.least_ready >= NUMBER - 2


def test_a_rollout_that_is_killed_again_and_again(
    local_ansible: Ansible, api: Api, audit: AuditLog, killer: Killer, cluster: Cluster, namespace: str
) -> None:
    """In each of its stages, one after the other, before it is let go on to its end."""
    prepare(local_ansible, ENSURE)
    with Trace(cluster.admin, namespace, NAME) as trace:
        killed = [act(killer, local_ansible, ENSURE, trace) for act in (after_patch, after_delete, while_waiting, between_batches)]
        mark = audit.mark()
        run = local_ansible.run_tasks([ENSURE, ENSURE]).require_ok()
    print(f"\n{killed}, then {writes(audit.requests(mark))}\n{trace.history.text()}")
    assert [written.count(DELETE) for written in killed] == [0, 1, 2, 2]
    assert [result.is_changed for result in run.tasks] == [True, False]
    require_done(api, namespace, trace, ENSURE)


def test_a_roll_back_that_is_killed_does_not_turn_round(
    local_ansible: Ansible, api: Api, killer: Killer, cluster: Cluster, namespace: str
) -> None:
    prepare(local_ansible, ROLL_BACK)
    task = vmirs_rollout(name=NAME, state="rolled_back", **HOW)
    with Trace(cluster.admin, namespace, NAME) as trace:
        assert PATCH in after_patch(killer, local_ansible, task, trace)
        run = local_ansible.run_tasks([task, task]).require_ok()
    assert [result.is_changed for result in run.tasks] == [True, False]
    require_done(api, namespace, trace, ROLL_BACK)


ENSURE_AGAIN = pytest.param(vmirs(definition=version("64M"), rollout=True, max_unavailable="100%"), id="ensured", marks=pytest.mark.slow)


@pytest.mark.parametrize("finishes", [pytest.param(UPDATE, id="updated"), ENSURE_AGAIN])
def test_a_restart_that_something_else_has_finished_is_over(
    local_ansible: Ansible, killer: Killer, cluster: Cluster, namespace: str, finishes: Task
) -> None:
    prepare(local_ansible, RESTART)
    with Trace(cluster.admin, namespace, NAME) as trace:
        assert PATCH in after_patch(killer, local_ansible, RESTART, trace)
        finished = local_ansible.run_tasks([finishes, finishes]).require_ok()
        another = local_ansible.run_tasks(RESTART).require_ok()
    assert [result.is_changed for result in finished.tasks] == [True, False]
    assert [len(result["replaced"]) for result in (*finished.tasks, another.last)] == [NUMBER, 0, NUMBER]


@pytest.mark.slow
@pytest.mark.parametrize("name", STAGES)
def test_a_rollout_that_is_killed(
    ansible: Ansible, api: Api, audit: AuditLog, killer: Killer, cluster: Cluster, namespace: str, name: str
) -> None:
    stage = STAGES[name]
    prepare(ansible, stage.task)
    with Trace(cluster.admin, namespace, NAME) as trace:
        written = stage.kill(killer, ansible, stage.task, trace)
        assert written.count(DELETE) == stage.deleted
        assert (PATCH in written) == (stage.task is not UPDATE)
        mark = audit.mark()
        # A restart without an id would be another one once this has finished.
        tasks = [stage.task] if stage.task is RESTART else [stage.task, stage.task]
        run = ansible.run_tasks(tasks).require_ok()
        rest = writes(audit.requests(mark))
    print(f"\n{name}: {written}, then {rest}\n{trace.history.text()}")
    assert written.count(DELETE) + rest.count(DELETE) == NUMBER
    # A restart without an id is over once its mark is taken from the set, so there is something to do until then.
    assert [result.is_changed for result in run.tasks] == [stage.task is RESTART or stage.deleted < NUMBER, False][: len(tasks)]
    require_done(api, namespace, trace, stage.task)
