# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it can change at any time.

"""The operations of the modules ``vmirs`` and ``vmirs_info``."""

from __future__ import annotations

import typing as t

from ansible_collections.vmscale.kubevirt.plugins.module_utils import _plan, _replicaset, _report, _rollout, _selector
from ansible_collections.vmscale.kubevirt.plugins.module_utils._api import Api, Listing
from ansible_collections.vmscale.kubevirt.plugins.module_utils._clock import Deadline
from ansible_collections.vmscale.kubevirt.plugins.module_utils._ensure import Written, delete, wait_or_fail, write
from ansible_collections.vmscale.kubevirt.plugins.module_utils._errors import ApiError, EngineError, OptionError
from ansible_collections.vmscale.kubevirt.plugins.module_utils._history import History
from ansible_collections.vmscale.kubevirt.plugins.module_utils._manifest import Wanted
from ansible_collections.vmscale.kubevirt.plugins.module_utils._replicaset import Snapshot
from ansible_collections.vmscale.kubevirt.plugins.module_utils._replicaset_wanted import wanted_replica_set
from ansible_collections.vmscale.kubevirt.plugins.module_utils._resources import (
    AUTOSCALERS,
    INSTANCES,
    REPLICA_SETS,
    REVISION_SET_LABEL,
    REVISIONS,
    TEMPLATE_HASH_LABEL,
    Object,
    is_deleting,
    labels_of,
    metadata,
    name_of,
    spec,
)
from ansible_collections.vmscale.kubevirt.plugins.module_utils._revisions import hash_of, revision_of
from ansible_collections.vmscale.kubevirt.plugins.module_utils._rollout import Pace
from ansible_collections.vmscale.kubevirt.plugins.module_utils._scale import unfinished_scale_in
from ansible_collections.vmscale.kubevirt.plugins.module_utils._situation import Situation
from ansible_collections.vmscale.kubevirt.plugins.module_utils._task import Result, Task
from ansible_collections.vmscale.kubevirt.plugins.module_utils._vmirs_facts import facts_of
from ansible_collections.vmscale.kubevirt.plugins.module_utils._vmirs_rollout import (
    Rollout,
    check_can_roll_out,
    history_of,
    pace_of,
    read_surroundings,
)
from ansible_collections.vmscale.kubevirt.plugins.module_utils._wait import Waited
from ansible_collections.vmscale.kubevirt.plugins.module_utils._wait_replica_set import GoneWait, ReadyWait, selector_of, snapshot_of


def ensure_replica_set(task: Task) -> Result:
    """Module ``vmirs``: the set is as the parameters say, or absent. Raises ``EngineError``."""
    api, deadline = task.connect()
    manifest, source = task.manifest()
    wanted = wanted_replica_set(task.params, manifest, source, api.connection.namespace)
    if task.params.get("state") == "absent":
        return _remove(task, api, deadline, wanted)
    return _ensure(task, api, deadline, wanted)


def read_instances(api: Api, namespace: str, live: Object) -> Listing:
    """The VMIs that a set's selector chooses."""
    return api.listing(INSTANCES, namespace, label_selector=selector_of(live))


