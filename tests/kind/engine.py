# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A Docker of the cluster's own, in a network namespace that no packet leaves but to this machine."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from kind.host import lacks_capability
from kind.pins import HERE
from kind.workspace import CACHE, KindError, ask, state
from sandbox import processes
from sandbox.files import write_atomically

NAMESPACE = "vmscale-kind"
# The link between the namespace and this machine, out of the range for benchmarks; the namespace has no other route.
LINK = "vmscale-kind"
OUTSIDE, INSIDE = "198.18.77.1", "198.18.77.2"
_CAP_SYS_RESOURCE = 24
_WAIT = 60.0


def socket() -> Path:
    return state() / "docker.sock"


def environment() -> dict[str, str]:
    """Return the variables that lead the docker and kind commands to it."""
    return {"DOCKER_HOST": f"unix://{socket()}", "DOCKER_BUILDKIT": "0"}


def docker(*arguments: str | Path, text: str | None = None) -> str:
    """Run a quick docker command."""
    return ask(["docker", *arguments], environment=environment(), text=text)


def inside(command: Sequence[str]) -> list[str]:
    """Return the command that runs in the namespace; `ip netns exec` would hide /sys/fs/cgroup from it."""
    return ["nsenter", f"--net=/run/netns/{NAMESPACE}", *command]


def ensure_engine() -> None:
    """Start it unless it answers."""
    if answers():
        return
    _ensure_namespace()
    state().mkdir(parents=True, exist_ok=True)
    (CACHE / "docker").mkdir(parents=True, exist_ok=True)
    command = ["dockerd", f"--data-root={CACHE / 'docker'}", f"--exec-root={state() / 'docker'}", f"--pidfile={state() / 'docker.pid'}"]
    command += [f"--host=unix://{socket()}", "--bip=198.18.76.1/24", "--default-address-pool=base=198.18.64.0/21,size=24"]
    command += _runtime()
    start("dockerd", inside(command))
    deadline = time.monotonic() + _WAIT
    while not answers():
        if time.monotonic() > deadline:
            raise KindError(f"dockerd did not answer within {_WAIT:.0f} s; its log: {state() / 'dockerd.log'}")
        time.sleep(0.3)


def answers() -> bool:
    if not socket().exists():
        return False
    try:
        docker("version")
    except KindError:
        return False
    return True


def stop_engine() -> None:
    """End it and its namespace; images stay."""
    end("dockerd")
    if Path(f"/run/netns/{NAMESPACE}").exists():
        ask(["ip", "netns", "delete", NAMESPACE])


def start(name: str, command: Sequence[str]) -> None:
    """Start a program that goes on when this one has ended, and remember it."""
    processes.save(processes.start(command, state() / f"{name}.log", os.environ, state()), _remembered(name))


def end(name: str) -> None:
    """End a program that `start` started, if it is still that one, and wait for it."""
    process = processes.load(_remembered(name))
    processes.stop([process] if process else [], _WAIT)
    _remembered(name).unlink(missing_ok=True)


def is_running(name: str) -> bool:
    return processes.load(_remembered(name)) is not None


def _remembered(name: str) -> Path:
    return state() / f"{name}.process"


def _ensure_namespace() -> None:
    if Path(f"/run/netns/{NAMESPACE}").exists():
        return
    ask(["ip", "netns", "add", NAMESPACE])
    ask(["ip", "link", "add", LINK, "type", "veth", "peer", "name", "outside", "netns", NAMESPACE])
    ask(["ip", "address", "add", f"{OUTSIDE}/30", "dev", LINK])
    ask(["ip", "link", "set", LINK, "up"])
    for words in (["link", "set", "lo", "up"], ["address", "add", f"{INSIDE}/30", "dev", "outside"], ["link", "set", "outside", "up"]):
        ask(["ip", "-netns", NAMESPACE, *words])


def _runtime() -> list[str]:
    """Return dockerd's options for machines whose containers can never have CAP_SYS_RESOURCE."""
    if not lacks_capability(_CAP_SYS_RESOURCE):
        return []
    wrapper = state() / "runc"
    write_atomically(wrapper, f'#!/bin/sh\nexec {sys.executable} -I -S {HERE / "runc.py"} "$@"\n', 0o755)
    return [f"--add-runtime=restricted={wrapper}", "--default-runtime=restricted"]
