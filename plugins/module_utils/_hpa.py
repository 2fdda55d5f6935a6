# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it can change at any time.

"""The operations of the modules ``hpa``, ``hpa_info`` and ``hpa_verify``."""

from __future__ import annotations

import datetime
import typing as t
from dataclasses import replace

from ansible_collections.vmscale.kubevirt.plugins.module_utils import _autoscaler
from ansible_collections.vmscale.kubevirt.plugins.module_utils._api import Api, Listing
from ansible_collections.vmscale.kubevirt.plugins.module_utils._autoscaler import Expectations
from ansible_collections.vmscale.kubevirt.plugins.module_utils._autoscaler_wanted import (
    ONE_AUTOSCALER,
    check_bounds,
    target_reference,
    wanted_autoscaler,
)
from ansible_collections.vmscale.kubevirt.plugins.module_utils._clock import Deadline
from ansible_collections.vmscale.kubevirt.plugins.module_utils._describe import describe, describe_legacy
from ansible_collections.vmscale.kubevirt.plugins.module_utils._ensure import ensure_one
from ansible_collections.vmscale.kubevirt.plugins.module_utils._errors import WaitTimeout
from ansible_collections.vmscale.kubevirt.plugins.module_utils._fleet import members, the_one, wanted_of
from ansible_collections.vmscale.kubevirt.plugins.module_utils._fleet_run import ensure_fleet
from ansible_collections.vmscale.kubevirt.plugins.module_utils._hpa_jobs import facts_of, job_of
from ansible_collections.vmscale.kubevirt.plugins.module_utils._manifest import check_count
from ansible_collections.vmscale.kubevirt.plugins.module_utils._reader import Reader
from ansible_collections.vmscale.kubevirt.plugins.module_utils._resources import (
    AUTOSCALERS,
    EVENTS,
    INSTANCES,
    REPLICA_SETS,
    Object,
    label,
    metadata,
    name_of,
)
from ansible_collections.vmscale.kubevirt.plugins.module_utils._situation import Situation
from ansible_collections.vmscale.kubevirt.plugins.module_utils._task import Result, Task
from ansible_collections.vmscale.kubevirt.plugins.module_utils._wait import Waited, wait_for
from ansible_collections.vmscale.kubevirt.plugins.module_utils._wait_autoscaler import (
    VerifiedWait,
    asks_pod_metrics,
    read_pod_metrics,
)


def ensure_autoscaler(task: Task) -> Result:
    """Module ``hpa``: the autoscaler is as the parameters say, or absent; or many of them. Raises ``EngineError``."""
    api, deadline = task.connect()
    given = task.given()
    fleet = members(given, AUTOSCALERS, task.params, ONE_AUTOSCALER)
    if fleet is not None:
        wanted = wanted_of(fleet, task.params, ONE_AUTOSCALER, wanted_autoscaler, api.connection.namespace)
        return ensure_fleet(task, api, deadline, AUTOSCALERS, wanted, job_of)
    document, source = the_one(given, AUTOSCALERS)
    one = wanted_autoscaler(task.params, document, source, api.connection.namespace)
    return ensure_one(task, api, deadline, job_of(task, Reader(api), deadline, one))


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
    return {"name": name, "namespace": namespace, **facts_of(None), "events": [], "description": ""}


def _describe_fully(task: Task, api: Api, namespace: str, live: Object) -> Result:
    events = api.list(EVENTS, namespace, field_selector=_events_of(live))
    now = api.server_time or datetime.datetime.now(datetime.timezone.utc)
    is_legacy = task.params.get("describe") == "legacy"
    return {
        "name": name_of(live),
        "namespace": namespace,
        **facts_of(live),
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
    instances = Reader(api).chosen_by(seen.replica_set, INSTANCES, namespace)
    seen = replace(seen, instances=instances.items)
    if asks_pod_metrics(seen):
        seen = replace(seen, pod_metrics=read_pod_metrics(api, seen), has_pod_metrics=True)
    return seen, instances
