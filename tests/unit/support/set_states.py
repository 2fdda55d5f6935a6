# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""States of a replica set and its VMIs, each in a namespace of its own; some are brought about by its manifest alone."""

from __future__ import annotations

from collections.abc import Callable

from integration.support.api import Object
from unit.support.scene import Document, Scene, all_have, conditions, has, has_event, phases, ready, seed_set

Bring = Callable[[Scene], Document]
STATES: dict[str, Bring] = {}


def state(name: str) -> Callable[[Bring], Bring]:
    """Register what brings a state about, and returns what was then seen."""

    def register(bring: Bring) -> Bring:
        STATES[name] = bring
        return bring

    return register


def _with_volume(source: Object) -> Object:
    body = seed_set()
    body["spec"]["template"]["spec"]["volumes"][0] = {"name": "containerdisk", **source}
    return body


@state("healthy")
def _healthy(scene: Scene) -> Document:
    scene.make_ready()
    return scene.after(1)


@state("vmi-rejected")
def _rejected(scene: Scene) -> Document:
    body = seed_set()
    del body["spec"]["template"]["spec"]["domain"]["resources"]
    scene.create_set(body)
    return scene.when(lambda state: has(state["replica_set"], "ReplicaFailure", "FailedCreate") and has_event(state, "FailedCreate"))


@state("vmi-rejected-architecture")
def _rejected_architecture(scene: Scene) -> Document:
    body = seed_set()
    body["spec"]["template"]["spec"]["architecture"] = "riscv64"
    scene.create_set(body)
    return scene.when(lambda state: has(state["replica_set"], "ReplicaFailure", "FailedCreate") and has_event(state, "FailedCreate"))


@state("missing-pvc")
def _missing_claim(scene: Scene) -> Document:
    scene.create_set(_with_volume({"persistentVolumeClaim": {"claimName": "missing"}}))
    return scene.when(lambda state: all_have(state, "Synchronized", "FailedPvcNotFound"))


@state("missing-data-volume")
def _missing_data_volume(scene: Scene) -> Document:
    scene.create_set(_with_volume({"dataVolume": {"name": "missing"}}))
    return scene.when(lambda state: len(state["instances"]) == 3 and all(conditions(each, "Synchronized") for each in state["instances"]))


@state("too-large")
def _too_large(scene: Scene) -> Document:
    body = seed_set()
    body["spec"]["template"]["spec"]["domain"]["resources"]["requests"]["memory"] = "900Gi"
    scene.create_set(body)
    return scene.when(lambda state: all_have(state, "PodScheduled", "Unschedulable") and has_event(state, "FailedScheduling"))


@state("node-selector")
def _node_selector(scene: Scene) -> Document:
    body = seed_set()
    body["spec"]["template"]["spec"]["nodeSelector"] = {"disk": "ssd"}
    scene.create_set(body)
    return scene.when(lambda state: all_have(state, "PodScheduled", "Unschedulable") and has_event(state, "FailedScheduling"))


@state("set-paused")
def _set_paused(scene: Scene) -> Document:
    scene.make_ready()
    scene.change_set({"paused": True})
    scene.when(lambda state: conditions(state["replica_set"], "ReplicaPaused"))
    scene.change_set({"replicas": 5})
    return scene.after(2)


@state("scaled-to-zero-without-autoscaler")
def _zero(scene: Scene) -> Document:
    scene.make_ready(0, seed_set(0))
    return scene.after(2)


@state("selector-overlap")
def _selector_overlap(scene: Scene) -> Document:
    scene.create_set()
    scene.create_set(seed_set(2, name="other"))
    return scene.when(lambda state: ready(state) == 3 and phases(state) == ["Running"] * 5)


@state("adopted")
def _adopted(scene: Scene) -> Document:
    """Two VMIs that nobody owned match the set's selector: they became its own."""
    scene.create_set(seed_set(2, name="former"))
    scene.when(lambda state: phases(state) == ["Running"] * 2)
    scene.api.call("DELETE", scene.api.path("vmirs", scene.namespace, "former"), {"propagationPolicy": "Orphan"})
    scene.when(lambda state: all(not each["metadata"].get("ownerReferences") for each in state["instances"]))
    scene.restart_clock()
    scene.create_set()
    return scene.when(lambda state: ready(state) == 3)


@state("released")
def _released(scene: Scene) -> Document:
    """A VMI lost the label and went its own way: the set made another."""
    scene.make_ready()
    name = scene.situation()["instances"][0]["metadata"]["name"]
    scene.api.merge("vmis", scene.namespace, name, {"metadata": {"labels": {"app": "debug"}}})
    return scene.when(
        lambda state: (
            ready(state) == 3 and name not in [each["metadata"]["name"] for each in state["instances"]] and phases(state) == ["Running"] * 3
        )
    )


