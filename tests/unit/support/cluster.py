# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A few objects behind an API, without controllers: what happens while a task sleeps, the test says."""

from __future__ import annotations

import copy
import dataclasses
import threading
import typing as t
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from importlib import import_module

from ansible_collections.vmscale.kubevirt.plugins.module_utils._arguments import MODULES, Operation, run
from ansible_collections.vmscale.kubevirt.plugins.module_utils._task import Task
from unit.support.clock import FakeClock
from unit.support.objects import UID, changed
from unit.support.patches import applied, merged, replaced
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
WRITES = ("POST", "PATCH", "DELETE")
# What is kept by its path, whatever the namespace.
KEPT = tuple(path.rpartition("/")[2] for path in (SETS, SCALERS))
# What the clock of a cluster that tells the time shows at first.
BEGAN = datetime(2026, 11, 23, 20, 40, tzinfo=UTC)


def of(namespace: str, collection: str) -> str:
    """Return the path of a collection in another namespace."""
    return collection.replace("/namespaces/default/", f"/namespaces/{namespace}/")


def operation_of(module: str) -> Operation:
    """Return what a module does."""
    plugin = import_module(f"ansible_collections.vmscale.kubevirt.plugins.action.{module}")
    return t.cast(Operation, plugin.ActionModule.operation)


