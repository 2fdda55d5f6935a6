# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it can change at any time.

"""What explains a wait and cannot be watched: it is read when it can explain something, and not otherwise."""

from __future__ import annotations

from ansible_collections.vmscale.kubevirt.plugins.module_utils._api import Api
from ansible_collections.vmscale.kubevirt.plugins.module_utils._errors import ApiError, ConnectionFailed
from ansible_collections.vmscale.kubevirt.plugins.module_utils._resources import EVENTS, LEASES, Object, spec

# Where KubeVirt is installed unless somebody chose another namespace; elsewhere its controller's lease is not found, and not missed.
KUBEVIRT_NAMESPACE = "kubevirt"
VIRT_CONTROLLER = "virt-controller"
# The lease is renewed every few seconds: two looks that far apart tell whether it is, whatever the clocks say.
LEASE_AFTER_SECONDS = 3.0
LEASE_EVERY_SECONDS = 5.0
# Said of a pod by the cluster autoscaler, and by Karpenter, when they make room for it.
SCALE_UPS = ("TriggeredScaleUp", "Nominated")
SCALE_UP_EVERY_SECONDS = 4.0


class LeaseProbe:
    """virt-controller's lease. ``stale`` is the lease once it has been seen not to move."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._due: float | None = LEASE_AFTER_SECONDS
        self._seen: Object | None = None
        self.stale: Object | None = None

    def look(self, elapsed: float, is_wanted: bool) -> float | None:
        """Read it if it is time to and it is wanted; when it is time to again, None for never."""
        if self._due is None or not is_wanted:
            return None
        if elapsed < self._due:
            return self._due
        try:
            lease = self._api.find(LEASES, KUBEVIRT_NAMESPACE, VIRT_CONTROLLER, is_single_try=True)
        except ConnectionFailed:
            self._due = elapsed + LEASE_EVERY_SECONDS
            return self._due
        except ApiError:
            lease = None
        if lease is None:
            self.stale, self._due = None, None
            return None
        is_still = self._seen is not None and spec(self._seen).get("renewTime") == spec(lease).get("renewTime")
        self.stale = lease if is_still else None
        self._seen, self._due = lease, elapsed + LEASE_EVERY_SECONDS
        return self._due


class ScaleUpProbe:
    """The events that say that a node autoscaler makes room."""

    def __init__(self, api: Api, namespace: str) -> None:
        self._api = api
        self._namespace = namespace
        self._due: float | None = 0.0
        self.events: tuple[Object, ...] = ()

    def look(self, elapsed: float, is_wanted: bool) -> float | None:
        """Read them if it is time to and they are wanted; when it is time to again, None for never."""
        if self._due is None or not is_wanted:
            return None
        if elapsed < self._due:
            return self._due
        self._due = elapsed + SCALE_UP_EVERY_SECONDS
        found: list[Object] = []
        try:
            for reason in SCALE_UPS:
                field = f"involvedObject.kind=Pod,reason={reason}"
                found += self._api.listing(EVENTS, self._namespace, field_selector=field, is_single_try=True).items
            self.events = tuple(found)
        except ConnectionFailed:
            pass
        except ApiError:
            self._due = None
        return self._due
