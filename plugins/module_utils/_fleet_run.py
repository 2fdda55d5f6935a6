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
from ansible_collections.vmscale.kubevirt.plugins.module_utils._fleet import say_failures, summary, surplus
from ansible_collections.vmscale.kubevirt.plugins.module_utils._fleet_wait import GATHER_SECONDS, FleetWait, Member
from ansible_collections.vmscale.kubevirt.plugins.module_utils._manifest import Wanted
from ansible_collections.vmscale.kubevirt.plugins.module_utils._reader import NamespaceReader, Reader
from ansible_collections.vmscale.kubevirt.plugins.module_utils._resources import REPLICA_SETS, Resource
from ansible_collections.vmscale.kubevirt.plugins.module_utils._situation import Situation
from ansible_collections.vmscale.kubevirt.plugins.module_utils._task import Result, Task
from ansible_collections.vmscale.kubevirt.plugins.module_utils._wait import wait_for

# More at once would only wait in the API server's queues, and keep others out of them.
WRITERS = 8
LINE_EVERY_SECONDS = 1.0

Item = t.TypeVar("Item")
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

    def end_wait(self, member: Member, failure: EngineError | None, seconds: float) -> None:
        """Keep how the wait for it ended; ``failure`` is what ended it for all that were still open."""
        self.error = member.failure or (failure if member.is_open else None)
        if member.waited is None or self.error is not None:
            return
        waited = member.waited
        found = waited.as_result()
        self.job.result.update(duration=found["duration"], diagnosis=found["diagnosis"])
        if waited.unmet:
            self.error = WaitTimeout(waited.sentence(self.job.wanted.label, self.job.trouble, seconds), reasons=waited.reasons)

    def as_result(self) -> Result:
        """As the module returns it, with its warnings."""
        waited = None if self.member is None else self.member.waited
        told: Result = {
            "name": self.job.wanted.name,
            "namespace": self.job.wanted.namespace,
            "failed": self.error is not None,
            "skipped": self.is_skipped,
            "pruned": self.is_pruned,
            "warnings": [],
            **self.job.result,
            **self.job.facts(None if waited is None else waited.seen),
        }
        if self.error is not None:
            # What happened to one of many is not kept: the fleet has a timeline.
            told.update({key: value for key, value in self.error.facts.items() if key != "timeline"}, msg=self.error.message)
        return told


def ensure_fleet(task: Task, api: Api, deadline: Deadline, resource: Resource, wanted: t.Sequence[Wanted], make: MakeJob) -> Result:
    """Ensure all of them: the module's result. Raises ``EngineError`` with it where one fails."""
    reader = NamespaceReader(api)
    entries = [_Entry(make(task, reader, deadline, each, False)) for each in wanted]
    described = {each.namespace for each in wanted}
    namespaces = described | (_pruned_namespaces(task.params) if task.params.get("prune") else set())
    run = _Run(task, api, deadline, reader, "sets" if resource == REPLICA_SETS else "autoscalers")
    run.read(resource, namespaces)
    for namespace in sorted(namespaces - described):
        # None of the objects would tell that this one may not be read.
        reader.list(resource, namespace)
    pruned: list[_Entry] = []
    if task.params.get("prune"):
        known = [reader.known(resource, namespace) for namespace in sorted(namespaces)]
        present = [live for listing in known if listing is not None for live in listing.items]
        found = surplus(present, wanted, str(task.params["fleet"]), resource)
        pruned = [_Entry(make(task, reader, deadline, each, True), is_pruned=True) for each in found]
    run.write(entries)
    run.prune(pruned, entries)
    run.wait([*entries, *pruned])
    return run.tell([*entries, *pruned])


def _pruned_namespaces(params: t.Mapping[str, t.Any]) -> set[str]:
    """The namespaces in which the fleet may have objects, beside those that the description names."""
    return {str(each) for each in (params.get("namespace"), *(params.get("prune_namespaces") or ())) if each}


