# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it can change at any time.

"""The operations of the modules ``hpa``, ``hpa_info`` and ``hpa_verify``."""

from __future__ import annotations

import datetime
import typing as t
from dataclasses import replace

from ansible_collections.vmscale.kubevirt.plugins.module_utils import _autoscaler, _plan, _report
from ansible_collections.vmscale.kubevirt.plugins.module_utils._api import Api, Listing
from ansible_collections.vmscale.kubevirt.plugins.module_utils._autoscaler import Expectations
from ansible_collections.vmscale.kubevirt.plugins.module_utils._autoscaler_wanted import (
    check_bounds,
    target_reference,
    wanted_autoscaler,
)
from ansible_collections.vmscale.kubevirt.plugins.module_utils._clock import Deadline
from ansible_collections.vmscale.kubevirt.plugins.module_utils._describe import describe, describe_legacy
from ansible_collections.vmscale.kubevirt.plugins.module_utils._ensure import delete, wait_or_fail, write
from ansible_collections.vmscale.kubevirt.plugins.module_utils._errors import (
    EngineError,
    OptionError,
    WaitTimeout,
)
from ansible_collections.vmscale.kubevirt.plugins.module_utils._manifest import Wanted, check_count
from ansible_collections.vmscale.kubevirt.plugins.module_utils._resources import (
    AUTOSCALERS,
    EVENTS,
    POD_METRICS,
    REPLICA_SETS,
    Object,
    is_deleting,
    label,
    metadata,
    name_of,
    spec,
    status,
)
from ansible_collections.vmscale.kubevirt.plugins.module_utils._situation import Situation
from ansible_collections.vmscale.kubevirt.plugins.module_utils._task import Result, Task
from ansible_collections.vmscale.kubevirt.plugins.module_utils._vmirs import read_instances
from ansible_collections.vmscale.kubevirt.plugins.module_utils._wait import Waited, wait_for
from ansible_collections.vmscale.kubevirt.plugins.module_utils._wait_autoscaler import (
    AutoscalerGoneWait,
    AutoscalerWait,
    VerifiedWait,
    asks_pod_metrics,
    read_pod_metrics,
)


def ensure_autoscaler(task: Task) -> Result:
    """Module ``hpa``: the autoscaler is as the parameters say, or absent. Raises ``EngineError``."""
    api, deadline = task.connect()
    manifest, source = task.manifest()
    wanted = wanted_autoscaler(task.params, manifest, source, api.connection.namespace)
    if task.params.get("state") == "absent":
        return _remove(task, api, deadline, wanted)
    written = write(
        task,
        api,
        wanted,
        read=lambda: api.find(AUTOSCALERS, wanted.namespace, wanted.name),
        decide=lambda before: _decide(task, api, wanted, before),
    )
    after: Object | None = written.after
    result: Result = {"changed": written.has_changed, "method": written.method}
    if task.is_waiting:
        is_new = written.has_changed and written.before is not None and spec(written.before) != spec(written.after)
        subject = AutoscalerWait(api, wanted.namespace, wanted.name, written.after, changed=written.after if is_new else None)
        waited = wait_or_fail(
            task,
            api,
            deadline,
            wanted.label,
            "does not act",
            subject,
            {**result, **_facts(written.after)},
            facts=lambda seen: {**result, **_facts(seen.autoscaler)},
            first=subject.first,
        )
        after = waited.seen.autoscaler
        result.update(waited.as_result())
    result["diff"] = _report.diff(written.before, written.after, wanted.label)
    result["warnings"] = list(written.plan.warnings)
    return {**result, **_facts(after)}


def _facts(live: Object | None) -> Result:
    if live is None:
        return {"result": {}, "conditions": [], "metrics": [], "replicas": _autoscaler.replicas(None)}
    return {
        "result": _report.presentable(live),
        "conditions": list(status(live).get("conditions") or []),
        "metrics": list(status(live).get("currentMetrics") or []),
        "replicas": _autoscaler.replicas(live),
    }


def _decide(task: Task, api: Api, wanted: Wanted, before: Object | None) -> _plan.Plan:
    if before is not None and is_deleting(before):
        raise EngineError(f"{wanted.label} is being deleted, and a new one cannot be made before it is gone: run the task again later.")
    plan = _plan.plan_autoscaler(wanted, before)
    if plan.action == _plan.NOTHING:
        return plan
    return replace(plan, warnings=tuple(_check_surroundings(task, api, wanted, before)))


def _check_surroundings(task: Task, api: Api, wanted: Wanted, before: Object | None) -> list[str]:
    """What an autoscaler cannot do without is looked for before it is written: its target, and the metrics API."""
    warnings: list[str] = []
    reference = wanted.spec.get("scaleTargetRef")
    is_new_target = reference is not None and (before is None or spec(before).get("scaleTargetRef") != reference)
    if task.params.get("require_target", True) and is_new_target and _autoscaler.scales_replica_set(wanted.body):
        name = str(reference["name"]) if reference else ""
        if api.find(REPLICA_SETS, wanted.namespace, name) is None:
            problem = f'"target" of {wanted.label}, {label(REPLICA_SETS, wanted.namespace, name)}, does not exist'
            if not task.check_mode:
                raise OptionError(
                    f'{problem}: create it first (module vmirs), or set "require_target: false" to create the autoscaler ahead of it.'
                )
            warnings.append(f"{problem} yet.")
    needs_metrics = (before is None or "metrics" in wanted.spec) and _autoscaler.uses_resource_metrics(wanted.spec)
    if task.params.get("require_metrics_api", True) and needs_metrics and not api.serves(POD_METRICS):
        raise OptionError(
            f"{wanted.label} scales by CPU or memory, and the metrics API (metrics.k8s.io) is not installed on "
            f"{api.connection.server} or does not answer: install metrics-server, or set "
            f'"require_metrics_api: false" to create the autoscaler ahead of it.'
        )
    return warnings


