# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults show in what the real components say, and no longer once they are healed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from integration.sandbox.command import Command, eventually
from integration.sandbox.objects import autoscaler, replica_set
from sandbox.api import ApiError

# The tests of waits turn most of these dials as well; here each is seen by itself.
pytestmark = pytest.mark.slow
NAMESPACE = "faults"
SETS = f"/apis/kubevirt.io/v1/namespaces/{NAMESPACE}/virtualmachineinstancereplicasets"
INSTANCES = f"/apis/kubevirt.io/v1/namespaces/{NAMESPACE}/virtualmachineinstances"
AUTOSCALERS = f"/apis/autoscaling/v2/namespaces/{NAMESPACE}/horizontalpodautoscalers"
PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
METRICS = f"/apis/metrics.k8s.io/v1beta1/namespaces/{NAMESPACE}/pods"
NODE = "kwok-node-3"
Object = dict[str, Any]
Shows = Callable[["Place", str], bool]


class Place:
    """The sandbox, and the namespace in which the faults are brought about."""

    def __init__(self, command: Command) -> None:
        self.run = command.run
        self.command = command
        self.api = command.api()

    def create(self, name: str, replicas: int = 1, **spec: Any) -> None:
        body = replica_set(name, replicas)
        body["spec"]["template"]["spec"].update(spec)
        self.api.request("POST", SETS, body)

    def scale(self, name: str, replicas: int) -> None:
        self.api.request("PATCH", f"{SETS}/{name}/scale", {"spec": {"replicas": replicas}}, "application/merge-patch+json")

    def ready(self, name: str) -> int:
        return int(self.api.request("GET", f"{SETS}/{name}").get("status", {}).get("readyReplicas", 0))

    def instances(self, name: str) -> list[Object]:
        items: list[Object] = self.api.request("GET", f"{INSTANCES}?labelSelector=test%3D{name}")["items"]
        return items

    def has(self, name: str, kind: str, reason: str, words: str = "") -> bool:
        """Whether a VMI of a set has a condition of that type for that reason, in these words."""
        conditions = (each for item in self.instances(name) for each in item.get("status", {}).get("conditions", []))
        return any((each["type"], each.get("reason")) == (kind, reason) and words in each.get("message", "") for each in conditions)

    def phases(self, name: str) -> set[str]:
        return {item.get("status", {}).get("phase", "") for item in self.instances(name)}

    def refusal(self, path: str, body: Object | None = None, user: str = "admin") -> str:
        """What the API server says against a request, if anything."""
        try:
            self.command.api(user).request("POST" if body else "GET", path, body)
        except ApiError as error:
            return str(error)
        return ""


