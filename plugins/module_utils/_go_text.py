# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it can change at any time.

"""How Go writes things: quoted texts, JSON, times, ages, and tables.

Sources: Go's strconv, encoding/json and text/tabwriter; k8s.io/apimachinery pkg/util/duration; k8s.io/cli-runtime pkg/printers.
"""

from __future__ import annotations

import json
import re
import typing as t
from datetime import datetime, timedelta, timezone, tzinfo
from itertools import groupby

# What Go's strings.TrimSpace removes, which is not exactly what str.strip() removes.
GO_SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
GO_ZERO_TIME = datetime(1, 1, 1, tzinfo=timezone.utc)
_CELL_PADDING = 2

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MINUTE, _HOUR, _DAY, _YEAR = 60, 3600, 86400, 365 * 86400
# Below how many seconds an age is shown in which unit, and the rest in which other one.
_AGES = (
    (2 * _MINUTE, "s", 1, "", 1),
    (10 * _MINUTE, "m", _MINUTE, "s", 1),
    (3 * _HOUR, "m", _MINUTE, "", 1),
    (8 * _HOUR, "h", _HOUR, "m", _MINUTE),
    (2 * _DAY, "h", _HOUR, "", 1),
    (8 * _DAY, "d", _DAY, "h", _HOUR),
    (2 * _YEAR, "d", _DAY, "", 1),
    (8 * _YEAR, "y", _YEAR, "d", _DAY),
)
_ESCAPES = {
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
    "\\": "\\\\",
    '"': '\\"',
}


def go_json(value: t.Any) -> str:
    """JSON as encoding/json writes it: no spaces, and safe inside HTML."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def go_quoted(text: str) -> str:
    """A text in double quotes as Go's %q verb writes it (strconv.Quote)."""
    out = []
    for character in text:
        code = ord(character)
        if character in _ESCAPES:
            out.append(_ESCAPES[character])
        elif character.isprintable():
            out.append(character)
        elif code < 0x80:
            out.append(f"\\x{code:02x}")
        else:
            out.append(f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}")
    return '"' + "".join(out) + '"'


def rfc1123z(moment: datetime, zone: tzinfo) -> str:
    """A moment in Go's format RFC1123Z."""
    if moment != GO_ZERO_TIME:
        moment = moment.astimezone(zone)
    # Not %a and %b: kubectl's names are English whatever the locale.
    day, month = _DAYS[moment.weekday()], _MONTHS[moment.month - 1]
    minutes = int((moment.utcoffset() or timedelta()) / timedelta(minutes=1))
    hours, minutes, sign = abs(minutes) // 60, abs(minutes) % 60, "-" if minutes < 0 else "+"
    return f"{day}, {moment:%d} {month} {moment.year:04d} {moment:%H:%M:%S} {sign}{hours:02d}{minutes:02d}"


def time_since(moment: datetime, now: datetime) -> str:
    """How long ago a moment was, with two or three digits of precision.

    Source: translateTimestampSince in kubectl, HumanDuration in apimachinery pkg/util/duration/duration.go.
    """
    if moment == GO_ZERO_TIME:
        return "<unknown>"
    elapsed = now - moment
    if elapsed <= timedelta(seconds=-2):
        return "<invalid>"
    seconds = max(0, elapsed // timedelta(seconds=1))
    for limit, unit, size, rest_unit, rest_size in _AGES:
        if seconds < limit:
            return _units(seconds, unit, size, rest_unit, rest_size)
    return f"{seconds // _YEAR}y"


def _units(seconds: int, unit: str, size: int, rest_unit: str, rest_size: int) -> str:
    rest = seconds % size // rest_size if rest_unit else 0
    return f"{seconds // size}{unit}" + (f"{rest}{rest_unit}" if rest else "")


def escape_controls(text: str) -> str:
    """Make control characters harmless, as WriteEscaped in cli-runtime pkg/printers/terminal.go does."""
    return text.replace("\x1b", "^[").replace("\r", "\\r")


def tabulate(text: str) -> str:
    """Align cells as Go's text/tabwriter does with a padding of two spaces and no other option.

    A cell ends with a tab; a column is a run of consecutive lines which all have a cell there; what follows
    the last tab of a line belongs to no column. A form feed ends a line and every column.
    """
    return "\n".join(_tabulate_section(section) for section in text.split("\f"))


def _tabulate_section(text: str) -> str:
    rows = [re.split("[\t\v]", line) for line in text.split("\n")]
    for column in range(max(map(len, rows)) - 1):
        for has_cell, run in groupby(rows, key=lambda row: len(row) - 1 > column):
            if has_cell:
                block = list(run)
                width = max(len(row[column]) for row in block) + _CELL_PADDING
                for row in block:
                    row[column] = row[column].ljust(width)
    return "\n".join("".join(row) for row in rows)


def utf8(text: str) -> bytes:
    """The bytes of a text, which is what Go measures and cuts."""
    return text.encode("utf-8", "surrogatepass")
