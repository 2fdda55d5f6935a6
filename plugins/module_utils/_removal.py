# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it can change at any time.

"""Which VMIs of a set go first, in a scale-in and in a rollout.

KubeVirt itself takes whichever come first from a map: kubevirt ``pkg/virt-controller/watch/replicaset/replicaset.go`` (scale).
"""

from __future__ import annotations

import typing as t

from ansible_collections.vmscale.kubevirt.plugins.module_utils._replicaset import is_outdated, is_ready
from ansible_collections.vmscale.kubevirt.plugins.module_utils._resources import Object, metadata, name_of, status

NOT_READY_FIRST = "not_ready_first"
NEWEST = "newest"
OLDEST = "oldest"
OUTDATED_FIRST = "outdated_first"
NODE_SPREAD = "node_spread"
BY_NODE = "by_node"
SCALE_IN_ORDERS = (NOT_READY_FIRST, NEWEST, OLDEST, OUTDATED_FIRST, NODE_SPREAD)
ROLLOUT_ORDERS = (NOT_READY_FIRST, OLDEST, NEWEST, BY_NODE)


def in_order_of_removal(instances: t.Iterable[Object], live: Object, order: str) -> list[Object]:
    """The VMIs of the set ``live``, whoever is to go first at the front.

    Of those that are equal the youngest goes first (with ``oldest`` the oldest), then by name, so that asking twice gives the same answer.
    """
    by_age = sorted(instances, key=name_of)
    by_age.sort(key=_created, reverse=order != OLDEST)
    if order == NOT_READY_FIRST:
        by_age.sort(key=is_ready)
    elif order == OUTDATED_FIRST:
        by_age.sort(key=lambda each: (is_outdated(each, live) is False, is_ready(each)))
    elif order == NODE_SPREAD:
        return _spreading(by_age)
    elif order == BY_NODE:
        by_age.sort(key=_node)
    return by_age


def _spreading(instances: t.Sequence[Object]) -> list[Object]:
    """Always the next from the node that has most of them left, so that those that stay are spread evenly."""
    nodes: dict[str, list[Object]] = {}
    for instance in instances:
        nodes.setdefault(_node(instance), []).append(instance)
    ordered: list[Object] = []
    while len(ordered) < len(instances):
        # One that is on no node yet stands on no other's way: it goes before all that are.
        fullest = min(nodes, key=lambda node: (bool(node), -len(nodes[node]), node))
        ordered.append(nodes[fullest].pop(0))
        if not nodes[fullest]:
            del nodes[fullest]
    return ordered


def _node(instance: Object) -> str:
    return str(status(instance).get("nodeName") or "")


def _created(instance: Object) -> str:
    """Times of Kubernetes order as texts do."""
    return str(metadata(instance).get("creationTimestamp") or "")
