# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it can change at any time.

"""Many objects in one description: which there are, and what one result says of all of them."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.vmscale.kubevirt.plugins.module_utils._documents import Document, Given
from ansible_collections.vmscale.kubevirt.plugins.module_utils._errors import OptionError
from ansible_collections.vmscale.kubevirt.plugins.module_utils._manifest import Wanted, check_namespace
from ansible_collections.vmscale.kubevirt.plugins.module_utils._resources import (
    AUTOSCALERS,
    FLEET_LABEL,
    REPLICA_SETS,
    Object,
    Resource,
    labels_of,
    metadata,
    name_of,
)
from ansible_collections.vmscale.kubevirt.plugins.module_utils._task import Result

# One directory may describe both: each module takes its own.
_KINDS = (REPLICA_SETS.kind, AUTOSCALERS.kind)
_LABEL_VALUE = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?\Z")
# More sentences, or names, than these nobody reads.
_MOST_TOLD = 3

# What reads one wanted object: parameters, manifest, source, namespace of the kubeconfig's context.
ReadWanted = t.Callable[[t.Mapping[str, t.Any], t.Any, str, str], Wanted]


def members(given: Given | None, resource: Resource, params: t.Mapping[str, t.Any], one: t.Sequence[str]) -> tuple[Document, ...] | None:
    """The documents of a fleet's objects, None where one object is described. ``one`` are the options that describe a single one.

    Raises ``OptionError``.
    """
    own = () if given is None else tuple(each for each in given.documents if each.body.get("kind") == resource.kind)
    _check_options(given, params)
    if given is None or (params.get("fleet") is None and not given.is_many and len(own) < 2):
        return None
    for option in one:
        if params.get(option) is not None:
            raise OptionError(f'"{option}" describes one object, and "src" or "definition" may hold many: say it there.')
    for each in given.documents:
        if each.body.get("kind") not in _KINDS:
            kind = f"a {each.body['kind']}" if each.body.get("kind") else "an object without a kind"
            raise OptionError(f"{each.source} is {kind}: it must be a {resource.kind}.")
    if not own:
        raise OptionError(f"{given.source} describes no {resource.kind}.")
    return own


def _check_options(given: Given | None, params: t.Mapping[str, t.Any]) -> None:
    fleet = params.get("fleet")
    if fleet is None:
        for option in ("prune", "prune_namespaces"):
            if params.get(option):
                raise OptionError(f'"{option}" needs "fleet", whose label tells what may be removed.')
    elif given is None:
        raise OptionError('"fleet" takes its objects from "src" or "definition".')
    elif not _LABEL_VALUE.match(fleet):
        raise OptionError(f'"fleet" is "{fleet}", which is no label value: letters, digits, "-", "_" and ".", at most 63 characters.')
    elif FLEET_LABEL in (params.get("labels") or {}):
        raise OptionError(f'"labels" has {FLEET_LABEL}, which is what "fleet" gives: say it in one place.')
    if params.get("prune") and params.get("state") == "absent":
        raise OptionError('"prune" and "state: absent" exclude each other: either what is described stays, or it goes.')
    for namespace in params.get("prune_namespaces") or ():
        check_namespace(namespace)


def the_one(given: Given | None, resource: Resource) -> tuple[t.Any, str]:
    """The only object that is described, and how messages call where it came from; no object where options describe it."""
    if given is None:
        return None, "the manifest"
    own = [each for each in given.documents if each.body.get("kind") == resource.kind]
    if len(own) == 1 and all(each.body.get("kind") in _KINDS for each in given.documents):
        return [own[0].body], own[0].source
    return [each.body for each in given.documents], given.source


def wanted_of(
    documents: t.Sequence[Document], params: t.Mapping[str, t.Any], one: t.Sequence[str], read: ReadWanted, fallback: str
) -> list[Wanted]:
    """The wanted objects of a fleet, read by ``read``. Raises ``OptionError`` with everything that is wrong with any of them.

    ``one`` are the options that describe a single object, ``fallback`` is the namespace of the kubeconfig's context.
    """
    shared = _shared_parameters(params, one)
    wanted: list[Wanted] = []
    problems: list[str] = []
    for each in documents:
        try:
            _check_label(each, params)
            # Here the option only speaks for those that name no namespace.
            wanted.append(read({**shared, "namespace": None}, [each.body], each.source, str(params.get("namespace") or fallback)))
        except OptionError as error:
            problems.append(error.message if each.source in error.message else f"{each.source}: {error.message}")
    if len(problems) > 1:
        raise OptionError(f"{len(problems)} of {len(documents)} objects are not described as they must be. {_told(problems)}")
    if problems:
        raise OptionError(problems[0])
    _check_unique(wanted)
    return wanted


def _shared_parameters(params: t.Mapping[str, t.Any], one: t.Sequence[str]) -> dict[str, t.Any]:
    """The parameters that hold for every object of a fleet, with the fleet's label."""
    shared = {**params, **dict.fromkeys(one)}
    if params.get("fleet") is not None:
        shared["labels"] = {**(params.get("labels") or {}), FLEET_LABEL: params["fleet"]}
    return shared


