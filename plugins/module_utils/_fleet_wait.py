# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it can change at any time.

"""Waiting for many objects at once: one watch for each kind and namespace, and a judgement for each object.

Every object keeps its own ``Subject``, which sees its part of what is watched as if it had been watched for it alone.
"""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.vmscale.kubevirt.plugins.module_utils import _selector
from ansible_collections.vmscale.kubevirt.plugins.module_utils._api import Api, Listing
from ansible_collections.vmscale.kubevirt.plugins.module_utils._diagnosis import Finding
from ansible_collections.vmscale.kubevirt.plugins.module_utils._errors import EngineError
from ansible_collections.vmscale.kubevirt.plugins.module_utils._manifest import Wanted
from ansible_collections.vmscale.kubevirt.plugins.module_utils._probes import LeaseProbe, ScaleUpProbe
from ansible_collections.vmscale.kubevirt.plugins.module_utils._resources import PODS, Object, Resource, labels_of, metadata, name_of
from ansible_collections.vmscale.kubevirt.plugins.module_utils._situation import Situation
from ansible_collections.vmscale.kubevirt.plugins.module_utils._source import Change, Source, View
from ansible_collections.vmscale.kubevirt.plugins.module_utils._timeline import Counts
from ansible_collections.vmscale.kubevirt.plugins.module_utils._wait import Patience, Subject, Waited
from ansible_collections.vmscale.kubevirt.plugins.module_utils._wait_replica_set import GoneWait, ReadyWait

Known = t.Callable[[Resource, str], t.Optional[Listing]]

# What only explains is not watched for a fleet that comes up as fleets do: there is much of it. It is where nothing has come nearer for so
# long, where one has had no news for longer, or where something is wrong with one.
EVIDENCE_AFTER_SECONDS = 5.0
SILENCE_SECONDS = 10.0
# While many come up, something happens to one of them all the time. News are collected for so long, and whether one is as it should be is
# looked at with each; what is wrong with it takes longer to find out, and is not asked so often.
GATHER_SECONDS = 0.1
DIAGNOSE_EVERY_SECONDS = 1.0
# What nothing happens to is looked at again after this: some things are wrong because nothing happens.
LOOK_EVERY_SECONDS = 5.0
_BY_NAME = "metadata.name="
_LAUNCHERS = "kubevirt.io=virt-launcher"


def shared_source(source: Source) -> Source:
    """The source that serves all members of a namespace in place of one member's own."""
    fields = "" if source.field_selector.startswith(_BY_NAME) else source.field_selector
    labels = _LAUNCHERS if source.resource == PODS else ""
    key = f"{source.resource.qualified} of {source.namespace}"
    return replace(source, key=key, label_selector=labels, field_selector=fields, is_shared=True)


