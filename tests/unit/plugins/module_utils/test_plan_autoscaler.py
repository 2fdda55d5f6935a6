# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan for an autoscaler."""

from __future__ import annotations

import copy
import typing as t

import pytest

from ansible_collections.vmscale.kubevirt.plugins.module_utils._autoscaler_wanted import wanted_autoscaler
from ansible_collections.vmscale.kubevirt.plugins.module_utils._errors import OptionError
from ansible_collections.vmscale.kubevirt.plugins.module_utils._plan import APPLY, NOTHING, Plan, plan_autoscaler
from unit.support.objects import changed
from unit.support.recorded import SEED_AUTOSCALER, Object, sandbox

STATES = ["hpa-created", "hpa-warming-up", "hpa-steady", "scaling", "scaled"]


def plan(live: Object | None, manifest: t.Any = None, **params: t.Any) -> Plan:
    """Return the plan for what manifest and options want."""
    return plan_autoscaler(wanted_autoscaler(params, manifest, '"definition"', "recorded"), live)


def written(**changes: t.Any) -> Object:
    """Return the manifest from which the autoscaler of the sandbox was made."""
    live = sandbox("hpa-created", "hpa")
    spec = {**copy.deepcopy(live["spec"]), **changes}
    return {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "web"}, "spec": spec}


def test_an_autoscaler_that_is_missing_is_made() -> None:
    made = plan(None, SEED_AUTOSCALER)
    assert (made.action, made.creates, made.changes) == (APPLY, True, ("the object",))
    assert made.body["apiVersion"] == "autoscaling/v2"


def test_a_partial_change_of_an_autoscaler_that_is_missing_is_refused() -> None:
    with pytest.raises(OptionError, match=r'recorded/web does not exist, and without "target"'):
        plan(None, name="web", max_replicas=3)


@pytest.mark.parametrize("state", STATES)
def test_nothing_is_done_where_nothing_is_to_be_done(state: str) -> None:
    live = sandbox(state, "hpa")
    assert plan(live, written()).action == NOTHING
    assert plan(live, name="web", max_replicas=4).action == NOTHING
    options = {"target": {"name": "web"}, "min_replicas": 2, "max_replicas": 4, "target_cpu_utilization": 50}
    assert plan(live, name="web", **options).action == NOTHING


def test_quantities_are_compared_by_value() -> None:
    def spec(value: t.Any) -> list[Object]:
        return [{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "AverageValue", "averageValue": value}}}]

    live = changed(sandbox("hpa-steady", "hpa"), "spec.metrics", spec("500m"))
    assert plan(live, written(metrics=spec("0.5"))).action == NOTHING
    assert plan(live, written(metrics=spec("501m"))).changes == ("spec.metrics[0].resource.target.averageValue",)


def test_defaults_of_the_api_server_are_no_change() -> None:
    behavior = {"scaleDown": {"stabilizationWindowSeconds": 30}}
    filled = {
        "scaleDown": {
            "stabilizationWindowSeconds": 30,
            "selectPolicy": "Max",
            "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}],
        },
        "scaleUp": {"stabilizationWindowSeconds": 0, "selectPolicy": "Max"},
    }
    live = changed(sandbox("hpa-steady", "hpa"), "spec.behavior", filled)
    assert plan(live, written(behavior=behavior)).action == NOTHING
    assert plan(live, written(behavior={"scaleUp": {"stabilizationWindowSeconds": 5}})).action == APPLY


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"maxReplicas": 9}, "spec.maxReplicas"),
        ({"minReplicas": 1}, "spec.minReplicas"),
        ({"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}}, "spec.scaleTargetRef.apiVersion"),
        ({"metrics": []}, "spec.metrics"),
        ({"behavior": {"scaleDown": {"selectPolicy": "Disabled"}}}, "spec.behavior"),
    ],
)
def test_a_change_is_applied(changes: Object, path: str) -> None:
    made = plan(sandbox("scaled", "hpa"), written(**changes))
    assert (made.action, made.creates) == (APPLY, False)
    assert path in made.changes


def test_what_left_the_manifest_leaves_the_autoscaler() -> None:
    made = plan(sandbox("scaled", "hpa"), changed(written(), "spec.minReplicas", None))
    assert (made.action, made.changes) == (APPLY, ("spec.minReplicas",))


def test_a_partial_change_sends_again_what_is_ours() -> None:
    live = sandbox("scaled", "hpa")
    made = plan(live, name="web", max_replicas=9)
    assert made.changes == ("spec.maxReplicas",)
    assert made.body["spec"] == {**live["spec"], "maxReplicas": 9}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"min_replicas": 5}, '"min_replicas" (5) would be above "max_replicas" (4)'),
        ({"max_replicas": 1}, '"min_replicas" (2) would be above "max_replicas" (1)'),
    ],
)
def test_a_partial_change_must_fit_the_bound_that_stays(options: dict[str, int], words: str) -> None:
    with pytest.raises(OptionError) as caught:
        plan(sandbox("scaled", "hpa"), name="web", **options)
    assert words in caught.value.message
    assert plan(sandbox("scaled", "hpa"), name="web", min_replicas=4).action == APPLY
