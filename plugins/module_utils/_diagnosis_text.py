# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it can change at any time.

"""The text of findings: one line, not too long, without secrets; and what two texts have in common."""

from __future__ import annotations

import base64
import binascii
import contextlib
import re
from dataclasses import dataclass

from ansible_collections.vmscale.kubevirt.plugins.module_utils._redact import HIDDEN, secret_values
from ansible_collections.vmscale.kubevirt.plugins.module_utils._resources import name_of, spec
from ansible_collections.vmscale.kubevirt.plugins.module_utils._situation import Situation

LONGEST = 500
_CUT = " ... (cut)"
_SHORTEST_SECRET = 6
_NAME = "*"
# A pod that was refused has a name all the same, another one at each attempt.
_LAUNCHER = re.compile(r"virt-launcher-[a-z0-9.-]*[a-z0-9]")
# The client's side of a connection is another one each time.
_PORT = re.compile(r"(?<=\d)(?:\.\d+){0,3}:\d{5}(?=->)")
_RANDOM_SUFFIX = "[bcdfghjklmnpqrstvwxz2456789]{5}"
_SECRET_ASSIGNED = re.compile(r"(?:passw|secret|token|key|hash|credential)[\w-]*[\"']?\s*[:=]\s*(.+)", re.IGNORECASE)
_QUOTES = "\"' ,;"


@dataclass(frozen=True)
class Wording:
    """How the findings of one situation are worded: the names that differ from object to object, and what must not be told."""

    names: tuple[str, ...]
    prefixes: tuple[str, ...]
    secrets: tuple[str, ...]

    @classmethod
    def of(cls, situation: Situation) -> Wording:
        """The wording for a situation."""
        names = {name_of(each) for each in (*situation.instances, *situation.pods)} | {each.name for each in situation.finished}
        templates = [each for each in (situation.replica_set, *situation.instances) if each is not None]
        secrets: set[str] = set()
        for template in templates:
            for text in secret_values(spec(template)):
                secrets |= _fragments(text)
        return cls(
            names=_longest_first(names - {""}),
            prefixes=_longest_first({situation.name, *(str(each["metadata"].get("generateName") or "") for each in templates)} - {""}),
            secrets=_longest_first(secrets),
        )

    def without_names(self, text: str) -> str:
        """The text with the names of VMIs and pods taken out: what those of two VMIs have in common."""
        text = _PORT.sub(":*", _LAUNCHER.sub(_NAME, text))
        for name in self.names:
            text = re.sub(rf"(?<![\w.-]){re.escape(name)}(?![\w-])", _NAME, text)
        for prefix in self.prefixes:
            text = re.sub(rf"(?<![\w.-]){re.escape(prefix)}{_RANDOM_SUFFIX}(?![\w-])", _NAME, text)
        return text

    def tell(self, text: str) -> str:
        """The text as it is told: on one line, without secrets, cut where it is too long."""
        for secret in self.secrets:
            text = text.replace(secret, HIDDEN)
        line = " ".join(text.split())
        return line if len(line) <= LONGEST else line[: LONGEST - len(_CUT)] + _CUT


def _longest_first(texts: set[str]) -> tuple[str, ...]:
    return tuple(sorted(texts, key=lambda text: (-len(text), text)))


def _fragments(secret: str) -> set[str]:
    """A secret, its lines and the values in them: a message may quote any of these alone."""
    texts = {secret}
    with contextlib.suppress(binascii.Error, UnicodeDecodeError):
        texts.add(base64.b64decode(secret, validate=True).decode())
    found = set(texts)
    for line in (line.strip() for text in texts for line in text.splitlines()):
        assigned = _SECRET_ASSIGNED.search(line)
        found |= {line, assigned.group(1).strip(_QUOTES)} if assigned else {line}
    return {fragment for fragment in found if len(fragment) >= _SHORTEST_SECRET}
