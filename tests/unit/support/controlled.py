# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Clusters with the set `web` and its controller, for scaling and rollouts."""

from __future__ import annotations

import typing as t
from collections.abc import Callable

from unit.support.cluster import INSTANCES, SETS, Cluster
from unit.support.controller import Controller
from unit.support.objects import instance
from unit.support.recorded import Object
from unit.support.server import Answer, Request, refusal
from unit.support.templates import hash_in, set_of

# The part of a path after the namespace, as RBAC names it.
_GROUPS = {"virtualmachineinstancereplicasets": "kubevirt.io", "virtualmachineinstances": "kubevirt.io", "controllerrevisions": "apps"}


def controlled(replicas: int = 5, outdated: int = 0, boot_seconds: float = 0, shutdown_seconds: float = 0) -> tuple[Cluster, Controller]:
    """Return a cluster whose set has the template `2Gi` and has converged; its first VMIs are `outdated` ones of `1Gi`."""
    cluster = Cluster()
    cluster.put(SETS, set_of("2Gi", replicas=replicas))
    cluster.lists[INSTANCES] = [
        instance(
            f"web{number}",
            template_hash=hash_in("1Gi" if number < outdated else "2Gi"),
            created=f"2026-11-23T20:{number:02}:00Z",
            node=f"node-{number % 3}",
        )
        for number in range(replicas)
    ]
    return cluster, Controller(cluster, boot_seconds, shutdown_seconds)


def forbid(*rights: str) -> Callable[[Request], Answer | None]:
    """Return what refuses to do things: `patch virtualmachineinstancereplicasets/scale` and the like, `list` and `get` being told apart."""

    def refuse(request: Request) -> Answer | None:
        verb, resource = right(request)
        if f"{verb} {resource}" not in rights:
            return None
        group = _GROUPS.get(resource.partition("/")[0], "policy")
        told = f'{resource.partition("/")[0]}.{group} is forbidden: User "jane" cannot {verb} resource "{resource}" in API group "{group}"'
        return refusal(403, "Forbidden", told)

    return refuse


def right(request: Request) -> tuple[str, str]:
    """Return the verb and the resource of a request, as RBAC names them."""
    _namespaces, _, rest = request.path.partition("/namespaces/")
    resource, _, name = rest.partition("/")[2].partition("/")
    verb = {"GET": "get" if name else "list", "POST": "create", "PATCH": "patch", "DELETE": "delete"}[request.method]
    if request.query.get("watch"):
        verb = "watch"
    _name, _, subresource = name.partition("/")
    return verb, f"{resource}/{subresource}" if subresource else resource


def failing(question: Callable[[Request], bool], answer: Answer | None = None) -> Callable[[Request], Answer | None]:
    """Return what fails requests of which something is true."""
    refused = answer or refusal(500, "InternalError", "etcdserver: no leader")
    return lambda request: refused if question(request) else None


def facts(result: t.Mapping[str, t.Any], *names: str) -> list[t.Any]:
    """Return some values of a result."""
    return [result.get(name) for name in names]


def annotations_of(live: Object) -> dict[str, str]:
    """Return an object's annotations."""
    return dict(live["metadata"].get("annotations") or {})
