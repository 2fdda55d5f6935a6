# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can be wrong with a set or its autoscaler, how it is brought about, and what a wait must make of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from integration.support.ansible import Task
from integration.support.api import Api, Object, eventually
from integration.support.manifests import autoscaler, hpa, replica_set, vmirs

NAME = "web"
SCALER = "web-scaler"
# A wait that is to end by itself gets this long.
LONG = 300


@dataclass(frozen=True)
class Row:
    """One fault.

    `dial` are the arguments of the sandbox's `fault`, in which `{namespace}` is filled in; `prepare` comes before it and `then` after it.
    With `meanwhile`, the dial is turned that many seconds after the task has begun. `reason` and `words` are what the first finding
    says. The wait ends within `seconds`: early where `is_early`, or else because its own timeout is as short as that.
    """

    what: str
    reason: str
    words: str
    task: Task
    seconds: float
    is_early: bool = True
    dial: Sequence[str] = ()
    prepare: Callable[[Api, str], object] = lambda _api, _namespace: None
    then: Callable[[Api, str], object] = lambda _api, _namespace: None
    meanwhile: float | None = None
    is_slow: bool = False
    # Told beside what is wrong, since nothing is: it only explains.
    is_aside: bool = False


def _set(replicas: int = 2, **spec: Any) -> Object:
    body = replica_set(NAME, replicas)
    body["spec"]["template"]["spec"].update(spec)
    return body


def _with_volume(volume: Mapping[str, Any]) -> Object:
    body = _set()
    body["spec"]["template"]["spec"]["volumes"].append({"name": "data", **volume})
    body["spec"]["template"]["spec"]["domain"]["devices"]["disks"].append({"name": "data", "disk": {"bus": "virtio"}})
    return body


def _without_memory() -> Object:
    body = _set()
    body["spec"]["template"]["spec"]["domain"]["resources"] = {}
    return body


def _wait(timeout: int = LONG, body: Object | None = None) -> Task:
    return vmirs(definition=body or _set(), wait=True, wait_timeout=timeout)


def _acts(timeout: int = LONG, target: str = NAME, **options: Any) -> Task:
    return hpa(definition=autoscaler(SCALER, target, 1, 3), wait=True, wait_timeout=timeout, **options)


def _works(timeout: int = LONG, **expected: Any) -> Task:
    return {"name": "Verify", "vmscale.kubevirt.hpa_verify": {"name": SCALER, "wait_timeout": timeout, **expected}}


def _create(*bodies: Object) -> Callable[[Api, str], object]:
    """Return what creates objects, and waits until sets among them have been acknowledged."""

    def create(api: Api, namespace: str) -> None:
        for body in bodies:
            kind = {"VirtualMachineInstanceReplicaSet": "vmirs", "HorizontalPodAutoscaler": "hpas", "Pod": "pods"}[body["kind"]]
            api.create(kind, namespace, body)
            if kind == "vmirs":
                name = body["metadata"]["name"]
                eventually("acknowledged", lambda name=name: api.get("vmirs", namespace, name), lambda live: "status" in live)  # type: ignore[misc]

    return create


def _create_ready(*more: Object, replicas: int = 2, **spec: Any) -> Callable[[Api, str], object]:
    """Return what creates a set, waits until it is ready, and creates more."""

    def create(api: Api, namespace: str) -> None:
        _create(_set(replicas, **spec))(api, namespace)
        eventually("ready", lambda: api.get("vmirs", namespace, NAME), lambda live: live["status"].get("readyReplicas") == replicas)
        _create(*more)(api, namespace)

    return create


def _delete_instance(api: Api, namespace: str) -> None:
    api.delete("vmis", namespace, api.items("vmis", namespace)[0]["metadata"]["name"])


def _until_not_ready(api: Api, namespace: str) -> None:
    eventually("not ready", lambda: api.get("vmirs", namespace, NAME), lambda live: not live["status"].get("readyReplicas"), 120)


def _without_replicas() -> Object:
    body = _set()
    del body["spec"]["replicas"]
    return body


def _paused() -> Object:
    body = _set()
    body["spec"]["paused"] = True
    return body


def _any_selector() -> Object:
    body = _set()
    body["spec"]["selector"] = {}
    return body


_DEBUG_POD: Object = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "debug", "labels": {"app": NAME}},
    "spec": {"containers": [{"name": "debug", "image": "example/debug:1"}]},
}
_SLOW_SET = replica_set(NAME, 2, annotations={"sandbox.vmscale.kubevirt/boot-seconds": "60"})
_OTHER_SET = {**_set(1), "metadata": {"name": "other"}}
_CPU, _IDLE, _BUSY = "sandbox.vmscale.kubevirt/cpu", "5m", "900m"
_NODE = {"kubernetes.io/hostname": "kwok-node-0"}
_OF_SET = (NAME, "-n", "{namespace}")

