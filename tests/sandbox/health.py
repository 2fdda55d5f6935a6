# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the parts of a sandbox are well."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import urllib3

from sandbox import processes
from sandbox.api import Api, ApiError
from sandbox.components import Component, components
from sandbox.installation import METRICS_SERVICE
from sandbox.nodes import COUNT
from sandbox.ports import LOOPBACK
from sandbox.state import Sandbox


@dataclass(frozen=True)
class Health:
    """The health of a part: its process and port if it has any, and what is wrong with it, if anything."""

    name: str
    problem: str
    pid: int | None = None
    port: int | None = None

    @property
    def is_well(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problem


def http_pool(sandbox: Sandbox, timeout: float = 2) -> urllib3.PoolManager:
    """A pool for health endpoints, which asks as nobody: KubeVirt's refuse client certificates that are not the front proxy's."""
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    context = ssl.create_default_context(cafile=str(sandbox.certificates / "ca.crt"))
    return urllib3.PoolManager(ssl_context=context, retries=False, timeout=timeout)


def answers(pool: urllib3.PoolManager, component: Component, ports: Mapping[str, int]) -> bool:
    """Whether a component's health endpoint says that it is well."""
    return not _complaint(pool, component, ports)


def examine(sandbox: Sandbox, component: Component, ports: Mapping[str, int]) -> Health:
    """The health of one component, by what its endpoint says; whoever started it."""
    process = processes.load(sandbox.process(component.name))
    problem = _complaint(http_pool(sandbox), component, ports)
    return Health(component.name, problem, process.pid if process else None, ports[component.name])


def examine_all(sandbox: Sandbox) -> list[Health]:
    """The health of every part of a sandbox."""
    ports = sandbox.ports()
    pool = http_pool(sandbox)
    api = Api(sandbox, ports["kube-apiserver"])
    with ThreadPoolExecutor(12) as threads:
        parts = [threads.submit(_component, sandbox, pool, component, ports) for component in components(sandbox, ports)]
        wholes = [threads.submit(check, api) for check in (_nodes, _metrics, _leader)]
        return [_supervisor(sandbox), *(future.result() for future in [*parts, *wholes])]


def _supervisor(sandbox: Sandbox) -> Health:
    process = processes.load(sandbox.process("supervisor"))
    if process is None:
        return Health("supervisor", "not running")
    problem = sandbox.failure.read_text().strip() if sandbox.failure.exists() else ""
    return Health("supervisor", problem or ("" if sandbox.installed.exists() else "still installing"), process.pid)


def _component(sandbox: Sandbox, pool: urllib3.PoolManager, component: Component, ports: Mapping[str, int]) -> Health:
    port = ports[component.name]
    if sandbox.halted(component.name).exists():
        return Health(component.name, "halted on purpose", None, port)
    process = processes.load(sandbox.process(component.name))
    if process is None:
        return Health(component.name, "not running", None, port)
    return Health(component.name, _complaint(pool, component, ports), process.pid, port)


def _complaint(pool: urllib3.PoolManager, component: Component, ports: Mapping[str, int]) -> str:
    scheme = "https" if component.secure else "http"
    try:
        response = pool.request("GET", f"{scheme}://{LOOPBACK}:{ports[component.name]}{component.health}")
    except urllib3.exceptions.HTTPError as error:
        return f"does not answer ({type(error).__name__})"
    return "" if response.status == 200 else f"answers {response.status} to {component.health}"


def _nodes(api: Api) -> Health:
    try:
        items = (api.get("/api/v1/nodes?labelSelector=type%3Dkwok") or {}).get("items", [])
    except ApiError as error:
        return Health("nodes", str(error))
    ready = sum(
        any(condition["type"] == "Ready" and condition["status"] == "True" for condition in item["status"].get("conditions", []))
        for item in items
    )
    return Health("nodes", "" if ready >= COUNT else f"{ready} of {COUNT} ready")


def _metrics(api: Api) -> Health:
    try:
        service = api.get(METRICS_SERVICE) or {}
    except ApiError as error:
        return Health("metrics.k8s.io", str(error))
    conditions = service.get("status", {}).get("conditions", [])
    available = any(condition["type"] == "Available" and condition["status"] == "True" for condition in conditions)
    return Health("metrics.k8s.io", "" if available else "not available")


def _leader(api: Api) -> Health:
    try:
        lease = api.get("/apis/coordination.k8s.io/v1/namespaces/kubevirt/leases/virt-controller") or {}
    except ApiError as error:
        return Health("virt-controller lease", str(error))
    return Health("virt-controller lease", "" if lease.get("spec", {}).get("holderIdentity") else "not held")