def _ensure(task: Task, api: Api, deadline: Deadline, wanted: Wanted) -> Result:
    def read() -> Object | None:
        live = api.find(REPLICA_SETS, wanted.namespace, wanted.name)
        if live is None or not is_deleting(live):
            return live
        _wait_for_name(task, api, deadline, wanted, live)
        return None

    history = history_of(task, api, wanted.namespace)
    pace = _pace(task, wanted)

    def prepare(before: Object | None, plan: _plan.Plan) -> None:
        if before is not None and plan.changes_template:
            if pace is not None:
                check_can_roll_out({**before, "spec": {**spec(before), **spec(plan.body)}}, wanted.label)
                own = _replicaset.own_instances(before, read_instances(api, wanted.namespace, before).items)
                read_surroundings(api, wanted.namespace, before, own, pace)
            history.record(before)

    written = write(task, api, wanted, read, lambda before: _decide(task, api, wanted, before), prepare)
    plan, snapshot = written.plan, Snapshot(written.after, None)
    result: Result = {
        "changed": written.has_changed,
        "method": written.method,
        "autoscaled_by": None if plan.autoscaled_by is None else list(plan.autoscaled_by),
        "warnings": [*plan.warnings, *_say_unfinished(written.after, wanted.label), *history.warnings],
    }
    if pace is not None:
        try:
            rolled_out = _roll_out(task, api, wanted, written, pace, history, result)
        except EngineError as error:
            # What has been written is told whatever becomes of the rollout.
            error.facts = {**result, **facts_of(snapshot), **error.facts}
            raise
        if rolled_out is not None:
            return rolled_out
        result.update(replaced=[], batches=[])
    if task.is_waiting:
        known = None if written.has_changed else read_instances(api, wanted.namespace, written.after)
        subject = ReadyWait(api, wanted.namespace, written.after, known, is_pause_wanted=bool(wanted.spec.get("paused")))
        waited = wait_or_fail(
            task,
            api,
            deadline,
            wanted.label,
            "is not ready",
            subject,
            {**result, **facts_of(snapshot)},
            facts=lambda seen: {**result, **facts_of(snapshot_of(seen))},
            first=subject.first,
        )
        snapshot = snapshot_of(waited.seen)
        result.update(waited.as_result())
    result["diff"] = _report.diff(written.before, written.after, wanted.label)
    return {**result, **facts_of(snapshot)}


def _roll_out(task: Task, api: Api, wanted: Wanted, written: Written, pace: Pace, history: History, result: Result) -> Result | None:
    """Bring every VMI to what has been written; None for a set that is paused, where nothing is outdated either. Raises ``EngineError``."""
    instances = read_instances(api, wanted.namespace, written.after)
    if _rollout.outdated(written.after, _replicaset.own_instances(written.after, instances.items)):
        check_can_roll_out(written.after, wanted.label)
    if spec(written.after).get("paused"):
        return None
    rollout = Rollout(task, api, wanted.namespace, written.after, pace, history)
    result = rollout.run(result, instances)
    result["warnings"] = list(dict.fromkeys([*result["warnings"], *history.warnings]))
    return {**result, "diff": rollout.diff(written.before, written.after)}


def _pace(task: Task, wanted: Wanted) -> Pace | None:
    """How fast to roll out, None where that has not been asked for. Raises ``OptionError``."""
    if not task.params.get("rollout"):
        return None
    if task.params.get("template_hash") is False:
        raise OptionError('"rollout" needs the template hash, by which outdated VMIs are told: leave out "template_hash: false".')
    if wanted.spec.get("paused"):
        raise OptionError('"rollout" and "paused" exclude each other: what a rollout removes from a paused set is not replaced.')
    return pace_of(task.params)


def _say_unfinished(live: Object, set_label: str) -> list[str]:
    unfinished = unfinished_scale_in(live)
    return [] if unfinished is None else [f"{set_label} is paused: {unfinished.clause}."]


def _decide(task: Task, api: Api, wanted: Wanted, before: Object | None) -> _plan.Plan:
    """The plan; the autoscalers are read only where it depends on them."""
    autoscalers: list[dict[str, t.Any]] | None = None
    if _plan.must_know_autoscalers(wanted, before):
        autoscalers = [each for each in api.list(AUTOSCALERS, wanted.namespace) if _plan.targets(each, wanted.namespace, wanted.name)]
    return _plan.plan_replica_set(
        wanted,
        before,
        autoscalers,
        task.params.get("replicas_when_autoscaled") or "keep",
        bool(task.params.get("allow_selector_change")),
    )


def _wait_for_name(task: Task, api: Api, deadline: Deadline, wanted: Wanted, before: Object) -> None:
    """A set of that name is on its way out: it has to be gone before a new one can be made."""
    if task.check_mode:
        return
    if not task.is_waiting:
        raise EngineError(
            f"{wanted.label} is being deleted, and a new one cannot be made before it is gone: "
            f'run the task again later, or set "wait: true".'
        )
    _wait_gone(task, api, deadline, wanted, before, {"changed": False, "method": None, "autoscaled_by": None})


