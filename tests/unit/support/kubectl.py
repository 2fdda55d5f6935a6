# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What `kubectl get` printed on the real cluster: the clock, and tables of autoscalers, sets, VMIs and pods."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from unit.support.recorded import real_text

_HEADING = re.compile(r"\S+(?: \S+)*")

Row = dict[str, str]


def clock(state: str) -> datetime:
    """Return the moment before which everything of a state was read, to the second."""
    first = real_text(state, "kubectl-get").splitlines()[0]
    return datetime.strptime(first, "%a %b %d %H:%M:%S UTC %Y").replace(tzinfo=UTC)


def rows(state: str, kind: str) -> dict[str, Row]:
    """Return the rows of a table by the names of their objects; a cell without a value is empty."""
    found: dict[str, Row] = {}
    for table in real_text(state, "kubectl-get").partition("\n")[2].split("\n\n"):
        heading, *lines = table.splitlines()
        titles = [(match.group(), match.start()) for match in _HEADING.finditer(heading)]
        ends = [*(start for _title, start in titles[1:]), None]
        for line in lines:
            cells = {title: line[start:end].strip() for (title, start), end in zip(titles, ends, strict=True)}
            resource, _, name = cells["NAME"].partition("/")
            if resource.partition(".")[0] == kind:
                found[name] = cells
    return found
