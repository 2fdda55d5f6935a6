# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it can change at any time.

"""Deciding about a number of replicas: what it is to be, who goes for it, and what an autoscaler thinks of it.

Nothing here talks to a cluster.
"""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass

from ansible_collections.vmscale.kubevirt.plugins.module_utils._errors import OptionError
from ansible_collections.vmscale.kubevirt.plugins.module_utils._removal import NOT_READY_FIRST, in_order_of_removal
from ansible_collections.vmscale.kubevirt.plugins.module_utils._replicaset import desired_replicas, is_active, own_instances
from ansible_collections.vmscale.kubevirt.plugins.module_utils._resources import (
    AUTOSCALERS,
    INSTANCES,
    SCALE_IN_ANNOTATION,
    Object,
    annotations_of,
    metadata,
    name_of,
    spec,
    status,
)

FAIL, KEEP, SET = "fail", "keep", "set"
WIDEN = "widen"


@dataclass(frozen=True)
class ScaleIn:
    """A scale-in that has paused a set, as the set's own annotation remembers it.

    ``replicas`` is the number to arrive at, ``remove`` the names of those to go, ``resume`` whether the set was running before.
    """

    replicas: int
    remove: tuple[str, ...]
    resume: bool

    def as_annotation(self) -> str:
        """As the annotation holds it."""
        return json.dumps({"replicas": self.replicas, "remove": list(self.remove), "resume": self.resume})

    def as_result(self) -> dict[str, t.Any]:
        """As the modules return it."""
        return {"replicas": self.replicas, "remove": list(self.remove)}

    @property
    def clause(self) -> str:
        """What to say of a set that one has left paused."""
        return f"a scale-in to {self.replicas} that did not finish has paused it: run vmirs_scale again"


def unfinished_scale_in(live: Object) -> ScaleIn | None:
    """The scale-in that has paused the set and has not resumed it yet, None where there is none: nor where somebody else has resumed it."""
    text = annotations_of(live).get(SCALE_IN_ANNOTATION)
    if not text or not spec(live).get("paused"):
        return None
    try:
        found = json.loads(text)
        return ScaleIn(int(found["replicas"]), tuple(str(name) for name in found["remove"]), bool(found["resume"]))
    except (ValueError, TypeError, KeyError):
        # Somebody has written there: nothing is known but that it was paused.
        return ScaleIn(desired_replicas(live), (), True)


def wanted_number(live: Object, instances: t.Sequence[Object], replicas: int | None, remove: t.Sequence[str], label: str) -> int:
    """The number to arrive at. Raises ``OptionError`` for names that are not the set's to remove, or more of them than are to go."""
    present = {name_of(each) for each in instances}
    controlled = {name_of(each): each for each in own_instances(live, instances)}
    # One that is shutting down, or has ended, is on its way out already.
    own = {name for name, each in controlled.items() if is_active(each)}
    for name in remove:
        if name in present and name not in controlled:
            raise OptionError(f'"remove" names {INSTANCES.kind} {name}, which {label} does not control: name VMIs of the set.')
    named = [name for name in dict.fromkeys(remove) if name in own]
    if replicas is None:
        unfinished = unfinished_scale_in(live)
        if unfinished is not None:
            return max(0, unfinished.replicas - len(set(named) - set(unfinished.remove)))
        return max(0, desired_replicas(live) - len(named))
    surplus = len(own) - replicas
    if len(named) > max(0, surplus):
        count = "1 VMI" if len(named) == 1 else f"{len(named)} VMIs"
        raise OptionError(
            f'"remove" names {count} of {label}, and {max(0, surplus)} of {len(own)} have to go for "replicas: {replicas}": '
            f'KubeVirt would start new ones in their place. Lower "replicas", or leave it out so that it falls by those that are named.'
        )
    return replicas


def victims(
    live: Object,
    instances: t.Sequence[Object],
    replicas: int,
    remove: t.Sequence[str] = (),
    order: str | None = None,
    remembered: t.Sequence[str] = (),
) -> tuple[Object, ...]:
    """The VMIs to delete so that ``replicas`` stay, in order: all that are named, then, of those that are too many, the ``remembered`` ones
    of an unfinished scale-in, then by ``order``.
    """
    active = {name_of(each): each for each in own_instances(live, instances) if is_active(each)}
    named = [active.pop(name) for name in dict.fromkeys(remove) if name in active]
    surplus = max(0, len(active) - replicas)
    chosen_before = [active.pop(name) for name in remembered if name in active][:surplus]
    ordered = in_order_of_removal(active.values(), live, order or NOT_READY_FIRST)
    return (*named, *chosen_before, *ordered[: surplus - len(chosen_before)])


