# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""States of a set and its autoscaler while the cluster itself is not well: nothing else may go on beside them."""

from __future__ import annotations

from collections import Counter

from unit.support.scene import Document, Scene, all_have, has_event, measured, phases, ready, scaler_has, seed_set
from unit.support.set_states import STATES, state

_BEFORE = frozenset(STATES)


def _autoscaled(scene: Scene) -> None:
    scene.create_set()
    scene.create_autoscaler()
    scene.when(lambda state: ready(state) == 3 and measured(state))
    scene.restart_clock()


def _wanting(scene: Scene, fault: str) -> None:
    """A set of three that wants five when the fault begins."""
    scene.make_ready()
    scene.command("fault", fault)
    scene.restart_clock()
    scene.change_set({"replicas": 5})


@state("unschedulable")
def _unschedulable(scene: Scene) -> Document:
    _wanting(scene, "unschedulable")
    return scene.when(lambda state: all_have(state, "PodScheduled", "Unschedulable", 2) and has_event(state, "FailedScheduling"))


@state("scheduler-down")
def _scheduler_down(scene: Scene) -> Document:
    _wanting(scene, "scheduler-down")
    return scene.after(8)


@state("virt-controller-down")
def _controller_down(scene: Scene) -> Document:
    _wanting(scene, "virt-controller-down")
    return scene.after(40)


@state("virt-api-down")
def _api_down(scene: Scene) -> Document:
    scene.make_ready()
    # Not through the main resource: its webhook is down as well.
    scene.command("fault", "virt-api-down")
    scene.restart_clock()
    scale = scene.api.path("vmirs", scene.namespace, "web") + "/scale"
    scene.api.call("PATCH", scale, {"spec": {"replicas": 5}}, "application/merge-patch+json")
    return scene.when(lambda state: has_event(state, "FailedCreate"))


@state("no-metrics-api")
def _no_metrics_api(scene: Scene) -> Document:
    _autoscaled(scene)
    scene.command("fault", "no-metrics-api")
    return scene.when(lambda state: scaler_has(state, "ScalingActive", "FailedGetResourceMetric") and state["pod_metrics"] is None)


@state("no-metrics")
def _no_metrics(scene: Scene) -> Document:
    _autoscaled(scene)
    scene.command("fault", "no-metrics")
    return scene.when(lambda state: scaler_has(state, "ScalingActive", "FailedGetResourceMetric") and state["pod_metrics"] == [])


@state("metrics-down")
def _metrics_down(scene: Scene) -> Document:
    _autoscaled(scene)
    scene.command("fault", "metrics-down")
    return scene.when(lambda state: scaler_has(state, "ScalingActive", "FailedGetResourceMetric") and state["pod_metrics"] is None)


@state("autoscaler-down")
def _autoscaler_down(scene: Scene) -> Document:
    _autoscaled(scene)
    scene.command("fault", "autoscaler-down")
    scene.restart_clock()
    scene.load(150)
    return scene.after(25)


@state("autoscaler-down-from-birth")
def _autoscaler_never_seen(scene: Scene) -> Document:
    scene.make_ready()
    scene.command("fault", "autoscaler-down")
    scene.restart_clock()
    scene.create_autoscaler()
    return scene.after(10)


def _lose_a_node(scene: Scene) -> str:
    scene.make_ready(6, seed_set(6))
    nodes = Counter(each["status"]["nodeName"] for each in scene.situation()["instances"])
    node = nodes.most_common(1)[0][0]
    scene.command("fault", "node-lost", "--node", node)
    return str(node)


@state("node-lost")
def _node_lost(scene: Scene) -> Document:
    """The node has just been found dead: its VMIs are not ready, and not replaced yet."""
    _lose_a_node(scene)
    return scene.when(lambda state: 0 < ready(state) < 6, 120)


@state("node-lost-evicted")
def _node_lost_evicted(scene: Scene) -> Document:
    """Pods have been evicted from the dead node and cannot go; their VMIs have been replaced."""
    _lose_a_node(scene)
    scene.when(lambda state: 0 < ready(state) < 6, 120)
    return scene.when(lambda state: ready(state) == 6 and len(phases(state)) > 6, 120)


NAMES = tuple(name for name in STATES if name not in _BEFORE)
