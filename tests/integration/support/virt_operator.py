# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stand-ins for what a bare API server lacks: virt-operator, the namespace controller, and a kubelet that serves one log."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Protocol

from integration.support.releases import OPERATOR_NAMESPACE
from sandbox import kubevirt
from sandbox.api import Api, ApiError, Object
from sandbox.ports import LOOPBACK
from sandbox.state import Sandbox as State

RESOURCE = f"/apis/kubevirt.io/v1/namespaces/{OPERATOR_NAMESPACE}/kubevirts/kubevirt"
DEPLOYMENT = f"/apis/apps/v1/namespaces/{OPERATOR_NAMESPACE}/deployments/virt-operator"
FINALIZER = "foregroundDeleteKubeVirt"
MERGE = "application/merge-patch+json"
SECONDS_BETWEEN = 0.2


class Controller(Protocol):
    """Brings the world a step closer to what is asked for."""

    def reconcile(self) -> None: ...


class VirtOperator:
    """Makes the KubeVirt resource available in the version of its Deployment's image, and lets it go when it is deleted."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.is_halted = False
        """Whether it does nothing at all."""
        self.trouble: str | None = None
        """What keeps KubeVirt from becoming available."""

    def reconcile(self) -> None:
        resource, deployment = self.api.get(RESOURCE), self.api.get(DEPLOYMENT)
        if self.is_halted or resource is None or deployment is None:
            return
        if "deletionTimestamp" in resource["metadata"]:
            self.api.request("PATCH", RESOURCE, {"metadata": {"finalizers": None}}, MERGE)
            return
        if FINALIZER not in resource["metadata"].get("finalizers", []):
            resource = self.api.request("PATCH", RESOURCE, {"metadata": {"finalizers": [FINALIZER]}}, MERGE)
        status = self._status(resource, deployment)
        if not status.items() <= resource.get("status", {}).items():
            self.api.request("PATCH", f"{RESOURCE}/status", {"status": status}, MERGE)

    def _status(self, resource: Object, deployment: Object) -> Object:
        if self.trouble is not None:
            waiting = {"type": "Available", "status": "False", "reason": "DeploymentInProgress", "message": self.trouble}
            return {"phase": "Deploying", "conditions": [waiting]}
        version = deployment["spec"]["template"]["spec"]["containers"][0]["image"].rpartition(":")[2]
        versions = {f"{which}Version": version for which in ("operator", "targetKubeVirt", "observedKubeVirt")}
        deployed: Object = kubevirt.configuration_status()["status"]
        return {**deployed, **versions, "observedGeneration": resource["metadata"]["generation"]}


class NamespaceController:
    """Empties the namespaces that are deleted, of what the tests put there, and lets them go."""

    COLLECTIONS = ("apis/apps/v1/{}/deployments", "api/v1/{}/serviceaccounts", "api/v1/{}/pods")

    def __init__(self, api: Api) -> None:
        self.api = api

    def reconcile(self) -> None:
        listed = self.api.request("GET", "/api/v1/namespaces")["items"]
        for namespace in (each for each in listed if "deletionTimestamp" in each["metadata"]):
            name = namespace["metadata"]["name"]
            for collection in self.COLLECTIONS:
                self.api.request("DELETE", f"/{collection.format(f'namespaces/{name}')}?gracePeriodSeconds=0")
            self.api.request("PUT", f"/api/v1/namespaces/{name}/finalize", {**namespace, "spec": {"finalizers": []}})


@contextmanager
def running(*controllers: Controller) -> Iterator[None]:
    """Let controllers reconcile again and again, in a thread."""
    is_over = threading.Event()

    def loop() -> None:
        while not is_over.wait(SECONDS_BETWEEN):
            for controller in controllers:
                try:
                    controller.reconcile()
                except ApiError:
                    # Someone else was faster; the next round sees what came of it.
                    continue

    thread = threading.Thread(target=loop)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


@contextmanager
def kubelet(state: State, log: str) -> Iterator[int]:
    """Serve one log, whatever is asked for; yields the port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(log.encode())

        def log_message(self, *_arguments: object) -> None:
            pass

    server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(state.certificates / "server.crt", state.certificates / "server.key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
