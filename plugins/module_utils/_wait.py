# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it can change at any time.

"""Waiting: until what is watched is as it should be, until nothing can come of it any more, or until time is up.

What is watched, what is enough and what is wrong, a ``Subject`` says; when to look and when to end, and what is told meanwhile, is
decided here.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.vmscale.kubevirt.plugins.module_utils import _report
from ansible_collections.vmscale.kubevirt.plugins.module_utils._clock import Deadline
from ansible_collections.vmscale.kubevirt.plugins.module_utils._errors import ConnectionFailed, EngineError
from ansible_collections.vmscale.kubevirt.plugins.module_utils._resources import AUTOSCALERS
from ansible_collections.vmscale.kubevirt.plugins.module_utils._task import Result, Task
from ansible_collections.vmscale.kubevirt.plugins.module_utils._timeline import Counts, Timeline

if t.TYPE_CHECKING:
    from ansible_collections.vmscale.kubevirt.plugins.module_utils._api import Api, Listing
    from ansible_collections.vmscale.kubevirt.plugins.module_utils._diagnosis import Finding
    from ansible_collections.vmscale.kubevirt.plugins.module_utils._source import Change, Source, Trouble, View
    from ansible_collections.vmscale.kubevirt.plugins.module_utils._watch import Watch

Seen = t.TypeVar("Seen")

# A wait that took less than this has been a look.
SOON_SECONDS = 0.5
# More findings than these make a sentence unreadable; they are all in the result.
MOST_FINDINGS = 2
# What only helps to explain is not asked for where the wait is over by then.
EVIDENCE_AFTER_SECONDS = 1.0
# Lines come no faster than this, and no slower: who watches a terminal wants to know that it is alive.
LINE_AT_MOST_EVERY_SECONDS = 0.3
LINE_AT_LEAST_EVERY_SECONDS = 60.0
# A finding that goes and comes back within this has never been away: conditions flap while controllers try again.
FLAPPING_SECONDS = 2.0


class Subject(t.Protocol[Seen]):
    """What is waited for."""

    def sources(self, view: View, /) -> t.Iterable[tuple[Source, Listing | None]]:
        """What has to be watched as things are, with what was known of it at the start."""

    def evidence(self, view: View, /) -> t.Iterable[Source]:
        """What is to be watched in order to explain."""

    def learn(self, changes: t.Sequence[Change], elapsed: float, /) -> None:
        """Keep what happened in between, which no later look shows."""

    def look(self, view: View, /) -> Seen:
        """What is there now."""

    def probe(self, seen: Seen, elapsed: float, /) -> float | None:
        """Read what cannot be watched, if it is time to; when it is time to at the latest, in seconds of the wait, None for never."""

    def unmet(self, seen: Seen, /) -> t.Sequence[str]:
        """Why it is not yet as it should be; nothing once it is."""

    def diagnose(self, seen: Seen, is_time_up: bool, /) -> t.Sequence[Finding]:
        """What is wrong, the most telling first; also what may be merely slow once time is up."""

    def line(self, seen: Seen, /) -> str:
        """How far it is, without a time."""

    def standing(self, seen: Seen, /) -> str:
        """How far it is, for a sentence that says what is wrong; empty where that says it all."""

    def slowest(self, seen: Seen, /) -> str:
        """Who is being waited for, and for how long; empty for nobody."""

    def counts(self, seen: Seen, /) -> Counts:
        """The numbers of a point of the timeline."""

    def states(self, seen: Seen, /) -> t.Mapping[str, str]:
        """The state of each object, for the transitions of the timeline."""


@dataclass(frozen=True)
class Waited(t.Generic[Seen]):
    """How a wait ended: what was seen last, what is unmet (nothing after success), what is wrong, and what happened meanwhile.

    ``standing`` is how far it came, ``trouble`` why nothing has been heard lately, ``is_hopeless`` where it ended before its time, since
    nothing could come of it.
    """

    seen: Seen
    unmet: tuple[str, ...]
    findings: tuple[Finding, ...]
    seconds: float
    timeline: tuple[dict[str, t.Any], ...]
    standing: str = ""
    trouble: str = ""
    is_hopeless: bool = False

    @property
    def reasons(self) -> list[str]:
        """Everything that is missing or wrong, what is wrong first, each thing once."""
        told = [finding.clause for finding in self.findings if self._is_news(finding)]
        return [*([self.trouble] if self.trouble else []), *told, *self.unmet]

    def _is_news(self, finding: Finding) -> bool:
        """True for what is wrong and not said yet by what is missing, as an autoscaler says what is wrong with itself."""
        if finding.object.startswith(AUTOSCALERS.kind):
            return finding.fatal and bool(finding.message) and not self._is_said(finding)
        return not finding.message or not self._is_said(finding)

    def _is_said(self, finding: Finding) -> bool:
        return any(finding.message in reason for reason in self.unmet)

    def when(self, seconds: float) -> str:
        """After how long it ended, and that it was early if so."""
        rest = f", and waiting for the rest of {seconds:.0f} s is of no use" if self.is_hopeless else ""
        return f"after {self.seconds:.0f} s{rest}"

    def sentence(self, label: str, trouble: str, seconds: float) -> str:
        """What to tell the user of a wait in vain: what is wrong in a few words, and what to do."""
        what = f"{trouble} {self.when(seconds)}"
        if not self.findings:
            return _report.sentence(label, what, self.reasons)
        clauses = [self.trouble] if self.trouble else []
        clauses += [finding.clause for finding in self.findings[:MOST_FINDINGS]]
        clauses += [self.standing] if self.standing else []
        hint = next((finding.hint for finding in self.findings if finding.hint), "")
        return f"{_report.sentence(label, what, clauses)} {hint}".rstrip()

    def full_sentence(self, label: str, trouble: str, seconds: float) -> str:
        """The same with every reason, and what to do about the first that is among them."""
        what = f"{trouble} {self.when(seconds)}" if self.seconds >= SOON_SECONDS else trouble
        hint = next((each.hint for each in self.findings if each.hint and (each.fatal or self._is_said(each))), "")
        return f"{_report.sentence(label, what, self.reasons)} {hint}".rstrip()

    def as_result(self) -> Result:
        """As the modules return it."""
        return {
            "duration": self.seconds,
            "timeline": list(self.timeline),
            "diagnosis": [finding.as_result() for finding in self.findings],
        }


def wait_for(
    subject: Subject[Seen], task: Task, api: Api, deadline: Deadline, first: Seen | None = None, gather: float = 0.0
) -> Waited[Seen]:
    """Wait for the subject. ``first`` is what has been seen already: if that will do, nothing is asked and nothing said.

    ``gather`` is for how many seconds news may be collected before they are looked at: where there is much of them.
    Raises ``EngineError`` where the cluster refuses to tell what is needed, or does not answer until time is up.
    """
    wait = _Wait(subject, task, deadline)
    if first is not None:
        waited = wait.judge(first, is_first=True)
        if waited is not None:
            return waited
    from ansible_collections.vmscale.kubevirt.plugins.module_utils._watch import Watch

    with Watch(api, task.clock, deadline) as watch:
        return wait.run(watch, gather)


class _Wait(t.Generic[Seen]):
    """One wait."""

    def __init__(self, subject: Subject[Seen], task: Task, deadline: Deadline) -> None:
        self._subject = subject
        self._deadline = deadline
        self._began = deadline.elapsed
        self._timeline = Timeline()
        self._progress = _Progress(task)
        self._patience = Patience(task.wait_grace)
        self._probe_at: float | None = None

    def run(self, watch: Watch, gather: float = 0.0) -> Waited[Seen]:
        has_evidence = False
        while True:
            for source, known in self._subject.sources(watch):
                watch.follow(source, known)
            if has_evidence:
                for source in self._subject.evidence(watch):
                    watch.follow(source)
            changes = watch.take(self._until_next(has_evidence), gather)
            has_evidence = self._elapsed >= EVIDENCE_AFTER_SECONDS
            self._subject.learn(changes, self._elapsed)
            if not watch.is_complete:
                if self._deadline.is_over:
                    raise _silence(watch)
                continue
            seen = self._subject.look(watch)
            if has_evidence:
                self._probe_at = self._subject.probe(seen, self._elapsed)
                seen = self._subject.look(watch)
            waited = self.judge(seen, trouble=watch.trouble)
            if waited is not None:
                return waited

    def judge(self, seen: Seen, is_first: bool = False, trouble: Trouble | None = None) -> Waited[Seen] | None:
        """How the wait ends with what is seen now, None where it goes on."""
        elapsed = self._elapsed
        unmet, is_time_up = tuple(self._subject.unmet(seen)), self._deadline.is_over
        findings = tuple(self._subject.diagnose(seen, is_time_up)) if unmet else ()
        self._timeline.note(elapsed, self._subject.counts(seen), self._subject.states(seen))
        if unmet or not is_first:
            line = self._subject.line(seen)
            if trouble is not None and unmet:
                line += f"; no answer from the API server ({trouble.text})"
            self._progress.tell(elapsed, line, self._subject.slowest(seen), is_last=not unmet)
        is_hopeless = not is_first and self._patience.is_over(elapsed, findings)
        if unmet and not is_hopeless and not is_time_up:
            return None
        silence = trouble.say() if unmet and trouble is not None and not is_hopeless else ""
        return Waited(
            seen,
            unmet,
            findings,
            round(elapsed, 3),
            tuple(self._timeline.as_result()),
            self._subject.standing(seen),
            silence,
            is_hopeless and bool(unmet),
        )

    @property
    def _elapsed(self) -> float:
        return self._deadline.elapsed - self._began

    def _until_next(self, has_evidence: bool) -> float:
        """Seconds until there is something to do even if nothing happens."""
        moments = [self._progress.next_at, self._patience.next_at]
        if not has_evidence:
            moments.append(EVIDENCE_AFTER_SECONDS)
        elif self._probe_at is not None:
            moments.append(self._probe_at)
        soonest = min((moment for moment in moments if moment is not None), default=self._elapsed + 60.0)
        return max(0.0, min(soonest - self._elapsed, self._deadline.remaining))


class _Progress:
    """Says how far a wait is: a line for each change, and one now and then where nothing changes."""

    def __init__(self, task: Task) -> None:
        self._report = task.say
        self._line = ""
        self._told_at: float | None = None
        self.next_at: float | None = None

    def tell(self, elapsed: float, line: str, slowest: str, is_last: bool) -> None:
        is_new = line != self._line
        if self._told_at is None and is_last:
            return
        if self._told_at is not None and not is_last:
            pause = LINE_AT_MOST_EVERY_SECONDS if is_new else LINE_AT_LEAST_EVERY_SECONDS
            if elapsed < self._told_at + pause:
                self.next_at = self._told_at + pause
                return
        if is_new or not is_last:
            self._report(f"{line}{f'; {slowest}' if slowest else ''} ({elapsed:.0f} s)")
        self._line, self._told_at, self.next_at = line, elapsed, elapsed + LINE_AT_LEAST_EVERY_SECONDS


class Patience:
    """Bears with what may heal for a while."""

    def __init__(self, grace: float) -> None:
        self._grace = grace
        self._first: dict[str, float] = {}
        self._left: dict[str, float] = {}
        self.next_at: float | None = None

    def is_over(self, elapsed: float, findings: t.Sequence[Finding]) -> bool:
        """True where something is wrong that ends the wait."""
        fatal = {finding.reason: finding for finding in findings if finding.fatal}
        for reason in [*self._first]:
            if reason in fatal:
                self._left.pop(reason, None)
            elif elapsed - self._left.setdefault(reason, elapsed) > FLAPPING_SECONDS:
                del self._first[reason], self._left[reason]
        ends = [self._first.setdefault(reason, elapsed) + (self._grace if each.can_heal else 0.0) for reason, each in fatal.items()]
        self.next_at = min(ends, default=None)
        return any(end <= elapsed for end in ends)


def _silence(watch: Watch) -> EngineError:
    told = watch.trouble.say() if watch.trouble else "the API server has told nothing"
    return ConnectionFailed(f"The wait ended without an answer: {told}.")
