# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it can change at any time.

"""Which fields of a live object are ours, read from its ``managedFields``.

Server-side apply keeps, per field manager, the set of fields that it applied (FieldsV1, sigs.k8s.io/structured-merge-diff). That
set tells what must go when the user takes something out of the manifest, and what a partial change must send again to keep.
"""

from __future__ import annotations

import json
import typing as t

from ansible_collections.vmscale.kubevirt.plugins.module_utils._resources import FIELD_MANAGER, Object, metadata

Fields = t.Mapping[str, t.Any]


def owned_fields(live: Object) -> Fields:
    """The FieldsV1 tree of what this collection applied, empty where it applied nothing."""
    for entry in metadata(live).get("managedFields") or []:
        if entry.get("manager") == FIELD_MANAGER and entry.get("operation") == "Apply" and not entry.get("subresource"):
            return t.cast(Fields, entry.get("fieldsV1") or {})
    return {}


def surplus(fields: Fields, wanted: t.Any, path: str = "") -> list[str]:
    """The paths of fields that are ours and that ``wanted`` no longer has."""
    found: list[str] = []
    for key, below in fields.items():
        if key == ".":
            continue
        here = _join(path, key)
        present, value = _step(key, wanted)
        if not present:
            found.append(here)
        elif below:
            found.extend(surplus(below, value, here))
    return found


def extract(fields: Fields, live: t.Any) -> t.Any:
    """The part of ``live`` that is ours: what applying again keeps."""
    if not any(key != "." for key in fields):
        return live
    if isinstance(live, dict):
        taken: dict[str, t.Any] = {}
        for key, below in fields.items():
            present, value = _step(key, live)
            if key.startswith("f:") and present:
                taken[key[2:]] = extract(below, value)
        return taken
    if isinstance(live, list):
        entries = []
        for key, below in fields.items():
            present, value = _step(key, live)
            if key != "." and present:
                entries.append(extract(below, value))
        return entries
    return live


def _step(key: str, value: t.Any) -> tuple[bool, t.Any]:
    """Follow one FieldsV1 key: ``f:NAME`` of a map, ``k:{...}`` or ``v:VALUE`` of a list; is it there, and what is it."""
    kind, separator, rest = key.partition(":")
    if kind == "f" and isinstance(value, dict):
        return rest in value, value.get(rest)
    if kind == "k" and isinstance(value, list):
        wanted = json.loads(rest)
        for entry in value:
            if isinstance(entry, dict) and all(entry.get(name) == content for name, content in wanted.items()):
                return True, entry
        return False, None
    if kind == "v" and isinstance(value, list):
        content = json.loads(rest)
        return content in value, content
    return False, None


def _join(path: str, key: str) -> str:
    kind, separator, rest = key.partition(":")
    if kind == "f":
        return f"{path}.{rest}" if path else rest
    return f"{path}[{rest}]"
