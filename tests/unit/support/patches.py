# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Patches, as an API server applies them."""

from __future__ import annotations

import copy
import typing as t

from unit.support.recorded import Object


def applied(below: Object, above: Object) -> Object:
    """Return an object with what is applied on top of it."""
    merged = copy.deepcopy(below)
    for key, value in above.items():
        is_map = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = applied(merged[key], value) if is_map else value
    return merged


def merged(below: Object, above: Object) -> Object:
    """Return an object with a JSON merge patch applied: RFC 7386."""
    found = copy.deepcopy(below)
    for key, value in above.items():
        if value is None:
            found.pop(key, None)
        elif isinstance(value, dict):
            found[key] = merged(found[key] if isinstance(found.get(key), dict) else {}, value)
        else:
            found[key] = value
    return found


def replaced(below: Object, patch: t.Iterable[Object]) -> Object:
    """Return an object with a JSON patch applied, RFC 6902, of which nothing is used but `replace` and `add` of members."""
    found = copy.deepcopy(below)
    for step in patch:
        *way, last = step["path"].lstrip("/").split("/")
        at = found
        for key in way:
            at = at[key]
        if step["op"] == "replace" and last not in at:
            raise KeyError(step["path"])
        at[last] = copy.deepcopy(step["value"])
    return found
