# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Records `fixtures/sandbox`: objects and refusals as the sandbox's API server gives them, from a sandbox of its own.

PYTHONPATH=tests python -m unit.record_fixtures
"""

from __future__ import annotations

import sys
import tempfile
import typing as t
from collections.abc import Callable, Mapping
from pathlib import Path

import yaml
from kubernetes.client import ApiException

from dev.sandbox import Sandbox
from integration.support.api import Api, Object
from unit.support.recording import FIXTURES, command, until, write

NAMESPACE = "recorded"
MANAGER = "vmscale.kubevirt"
HASH = "vmscale.kubevirt/template-hash"
ANNOTATIONS = {"sandbox.vmscale.kubevirt/boot-seconds": "2", "sandbox.vmscale.kubevirt/shutdown-seconds": "3"}
SETS = "/apis/kubevirt.io/v1/namespaces/{}/virtualmachineinstancereplicasets"
SCALERS = "/apis/autoscaling/v2/namespaces/{}/horizontalpodautoscalers"


def replica_set(**spec: t.Any) -> Object:
    """Return the manifest of the set."""
    metadata = {"labels": {"app": "web", HASH: "0123456789"}, "annotations": ANNOTATIONS}
    devices = {"disks": [{"name": "disk", "disk": {"bus": "virtio"}}]}
    template = {
        "metadata": metadata,
        "spec": {
            "domain": {"devices": devices, "resources": {"requests": {"memory": "1024Mi", "cpu": "500m"}}},
            "volumes": [{"name": "disk", "containerDisk": {"image": "example/disk:1"}}],
        },
    }
    return {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachineInstanceReplicaSet",
        "metadata": {"name": "web", "namespace": NAMESPACE, "labels": {"team": "a"}},
        "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "template": template, **spec},
    }


def autoscaler(**spec: t.Any) -> Object:
    """Return the manifest of its autoscaler."""
    target = {"type": "Utilization", "averageUtilization": 50}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web", "namespace": NAMESPACE},
        "spec": {
            "scaleTargetRef": {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstanceReplicaSet", "name": "web"},
            "minReplicas": 2,
            "maxReplicas": 4,
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
            **spec,
        },
    }


class Recorder:
    """Brings about one state after the other, and writes down each."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.api = Api(sandbox.kubeconfig("admin"))

    def record(self) -> None:
        """Record everything."""
        self.api.create("namespaces", None, {"metadata": {"name": NAMESPACE}})
        self._sets()
        self._autoscalers()
        self._refusals()
        self._deletion()
        self._outages()

    def _sets(self) -> None:
        self._save("created", vmirs=self._apply(SETS, replica_set()))
        self._save("starting", **self._when(lambda state: len(state["vmis"]) == 2))
        self._save("ready", **self._when(lambda state: state["vmirs"].get("status", {}).get("readyReplicas") == 2))
        self._apply(SETS, replica_set(paused=True))
        self._save("paused", **self._when(lambda state: "conditions" in state["vmirs"]["status"]))
        self._apply(SETS, replica_set(paused=False))
        self._when(lambda state: "conditions" not in state["vmirs"]["status"])

    def _autoscalers(self) -> None:
        self._save("hpa-created", hpa=self._apply(SCALERS, autoscaler()))
        self._save("hpa-warming-up", hpa=self._scaler(lambda status: "conditions" in status))
        self._save("hpa-steady", hpa=self._scaler(lambda status: status.get("currentMetrics", [{}])[0].get("type") == "Resource"))
        self.sandbox.load("web", NAMESPACE, 120)
        hpa = self._scaler(lambda status: status.get("desiredReplicas", 0) > 2)
        self._save("scaling", hpa=hpa, **self._when(lambda state: state["vmirs"]["spec"]["replicas"] > 2))
        self._when(lambda state: state["vmirs"]["status"].get("readyReplicas") == 4)
        hpa = self._scaler(lambda status: status.get("currentReplicas") == 4)
        self._save("scaled", hpa=hpa, podmetrics=self._pod_metrics(), **self._state())
        self.sandbox.unload("web", NAMESPACE)
        self._when(lambda state: any("deletionTimestamp" in vmi["metadata"] for vmi in state["vmis"]))
        self._save("scaling-in", **self._state())

    def _refusals(self) -> None:
        sets, missing = SETS.format(NAMESPACE), SETS.format("nowhere")
        self._refused("401", "GET", sets, api=self._stranger())
        self._refused("403", "GET", sets, api=Api(self.sandbox.kubeconfig("nobody")))
        self._refused("404-object", "GET", f"{sets}/missing")
        self._refused("404-api", "GET", f"/apis/kubevirt.example/v1/namespaces/{NAMESPACE}/things/x")
        elsewhere = replica_set()
        elsewhere["metadata"]["namespace"] = "nowhere"
        self._refused("404-namespace", "PATCH", f"{missing}/web", elsewhere)
        bad = replica_set(selector={"matchLabels": {"app": "other"}})
        bad["spec"]["template"]["spec"]["volumes"].append({"name": "orphan", "emptyDisk": {"capacity": "1Gi"}})
        bad["spec"]["template"]["spec"]["domain"]["devices"]["disks"].append({"name": "unbacked", "disk": {"bus": "virtio"}})
        self._refused("422-webhook", "PATCH", f"{sets}/web", bad)
        self._refused("422-autoscaler", "PATCH", f"{SCALERS.format(NAMESPACE)}/web", autoscaler(minReplicas=9, maxReplicas=-1))
        self._refused("500-unknown-field", "PATCH", f"{sets}/web", replica_set(replcas=3))
        stale = replica_set(replicas=1)
        stale["metadata"]["resourceVersion"] = "1"
        self._refused("409-stale", "PATCH", f"{sets}/web", stale)

    def _deletion(self) -> None:
        self.api.delete("hpas", NAMESPACE, "web")
        self._when(lambda state: all("deletionTimestamp" not in vmi["metadata"] for vmi in state["vmis"]))
        options = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Foreground"}
        self.api.call("DELETE", f"{SETS.format(NAMESPACE)}/web", options)
        self._save("deleting", **self._when(lambda state: all("deletionTimestamp" in vmi["metadata"] for vmi in state["vmis"])))

    def _outages(self) -> None:
        command(self.sandbox, "stop", "virt-api")
        self._refused("500-webhook-down", "PATCH", f"{SETS.format(NAMESPACE)}/other", self._named("other"))
        command(self.sandbox, "stop", "metrics-server")
        path = f"/apis/metrics.k8s.io/v1beta1/namespaces/{NAMESPACE}/pods"
        until(lambda: self._status_of(path) == 503)
        self._refused("503-metrics", "GET", path)

    def _named(self, name: str) -> Object:
        manifest = replica_set()
        manifest["metadata"]["name"] = name
        return manifest

    def _apply(self, collection: str, body: Object) -> Object:
        path = f"{collection.format(NAMESPACE)}/{body['metadata']['name']}"
        return self._send("PATCH", path, body)

    def _send(self, verb: str, path: str, body: Object | None = None, api: Api | None = None) -> Object:
        query = {"fieldManager": MANAGER, "fieldValidation": "Strict", "force": "true"} if body else None
        return (api or self.api).call(verb, path, body, "application/apply-patch+yaml" if body else "application/json", query)

    def _refused(self, name: str, verb: str, path: str, body: Object | None = None, api: Api | None = None) -> None:
        """Write down an answer that is no success."""
        try:
            self._send(verb, path, body, api)
        except ApiException as error:
            self._write(f"answers/{name}", {"status": error.status, "method": verb, "path": path, "body": error.body})
        else:
            raise AssertionError(f"{name}: {verb} {path} was not refused")

    def _status_of(self, path: str) -> int:
        try:
            self.api.call("GET", path)
        except ApiException as error:
            return int(error.status or 0)
        return 200

    def _stranger(self) -> Api:
        document = yaml.safe_load(self.sandbox.kubeconfig("admin").read_text())
        document["users"][0]["user"] = {"token": "wrong"}
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as stream:
            yaml.safe_dump(document, stream)
            stream.flush()
            return Api(Path(stream.name))

    def _state(self) -> dict[str, t.Any]:
        """Return the set and its VMIs."""
        return {"vmirs": self.api.find("vmirs", NAMESPACE, "web"), "vmis": self.api.items("vmis", NAMESPACE)}

    def _pod_metrics(self) -> list[Object]:
        path = f"/apis/metrics.k8s.io/v1beta1/namespaces/{NAMESPACE}/pods"
        return list(until(lambda: self.api.call("GET", path)["items"]))

    def _when(self, is_reached: Callable[[dict[str, t.Any]], bool]) -> dict[str, t.Any]:
        """Return the first state in which that holds."""

        def look() -> dict[str, t.Any] | None:
            state = self._state()
            return state if is_reached(state) else None

        found: dict[str, t.Any] = until(look)
        return found

    def _scaler(self, is_reached: Callable[[Mapping[str, t.Any]], bool]) -> Object:
        """Return the autoscaler once its status is like that."""

        def look() -> Object | None:
            found = self.api.get("hpas", NAMESPACE, "web")
            return found if is_reached(found.get("status", {})) else None

        reached: Object = until(look)
        return reached

    def _save(self, state: str, **parts: t.Any) -> None:
        for name, content in parts.items():
            self._write(f"{state}/{name}", content)

    def _write(self, name: str, content: t.Any) -> None:
        write(FIXTURES / "sandbox" / f"{name}.json", content)


def main() -> int:
    """Record everything in a sandbox that is thrown away afterwards."""
    sandbox = Sandbox("fixtures")
    sandbox.up()
    try:
        Recorder(sandbox).record()
    finally:
        sandbox.down()
    return 0


if __name__ == "__main__":
    sys.exit(main())
