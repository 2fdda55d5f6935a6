# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it can change at any time.

"""Waits that follow one another in one task, told as one."""

from __future__ import annotations

import typing as t

from ansible_collections.vmscale.kubevirt.plugins.module_utils._api import Api
from ansible_collections.vmscale.kubevirt.plugins.module_utils._clock import Deadline
from ansible_collections.vmscale.kubevirt.plugins.module_utils._ensure import wait_or_fail
from ansible_collections.vmscale.kubevirt.plugins.module_utils._errors import EngineError
from ansible_collections.vmscale.kubevirt.plugins.module_utils._task import Result, Task
from ansible_collections.vmscale.kubevirt.plugins.module_utils._timeline import joined
from ansible_collections.vmscale.kubevirt.plugins.module_utils._wait import Seen, Subject

Part = tuple[float, t.Sequence[t.Mapping[str, t.Any]]]


class Waits:
    """The waits of one task for one object."""

    def __init__(self, task: Task, api: Api, label: str) -> None:
        self._task = task
        self._api = api
        self._label = label
        self._began = task.clock.now()
        self._parts: list[Part] = []
        self._last: Result = {"diagnosis": []}

    def wait(
        self,
        trouble: str,
        subject: Subject[Seen],
        deadline: Deadline,
        facts: t.Callable[[Seen], Result],
        known: Result,
        first: Seen | None = None,
    ) -> Seen:
        """Wait as ``wait_or_fail`` does: what was seen last. The facts of a failure tell of the waits before it, too."""
        began = self._elapsed
        self._api.retry_until(deadline)
        try:
            waited = wait_or_fail(self._task, self._api, deadline, self._label, trouble, subject, known, facts, first)
        except EngineError as error:
            parts = [*self._parts, (began, error.facts.get("timeline") or ())]
            error.facts.update(timeline=joined(parts), duration=self._elapsed)
            raise
        self._last = waited.as_result()
        self._parts.append((began, waited.timeline))
        return waited.seen

    def as_result(self) -> Result:
        """As the modules return a wait."""
        return {**self._last, "timeline": joined(self._parts), "duration": self._elapsed}

    @property
    def _elapsed(self) -> float:
        return round(self._task.clock.now() - self._began, 3)