@pytest.fixture(scope="module")
def place(own_sandbox: Command) -> Iterator[Place]:
    """A namespace with a set `web` of one VM; a node is already being lost."""
    own_sandbox.run("up")
    found = Place(own_sandbox)
    for name in (NAMESPACE, "restricted", "leaving"):
        found.api.request("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
    found.create("web")
    found.create("stranded", nodeSelector={"kubernetes.io/hostname": NODE})
    eventually("a VM on each", lambda: found.ready("web") == found.ready("stranded") == 1)
    own_sandbox.run("kubectl", "cordon", NODE)
    own_sandbox.run("fault", "node-lost", "--node", NODE)
    yield found
    own_sandbox.run("heal", "--all")
    own_sandbox.run("kubectl", "uncordon", NODE)
    for name in (NAMESPACE, "restricted", "leaving"):
        own_sandbox.run("kubectl", "delete", "namespace", name, "--ignore-not-found", "--wait=false")


INSTANCE_FAULTS: dict[str, Shows] = {
    "image-pull": lambda place, name: place.has(name, "Synchronized", "ImagePullBackOff", "Back-off pulling image"),
    "slow-boot": lambda place, name: place.phases(name) == {"Scheduled"},
    "never-boot": lambda place, name: place.has(name, "Ready", "GuestNotRunning") and place.phases(name) == {"Scheduled"},
    "boot-fail": lambda place, name: "Failed" in place.phases(name),
    "crash-after": lambda place, name: "Failed" in place.phases(name),
    "not-ready": lambda place, name: place.has(name, "Ready", "ContainersNotReady") and place.phases(name) == {"Running"},
    "pause": lambda place, name: place.has(name, "Paused", "PausedByUser") and place.has(name, "Ready", "ReadinessGatesNotReady"),
}


@pytest.fixture(scope="module")
def faulty(place: Place) -> Place:
    """For each fault of VMIs, a set of that name whose VM was born with it."""
    for name in INSTANCE_FAULTS:
        place.create(name, 0)
        place.run("fault", name, name, "-n", NAMESPACE, *(["--seconds", "2"] if name == "crash-after" else []))
        place.scale(name, 1)
    return place


@pytest.mark.parametrize("name", INSTANCE_FAULTS)
def test_vms_are_born_with_a_fault(faulty: Place, name: str) -> None:
    eventually(name, lambda: INSTANCE_FAULTS[name](faulty, name))
    annotations = faulty.api.request("GET", f"{SETS}/{name}")["spec"]["template"]["metadata"].get("annotations", {})
    assert not annotations, "the user's template is not touched"


def test_what_is_on_is_listed(faulty: Place) -> None:
    listed = {line.split()[0]: line for line in faulty.run("fault").stdout.splitlines()}
    assert all(f"{NAMESPACE}/{name}" in listed[name] for name in INSTANCE_FAULTS)
    assert listed["unschedulable"].split()[1:3] == ["cluster", "-"]


@pytest.mark.parametrize("name", INSTANCE_FAULTS)
def test_vms_recover(faulty: Place, name: str) -> None:
    before = {item["metadata"]["uid"] for item in faulty.instances(name)}
    for _ in range(2):
        faulty.run("heal", name, name, "-n", NAMESPACE)
    eventually(f"a VM healed of {name}", lambda: faulty.ready(name) == 1 and not INSTANCE_FAULTS[name](faulty, name))
    if name not in ("boot-fail", "crash-after"):
        assert {item["metadata"]["uid"] for item in faulty.instances(name)} == before
    faulty.scale(name, 0)


def test_a_running_vm_is_paused(place: Place) -> None:
    for _ in range(2):
        place.run("fault", "pause", "web", "-n", NAMESPACE)
    eventually("a paused VM", lambda: place.ready("web") == 0 and place.has("web", "Paused", "PausedByUser"))
    place.run("heal", "pause", "web", "-n", NAMESPACE)
    eventually("a ready VM", lambda: place.ready("web") == 1 and not place.has("web", "Paused", "PausedByUser"))


def test_a_vm_is_deaf_to_the_power_button(place: Place) -> None:
    place.create("deaf", terminationGracePeriodSeconds=30)
    eventually("a VM", lambda: place.ready("deaf") == 1)
    place.run("fault", "no-acpi", "deaf", "-n", NAMESPACE)
    place.scale("deaf", 0)
    eventually("a VM that should go", lambda: place.has("deaf", "Ready", "PodTerminating"))
    # One that hears it goes after a second.
    time.sleep(4)
    assert place.phases("deaf") == {"Running"}
    place.run("heal", "no-acpi", "deaf", "-n", NAMESPACE)
    eventually("no VM", lambda: not place.instances("deaf"), 15)


def test_a_launcher_crashes_once(place: Place) -> None:
    uid = place.instances("web")[0]["metadata"]["uid"]
    place.run("fault", "launcher-crash", "web", "-n", NAMESPACE)
    eventually("a VM that ended with its pod", lambda: _has_crashed(place, uid))
    eventually("another one", lambda: place.ready("web") == 1 and uid not in [item["metadata"]["uid"] for item in place.instances("web")])


def _has_crashed(place: Place, uid: str) -> bool:
    """Whether one sees it, or sees by its event that it has: a VMI that has failed may be gone before one looks."""
    path = f"/api/v1/namespaces/{NAMESPACE}/events?fieldSelector=involvedObject.uid%3D{uid},reason%3DStopped"
    seen = {item["metadata"]["uid"]: item.get("status", {}).get("phase") for item in place.instances("web")}
    return seen.get(uid) == "Failed" or any("crashed" in event["message"] for event in place.api.request("GET", path)["items"])


def test_a_quota_admits_no_more_pods(place: Place) -> None:
    place.run("fault", "quota", "-n", NAMESPACE)
    place.scale("web", 2)
    eventually("a VM without a pod", lambda: place.has("web", "Synchronized", "FailedCreate", "exceeded quota: sandbox-fault"))
    place.run("heal", "quota", "-n", NAMESPACE)
    # virt-controller tries again after longer and longer times.
    place.scale("web", 1)
    eventually("one VM", lambda: place.ready("web") == 1 == len(place.instances("web")))


def test_pod_security_refuses_launcher_pods(place: Place) -> None:
    path = SETS.replace(NAMESPACE, "restricted")
    place.run("fault", "pod-security", "-n", "restricted")
    place.api.request("POST", path, replica_set("web", 1))
    instances = INSTANCES.replace(NAMESPACE, "restricted")
    eventually("a VM without a pod", lambda: 'violates PodSecurity "restricted:latest"' in str(place.api.request("GET", instances)))
    place.run("heal", "pod-security", "-n", "restricted")
    place.api.request("DELETE", path + "/web")
    place.api.request("POST", path, replica_set("again", 1))
    eventually("a VM", lambda: bool(place.api.request("GET", f"{path}/again").get("status", {}).get("readyReplicas")))


def test_a_namespace_is_held_until_healed(place: Place) -> None:
    place.run("fault", "namespace-terminating", "-n", "leaving")
    path = SETS.replace(NAMESPACE, "leaving")
    eventually("nothing new", lambda: "is being terminated" in place.refusal(path, replica_set("late", 1)))
    place.run("heal", "namespace-terminating", "-n", "leaving")
    eventually("it gone", lambda: place.api.get("/api/v1/namespaces/leaving") is None)


def test_a_rival_confuses_an_autoscaler(place: Place) -> None:
    place.api.request("POST", AUTOSCALERS, autoscaler("web", 1, 3, 50))
    place.run("fault", "rival-autoscaler", "web", "-n", NAMESPACE)
    eventually("confusion", lambda: "AmbiguousSelector" in _conditions(place))
    place.run("heal", "rival-autoscaler", "web", "-n", NAMESPACE)
    eventually("clarity", lambda: "ValidMetricFound" in _conditions(place))


def _conditions(place: Place) -> list[str]:
    status = place.api.request("GET", f"{AUTOSCALERS}/web").get("status", {})
    return [each["reason"] for each in status.get("conditions") or []]


def test_a_completed_launcher_is_left_over(place: Place) -> None:
    place.run("fault", "completed-launcher", "web", "-n", NAMESPACE)
    eventually("a completed pod", lambda: _pod_phases(place).count("Succeeded") == 1)
    place.run("heal", "completed-launcher", "web", "-n", NAMESPACE)
    eventually("it gone", lambda: set(_pod_phases(place)) == {"Running"})
    assert place.ready("web") >= 1


def _pod_phases(place: Place) -> list[str]:
    return [item["status"]["phase"] for item in place.api.request("GET", f"{PODS}?labelSelector=test%3Dweb")["items"]]


def test_a_node_is_lost_and_found(place: Place) -> None:
    eventually("a node that is silent", lambda: _node_status(place) == "Unknown", 120)
    eventually("a VM that is not ready", lambda: place.ready("stranded") == 0)
    assert place.phases("stranded") == {"Running"}
    place.run("heal", "node-lost")
    place.run("kubectl", "uncordon", NODE)
    eventually("the node", lambda: _node_status(place) == "True")
    eventually("a VM on it", lambda: place.ready("stranded") == 1)


def _node_status(place: Place) -> str:
    conditions = place.api.request("GET", f"/api/v1/nodes/{NODE}")["status"]["conditions"]
    return next(str(each["status"]) for each in conditions if each["type"] == "Ready")


def test_no_node_has_room(place: Place) -> None:
    place.run("fault", "unschedulable")
    place.create("waiting")
    eventually("a VM that waits", lambda: place.has("waiting", "PodScheduled", "Unschedulable", "Insufficient devices.kubevirt.io/kvm"))
    place.run("heal", "unschedulable")
    eventually("a VM", lambda: place.ready("waiting") == 1)


def test_operators_are_throttled(place: Place) -> None:
    assert place.refusal(SETS, user="operator") == ""
    place.run("fault", "throttle")
    eventually("429", lambda: place.refusal(SETS, user="operator").startswith("429: Too many requests"))
    # A request may slip through while the crowd begins anew.
    answers = [place.refusal(SETS, user="operator") for _ in range(20)]
    assert sum(answer.startswith("429") for answer in answers) >= 19
    assert place.refusal(SETS) == ""
    place.run("heal", "throttle")
    eventually("an answer", lambda: place.refusal(SETS, user="operator") == "")


def test_watches_of_vmis_are_gone(place: Place) -> None:
    version = place.api.request("GET", f"{INSTANCES}?limit=1")["metadata"]["resourceVersion"]
    watch = f"{INSTANCES}?watch=1&timeoutSeconds=1&resourceVersion={version}"
    assert place.api.request("GET", watch).get("type") != "ERROR"
    place.run("fault", "watch-gone")

    def is_gone() -> bool:
        try:
            return bool(place.api.request("GET", watch).get("object", {}).get("code") == 410)
        except ApiError:
            # It is told so while the API server sets up what it watches anew.
            return False

    eventually("410", is_gone)
    place.run("heal", "watch-gone")
    version = place.api.request("GET", f"{INSTANCES}?limit=1")["metadata"]["resourceVersion"]
    assert place.api.request("GET", f"{INSTANCES}?watch=1&timeoutSeconds=1&resourceVersion={version}").get("type") != "ERROR"


def test_the_metrics_api_is_away_until_healed(place: Place) -> None:
    place.run("fault", "no-metrics-api")
    eventually("404", lambda: place.refusal(METRICS).startswith("404"))
    place.run("restart", "metrics-server")
    assert place.refusal(METRICS).startswith("404")
    place.run("heal", "no-metrics-api")
    eventually("metrics", lambda: place.refusal(METRICS) == "")


def test_the_metrics_api_has_no_figures(place: Place) -> None:
    eventually("figures", lambda: bool(place.api.request("GET", METRICS)["items"]))
    place.run("fault", "no-metrics")
    eventually("none", lambda: place.api.request("GET", METRICS)["items"] == [])
    place.run("heal", "no-metrics")
    eventually("figures again", lambda: bool(place.api.request("GET", METRICS)["items"]))


def _is_not_scaled(place: Place) -> bool:
    place.scale("waiting", 2)
    return len(place.instances("waiting")) == 1


def _is_not_scheduled(place: Place) -> bool:
    place.scale("waiting", 3)
    pods = place.api.request("GET", f"{PODS}?labelSelector=test%3Dwaiting")["items"]
    return any("nodeName" not in pod["spec"] for pod in pods)


def _is_not_autoscaled(place: Place) -> bool:
    place.api.ensure({**autoscaler("late", 1, 3, 50), "metadata": {"name": "late", "namespace": NAMESPACE}})
    return not place.api.request("GET", f"{AUTOSCALERS}/late").get("status", {}).get("conditions")


DOWN: dict[str, Shows] = {
    "metrics-down": lambda place, _name: place.refusal(METRICS).startswith("503"),
    "virt-api-down": lambda place, _name: "failed calling webhook" in place.refusal(SETS, replica_set("refused", 0)),
    "virt-controller-down": lambda place, _name: _is_not_scaled(place),
    "api-down": lambda place, _name: place.refusal(SETS).startswith("0: "),
    "scheduler-down": lambda place, _name: _is_not_scheduled(place),
    "autoscaler-down": lambda place, _name: _is_not_autoscaled(place),
}


@pytest.mark.parametrize("name", DOWN)
def test_a_component_is_down(place: Place, name: str) -> None:
    place.run("fault", name)
    eventually(name, lambda: DOWN[name](place, name), 20)
    time.sleep(3)
    assert DOWN[name](place, name)
    for _ in range(2):
        place.run("heal", name)
    eventually(f"no {name}", lambda: place.refusal(METRICS) == "" and not DOWN[name](place, name))


def test_all_is_healed_though_much_is_down(place: Place) -> None:
    place.run("fault", "never-boot", "web", "-n", NAMESPACE)
    for name in ("unschedulable", "virt-api-down", "api-down"):
        place.run("fault", name)
    # What needs the API server is said, and left to the next time.
    assert "is not undone yet" in place.run("heal", "never-boot", "web", "-n", NAMESPACE).stderr
    place.run("heal", "--all")
    assert {line.split()[2] for line in place.run("fault").stdout.splitlines()[1:]} == {"-"}
    assert place.command.is_healthy()
