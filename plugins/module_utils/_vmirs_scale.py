# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it can change at any time.

"""The operation of the module ``vmirs_scale``."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.vmscale.kubevirt.plugins.module_utils import _plan, _replicaset, _report, _scale
from ansible_collections.vmscale.kubevirt.plugins.module_utils._api import Api
from ansible_collections.vmscale.kubevirt.plugins.module_utils._clock import Deadline
from ansible_collections.vmscale.kubevirt.plugins.module_utils._ensure import again_on_conflict
from ansible_collections.vmscale.kubevirt.plugins.module_utils._errors import ApiError, EngineError, OptionError
from ansible_collections.vmscale.kubevirt.plugins.module_utils._manifest import check_count
from ansible_collections.vmscale.kubevirt.plugins.module_utils._replicaset import Snapshot
from ansible_collections.vmscale.kubevirt.plugins.module_utils._resources import (
    AUTOSCALERS,
    INSTANCES,
    REPLICA_SETS,
    SCALE_IN_ANNOTATION,
    Object,
    annotations_of,
    is_deleting,
    label,
    metadata,
    name_of,
    spec,
)
from ansible_collections.vmscale.kubevirt.plugins.module_utils._scale import Bounds, Number, ScaleIn
from ansible_collections.vmscale.kubevirt.plugins.module_utils._situation import Situation
from ansible_collections.vmscale.kubevirt.plugins.module_utils._task import Result, Task
from ansible_collections.vmscale.kubevirt.plugins.module_utils._vmirs_facts import facts_of
from ansible_collections.vmscale.kubevirt.plugins.module_utils._wait_replica_set import (
    PausedWait,
    ReadyWait,
    selector_of,
    snapshot_of,
)
from ansible_collections.vmscale.kubevirt.plugins.module_utils._waits import Waits

_SCALE = "scale"


def scale_replica_set(task: Task) -> Result:
    """Module ``vmirs_scale``: the set has as many replicas as the parameters say. Raises ``EngineError``."""
    api, deadline = task.connect()
    params = task.params
    check_count(params.get("replicas"), "replicas", "spec.replicas", 0)
    if not all(params.get("remove") or ()):
        raise OptionError('"remove" has an empty name in it: name VMIs of the set.')
    namespace = params.get("namespace") or api.connection.namespace
    scaling = _Scaling(task, api, deadline, namespace, str(params["name"]))
    return again_on_conflict(task.clock, scaling.run)


class _Overtaken(EngineError):
    """Somebody else has gone on with the set in the middle of a scale-in: what becomes of it is theirs."""


@dataclass(frozen=True)
class _Decision:
    """What is to be done: ``victims`` is None where KubeVirt chooses."""

    live: Object
    number: Number
    bounds: tuple[Bounds, ...]
    autoscaled_by: tuple[str, ...] | None
    victims: tuple[Object, ...] | None

    @property
    def has_changed(self) -> bool:
        return self.number.writes or bool(self.bounds or self.victims) or _scale.unfinished_scale_in(self.live) is not None


class _Scaling:
    """One scaling of one set."""

    def __init__(self, task: Task, api: Api, deadline: Deadline, namespace: str, name: str) -> None:
        self._task = task
        self._api = api
        self._namespace = namespace
        self._name = name
        self._label = label(REPLICA_SETS, namespace, name)
        self._waits = Waits(task, api, self._label)
        self._deadline = deadline
        self._moved: dict[str, Bounds] = {}
        self._remove: tuple[str, ...] = tuple(str(each) for each in task.params.get("remove") or ())
        self._order: str | None = task.params.get("scale_in_order")

    def run(self) -> Result:
        """Read, decide, write, wait."""
        try:
            return self._run()
        except EngineError as error:
            if self._moved:
                error.facts = {"changed": True, "method": "patch", "autoscaler_bounds": self._moved_bounds, **error.facts}
            raise

    def _run(self) -> Result:
        live = self._read()
        decision = self._decide(live)
        for bounds in decision.bounds:
            self._move(bounds)
        result: Result = {
            "changed": decision.has_changed or bool(self._moved),
            "method": None,
            "previous_replicas": _replicaset.desired_replicas(live),
            "removed": None if decision.victims is None else [name_of(each) for each in decision.victims],
            "autoscaled_by": None if decision.autoscaled_by is None else list(decision.autoscaled_by),
            "autoscaler_bounds": self._moved_bounds,
            "warnings": list(decision.number.warnings),
        }
        after, method = live, "patch" if self._moved else None
        if decision.victims or _scale.unfinished_scale_in(live) is not None:
            after, method = self._scale_in(decision, result), "patch"
        elif decision.number.writes:
            after, method = self._write(live, decision.number.replicas)
        result["method"] = method
        snapshot = Snapshot(after, None)
        if self._task.is_waiting:
            snapshot = self._wait(after, decision, result)
            result.update(self._waits.as_result())
        if self._task.is_diff_wanted:
            result["diff"] = self._diff(decision, after)
        facts = facts_of(snapshot)
        if "template" not in spec(after):
            # A scale does not tell it.
            facts["replicas"]["ready"] = None
        return {**result, **facts}

    def _read(self) -> Object:
        """The set; where only its scale may be read, as much of it as that tells."""
        live: Object | None
        try:
            live = self._api.find(REPLICA_SETS, self._namespace, self._name)
        except ApiError as error:
            if error.is_forbidden and self._task.params.get("wait") and not self._chooses:
                error.message = f'{error.message} Or set "wait: false": then its scale is enough.'
            if not error.is_forbidden or self._task.params.get("wait") or self._chooses:
                raise
            live = self._read_scale(error)
        if live is None:
            raise OptionError(f"{self._label} does not exist: create it first (module vmirs).")
        if is_deleting(live):
            raise OptionError(f"{self._label} is being deleted, so it cannot be scaled.")
        return live

    def _read_scale(self, refusal: ApiError) -> Object | None:
        try:
            scale = self._api.find(REPLICA_SETS, self._namespace, self._name, subresource=_SCALE)
        except ApiError as error:
            if not error.is_forbidden:
                raise
            raise _neither(refusal, error) from error
        return None if scale is None else _of_scale(scale)

    @property
    def _moved_bounds(self) -> list[dict[str, t.Any]]:
        return [each.as_result() for each in self._moved.values()]

    @property
    def _chooses(self) -> bool:
        return bool(self._remove or self._order)

    def _decide(self, live: Object) -> _Decision:
        params, present = self._task.params, spec(live).get("replicas")
        unfinished = _scale.unfinished_scale_in(live)
        chooses = self._chooses or unfinished is not None
        instances: tuple[Object, ...] = ()
        if chooses:
            instances = self._api.listing(INSTANCES, self._namespace, label_selector=selector_of(live)).items
        wanted = params.get("replicas")
        if chooses or wanted is None:
            wanted = _scale.wanted_number(live, (*instances, *self._strangers(instances)), wanted, self._remove, self._label)
        policy, widens = params.get("replicas_when_autoscaled") or _scale.FAIL, params.get("autoscaler_bounds") == _scale.WIDEN
        autoscalers = self._autoscalers() if widens or (present and present != wanted) else None
        number = _scale.decide_number(present, wanted, autoscalers or (), policy, self._label, unfinished, widens)
        victims: tuple[Object, ...] | None = None
        if chooses:
            is_scale_in = unfinished is not None or (number.writes and wanted < _replicaset.desired_replicas(live))
            # Where the autoscaler keeps its number, those that are named stay as well.
            remove, remembered = self._remove if number.replicas == wanted else (), unfinished.remove if unfinished else ()
            victims = _scale.victims(live, instances, number.replicas, remove, self._order, remembered) if is_scale_in else ()
        bounds = _scale.widened(autoscalers or (), wanted) if widens and number.replicas == wanted else []
        names = None if autoscalers is None else tuple(sorted(name_of(each) for each in autoscalers))
        return _Decision(live, number, tuple(bounds), names, victims)

    def _strangers(self, instances: t.Sequence[Object]) -> list[Object]:
        """VMIs that are named and that the set's selector does not choose."""
        chosen = {name_of(each) for each in instances}
        found = [self._api.find(INSTANCES, self._namespace, name) for name in dict.fromkeys(self._remove) if name not in chosen]
        return [each for each in found if each is not None]

    def _autoscalers(self) -> list[Object] | None:
        """Those that scale the set; None where they may not be read, and the answer would decide nothing."""
        try:
            found = self._api.list(AUTOSCALERS, self._namespace)
        except ApiError as error:
            decides = self._task.params.get("replicas_when_autoscaled") != _scale.SET or (
                self._task.params.get("autoscaler_bounds") == _scale.WIDEN
            )
            if decides or not error.is_forbidden:
                raise
            return None
        return [each for each in found if _plan.targets(each, self._namespace, self._name)]

    def _move(self, bounds: Bounds) -> None:
        body = {
            "metadata": {"resourceVersion": bounds.version},
            "spec": {"minReplicas": bounds.min_replicas, "maxReplicas": bounds.max_replicas},
        }
        self._api.patch(AUTOSCALERS, self._namespace, bounds.name, body, self._task.check_mode)
        self._moved[bounds.name] = bounds

    def _write(self, live: Object, replicas: int) -> tuple[Object, str]:
        """Write the number, by whichever way is allowed: the set as it is then, and the way."""
        version = {"resourceVersion": metadata(live).get("resourceVersion")}
        body = {"metadata": version, "spec": {"replicas": replicas}}
        # What somebody has resumed by hand is not to be taken up again when it is paused another time.
        stale: dict[str, t.Any] = {"annotations": {SCALE_IN_ANNOTATION: None}} if SCALE_IN_ANNOTATION in annotations_of(live) else {}
        try:
            return self._patch({**body, "metadata": {**version, **stale}}), "patch"
        except ApiError as error:
            if not error.is_forbidden:
                raise
            refusal = error
        try:
            self._patch(body, _SCALE)
        except ApiError as error:
            if not error.is_forbidden:
                raise
            raise _neither(refusal, error) from error
        return {**live, "spec": {**spec(live), "replicas": replicas}}, _SCALE

    def _patch(self, body: t.Mapping[str, t.Any], subresource: str = "") -> Object:
        return self._api.patch(REPLICA_SETS, self._namespace, self._name, body, self._task.check_mode, subresource)

    def _scale_in(self, decision: _Decision, result: Result) -> Object:
        """Pause, delete who is to go, lower the number and resume. Ended anywhere, the annotation tells the next run how to go on."""
        live, victims = decision.live, decision.victims or ()
        before = _scale.unfinished_scale_in(live)
        resume = before.resume if before is not None else not spec(live).get("paused")
        job = ScaleIn(decision.number.replicas, tuple(name_of(each) for each in victims), resume)
        # Whether they may be deleted has to be known before the set is paused for it.
        for each in victims if self._task.check_mode else victims[:1]:
            self._delete(each, dry_run=True)
        if self._task.check_mode:
            return self._patch(_resumed(job, metadata(live).get("resourceVersion")))
        if before != job or not spec(live).get("paused"):
            live = self._patch(
                {
                    "metadata": {
                        "resourceVersion": metadata(live).get("resourceVersion"),
                        "annotations": {SCALE_IN_ANNOTATION: job.as_annotation()},
                    },
                    "spec": {"paused": True},
                }
            )
        deleted: set[str] = set()
        removed: list[str] = []
        result.update(method="patch", removed=removed)
        try:
            seen = self._settle(live, frozenset(), result)
            self._check_is_ours(seen.replica_set, job)
            for each in _scale.victims(live, seen.instances, job.replicas, job.remove, self._order):
                self._delete(each, dry_run=False)
                deleted.add(str(metadata(each).get("uid")))
                removed.append(name_of(each))
            self._settle(live, deleted, result)
            return again_on_conflict(self._task.clock, lambda: self._resume(job))
        except EngineError as error:
            error.facts = {**result, **self._waits.as_result(), **error.facts}
            if isinstance(error, _Overtaken):
                raise
            # What a run before this one has deleted would come back if the set were resumed as it was.
            error.message = f"{error.message.rstrip('.')}. {self._leave(job, bool(deleted) or before is not None)}"
            raise

    def _resume(self, job: ScaleIn) -> Object:
        live = self._api.get(REPLICA_SETS, self._namespace, self._name)
        self._check_is_ours(live, job)
        return self._patch(_resumed(job, metadata(live).get("resourceVersion")))

    def _check_is_ours(self, live: Object | None, job: ScaleIn) -> None:
        if live is None or _scale.unfinished_scale_in(live) != job:
            raise _Overtaken(f"{self._label} has been resumed or scaled by somebody else meanwhile: run one task at a time.")

    def _settle(self, live: Object, gone: t.AbstractSet[str], result: Result) -> Situation:
        subject = PausedWait(self._api, self._namespace, live, gone)
        trouble = "has not counted its VMIs" if gone else "is not paused"
        return self._waits.wait(trouble, subject, self._deadline, lambda seen: {**result, **facts_of(snapshot_of(seen))}, result)

    def _delete(self, instance: Object, dry_run: bool) -> None:
        uid = str(metadata(instance).get("uid", ""))
        self._api.delete(INSTANCES, self._namespace, name_of(instance), uid, "Background", dry_run)

    def _leave(self, job: ScaleIn, has_deleted: bool) -> str:
        """What becomes of a scale-in that has failed: undone where nothing is deleted yet, left to the next run otherwise."""
        left = "The set is left paused: run the task again to finish what it began."
        if has_deleted:
            return left
        body = _resumed(job)
        try:
            self._patch({"metadata": body["metadata"], "spec": {"paused": body["spec"]["paused"]}})
        except EngineError:
            return left
        return "The set has been resumed." if job.resume else "The set is as it was."

    def _wait(self, after: Object, decision: _Decision, result: Result) -> Snapshot:
        instances = None
        if not decision.has_changed:
            instances = self._api.listing(INSTANCES, self._namespace, label_selector=selector_of(after))
        subject = ReadyWait(self._api, self._namespace, after, instances)
        seen = self._waits.wait(
            "is not ready",
            subject,
            self._deadline,
            lambda seen: {**result, **facts_of(snapshot_of(seen))},
            {**result, **facts_of(Snapshot(after, None))},
            subject.first,
        )
        return snapshot_of(seen)

    def _diff(self, decision: _Decision, after: Object) -> Result:
        """The set's, with the VMIs that go and the bounds that move."""
        shown = _report.diff(decision.live, after, self._label)
        if decision.victims:
            shown["before"]["instances"], shown["after"]["instances"] = sorted(name_of(each) for each in decision.victims), []
        if self._moved:
            shown["after"]["autoscalers"] = self._moved_bounds
        return shown


def _resumed(job: ScaleIn, version: t.Any = None) -> dict[str, t.Any]:
    """The last write of a scale-in: the number, and nothing left of the pause."""
    body: dict[str, t.Any] = {
        "metadata": {"annotations": {SCALE_IN_ANNOTATION: None}},
        "spec": {"replicas": job.replicas, "paused": None if job.resume else True},
    }
    if version is not None:
        body["metadata"]["resourceVersion"] = version
    return body


def _neither(of_set: ApiError, of_scale: ApiError) -> EngineError:
    """Neither the set nor its scale: either right would do."""
    answer = of_scale.answer
    return EngineError(f"{of_set.message} Or grant it on its scale: {of_scale.message}", status=answer.status, reason=answer.reason)


def _of_scale(scale: Object) -> Object:
    """A set as its scale shows it: autoscaling/v1 Scale."""
    counted = (scale.get("status") or {}).get("replicas")
    return {
        "apiVersion": REPLICA_SETS.api_version,
        "kind": REPLICA_SETS.kind,
        "metadata": metadata(scale),
        "spec": {"replicas": spec(scale).get("replicas")},
        "status": {"replicas": counted, "labelSelector": (scale.get("status") or {}).get("selector")},
    }
