# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What importing costs, from what `python -X importtime` prints."""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median

ENGINE = "ansible_collections.vmscale.kubevirt"
_LINE = re.compile(r"^import time:\s+(\d+) \|\s+(\d+) \| ( *)(\S+)$", re.MULTILINE)
_GROUPS = {
    ENGINE: "vmscale.kubevirt",
    "ansible_collections": "kubernetes.core, for its authentication options",
    "ansible": "ansible-core",
    "urllib3": "urllib3",
    "yaml": "PyYAML",
    "kubernetes": "the kubernetes package",
}
PYTHON = "Python's own modules"
OTHER = "other packages"


@dataclass
class Import:
    """One imported module: its own time in microseconds, and what it imported in turn."""

    name: str
    own: int
    children: list[Import] = field(default_factory=list)

    def walk(self) -> Iterator[Import]:
        yield self
        for child in self.children:
            yield from child.walk()


def read_imports(text: str) -> list[Import]:
    """Return the trees of imports; a module stands after what it has imported, which is indented further."""
    roots: list[Import] = []
    waiting: list[tuple[int, Import]] = []
    for own, _cumulative, indent, name in _LINE.findall(text):
        depth = len(indent)
        found = Import(name, int(own))
        while waiting and waiting[-1][0] > depth:
            found.children.insert(0, waiting.pop()[1])
        waiting.append((depth, found))
    roots.extend(entry for _depth, entry in waiting)
    return roots


def below_engine(roots: Iterable[Import]) -> Iterator[Import]:
    """Yield the topmost modules of the collection, with all that they import."""
    for root in roots:
        if root.name.startswith(ENGINE):
            yield root
        else:
            yield from below_engine(root.children)


@dataclass(frozen=True)
class Cost:
    """What a group of modules costs to import."""

    modules: int
    milliseconds: float


def costs_by_group(runs: Sequence[Sequence[Import]]) -> dict[str, Cost]:
    """Return the median of each group over the runs, the dearest first."""
    found: dict[str, list[Cost]] = defaultdict(list)
    for roots in runs:
        own: dict[str, list[int]] = defaultdict(list)
        for entry in (each for root in roots for each in root.walk()):
            own[_group(entry.name)].append(entry.own)
        for group, values in own.items():
            found[group].append(Cost(len(values), sum(values) / 1000))
    costs = {
        group: Cost(round(median(each.modules for each in values)), median(each.milliseconds for each in values))
        for group, values in found.items()
    }
    return dict(sorted(costs.items(), key=lambda item: -item[1].milliseconds))


def costs_of_engine(runs: Sequence[Sequence[Import]]) -> dict[str, float]:
    """Return the median of each module of the collection, in milliseconds, the dearest first."""
    found: dict[str, list[float]] = defaultdict(list)
    for roots in runs:
        for entry in (each for root in roots for each in root.walk()):
            if entry.name.startswith(ENGINE):
                found[entry.name.rpartition(".")[2]].append(entry.own / 1000)
    return dict(sorted(((name, median(values)) for name, values in found.items()), key=lambda item: -item[1]))


def _group(name: str) -> str:
    for prefix, group in _GROUPS.items():
        if name == prefix or name.startswith(f"{prefix}."):
            return group
    first = name.split(".")[0]
    return PYTHON if first in sys.stdlib_module_names or first in ("site", "sitecustomize", "zipimport") else OTHER