def _remove(task: Task, api: Api, deadline: Deadline, wanted: Wanted) -> Result:
    before = api.find(REPLICA_SETS, wanted.namespace, wanted.name)
    # Foreground keeps the set until its VMIs are gone, so a run that is killed and repeated still sees what is left to wait for.
    propagation = "Orphan" if task.params.get("orphan") else "Foreground"
    result: Result = {**delete(task, api, wanted, before, propagation), "autoscaled_by": None}
    if before is not None and task.is_waiting:
        result.update(_wait_gone(task, api, deadline, wanted, before, result))
    result["diff"] = _report.diff(before, None if result["changed"] else before, wanted.label)
    return {**result, **facts_of(Snapshot(None, None if before is not None and not task.is_waiting else ()))}


def _wait_gone(task: Task, api: Api, deadline: Deadline, wanted: Wanted, before: Object, result: Result) -> Result:
    subject = GoneWait(api, wanted.namespace, before, bool(task.params.get("orphan")))
    waited: Waited[Situation] = wait_or_fail(
        task,
        api,
        deadline,
        wanted.label,
        "is not gone",
        subject,
        {**result, **facts_of(Snapshot(before, None))},
        facts=lambda seen: {**result, **facts_of(Snapshot(seen.replica_set, seen.instances))},
    )
    return waited.as_result()


def read_replica_sets(task: Task) -> Result:
    """Module ``vmirs_info``: the sets of a namespace, their VMIs, and who scales them. Raises ``EngineError``."""
    api, deadline = task.connect()
    namespace = task.params.get("namespace") or api.connection.namespace
    name = task.params.get("name")
    if name:
        live = api.find(REPLICA_SETS, namespace, name)
        sets = [live] if live is not None else []
    else:
        sets = api.list(REPLICA_SETS, namespace, label_selector=",".join(task.params.get("label_selectors") or []))
    if not sets:
        return {"changed": False, "replica_sets": []}
    selector = _selector.to_query(spec(sets[0]).get("selector") or {}) if len(sets) == 1 else ""
    instances = api.list(INSTANCES, namespace, label_selector=selector)
    autoscalers = api.list(AUTOSCALERS, namespace)
    revisions = _read_revisions(api, namespace)
    return {
        "changed": False,
        "replica_sets": [_summarise(live, instances, autoscalers, revisions, namespace) for live in sets],
    }


def _read_revisions(api: Api, namespace: str) -> list[Object] | None:
    """The recorded revisions of all sets, None where they may not be read."""
    try:
        return [*api.listing(REVISIONS, namespace, label_selector=REVISION_SET_LABEL).items]
    except ApiError as error:
        if not error.is_forbidden:
            raise
        return None


def _summarise(
    live: Object, instances: t.Sequence[Object], autoscalers: t.Sequence[Object], recorded: t.Sequence[Object] | None, namespace: str
) -> dict[str, t.Any]:
    snapshot = Snapshot(live, _replicaset.own_instances(live, instances))
    reasons = _replicaset.unmet(snapshot)
    scalers = [name_of(each) for each in autoscalers if _plan.targets(each, namespace, name_of(live))]
    own = [each for each in recorded or () if labels_of(each).get(REVISION_SET_LABEL) == metadata(live).get("uid")]
    revisions = sorted((revision_of(each) for each in own), key=lambda each: -each.number)
    # Where one is there twice, the later number counts.
    numbers = {each.hash: each.number for each in reversed(revisions)}
    hashes = {name_of(each): labels_of(each).get(TEMPLATE_HASH_LABEL, "") for each in snapshot.instances or ()}
    unfinished = unfinished_scale_in(live)
    listed = [
        {**_replicaset.summarise_instance(each, live), "revision": numbers.get(hashes[name_of(each)])} for each in snapshot.instances or ()
    ]
    return {
        **facts_of(snapshot),
        "name": name_of(live),
        "namespace": namespace,
        "converged": not reasons,
        "reasons": reasons,
        "autoscaled_by": sorted(scalers),
        "paused": bool(spec(live).get("paused")),
        "unfinished_scale_in": None if unfinished is None else unfinished.as_result(),
        "revision": numbers.get(hash_of(live)),
        "revisions": None
        if recorded is None
        else [
            {
                "number": each.number,
                "hash": each.hash,
                "created": each.created,
                "current": each.hash == hash_of(live),
                "instances": list(hashes.values()).count(each.hash),
            }
            for each in revisions
        ],
        "instances": sorted(listed, key=lambda entry: str(entry["name"])),
    }
