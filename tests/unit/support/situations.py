# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Situations to diagnose, from what was recorded."""

from __future__ import annotations

import dataclasses
import typing as t
from datetime import UTC, datetime, timedelta

from ansible_collections.vmscale.kubevirt.plugins.module_utils import _selector
from ansible_collections.vmscale.kubevirt.plugins.module_utils._resources import Object
from ansible_collections.vmscale.kubevirt.plugins.module_utils._situation import Situation, from_recorded
from unit.support.kubectl import clock
from unit.support.recorded import FIXTURES, REAL, has_recorded, load, real, sandbox

FAULTS = tuple(sorted(path.stem for path in (FIXTURES / "faults").glob("*.json")))
REAL_STATES = tuple(sorted(path.name for path in REAL.iterdir() if (path / "vmirs.json").exists()))


def fault(name: str, later: float = 0, **fields: t.Any) -> Situation:
    """Return what was recorded of a fault in the sandbox, as if nothing had happened for ``later`` seconds more; with other fields."""
    situation = from_recorded(load(FIXTURES / "faults" / f"{name}.json"))
    assert situation.now
    assert situation.lease
    now = situation.now + timedelta(seconds=later)
    renewed = situation.lease["spec"] | ({"renewTime": now.isoformat()} if later else {})
    return dataclasses.replace(situation, **{"now": now, "lease": {**situation.lease, "spec": renewed}, **fields})


def lapsed(situation: Situation, seconds: float) -> Situation:
    """Return a situation looked at later, when nobody has renewed the lease."""
    assert situation.now
    return dataclasses.replace(situation, now=situation.now + timedelta(seconds=seconds))


def with_instances(situation: Situation, change: t.Callable[[Object], Object]) -> Situation:
    """Return a situation each of whose VMIs is changed."""
    return dataclasses.replace(situation, instances=tuple(map(change, situation.instances)))


def the_set(situation: Situation) -> Object:
    """Return the replica set of a situation that has one."""
    assert situation.replica_set
    return situation.replica_set


def real_situation(state: str, later: float = 0) -> Situation:
    """Return what was recorded on the real cluster in one state; the wait began when the set was created."""
    live = real(state, "vmirs")[0]
    selector = live["spec"]["selector"]
    pods = tuple(pod for pod in _parts(state, "pods") if _selector.matches(selector, pod["metadata"].get("labels") or {}))
    names = {pod["metadata"]["name"] for pod in pods}
    metrics = tuple(each for each in _parts(state, "podmetrics") if each["metadata"]["name"] in names)
    autoscalers = _parts(state, "hpa-v2")
    return Situation(
        namespace=live["metadata"]["namespace"],
        name=live["metadata"]["name"],
        replica_set=live,
        instances=_parts(state, "vmis"),
        pods=pods,
        events=tuple(event for event in _parts(state, "events") if event["type"] == "Warning"),
        autoscaler=autoscalers[0] if autoscalers else None,
        autoscalers=autoscalers,
        pod_metrics=metrics,
        has_pod_metrics=has_recorded(state, "podmetrics.json"),
        now=_now(state) + timedelta(seconds=later),
        since=_moment(live["metadata"]["creationTimestamp"]),
    )


def sandbox_situation(state: str) -> Situation:
    """Return what was recorded of the set of the sandbox in one state."""
    live, instances = sandbox(state, "vmirs"), tuple(sandbox(state, "vmis"))
    return Situation(live["metadata"]["namespace"], live["metadata"]["name"], live, instances)


def without_condition(live: Object, kind: str) -> Object:
    """Return an object without one of its conditions."""
    kept = [each for each in live["status"].get("conditions") or [] if each["type"] != kind]
    return {**live, "status": {**live["status"], "conditions": kept}}


def with_condition(live: Object, kind: str, **fields: str) -> Object:
    """Return an object one of whose conditions, if it has it, says something else."""
    conditions = [{**each, **fields} if each["type"] == kind else each for each in live["status"].get("conditions") or []]
    return {**live, "status": {**live["status"], "conditions": conditions}}


def _parts(state: str, name: str) -> tuple[Object, ...]:
    return tuple(real(state, name)) if has_recorded(state, f"{name}.json") else ()


def _now(state: str) -> datetime:
    if has_recorded(state, "kubectl-get.txt"):
        return clock(state)
    return max(_moment(event["lastTimestamp"]) for event in _parts(state, "events"))


def _moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
