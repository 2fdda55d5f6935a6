# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What virt-controller does to the set of a cluster in memory, and guests that boot and shut down."""

from __future__ import annotations

import threading
from collections.abc import Callable

from unit.support.cluster import BEGAN, INSTANCES, SETS, Cluster
from unit.support.objects import changed, instance
from unit.support.recorded import Object

HASH = "vmscale.kubevirt/template-hash"


class Controller:
    """Acts on the set `web` at each write and whenever time passes.

    A VMI is ready `boot_seconds` after it was created if `boots` says so of it, and gone `shutdown_seconds` after its deletion. Which
    VMIs go in a scale-in nobody knows: those that come first. `ready` has the number of VMIs that were ready after each step.
    """

    def __init__(self, cluster: Cluster, boot_seconds: float = 0, shutdown_seconds: float = 0) -> None:
        self.boots: Callable[[Object], bool] = lambda instance: True
        self.is_down = False
        self.ready: list[int] = []
        self._cluster = cluster
        self._boot_seconds = boot_seconds
        self._shutdown_seconds = shutdown_seconds
        self._born: dict[str, float] = {}
        self._lock = threading.RLock()
        cluster.after_write = lambda request: self.act()
        cluster.meanwhile = lambda seconds: self.act()

    def act(self) -> None:
        """Bring the VMIs to what the set wants, and its status to what is there."""
        with self._lock:
            if f"{SETS}/web" in self._cluster.objects:
                self._shut_down()
                if not self.is_down:
                    self._scale()
                self._boot()
                if not self.is_down:
                    self._count()

    @property
    def active(self) -> list[Object]:
        """The VMIs that count as replicas."""
        uid = self._cluster.live["metadata"]["uid"]
        own = [each for each in self._cluster.lists[INSTANCES] if each["metadata"]["ownerReferences"][0]["uid"] == uid]
        return [each for each in own if "deletionTimestamp" not in each["metadata"]]

    def _replace(self, live: Object) -> None:
        """Have another version of a VMI."""
        listed = self._cluster.lists[INSTANCES]
        name = live["metadata"]["name"]
        self._cluster.lists[INSTANCES] = [live if each["metadata"]["name"] == name else each for each in listed]

    def _shut_down(self) -> None:
        for each in [*self._cluster.lists[INSTANCES]]:
            since = each["metadata"].get("deletionTimestamp")
            if since and self._stamp(-self._shutdown_seconds) >= since:
                self._cluster.lists[INSTANCES] = [other for other in self._cluster.lists[INSTANCES] if other is not each]

    def _scale(self) -> None:
        live = self._cluster.live
        if live["spec"].get("paused"):
            return
        missing = live["spec"]["replicas"] - len(self.active)
        for _ in range(missing):
            self._create(live)
        for each in self.active[: max(0, -missing)]:
            self._replace(changed(each, "metadata.deletionTimestamp", self._stamp()))
        self._shut_down()

    def _create(self, live: Object) -> None:
        name = f"new{len(self._born)}"
        self._born[name] = self._cluster.clock.time
        made = instance(
            name,
            phase="Scheduling",
            ready=False,
            created=self._stamp(),
            labels=live["spec"]["template"]["metadata"]["labels"],
            owner=live["metadata"]["uid"],
        )
        self._cluster.lists[INSTANCES] = [*self._cluster.lists[INSTANCES], made]

    def _boot(self) -> None:
        for each in self.active:
            born = self._born.get(each["metadata"]["name"])
            is_due = born is not None and self._cluster.clock.time >= born + self._boot_seconds
            if is_due and each["status"]["phase"] != "Running" and self.boots(each):
                ready = {"type": "Ready", "status": "True", "lastTransitionTime": self._stamp()}
                self._replace({**each, "status": {"phase": "Running", "conditions": [ready]}})

    def _count(self) -> None:
        live, ready = self._cluster.live, sum(1 for each in self.active if is_ready(each))
        status = {"replicas": len(self.active), "readyReplicas": ready, "labelSelector": "app=web"}
        if live["spec"].get("paused"):
            status["conditions"] = [{"type": "ReplicaPaused", "status": "True", "reason": "Paused"}]
        self.ready.append(ready)
        if live.get("status") != status:
            self._cluster.put(SETS, {**live, "status": status})

    def _stamp(self, later: float = 0) -> str:
        seconds = self._cluster.clock.time - 1000 + later
        return (BEGAN.fromtimestamp(BEGAN.timestamp() + seconds, BEGAN.tzinfo)).strftime("%Y-%m-%dT%H:%M:%SZ")


def is_ready(live: Object) -> bool:
    """Return whether a VMI is ready by its condition."""
    return any(each["type"] == "Ready" and each["status"] == "True" for each in live["status"]["conditions"])
