# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it can change at any time.

"""What is wrong, from what was seen: findings, the most telling first.

Rules make symptoms, one for each object that has something; here those that say the same become one finding.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.vmscale.kubevirt.plugins.module_utils import _diagnosis_reasons as reasons
from ansible_collections.vmscale.kubevirt.plugins.module_utils._diagnosis_reasons import REASONS, Reason
from ansible_collections.vmscale.kubevirt.plugins.module_utils._diagnosis_text import Wording
from ansible_collections.vmscale.kubevirt.plugins.module_utils._situation import Situation

_RANKS = {reason.word: rank for rank, reason in enumerate(REASONS)}
_MOST_WARNINGS = 5


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, in the words of the component that knows.

    ``object`` is its kind and ``namespace/name``, ``reason`` one word that stays the same, ``summary`` a clause about the object or
    objects (``2 VMIs cannot be scheduled``), ``message`` what the component said (empty where there is nothing to quote), ``hint``
    what to do, a sentence. ``fatal``: nothing can come of waiting; ``can_heal``: it may go away by itself, so it ends a
    wait only once it has lasted.
    """

    object: str
    reason: str
    summary: str
    message: str
    hint: str
    fatal: bool = False
    can_heal: bool = True

    @property
    def clause(self) -> str:
        """The summary and what the component said, without a final period."""
        text = f"{self.summary}: {self.message}" if self.message else self.summary
        return text.rstrip(".")

    def as_result(self) -> dict[str, t.Any]:
        """As the modules return it."""
        return {
            "object": self.object,
            "reason": self.reason,
            "message": self.message or self.summary,
            "hint": self.hint,
            "fatal": self.fatal,
        }


@dataclass(frozen=True)
class Symptom:
    """What one rule saw of one object.

    ``detail`` and ``seconds`` fill the reason's sentence. ``is_fatal`` says otherwise than the reason does where the circumstances
    do; ``hint`` likewise. Symptoms with the same ``group`` (by default the message, without names) are one finding.
    """

    reason: Reason
    kind: str
    name: str
    message: str = ""
    detail: str = ""
    seconds: float = 0.0
    is_fatal: bool | None = None
    hint: str = ""
    group: str | None = None
    namespace: str = ""

    @property
    def ends_wait(self) -> bool:
        """True where nothing can come of waiting while this lasts."""
        return self.reason.fatal if self.is_fatal is None else self.is_fatal


def conclude(symptoms: t.Iterable[Symptom], situation: Situation) -> tuple[Finding, ...]:
    """One finding for each group of symptoms: those that end a wait first, then in the order of the reasons."""
    wording = Wording.of(situation)
    groups: dict[tuple[str, str], list[Symptom]] = {}
    for symptom in symptoms:
        group = wording.without_names(symptom.message) if symptom.group is None else symptom.group
        groups.setdefault((symptom.reason.word, group), []).append(symptom)
    merged = [(len(_names(group)), _merge(group, situation, wording)) for group in groups.values()]
    merged.sort(key=lambda each: (not each[1].fatal, _RANKS[each[1].reason], -each[0], each[1].object, each[1].message))
    findings = [finding for _count, finding in merged]
    warnings = [finding for finding in findings if finding.reason == reasons.WARNING.word]
    return tuple(finding for finding in findings if finding not in warnings[_MOST_WARNINGS:])


def _names(group: t.Iterable[Symptom]) -> set[tuple[str, str]]:
    return {(symptom.kind, symptom.name) for symptom in group}


def _merge(group: t.Sequence[Symptom], situation: Situation, wording: Wording) -> Finding:
    ordered = sorted(group, key=lambda symptom: (symptom.kind, symptom.name, symptom.message, symptom.detail))
    first, count = ordered[0], len(_names(group))
    reason = first.reason
    sentence = reason.one if count == 1 else reason.many or reason.one
    seconds = max(symptom.seconds for symptom in group)
    return Finding(
        object=f"{first.kind} {first.namespace or situation.namespace}/{first.name}",
        reason=reason.word,
        summary=wording.tell(sentence.format(name=first.name, count=count, detail=first.detail, seconds=f"{seconds:.0f}")),
        message=wording.tell(first.message),
        hint=first.hint or reason.hint,
        fatal=any(symptom.ends_wait for symptom in group),
        can_heal=reason.can_heal,
    )
