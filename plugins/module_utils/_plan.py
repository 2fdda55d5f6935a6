# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it can change at any time.

"""From what is wanted and what is there to the one thing to do.

Nothing here talks to a cluster: the caller brings what was read, and does what the plan says.
"""

from __future__ import annotations

import copy
import typing as t
from dataclasses import dataclass

from ansible_collections.vmscale.kubevirt.plugins.module_utils import _ownership, _selector
from ansible_collections.vmscale.kubevirt.plugins.module_utils._compare import differences
from ansible_collections.vmscale.kubevirt.plugins.module_utils._errors import OptionError
from ansible_collections.vmscale.kubevirt.plugins.module_utils._manifest import Wanted
from ansible_collections.vmscale.kubevirt.plugins.module_utils._replicaset import template_hash_of
from ansible_collections.vmscale.kubevirt.plugins.module_utils._resources import (
    REPLICA_SETS,
    TEMPLATE_HASH_LABEL,
    Object,
    labels_of,
    metadata,
    name_of,
    spec,
)
from ansible_collections.vmscale.kubevirt.plugins.module_utils._restart import stamped, with_restart_of

NOTHING = "nothing"
APPLY = "apply"

DEFAULT_REPLICAS = 1


@dataclass(frozen=True)
class Plan:
    """What to do: ``action`` is nothing, or apply (server-side apply, which also creates).

    ``changes`` are the paths that differ, ``warnings`` what the user should know of, ``autoscaled_by`` the names of the autoscalers
    of a set, None where they were not asked for.
    """

    action: str
    body: t.Mapping[str, t.Any]
    changes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    creates: bool = False
    autoscaled_by: tuple[str, ...] | None = None

    @property
    def changes_template(self) -> bool:
        """True where a template is overwritten by another one."""
        return not self.creates and any(path.startswith("spec.template") for path in self.changes)


def targets(autoscaler: Object, namespace: str, name: str) -> bool:
    """True where the autoscaler scales the VirtualMachineInstanceReplicaSet ``namespace/name``."""
    reference = spec(autoscaler).get("scaleTargetRef") or {}
    group = str(reference.get("apiVersion", "")).partition("/")[0]
    return bool(
        metadata(autoscaler).get("namespace") == namespace
        and reference.get("kind") == REPLICA_SETS.kind
        and reference.get("name") == name
        and group == REPLICA_SETS.group
    )


def must_know_autoscalers(wanted: Wanted, live: Object | None) -> bool:
    """True where the plan depends on who scales the set: then, and only then, the autoscalers have to be read."""
    asked = wanted.spec.get("replicas")
    if live is None:
        return asked is None
    present = spec(live).get("replicas")
    return present is not None and asked is not None and asked != present


def plan_replica_set(
    wanted: Wanted,
    live: Object | None,
    autoscalers: t.Sequence[Object] | None,
    replicas_when_autoscaled: str,
    allow_selector_change: bool,
) -> Plan:
    """The plan for a VirtualMachineInstanceReplicaSet.

    ``autoscalers`` are those that scale it, None where ``must_know_autoscalers`` spares their reading. Raises ``OptionError``.
    """
    autoscaled_by = None if autoscalers is None else tuple(sorted(name_of(each) for each in autoscalers))
    scalers = autoscalers or ()
    if live is None:
        if not wanted.is_complete:
            raise OptionError(f'{wanted.label} does not exist, and without "template" (or "definition" or "src") it cannot be created.')
        body = _mutable(wanted.body)
        if body["spec"].get("replicas") is None:
            body["spec"]["replicas"] = _initial_replicas(scalers)
        return Plan(APPLY, body, ("the object",), creates=True, autoscaled_by=autoscaled_by)
    body = _adopted(_mutable(wanted.body), live) if wanted.is_complete else _partial(wanted, live)
    replicas, warning = _replicas(wanted, live, scalers, replicas_when_autoscaled)
    body["spec"]["replicas"] = replicas
    if not wanted.is_complete and "selector" in wanted.spec:
        _check_partial_selector(wanted, live)
    is_selector_changed = "selector" in wanted.spec and not _selector.is_same(wanted.spec["selector"], spec(live).get("selector") or {})
    if is_selector_changed and not allow_selector_change:
        raise OptionError(
            f'"selector" of {wanted.label} would change from {_selector.to_query(spec(live).get("selector") or {})} to '
            f"{_selector.to_query(wanted.spec['selector'])}: KubeVirt would let go of the running VirtualMachineInstances and "
            f'start new ones beside them. If that is meant, set "allow_selector_change: true".'
        )
    changes = _changes(wanted, body, live)
    if is_selector_changed and "spec.selector" not in changes:
        changes.append("spec.selector")
    warnings = (warning,) if warning else ()
    if not changes:
        return Plan(NOTHING, body, warnings=warnings, autoscaled_by=autoscaled_by)
    # An autoscaler may write replicas between our read and our write: then the API server must refuse ours.
    body["metadata"]["resourceVersion"] = metadata(live).get("resourceVersion")
    return Plan(APPLY, body, tuple(changes), warnings, autoscaled_by=autoscaled_by)


def plan_autoscaler(wanted: Wanted, live: Object | None) -> Plan:
    """The plan for a HorizontalPodAutoscaler. Raises ``OptionError``."""
    if live is None:
        if not wanted.is_complete:
            raise OptionError(f'{wanted.label} does not exist, and without "target" (or "definition" or "src") it cannot be created.')
        return Plan(APPLY, _mutable(wanted.body), ("the object",), creates=True)
    body = _mutable(wanted.body) if wanted.is_complete else _partial(wanted, live)
    least, most = spec(live).get("minReplicas"), spec(live).get("maxReplicas")
    least, most = wanted.spec.get("minReplicas", least), wanted.spec.get("maxReplicas", most)
    if not wanted.is_complete and least is not None and most is not None and least > most:
        raise OptionError(f'"min_replicas" ({least}) would be above "max_replicas" ({most}) of {wanted.label}: it must not be greater.')
    changes = _changes(wanted, body, live)
    return Plan(APPLY if changes else NOTHING, body, tuple(changes))


