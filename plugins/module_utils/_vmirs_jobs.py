# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it can change at any time.

"""What the module ``vmirs`` does for one set: ensure it, or remove it."""

from __future__ import annotations

import typing as t

from ansible_collections.vmscale.kubevirt.plugins.module_utils import _plan, _replicaset, _report
from ansible_collections.vmscale.kubevirt.plugins.module_utils._clock import Deadline
from ansible_collections.vmscale.kubevirt.plugins.module_utils._ensure import Job, Written, delete, wait_or_fail, write
from ansible_collections.vmscale.kubevirt.plugins.module_utils._errors import EngineError, OptionError
from ansible_collections.vmscale.kubevirt.plugins.module_utils._manifest import Wanted
from ansible_collections.vmscale.kubevirt.plugins.module_utils._reader import Reader
from ansible_collections.vmscale.kubevirt.plugins.module_utils._replicaset import Snapshot
from ansible_collections.vmscale.kubevirt.plugins.module_utils._resources import (
    AUTOSCALERS,
    INSTANCES,
    REPLICA_SETS,
    SCALE_IN_ANNOTATION,
    Object,
    annotations_of,
    is_deleting,
    spec,
)
from ansible_collections.vmscale.kubevirt.plugins.module_utils._task import Result, Task
from ansible_collections.vmscale.kubevirt.plugins.module_utils._vmirs_facts import facts_of

if t.TYPE_CHECKING:
    from ansible_collections.vmscale.kubevirt.plugins.module_utils._history import History
    from ansible_collections.vmscale.kubevirt.plugins.module_utils._rollout import Pace
    from ansible_collections.vmscale.kubevirt.plugins.module_utils._situation import Situation
    from ansible_collections.vmscale.kubevirt.plugins.module_utils._vmirs_rollout import Rollout
    from ansible_collections.vmscale.kubevirt.plugins.module_utils._wait_replica_set import GoneWait, ReadyWait


def job_of(task: Task, reader: Reader, deadline: Deadline, wanted: Wanted, is_absent: bool = False) -> Job[Situation]:
    """What is to be done for one set."""
    if is_absent or task.params.get("state") == "absent":
        return _Removal(task, reader, wanted)
    return _Ensuring(task, reader, deadline, wanted)


class _Ensuring:
    """A set that is to be as it is described."""

    trouble = "is not ready"

    def __init__(self, task: Task, reader: Reader, deadline: Deadline, wanted: Wanted) -> None:
        self.wanted = wanted
        self.result: Result = {"changed": False, "method": None, "autoscaled_by": None}
        self._task = task
        self._reader = reader
        self._deadline = deadline
        self._history: History | None = None
        self._pace = _pace(task, wanted)
        self._rollout: Rollout | None = None
        self._written: Written | None = None
        self._subject: ReadyWait | None = None

    @property
    def _after(self) -> Object:
        return {} if self._written is None else self._written.after

    @property
    def _history_warnings(self) -> t.Sequence[str]:
        return () if self._history is None else self._history.warnings

    def _keep_history(self) -> History:
        from ansible_collections.vmscale.kubevirt.plugins.module_utils._vmirs_rollout import history_of

        if self._history is None:
            self._history = history_of(self._task, self._reader.api, self.wanted.namespace)
        return self._history

    def write(self) -> None:
        wanted = self.wanted
        written = write(self._task, self._reader.api, wanted, self._read, self._decide, self._prepare)
        self._written = written
        self.result = {
            "changed": written.has_changed,
            "method": written.method,
            "autoscaled_by": None if written.plan.autoscaled_by is None else list(written.plan.autoscaled_by),
            "warnings": [*written.plan.warnings, *_say_unfinished(written.after, wanted.label), *self._history_warnings],
        }

    def _read(self) -> Object | None:
        live = self._reader.find(REPLICA_SETS, self.wanted.namespace, self.wanted.name)
        if live is None or not is_deleting(live):
            return live
        self._wait_for_name(live)
        return None

    def _wait_for_name(self, before: Object) -> None:
        """A set of that name is on its way out: it has to be gone before a new one can be made."""
        if self._task.check_mode:
            return
        if not self._task.is_waiting:
            raise EngineError(
                f"{self.wanted.label} is being deleted, and a new one cannot be made before it is gone: "
                f'run the task again later, or set "wait: true".'
            )
        removal = _Removal(self._task, self._reader, self.wanted, before)
        wait_or_fail(
            self._task,
            self._reader.api,
            self._deadline,
            self.wanted.label,
            removal.trouble,
            removal.subject(),
            {**self.result, **facts_of(Snapshot(before, None))},
            facts=lambda seen: {**self.result, **removal.facts(seen)},
        )

    def _decide(self, before: Object | None) -> _plan.Plan:
        """The plan; the autoscalers are read only where it depends on them."""
        wanted, autoscalers = self.wanted, None
        if _plan.must_know_autoscalers(wanted, before):
            found = self._reader.list(AUTOSCALERS, wanted.namespace)
            autoscalers = [each for each in found if _plan.targets(each, wanted.namespace, wanted.name)]
        return _plan.plan_replica_set(
            wanted,
            before,
            autoscalers,
            self._task.params.get("replicas_when_autoscaled") or "keep",
            bool(self._task.params.get("allow_selector_change")),
        )

    def _prepare(self, before: Object | None, plan: _plan.Plan) -> None:
        if before is not None and plan.changes_template:
            if self._pace is not None:
                from ansible_collections.vmscale.kubevirt.plugins.module_utils._vmirs_rollout import check_can_roll_out

                check_can_roll_out({**before, "spec": {**spec(before), **spec(plan.body)}}, self.wanted.label)
                self._check_rights(before, self._pace)
            self._keep_history().record(before)

    def _check_rights(self, before: Object, pace: Pace) -> None:
        """Ask for every right that the rollout needs before anything is written."""
        from ansible_collections.vmscale.kubevirt.plugins.module_utils._vmirs_rollout import read_surroundings

        api, namespace = self._reader.api, self.wanted.namespace
        instances = Reader(api).chosen_by(before, INSTANCES, namespace).items
        read_surroundings(api, namespace, before, _replicaset.own_instances(before, instances), pace)

    def finish(self) -> bool:
        """Roll out, where that is asked for."""
        if self._pace is None:
            return False
        try:
            return self._roll_out(self._pace)
        except EngineError as error:
            # What has been written is told whatever becomes of the rollout.
            error.facts = {**self.result, **facts_of(Snapshot(self._after, None)), **error.facts}
            raise

    def _roll_out(self, pace: Pace) -> bool:
        """Bring every VMI to what has been written; False for a set that is paused, where nothing is outdated either."""
        from ansible_collections.vmscale.kubevirt.plugins.module_utils import _rollout
        from ansible_collections.vmscale.kubevirt.plugins.module_utils._vmirs_rollout import Rollout, check_can_roll_out

        after, namespace, api = self._after, self.wanted.namespace, self._reader.api
        instances = Reader(api).chosen_by(after, INSTANCES, namespace)
        if _rollout.outdated(after, _replicaset.own_instances(after, instances.items)):
            check_can_roll_out(after, self.wanted.label)
        if spec(after).get("paused"):
            self.result.update(replaced=[], batches=[])
            return False
        self._rollout = Rollout(self._task, api, namespace, after, pace, self._keep_history())
        self.result = self._rollout.run(self.result, instances)
        self.result["warnings"] = list(dict.fromkeys([*self.result["warnings"], *self._history_warnings]))
        return True

    def subject(self) -> ReadyWait:
        from ansible_collections.vmscale.kubevirt.plugins.module_utils._wait_replica_set import ReadyWait

        if self._subject is None:
            after, namespace = self._after, self.wanted.namespace
            known = None if self.result["changed"] else self._reader.chosen_by(after, INSTANCES, namespace)
            self._subject = ReadyWait(self._reader.api, namespace, after, known, is_pause_wanted=bool(self.wanted.spec.get("paused")))
        return self._subject

    def first(self) -> Situation | None:
        return self.subject().first

    def facts(self, seen: Situation | None) -> Result:
        if self._rollout is not None:
            return {}
        if seen is not None:
            from ansible_collections.vmscale.kubevirt.plugins.module_utils._wait_replica_set import snapshot_of

            return facts_of(snapshot_of(seen))
        return facts_of(Snapshot(None if self._written is None else self._written.after, None))

    def diff(self) -> Result:
        before = None if self._written is None else self._written.before
        if self._rollout is not None:
            return self._rollout.diff(before, self._after)
        return _report.diff(before, self._after, self.wanted.label)


