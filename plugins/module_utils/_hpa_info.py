# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it can change at any time.

"""The operation of the module ``hpa_info``."""

from __future__ import annotations

import datetime
import typing as t

from ansible_collections.vmscale.kubevirt.plugins.module_utils._api import Api
from ansible_collections.vmscale.kubevirt.plugins.module_utils._describe import describe, describe_legacy
from ansible_collections.vmscale.kubevirt.plugins.module_utils._hpa_facts import facts_of
from ansible_collections.vmscale.kubevirt.plugins.module_utils._resources import AUTOSCALERS, EVENTS, Object, metadata, name_of
from ansible_collections.vmscale.kubevirt.plugins.module_utils._task import Result, Task


def read_autoscalers(task: Task) -> Result:
    """Module ``hpa_info``: the autoscalers of a namespace with their events and description. Raises ``EngineError``."""
    api, deadline = task.connect()
    namespace = task.params.get("namespace") or api.connection.namespace
    name = task.params.get("name")
    found = api.choose(AUTOSCALERS, namespace, name, task.params.get("label_selectors"))
    entries = [described(task, api, namespace, live, read_events(api, namespace, live)) for live in found]
    result: Result = {"changed": False, "autoscalers": entries}
    if name:
        result.update(entries[0] if entries else absent_entry(name, namespace))
        result["exists"] = bool(entries)
    return result


def absent_entry(name: str, namespace: str) -> Result:
    """What is told of an autoscaler that is not there."""
    return {"name": name, "namespace": namespace, **facts_of(None), "events": [], "description": ""}


def read_events(api: Api, namespace: str, live: Object) -> list[Object]:
    """The events of an autoscaler. Raises ``ApiError``."""
    return [*api.listing(EVENTS, namespace, field_selector=_events_of(live)).items]


def described(task: Task, api: Api, namespace: str, live: Object, events: t.Sequence[Object] | None) -> Result:
    """An autoscaler and its description, with its events; without any word of them where they were not read."""
    now = api.server_time or datetime.datetime.now(datetime.timezone.utc)
    is_legacy = task.params.get("describe") == "legacy"
    return {
        "name": name_of(live),
        "namespace": namespace,
        **facts_of(live),
        **({} if events is None else {"events": [_summarise_event(event) for event in events]}),
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