class Member:
    """One object that is waited for, and the view that its subject has of the fleet's watch.

    ``waited`` is how far it is: how the wait ended once it is not open any more, None while nothing has been seen. ``failure`` is why it
    cannot be seen.
    """

    def __init__(self, wanted: Wanted, subject: Subject[Situation], first: Situation | None) -> None:
        self.wanted = wanted
        self.subject = subject
        self.first = first
        self.waited: Waited[Situation] | None = None
        self.failure: EngineError | None = None
        self.counts: Counts | None = None
        self.patience = Patience(0.0)
        self.is_open = True
        self.due: float | None = None
        self.heard_at = 0.0
        self._diagnose_at = 0.0
        self._parts: dict[str, dict[str, Object]] = {}
        self._news: list[Change] = []
        self._is_new = True

    @property
    def name(self) -> str:
        """As progress names it."""
        return f"{self.wanted.namespace}/{self.wanted.name}"

    @property
    def has_failed(self) -> bool:
        """True where nothing can come of it any more."""
        return self.failure is not None or (not self.is_open and self.waited is not None and bool(self.waited.unmet))

    @property
    def is_ailing(self) -> bool:
        """True where something is wrong that will end the wait for it, unless it heals."""
        return self.waited is not None and any(finding.fatal for finding in self.waited.findings)

    @property
    def is_to_go(self) -> bool:
        """True where it is waited for until it is gone."""
        return isinstance(self.subject, GoneWait)

    @property
    def lacks(self) -> int:
        """How many VMIs it lacks, or has too many where it is to go."""
        if self.is_to_go:
            return 0 if self.waited is None else len(self.waited.seen.instances)
        counts = self.counts or {}
        return (counts.get("desired") or 0) - (counts.get("ready") or 0)

    @property
    def state(self) -> str:
        """How it stands in one word."""
        return "Waiting" if self.is_open else "Failed" if self.has_failed else "Done"

    def follows(self, key: str) -> bool:
        """As a ``View``."""
        return key in self._parts

    def objects(self, key: str) -> tuple[Object, ...]:
        """As a ``View``."""
        return tuple(self._parts.get(key, {}).values())

    def refusal(self, _key: str) -> EngineError | None:
        """As a ``View``: who cannot be shown is told by ``fail``."""
        return self.failure

    def fail(self, error: EngineError) -> None:
        """It cannot be seen any more."""
        self.failure, self.is_open = error, False

    def tell(self, key: str, identity: str, before: Object | None, after: Object | None) -> None:
        """Show an object under a key of its subject's, or no longer."""
        part = self._parts.setdefault(key, {})
        if after is None:
            part.pop(identity, None)
        else:
            part[identity] = after
        self._news.append(Change(key, before, after))

    def is_due(self, elapsed: float) -> bool:
        """True where there is something to judge."""
        return self._is_new or bool(self._news) or (self.due is not None and elapsed >= self.due)

    def judge(self, elapsed: float, is_time_up: bool = False) -> None:
        """Look at it; it is no longer open once it is as it should be, or nothing can come of it."""
        if self._news or self._is_new:
            self.heard_at = elapsed
        self.subject.learn(self._news, elapsed)
        self._news, self._is_new = [], False
        seen = self.subject.look(self)
        is_diagnosed, probe_at = elapsed >= self._diagnose_at or is_time_up, None
        if is_diagnosed and (elapsed >= EVIDENCE_AFTER_SECONDS or is_time_up):
            probe_at = self.subject.probe(seen, elapsed)
            seen = self.subject.look(self)
        unmet = tuple(self.subject.unmet(seen))
        findings, is_hopeless = () if self.waited is None or not unmet else self.waited.findings, False
        if is_diagnosed:
            findings = tuple(self.subject.diagnose(seen, is_time_up)) if unmet else ()
            is_hopeless = self.patience.is_over(elapsed, findings) and bool(unmet)
            look_at = max(EVIDENCE_AFTER_SECONDS, elapsed + LOOK_EVERY_SECONDS)
            moments = [self.patience.next_at, probe_at if probe_at is not None else look_at]
            self.due = min(moment for moment in moments if moment is not None)
            self._diagnose_at = min(self.due, elapsed + DIAGNOSE_EVERY_SECONDS)
        else:
            # What the news mean is found out a little later.
            self.due = self._diagnose_at
        self.counts = self.subject.counts(seen)
        self.waited = Waited(seen, unmet, findings, round(elapsed, 3), (), self.subject.standing(seen), is_hopeless=is_hopeless)
        self.is_open = bool(unmet) and not is_hopeless

    def note_silence(self, trouble: str) -> None:
        """The wait has ended, and lately the API server has told nothing."""
        if trouble and self.is_open and self.waited is not None:
            self.waited = replace(self.waited, trouble=trouble)

    def end(self, seen: Situation) -> None:
        """It is as it should be."""
        self.counts = self.subject.counts(seen)
        self.waited = Waited(seen, (), (), 0.0, ())
        self.is_open = False