class Cluster:
    """Objects by path, and lists of others.

    `refuse` gives the answer for a request that is to fail; `meanwhile` is called after each pause, `after_write` once something has been
    written. `tells_time`: answers say when they were given.
    """

    def __init__(self, **objects: Object) -> None:
        self.objects: dict[str, Object] = {}
        self.lists: dict[str, list[Object]] = {INSTANCES: [], EVENTS: [], PODS: [], POD_METRICS: [], REVISIONS: [], BUDGETS: []}
        self.refuse: Callable[[Request], Answer | None] = lambda request: None
        self.meanwhile: Callable[[float], None] = lambda seconds: None
        self.after_write: Callable[[Request], None] = lambda request: None
        self.tells_time = False
        self.lines: list[str] = []
        self.server = Server(self._answer)
        self.clock = FakeClock(lambda seconds: self.meanwhile(seconds))
        self._version = 100
        self._told: dict[str, dict[str, Object]] = {}
        self._is_over = threading.Event()
        # A fleet is written side by side.
        self._lock = threading.RLock()

    @property
    def live(self) -> Object:
        """The set `web`."""
        return self.objects[f"{SETS}/web"]

    @property
    def now(self) -> datetime:
        """The time by the cluster's clock."""
        return BEGAN + timedelta(seconds=self.clock.time - 1000)

    def put(self, collection: str, live: Object) -> None:
        """Have an object."""
        self._version += 1
        live = copy.deepcopy(live)
        live["metadata"]["resourceVersion"] = str(self._version)
        self.objects[f"{collection}/{live['metadata']['name']}"] = live

    def asked(self, *methods: str) -> list[str]:
        """Return the last part of each path that was asked for by these methods."""
        return [each.path.rpartition("/")[2] for each in self.server.requests if each.method in methods]

    def written(self) -> list[tuple[str, str, bool]]:
        """Return each request that writes: its method, the last two parts of its path, and whether it is a dry run."""
        sent = [each for each in self.server.requests if each.method in WRITES]
        return [(each.method, "/".join(each.path.split("/")[-2:]), is_dry_run(each)) for each in sent]

    def names(self, collection: str = INSTANCES) -> list[str]:
        """Return the names in a list."""
        return [each["metadata"]["name"] for each in self.lists[collection]]

    def run(self, module: str, check_mode: bool = False, is_diff_wanted: bool = True, **params: t.Any) -> dict[str, t.Any]:
        """Run a module, and return its result."""
        specification = MODULES[module]
        defaults = {name: option.get("default") for name, option in specification.argument_spec.items()}
        self.server.requests.clear()
        self.lines.clear()
        with self.listening() as address:
            given = {**defaults, "host": address, "api_key": "t", "namespace": "default", **params}
            task = Task(given, {}, check_mode, self.lines.append, self.clock, is_diff_wanted=is_diff_wanted)
            outcome = run(operation_of(module), task)
        return {**outcome.result, "warnings": list(outcome.warnings)}

    @contextmanager
    def listening(self) -> Iterator[str]:
        self._is_over.clear()
        with listening(self.server) as address:
            yield address
            self._is_over.set()

    def _answer(self, request: Request) -> Answer | Stream:
        if request.query.get("watch"):
            return self.refuse(request) or Stream(self._changes(request))
        collection = self._collection(request.path)
        # Looked at before: what changes in between is told twice rather than never.
        present = copy.deepcopy(self._present(collection, request)) if request.method in ("GET", "PATCH") else {}
        answer = self.refuse(request)
        if answer is None:
            with self._lock:
                answer = self._answer_at_once(request, collection)
        if answer.status == 200 and (request.path == collection or collection.endswith(KEPT)) and request.method in ("GET", "PATCH"):
            self._told[collection] = present
        if answer.status in (200, 201) and request.method in WRITES and not is_dry_run(request):
            answer = dataclasses.replace(answer, body=copy.deepcopy(answer.body))
            self.after_write(request)
        return dataclasses.replace(answer, headers={"Date": format_datetime(self.now, usegmt=True)}) if self.tells_time else answer

    def _collection(self, path: str) -> str:
        head, namespaces, rest = path.partition("/namespaces/")
        return "/".join([f"{head}{namespaces}{rest.partition('/')[0]}", *rest.split("/")[1:2]])

    def _present(self, collection: str, request: Request) -> dict[str, Object]:
        """Return the objects of a collection, or those that the request's labels select, by name."""
        found = self.lists.get(collection) or [each for key, each in [*self.objects.items()] if key.startswith(f"{collection}/")]
        return {
            (each.get("metadata") or {}).get("name", str(number)): each for number, each in enumerate(found) if _is_chosen(each, request)
        }

    def _changes(self, request: Request) -> Iterator[bytes]:
        """Tell what becomes of a collection from where it was told last."""
        told = self._told.get(request.path, {}) if request.query.get("resourceVersion") else {}
        while not self._is_over.wait(0.003):
            present = self._present(request.path, request)
            if present == told:
                continue
            present = copy.deepcopy(present)
            for name in {*told, *present}:
                if name not in present:
                    yield event("DELETED", told[name])
                elif told.get(name) != present[name]:
                    yield event("MODIFIED" if name in told else "ADDED", present[name])
            told = present

    def _answer_at_once(self, request: Request, collection: str) -> Answer:
        if request.path == METRICS:
            return Answer()
        if request.method == "POST":
            return self._create(request)
        if request.path == collection:
            items = [*self._present(collection, request).values()]
            return Answer(200, {"metadata": {"resourceVersion": "1000"}, "items": items})
        if request.path.endswith("/scale"):
            return self._scale(request, request.path.removesuffix("/scale"))
        name = request.path.rpartition("/")[2]
        listed = self.lists.get(collection)
        live = next((each for each in listed or () if each["metadata"]["name"] == name), self.objects.get(request.path))
        if request.method == "PATCH":
            return self._patch(request, live)
        if live is None:
            return refusal(404, "NotFound", "not found", name=name, kind="x")
        if request.method == "DELETE":
            return self._delete(request, live) if listed is None else self._delete_listed(request, live, listed)
        return Answer(200, live)

    def _create(self, request: Request) -> Answer:
        body, listed = copy.deepcopy(request.body), self.lists[request.path]
        if body["metadata"]["name"] in self.names(request.path):
            return refusal(409, "AlreadyExists", "it exists already", name=body["metadata"]["name"], kind="x")
        self._version += 1
        body["metadata"].update(uid=f"uid-{self._version}", creationTimestamp=self.now.strftime("%Y-%m-%dT%H:%M:%SZ"))
        if not is_dry_run(request):
            listed.append(body)
        return Answer(201, body)

    def _patch(self, request: Request, live: Object | None) -> Answer:
        body = request.body
        if request.header("Content-Type") == ["application/apply-patch+yaml"]:
            uid = UID if request.path.endswith("/web") else f"uid of {request.path}"
            base = {"metadata": {"uid": uid}} if live is None else live
            version, found = body["metadata"].get("resourceVersion"), applied(base, body)
        elif live is None:
            return refusal(404, "NotFound", name="x", kind="x")
        elif isinstance(body, list):
            found = replaced(live, body)
            version = found["metadata"]["resourceVersion"]
        else:
            version, found = body.get("metadata", {}).get("resourceVersion"), merged(live, body)
        if live is not None and version not in (None, live["metadata"]["resourceVersion"]):
            return refusal(409, "Conflict", "the object has been modified")
        if live is None and version is not None:
            return refusal(404, "NotFound", name="x", kind="x")
        if not is_dry_run(request):
            self.put(request.path.rpartition("/")[0], found)
            found = self.objects[request.path]
        return Answer(200, found)

    def _scale(self, request: Request, path: str) -> Answer:
        live = self.objects.get(path)
        if live is None:
            return refusal(404, "NotFound", "not found", name="x", kind="x")
        if request.method == "PATCH":
            if request.body["metadata"].get("resourceVersion") not in (None, live["metadata"]["resourceVersion"]):
                return refusal(409, "Conflict", "the object has been modified")
            live = changed(live, "spec.replicas", request.body["spec"]["replicas"])
            if not is_dry_run(request):
                self.put(SETS, live)
                live = self.objects[path]
        metadata = {key: live["metadata"][key] for key in ("name", "namespace", "uid", "resourceVersion")}
        status = {"replicas": live["status"].get("replicas", 0), "selector": live["status"].get("labelSelector")}
        return Answer(200, {"kind": "Scale", "metadata": metadata, "spec": {"replicas": live["spec"]["replicas"]}, "status": status})

    def _delete(self, request: Request, live: Object) -> Answer:
        if not is_dry_run(request):
            if request.body["propagationPolicy"] == "Foreground":
                live["metadata"].update(deletionTimestamp="2026-11-23T20:39:00Z", finalizers=["foregroundDeletion"])
            else:
                del self.objects[request.path]
        return Answer(200, {"kind": "Status"})

    def _delete_listed(self, request: Request, live: Object, listed: list[Object]) -> Answer:
        """Delete a VMI, which takes until its guest has shut down, or something that goes at once."""
        if request.body["preconditions"]["uid"] != live["metadata"]["uid"]:
            return refusal(409, "Conflict", "the UID in the precondition is another")
        if not is_dry_run(request):
            listed.remove(live)
            if listed is self.lists[INSTANCES]:
                listed.append(changed(live, "metadata.deletionTimestamp", self.now.strftime("%Y-%m-%dT%H:%M:%SZ")))
        return Answer(200, {"kind": "Status"})


def is_dry_run(request: Request) -> bool:
    """Return whether nothing comes of a request."""
    body = request.body if isinstance(request.body, dict) else {}
    # Where there is a body, an API server reads dryRun of a DELETE from there and nowhere else.
    return body.get("dryRun") == ["All"] if request.method == "DELETE" else request.query.get("dryRun") == "All"


def _is_chosen(live: Object, request: Request) -> bool:
    labels = (live.get("metadata") or {}).get("labels") or {}
    # What else a test has in a list is there to be found.
    parts = request.query.get("labelSelector", "").split(",") if request.path.startswith(REVISIONS) else []
    wanted = [part.partition("=") for part in parts if part]
    return all(labels.get(key) == value if sign else key in labels for key, sign, value in wanted)
