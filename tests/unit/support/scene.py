# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A namespace of a sandbox in which a state of a replica set is brought about, and all that a diagnosis reads of it."""

from __future__ import annotations

import contextlib
import copy
import datetime
import threading
import time
import typing as t
from collections.abc import Callable

from kubernetes.client import ApiException, CustomObjectsApi
from kubernetes.watch import Watch
from urllib3.exceptions import HTTPError

from dev.sandbox import Sandbox
from integration.support.api import Api, Object
from integration.support.manifests import autoscaler
from integration.support.seed import SEED_SET, manifest
from unit.support.recording import command, until

NAME = "web"
LEASE = "/apis/coordination.k8s.io/v1/namespaces/kubevirt/leases/virt-controller"
Document = dict[str, t.Any]


def seed_set(replicas: int | None = 3, name: str = NAME, **annotations: str) -> Object:
    """Return the set of the quick start under another name; annotations are those of the sandbox's dials."""
    found = copy.deepcopy(manifest(SEED_SET))
    found["metadata"]["name"] = name
    template = found["spec"]["template"]
    template["metadata"] = {"labels": {"app": NAME}, "name": name + "-"}
    if annotations:
        dials = {f"sandbox.vmscale.kubevirt/{key.replace('_', '-')}": value for key, value in annotations.items()}
        template["metadata"]["annotations"] = dials
    found["spec"]["selector"] = {"matchLabels": {"app": NAME}}
    found["spec"]["replicas"] = replicas
    if replicas is None:
        del found["spec"]["replicas"]
    return found


class Scene:
    """One namespace and the set ``web`` in it."""

    def __init__(self, sandbox: Sandbox, namespace: str) -> None:
        self.sandbox = sandbox
        self.namespace = namespace
        self.api = Api(sandbox.kubeconfig("admin"))
        self.api.create("namespaces", None, {"metadata": {"name": namespace}})
        self._began = time.monotonic()
        self._since = _now()
        self._finished: dict[str, Document] = {}
        self._is_over = threading.Event()
        threading.Thread(target=self._watch, daemon=True).start()

    def close(self) -> None:
        """Leave the namespace to be deleted."""
        self._is_over.set()
        self.sandbox.unload(NAME, self.namespace)
        self.api.delete("namespaces", None, self.namespace)

    def restart_clock(self) -> None:
        """Let the wait begin now."""
        self._began = time.monotonic()
        self._since = _now()
        self._finished = {}

    def create_set(self, body: Object | None = None) -> Object:
        """Create the set."""
        return self.api.create("vmirs", self.namespace, body or seed_set())

    def change_set(self, spec: Object) -> Object:
        """Change the set's spec."""
        return self.api.merge("vmirs", self.namespace, NAME, {"spec": spec})

    def create_autoscaler(self, name: str = NAME, target: str = NAME, least: int = 3, most: int = 5, cpu: int = 50) -> Object:
        """Create an autoscaler."""
        return self.api.create("hpas", self.namespace, autoscaler(name, target, least, most, cpu))

    def load(self, percent: int) -> None:
        """Dial the CPU load of the set."""
        self.sandbox.load(NAME, self.namespace, percent)

    def command(self, *arguments: str) -> None:
        """Run a command of the sandbox."""
        command(self.sandbox, *arguments)

    def fault(self, name: str, *arguments: str) -> None:
        """Bring a fault of the set about."""
        self.command("fault", name, NAME, "-n", self.namespace, *arguments)

    def begin_with(self, name: str, *arguments: str) -> None:
        """Create the set with a fault that its VMIs are born with; a wait begins then."""
        self.create_set(seed_set(0))
        self.fault(name, *arguments)
        self.restart_clock()
        self.change_set({"replicas": 3})

    def heal(self, name: str) -> None:
        """Undo a fault of the set."""
        self.command("heal", name, NAME, "-n", self.namespace)

    def make_ready(self, number: int = 3, body: Object | None = None) -> None:
        """Create the set and wait until all its VMIs are ready; a wait begins afterwards."""
        self.create_set(body)
        self.when(lambda state: ready(state) == number)
        self.restart_clock()

    def when(self, is_reached: Callable[[Document], t.Any], seconds: float = 90) -> Document:
        """Return the first state in which that holds."""

        def look() -> Document | None:
            state = self.situation()
            return state if is_reached(state) else None

        try:
            found: Document = until(look, seconds)
        except AssertionError as error:
            raise AssertionError(f"{self.namespace}: {error}; last seen: {_summary(self.situation())}") from None
        return found

    def after(self, seconds: float) -> Document:
        """Return the state after some time, during which the VMIs are watched."""
        deadline = time.monotonic() + seconds
        return self.when(lambda _state: time.monotonic() > deadline, seconds + 30)

    def situation(self) -> Document:
        """Return all that a diagnosis reads, as the fields of a Situation."""
        replica_set = self.api.find("vmirs", self.namespace, NAME)
        labels = _label_selector(replica_set)
        instances = self._items("vmis", labels)
        scalers = self._items("hpas")
        found: Document = _stripped(
            {
                "namespace": self.namespace,
                "name": NAME,
                "replica_set": replica_set,
                "instances": instances,
                "pods": self._items("pods", labels),
                "events": [each for each in self._items("events") if each.get("type") == "Warning"],
                "autoscaler": next((each for each in scalers if each["metadata"]["name"] == NAME), None),
                "autoscalers": scalers,
                "pod_metrics": self._pod_metrics(labels),
                "has_pod_metrics": True,
                "lease": self._lease(),
                "finished": list(self._finished.values()),
                "now": _text(_now()),
                "since": _text(self._since),
            }
        )
        return found

    def _watch(self) -> None:
        """See VMIs end, which may be gone a moment later."""
        read = CustomObjectsApi(Api(self.sandbox.kubeconfig("admin")).client).list_namespaced_custom_object
        place = ("kubevirt.io", "v1", self.namespace, "virtualmachineinstances")
        while not self._is_over.wait(0.1):
            with contextlib.suppress(ApiException, HTTPError):
                for event in Watch().stream(read, *place, label_selector=f"app={NAME}", timeout_seconds=5):
                    self._note(event["object"])

    def _note(self, instance: Object) -> None:
        metadata, phase = instance["metadata"], instance.get("status", {}).get("phase")
        if phase in ("Succeeded", "Failed"):
            elapsed = round(time.monotonic() - self._began, 1)
            found = {"name": metadata["name"], "uid": metadata["uid"], "phase": phase, "elapsed": elapsed}
            self._finished.setdefault(metadata["uid"], found)

    def _items(self, resource: str, labels: str | None = None) -> list[Object]:
        return self.api.items(resource, self.namespace, labels)

    def _pod_metrics(self, labels: str | None) -> list[Object] | None:
        path = f"/apis/metrics.k8s.io/v1beta1/namespaces/{self.namespace}/pods"
        try:
            return list(self.api.call("GET", path, query={"labelSelector": labels} if labels else None)["items"])
        except ApiException:
            return None

    def _lease(self) -> Object | None:
        with contextlib.suppress(ApiException):
            lease: Document = self.api.call("GET", LEASE)
            return lease
        return None


