# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table of faults in the documentation, made from what the tests saw: `python -m integration.support.fault_table DIRECTORY`."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from dev.paths import CHECKOUT
from integration.support.faults import AUTOSCALERS, CLUSTER, SETS, Row

TABLE = CHECKOUT / "docs" / "faults.md"
SECTIONS = {"Replica sets": SETS, "Autoscalers": AUTOSCALERS, "The cluster": CLUSTER}
_SUFFIX = "[bcdfghjklmnpqrstvwxz2456789]{5}"


def file_name(row: Row) -> str:
    """Return the name of the file in which what was seen of a fault is kept."""
    return f"{re.sub('[^a-z0-9]+', '-', row.what.lower())}.json"


def table(directory: Path) -> str:
    """Return the table; fails where a fault was not seen."""
    lines = [
        "# Faults, and what a wait says",
        "",
        "Each row was brought about on the [sandbox](../tests/sandbox/README.md) by its fault of that name, or by a manifest where none is",
        "named, and then waited for with `wait_timeout: 300` and the usual grace of 5 seconds. Where it does not say that waiting is of",
        "no use, the wait had a shorter timeout, since nothing but time tells. The seconds are those of the wait. Written by the tests:",
        "`VMSCALE_TEST_SLOW=1 VMSCALE_FAULTS_SEEN=DIRECTORY make integration ARGS=-k=waits_faults`, then",
        "`PYTHONPATH=tests python -m integration.support.fault_table DIRECTORY`.",
    ]
    for title, rows in SECTIONS.items():
        lines += ["", f"## {title}", "", "| fault | brought about by | seconds | message |", "|---|---|---|---|"]
        lines += [_line(row, json.loads((directory / file_name(row)).read_text(encoding="utf-8"))) for row in rows]
    return "\n".join(lines) + "\n"


def _line(row: Row, seen: dict[str, str]) -> str:
    message = re.sub(rf"\bweb{_SUFFIX}", "webNNNNN", seen["message"]).replace("|", "\\|").replace("<", "\\<").replace("\n", " ")
    dial = f"`fault {seen['dial']}`" if seen["dial"] else "its manifest"
    return f"| {row.what} | {dial} | {float(seen['seconds']):.1f} | {message} |"


def main(arguments: Sequence[str]) -> None:
    """Write the table."""
    TABLE.write_text(table(Path(arguments[0])), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
