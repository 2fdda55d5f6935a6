# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it can change at any time.

"""Ensuring one object, whatever its kind: write what was decided, delete, wait and say why not."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.vmscale.kubevirt.plugins.module_utils import _plan, _report
from ansible_collections.vmscale.kubevirt.plugins.module_utils._api import Api
from ansible_collections.vmscale.kubevirt.plugins.module_utils._clock import Clock, Deadline
from ansible_collections.vmscale.kubevirt.plugins.module_utils._errors import ApiError, EngineError, WaitTimeout
from ansible_collections.vmscale.kubevirt.plugins.module_utils._manifest import Wanted
from ansible_collections.vmscale.kubevirt.plugins.module_utils._resources import Object, is_deleting, metadata
from ansible_collections.vmscale.kubevirt.plugins.module_utils._task import Result, Task

if t.TYPE_CHECKING:
    from ansible_collections.vmscale.kubevirt.plugins.module_utils._wait import Subject, Waited

# How often a write is planned anew because somebody else wrote in between.
WRITE_TRIES = 10
CONFLICT_PAUSE_SECONDS = 0.1

Done = t.TypeVar("Done")
Seen = t.TypeVar("Seen")


@dataclass(frozen=True)
class Written:
    """What was there, what is there now (or would be, in check mode), and the plan that led from one to the other."""

    before: Object | None
    after: Object
    plan: _plan.Plan

    @property
    def has_changed(self) -> bool:
        """True where something that a user writes differs."""
        return self.plan.creates or not _report.is_same(self.before, self.after)

    @property
    def method(self) -> str | None:
        """What was written, as the modules return it."""
        if self.plan.action == _plan.NOTHING:
            return None
        return "create" if self.plan.creates else "patch"


def write(
    task: Task,
    api: Api,
    wanted: Wanted,
    read: t.Callable[[], Object | None],
    decide: t.Callable[[Object | None], _plan.Plan],
    prepare: t.Callable[[Object | None, _plan.Plan], None] | None = None,
) -> Written:
    """Read, decide and write, again where somebody else wrote in between. Raises ``EngineError``.

    ``prepare`` is called before what is there is changed.
    """

    def attempt() -> Written:
        before = read()
        plan = decide(before)
        if plan.action == _plan.NOTHING and before is not None:
            return Written(before, before, plan)
        if prepare is not None:
            prepare(before, plan)
        return Written(before, api.apply(wanted.resource, wanted.namespace, wanted.name, plan.body, task.check_mode), plan)

    return again_on_conflict(task.clock, attempt)


def again_on_conflict(clock: Clock, attempt: t.Callable[[], Done]) -> Done:
    """What ``attempt`` returns, which reads and decides anew where somebody else wrote in between. Raises ``EngineError``."""
    tries = 0
    while True:
        tries += 1
        try:
            return attempt()
        except ApiError as error:
            if not error.is_conflict or tries >= WRITE_TRIES:
                raise
        clock.sleep(CONFLICT_PAUSE_SECONDS)


def delete(task: Task, api: Api, wanted: Wanted, before: Object | None, propagation: str) -> Result:
    """Delete the object unless that has been asked for already: ``changed`` and ``method`` of the result."""
    if before is None or is_deleting(before):
        return {"changed": False, "method": None}
    uid = str(metadata(before).get("uid", ""))
    api.delete(wanted.resource, wanted.namespace, wanted.name, uid, propagation, task.check_mode)
    return {"changed": True, "method": "delete"}


def is_gone(live: Object | None, before: Object | None) -> bool:
    """True where ``before`` is no longer there: there is nothing, or another object of the same name."""
    return live is None or (before is not None and metadata(live).get("uid") != metadata(before).get("uid"))


def wait_or_fail(
    task: Task,
    api: Api,
    deadline: Deadline,
    label: str,
    trouble: str,
    subject: Subject[Seen],
    known: Result,
    facts: t.Callable[[Seen], Result],
    first: Seen | None = None,
) -> Waited[Seen]:
    """Wait, and raise ``WaitTimeout`` with the ``facts`` of what was seen last where it does not become as it should be.

    ``trouble`` is what the sentence says of the object then: ``is not ready``. ``known`` are the facts where nothing can be seen at all.
    """
    from ansible_collections.vmscale.kubevirt.plugins.module_utils._wait import wait_for

    try:
        waited = wait_for(subject, task, api, deadline, first)
    except EngineError as error:
        # What has been written is told whatever becomes of the wait.
        error.facts = {**known, "timeline": [], "diagnosis": [], "duration": round(deadline.elapsed, 3), **error.facts}
        raise
    if waited.unmet:
        raise WaitTimeout(
            waited.sentence(label, trouble, deadline.seconds),
            **{**facts(waited.seen), **waited.as_result(), "reasons": waited.reasons},
        )
    return waited


class Job(t.Protocol[Seen]):
    """One object that is to be ensured, or to be gone."""

    wanted: Wanted
    trouble: str
    result: Result

    def write(self) -> None:
        """Read, decide and write; ``result`` tells of it from then on. Raises ``EngineError``."""

    def finish(self) -> bool:
        """Do what takes longer than a write and cannot be done for many at once; True where nothing is left to be waited for."""

    def subject(self) -> Subject[Seen] | None:
        """What is to be waited for, None for nothing."""

    def first(self) -> Seen | None:
        """What is known of it already, None where that is not enough to judge by."""

    def facts(self, seen: Seen | None) -> Result:
        """The object and its counts: as they were seen last, or as they were written."""

    def diff(self) -> Result:
        """A diff as Ansible shows it."""


def ensure_one(task: Task, api: Api, deadline: Deadline, job: Job[Seen]) -> Result:
    """Ensure one object, and wait for it where that is asked for: the module's result. Raises ``EngineError``."""
    job.write()
    seen: Seen | None = None
    subject = None if job.finish() or not task.is_waiting else job.subject()
    if subject is not None:
        waited = wait_or_fail(
            task,
            api,
            deadline,
            job.wanted.label,
            job.trouble,
            subject,
            {**job.result, **job.facts(None)},
            facts=lambda seen: {**job.result, **job.facts(seen)},
            first=job.first(),
        )
        seen = waited.seen
        job.result.update(waited.as_result())
    return {**job.result, **job.facts(seen), **({"diff": job.diff()} if task.is_diff_wanted else {})}
