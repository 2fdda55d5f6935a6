# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it can change at any time.

"""The revisions of a set's template, as ControllerRevision objects keep them, and what to write to go back to one.

Shapes and rules: ``apps/v1`` ControllerRevision and how Kubernetes' own controllers use it (kubernetes ``pkg/controller/history``): the
data of one never changes, and one that becomes current again gets the next number.
"""

from __future__ import annotations

import copy
import json
import typing as t
from dataclasses import dataclass

from ansible_collections.vmscale.kubevirt.plugins.module_utils._compare import differences
from ansible_collections.vmscale.kubevirt.plugins.module_utils._errors import OptionError
from ansible_collections.vmscale.kubevirt.plugins.module_utils._manifest import template_hash
from ansible_collections.vmscale.kubevirt.plugins.module_utils._replicaset import template_hash_of
from ansible_collections.vmscale.kubevirt.plugins.module_utils._resources import (
    REPLICA_SETS,
    RESTART_ID_ANNOTATION,
    RESTARTED_ANNOTATION,
    REVISION_NUMBERS_ANNOTATION,
    REVISION_SET_LABEL,
    REVISIONS,
    ROLLED_BACK_ANNOTATION,
    TEMPLATE_HASH_LABEL,
    Object,
    annotations_of,
    labels_of,
    metadata,
    name_of,
    template_of,
)
from ansible_collections.vmscale.kubevirt.plugins.module_utils._restart import stamped, without_restart

# An object's name has 253 characters at most, and the UID and the number need some of them.
_NAME_LENGTH = 220


@dataclass(frozen=True)
class Revision:
    """One revision: its ``number``, those that it had before, the ``hash`` that its VMIs carry, and its template."""

    name: str
    number: int
    hash: str
    template: t.Mapping[str, t.Any]
    earlier: tuple[int, ...] = ()
    created: str = ""
    uid: str = ""

    def is_known_as(self, number: int) -> bool:
        """True where this is, or was once, the revision of that number."""
        return number == self.number or number in self.earlier


def revision_of(live: Object) -> Revision:
    """A ControllerRevision, read."""
    template = ((live.get("data") or {}).get("spec") or {}).get("template") or {}
    numbers = annotations_of(live).get(REVISION_NUMBERS_ANNOTATION) or ""
    return Revision(
        name=name_of(live),
        number=int(live.get("revision") or 0),
        hash=labels_of(live).get(TEMPLATE_HASH_LABEL) or template_hash(template),
        template=template,
        earlier=tuple(int(part) for part in numbers.split(",") if part.isdigit()),
        created=str(metadata(live).get("creationTimestamp") or ""),
        uid=str(metadata(live).get("uid") or ""),
    )


def hash_of(replica_set: Object) -> str:
    """The hash of the set's present template: the one that is stamped into it, else one that is calculated."""
    return template_hash_of(replica_set) or template_hash(template_of(replica_set))


def current(revisions: t.Iterable[Revision], replica_set: Object) -> Revision | None:
    """The revision that is the set's present template, None where that has not been recorded."""
    found = hash_of(replica_set)
    return max((each for each in revisions if each.hash == found), key=lambda each: each.number, default=None)


def next_number(revisions: t.Iterable[Revision]) -> int:
    """The number of the next revision."""
    return max((each.number for each in revisions), default=0) + 1


def body_of(replica_set: Object, number: int, earlier: t.Iterable[int] = ()) -> dict[str, t.Any]:
    """The ControllerRevision that records the set's present template. It goes when the set does.

    One that becomes the newest again is written anew under its new number: the API server takes no patch of one, since its data would no
    longer be the same bytes. By its ``earlier`` numbers it is still found.
    """
    numbers = ",".join(str(each) for each in sorted(earlier))
    uid, found = str(metadata(replica_set).get("uid", "")), hash_of(replica_set)
    return {
        "apiVersion": REVISIONS.api_version,
        "kind": REVISIONS.kind,
        "metadata": {
            "name": f"{name_of(replica_set)[:_NAME_LENGTH].rstrip('.-')}-{uid[:8]}-{number}",
            "namespace": metadata(replica_set).get("namespace"),
            "labels": {REVISION_SET_LABEL: uid, TEMPLATE_HASH_LABEL: found},
            "annotations": {REVISION_NUMBERS_ANNOTATION: numbers} if numbers else {},
            "ownerReferences": [
                {
                    "apiVersion": REPLICA_SETS.api_version,
                    "kind": REPLICA_SETS.kind,
                    "name": name_of(replica_set),
                    "uid": uid,
                    "controller": True,
                    "blockOwnerDeletion": False,
                }
            ],
        },
        "revision": number,
        "data": {"spec": {"template": template_of(replica_set)}},
    }


