# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it can change at any time.

"""The operations of the modules ``vmirs`` and ``vmirs_info``."""

from __future__ import annotations

import typing as t

from ansible_collections.vmscale.kubevirt.plugins.module_utils import _plan, _replicaset, _report, _selector
from ansible_collections.vmscale.kubevirt.plugins.module_utils._api import Api, Listing
from ansible_collections.vmscale.kubevirt.plugins.module_utils._clock import Deadline
from ansible_collections.vmscale.kubevirt.plugins.module_utils._ensure import delete, wait_or_fail, write
from ansible_collections.vmscale.kubevirt.plugins.module_utils._errors import EngineError
from ansible_collections.vmscale.kubevirt.plugins.module_utils._manifest import Wanted
from ansible_collections.vmscale.kubevirt.plugins.module_utils._replicaset import Snapshot
from ansible_collections.vmscale.kubevirt.plugins.module_utils._replicaset_wanted import wanted_replica_set
from ansible_collections.vmscale.kubevirt.plugins.module_utils._resources import (
    AUTOSCALERS,
    INSTANCES,
    REPLICA_SETS,
    Object,
    is_deleting,
    name_of,
    spec,
)
from ansible_collections.vmscale.kubevirt.plugins.module_utils._situation import Situation
from ansible_collections.vmscale.kubevirt.plugins.module_utils._task import Result, Task
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

    written = write(task, api, wanted, read, lambda before: _decide(task, api, wanted, before))
    plan, snapshot = written.plan, Snapshot(written.after, None)
    result: Result = {
        "changed": written.has_changed,
        "method": written.method,
        "autoscaled_by": None if plan.autoscaled_by is None else list(plan.autoscaled_by),
    }
    if task.is_waiting:
        instances = None if written.has_changed else read_instances(api, wanted.namespace, written.after)
        subject = ReadyWait(api, wanted.namespace, written.after, instances, is_pause_wanted=bool(wanted.spec.get("paused")))
        waited = wait_or_fail(
            task,
            api,
            deadline,
            wanted.label,
            "is not ready",
            subject,
            {**result, **_facts(snapshot)},
            facts=lambda seen: {**result, **_facts(snapshot_of(seen))},
            first=subject.first,
        )
        snapshot = snapshot_of(waited.seen)
        result.update(waited.as_result())
    result["diff"] = _report.diff(written.before, written.after, wanted.label)
    result["warnings"] = list(plan.warnings)
    return {**result, **_facts(snapshot)}


def _facts(snapshot: Snapshot) -> Result:
    return {"result": _report.presentable(snapshot.live), "replicas": _replicaset.count(snapshot).as_result()}


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
    return {**result, **_facts(Snapshot(None, None if before is not None and not task.is_waiting else ()))}


def _wait_gone(task: Task, api: Api, deadline: Deadline, wanted: Wanted, before: Object, result: Result) -> Result:
    subject = GoneWait(api, wanted.namespace, before, bool(task.params.get("orphan")))
    waited: Waited[Situation] = wait_or_fail(
        task,
        api,
        deadline,
        wanted.label,
        "is not gone",
        subject,
        {**result, **_facts(Snapshot(before, None))},
        facts=lambda seen: {**result, **_facts(Snapshot(seen.replica_set, seen.instances))},
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
    return {
        "changed": False,
        "replica_sets": [_summarise(live, instances, autoscalers, namespace) for live in sets],
    }


def _summarise(live: Object, instances: t.Sequence[Object], autoscalers: t.Sequence[Object], namespace: str) -> dict[str, t.Any]:
    snapshot = Snapshot(live, _replicaset.own_instances(live, instances))
    reasons = _replicaset.unmet(snapshot)
    scalers = [name_of(each) for each in autoscalers if _plan.targets(each, namespace, name_of(live))]
    return {
        **_facts(snapshot),
        "name": name_of(live),
        "namespace": namespace,
        "converged": not reasons,
        "reasons": reasons,
        "autoscaled_by": sorted(scalers),
        "paused": bool(spec(live).get("paused")),
        "instances": sorted(
            (_replicaset.summarise_instance(each, live) for each in snapshot.instances or ()),
            key=lambda entry: str(entry["name"]),
        ),
    }
