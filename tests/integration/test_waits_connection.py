# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A wait goes through what happens to the connection, and says so; and it costs next to nothing while nothing happens."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from dev.sandbox import Sandbox
from integration.support.ansible import Ansible
from integration.support.api import Api, eventually
from integration.support.audit import AuditLog, Mark
from integration.support.manifests import replica_set, vmirs

pytestmark = pytest.mark.serial
NAME = "web"
BOOT = "sandbox.vmscale.kubevirt/boot-seconds"
JITTER = "sandbox.vmscale.kubevirt/boot-jitter-seconds"


@pytest.fixture(autouse=True)
def calm(api: Api, namespace: str) -> None:
    """The controllers are at work again, after whatever the test before did to the API server."""
    eventually("a service account", lambda: api.find("serviceaccounts", namespace, "default"), lambda found: found is not None)


def slow_task(seconds: int, timeout: int = 120) -> dict[str, Any]:
    """Return a task that waits for VMs which take so long to boot."""
    body = replica_set(NAME, 2, annotations={BOOT: str(seconds), JITTER: "0"})
    return dict(vmirs(definition=body, wait=True, wait_timeout=timeout))


def while_it_waits(ansible: Ansible, task: dict[str, Any], api: Api, namespace: str, act: Callable[[], object]) -> tuple[Any, list[Any]]:
    """Run a task, act once its VMs boot; returns its run, and what went wrong while acting."""
    failures: list[Any] = []

    def when_booting() -> None:
        try:
            eventually(
                "booting",
                lambda: api.items("vmis", namespace),
                lambda found: len(found) == 2 and all(each.get("status", {}).get("phase") == "Scheduled" for each in found),
            )
            time.sleep(1)
            act()
        except Exception as error:
            failures.append(error)

    acting = threading.Thread(target=when_booting)
    acting.start()
    run = ansible.run_tasks(task)
    acting.join()
    return run, failures


@pytest.mark.slow
def test_an_api_server_that_is_killed_and_comes_back(local_ansible: Ansible, api: Api, sandbox: Sandbox, namespace: str) -> None:
    run, failures = while_it_waits(local_ansible, slow_task(25), api, namespace, lambda: sandbox.restart("kube-apiserver"))
    done = run.require_ok().last
    assert failures == []
    assert (done["replicas"]["ready"], done["changed"]) == (2, True)
    (warning,) = done["warnings"]
    assert "had to be begun again: " in warning
    assert "connection refused" in warning
    print(f"\n{warning}")


def test_watches_that_are_gone(local_ansible: Ansible, api: Api, sandbox: Sandbox, namespace: str) -> None:
    run, failures = while_it_waits(local_ansible, slow_task(10), api, namespace, lambda: sandbox.fault("watch-gone"))
    done = run.require_ok().last
    assert failures == []
    assert done["replicas"]["ready"] == 2
    assert "410 Gone" in done["warnings"][0]
    print(f"\n{done['warnings'][0]}")


@pytest.mark.slow
def test_a_server_that_is_too_busy(local_ansible: Ansible, api: Api, sandbox: Sandbox, namespace: str) -> None:
    """What watches already, the throttle leaves alone: so the API server is restarted under it."""

    def throttle() -> None:
        sandbox.fault("throttle")
        sandbox.restart("kube-apiserver")
        time.sleep(8)
        sandbox.heal("throttle")

    try:
        run, failures = while_it_waits(local_ansible, slow_task(22), api, namespace, throttle)
    finally:
        sandbox.heal("throttle")
    done = run.require_ok().last
    assert failures == []
    assert done["replicas"]["ready"] == 2
    assert "HTTP 429" in done["warnings"][0]
    print(f"\n{done['warnings'][0]}")


@pytest.mark.slow
def test_a_server_that_stays_away_is_what_the_task_says(local_ansible: Ansible, api: Api, sandbox: Sandbox, namespace: str) -> None:
    try:
        task = slow_task(60, timeout=15)
        run, failures = while_it_waits(local_ansible, task, api, namespace, lambda: sandbox.fault("api-down"))
    finally:
        sandbox.heal("api-down")
    done = run.require_failed().last
    assert failures == []
    assert 14 < done["duration"] < 25
    assert "the API server has not answered for " in done.message
    assert "connection refused" in done.message


@pytest.mark.parametrize("seconds", [12, pytest.param(60, marks=pytest.mark.slow)])
def test_a_time_in_which_nothing_happens_costs_six_requests_at_most(
    local_ansible: Ansible, audit: AuditLog, api: Api, namespace: str, seconds: int
) -> None:
    body = replica_set(NAME, 2, annotations={"sandbox.vmscale.kubevirt/fault": "never-boot"})
    api.create("vmirs", namespace, body)
    eventually("created", lambda: api.items("vmis", namespace), lambda found: len(found) == 2)
    time.sleep(2)
    mark = audit.mark()
    task = vmirs(definition=body, template_hash=False, wait=True, wait_timeout=seconds)
    done = local_ansible.run_tasks(task).require_failed().last
    assert seconds - 1 < done["duration"] < seconds + 8
    # The API server records a watch when it ends: all of them have by then.
    time.sleep(1)
    asked = [f"{each.verb} {each.uri.partition('?')[0].rpartition('/')[2]}" for each in audit.requests(mark)]
    print(f"\n{asked}")
    # The first is the task's own look, before it waits.
    assert asked[0] == f"get {NAME}"
    assert len(asked) - 1 <= 6


@pytest.mark.parametrize("runs", [5, pytest.param(20, marks=pytest.mark.slow)])
def test_a_task_ends_with_the_write_that_makes_the_set_ready(local_ansible: Ansible, audit: AuditLog, runs: int) -> None:
    """The status write, by the audit log, and the line that the task shows when its wait is over, by its log."""
    lags: list[float] = []
    for number in range(runs):
        mark = audit.mark()
        lags.append(_lag(local_ansible, audit, mark, f"{NAME}{number}"))
    print(f"\nlags: {[f'{lag:.3f}' for lag in lags]}, median {statistics.median(lags):.3f} s")
    assert statistics.median(lags) <= 0.3


def _lag(ansible: Ansible, audit: AuditLog, mark: Mark, name: str) -> float:
    log = ansible.directory / f"{name}.log"
    task = vmirs(definition=replica_set(name, 2), wait=True, wait_timeout=60)
    ansible.run_tasks(task, environment={"ANSIBLE_LOG_PATH": str(log)}).require_ok()
    last = [line for line in log.read_text(encoding="utf-8").splitlines() if f"{name}: 2/2 ready" in line][-1]
    ended = datetime.strptime(last[:23], "%Y-%m-%d %H:%M:%S,%f").timestamp()
    written = audit.last_write(mark, f"virtualmachineinstancereplicasets/{name}/status", before=ended)
    return ended - written