def _mutable(body: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    return t.cast("dict[str, t.Any]", copy.deepcopy(body))


def _adopted(body: dict[str, t.Any], live: Object) -> dict[str, t.Any]:
    """``body`` without its template hash where the live template carries none and is the same: its VMIs are not outdated.

    The hash comes with the first template that really differs. The stamp of a restart stays, and is part of the hash.
    """
    present = spec(live).get("template") or {}
    body["spec"]["template"] = _with_restart(body, live)
    template = body["spec"]["template"]
    labels = (template.get("metadata") or {}).get("labels") or {}
    if TEMPLATE_HASH_LABEL in labels and TEMPLATE_HASH_LABEL not in ((present.get("metadata") or {}).get("labels") or {}):
        stamp = labels.pop(TEMPLATE_HASH_LABEL)
        if differences(template, present, "spec.template"):
            labels[TEMPLATE_HASH_LABEL] = stamp
    return body


def _with_restart(body: t.Mapping[str, t.Any], live: Object) -> t.Mapping[str, t.Any]:
    """The template of ``body`` with the restart of the live one.

    A restart makes the hash of what is there, which its controller may have written in another way than ``body`` does: where it is the
    same template, it has the same hash.
    """
    template, present = body["spec"]["template"], spec(live).get("template") or {}
    restarted, known = with_restart_of(present, template), template_hash_of(live)
    if restarted is template or known is None or TEMPLATE_HASH_LABEL not in labels_of(restarted):
        return restarted
    same = stamped(restarted, known)
    taken_away = _ownership.surplus(_ownership.owned_fields(live), {**body, "spec": {**body["spec"], "template": same}})
    is_same = not differences(same, present, "spec.template", lenient_below="spec.template.spec")
    return same if is_same and not any(path.startswith("spec.template") for path in taken_away) else restarted


def _initial_replicas(autoscalers: t.Sequence[Object]) -> int:
    """A set without ``spec.replicas`` cannot be autoscaled at all, so it always gets a number."""
    least = [spec(autoscaler).get("minReplicas") or DEFAULT_REPLICAS for autoscaler in autoscalers]
    return max(least) if least else DEFAULT_REPLICAS


def _replicas(wanted: Wanted, live: Object, autoscalers: t.Sequence[Object], policy: str) -> tuple[int | None, str | None]:
    asked, present = wanted.spec.get("replicas"), spec(live).get("replicas")
    if present is None:
        return (DEFAULT_REPLICAS if asked is None else asked), None
    if asked is None or asked == present:
        return present, None
    # At 0 the HPA controller has switched itself off, so there is nobody to fight with.
    if not autoscalers or present == 0:
        return asked, None
    names = ", ".join(sorted(name_of(autoscaler) for autoscaler in autoscalers))
    if policy == "fail":
        raise OptionError(
            f'"replicas" is {asked}, and {wanted.label} has {present}, set by HorizontalPodAutoscaler {names}: leave '
            f'"replicas" to it, or choose "replicas_when_autoscaled: keep" or "set".'
        )
    if policy == "set":
        return asked, (
            f"replicas of {wanted.label} set to {asked}, although HorizontalPodAutoscaler {names} scales it and may change it again."
        )
    return present, (f"replicas of {wanted.label} left at {present} instead of {asked}: HorizontalPodAutoscaler {names} scales it.")


def _partial(wanted: Wanted, live: Object) -> dict[str, t.Any]:
    """What we applied before with what is wanted now on top, so that applying it takes nothing away."""
    kept = _ownership.extract(_ownership.owned_fields(live), live) if _ownership.owned_fields(live) else {}
    return _overlay(_mutable(kept), wanted.body)


def _overlay(below: dict[str, t.Any], above: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    for key, value in above.items():
        if isinstance(value, t.Mapping) and isinstance(below.get(key), dict) and key != "selector":
            below[key] = _overlay(below[key], value)
        else:
            below[key] = copy.deepcopy(value)
    return below


def _check_partial_selector(wanted: Wanted, live: Object) -> None:
    labels = ((spec(live).get("template") or {}).get("metadata") or {}).get("labels") or {}
    if not _selector.matches(wanted.spec["selector"], labels):
        raise OptionError(
            f'"selector" ({_selector.to_query(wanted.spec["selector"])}) does not match the labels of the template of {wanted.label}.'
        )


def _changes(wanted: Wanted, body: t.Mapping[str, t.Any], live: Object) -> list[str]:
    compared = {key: body.get(key, {}) for key in ("metadata", "spec")}
    # With the same hash the template was ours as a whole, so what differs in it may be its controller's way of writing it.
    changes = differences(compared, live, lenient_below="spec.template.spec" if _has_same_template_hash(body, live) else None)
    if wanted.is_complete:
        changes.extend(path for path in _ownership.surplus(_ownership.owned_fields(live), body) if path not in changes)
    return changes


def _has_same_template_hash(one: Object, other: Object) -> bool:
    hashes = [
        ((spec(each).get("template") or {}).get("metadata") or {}).get("labels", {}).get(TEMPLATE_HASH_LABEL) for each in (one, other)
    ]
    return hashes[0] is not None and hashes[0] == hashes[1]