SETS: Sequence[Row] = (
    Row(
        "an image that cannot be pulled",
        "ImagePullFailed",
        "cannot be pulled: ",
        _wait(),
        14,
        dial=("image-pull", *_OF_SET),
        prepare=_create(_set(0)),
    ),
    Row("a quota that is used up", "QuotaExceeded", "exceeded quota", _wait(), 12, dial=("quota", "-n", "{namespace}", "--pods", "0")),
    Row("a namespace that allows no launcher pods", "PodSecurity", "violate", _wait(), 12, dial=("pod-security", "-n", "{namespace}")),
    Row("VMIs that are refused though their set was not", "VmiRejected", "memory", _wait(body=_without_memory()), 12),
    Row(
        "a volume claim that does not exist",
        "FailedPvcNotFound",
        "PVC",
        _wait(body=_with_volume({"persistentVolumeClaim": {"claimName": "missing"}})),
        12,
    ),
    Row(
        "a data volume that does not exist",
        "FailedPvcNotFound",
        "missing",
        _wait(body=_with_volume({"dataVolume": {"name": "missing"}})),
        12,
    ),
    Row(
        "a node selector that no node has", "Unschedulable", "0/4 nodes are available", _wait(body=_set(nodeSelector={"disk": "none"})), 12
    ),
    Row(
        "guests that crash while they boot",
        "CrashLoop",
        "end and are replaced again and again",
        _wait(),
        30,
        dial=("boot-fail", *_OF_SET),
        prepare=_create(_set(0)),
    ),
    Row(
        "VMs that are paused",
        "PausedByUser",
        "paused",
        vmirs(definition=_set(), template_hash=False, wait=True, wait_timeout=LONG),
        12,
        dial=("pause", *_OF_SET),
        prepare=_create_ready(),
        then=_until_not_ready,
    ),
    Row(
        "a set that somebody has paused",
        "ReplicaPaused",
        "the set is paused",
        vmirs(name=NAME, replicas=3, wait=True, wait_timeout=LONG),
        8,
        prepare=_create(_paused()),
    ),
    Row(
        "a namespace that is deleted meanwhile",
        # Whichever the namespace's controller brings about first.
        "NamespaceTerminating|BeingDeleted",
        "being deleted",
        _wait(body=_SLOW_SET),
        20,
        dial=("namespace-terminating", "-n", "{namespace}"),
        prepare=_create(_SLOW_SET),
        meanwhile=4,
    ),
    Row(
        "VMs that are not ready",
        "NotReady",
        "ContainersNotReady",
        _wait(16),
        17,
        is_early=False,
        dial=("not-ready", *_OF_SET),
        prepare=_create(_set(0)),
    ),
    Row(
        "guests that never come up",
        "GuestNotRunning",
        "have not come up",
        _wait(36),
        37,
        is_early=False,
        is_slow=True,
        dial=("never-boot", *_OF_SET),
        prepare=_create(_set(0)),
    ),
    Row(
        "VMIs that belong to another set",
        "SelectorOverlap|GuestNotRunning",
        "belongs to VirtualMachineInstanceReplicaSet other",
        _wait(6),
        7,
        is_early=False,
        dial=("never-boot", *_OF_SET),
        prepare=_create(_OTHER_SET, _set(0)),
    ),
)


def _autoscaled(cpu: str, most: int = 3) -> Callable[[Api, str], object]:
    """Return what creates a set whose VMs use so much CPU from their boot on, and an autoscaler that has acted on it."""

    def create(api: Api, namespace: str) -> None:
        least = 2 if cpu == _IDLE else 1
        set_ = replica_set(NAME, least, annotations={_CPU: cpu})
        scaler = autoscaler(SCALER, NAME, least, most)
        if cpu == _BUSY:
            scaler["spec"]["behavior"] = {"scaleDown": {"stabilizationWindowSeconds": 300}}
        _create(set_, scaler)(api, namespace)
        wanted = least if cpu == _IDLE else most
        eventually("scaled", lambda: api.get("vmirs", namespace, NAME), lambda live: live["status"].get("readyReplicas") == wanted, 90)
        eventually("limited", lambda: _reason(api, namespace, "ScalingLimited"), lambda reason: str(reason).startswith("Too"), 90)

    return create


def _reason(api: Api, namespace: str, kind: str) -> str | None:
    conditions = api.get("hpas", namespace, SCALER).get("status", {}).get("conditions") or []
    return next((each.get("reason") for each in conditions if each["type"] == kind), None)