def _check_label(document: Document, params: t.Mapping[str, t.Any]) -> None:
    found = document.body.get("metadata")
    labels = found.get("labels") if isinstance(found, t.Mapping) else None
    other = labels.get(FLEET_LABEL) if isinstance(labels, t.Mapping) else None
    if params.get("fleet") is not None and other not in (None, params["fleet"]):
        raise OptionError(f'its label {FLEET_LABEL} is "{other}", and "fleet" is "{params["fleet"]}": an object has one fleet.')


def _check_unique(wanted: t.Sequence[Wanted]) -> None:
    seen: set[tuple[str, str]] = set()
    for each in wanted:
        if (each.namespace, each.name) in seen:
            raise OptionError(f"{each.label} is described twice: describe each object once.")
        seen.add((each.namespace, each.name))


def surplus(present: t.Iterable[Object], wanted: t.Iterable[Wanted], fleet: str, resource: Resource) -> list[Wanted]:
    """The objects that carry the fleet's label and that nobody describes any more."""
    described = {(each.namespace, each.name) for each in wanted}
    return [
        Wanted(resource, str(metadata(each).get("namespace")), name_of(each), each, True)
        for each in present
        if labels_of(each).get(FLEET_LABEL) == fleet and (metadata(each).get("namespace"), name_of(each)) not in described
    ]


def summary(results: t.Sequence[Result]) -> dict[str, int]:
    """How many objects there are, and what became of them."""
    ok = [each for each in results if not each["failed"] and not each["skipped"]]
    return {
        "total": len(results),
        "ok": len(ok),
        "changed": sum(1 for each in ok if each["changed"]),
        "failed": sum(1 for each in results if each["failed"]),
        "pruned": sum(1 for each in ok if each["pruned"]),
        "skipped": sum(1 for each in results if each["skipped"]),
    }


def say_failures(results: t.Sequence[Result], noun: str) -> str:
    """One sentence for those that failed, and theirs: ``2 of 60 sets failed: ns/a: SENTENCE ns/b: SENTENCE``."""
    failed = [each for each in results if each["failed"]]
    names: dict[str, list[str]] = {}
    for each in failed:
        names.setdefault(str(each["msg"]), []).append(f"{each['namespace']}/{each['name']}")
    told = [f"{_listed(those)}: {sentence}" for sentence, those in names.items()]
    return f"{len(failed)} of {len(results)} {noun} failed: {_told(told)}"


def _told(sentences: t.Sequence[str]) -> str:
    more = len(sentences) - _MOST_TOLD
    return " ".join([*sentences[:_MOST_TOLD], *([f"And {more} more."] if more > 0 else [])])


def _listed(names: t.Sequence[str]) -> str:
    more = len(names) - _MOST_TOLD
    return f"{', '.join(names[:_MOST_TOLD])}{f' and {more} more' if more > 0 else ''}"
