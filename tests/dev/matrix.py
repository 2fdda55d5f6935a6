# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The versions that the collection supports, each with what it is tested with: the oldest, the newest, and those between."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

# What a row needs beside what it is about, in the versions of the other tests.
TOOLS = ("ansible-runner", "cryptography", "pytest", "pytest-xdist", "PyYAML")


@dataclass(frozen=True)
class Row:
    """Versions that go together; `bundle` is the release of the package ansible that carries that kubernetes.core."""

    core: str
    python: str
    kubernetes_core: str
    kubernetes: str
    urllib3: str
    bundle: str

    @property
    def name(self) -> str:
        return f"{self.core}-{self.kubernetes}"

    @property
    def cells(self) -> tuple[str, ...]:
        return (self.core, self.python, self.kubernetes_core, self.kubernetes, self.urllib3)


ROWS = (
    Row("2.17.14", "3.11", "5.0.0", "24.2.0", "2.0.7", bundle="11.0.0"),
    Row("2.17.14", "3.11", "5.0.0", "37.0.2", "2.8.0", bundle="11.0.0"),
    Row("2.18.19", "3.11", "5.4.1", "37.0.2", "2.8.0", bundle="11.13.0"),
    Row("2.19.14", "3.11", "6.2.0", "37.0.2", "2.8.0", bundle="12.3.0"),
    Row("2.20.10", "3.12", "6.4.0", "37.0.2", "2.8.0", bundle="13.8.0"),
    Row("2.21.5", "3.13", "6.6.0", "37.0.2", "2.8.0", bundle="14.5.0"),
)


def requirements(row: Row, pinned: str) -> str:
    """Return the requirements of a row; `pinned` are those of the other tests."""
    pins = dict(re.findall(r"^([A-Za-z][\w-]*)==(\S+)$", pinned, re.MULTILINE))
    versions = {
        "ansible-core": row.core,
        "kubernetes": row.kubernetes,
        "urllib3": row.urllib3,
        **{tool: pins[tool] for tool in TOOLS},
    }
    return "".join(f"{name}=={version}\n" for name, version in sorted(versions.items()))


def chosen_rows(names: Iterable[str]) -> tuple[Row, ...]:
    """Return the rows whose names begin with one that is given; all of them where none is."""
    wanted = tuple(names)
    return tuple(row for row in ROWS if not wanted or row.name.startswith(wanted))


HEAD = ("ansible-core", "Python", "kubernetes.core", "kubernetes", "urllib3", "unit tests", "integration tests")


def table(results: Mapping[Row, tuple[str, ...]], before: str) -> str:
    """Return the rows with their results; a row without any keeps the line that it has in the table of before."""
    lines = [_line(HEAD), _line("---" for dummy in HEAD)]
    for row in ROWS:
        kept = next((line for line in before.splitlines() if line.startswith(_line(row.cells))), _line((*row.cells, "not run", "not run")))
        lines.append(_line((*row.cells, *results[row])) if row in results else kept)
    return "\n".join(lines)


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
