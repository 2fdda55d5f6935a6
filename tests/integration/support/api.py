# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A plain view of the cluster, independent of the code under test."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode

from kubernetes import client, config

Object = dict[str, Any]
T = TypeVar("T")

COLLECTIONS = {
    "namespaces": "/api/v1",
    "pods": "/api/v1",
    "events": "/api/v1",
    "serviceaccounts": "/api/v1",
    "resourcequotas": "/api/v1",
    "configmaps": "/api/v1",
    "secrets": "/api/v1",
    "controllerrevisions": "/apis/apps/v1",
    "deployments": "/apis/apps/v1",
    "horizontalpodautoscalers": "/apis/autoscaling/v2",
    "poddisruptionbudgets": "/apis/policy/v1",
    "roles": "/apis/rbac.authorization.k8s.io/v1",
    "rolebindings": "/apis/rbac.authorization.k8s.io/v1",
    "virtualmachineinstances": "/apis/kubevirt.io/v1",
    "virtualmachineinstancereplicasets": "/apis/kubevirt.io/v1",
}
SHORT = {
    "vmirs": "virtualmachineinstancereplicasets",
    "vmis": "virtualmachineinstances",
    "hpas": "horizontalpodautoscalers",
}


class Api:
    """Reads and writes objects as JSON, as one user."""

    def __init__(self, kubeconfig: Path) -> None:
        self.client = config.new_client_from_config(str(kubeconfig))

    def call(
        self,
        verb: str,
        path: str,
        body: Any = None,
        content_type: str = "application/json",
        query: Mapping[str, str] | None = None,
    ) -> Object:
        """Send one request; raises `kubernetes.client.ApiException`."""
        # Past what is generated of the client, which differs from one version to another.
        settings = self.client.configuration
        credentials = {each["key"]: each["value"] for each in settings.auth_settings().values()}
        response = self.client.rest_client.pool_manager.request(
            verb.upper(),
            settings.host + path + (f"?{urlencode(query)}" if query else ""),
            headers={"Accept": "application/json", "Content-Type": content_type, **credentials},
            body=None if body is None else json.dumps(body),
        )
        text = response.data.decode()
        if not 200 <= response.status <= 299:
            refusal = client.ApiException(status=response.status, reason=response.reason)
            refusal.body = text
            raise refusal
        found: Object = json.loads(text)
        return found

    def path(self, resource: str, namespace: str | None = None, name: str | None = None) -> str:
        """Return the path of a resource; `vmirs`, `vmis` and `hpas` are short for theirs."""
        resource = SHORT.get(resource, resource)
        parts = [COLLECTIONS[resource]]
        if namespace is not None:
            parts += ["namespaces", namespace]
        return "/".join([*parts, resource, *([name] if name is not None else [])])

    def get(self, resource: str, namespace: str | None, name: str) -> Object:
        return self.call("GET", self.path(resource, namespace, name))

    def find(self, resource: str, namespace: str | None, name: str) -> Object | None:
        """Return the object, or None where there is none."""
        try:
            return self.get(resource, namespace, name)
        except client.ApiException as error:
            if error.status == 404:
                return None
            raise

    def items(self, resource: str, namespace: str | None = None, labels: str | None = None) -> list[Object]:
        query = {"labelSelector": labels} if labels else None
        listed: list[Object] = self.call("GET", self.path(resource, namespace), query=query)["items"]
        return listed

    def create(self, resource: str, namespace: str | None, body: Object) -> Object:
        return self.call("POST", self.path(resource, namespace), body)

    def merge(self, resource: str, namespace: str | None, name: str, patch: Object) -> Object:
        """Send a JSON merge patch."""
        return self.call("PATCH", self.path(resource, namespace, name), patch, "application/merge-patch+json")

    def delete(self, resource: str, namespace: str | None, name: str) -> None:
        try:
            self.call("DELETE", self.path(resource, namespace, name))
        except client.ApiException as error:
            if error.status != 404:
                raise


def eventually(what: str, read: Callable[[], T], is_right: Callable[[T], bool], timeout: float = 60, pause: float = 0.25) -> T:
    """Return the first value that is right; raise with the last one when none comes in time."""
    deadline = time.monotonic() + timeout
    while True:
        value = read()
        if is_right(value):
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {timeout:g} s, last seen {value!r}")
        time.sleep(pause)