class _Share:
    """One member's part of a source: which objects it would have been shown, and under which key."""

    def __init__(self, member: Member, source: Source) -> None:
        self.member = member
        self.key = source.key
        self.name = source.field_selector[len(_BY_NAME) :] if source.field_selector.startswith(_BY_NAME) else ""
        self.requirements = _selector.parse_query(source.label_selector)

    def holds(self, live: Object | None) -> bool:
        """True where an object that has the share's entry is shown to the member."""
        if live is None:
            return False
        return _selector.matches(self.requirements, labels_of(live))

    @property
    def entry(self) -> tuple[str, str]:
        """Something that every object that is shown has: its name, or a label; empty where there is no such thing."""
        if self.name:
            return "", self.name
        return next(iter(sorted((self.requirements.get("matchLabels") or {}).items())), ("", ""))


class _Route:
    """Hands the objects of one source to those whose they are, without asking everybody."""

    def __init__(self) -> None:
        self._shares: dict[tuple[str, str], list[_Share]] = {}

    @property
    def members(self) -> set[Member]:
        """Those who have a part of it."""
        return {share.member for shares in self._shares.values() for share in shares}

    def add(self, share: _Share) -> None:
        """Let a member have its part from now on."""
        self._shares.setdefault(share.entry, []).append(share)

    def hand_on(self, identity: str, before: Object | None, after: Object | None) -> None:
        """Tell everybody whose it is, or was, what has become of an object."""
        for share in self._interested(before, after):
            was, is_now = before if share.holds(before) else None, after if share.holds(after) else None
            if was is not None or is_now is not None:
                share.member.tell(share.key, identity, was, is_now)

    def _interested(self, *states: Object | None) -> t.Iterator[_Share]:
        entries = {("", "")}
        for live in states:
            if live is not None:
                entries |= {("", name_of(live)), *labels_of(live).items()}
        for entry in entries:
            yield from self._shares.get(entry, ())