@dataclass(frozen=True)
class Bounds:
    """The bounds of an autoscaler, moved so that a number is within."""

    name: str
    version: str
    min_replicas: int
    max_replicas: int

    def as_result(self) -> dict[str, t.Any]:
        """As the module returns it."""
        return {"name": self.name, "min_replicas": self.min_replicas, "max_replicas": self.max_replicas}


def widened(autoscalers: t.Iterable[Object], replicas: int) -> list[Bounds]:
    """The autoscalers whose bounds have to move for ``replicas``; none for 0, which switches an autoscaler off."""
    moved = []
    for each in autoscalers if replicas else ():
        least, most = _bounds(each)
        if not least <= replicas <= most:
            version = str(metadata(each).get("resourceVersion", ""))
            moved.append(Bounds(name_of(each), version, min(least, replicas), max(most, replicas)))
    return moved


def outlook(autoscaler: Object, replicas: int, widens: bool = False) -> str:
    """What the autoscaler would do to ``replicas``, a clause; with its bounds moved for it where ``widens``.

    Source: kubernetes ``pkg/controller/podautoscaler/horizontal.go`` (reconcileAutoscaler): a number out of bounds is brought to
    the nearest one without looking at metrics, and 0 switches it off.
    """
    least, most = _bounds(autoscaler)
    if widens and replicas:
        least, most = min(least, replicas), max(most, replicas)
    who = f"{AUTOSCALERS.kind} {name_of(autoscaler)} ({least} to {most} replicas)"
    if replicas == 0:
        return f"{who} would stop scaling it until its number is raised by hand"
    if replicas > most:
        return f"{who} would bring it down to {most}"
    if replicas < least:
        return f"{who} would bring it up to {least}"
    asks = status(autoscaler).get("desiredReplicas")
    return f"{who} would change it again as its metrics say{f', and asks for {asks} now' if asks else ''}"


def _bounds(autoscaler: Object) -> tuple[int, int]:
    found = spec(autoscaler)
    least = found.get("minReplicas")
    return (1 if least is None else int(least)), int(found.get("maxReplicas") or 1)


@dataclass(frozen=True)
class Number:
    """What becomes of the number of replicas. ``writes`` is False where it stays as it is."""

    replicas: int
    writes: bool
    warnings: tuple[str, ...] = ()


def decide_number(
    present: int | None,
    wanted: int,
    autoscalers: t.Sequence[Object],
    policy: str,
    label: str,
    unfinished: ScaleIn | None = None,
    widens: bool = False,
) -> Number:
    """Whether ``wanted`` is written over ``present``. Raises ``OptionError`` where an autoscaler forbids it.

    What is ``unfinished`` was allowed once: the run that began it was ended in the middle. ``widens``: bounds that are in the way move.
    """
    is_agreed = unfinished is not None and unfinished.replicas == wanted
    if present == wanted:
        return Number(wanted, False)
    # At 0 the HPA controller has switched itself off, so there is nobody to fight with.
    if not autoscalers or not present or is_agreed:
        return Number(wanted, True)
    told = "; ".join(outlook(each, wanted, widens and policy == SET) for each in sorted(autoscalers, key=name_of))
    if policy == FAIL:
        paused = f" Also, {unfinished.clause} for {unfinished.replicas}." if unfinished is not None else ""
        raise OptionError(
            f"{label} has {present} replicas and is autoscaled, so {wanted} would not last: {told}. Change the bounds of the "
            f'autoscaler instead (module hpa), or choose "replicas_when_autoscaled: set", with "autoscaler_bounds: widen" where it is out '
            f'of them, or "keep".{paused}'
        )
    if policy == KEEP:
        return Number(present, False, (f"replicas of {label} left at {present} instead of {wanted}, since it is autoscaled: {told}.",))
    return Number(wanted, True, (f"replicas of {label} set to {wanted}, although it is autoscaled: {told}.",))