@state("empty-selector")
def _empty_selector(scene: Scene) -> Document:
    body = seed_set()
    body["spec"]["selector"] = {}
    scene.create_set(body)
    return scene.when(lambda state: ready(state) == 3)


@state("vmi-deleted")
def _deleted(scene: Scene) -> Document:
    """One VMI is on its way out, and another on its way in."""
    scene.make_ready(3, seed_set(shutdown_seconds="30"))
    name = scene.situation()["instances"][0]["metadata"]["name"]
    scene.api.delete("vmis", scene.namespace, name)
    return scene.when(lambda state: len(state["instances"]) == 4)


@state("scaling-in-stuck")
def _no_acpi(scene: Scene) -> Document:
    """VMIs that should go do not hear the power button."""
    scene.make_ready()
    scene.fault("no-acpi")
    scene.restart_clock()
    scene.change_set({"replicas": 1})
    return scene.after(10)


def crashes(state: Document) -> bool:
    """Whether more VMIs have ended than the set has replicas."""
    return len(state["finished"]) > 4 and has_event(state, "Stopped")


@state("crash-loop")
def _crash_loop(scene: Scene) -> Document:
    scene.begin_with("boot-fail")
    return scene.when(crashes)


@state("crash-after")
def _crash_after(scene: Scene) -> Document:
    scene.begin_with("crash-after", "--seconds", "2")
    return scene.when(crashes)


@state("slow-boot")
def _slow_boot(scene: Scene) -> Document:
    scene.begin_with("slow-boot", "--seconds", "60")
    return scene.when(lambda state: phases(state) == ["Scheduled"] * 3)


@state("never-boot")
def _never_boot(scene: Scene) -> Document:
    scene.begin_with("never-boot")
    scene.when(lambda state: phases(state) == ["Scheduled"] * 3 and all_have(state, "Ready", "GuestNotRunning"))
    return scene.after(20)


@state("not-ready")
def _not_ready(scene: Scene) -> Document:
    scene.begin_with("not-ready")
    return scene.when(lambda state: phases(state) == ["Running"] * 3 and all_have(state, "Ready", "ContainersNotReady"))


@state("vmi-paused")
def _paused(scene: Scene) -> Document:
    scene.make_ready()
    scene.fault("pause")
    return scene.when(lambda state: ready(state) == 0 and all_have(state, "Paused", "PausedByUser"))


@state("image-pull")
def _image_pull(scene: Scene) -> Document:
    scene.begin_with("image-pull")
    return scene.when(lambda state: all_have(state, "Synchronized", "ErrImagePull") and has_event(state, "Failed"))


@state("image-pull-back-off")
def _back_off(scene: Scene) -> Document:
    scene.begin_with("image-pull")
    return scene.when(lambda state: all_have(state, "Synchronized", "ImagePullBackOff") and has_event(state, "Failed"))


@state("launcher-crash")
def _launcher_crash(scene: Scene) -> Document:
    scene.make_ready()
    scene.fault("launcher-crash")
    return scene.when(lambda state: len(state["finished"]) == 3 and has_event(state, "Stopped"))


@state("quota")
def _quota(scene: Scene) -> Document:
    """The set has what it had; the two that it lacks may not come."""
    scene.make_ready()
    scene.command("fault", "quota", "-n", scene.namespace)
    scene.restart_clock()
    scene.change_set({"replicas": 5})
    return scene.when(lambda state: all_have(state, "Synchronized", "FailedCreate", 2) and has_event(state, "FailedCreate"))


@state("pod-security")
def _pod_security(scene: Scene) -> Document:
    scene.command("fault", "pod-security", "-n", scene.namespace)
    scene.create_set()
    return scene.when(lambda state: all_have(state, "Synchronized", "FailedCreate") and has_event(state, "FailedCreate"))


@state("namespace-terminating")
def _terminating(scene: Scene) -> Document:
    """The namespace goes while the set is there: the set and its VMIs go first."""
    scene.make_ready(3, seed_set(shutdown_seconds="30"))
    scene.command("fault", "namespace-terminating", "-n", scene.namespace)
    return scene.when(
        lambda state: state["replica_set"] is None and all("deletionTimestamp" in each["metadata"] for each in state["instances"])
    )


@state("namespace-terminating-held")
def _terminating_held(scene: Scene) -> Document:
    """The set is held as well: it cannot make a VMI any more."""
    body = seed_set()
    body["metadata"]["finalizers"] = ["example.com/hold"]
    scene.make_ready(3, body)
    scene.command("fault", "namespace-terminating", "-n", scene.namespace)
    found = scene.when(lambda state: "deletionTimestamp" in state["replica_set"]["metadata"] and not state["instances"])
    scene.api.merge("vmirs", scene.namespace, "web", {"metadata": {"finalizers": None}})
    return found
