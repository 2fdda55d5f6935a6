# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pages about the playbooks, which antsibull-docs does not know: made from the comment at the head of each.

The comment says what the playbook does; its lines that begin with "Example:" are command lines.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import yaml

from dev.paths import CHECKOUT, COLLECTION

PLAYBOOKS = CHECKOUT / "playbooks"
ROLES = CHECKOUT / "roles"
LICENSE = ("Copyright", "GNU General Public License", "SPDX-License-Identifier")


@dataclass(frozen=True)
class Playbook:
    """What a playbook says of itself."""

    name: str
    summary: str
    description: str
    examples: tuple[str, ...]
    roles: tuple[str, ...]
    text: str


def read_playbooks() -> Sequence[Playbook]:
    """Return every playbook of the collection."""
    return [parse_playbook(path.stem, path.read_text(encoding="utf-8")) for path in sorted(PLAYBOOKS.glob("*.yml"))]


def parse_playbook(name: str, text: str) -> Playbook:
    """Return what a playbook says; the summary is the name of its first play."""
    comment, _, plays = text.removeprefix("---\n").partition("\n- ")
    lines = [line.removeprefix("#").strip() for line in comment.splitlines()]
    said = [line for line in lines if line and not line.startswith(LICENSE)]
    examples = tuple(line.removeprefix("Example:").strip() for line in said if line.startswith("Example:"))
    description = "\n".join(line for line in said if not line.startswith("Example:"))
    if not (description and examples):
        raise ValueError(f"the playbook {name} lacks a comment that says what it does, or one with an example")
    roles = [role for role in dict.fromkeys(re.findall(rf"\b{re.escape(COLLECTION)}\.(\w+)", plays)) if (ROLES / role).is_dir()]
    summary = yaml.safe_load(text)[0]["name"]
    return Playbook(name, summary, description, examples, tuple(roles), f"- {plays}")


def playbook_page(playbook: Playbook) -> str:
    """Return the page of a playbook, in the form of those of modules and roles."""
    title = f"{COLLECTION}.{playbook.name} playbook -- {playbook.summary}"
    commands = "\n".join(f"   {example}" for example in playbook.examples)
    described = re.sub(r"\s(Variables|Hands on):", r"\n\n**\1:**", playbook.description)
    parts = [
        f".. _ansible_collections.{COLLECTION}.{playbook.name}_playbook:",
        f"{title}\n{'+' * len(title)}",
        re.sub(r"`([^`]+)`|\b([a-z]+_[a-z_]+[a-z])\b", r"``\1\2``", described),
        f"Examples\n--------\n\n.. code-block:: console\n\n{commands}",
    ]
    if playbook.roles:
        roles = "\n".join(f"- :ansplugin:`{COLLECTION}.{role}#role`" for role in playbook.roles)
        parts.append(f"Roles\n-----\n\nIt takes the variables of\n\n{roles}")
    parts.append(f"The playbook\n------------\n\n.. code-block:: yaml\n\n{_indented(playbook.text)}")
    return "\n\n".join(parts) + "\n"


def _indented(text: str) -> str:
    return "".join(f"   {line}" if line.strip() else line for line in text.splitlines(keepends=True))
