# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it can change at any time.

"""Ensuring many objects at once: one read per namespace, writes side by side, one wait for all."""

from __future__ import annotations

import contextlib
import typing as t
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from ansible_collections.vmscale.kubevirt.plugins.module_utils._api import Api, Listing
from ansible_collections.vmscale.kubevirt.plugins.module_utils._clock import Deadline
from ansible_collections.vmscale.kubevirt.plugins.module_utils._ensure import Job
from ansible_collections.vmscale.kubevirt.plugins.module_utils._errors import EngineError, WaitTimeout
from ansible_collections.vmscale.kubevirt.plugins.module_utils._fleet import check_unique, say_failures, summary, surplus
from ansible_collections.vmscale.kubevirt.plugins.module_utils._fleet_wait import FleetWait, Member
from ansible_collections.vmscale.kubevirt.plugins.module_utils._manifest import Wanted
from ansible_collections.vmscale.kubevirt.plugins.module_utils._reader import NamespaceReader, Reader
from ansible_collections.vmscale.kubevirt.plugins.module_utils._resources import REPLICA_SETS, Resource
from ansible_collections.vmscale.kubevirt.plugins.module_utils._situation import Situation
from ansible_collections.vmscale.kubevirt.plugins.module_utils._task import Result, Task
from ansible_collections.vmscale.kubevirt.plugins.module_utils._wait import wait_for

# More at once would only wait in the API server's queues, and keep others out of them.
WRITERS = 8
LINE_EVERY_SECONDS = 1.0

MakeJob = t.Callable[[Task, Reader, Deadline, Wanted, bool], Job[Situation]]


@dataclass
class _Entry:
    """One object of the fleet, and what became of it."""

    job: Job[Situation]
    is_pruned: bool = False
    is_skipped: bool = False
    is_finished: bool = False
    error: EngineError | None = None
    member: Member | None = None

    @property
    def is_open(self) -> bool:
        """True while nothing has gone wrong with it."""
        return self.error is None and not self.is_skipped

    def finish(self) -> None:
        """Do what takes longer than a write."""
        self.is_finished = self.job.finish()

    def begin_to_wait(self) -> None:
        """Say what is to be waited for."""
        subject = self.job.subject()
        if subject is None:
            self.is_finished = True
        else:
            self.member = Member(self.job.wanted, subject, self.job.first())

    def end_wait(self, failure: EngineError | None, seconds: float) -> None:
        """Keep how the wait for it ended; ``failure`` is what ended it for all that were still open."""
        member, wanted = t.cast("Member", self.member), self.job.wanted
        waited = member.waited
        if waited is None:
            self.error = failure or WaitTimeout(f"{wanted.label} {self.job.trouble}: nothing has been seen of it.")
            return
        found = waited.as_result()
        self.job.result.update(duration=found["duration"], diagnosis=found["diagnosis"])
        if waited.unmet:
            self.error = WaitTimeout(waited.sentence(wanted.label, self.job.trouble, seconds), reasons=waited.reasons)

    def as_result(self) -> Result:
        """As the module returns it."""
        wanted = self.job.wanted
        told: Result = {
            "name": wanted.name,
            "namespace": wanted.namespace,
            "failed": self.error is not None,
            "skipped": self.is_skipped,
            "pruned": self.is_pruned,
            **self.job.result,
        }
        told.pop("warnings", None)
        if not self.is_skipped:
            waited = None if self.member is None else self.member.waited
            told.update(self.job.facts(None if waited is None else waited.seen))
        if self.error is not None:
            told.update({key: value for key, value in self.error.facts.items() if key != "timeline"}, msg=self.error.message)
        return told


def ensure_fleet(task: Task, api: Api, deadline: Deadline, resource: Resource, wanted: t.Sequence[Wanted], make: MakeJob) -> Result:
    """Ensure all of them: the module's result. Raises ``EngineError`` with it where one fails."""
    check_unique(wanted)
    reader = NamespaceReader(api)
    entries = [_Entry(make(task, reader, deadline, each, False)) for each in wanted]
    run = _Run(task, api, deadline, "sets" if resource == REPLICA_SETS else "autoscalers")
    run.read(reader, resource, {each.namespace for each in wanted})
    run.write(entries)
    if task.params.get("prune"):
        pruned = [
            _Entry(make(task, reader, deadline, each, True), is_pruned=True)
            for namespace in sorted(_namespaces(task, wanted))
            for each in surplus(reader.list(resource, namespace), wanted, str(task.params["fleet"]), resource)
        ]
        run.write(pruned)
        entries += pruned
    run.wait(entries, reader)
    return run.tell(entries)


