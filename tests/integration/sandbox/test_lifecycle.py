# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A sandbox comes up, heals, keeps its data, and goes without a trace."""

from __future__ import annotations

import os
import signal
import time

import pytest

from integration.sandbox.command import Command, eventually
from integration.sandbox.objects import CONFIG_MAPS, config_map
from sandbox import processes
from sandbox.ports import is_listening


def test_up_again_changes_nothing_and_takes_no_time(sandbox: Command) -> None:
    before = sandbox.pids()
    began = time.monotonic()
    done = sandbox.run("up")
    assert time.monotonic() - began < 3
    assert sandbox.pids() == before
    assert done.stdout == f"export KUBECONFIG={sandbox.state.kubeconfig('admin')}\n"


@pytest.mark.parametrize("name", ["etcd", "kube-apiserver", "virt-controller", "kwok"])
def test_the_supervisor_restarts_what_dies(sandbox: Command, name: str) -> None:
    before = sandbox.pids()
    sandbox.kill(name)
    eventually(f"a new {name}", lambda: sandbox.pids().get(name, before[name]) != before[name])
    eventually("a healthy sandbox", sandbox.is_healthy)


def test_up_heals_a_killed_supervisor(sandbox: Command) -> None:
    before = sandbox.pids()
    sandbox.kill("supervisor", "virt-api")
    assert not sandbox.is_healthy()
    sandbox.run("up")
    changed = {name for name, pid in sandbox.pids().items() if before[name] != pid}
    assert changed == {"supervisor", "virt-api"}


def test_up_after_everything_was_killed_keeps_the_data(sandbox: Command) -> None:
    created = sandbox.api().request("POST", CONFIG_MAPS, config_map("killed"))
    sandbox.kill()
    sandbox.run("up")
    found = sandbox.api().get(f"{CONFIG_MAPS}/killed")
    assert found is not None
    assert found["metadata"]["uid"] == created["metadata"]["uid"]


def test_down_can_keep_the_data(sandbox: Command) -> None:
    sandbox.api().ensure({**config_map("kept"), "metadata": {"name": "kept", "namespace": "default"}})
    sandbox.run("down", "--keep")
    assert not processes.marked(processes.COMPONENT_MARKER, value=str(sandbox.state.directory))
    sandbox.run("up")
    assert sandbox.api().get(f"{CONFIG_MAPS}/kept") is not None


def test_two_sandboxes_side_by_side_until_one_goes(sandbox: Command, other_sandbox: Command) -> None:
    ports, others = sandbox.state.ports(), other_sandbox.state.ports()
    assert not set(ports.values()) & set(others.values())
    other_sandbox.api().request("POST", CONFIG_MAPS, config_map("only-here"))
    assert sandbox.api().get(f"{CONFIG_MAPS}/only-here") is None

    directory = str(other_sandbox.state.directory)
    other_sandbox.run("down")
    assert not processes.marked(processes.COMPONENT_MARKER, processes.SUPERVISOR_MARKER, value=directory)
    assert [port for port in others.values() if is_listening(port)] == []
    assert not other_sandbox.state.directory.exists()
    assert sandbox.is_healthy()


def test_a_component_can_be_held_down(sandbox: Command) -> None:
    sandbox.run("stop", "virt-controller")
    time.sleep(2)
    part = next(part for part in sandbox.status()["components"] if part["name"] == "virt-controller")
    assert part["problem"] == "halted on purpose"
    assert sandbox.run("status", check=False).returncode == 1
    sandbox.run("start", "virt-controller")
    eventually("a healthy sandbox", sandbox.is_healthy)


@pytest.mark.slow
def test_a_lingering_api_server_is_ended(sandbox: Command) -> None:
    before = sandbox.pids()["kube-apiserver"]
    os.kill(before, signal.SIGTERM)
    eventually("a new API server", lambda: sandbox.pids().get("kube-apiserver", before) != before, 90)
    eventually("a healthy sandbox", sandbox.is_healthy)
