# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long after a set is ready the one who waits for it goes on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

from kubernetes import client, watch

from bench.figures import Row, Series, ratio
from bench.ground import BenchFailedError, Ground, tell
from bench.works import SET_KIND, apply, bench_set, core, ours, until, wait_for_ready
from integration.support.ansible import Task
from integration.support.api import Object

NAMESPACE = "bench-latency"
REPLICAS = 2
PATIENCE_SECONDS = 120

Wait = Callable[[Ground, Object], float]


class Witness(threading.Thread):
    """Sees for itself when the status of a set says that all of its VMIs are ready."""

    def __init__(self, ground: Ground, name: str) -> None:
        super().__init__(daemon=True)
        self._list = client.CustomObjectsApi(ground.api.client).list_namespaced_custom_object
        self._name = name
        self.ready_at: float | None = None

    def run(self) -> None:
        where = ("kubevirt.io", "v1", NAMESPACE, "virtualmachineinstancereplicasets")
        options = {"field_selector": f"metadata.name={self._name}", "timeout_seconds": PATIENCE_SECONDS}
        for event in watch.Watch().stream(self._list, *where, **options):
            status = event["object"].get("status", {})
            if status.get("readyReplicas") == status.get("replicas") == REPLICAS:
                self.ready_at = time.time()
                return


def measure(ground: Ground, runs: int, row: Row) -> None:
    """By turns, a new set each time; the first of each is not counted."""
    ground.prepare([NAMESPACE])
    lags: dict[str, list[float]] = {name: [] for name in WAITS}
    for number in range(runs + 1):
        for name, wait in WAITS.items():
            lag = _lag(ground, wait, bench_set(f"set-{number}-{len(name)}", NAMESPACE, REPLICAS))
            tell(f"{name}, run {number}: {lag:.3f} s")
            if number:
                lags[name].append(lag)
        ground.clear([NAMESPACE])
    mine, theirs, _kubectl = row.series = [Series(name, tuple(found)) for name, found in lags.items()]
    row.verdicts = [ratio("seconds over those of `k8s_info` with `until` and `delay: 1`", mine, theirs, 0.3)]
    row.notes = ["Ready is when a watch of the bench's own hears of a status with all VMIs ready."]


def _lag(ground: Ground, wait: Wait, body: Object) -> float:
    witness = Witness(ground, body["metadata"]["name"])
    witness.start()
    ended = wait(ground, body)
    witness.join(5)
    if witness.ready_at is None:
        raise BenchFailedError(f"{witness.name} of {body['metadata']['name']} has not seen it ready")
    return ended - witness.ready_at


def _wait_ours(ground: Ground, body: Object) -> float:
    return _end_of_tasks(ground, ours("vmirs", definition=body, wait=True, wait_timeout=PATIENCE_SECONDS))


def _wait_core(ground: Ground, body: Object) -> float:
    name = {"name": body["metadata"]["name"], "namespace": NAMESPACE}
    is_ready = f"found.resources[0].status.readyReplicas | default(0) == {REPLICAS}"
    return _end_of_tasks(ground, core("k8s", definition=body), until(core("k8s_info", **SET_KIND, **name), is_ready))


def _wait_kubectl(ground: Ground, body: Object) -> float:
    ground.run_kubectl(*apply(ground.write("latency.yml", [body])))
    ground.run_kubectl(*wait_for_ready(REPLICAS, body["metadata"]["name"], "--namespace", NAMESPACE))
    return time.time()


WAITS: Mapping[str, Wait] = {
    "vmirs with wait": _wait_ours,
    "kubernetes.core.k8s, then k8s_info until": _wait_core,
    "kubectl apply, then kubectl wait": _wait_kubectl,
}


def _end_of_tasks(ground: Ground, *tasks: Task) -> float:
    """Run tasks, and return when the last of them had its result."""
    last = ground.ansible().run_tasks(tasks).require_ok().last
    return last.began_at + last.seconds
