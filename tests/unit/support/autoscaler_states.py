# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""States of an autoscaler and its set, each in a namespace of its own."""

from __future__ import annotations

from unit.support.scene import NAME, Document, Scene, has_event, measured, ready, scaler_has, seed_set
from unit.support.set_states import state


def _autoscaled(scene: Scene, least: int = 3, most: int = 5) -> None:
    scene.create_set()
    scene.create_autoscaler(least=least, most=most)
    scene.when(lambda state: ready(state) == 3 and measured(state))
    scene.restart_clock()


@state("healthy-autoscaled")
def _healthy(scene: Scene) -> Document:
    _autoscaled(scene)
    return scene.after(1)


@state("autoscaler-new")
def _new(scene: Scene) -> Document:
    scene.create_set()
    scene.create_autoscaler()
    return scene.situation()


@state("warming-up")
def _warming_up(scene: Scene) -> Document:
    scene.make_ready()
    scene.create_autoscaler()
    return scene.when(
        lambda state: scaler_has(state, "ScalingActive", "FailedGetResourceMetric") and has_event(state, "FailedGetResourceMetric")
    )


@state("no-cpu-request")
def _no_request(scene: Scene) -> Document:
    """A pod that the set's selector takes in, and that requests no CPU."""
    _autoscaled(scene)
    container = {"name": "debug", "image": "example/debug:1"}
    body = {"metadata": {"name": "debug", "labels": {"app": NAME}}, "spec": {"containers": [container]}}
    scene.api.create("pods", scene.namespace, body)
    return scene.when(
        lambda state: scaler_has(state, "ScalingActive", "FailedGetResourceMetric") and has_event(state, "FailedGetResourceMetric")
    )


@state("target-missing")
def _target_missing(scene: Scene) -> Document:
    scene.create_autoscaler()
    return scene.when(lambda state: scaler_has(state, "AbleToScale", "FailedGetScale") and has_event(state, "FailedGetScale"))


@state("no-scale-replicas")
def _no_replicas(scene: Scene) -> Document:
    scene.create_set(seed_set(None))
    scene.create_autoscaler()
    return scene.when(lambda state: scaler_has(state, "AbleToScale", "FailedGetScale") and has_event(state, "FailedGetScale"))


@state("scaled-to-zero")
def _zero(scene: Scene) -> Document:
    scene.create_set(seed_set(0))
    scene.create_autoscaler()
    return scene.when(lambda state: scaler_has(state, "ScalingActive", "ScalingDisabled"))


@state("limited-by-max")
def _at_most(scene: Scene) -> Document:
    _autoscaled(scene)
    scene.load(150)
    return scene.when(lambda state: ready(state) == 5 and scaler_has(state, "ScalingLimited", "TooManyReplicas") and measured(state))


@state("scaling-out")
def _scaling_out(scene: Scene) -> Document:
    _autoscaled(scene)
    scene.load(150)
    return scene.when(lambda state: state["replica_set"]["spec"]["replicas"] > 3 and ready(state) < 5)


@state("stabilising")
def _stabilising(scene: Scene) -> Document:
    scene.create_set()
    scene.create_autoscaler()
    behavior = {"scaleDown": {"stabilizationWindowSeconds": 300}}
    scene.api.merge("hpas", scene.namespace, NAME, {"spec": {"behavior": behavior}})
    scene.load(120)
    scene.when(lambda state: ready(state) == 5 and measured(state))
    scene.sandbox.unload(NAME, scene.namespace)
    scene.restart_clock()
    return scene.when(lambda state: scaler_has(state, "AbleToScale", "ScaleDownStabilized") and _usage(state) < 30)


def _usage(state: Document) -> int:
    return int(state["autoscaler"]["status"]["currentMetrics"][0]["resource"]["current"]["averageUtilization"])


@state("two-autoscalers")
def _two(scene: Scene) -> Document:
    _autoscaled(scene)
    scene.fault("rival-autoscaler")
    return scene.when(lambda state: scaler_has(state, "ScalingActive", "AmbiguousSelector") and has_event(state, "AmbiguousSelector"))


@state("selector-overlap-autoscaled")
def _overlap(scene: Scene) -> Document:
    """Two sets with the same selector, one of them with an autoscaler, which counts the pods of both."""
    scene.create_set(seed_set(2, name="other"))
    _autoscaled(scene)
    return scene.after(3)


@state("selector-overlap-two-autoscalers")
def _overlap_two(scene: Scene) -> Document:
    scene.create_set(seed_set(2, name="other"))
    _autoscaled(scene)
    scene.create_autoscaler(name="other", target="other", least=2)
    return scene.when(lambda state: scaler_has(state, "ScalingActive", "AmbiguousSelector") and has_event(state, "AmbiguousSelector"))


@state("no-such-metric")
def _no_such_metric(scene: Scene) -> Document:
    """An autoscaler of a container that launcher pods do not have."""
    scene.make_ready()
    target = {"type": "Utilization", "averageUtilization": 50}
    metric = {"type": "ContainerResource", "containerResource": {"name": "cpu", "container": "missing", "target": target}}
    scene.create_autoscaler()
    scene.api.merge("hpas", scene.namespace, NAME, {"spec": {"metrics": [metric]}})
    return scene.when(lambda state: scaler_has(state, "ScalingActive", "FailedGetContainerResourceMetric") and state["pod_metrics"], 60)


@state("custom-metric")
def _custom_metric(scene: Scene) -> Document:
    """An autoscaler by a metric that no API serves."""
    scene.make_ready()
    scene.create_autoscaler()
    metric = {"type": "Pods", "pods": {"metric": {"name": "requests"}, "target": {"type": "AverageValue", "averageValue": "10"}}}
    scene.api.merge("hpas", scene.namespace, NAME, {"spec": {"metrics": [metric]}})
    return scene.when(lambda state: scaler_has(state, "ScalingActive", "FailedGetPodsMetric"))


@state("empty-selector-autoscaled")
def _empty_selector(scene: Scene) -> Document:
    body = seed_set()
    body["spec"]["selector"] = {}
    scene.create_set(body)
    scene.create_autoscaler()
    return scene.when(lambda state: scaler_has(state, "ScalingActive", "InvalidSelector"))


@state("autoscaled-paused-set")
def _paused(scene: Scene) -> Document:
    """The autoscaler goes on while the set is paused."""
    _autoscaled(scene)
    scene.change_set({"paused": True})
    scene.load(150)
    return scene.when(lambda state: state["replica_set"]["spec"]["replicas"] == 5 and measured(state))


@state("completed-launcher")
def _completed(scene: Scene) -> Document:
    """A pod that a live migration left behind counts as one without figures: the autoscaler does not go down to 3."""
    scene.create_set()
    scene.create_autoscaler()
    scene.load(120)
    scene.when(lambda state: ready(state) == 5 and measured(state))
    scene.fault("completed-launcher")
    scene.sandbox.unload(NAME, scene.namespace)
    scene.restart_clock()
    scene.when(lambda state: state["replica_set"]["spec"]["replicas"] < 5)
    return scene.after(25)
