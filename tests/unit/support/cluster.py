# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A few objects behind an API, without controllers: what happens while a task sleeps, the test says."""

from __future__ import annotations

import copy
import threading
import typing as t
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ansible_collections.vmscale.kubevirt.plugins.module_utils._arguments import MODULES, run
from ansible_collections.vmscale.kubevirt.plugins.module_utils._task import Task
from unit.support.clock import FakeClock
from unit.support.recorded import Object
from unit.support.server import Answer, Request, Server, Stream, event, listening, refusal

SETS = "/apis/kubevirt.io/v1/namespaces/default/virtualmachineinstancereplicasets"
INSTANCES = "/apis/kubevirt.io/v1/namespaces/default/virtualmachineinstances"
SCALERS = "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers"
EVENTS = "/api/v1/namespaces/default/events"
PODS = "/api/v1/namespaces/default/pods"
REVISIONS = "/apis/apps/v1/namespaces/default/controllerrevisions"
BUDGETS = "/apis/policy/v1/namespaces/default/poddisruptionbudgets"
METRICS = "/apis/metrics.k8s.io/v1beta1"
POD_METRICS = f"{METRICS}/namespaces/default/pods"
# Whatever the namespace.
COLLECTIONS = {path.rpartition("/")[2] for path in (SETS, INSTANCES, SCALERS, EVENTS, PODS, REVISIONS, BUDGETS)}
FIRST_UID = "2d460f6f-a128-4ccc-a4b5-73205bd75492"


def of(namespace: str, collection: str) -> str:
    """Return the path of a collection in another namespace."""
    return collection.replace("/namespaces/default/", f"/namespaces/{namespace}/")


class Cluster:
    """Objects by path. `refuse` gives the answer for a request that is to fail; `meanwhile` is called after each pause."""

    def __init__(self, **objects: Object) -> None:
        self.objects: dict[str, Object] = {}
        self.lists: dict[str, list[Object]] = {INSTANCES: [], EVENTS: [], PODS: [], POD_METRICS: [], REVISIONS: [], BUDGETS: []}
        self.refuse: Callable[[Request], Answer | None] = lambda request: None
        self.meanwhile: Callable[[float], None] = lambda seconds: None
        self.lines: list[str] = []
        self.server = Server(self._answer)
        self.clock = FakeClock(lambda seconds: self.meanwhile(seconds))
        self._version = 100
        self._told: dict[str, dict[str, Object]] = {}
        self._is_over = threading.Event()
        # What runs side by side asks side by side.
        self._lock = threading.RLock()

    def put(self, collection: str, live: Object) -> None:
        """Have an object."""
        self._version += 1
        live = copy.deepcopy(live)
        live["metadata"]["resourceVersion"] = str(self._version)
        self.objects[f"{collection}/{live['metadata']['name']}"] = live

    def asked(self, *methods: str) -> list[str]:
        """Return the last part of each path that was asked for by these methods."""
        return [each.path.rpartition("/")[2] for each in self.server.requests if each.method in methods]

    def run(self, module: str, check_mode: bool = False, **params: t.Any) -> dict[str, t.Any]:
        """Run a module, and return its result; its diff is always in it."""
        specification = MODULES[module]
        defaults = {name: option.get("default") for name, option in specification.argument_spec.items()}
        self.server.requests.clear()
        self.lines.clear()
        with self._listening() as address:
            given = {**defaults, "host": address, "api_key": "t", "namespace": "default", **params}
            task = Task(given, {}, check_mode, self.lines.append, self.clock)
            outcome = run(specification, task, with_diff=True)
        return {**outcome.result, "warnings": list(outcome.warnings)}

    @contextmanager
    def _listening(self) -> Iterator[str]:
        self._is_over.clear()
        with listening(self.server) as address:
            yield address
            self._is_over.set()

    def _answer(self, request: Request) -> Answer | Stream:
        refused = self.refuse(request)
        if refused:
            return refused
        if request.query.get("watch"):
            return Stream(self._changes(request))
        with self._lock:
            answer = self._answer_at_once(request)
            if answer.status == 200 and request.method in ("GET", "PATCH"):
                self._told[request.path if "items" in answer.body else request.path.rpartition("/")[0]] = self._present(request.path)
        return answer

    def _present(self, path: str) -> dict[str, Object]:
        """Return a copy of the objects of a collection, or of the one that a path names, by name."""
        with self._lock:
            found = self._objects_of(path if _is_collection(path) else path.rpartition("/")[0])
            return {(each.get("metadata") or {}).get("name", str(number)): copy.deepcopy(each) for number, each in enumerate(found)}

    def _objects_of(self, collection: str) -> list[Object]:
        return self.lists.get(collection) or [each for path, each in [*self.objects.items()] if path.startswith(f"{collection}/")]

    def _changes(self, request: Request) -> Iterator[bytes]:
        """Tell what becomes of a collection from where it was told last."""
        told = self._told.get(request.path, {}) if request.query.get("resourceVersion") else {}
        while not self._is_over.wait(0.005):
            present = self._present(request.path)
            for name in {*told, *present}:
                if name not in present:
                    yield event("DELETED", told[name])
                elif told.get(name) != present[name]:
                    yield event("MODIFIED" if name in told else "ADDED", present[name])
            told = present

    def _answer_at_once(self, request: Request) -> Answer:
        if request.path == METRICS:
            return Answer()
        if request.path in self.lists or _is_collection(request.path):
            return Answer(200, {"metadata": {"resourceVersion": "1000"}, "items": self._objects_of(request.path)})
        live = self.objects.get(request.path)
        if request.method == "PATCH":
            return self._apply(request, live)
        if live is None:
            return refusal(404, "NotFound", "not found", name=request.path.rpartition("/")[2], kind="x")
        if request.method == "DELETE":
            return self._delete(request, live)
        return Answer(200, live)

    def _apply(self, request: Request, live: Object | None) -> Answer:
        wanted = copy.deepcopy(request.body)
        version = wanted["metadata"].pop("resourceVersion", None)
        if live is not None and version not in (None, live["metadata"]["resourceVersion"]):
            return refusal(409, "Conflict", "the object has been modified")
        if live is None and version is not None:
            return refusal(404, "NotFound", name="x", kind="x")
        uid = FIRST_UID if request.path.endswith("/web") else f"uid of {request.path}"
        base = {"metadata": {"uid": uid}} if live is None else live
        merged = _merge(base, wanted)
        if request.query.get("dryRun") != "All":
            self.put(request.path.rpartition("/")[0], merged)
            merged = self.objects[request.path]
        return Answer(200, merged)

    def _delete(self, request: Request, live: Object) -> Answer:
        if request.body.get("dryRun") != ["All"]:
            if request.body["propagationPolicy"] == "Foreground":
                live["metadata"].update(deletionTimestamp="2026-11-23T20:39:00Z", finalizers=["foregroundDeletion"])
            else:
                del self.objects[request.path]
        return Answer(200, {"kind": "Status"})


def _is_collection(path: str) -> bool:
    return path.rpartition("/")[2] in COLLECTIONS


def _merge(below: Object, above: Object) -> Object:
    merged = copy.deepcopy(below)
    for key, value in above.items():
        is_map = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = _merge(merged[key], value) if is_map else value
    return merged
