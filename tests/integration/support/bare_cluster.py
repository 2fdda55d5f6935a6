# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A bare cluster on which the role kubevirt runs, beside stand-ins for what would answer it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from integration.support.ansible import Ansible
from integration.support.api import eventually
from integration.support.audit import AuditLog
from integration.support.bare import bare_server, bare_state
from integration.support.releases import (
    METRICS_NAMESPACE,
    OPERATOR_NAMESPACE,
    VERSION,
    kubevirt_definition,
    metrics_server_release,
    operator_release,
    write_manifest,
)
from integration.support.results import Run
from integration.support.virt_operator import DEPLOYMENT, MERGE, RESOURCE, NamespaceController, VirtOperator, running
from sandbox.api import Api, ApiError, Object, collection_path
from sandbox.ports import LOOPBACK
from sandbox.state import Sandbox as State

ROLE = "vmscale.kubevirt.kubevirt"
FIELD_MANAGER = "vmscale.kubevirt"
SOMEONE = "some-installer"
ADMIN = "kubernetes-admin"
METRICS_DEPLOYMENT = f"/apis/apps/v1/namespaces/{METRICS_NAMESPACE}/deployments/metrics-server"
METRICS_API = "/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.metrics.k8s.io"


@dataclass(frozen=True)
class RoleRun:
    """A run of the role, and what it wrote."""

    run: Run
    writes: tuple[str, ...]
    """The paths of the writing requests that were no dry runs."""

    @property
    def changed(self) -> list[str]:
        """The tasks that reported a change."""
        return [task.name.rpartition(" : ")[2] for task in self.run.require_ok().changed]

    @property
    def result(self) -> Object:
        """What the role left in kubevirt_result."""
        return dict(self.run.require_ok().last["kubevirt_result"])

    @property
    def message(self) -> str:
        """The sentences with which it failed."""
        return self.run.require_failed().failed[-1].message

    @property
    def said(self) -> str:
        """What the tasks that only say something said."""
        return "\n".join(task.message for task in self.run.require_ok().tasks if task.action.endswith("debug"))


