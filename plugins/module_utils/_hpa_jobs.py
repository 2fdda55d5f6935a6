# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it can change at any time.

"""What the module ``hpa`` does for one autoscaler: ensure it, or remove it."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.vmscale.kubevirt.plugins.module_utils import _autoscaler, _plan, _report
from ansible_collections.vmscale.kubevirt.plugins.module_utils._clock import Deadline
from ansible_collections.vmscale.kubevirt.plugins.module_utils._ensure import Job, Written, delete, write
from ansible_collections.vmscale.kubevirt.plugins.module_utils._errors import EngineError, OptionError
from ansible_collections.vmscale.kubevirt.plugins.module_utils._hpa_facts import facts_of
from ansible_collections.vmscale.kubevirt.plugins.module_utils._manifest import Wanted
from ansible_collections.vmscale.kubevirt.plugins.module_utils._reader import Reader
from ansible_collections.vmscale.kubevirt.plugins.module_utils._resources import (
    AUTOSCALERS,
    POD_METRICS,
    REPLICA_SETS,
    Object,
    is_deleting,
    label,
    spec,
)
from ansible_collections.vmscale.kubevirt.plugins.module_utils._task import Result, Task

if t.TYPE_CHECKING:
    from ansible_collections.vmscale.kubevirt.plugins.module_utils._situation import Situation
    from ansible_collections.vmscale.kubevirt.plugins.module_utils._wait_autoscaler import AutoscalerGoneWait, AutoscalerWait


def job_of(task: Task, reader: Reader, _deadline: Deadline, wanted: Wanted, is_absent: bool = False) -> Job[Situation]:
    """What is to be done for one autoscaler."""
    if is_absent or task.params.get("state") == "absent":
        return _Removal(task, reader, wanted)
    return _Ensuring(task, reader, wanted)


class _Ensuring:
    """An autoscaler that is to be as it is described."""

    trouble = "does not act"

    def __init__(self, task: Task, reader: Reader, wanted: Wanted) -> None:
        self.wanted = wanted
        self.result: Result = {"changed": False, "method": None}
        self._task = task
        self._reader = reader
        self._written: Written | None = None
        self._subject: AutoscalerWait | None = None

    def write(self) -> None:
        wanted = self.wanted
        written = write(
            self._task,
            self._reader.api,
            wanted,
            read=lambda: self._reader.find(AUTOSCALERS, wanted.namespace, wanted.name),
            decide=self._decide,
        )
        self._written = written
        self.result = {"changed": written.has_changed, "method": written.method, "warnings": list(written.plan.warnings)}

    def finish(self) -> bool:
        return False

    def subject(self) -> AutoscalerWait | None:
        from ansible_collections.vmscale.kubevirt.plugins.module_utils._wait_autoscaler import AutoscalerWait

        written = self._written
        if self._subject is None and written is not None:
            is_new = written.has_changed and written.before is not None and spec(written.before) != spec(written.after)
            self._subject = AutoscalerWait(
                self._reader.api,
                self.wanted.namespace,
                self.wanted.name,
                written.after,
                changed=written.after if is_new else None,
            )
        return self._subject

    def first(self) -> Situation | None:
        subject = self.subject()
        return None if subject is None else subject.first

    def facts(self, seen: Situation | None) -> Result:
        if seen is not None:
            return facts_of(seen.autoscaler)
        return facts_of(None if self._written is None else self._written.after)

    def diff(self) -> Result:
        if self._written is None:
            return {}
        return _report.diff(self._written.before, self._written.after, self.wanted.label)

    def _decide(self, before: Object | None) -> _plan.Plan:
        wanted = self.wanted
        if before is not None and is_deleting(before):
            raise EngineError(f"{wanted.label} is being deleted, and a new one cannot be made before it is gone: run the task again later.")
        plan = _plan.plan_autoscaler(wanted, before)
        if plan.action == _plan.NOTHING:
            return plan
        return replace(plan, warnings=tuple(self._check_surroundings(before)))

    def _check_surroundings(self, before: Object | None) -> list[str]:
        """What an autoscaler cannot do without is looked for before it is written: its target, and the metrics API."""
        wanted = self.wanted
        warnings: list[str] = []
        reference = wanted.spec.get("scaleTargetRef")
        is_new_target = reference is not None and (before is None or spec(before).get("scaleTargetRef") != reference)
        if self._task.params.get("require_target", True) and is_new_target and _autoscaler.scales_replica_set(wanted.body):
            name = str(reference["name"]) if reference else ""
            if self._reader.find(REPLICA_SETS, wanted.namespace, name) is None:
                problem = f'"target" of {wanted.label}, {label(REPLICA_SETS, wanted.namespace, name)}, does not exist'
                if not self._task.check_mode:
                    raise OptionError(
                        f'{problem}: create it first (module vmirs), or set "require_target: false" to create the autoscaler ahead of it.'
                    )
                warnings.append(f"{problem} yet.")
        needs_metrics = (before is None or "metrics" in wanted.spec) and _autoscaler.uses_resource_metrics(wanted.spec)
        if self._task.params.get("require_metrics_api", True) and needs_metrics and not self._reader.serves(POD_METRICS):
            raise OptionError(
                f"{wanted.label} scales by CPU or memory, and the metrics API (metrics.k8s.io) is not installed on "
                f"{self._reader.api.connection.server} or does not answer: install metrics-server, or set "
                f'"require_metrics_api: false" to create the autoscaler ahead of it.'
            )
        return warnings


class _Removal:
    """An autoscaler that is to be gone."""

    trouble = "is not gone"

    def __init__(self, task: Task, reader: Reader, wanted: Wanted) -> None:
        self.wanted = wanted
        self.result: Result = {"changed": False, "method": None}
        self._task = task
        self._reader = reader
        self._before: Object | None = None

    def write(self) -> None:
        self._before = self._reader.find(AUTOSCALERS, self.wanted.namespace, self.wanted.name)
        self.result.update(delete(self._task, self._reader.api, self.wanted, self._before, "Background"))

    def finish(self) -> bool:
        return self._before is None

    def subject(self) -> AutoscalerGoneWait:
        from ansible_collections.vmscale.kubevirt.plugins.module_utils._wait_autoscaler import AutoscalerGoneWait

        return AutoscalerGoneWait(self._reader.api, self.wanted.namespace, self.wanted.name, self._before)

    def first(self) -> None:
        return None

    def facts(self, seen: Situation | None) -> Result:
        if seen is not None:
            return facts_of(seen.autoscaler)
        return facts_of(self._before if self._task.is_waiting else None)

    def diff(self) -> Result:
        return _report.diff(self._before, None if self.result["changed"] else self._before, self.wanted.label)