def surplus_revisions(revisions: t.Iterable[Revision], in_use: t.Container[str], limit: int) -> list[Revision]:
    """Those beyond ``limit`` older ones, the oldest first. One whose hash is ``in_use``, by the set or a VMI, stays and does not count."""
    ordered = sorted(revisions, key=lambda each: each.number)
    unused = [each for each in ordered if each.hash not in in_use]
    return unused[: max(0, len(unused) - limit)]


def target_of_roll_back(revisions: t.Sequence[Revision], replica_set: Object, number: int | None, label: str) -> Revision:
    """The revision to go back to: the one of that number, else the one before the present one. Raises ``OptionError`` where there is none.

    Where the present template is what a roll back without a number has led to, it is the target: asking twice changes nothing.
    """
    known = ", ".join(str(each.number) for each in sorted(revisions, key=lambda each: each.number)) or "none"
    if number is not None:
        found = [each for each in revisions if each.is_known_as(number)]
        if not found:
            raise OptionError(f'{label} has no revision {number}: "revision" must be one of those that are kept ({known}).')
        return max(found, key=lambda each: (each.number == number, each.number))
    present = current(revisions, replica_set)
    if present is not None and rolled_back_from(replica_set) is not None:
        return present
    newest = next_number(revisions) if present is None else present.number
    # A restart is no other template: nobody goes back to what differs by its stamp alone.
    before = [each for each in revisions if each.number < newest and not _is_same(each.template, template_of(replica_set))]
    if not before:
        raise OptionError(
            f"{label} has no revision before the present one to go back to (kept: {known}): the template that it had is recorded when "
            f"vmirs replaces it, or a rollout begins. Apply the template that you want with vmirs."
        )
    return max(before, key=lambda each: each.number)


def _is_same(one: t.Mapping[str, t.Any], other: t.Mapping[str, t.Any]) -> bool:
    """True where templates differ by a restart or by the way in which a controller has written them, if at all."""
    left, right = (stamped(without_restart(each), "") for each in (one, other))
    return not differences(left, right, lenient_below="") and not differences(right, left, lenient_below="")


def rolled_back_from(replica_set: Object) -> str | None:
    """The hash of the template that a roll back has taken the set away from; None where the present template is no roll back's."""
    try:
        found = json.loads(annotations_of(replica_set).get(ROLLED_BACK_ANNOTATION) or "{}")
        return str(found["from"]) if found.get("to") == hash_of(replica_set) else None
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def with_template(replica_set: Object, template: t.Mapping[str, t.Any], annotations: t.Mapping[str, str]) -> list[dict[str, t.Any]]:
    """The JSON patch that gives the set this template, and no other version of the set, with these annotations on the set itself."""
    patch: list[dict[str, t.Any]] = [
        {"op": "replace", "path": "/metadata/resourceVersion", "value": metadata(replica_set).get("resourceVersion")},
        {"op": "replace", "path": "/spec/template", "value": template},
    ]
    if annotations:
        patch.append({"op": "add", "path": "/metadata/annotations", "value": {**annotations_of(replica_set), **annotations}})
    return patch


def rolled_back_annotation(replica_set: Object, target: Revision) -> dict[str, str]:
    """What the set's annotations keep of a roll back from its present template."""
    return {ROLLED_BACK_ANNOTATION: json.dumps({"from": hash_of(replica_set), "to": target.hash})}


def is_restarted(replica_set: Object, restart_id: str | None) -> bool:
    """True where the restart that is asked for has been begun: that of this id, else the last one, which has not been finished."""
    if restart_id is not None:
        return annotations_of(template_of(replica_set)).get(RESTART_ID_ANNOTATION) == restart_id
    return annotations_of(replica_set).get(RESTARTED_ANNOTATION) == hash_of(replica_set)


def restarted(replica_set: Object, now: str, restart_id: str | None) -> dict[str, t.Any]:
    """The set's template with the stamp of a restart, and the hash that follows from it."""
    template = copy.deepcopy(t.cast("dict[str, t.Any]", without_restart(template_of(replica_set))))
    annotations = template.setdefault("metadata", {}).setdefault("annotations", {})
    annotations[RESTARTED_ANNOTATION] = now
    if restart_id is not None:
        annotations[RESTART_ID_ANNOTATION] = restart_id
    return stamped(template)


def restarted_annotation(template: t.Mapping[str, t.Any]) -> dict[str, str]:
    """What the set's annotations keep of a restart until it is finished: the hash that it led to."""
    return {RESTARTED_ANNOTATION: template_hash(template)}