def _remove(task: Task, api: Api, deadline: Deadline, wanted: Wanted) -> Result:
    before = api.find(AUTOSCALERS, wanted.namespace, wanted.name)
    result = delete(task, api, wanted, before, "Background")

    if before is not None and task.is_waiting:
        waited: Waited[Situation] = wait_or_fail(
            task,
            api,
            deadline,
            wanted.label,
            "is not gone",
            AutoscalerGoneWait(api, wanted.namespace, wanted.name, before),
            {**result, **_facts(before)},
            facts=lambda seen: {**result, **_facts(seen.autoscaler)},
        )
        result.update(waited.as_result())
    result["diff"] = _report.diff(before, None if result["changed"] else before, wanted.label)
    return {**result, **_facts(None)}


def read_autoscalers(task: Task) -> Result:
    """Module ``hpa_info``: the autoscalers of a namespace with their events and description. Raises ``EngineError``."""
    api, deadline = task.connect()
    namespace = task.params.get("namespace") or api.connection.namespace
    name = task.params.get("name")
    if name:
        live = api.find(AUTOSCALERS, namespace, name)
        found = [live] if live is not None else []
    else:
        found = api.list(AUTOSCALERS, namespace, label_selector=",".join(task.params.get("label_selectors") or []))
    entries = [_describe_fully(task, api, namespace, live) for live in found]
    result: Result = {"changed": False, "autoscalers": entries}
    if name:
        result.update(entries[0] if entries else _absent_entry(name, namespace))
        result["exists"] = bool(entries)
    return result


def _absent_entry(name: str, namespace: str) -> Result:
    return {"name": name, "namespace": namespace, **_facts(None), "events": [], "description": ""}


def _describe_fully(task: Task, api: Api, namespace: str, live: Object) -> Result:
    events = api.list(EVENTS, namespace, field_selector=_events_of(live))
    now = api.server_time or datetime.datetime.now(datetime.timezone.utc)
    is_legacy = task.params.get("describe") == "legacy"
    return {
        "name": name_of(live),
        "namespace": namespace,
        **_facts(live),
        "events": [_summarise_event(event) for event in events],
        "description": (describe_legacy if is_legacy else describe)(live, events, now),
    }


def _events_of(live: Object) -> str:
    """The events of an object, chosen as kubectl chooses them."""
    about = {
        "involvedObject.kind": AUTOSCALERS.kind,
        "involvedObject.name": name_of(live),
        "involvedObject.namespace": metadata(live).get("namespace", ""),
        "involvedObject.uid": metadata(live).get("uid", ""),
    }
    return ",".join(f"{key}={value}" for key, value in about.items())


def _summarise_event(event: Object) -> dict[str, t.Any]:
    return {
        "type": event.get("type"),
        "reason": event.get("reason"),
        "message": event.get("message"),
        "count": event.get("count") or (event.get("series") or {}).get("count") or 1,
        "first_seen": event.get("firstTimestamp") or event.get("eventTime"),
        "last_seen": (event.get("series") or {}).get("lastObservedTime") or event.get("lastTimestamp") or event.get("eventTime"),
    }


def verify_autoscaler(task: Task) -> Result:
    """Module ``hpa_verify``: fails with every reason at once unless the autoscaler works. Raises ``EngineError``."""
    api, deadline = task.connect()
    name, params = str(task.params["name"]), task.params
    namespace = params.get("namespace") or api.connection.namespace
    if params.get("min_replicas") is not None and params.get("max_replicas") is not None:
        check_bounds(params["min_replicas"], params["max_replicas"])
    check_count(params.get("current_replicas"), "current_replicas", "the expected number", 0)
    expected = Expectations(
        target=target_reference(params.get("target")),
        min_replicas=params.get("min_replicas"),
        max_replicas=params.get("max_replicas"),
        current_replicas=params.get("current_replicas"),
        not_limited=bool(params.get("not_limited")),
    )
    patience = deadline if params.get("wait", True) else Deadline.after(task.clock, 0)
    first, instances = _gather(api, namespace, name)
    subject = VerifiedWait(api, first, instances, expected)
    waited: Waited[Situation] = wait_for(subject, task, api, patience, subject.first)
    live = waited.seen.autoscaler
    entry = _absent_entry(name, namespace) if live is None else _describe_fully(task, api, namespace, live)
    result: Result = {"changed": False, **entry, "reasons": waited.reasons, **waited.as_result()}
    if waited.unmet:
        sentence = waited.full_sentence(label(AUTOSCALERS, namespace, name), "does not work", patience.seconds)
        raise WaitTimeout(sentence, **result)
    return result


def _gather(api: Api, namespace: str, name: str) -> tuple[Situation, Listing | None]:
    """The autoscaler, the set that it scales, the set's VMIs and the figures of their pods, as far as there are any."""
    seen = Situation(namespace, name, autoscaler=api.find(AUTOSCALERS, namespace, name))
    if seen.autoscaler is None or not _autoscaler.scales_replica_set(seen.autoscaler):
        return seen, None
    seen = replace(seen, replica_set=api.find(REPLICA_SETS, namespace, _autoscaler.target_of(seen.autoscaler)[1]))
    if seen.replica_set is None:
        return seen, None
    instances = read_instances(api, namespace, seen.replica_set)
    seen = replace(seen, instances=instances.items)
    if asks_pod_metrics(seen):
        seen = replace(seen, pod_metrics=read_pod_metrics(api, seen), has_pod_metrics=True)
    return seen, instances
