# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a fault is: something that is brought about on purpose, somewhere, and undone again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sandbox.api import Api, ApiError, Object
from sandbox.state import Sandbox

# The label of all that a fault has created or changed.
LABEL = "sandbox.vmscale.kubevirt/fault"
SET_LABEL = "sandbox.vmscale.kubevirt/fault-set"
CLUSTER, NAMESPACE, SET = "cluster", "namespace", "set"
REPLICA_SETS = "virtualmachineinstancereplicasets"
INSTANCES = "virtualmachineinstances"
MERGE = "application/merge-patch+json"


@dataclass(frozen=True)
class Target:
    """Where a fault is: a set, a namespace (without a name), or the cluster (without either), and how bad it is."""

    namespace: str = ""
    name: str = ""
    options: Mapping[str, Any] = field(default_factory=dict, compare=False)

    def __str__(self) -> str:
        """As people write it."""
        return "/".join(part for part in (self.namespace, self.name) if part)


class Site:
    """A sandbox in which faults are brought about."""

    def __init__(self, sandbox: Sandbox, say: Callable[[str], None]) -> None:
        """Act on a sandbox that exists."""
        self.sandbox = sandbox
        self.say = say

    @cached_property
    def api(self) -> Api:
        """Its API server."""
        return Api(self.sandbox, self.sandbox.ports()["kube-apiserver"])

    def items(self, path: str, labels: str = "") -> list[Object]:
        """Objects of a collection; none if it is not served."""
        found = self.api.get(f"{path}?labelSelector={labels}" if labels else path) or {}
        items: list[Object] = found.get("items", [])
        return items

    def labelled(self, path: str, name: str) -> list[Object]:
        """Objects of a collection that a fault has created or changed."""
        return self.items(path, f"{LABEL}%3D{name}")

    def merge(self, path: str, patch: Mapping[str, Any]) -> None:
        """Change an object, if it is there."""
        try:
            self.api.request("PATCH", path, patch, MERGE)
        except ApiError as error:
            if error.status != 404:
                raise

    def delete(self, path: str) -> None:
        """Delete an object, if it is there."""
        try:
            self.api.request("DELETE", path)
        except ApiError as error:
            if error.status != 404:
                raise

    def replica_set(self, target: Target) -> Object:
        """The set that a fault is of."""
        found = self.api.get(f"/apis/kubevirt.io/v1/namespaces/{target.namespace}/{REPLICA_SETS}/{target.name}")
        if found is None:
            raise LookupError(f"there is no VirtualMachineInstanceReplicaSet {target}")
        return found

    def instances(self, target: Target) -> list[Object]:
        """The VMIs of a set, whether it still exists or not."""
        items = self.items(f"/apis/kubevirt.io/v1/namespaces/{target.namespace}/{INSTANCES}")
        return [item for item in items if any(_is_set(owner, target.name) for owner in item["metadata"].get("ownerReferences", []))]

    def pods(self, target: Target) -> list[Object]:
        """The launcher pods of a set's VMIs."""
        uids = {item["metadata"]["uid"] for item in self.instances(target)}
        pods = self.items(f"/api/v1/namespaces/{target.namespace}/pods", "kubevirt.io%3Dvirt-launcher")
        return [pod for pod in pods if pod["metadata"]["labels"].get("kubevirt.io/created-by") in uids]

    def until(self, what: str, holds: Callable[[], bool], seconds: float = 30) -> None:
        """Wait until the API server shows something."""
        deadline = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{what}: not within {seconds:g} s")
            time.sleep(0.1)


@dataclass(frozen=True)
class Option:
    """An option of a fault, with a number for its value, or a text."""

    name: str
    text: str
    default: float | str | None = None
    kind: type = float


@dataclass(frozen=True)
class Fault:
    """A fault: what it does, how it is brought about and undone, and where it is on.

    ``stops`` says that parts of the sandbox are not well while it is on.
    """

    name: str
    scope: str
    text: str
    begin: Callable[[Site, Target], None]
    end: Callable[[Site, Target], None]
    where: Callable[[Site], Iterable[Target]]
    options: tuple[Option, ...] = ()
    stops: bool = False


def nowhere(_site: Site) -> list[Target]:
    """For what is over as soon as it has happened."""
    return []


def nothing(_site: Site, _target: Target) -> None:
    """For what cannot be undone, or need not be."""


def target_of(item: Mapping[str, Any]) -> Target:
    """Where an object says that its fault is."""
    metadata = item["metadata"]
    return Target(metadata.get("namespace", ""), metadata["labels"].get(SET_LABEL, ""))


def _is_set(owner: Mapping[str, Any], name: str) -> bool:
    return (owner["kind"], owner["name"]) == ("VirtualMachineInstanceReplicaSet", name)
