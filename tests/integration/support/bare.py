# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A Kubernetes API server with nothing installed in it: no KubeVirt and no metrics API."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from integration.support.api import eventually
from sandbox.components import components
from sandbox.health import answers, http_pool
from sandbox.ports import LOOPBACK, free_ports
from sandbox.state import PORTS
from sandbox.state import Sandbox as State


def bare_state(directory: Path) -> State:
    """Return where the server that lives in a directory keeps its files."""
    return State("bare", directory / "bare")


@contextmanager
def bare_server(sandbox: str, directory: Path) -> Iterator[str]:
    """Run etcd and an API server that takes a sandbox's certificates; yields its address."""
    whole = State.named(sandbox)
    bare = bare_state(directory)
    for name in ("logs", "processes"):
        (bare.directory / name).mkdir(parents=True)
    for name in ("certificates", "configuration", "kubeconfigs"):
        (bare.directory / name).symlink_to(whole.directory / name)
    ports = free_ports(PORTS, whole.ports().values())
    with ExitStack() as stack:
        for component in components(bare, ports)[:2]:
            output = stack.enter_context(bare.log(component.name).open("wb"))
            process = subprocess.Popen([str(whole.binaries()[component.name]), *component.arguments], stdout=output, stderr=output)
            stack.callback(process.wait)
            stack.callback(process.terminate)
        address = f"https://{LOOPBACK}:{ports['kube-apiserver']}"
        pool, server = http_pool(bare), components(bare, ports)[1]
        eventually("the bare API server to be ready", lambda: answers(pool, server, ports), bool, 60)
        yield address