def ready(state: Document) -> int:
    """The ready replicas."""
    return int((state["replica_set"] or {}).get("status", {}).get("readyReplicas", 0))


def phases(state: Document) -> list[str]:
    """The phases of the VMIs."""
    return [each.get("status", {}).get("phase", "") for each in state["instances"]]


def conditions(owner: Object | None, kind: str) -> list[Object]:
    """The conditions of that type that an object has."""
    return [each for each in (owner or {}).get("status", {}).get("conditions") or [] if each["type"] == kind]


def has(owner: Object | None, kind: str, reason: str) -> bool:
    """Whether an object has a condition of that type for that reason."""
    return any(each.get("reason") == reason for each in conditions(owner, kind))


def all_have(state: Document, kind: str, reason: str, number: int = 3) -> bool:
    """Whether so many VMIs have a condition of that type for that reason."""
    return sum(has(each, kind, reason) for each in state["instances"]) >= number


def scaler_has(state: Document, kind: str, reason: str) -> bool:
    """Whether the autoscaler has a condition of that type for that reason."""
    return has(state["autoscaler"], kind, reason)


def has_event(state: Document, reason: str) -> bool:
    """Whether there is a warning for that reason."""
    return any(each["reason"] == reason for each in state["events"])


def measured(state: Document) -> bool:
    """Whether the autoscaler knows the load."""
    metrics = ((state["autoscaler"] or {}).get("status", {}).get("currentMetrics")) or [{}]
    return metrics[0].get("type") == "Resource" and scaler_has(state, "ScalingActive", "ValidMetricFound")


def _label_selector(replica_set: Object | None) -> str | None:
    if replica_set is None:
        return f"app={NAME}"
    labels = replica_set["spec"]["selector"].get("matchLabels", {})
    return ",".join(f"{key}={value}" for key, value in labels.items()) or None


def _stripped(found: t.Any) -> t.Any:
    """Without what says who wrote which field."""
    if isinstance(found, dict):
        return {key: _stripped(value) for key, value in found.items() if key != "managedFields"}
    return [_stripped(each) for each in found] if isinstance(found, list) else found


def _summary(state: Document) -> Document:
    """What helps to see why a state did not come."""
    return {
        "set": (state["replica_set"] or {}).get("status"),
        "vmis": [each.get("status", {}).get("conditions") for each in state["instances"]],
        "phases": phases(state),
        "autoscaler": (state["autoscaler"] or {}).get("status"),
        "events": [(each["reason"], each["message"][:200]) for each in state["events"]][-5:],
        "metrics": state["pod_metrics"] if state["pod_metrics"] is None else len(state["pod_metrics"]),
    }


def _now() -> datetime.datetime:
    """The API server's time: it runs on this machine."""
    return datetime.datetime.now(datetime.UTC)


def _text(moment: datetime.datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