class FleetWait:
    """Until every member is as it should be, or nothing can come of it any more."""

    def __init__(self, api: Api, members: t.Sequence[Member], noun: str, known: Known, grace: float) -> None:
        self._members = members
        self._noun = noun
        self._known = known
        self._grace = grace
        self._elapsed = 0.0
        self._left = (len(members) + 1, 0)
        self._nearer_at = 0.0
        self._evidence: list[Source] = []
        self._sources: dict[str, tuple[Source, Listing | None]] = {}
        self._routes: dict[str, _Route] = {}
        self._share_probes(api)

    def _share_probes(self, api: Api) -> None:
        lease, scale_ups = LeaseProbe(api), dict[str, ScaleUpProbe]()
        for member in self._members:
            member.patience = Patience(self._grace)
            if isinstance(member.subject, ReadyWait):
                namespace = member.wanted.namespace
                member.subject.share_probes(lease, scale_ups.setdefault(namespace, ScaleUpProbe(api, namespace)))

    @property
    def is_open(self) -> bool:
        """True while something is waited for."""
        return any(member.is_open for member in self._members)

    def look_first(self) -> None:
        """Judge by what is known already: who is as it should be is not waited for."""
        for member in self._members:
            if member.first is not None and not member.subject.unmet(member.first):
                member.end(member.first)

    def sources(self, _view: View) -> list[tuple[Source, Listing | None]]:
        if not self._sources:
            for member in self._open:
                for source, _known in member.subject.sources(member):
                    shared = shared_source(source)
                    known = self._known(shared.resource, shared.namespace)
                    self._sources.setdefault(shared.key, (shared, known))
                    self._route(member, source, shared.key)
            # What is known is not told again as news.
            for key, (_source, known) in self._sources.items():
                for live in known.items if known is not None else ():
                    self._routes[key].hand_on(_identity(live), None, live)
        return [*self._sources.values()]

    def evidence(self, _view: View) -> list[Source]:
        if not self._evidence and self._is_slow:
            found: dict[str, Source] = {}
            for member in self._open:
                for source in member.subject.evidence(member):
                    shared = shared_source(source)
                    found.setdefault(shared.key, shared)
                    self._route(member, source, shared.key)
            self._evidence = [*found.values()]
        return self._evidence

    @property
    def _is_slow(self) -> bool:
        """True where somebody will want to know what keeps the fleet, or one of it."""
        if self._elapsed - self._nearer_at >= EVIDENCE_AFTER_SECONDS:
            return True
        return any(member.is_ailing or self._elapsed - member.heard_at >= SILENCE_SECONDS for member in self._open)

    def _route(self, member: Member, source: Source, key: str) -> None:
        self._routes.setdefault(key, _Route()).add(_Share(member, source))

    def learn(self, changes: t.Sequence[Change], elapsed: float) -> None:
        self._elapsed = elapsed
        for change in changes:
            live = change.after if change.after is not None else change.before
            self._routes[change.key].hand_on(_identity(live or {}), change.before, change.after)

    def look(self, view: View) -> int:
        for key in self._sources:
            refusal = view.refusal(key)
            if refusal is not None:
                for member in self._open_in(key):
                    member.fail(refusal)
        for member in self._open:
            if member.is_due(self._elapsed):
                member.judge(self._elapsed)
        lacking = [member for member in self._members if member.is_open or member.has_failed]
        left = (len(lacking), sum(member.lacks for member in lacking))
        if left < self._left:
            self._left, self._nearer_at = left, self._elapsed
        return len(self._members) - len(self._open)

    def probe(self, _seen: int, _elapsed: float) -> float | None:
        return min((member.due for member in self._open if member.due is not None), default=None)

    def unmet(self, _seen: int) -> t.Sequence[str]:
        return [f"{member.name}: {'; '.join(member.waited.unmet) if member.waited else 'not seen yet'}" for member in self._open]

    def diagnose(self, _seen: int, is_time_up: bool) -> t.Sequence[Finding]:
        if is_time_up:
            for member in self._open:
                member.judge(self._elapsed, is_time_up=True)
        return ()

    def line(self, _seen: int) -> str:
        counts = self.counts(0)
        is_removal = all(member.is_to_go for member in self._members)
        parts = [f"{counts['finished']}/{counts['objects']} {self._noun} {'gone' if is_removal else 'ready'}"]
        if counts["failed"]:
            parts.append(f"{counts['failed']} failed")
        if counts["desired"] is not None:
            parts.append(f"{counts['ready']}/{counts['desired']} VMIs ready")
        left = sum(len(member.waited.seen.instances) for member in self._members if member.is_to_go and member.waited is not None)
        if left:
            parts.append(f"{left} {'VMI' if left == 1 else 'VMIs'} left")
        return ", ".join(parts)

    def standing(self, _seen: int) -> str:
        return ""

    def slowest(self, _seen: int) -> str:
        lacking = [(-member.lacks, member.name, member.waited.standing) for member in self._open if member.waited is not None]
        return f"slowest: {min(lacking)[1]}, {min(lacking)[2]}" if lacking and min(lacking)[2] else ""

    def counts(self, _seen: int) -> Counts:
        failed = sum(1 for member in self._members if member.has_failed)
        finished = len(self._members) - len(self._open) - failed
        # How many VMIs all sets want and have ready; None for autoscalers.
        told = [
            member.counts
            for member in self._members
            if member.counts is not None and "terminating" in member.counts and not member.is_to_go
        ]
        numbers = {key: sum(each[key] or 0 for each in told) if told else None for key in ("desired", "ready")}
        return {"objects": len(self._members), "finished": finished, "failed": failed, **numbers}

    def states(self, _seen: int) -> dict[str, str]:
        return {member.wanted.label: member.state for member in self._members}

    def _open_in(self, key: str) -> list[Member]:
        """Those who wait for something of a source."""
        return [member for member in self._routes[key].members if member.is_open]

    @property
    def _open(self) -> list[Member]:
        return [member for member in self._members if member.is_open]


def _identity(live: Object) -> str:
    return str(metadata(live).get("uid") or name_of(live))