def _calm_down(api: Api, namespace: str) -> None:
    """Let the VMs idle, and wait until the autoscaler holds what it has."""
    for pod in api.items("pods", namespace):
        api.merge("pods", namespace, pod["metadata"]["name"], {"metadata": {"annotations": {_CPU: _IDLE}}})
    eventually("held", lambda: _reason(api, namespace, "AbleToScale"), lambda reason: reason == "ScaleDownStabilized", 90)


AUTOSCALERS: Sequence[Row] = (
    Row("no target", "TargetNotFound", "its target does not exist", _acts(target="none", require_target=False), 14),
    Row("a target without replicas", "ReplicasMissing", "spec.replicas", _acts(), 14, prepare=_create(_without_replicas())),
    Row("a target with 0 replicas", "ScalingDisabled", "0 replicas", _acts(), 14, prepare=_create(_set(0))),
    Row("a target that selects everything", "InvalidSelector", "selector", _acts(), 14, prepare=_create(_any_selector())),
    Row(
        "two autoscalers of one set",
        "AmbiguousSelector",
        "several",
        _acts(),
        14,
        dial=("rival-autoscaler", *_OF_SET),
        prepare=_create_ready(),
    ),
    Row("a container without a CPU request", "MissingRequest", "container debug", _acts(), 25, prepare=_create_ready(_DEBUG_POD)),
    Row(
        "an autoscaler at its maximum",
        "TooManyReplicas",
        "more than the maximum replica count",
        _works(40, not_limited=True),
        41,
        is_early=False,
        is_slow=True,
        prepare=_create_ready(autoscaler(SCALER, NAME, 1, 3, cpu=1)),
    ),
)


def _aside(what: str, reason: str, words: str, cpu: str, **more: Any) -> Row:
    """Return a row about an autoscaler with which nothing is wrong but the number that is expected."""
    task = _works(6, current_replicas=9)
    return Row(what, reason, words, task, 7, is_early=False, is_slow=True, is_aside=True, prepare=_autoscaled(cpu), **more)


AUTOSCALERS = (
    *AUTOSCALERS,
    _aside("an autoscaler at its minimum", "TooFewReplicas", "less than the minimum", _IDLE),
    _aside("an autoscaler that holds its number", "Stabilized", "", _BUSY, then=_calm_down),
    _aside("a completed launcher pod", "CompletedPods", "completed", _IDLE, dial=("completed-launcher", *_OF_SET)),
)
CLUSTER: Sequence[Row] = (
    Row("no node with room", "Unschedulable", "4 Insufficient devices.kubevirt.io/kvm", _wait(), 12, dial=("unschedulable",)),
    Row(
        "virt-api that is down",
        "VirtApiDown",
        "virt-api does not answer",
        vmirs(definition=_set(), template_hash=False, wait=True, wait_timeout=LONG),
        20,
        is_slow=True,
        dial=("virt-api-down",),
        prepare=_create_ready(),
        then=_delete_instance,
    ),
    Row(
        "virt-controller that is down",
        "VirtControllerDown",
        "has not renewed its lease",
        _wait(),
        60,
        is_slow=True,
        dial=("virt-controller-down",),
    ),
    Row(
        "no metrics API",
        "MetricsApiDown",
        "could not find the requested resource",
        _acts(require_metrics_api=False),
        25,
        dial=("no-metrics-api",),
        prepare=_create_ready(),
    ),
    Row(
        "a metrics API that does not answer",
        "MetricsApiDown",
        "unable to handle the request",
        _acts(require_metrics_api=False),
        25,
        is_slow=True,
        dial=("metrics-down",),
        prepare=_create_ready(),
    ),
    Row(
        "no metrics of the pods",
        "NoMetricsYet",
        "no metrics",
        _acts(12),
        13,
        is_early=False,
        is_slow=True,
        dial=("no-metrics",),
        prepare=_create_ready(),
    ),
    Row(
        "no autoscaler controller",
        "NotObserved",
        "has not looked at it",
        _acts(36),
        37,
        is_early=False,
        is_slow=True,
        dial=("autoscaler-down",),
        prepare=_create_ready(),
    ),
    Row("no scheduler", "NotScheduled", "no scheduler has looked", _wait(36), 37, is_early=False, is_slow=True, dial=("scheduler-down",)),
    Row(
        "a node that is lost",
        "NodeLost",
        "is not ready (kwok-node-0)",
        vmirs(definition=_set(1, nodeSelector=_NODE), template_hash=False, wait=True, wait_timeout=6),
        7,
        is_early=False,
        is_slow=True,
        dial=("node-lost", "--node", "kwok-node-0"),
        prepare=_create_ready(replicas=1, nodeSelector=_NODE),
        then=_until_not_ready,
    ),
)