class _Removal:
    """A set that is to be gone."""

    trouble = "is not gone"

    def __init__(self, task: Task, reader: Reader, wanted: Wanted, before: Object | None = None) -> None:
        self.wanted = wanted
        self.result: Result = {"changed": False, "method": None, "autoscaled_by": None}
        self._task = task
        self._reader = reader
        self._before = before

    def write(self) -> None:
        wanted = self.wanted
        self._before = self._reader.find(REPLICA_SETS, wanted.namespace, wanted.name)
        # Foreground keeps the set until its VMIs are gone, so a run that is killed and repeated still sees what is left to wait for.
        propagation = "Orphan" if self._task.params.get("orphan") else "Foreground"
        self.result.update(delete(self._task, self._reader.api, wanted, self._before, propagation))

    def finish(self) -> bool:
        return self._before is None

    def subject(self) -> GoneWait:
        from ansible_collections.vmscale.kubevirt.plugins.module_utils._wait_replica_set import GoneWait

        return GoneWait(self._reader.api, self.wanted.namespace, self._before or {}, bool(self._task.params.get("orphan")))

    def first(self) -> None:
        return None

    def facts(self, seen: Situation | None) -> Result:
        if seen is not None:
            return facts_of(Snapshot(seen.replica_set, seen.instances))
        if self._before is None:
            return facts_of(Snapshot(None, ()))
        return facts_of(Snapshot(self._before if self._task.is_waiting else None, None))

    def diff(self) -> Result:
        return _report.diff(self._before, None if self.result["changed"] else self._before, self.wanted.label)


def _pace(task: Task, wanted: Wanted) -> Pace | None:
    """How fast to roll out, None where that has not been asked for. Raises ``OptionError``."""
    if not task.params.get("rollout"):
        return None
    from ansible_collections.vmscale.kubevirt.plugins.module_utils._vmirs_rollout import pace_of

    if task.params.get("template_hash") is False:
        raise OptionError('"rollout" needs the template hash, by which outdated VMIs are told: leave out "template_hash: false".')
    if wanted.spec.get("paused"):
        raise OptionError(
            f'"rollout" and "paused" exclude each other: what a rollout removes from a paused set is not replaced ({wanted.label}).'
        )
    return pace_of(task.params)


def _say_unfinished(live: Object, set_label: str) -> list[str]:
    if SCALE_IN_ANNOTATION not in annotations_of(live):
        return []
    from ansible_collections.vmscale.kubevirt.plugins.module_utils._scale import unfinished_scale_in

    unfinished = unfinished_scale_in(live)
    return [] if unfinished is None else [f"{set_label} is paused: {unfinished.clause}."]