class _Run:
    """One task for one fleet."""

    def __init__(self, task: Task, api: Api, deadline: Deadline, reader: NamespaceReader, noun: str) -> None:
        self._task = task
        self._api = api
        self._began = deadline
        self._deadline = deadline
        self._reader = reader
        self._noun = noun
        self._is_stopped = False
        self._waited: Result = {}

    def read(self, resource: Resource, namespaces: t.Collection[str]) -> None:
        """Read what is there, all namespaces side by side. What one may not be read for, each of its objects says."""

        def read(namespace: str) -> None:
            with contextlib.suppress(EngineError):
                self._reader.listing(resource, namespace)

        for _read in self._side_by_side(read, sorted(namespaces)):
            pass

    def _side_by_side(self, act: t.Callable[[Item], None], items: t.Sequence[Item]) -> t.Iterator[None]:
        """Do it to all of them, some at a time; what has been done comes in their order."""
        with ThreadPoolExecutor(WRITERS) as pool:
            try:
                yield from pool.map(act, items)
            except BaseException:
                # Somebody has ended the task: what is under way is not tried again, and nothing else is begun.
                self._api.retry_until(Deadline.after(self._task.clock, 0.0))
                raise

    def write(self, entries: t.Sequence[_Entry]) -> None:
        """Write what has to be written, side by side, then do one by one what cannot be done for many at once."""
        told_at = self._deadline.elapsed
        for number, _written in enumerate(self._side_by_side(self._write, entries), 1):
            if self._deadline.elapsed - told_at >= LINE_EVERY_SECONDS:
                told_at = self._deadline.elapsed
                self._task.say(f"{number}/{len(entries)} {self._noun} looked at or written ({told_at:.0f} s)")
        is_rollout = bool(self._task.params.get("rollout"))
        for entry in entries:
            if not (is_rollout and self._is_stopped):
                self._attempt(entry, entry.finish)
        if is_rollout:
            # A rollout has its own time for each batch, so the wait has all of its own.
            self._deadline = Deadline.after(self._task.clock, self._deadline.seconds)
            self._api.retry_until(self._deadline)

    def prune(self, pruned: t.Sequence[_Entry], described: t.Sequence[_Entry]) -> None:
        """Delete what nobody describes any more, unless something that is to take its place could not be written."""
        if any(entry.error is not None for entry in described):
            for entry in pruned:
                entry.is_skipped = True
        else:
            self.write(pruned)

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

    def wait(self, entries: t.Sequence[_Entry]) -> None:
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
            return None if namespace in changed else self._reader.known(resource, namespace)

        fleet = FleetWait(self._api, members, self._noun, known, self._task.wait_grace)
        failure: EngineError | None = None
        fleet.look_first()
        if fleet.is_open:
            try:
                waited = wait_for(fleet, self._task, self._api, self._deadline, gather=GATHER_SECONDS)
                self._waited = {"timeline": list(waited.timeline)}
                for member in members:
                    member.note_silence(waited.trouble)
            except EngineError as error:
                failure = error
        for entry in entries:
            if entry.member is not None and entry.is_open:
                entry.end_wait(entry.member, failure, self._deadline.seconds)

    def tell(self, entries: t.Sequence[_Entry]) -> Result:
        """The module's result. Raises ``EngineError`` with it where an object has failed."""
        results = [entry.as_result() for entry in entries]
        said = [warning for each in results for warning in each.pop("warnings")]
        result: Result = {
            "changed": any(each["changed"] for each in results),
            "results": results,
            "summary": summary(results),
            "warnings": list(dict.fromkeys(said)),
        }
        if self._task.is_diff_wanted:
            result["diff"] = [entry.job.diff() for entry in entries if entry.is_open]
        if self._task.is_waiting:
            result.update({"timeline": [], "duration": round(self._began.elapsed, 3), **self._waited})
        if result["summary"]["failed"]:
            raise EngineError(say_failures(results, self._noun), **result)
        return result
