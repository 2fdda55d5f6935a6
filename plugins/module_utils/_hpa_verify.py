# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it can change at any time.

"""The operation of the module ``hpa_verify``."""

from __future__ import annotations

from dataclasses import replace

from ansible_collections.vmscale.kubevirt.plugins.module_utils import _autoscaler
from ansible_collections.vmscale.kubevirt.plugins.module_utils._api import Api, Listing
from ansible_collections.vmscale.kubevirt.plugins.module_utils._autoscaler import Expectations
from ansible_collections.vmscale.kubevirt.plugins.module_utils._autoscaler_wanted import check_bounds, target_reference
from ansible_collections.vmscale.kubevirt.plugins.module_utils._clock import Deadline
from ansible_collections.vmscale.kubevirt.plugins.module_utils._errors import ApiError, WaitTimeout
from ansible_collections.vmscale.kubevirt.plugins.module_utils._hpa_info import absent_entry, described, read_events
from ansible_collections.vmscale.kubevirt.plugins.module_utils._manifest import check_count
from ansible_collections.vmscale.kubevirt.plugins.module_utils._reader import Reader
from ansible_collections.vmscale.kubevirt.plugins.module_utils._resources import AUTOSCALERS, INSTANCES, REPLICA_SETS, Object, label
from ansible_collections.vmscale.kubevirt.plugins.module_utils._situation import Situation
from ansible_collections.vmscale.kubevirt.plugins.module_utils._task import Result, Task
from ansible_collections.vmscale.kubevirt.plugins.module_utils._wait import Waited, wait_for
from ansible_collections.vmscale.kubevirt.plugins.module_utils._wait_verified import (
    VerifiedWait,
    asks_pod_metrics,
    read_pod_metrics,
)


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
    if live is None:
        entry = absent_entry(name, namespace)
    else:
        entry = described(task, api, namespace, live, _explaining_events(api, namespace, live) if waited.unmet else None)
    result: Result = {"changed": False, **entry, "reasons": waited.reasons, **waited.as_result()}
    if waited.unmet:
        sentence = waited.full_sentence(label(AUTOSCALERS, namespace, name), "does not work", patience.seconds)
        raise WaitTimeout(sentence, **result)
    return result


def _explaining_events(api: Api, namespace: str, live: Object) -> list[Object] | None:
    """The events of an autoscaler that does not work, None where they may not be read: what is wrong is told all the same."""
    try:
        return read_events(api, namespace, live)
    except ApiError as error:
        if not error.is_forbidden:
            raise
        return None


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