@dataclass
class BareCluster:
    """The API server, who plays the operator, and what the tests put there."""

    state: State
    api: Api
    ansible: Ansible
    operator: VirtOperator
    definition: Object
    added: list[Object] = field(default_factory=list)

    def run_role(self, *, check: bool = False, **variables: Any) -> RoleRun:
        """Run the role; variables without their prefix, by default with the manifests of this release."""
        given = {
            "operator_manifest": self.operator_manifest(),
            "metrics_server_manifest": self.metrics_server_manifest(),
            "wait_timeout": 30,
            **variables,
        }
        tasks = [
            {"name": "Role", "ansible.builtin.include_role": {"name": ROLE}},
            {"name": "Result", "ansible.builtin.debug": {"var": "kubevirt_result"}},
        ]
        audit = AuditLog(self.state.audit_log)
        mark = audit.mark()
        run = self.ansible.run_tasks(tasks, check=check, variables={f"kubevirt_{name}": value for name, value in given.items()})
        requests = audit.requests(mark, user=ADMIN)
        return RoleRun(run, tuple(each.uri for each in requests if each.is_write and "dryRun=All" not in each.uri))

    def operator_manifest(self, version: str = VERSION) -> str:
        return str(write_manifest(self.ansible.directory / f"kubevirt-{version}.yaml", operator_release(self.definition, version)))

    def metrics_server_manifest(self, *, is_served: bool = True) -> str:
        name = "components.yaml" if is_served else "components-unserved.yaml"
        return str(write_manifest(self.ansible.directory / name, metrics_server_release(is_served=is_served)))

    def install(self, version: str = VERSION, *, by: str = FIELD_MANAGER, configuration: Object | None = None) -> None:
        """Put KubeVirt there as the role or another tool would, without running it, and wait until it is available."""
        strategy = {"uninstallStrategy": "BlockUninstallIfWorkloadsExist"} if by == FIELD_MANAGER else {}
        self.apply(*operator_release(self.definition, version), kubevirt_resource(configuration=configuration or {}, **strategy), by=by)
        eventually("KubeVirt to be deployed", self.resource, lambda live: live.get("status", {}).get("phase") == "Deployed", 30)

    def apply(self, *objects: Object, by: str = SOMEONE) -> None:
        """Apply objects as a field manager, once the API server knows their kinds; they are gone after the test."""
        for wanted in objects:
            self.added.append(wanted)
            eventually(f"{wanted['kind']} to be applied", partial(self._is_applied, wanted, by), bool, 20)

    def add_node(self, name: str, kvm: str | None = None, kubelet_port: int = 10250) -> None:
        """Add a node; where `kvm` is how many devices it offers, virt-handler runs there and has said so."""
        labels = {} if kvm is None else {"kubevirt.io/schedulable": "true"}
        self.apply({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}})
        offered = {"cpu": "4", "pods": "110", **({} if kvm is None else {"devices.kubevirt.io/kvm": kvm})}
        status = {
            "capacity": offered,
            "allocatable": offered,
            "addresses": [{"type": "InternalIP", "address": LOOPBACK}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": kubelet_port}},
        }
        self.api.request("PATCH", f"/api/v1/nodes/{name}/status", {"status": status}, MERGE)

    def add_pod(self, namespace: str, name: str, container: str, node: str | None = None, **waiting: str) -> None:
        """Add a pod, whose container waits for a reason where one is given."""
        self.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": namespace}})
        spec = {"containers": [{"name": container, "image": "none"}], "automountServiceAccountToken": False}
        metadata = {"name": name, "namespace": namespace, "labels": {"k8s-app": container}}
        self.apply({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {**spec, **({"nodeName": node} if node else {})}})
        if waiting:
            status = {"name": container, "ready": False, "restartCount": 0, "image": "none", "imageID": "", "state": {"waiting": waiting}}
            path = f"/api/v1/namespaces/{namespace}/pods/{name}/status"
            self.api.request("PATCH", path, {"status": {"containerStatuses": [status]}}, MERGE)

    def resource(self) -> Object:
        """The KubeVirt resource, or nothing."""
        return self.api.get(RESOURCE) or {}

    def configuration(self) -> Object:
        """What its spec.configuration holds."""
        return dict(self.resource()["spec"].get("configuration", {}))

    def operator_image(self) -> str:
        return str(self.api.request("GET", DEPLOYMENT)["spec"]["template"]["spec"]["containers"][0]["image"])

    def left(self) -> list[str]:
        """Which of the things that the role installs are there."""
        return [path for path in (RESOURCE, DEPLOYMENT, METRICS_DEPLOYMENT, METRICS_API) if self.api.get(path) is not None]

    def clear(self) -> None:
        """Remove all that the role and the test put there."""
        self.operator.is_halted = True
        installed = [*operator_release(self.definition), kubevirt_resource(), *metrics_server_release(is_served=True)]
        paths = [f"{collection_path(each)}/{each['metadata']['name']}" for each in reversed([*installed, *self.added])]
        eventually("the bare cluster to be empty", lambda: list(filter(self._remains, paths)), lambda left: not left, 30)
        self.added.clear()
        self.operator.is_halted, self.operator.trouble = False, None

    def _is_applied(self, wanted: Object, manager: str) -> bool:
        path = f"{collection_path(wanted)}/{wanted['metadata']['name']}?fieldManager={manager}&force=true"
        try:
            self.api.request("PATCH", path, wanted, "application/apply-patch+yaml")
        except ApiError as error:
            # Its kind, or what it refers to, is not known yet.
            if error.status in (403, 404):
                return False
            raise
        return True

    def _remains(self, path: str) -> bool:
        """Delete an object, and return whether it is there nevertheless."""
        with suppress(ApiError):
            if path == RESOURCE:
                self.api.request("PATCH", path, {"metadata": {"finalizers": None}}, MERGE)
            self.api.request("DELETE", f"{path}?gracePeriodSeconds=0")
        return self.api.get(path) is not None


def kubevirt_resource(namespace: str = OPERATOR_NAMESPACE, name: str = "kubevirt", **spec: Any) -> Object:
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "kubevirt.io/v1", "kind": "KubeVirt", "metadata": metadata, "spec": spec}


@contextmanager
def bare_cluster(sandbox: str, directory: Path) -> Iterator[BareCluster]:
    """Run a bare API server with the certificates of a sandbox, and the stand-ins."""
    with bare_server(sandbox, directory) as address:
        kubeconfig = json.loads(State.named(sandbox).kubeconfig("admin").read_text(encoding="utf-8"))
        kubeconfig["clusters"][0]["cluster"]["server"] = address
        path = directory / "kubeconfig"
        path.write_text(json.dumps(kubeconfig), encoding="utf-8")
        state = bare_state(directory)
        api = Api(state, int(address.rpartition(":")[2]))
        eventually("the namespaces of the system", lambda: api.get(f"/api/v1/namespaces/{METRICS_NAMESPACE}"), bool, 20)
        # A namespace that the play has for the modules must not reach those of the role.
        ansible = Ansible(directory, path, namespace="of-the-play")
        operator = VirtOperator(api)
        with running(operator, NamespaceController(api)):
            yield BareCluster(state, api, ansible, operator, kubevirt_definition(sandbox))
