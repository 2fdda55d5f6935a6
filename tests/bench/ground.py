# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sandbox of the bench, and how its contestants are run on it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from dev.paths import TESTS
from dev.processes import say
from dev.sandbox import Sandbox
from integration.support.ansible import Ansible, Shell
from integration.support.api import Api, Object, eventually
from integration.support.audit import AuditLog, Mark
from integration.support.cluster import Cluster, sandbox_cluster
from integration.support.manifests import OBSERVED_VERSIONS, counts
from sandbox.processes import load
from sandbox.state import Sandbox as State

SANDBOX = "bench"
LABEL = {"vmscale.kubevirt/bench": "true"}
# What the controllers still have to do after the last object has gone, or come.
REST_SECONDS = 2.0
PATIENCE_SECONDS = 300.0


class BenchFailedError(Exception):
    """What was to be compared did not happen."""


@dataclass(frozen=True)
class Ground:
    """Where the contestants meet: one cluster, one user, one directory for their files."""

    cluster: Cluster
    api: Api
    audit: AuditLog
    directory: Path

    def ansible(self, shell: Shell = "local") -> Ansible:
        """Return ansible-playbook as the operator."""
        return Ansible(self.directory, self.cluster.operator, shell)

    @property
    def kubectl(self) -> str:
        """The path of kubectl: the program itself, and nothing around it."""
        return str(State.named(SANDBOX).binaries()["kubectl"])

    @property
    def kubectl_environment(self) -> dict[str, str]:
        """What kubectl needs, with a cache of discovery that lasts from run to run, as a user's does."""
        return {"KUBECONFIG": str(self.cluster.operator), "KUBECACHEDIR": str(self.directory / "kubectl-cache")}

    def run_kubectl(self, *arguments: str) -> float:
        """Run kubectl by itself; returns the seconds of its process."""
        environment = {**os.environ, **self.kubectl_environment}
        began = time.monotonic()
        done = subprocess.run([self.kubectl, *arguments], env=environment, capture_output=True, text=True, check=False)
        seconds = time.monotonic() - began
        if done.returncode:
            raise BenchFailedError(f"kubectl {' '.join(arguments)}: {done.stderr.strip()}")
        return seconds

    def run_floor(self, work: str, what: str) -> float:
        """Run `bench.floor` as a program; returns the seconds that it prints."""
        command = [sys.executable, "-m", "bench.floor", work, str(self.cluster.operator), what]
        done = subprocess.run(command, env={**os.environ, "PYTHONPATH": str(TESTS)}, capture_output=True, text=True, check=False)
        if done.returncode:
            raise BenchFailedError(f"bench.floor {work}: {done.stderr.strip()}")
        return float(done.stdout)

    def cpu_seconds(self) -> float:
        """Return how many CPU seconds the components of the sandbox have used so far."""
        state = State.named(SANDBOX)
        ticks = 0
        for name in state.ports():
            process = load(state.process(name))
            if process is not None:
                fields = Path(f"/proc/{process.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
                ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def write(self, name: str, objects: Sequence[Object]) -> Path:
        """Write objects as one file of many documents."""
        path = self.directory / name
        path.write_text(yaml.safe_dump_all(objects, sort_keys=False), encoding="utf-8")
        return path

    def prepare(self, namespaces: Sequence[str]) -> None:
        """Make the namespaces be there, and nothing of an earlier run in them."""
        for name in namespaces:
            if self.api.find("namespaces", None, name) is None:
                self.api.create("namespaces", None, {"metadata": {"name": name}})
        self.clear(namespaces)

    def sets(self, namespaces: Iterable[str]) -> list[Object]:
        return [live for namespace in namespaces for live in self.api.items("vmirs", namespace)]

    def generations(self, namespaces: Iterable[str]) -> dict[str, int]:
        """Return how often the specification of each set has been written anew."""
        return {
            f"{live['metadata']['namespace']}/{live['metadata']['name']}": live["metadata"]["generation"] for live in self.sets(namespaces)
        }

    def await_ready(self, namespaces: Sequence[str], number: int) -> None:
        """Return once so many sets have every VMI ready, and virt-controller has written all that it writes by itself."""

        def is_right(found: list[Object]) -> bool:
            settled = [live for live in found if set(OBSERVED_VERSIONS) <= set(live["metadata"].get("annotations", {}))]
            return len(settled) == number and all(len(set(counts(live))) == 1 for live in settled)

        eventually(f"{number} sets to be ready", lambda: self.sets(namespaces), is_right, PATIENCE_SECONDS)
        time.sleep(REST_SECONDS)

    def clear(self, namespaces: Sequence[str]) -> None:
        """Delete the sets and autoscalers of the namespaces, and return once their VMIs and pods have gone too."""
        for namespace in namespaces:
            for resource in ("hpas", "vmirs"):
                self.api.call("DELETE", self.api.path(resource, namespace), {"propagationPolicy": "Foreground"})
        kinds = ("vmirs", "vmis", "pods")

        def left() -> int:
            return sum(len(self.api.items(kind, namespace)) for namespace in namespaces for kind in kinds)

        eventually(f"nothing to be left in {', '.join(namespaces)}", left, lambda number: number == 0, PATIENCE_SECONDS)
        time.sleep(REST_SECONDS)

    def requests_between(self, since: Mark, windows: Sequence[tuple[float, float]]) -> list[int]:
        """Return how many requests the operator sent in each window of time."""
        received = [request.received_at for request in self.audit.requests(since)]
        return [sum(began <= moment <= ended for moment in received) for began, ended in windows]


def prepare_ground(directory: Path, *, is_fresh: bool) -> Ground:
    """Bring the sandbox up: a new one, unless that which is there will do."""
    sandbox = Sandbox(SANDBOX)
    if is_fresh:
        sandbox.down()
    cluster = sandbox_cluster(sandbox)
    directory.mkdir(parents=True, exist_ok=True)
    if cluster.audit is None:
        raise BenchFailedError("the sandbox has no audit log")
    return Ground(cluster, Api(cluster.admin), AuditLog(cluster.audit), directory)


def leave_ground() -> None:
    """End the sandbox."""
    Sandbox(SANDBOX).down()


def tell(text: str) -> None:
    """Say what is being measured."""
    say(f"  {time.strftime('%H:%M:%S')}  {text}")
