# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it can change at any time.

"""The operation of the module ``vmirs_rollout``, and the rollout itself, which ``vmirs`` runs as well."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from ansible_collections.vmscale.kubevirt.plugins.module_utils import _plan, _report, _revisions, _rollout
from ansible_collections.vmscale.kubevirt.plugins.module_utils._api import Api, Listing
from ansible_collections.vmscale.kubevirt.plugins.module_utils._clock import Deadline
from ansible_collections.vmscale.kubevirt.plugins.module_utils._disruption_budgets import say_held
from ansible_collections.vmscale.kubevirt.plugins.module_utils._ensure import again_on_conflict
from ansible_collections.vmscale.kubevirt.plugins.module_utils._errors import ApiError, EngineError, OptionError
from ansible_collections.vmscale.kubevirt.plugins.module_utils._history import History
from ansible_collections.vmscale.kubevirt.plugins.module_utils._replicaset import Snapshot, own_instances, template_hash_of
from ansible_collections.vmscale.kubevirt.plugins.module_utils._resources import (
    AUTOSCALERS,
    DISRUPTION_BUDGETS,
    INSTANCES,
    REPLICA_SETS,
    RESTARTED_ANNOTATION,
    TEMPLATE_HASH_LABEL,
    Object,
    annotations_of,
    is_deleting,
    label,
    labels_of,
    metadata,
    name_of,
    spec,
)
from ansible_collections.vmscale.kubevirt.plugins.module_utils._restart import stamped
from ansible_collections.vmscale.kubevirt.plugins.module_utils._rollout import Pace
from ansible_collections.vmscale.kubevirt.plugins.module_utils._scale import unfinished_scale_in
from ansible_collections.vmscale.kubevirt.plugins.module_utils._task import Result, Task
from ansible_collections.vmscale.kubevirt.plugins.module_utils._vmirs_facts import facts_of
from ansible_collections.vmscale.kubevirt.plugins.module_utils._wait_replica_set import selector_of, snapshot_of
from ansible_collections.vmscale.kubevirt.plugins.module_utils._wait_rollout import BatchWait, Step
from ansible_collections.vmscale.kubevirt.plugins.module_utils._waits import Waits

RESTARTED, ROLLED_BACK = "restarted", "rolled_back"
_SECONDS = ("pause_between", "batch_timeout", "progress_deadline", "min_ready_seconds")


def roll_out_replica_set(task: Task) -> Result:
    """Module ``vmirs_rollout``: every VMI runs the template that the parameters ask for. Raises ``EngineError``."""
    api, _deadline = task.connect()
    params = task.params
    pace = pace_of(params)
    for option, needed in (("revision", ROLLED_BACK), ("restart_id", RESTARTED)):
        if params.get(option) is not None and params.get("state") != needed:
            raise OptionError(f'"{option}" means something with "state: {needed}" only, and the state is {params.get("state")}.')
    namespace = params.get("namespace") or api.connection.namespace
    history = history_of(task, api, namespace)
    change = _Change(task, api, history, pace, namespace, str(params["name"]))
    before, after, instances = again_on_conflict(task.clock, change.run)
    result: Result = {
        "changed": before is not after,
        "method": None if before is after else "patch",
        "rolled_back_from": change.rolled_back_from,
        "warnings": history.warnings,
    }
    rollout = Rollout(task, api, namespace, after, pace, history)
    result = rollout.run(result, instances)
    return {**result, "diff": rollout.diff(before, after)} if task.is_diff_wanted else result


def history_of(task: Task, api: Api, namespace: str) -> History:
    """The history that the parameters ask to keep."""
    limit = task.params.get("revision_history_limit")
    return History(api, task.clock, namespace, 0 if limit is None else int(limit), task.check_mode)


def pace_of(params: t.Mapping[str, t.Any]) -> Pace:
    """How fast the parameters ask a rollout to go. Raises ``OptionError``."""
    for option in (*_SECONDS, "revision_history_limit"):
        if params.get(option) is not None and params[option] < 0:
            raise OptionError(f'"{option}" is {params[option]}: it must be 0 or more.')
    if not params["batch_timeout"]:
        raise OptionError('"batch_timeout" is 0: a batch needs some seconds.')
    return Pace(
        _rollout.max_unavailable(params["max_unavailable"]),
        params["order"],
        float(params["pause_between"]),
        float(params["batch_timeout"]),
        float(params["progress_deadline"]),
        float(params["min_ready_seconds"]),
        params["disruption_budgets"] == "respect",
    )


def check_can_roll_out(live: Object, set_label: str) -> None:
    """Raises ``OptionError`` for a set whose VMIs cannot be replaced now."""
    if is_deleting(live):
        raise OptionError(f"{set_label} is being deleted, so nothing can be rolled out.")
    if spec(live).get("paused"):
        unfinished = unfinished_scale_in(live)
        why = 'resume it first (vmirs with "paused: false")' if unfinished is None else unfinished.clause
        raise OptionError(f"{set_label} is paused, so nothing that a rollout removes would be replaced: {why}.")


@dataclass(frozen=True)
class Surroundings:
    """What a rollout has to reckon with: the least that an autoscaler may shrink the set to, and the PodDisruptionBudgets."""

    least: int | None
    budgets: Listing


def read_surroundings(api: Api, namespace: str, live: Object, own: t.Sequence[Object], pace: Pace) -> Surroundings:
    """Read them, and ask whether VMIs may be deleted: all that could be refused, before anything is written. Raises ``ApiError``."""
    for each in own[:1]:
        api.delete(INSTANCES, namespace, name_of(each), str(metadata(each).get("uid", "")), "Background", dry_run=True)
    return Surroundings(_least(api, namespace, live, pace), _budgets(api, namespace, pace))


def _least(api: Api, namespace: str, live: Object, pace: Pace) -> int | None:
    """What an autoscaler may shrink the set to, None where that makes no difference."""
    if not pace.max_unavailable.is_percent:
        return None
    scalers = [each for each in api.list(AUTOSCALERS, namespace) if _plan.targets(each, namespace, name_of(live))]
    return min((int(spec(each).get("minReplicas") or 1) for each in scalers), default=None)


def _budgets(api: Api, namespace: str, pace: Pace) -> Listing:
    if not pace.respects_budgets:
        return Listing((), "")
    try:
        return api.listing(DISRUPTION_BUDGETS, namespace)
    except ApiError as error:
        if error.is_forbidden:
            error.message = f'{error.message} Or set "disruption_budgets: ignore".'
        raise


class _Change:
    """What a rollout does to the set itself before it replaces VMIs: nothing, a stamp, or an older template."""

    def __init__(self, task: Task, api: Api, history: History, pace: Pace, namespace: str, name: str) -> None:
        self._task = task
        self._api = api
        self._pace = pace
        self._history = history
        self._namespace = namespace
        self._name = name
        self._label = label(REPLICA_SETS, namespace, name)
        self.rolled_back_from: int | None = None

    def run(self) -> tuple[Object, Object, Listing]:
        """The set before and after, which is the same where nothing was written, and its VMIs."""
        live = self._api.find(REPLICA_SETS, self._namespace, self._name)
        if live is None:
            raise OptionError(f"{self._label} does not exist: create it first (module vmirs).")
        check_can_roll_out(live, self._label)
        instances = self._api.listing(INSTANCES, self._namespace, label_selector=selector_of(live))
        own = own_instances(live, instances.items)
        after = self._restart(live, own) or self._roll_back(live, own) or live
        if template_hash_of(after) is None:
            raise OptionError(
                f"{self._label} carries no template hash, so nobody can tell which of its VMIs are outdated: change its template "
                f'with vmirs (with "template_hash: true"), or replace all of them with "state: restarted".'
            )
        return live, after, instances

    def _restart(self, live: Object, own: t.Sequence[Object]) -> Object | None:
        params = self._task.params
        if params.get("state") != RESTARTED:
            return None
        restart_id = params.get("restart_id")
        if _revisions.is_restarted(live, restart_id):
            return None
        read_surroundings(self._api, self._namespace, live, own, self._pace)
        now = self._api.now()
        template = _revisions.restarted(live, now.strftime("%Y-%m-%dT%H:%M:%SZ") if now else "", restart_id)
        return self._write(live, template, _revisions.restarted_annotation(template) if restart_id is None else {})

    def _roll_back(self, live: Object, own: t.Sequence[Object]) -> Object | None:
        params = self._task.params
        if params.get("state") != ROLLED_BACK:
            return None
        revisions = self._history.read(live)
        target = _revisions.target_of_roll_back(revisions, live, params.get("revision"), self._label)
        if target.hash == _revisions.hash_of(live):
            self.rolled_back_from = self._history.number_of(_revisions.rolled_back_from(live) or "")
            return None
        read_surroundings(self._api, self._namespace, live, own, self._pace)
        # Whoever wants to go forward again finds the template that is left behind.
        self._history.record(live)
        self.rolled_back_from = self._history.number_of(_revisions.hash_of(live))
        template = stamped(target.template, target.hash)
        return self._write(live, template, _revisions.rolled_back_annotation(live, target))

    def _write(self, live: Object, template: t.Mapping[str, t.Any], annotations: t.Mapping[str, str]) -> Object:
        patch = _revisions.with_template(live, template, annotations)
        return self._api.patch(REPLICA_SETS, self._namespace, self._name, patch, self._task.check_mode)


class Rollout:
    """Replaces the outdated VMIs of one set, batch after batch."""

    def __init__(self, task: Task, api: Api, namespace: str, live: Object, pace: Pace, history: History) -> None:
        self._task = task
        self._api = api
        self._namespace = namespace
        self._live = live
        self._pace = pace
        self._history = history
        self._waits = Waits(task, api, label(REPLICA_SETS, namespace, name_of(live)))
        self._batches: list[list[str]] = []
        self._finished: Object | None = None

    def run(self, result: Result, instances: Listing) -> Result:
        """Roll out: ``result`` with what became of it. Raises ``EngineError`` with the same facts where a batch does not become ready."""
        own = own_instances(self._live, instances.items)
        has_outdated = bool(_rollout.outdated(self._live, own))
        step, budgets = Step(), Listing((), "")
        try:
            if has_outdated:
                found = read_surroundings(self._api, self._namespace, self._live, own, self._pace)
                step, budgets = Step(least=found.least), found.budgets
                self._history.record(self._live, {labels_of(each).get(TEMPLATE_HASH_LABEL, "") for each in own})
        except EngineError as error:
            error.facts = {**self._facts(result, Snapshot(self._live, own)), **error.facts}
            raise
        if self._task.check_mode:
            self._batches, held_by = _rollout.planned_batches(self._live, own, self._pace, step.least, budgets.items)
            facts = self._facts(result, Snapshot(self._live, own))
            if held_by is not None:
                facts["warnings"] = [*facts.get("warnings", ()), f"The rollout would stop: {say_held(held_by)}."]
            return self._end_restart(facts)
        return self._end_restart(self._run(result, step, instances, budgets))

    def _end_restart(self, result: Result) -> Result:
        """A restart that has no id is finished, whoever finished it, so that the next one is another."""
        live = self._live
        if RESTARTED_ANNOTATION not in annotations_of(live):
            return result
        if self._task.check_mode:
            left = {key: value for key, value in annotations_of(live).items() if key != RESTARTED_ANNOTATION}
            self._finished = {**live, "metadata": {**metadata(live), "annotations": left}}
        else:
            body = {"metadata": {"annotations": {RESTARTED_ANNOTATION: None}}}
            try:
                self._finished = self._api.patch(REPLICA_SETS, self._namespace, name_of(live), body, dry_run=False)
            except ApiError as error:
                if error.is_forbidden and self._task.params.get("state") != RESTARTED:
                    return result
                error.facts = {**result, **error.facts}
                raise
        return {**result, "changed": True, "method": "patch", "result": _report.presentable(self._finished)}

    def _run(self, result: Result, step: Step, instances: Listing | None, budgets: Listing | None) -> Result:
        while True:
            # What a pause takes is no part of what a batch may take.
            deadline = Deadline.after(self._task.clock, self._pace.batch_timeout + step.pause)
            self._api.retry_until(deadline)
            subject = BatchWait(self._api, self._namespace, self._live, instances, budgets, self._pace, step)
            seen = self._waits.wait(
                f"has stopped its rollout in batch {step.number}" if step.number else "is not ready for a rollout",
                subject,
                deadline,
                lambda seen: self._facts(result, snapshot_of(seen)),
                self._facts(result, Snapshot(self._live, None)),
                subject.first,
            )
            self._live = seen.replica_set or self._live
            victims = subject.batch(seen).victims
            if not victims:
                return {**self._facts(result, snapshot_of(seen)), **self._waits.as_result()}
            instances = budgets = None
            if step.number and self._pace.pause_between and not step.pause:
                step = replace(step, pause=self._pace.pause_between)
            else:
                step = self._replace(result, victims, step.number + 1)

    def _replace(self, result: Result, victims: t.Sequence[Object], number: int) -> Step:
        self._api.retry_until(Deadline.after(self._task.clock, self._pace.batch_timeout))
        self._batches.append([])
        try:
            for each in victims:
                uid = str(metadata(each).get("uid", ""))
                self._api.delete(INSTANCES, self._namespace, name_of(each), uid, "Background", dry_run=False)
                self._batches[-1].append(name_of(each))
            least = _least(self._api, self._namespace, self._live, self._pace)
        except EngineError as error:
            error.facts = {**self._facts(result, Snapshot(self._live, None)), **self._waits.as_result(), **error.facts}
            raise
        return Step(number, frozenset(str(metadata(each).get("uid")) for each in victims), least)

    def _facts(self, result: Result, snapshot: Snapshot) -> Result:
        """``result`` with what has been replaced so far, or will be."""
        replaced = [name for batch in self._batches for name in batch]
        return {
            **result,
            "changed": result["changed"] or bool(replaced),
            "method": result["method"] or ("delete" if replaced else None),
            "replaced": replaced,
            "batches": [list(batch) for batch in self._batches if batch],
            "revision": self._history.number_of(_revisions.hash_of(self._live)),
            **facts_of(snapshot),
        }

    def diff(self, before: Object | None, after: Object) -> Result:
        """The set's, with the VMIs that are replaced."""
        shown = _report.diff(before, self._finished or after, label(REPLICA_SETS, self._namespace, name_of(after)))
        replaced = sorted(name for batch in self._batches for name in batch)
        if replaced:
            shown["before"]["instances"], shown["after"]["instances"] = replaced, []
        return shown
