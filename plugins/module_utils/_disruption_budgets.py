# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it can change at any time.

"""PodDisruptionBudgets, as they bear on VMIs that a rollout replaces.

A rollout deletes VMIs, and asks nobody: so it has to keep to the budgets itself. Shapes: ``policy/v1``, kubernetes
``pkg/controller/disruption/disruption.go``.
"""

from __future__ import annotations

import typing as t

from ansible_collections.vmscale.kubevirt.plugins.module_utils import _selector
from ansible_collections.vmscale.kubevirt.plugins.module_utils._resources import (
    DISRUPTION_BUDGETS,
    INSTANCES,
    Object,
    condition,
    labels_of,
    metadata,
    name_of,
    spec,
    status,
)


class Allowance:
    """How many more VMIs that are ready the budgets let go."""

    def __init__(self, budgets: t.Iterable[Object]) -> None:
        self._budgets = [each for each in budgets if not _is_for_one_vmi(each)]
        self._left = {name_of(each): _allowed(each) for each in self._budgets}
        self.held_by: Object | None = None

    def take(self, instance: Object) -> bool:
        """True where the VMI may go, which is then counted; ``held_by`` is the budget that forbids it otherwise."""
        bearing = [each for each in self._budgets if _bears_on(each, instance)]
        for each in bearing:
            if self._left[name_of(each)] < 1:
                self.held_by = each
                return False
        for each in bearing:
            self._left[name_of(each)] -= 1
        return True


def say_held(budget: Object) -> str:
    """That a budget lets nothing go, and why, a clause."""
    return f"{DISRUPTION_BUDGETS.kind} {name_of(budget)} allows no disruption: {why_held(budget)}"


def why_held(budget: Object) -> str:
    """Why a budget lets nothing go, a clause."""
    if is_broken(budget):
        return str(condition(budget, "DisruptionAllowed").get("message") or "it could not be evaluated")
    counts = status(budget)
    healthy, expected = counts.get("currentHealthy", 0), counts.get("expectedPods", 0)
    return f"{healthy} of {expected} pods are healthy, and {counts.get('desiredHealthy', 0)} have to be"


def is_broken(budget: Object) -> bool:
    """True for a budget that its controller cannot evaluate: it allows nothing then, for ever."""
    return condition(budget, "DisruptionAllowed").get("reason") == "SyncFailed"


def _allowed(budget: Object) -> int:
    # A status that is older than the spec says nothing.
    if status(budget).get("observedGeneration") != metadata(budget).get("generation"):
        return 0
    return int(status(budget).get("disruptionsAllowed") or 0)


def _is_for_one_vmi(budget: Object) -> bool:
    """True for the budgets with which KubeVirt keeps a VMI from being evicted before it is migrated: its deletion is no concern of theirs.

    Source: kubevirt ``pkg/virt-controller/watch/drain/disruptionbudget``.
    """
    return any(owner.get("kind") == INSTANCES.kind for owner in metadata(budget).get("ownerReferences") or [])


def _bears_on(budget: Object, instance: Object) -> bool:
    selector = spec(budget).get("selector")
    if selector is None:
        return False
    # What virt-controller adds to the labels of a launcher pod: kubevirt pkg/virt-controller/services/template.go.
    added = {"kubevirt.io": "virt-launcher", "kubevirt.io/created-by": str(metadata(instance).get("uid", ""))}
    hostname = str(spec(instance).get("hostname") or name_of(instance))
    return _selector.matches(selector, {**labels_of(instance), **added, "vm.kubevirt.io/name": hostname})
