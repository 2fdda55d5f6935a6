# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it can change at any time.

"""Is what the user wants already there? Comparison of a wanted object with a live one.

Maps are compared by the keys that the user gave: others may have added more. Lists are compared whole, since the API replaces them
whole; a key more in an entry counts only if it holds something, because controllers write empty values back.
"""

from __future__ import annotations

import typing as t

_EMPTY: tuple[t.Any, ...] = (None, "", {}, [])
# Fields of autoscaling/v2 that hold quantities; the API server rewrites them in canonical form.
_QUANTITY_KEYS = frozenset(("averageValue", "value"))
# What an absent field means, where a typed controller drops it when it writes the object back.
_MEANT_BY_ABSENCE = {"spec.paused": False}
# Defaults that the schema of KubeVirt's custom resource fills in inside lists.
_SCHEMA_DEFAULTS = {("containerPath", "readOnly"): True}


def prune(value: t.Any) -> t.Any:
    """A copy of ``value`` without nulls, which the API server drops (and server-side apply refuses)."""
    if isinstance(value, dict):
        return {str(key): prune(content) for key, content in value.items() if content is not None}
    if isinstance(value, (list, tuple)):
        return [prune(entry) for entry in value if entry is not None]
    return value


def differences(wanted: t.Any, live: t.Any, path: str = "", lenient_below: str | None = None, closed: bool = False) -> list[str]:
    """The paths at which ``live`` lacks what ``wanted`` says.

    At and below the path ``lenient_below`` it takes for equal what typed controllers change when they write an object back: a zero value
    (false, 0, empty) that is missing in ``live``, and a quantity that is written in another way. ``closed`` also reports keys of ``live``
    that ``wanted`` does not have.
    """
    is_lenient = lenient_below is not None and path.startswith(lenient_below)
    if isinstance(wanted, dict) and isinstance(live, dict):
        found: list[str] = []
        for key, content in wanted.items():
            here = f"{path}.{key}" if path else str(key)
            if key in live:
                if key in _QUANTITY_KEYS and _same_quantity(content, live[key]):
                    continue
                found.extend(differences(content, live[key], here, lenient_below, closed))
            elif content != _MEANT_BY_ABSENCE.get(here) and not _may_be_missing(content, is_lenient):
                found.append(here)
        if closed:
            added = [key for key, content in live.items() if key not in wanted and not _is_zero(content)]
            parent = path.rpartition(".")[2]
            found.extend(f"{path}.{key}" for key in added if _SCHEMA_DEFAULTS.get((parent, key)) != live[key])
        return found
    if isinstance(wanted, list) and isinstance(live, list):
        if len(wanted) != len(live):
            return [path]
        found = []
        for index, (one, other) in enumerate(zip(wanted, live)):
            found.extend(differences(one, other, f"{path}[{index}]", lenient_below, closed=True))
        return found
    is_same = isinstance(wanted, bool) == isinstance(live, bool) and wanted == live
    return [] if is_same or (is_lenient and _same_quantity(wanted, live)) else [path]


def _may_be_missing(content: t.Any, lenient: bool) -> bool:
    if content is None or content == []:
        return True
    if not lenient:
        return False
    return _is_zero(content)


def _is_zero(content: t.Any) -> bool:
    """True for what a Go struct with ``omitempty`` leaves out, nested zero values included."""
    if isinstance(content, dict):
        return all(_is_zero(value) for value in content.values())
    return content in _EMPTY or content is False or (content == 0 and not isinstance(content, bool))


def _same_quantity(one: t.Any, other: t.Any) -> bool:
    if isinstance(one, bool) or isinstance(other, bool):
        return False
    if isinstance(one, str) and one == other:
        return True
    from ansible_collections.vmscale.kubevirt.plugins.module_utils import _quantity

    try:
        return _quantity.equal(one, other)
    except (TypeError, ValueError):
        return False
