# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it can change at any time.

"""Fields of an object from the API, as Go's typed clients see them: what is missing is the zero value of its type."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone

from ansible_collections.vmscale.kubevirt.plugins.module_utils._go_text import GO_ZERO_TIME
from ansible_collections.vmscale.kubevirt.plugins.module_utils._quantity import canonical
from ansible_collections.vmscale.kubevirt.plugins.module_utils._resources import Object

_TIMESTAMP = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:[.,](\d+))?(?:Z|([+-])(\d\d):(\d\d))", re.ASCII)


def part_of(of: Object, key: str) -> Object:
    """A struct inside the object."""
    value = of.get(key)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise _misshapen(key, "an object", value)
    return value


def items_of(of: Object, key: str) -> Sequence[Object]:
    """A list inside the object."""
    value = of.get(key)
    if value is None:
        return ()
    if not isinstance(value, Sequence) or isinstance(value, (str, bytes)):
        raise _misshapen(key, "a list", value)
    return value


def _misshapen(key: str, expected: str, value: t.Any) -> ValueError:
    return ValueError(f"the field {key!r} is not {expected}: {value!r}")


def text_of(of: Object, key: str) -> str:
    """A text of the object."""
    value = of.get(key)
    return "" if value is None else str(value)


def number_of(of: Object, key: str) -> int:
    """A whole number of the object."""
    value = of.get(key)
    return 0 if value is None else int(value)


def quantity_of(of: Object, key: str, missing: str = "<nil>") -> str:
    """A quantity of the object in the spelling in which the API server stores it."""
    value = of.get(key)
    return missing if value is None else canonical(value)


def time_of(of: Object, key: str) -> datetime:
    """A moment of the object."""
    value = of.get(key)
    if value is None:
        return GO_ZERO_TIME
    read = _TIMESTAMP.fullmatch(value) if isinstance(value, str) else None
    if read is None:
        raise _misshapen(key, "a timestamp such as 2023-11-30T18:17:34Z", value)
    offset = timedelta(hours=int(read.group(9) or 0), minutes=int(read.group(10) or 0))
    zone = timezone(-offset if read.group(8) == "-" else offset)
    fraction = int((read.group(7) or "0")[:6].ljust(6, "0"))
    return datetime(*[int(part) for part in read.groups()[:6]], fraction, tzinfo=zone)  # type: ignore[misc,arg-type]


def annotations_of(live: Object) -> dict[str, str]:
    """The annotations of the object."""
    return dict(part_of(part_of(live, "metadata"), "annotations"))