def _namespaces(task: Task, wanted: t.Sequence[Wanted]) -> set[str]:
    given = {task.params["namespace"]} if task.params.get("namespace") else set()
    return {each.namespace for each in wanted} | given | set(task.params.get("prune_namespaces") or ())


class _Run:
    """One task for one fleet."""

    def __init__(self, task: Task, api: Api, deadline: Deadline, noun: str) -> None:
        self._done = f"{noun} {'gone' if task.params.get('state') == 'absent' else 'ready'}"
        self._task = task
        self._api = api
        self._deadline = deadline
        self._noun = noun
        self._is_stopped = False
        self._waited: Result = {}

    def read(self, reader: NamespaceReader, resource: Resource, namespaces: t.Collection[str]) -> None:
        """Read what is there, all namespaces side by side. What one may not be read for, each of its objects says."""

        def read(namespace: str) -> None:
            with contextlib.suppress(EngineError):
                reader.listing(resource, namespace)

        if len(namespaces) > 1:
            with ThreadPoolExecutor(min(WRITERS, len(namespaces))) as pool:
                list(pool.map(read, sorted(namespaces)))

    def write(self, entries: t.Sequence[_Entry]) -> None:
        """Write what has to be written, side by side, then do one by one what cannot be done for many at once."""
        if not entries:
            return
        told_at = self._deadline.elapsed
        with ThreadPoolExecutor(min(WRITERS, len(entries))) as pool:
            for number, _done in enumerate(pool.map(self._write, entries), 1):
                if self._deadline.elapsed - told_at >= LINE_EVERY_SECONDS:
                    told_at = self._deadline.elapsed
                    self._task.say(f"{number}/{len(entries)} {self._noun} looked at or written ({told_at:.0f} s)")
        for entry in entries:
            if not self._is_stopped:
                self._attempt(entry, entry.finish)

    def _write(self, entry: _Entry) -> None:
        if self._is_stopped:
            entry.is_skipped = True
        else:
            self._attempt(entry, entry.job.write)

    def _attempt(self, entry: _Entry, act: t.Callable[[], t.Any]) -> None:
        if not entry.is_open:
            return
        try:
            act()
        except EngineError as error:
            entry.error = error
            if self._task.params.get("on_failure") == "stop":
                self._is_stopped = True

    def wait(self, entries: t.Sequence[_Entry], reader: NamespaceReader) -> None:
        """Wait for all that are not finished yet, with one watch for each kind and namespace."""
        if not self._task.is_waiting:
            return
        for entry in entries:
            if not entry.is_finished:
                self._attempt(entry, entry.begin_to_wait)
        members = [entry.member for entry in entries if entry.member is not None and entry.is_open]
        changed = {entry.job.wanted.namespace for entry in entries if entry.job.result.get("changed")}

        def known(resource: Resource, namespace: str) -> Listing | None:
            # What was read before our writes must not be taken for what came of them.
            return None if namespace in changed else reader.known(resource, namespace)

        fleet = FleetWait(self._api, members, self._done, known, self._task.wait_grace)
        failure: EngineError | None = None
        fleet.look_first()
        if fleet.is_open:
            try:
                waited = wait_for(fleet, self._task, self._api, self._deadline)
                self._waited = {"timeline": list(waited.timeline)}
                for member in members:
                    member.note_silence(waited.trouble)
            except EngineError as error:
                failure = error
        for entry in entries:
            if entry.member is not None and entry.is_open:
                entry.end_wait(failure, self._deadline.seconds)

    def tell(self, entries: t.Sequence[_Entry]) -> Result:
        """The module's result. Raises ``EngineError`` with it where an object has failed."""
        results = [entry.as_result() for entry in entries]
        said = [warning for entry in entries for warning in entry.job.result.get("warnings") or ()]
        result: Result = {
            "changed": any(each["changed"] for each in results),
            "results": results,
            "summary": summary(results),
            "warnings": list(dict.fromkeys(said)),
            "diff": [entry.job.diff() for entry in entries if entry.is_open],
        }
        if self._task.is_waiting:
            result.update({"timeline": [], "duration": round(self._deadline.elapsed, 3), **self._waited})
        if result["summary"]["failed"]:
            raise EngineError(say_failures(results, self._noun), **result)
        return result
