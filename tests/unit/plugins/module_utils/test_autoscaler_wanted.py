# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The wanted autoscaler, in whatever form it is written."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.vmscale.kubevirt.plugins.module_utils._autoscaler_wanted import target_reference, wanted_autoscaler
from ansible_collections.vmscale.kubevirt.plugins.module_utils._compare import differences
from ansible_collections.vmscale.kubevirt.plugins.module_utils._errors import OptionError
from ansible_collections.vmscale.kubevirt.plugins.module_utils._manifest import Wanted
from unit.support.recorded import SEED_AUTOSCALER, real_autoscaler

CPU_50 = [{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}}]
TARGET = {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstanceReplicaSet", "name": "web"}


def wanted(manifest: t.Any = None, **params: t.Any) -> Wanted:
    """Return what the options and the manifest want."""
    return wanted_autoscaler(params, manifest, '"definition"', "default")


def v1(**spec: t.Any) -> dict[str, t.Any]:
    """Return an autoscaling/v1 manifest."""
    return {
        "apiVersion": "autoscaling/v1",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web"},
        "spec": {"scaleTargetRef": TARGET, "maxReplicas": 5, **spec},
    }


def v2(**spec: t.Any) -> dict[str, t.Any]:
    """Return an autoscaling/v2 manifest."""
    return {**v1(**spec), "apiVersion": "autoscaling/v2"}


def test_the_seed_becomes_what_the_api_server_makes_of_it() -> None:
    found = wanted(SEED_AUTOSCALER)
    assert (found.namespace, found.name, found.is_complete) == ("default", "test-hpa", True)
    recorded = real_autoscaler("idle")
    assert found.spec == recorded["spec"]
    assert differences(found.body, recorded) == []


def test_the_seed_can_be_written_with_options_alone() -> None:
    from_options = wanted(name="test-hpa", target={"name": "testreplicaset"}, min_replicas=3, max_replicas=5, target_cpu_utilization=50)
    assert from_options == wanted(SEED_AUTOSCALER)


@pytest.mark.parametrize(
    ("given", "spec"),
    [
        (v1(targetCPUUtilizationPercentage=50, minReplicas=3), {"metrics": CPU_50, "minReplicas": 3}),
        (v1(), {}),
        (v1(targetCPUUtilizationPercentage=None), {}),
        (v2(metrics=CPU_50), {"metrics": CPU_50}),
        (v2(behavior={"scaleDown": {"stabilizationWindowSeconds": 0}}), {"behavior": {"scaleDown": {"stabilizationWindowSeconds": 0}}}),
    ],
)
def test_both_versions_end_in_v2(given: dict[str, t.Any], spec: dict[str, t.Any]) -> None:
    found = wanted(given)
    assert found.body["apiVersion"] == "autoscaling/v2"
    assert found.spec == {"scaleTargetRef": TARGET, "maxReplicas": 5, **spec}


@pytest.mark.parametrize("key", ["metrics", "behavior"])
def test_v1_annotations_that_carry_v2_fields_are_refused(key: str) -> None:
    given = v1()
    given["metadata"]["annotations"] = {f"autoscaling.alpha.kubernetes.io/{key}": "[]"}
    with pytest.raises(OptionError, match=f'carries the annotation "autoscaling.alpha.kubernetes.io/{key}": write the autoscaler as'):
        wanted(given)


def test_v1_annotations_that_carry_status_are_left_out() -> None:
    given = v1()
    status = {f"autoscaling.alpha.kubernetes.io/{key}": "[]" for key in ("conditions", "current-metrics")}
    given["metadata"]["annotations"] = {**status, "mine": "kept"}
    assert wanted(given).body["metadata"]["annotations"] == {"mine": "kept"}


def test_fields_that_v1_does_not_know_are_refused() -> None:
    with pytest.raises(OptionError, match=r'spec of "definition" has behavior, metrics, which autoscaling/v1 does not know'):
        wanted(v1(metrics=CPU_50, behavior={}))


@pytest.mark.parametrize("version", ["autoscaling/v2beta2", "autoscaling", "v1"])
def test_other_versions_are_refused(version: str) -> None:
    with pytest.raises(OptionError, match=rf'has the apiVersion "{version}": .* written as autoscaling/v1 or autoscaling/v2'):
        wanted({**v2(), "apiVersion": version})


@pytest.mark.parametrize(
    ("given", "reference"),
    [
        ({"name": "web"}, TARGET),
        ({"name": "web", "kind": None, "api_version": None}, TARGET),
        (
            {"name": "web", "kind": "Deployment", "api_version": "apps/v1"},
            {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
        ),
    ],
)
def test_the_target_is_a_replica_set_unless_told_otherwise(given: dict[str, t.Any], reference: dict[str, t.Any]) -> None:
    assert target_reference(given) == reference
    assert target_reference(None) is None


def test_without_target_it_is_a_partial_change() -> None:
    found = wanted(name="web", max_replicas=9)
    assert not found.is_complete
    assert found.spec == {"maxReplicas": 9}


@pytest.mark.parametrize(
    ("least", "most"), [(None, 1), (None, 5), (0, 1), (1, 1), (3, 5), (5, 5)], ids=lambda value: "default" if value is None else str(value)
)
def test_bounds_in_order_are_taken(least: int | None, most: int) -> None:
    spec = wanted(name="web", target={"name": "web"}, min_replicas=least, max_replicas=most).spec
    assert (spec.get("minReplicas"), spec["maxReplicas"]) == (least, most)


@pytest.mark.parametrize(
    ("least", "most", "words"),
    [
        (6, 5, '"min_replicas" (6) is above "max_replicas" (5)'),
        (-1, 5, '"min_replicas" (spec.minReplicas) is -1: it must be 0 or more.'),
        (None, 0, '"max_replicas" (spec.maxReplicas) is 0: it must be 1 or more.'),
        (None, -2, '"max_replicas" (spec.maxReplicas) is -2: it must be 1 or more.'),
        (True, 5, '"min_replicas" (spec.minReplicas) is true, which is not a whole number.'),
        (1, "5", '"max_replicas" (spec.maxReplicas) is "5", which is not a whole number.'),
        (1, None, '"max_replicas" (spec.maxReplicas) is missing'),
    ],
)
@pytest.mark.parametrize("is_partial", [False, True])
def test_impossible_bounds_are_refused(least: t.Any, most: t.Any, words: str, is_partial: bool) -> None:
    if is_partial and most is None:
        assert wanted(name="web", min_replicas=least).spec == {"minReplicas": least}
        return
    target = {} if is_partial else {"target": {"name": "web"}}
    with pytest.raises(OptionError) as caught:
        wanted(name="web", min_replicas=least, max_replicas=most, **target)
    assert words in caught.value.message


def test_bounds_of_an_autoscaler_that_goes_are_not_looked_at() -> None:
    assert wanted(name="web", min_replicas=6, max_replicas=5, state="absent").name == "web"


@pytest.mark.parametrize("target", [{}, {"kind": "X"}, {"name": "web"}, {"kind": "", "name": "web"}, "web", ["web"]])
def test_a_target_needs_kind_and_name(target: t.Any) -> None:
    with pytest.raises(OptionError, match=r'"target" \(spec\.scaleTargetRef\) must have a kind and a name'):
        wanted(v2(scaleTargetRef=target))


@pytest.mark.parametrize("utilization", [0, -1, True, "50", 1.5])
def test_a_utilization_that_is_no_percentage_is_refused(utilization: t.Any) -> None:
    with pytest.raises(OptionError, match='"target_cpu_utilization"'):
        wanted(name="web", target={"name": "web"}, max_replicas=5, target_cpu_utilization=utilization)
    with pytest.raises(OptionError, match="targetCPUUtilizationPercentage"):
        wanted(v1(targetCPUUtilizationPercentage=utilization))


def test_a_utilization_above_100_is_taken() -> None:
    # A vCPU of KubeVirt requests a tenth of a CPU by default, so one busy vCPU shows as 1000 %.
    found = wanted(name="web", target={"name": "web"}, max_replicas=5, target_cpu_utilization=700)
    assert found.spec["metrics"][0]["resource"]["target"]["averageUtilization"] == 700


def test_metrics_must_be_a_list() -> None:
    with pytest.raises(OptionError, match=r'"metrics" \(spec\.metrics\) must be a list'):
        wanted(v2(metrics={"type": "Resource"}))


def test_options_that_contradict_the_manifest_are_refused() -> None:
    with pytest.raises(OptionError) as caught:
        wanted(SEED_AUTOSCALER, max_replicas=6, target_cpu_utilization=60, target={"name": "other"})
    for words in ('"max_replicas" is 6 and spec.maxReplicas', '"target_cpu_utilization" is [', '"target" is {'):
        assert words in caught.value.message


def test_options_that_repeat_the_manifest_are_taken() -> None:
    repeated = wanted(SEED_AUTOSCALER, max_replicas=5, min_replicas=3, target_cpu_utilization=50, target={"name": "testreplicaset"})
    assert repeated == wanted(SEED_AUTOSCALER)
