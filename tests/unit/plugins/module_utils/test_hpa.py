# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The operations behind `hpa`, `hpa_info` and `hpa_verify`, against a few objects in memory."""

from __future__ import annotations

import datetime
import typing as t

import pytest

from unit.support.cluster import EVENTS, INSTANCES, METRICS, POD_METRICS, SCALERS, SETS, Cluster
from unit.support.objects import changed, instances, replica_set
from unit.support.recorded import SEED_AUTOSCALER, Object, real_autoscaler, real_set
from unit.support.server import Answer, Request, Stream, refusal

OPTIONS: dict[str, t.Any] = {"name": "test-hpa", "target": {"name": "testreplicaset"}, "min_replicas": 3, "max_replicas": 5}
STEADY = real_autoscaler("idle")
EVENT = {
    "type": "Normal",
    "reason": "SuccessfulRescale",
    "message": "New size: 5",
    "count": 2,
    "firstTimestamp": "2026-11-23T20:40:30Z",
    "lastTimestamp": "2026-11-23T20:41:00Z",
    "source": {"component": "horizontal-pod-autoscaler"},
}


def metrics(age: int = 10) -> list[Object]:
    """Return the PodMetrics of three pods."""
    moment = datetime.datetime(2026, 11, 23, 20, 41, 30) - datetime.timedelta(seconds=age)
    return [{"metadata": {"name": f"pod{index}"}, "timestamp": moment.strftime("%Y-%m-%dT%H:%M:%SZ")} for index in range(3)]


@pytest.fixture
def cluster() -> Cluster:
    """A cluster in which the seed runs and idles, and which knows the time."""
    found = Cluster()
    found.put(SETS, real_set("idle"))
    found.put(SCALERS, STEADY)
    uid = real_set("idle")["metadata"]["uid"]
    found.lists[INSTANCES] = list(instances(3, owner=uid))
    found.lists[POD_METRICS] = metrics()
    plain = found.server.answer

    def dated(request: Request) -> Answer | Stream:
        answer = plain(request)
        if isinstance(answer, Stream):
            return answer
        return Answer(answer.status, answer.body, {"Date": "Mon, 23 Nov 2026 20:41:30 GMT", **answer.headers})

    found.server.answer = dated  # type: ignore[method-assign]
    return found


def remove_scaler(cluster: Cluster) -> None:
    """Take the autoscaler away."""
    del cluster.objects[f"{SCALERS}/test-hpa"]


def test_an_autoscaler_is_made_once(cluster: Cluster) -> None:
    remove_scaler(cluster)
    made = cluster.run("hpa", definition=SEED_AUTOSCALER)
    assert (made["changed"], made["method"], made["warnings"]) == (True, "create", [])
    assert made["replicas"] == {"min": 3, "max": 5, "current": 0, "desired": 0}
    again = cluster.run("hpa", definition=SEED_AUTOSCALER)
    assert (again["changed"], again["method"]) == (False, None)
    assert [each.method for each in cluster.server.requests] == ["GET"]


def test_an_autoscaler_without_its_target_is_refused(cluster: Cluster) -> None:
    cluster.objects.clear()
    made = cluster.run("hpa", definition=SEED_AUTOSCALER)
    assert made["failed"] is True
    assert "VirtualMachineInstanceReplicaSet default/testreplicaset, does not exist: create it first (module vmirs)" in made["msg"]
    assert cluster.asked("PATCH") == []
    ahead = cluster.run("hpa", definition=SEED_AUTOSCALER, require_target=False)
    assert (ahead["changed"], ahead["method"]) == (True, "create")


def test_check_mode_only_warns_of_a_target_that_is_missing(cluster: Cluster) -> None:
    cluster.objects.clear()
    made = cluster.run("hpa", check_mode=True, definition=SEED_AUTOSCALER, wait=True)
    assert (made["changed"], cluster.objects, len(made["warnings"])) == (True, {}, 1)
    assert made["warnings"][0].endswith("does not exist yet.")


@pytest.mark.parametrize("answer", [Answer(404, b"404 page not found\n"), Answer(503, b"error trying to reach service")])
def test_an_autoscaler_without_the_metrics_api_is_refused(cluster: Cluster, answer: Answer) -> None:
    remove_scaler(cluster)
    cluster.refuse = lambda request: answer if request.path == METRICS else None
    made = cluster.run("hpa", definition=SEED_AUTOSCALER)
    assert made["failed"] is True
    assert "the metrics API (metrics.k8s.io) is not installed on http://127.0.0.1:" in made["msg"]
    assert cluster.run("hpa", definition=SEED_AUTOSCALER, require_metrics_api=False)["changed"] is True


def test_bounds_are_changed_and_checked(cluster: Cluster) -> None:
    made = cluster.run("hpa", name="test-hpa", max_replicas=9)
    assert (made["changed"], made["method"], made["replicas"]["max"]) == (True, "patch", 9)
    assert cluster.asked("GET") == ["test-hpa"]
    refused = cluster.run("hpa", name="test-hpa", min_replicas=10)
    assert refused["msg"].startswith('"min_replicas" (10) would be above "max_replicas" (9)')


def test_it_waits_until_the_controller_acts(cluster: Cluster) -> None:
    remove_scaler(cluster)

    def act(seconds: float) -> None:
        path = f"{SCALERS}/test-hpa"
        conditions = STEADY["status"]["conditions"]
        seen = [] if seconds < 1 else conditions[:1] if seconds < 2 else conditions
        metrics_seen = STEADY["status"]["currentMetrics"] if seconds > 3 else None
        status = {**STEADY["status"], "conditions": seen, "currentMetrics": metrics_seen}
        cluster.objects[path]["status"] = status

    cluster.meanwhile = act
    made = cluster.run("hpa", definition=SEED_AUTOSCALER, wait=True)
    assert (made["changed"], len(made["conditions"]), len(made["metrics"])) == (True, 3, 1)
    assert 3 < made["duration"] < 4.5
    assert list(dict.fromkeys(line.partition(", ")[2].partition(" (")[0] for line in cluster.lines)) == [
        "its controller has not looked at it yet",
        "its controller has not read its metrics yet",
        "it does not report Resource cpu yet",
        "acting",
    ]


def test_a_wait_in_vain_says_why(cluster: Cluster) -> None:
    cluster.put(SCALERS, changed(STEADY, "status", {}))
    made = cluster.run("hpa", definition=SEED_AUTOSCALER, wait=True, wait_timeout=3)
    assert made["msg"].startswith("HorizontalPodAutoscaler default/test-hpa does not act after 3 s: its controller has not looked at it")
    assert (made["failed"], made["changed"], made["reasons"]) == (True, False, ["its controller has not looked at it yet"])


def test_an_autoscaler_is_removed_once(cluster: Cluster) -> None:
    gone = cluster.run("hpa", name="test-hpa", state="absent", wait=True)
    assert (gone["changed"], gone["method"], gone["result"], gone["conditions"]) == (True, "delete", {}, [])
    assert f"{SCALERS}/test-hpa" not in cluster.objects
    again = cluster.run("hpa", name="test-hpa", state="absent", wait=True)
    assert (again["changed"], again["method"]) == (False, None)


def test_an_autoscaler_that_works_is_verified(cluster: Cluster) -> None:
    found = cluster.run("hpa_verify", **{**OPTIONS, "current_replicas": 3, "not_limited": True})
    assert "failed" not in found, found.get("msg")
    assert (found["changed"], found["reasons"], found["duration"]) == (False, [], 0)
    assert found["description"].startswith("Name:  ")
    assert (found["replicas"], len(found["conditions"])) == ({"min": 3, "max": 5, "current": 3, "desired": 3}, 3)
    assert [(each.method, each.path) for each in cluster.server.requests] == [
        ("GET", f"{SCALERS}/test-hpa"),
        ("GET", f"{SETS}/testreplicaset"),
        ("GET", INSTANCES),
        ("GET", POD_METRICS),
    ]
    # What nobody has read is not told of, not even as nothing.
    assert "events" not in found
    assert "Events:" not in found["description"]


@pytest.mark.parametrize("may_read", [True, False])
def test_what_does_not_work_is_told_with_its_events_where_they_may_be_read(cluster: Cluster, may_read: bool) -> None:
    cluster.lists[EVENTS] = [EVENT]
    forbidden = refusal(403, "Forbidden", 'User "me" cannot list resource "events" in API group ""')
    cluster.refuse = lambda request: forbidden if request.path == EVENTS and not may_read else None
    found = cluster.run("hpa_verify", **{**OPTIONS, "min_replicas": 2}, wait=False)
    assert found["reasons"] == ["minReplicas is 3 and not 2"]
    assert [each["reason"] for each in found.get("events", ())] == (["SuccessfulRescale"] if may_read else [])
    assert ("SuccessfulRescale" in found["description"]) is may_read


def test_verifying_fails_with_every_reason_at_once(cluster: Cluster) -> None:
    cluster.lists[POD_METRICS] = metrics(age=500)
    found = cluster.run("hpa_verify", **{**OPTIONS, "min_replicas": 2, "current_replicas": 4}, wait=False)
    assert found["failed"] is True
    assert found["reasons"] == [
        "minReplicas is 3 and not 2",
        "current replicas is 3 and not 4",
        "the metrics of 3 pods are older than 120 s (pod0, pod1, pod2)",
    ]
    for reason in found["reasons"]:
        assert reason in found["msg"]
    assert (found["changed"], cluster.clock.slept) == (False, [])
    assert "description" in found


def test_verifying_waits_for_what_is_still_to_come(cluster: Cluster) -> None:
    cluster.lists[POD_METRICS] = []

    def scrape(seconds: float) -> None:
        cluster.lists[POD_METRICS] = metrics() if seconds > 5 else []

    cluster.meanwhile = scrape
    found = cluster.run("hpa_verify", **OPTIONS)
    assert found["reasons"] == []
    assert 5 < found["duration"] <= 10


@pytest.mark.parametrize("wait", [False, True])
def test_verifying_an_autoscaler_that_is_missing(cluster: Cluster, wait: bool) -> None:
    remove_scaler(cluster)
    found = cluster.run("hpa_verify", name="test-hpa", wait=wait, wait_timeout=4)
    assert found["reasons"] == ["HorizontalPodAutoscaler default/test-hpa does not exist"]
    assert found["duration"] == pytest.approx(4 if wait else 0, abs=0.05)


def test_verifying_says_that_metrics_cannot_be_had(cluster: Cluster) -> None:
    cluster.refuse = lambda request: Answer(503, b"no") if request.path == POD_METRICS else None
    found = cluster.run("hpa_verify", **OPTIONS, wait=False)
    assert found["reasons"] == ["the metrics API (metrics.k8s.io) does not answer: is metrics-server installed and running?"]
    cluster.refuse = lambda request: (
        refusal(403, "Forbidden", 'User "me" cannot list resource "pods" in API group "metrics.k8s.io"')
        if request.path == POD_METRICS
        else None
    )
    assert 'User "me" may not list pods.metrics.k8s.io' in cluster.run("hpa_verify", **OPTIONS, wait=False)["msg"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"min_replicas": 6}, '"min_replicas" (6) is above "max_replicas" (5)'),
        ({"current_replicas": -1}, '"current_replicas" (the expected number) is -1'),
    ],
)
def test_impossible_expectations_are_refused(cluster: Cluster, options: dict[str, int], words: str) -> None:
    found = cluster.run("hpa_verify", **{**OPTIONS, **options})
    assert words in found["msg"]
    assert cluster.server.requests == []


def test_autoscalers_are_described_with_their_events(cluster: Cluster) -> None:
    cluster.lists[EVENTS] = [EVENT]
    found = cluster.run("hpa_info", name="test-hpa")
    assert found["exists"] is True
    assert found["autoscalers"][0]["description"] == found["description"]
    assert "30s (x2 over 60s)  horizontal-pod-autoscaler  New size: 5" in found["description"]
    assert found["events"] == [
        {
            "type": "Normal",
            "reason": "SuccessfulRescale",
            "message": "New size: 5",
            "count": 2,
            "first_seen": "2026-11-23T20:40:30Z",
            "last_seen": "2026-11-23T20:41:00Z",
        }
    ]
    asked = next(each for each in cluster.server.requests if each.path == EVENTS).query["fieldSelector"]
    assert f"involvedObject.uid={STEADY['metadata']['uid']}" in asked
    assert "involvedObject.kind=HorizontalPodAutoscaler" in asked
    legacy = cluster.run("hpa_info", name="test-hpa", describe="legacy")["description"]
    assert "Target CPU utilization:" in legacy
    assert "autoscaling.alpha.kubernetes.io/conditions:" in legacy


def test_no_autoscaler_is_no_failure(cluster: Cluster) -> None:
    remove_scaler(cluster)
    found = cluster.run("hpa_info", name="test-hpa")
    assert (found["exists"], found["autoscalers"], found["description"], found["result"]) == (False, [], "", {})
    assert cluster.run("hpa_info")["autoscalers"] == []
    cluster.run("hpa_info", label_selectors=["a=b", "c"])
    assert cluster.server.requests[0].query == {"labelSelector": "a=b,c"}


def test_a_target_that_grows_is_no_converged_target(cluster: Cluster) -> None:
    cluster.put(SETS, changed(replica_set(5, ready=3), "metadata.name", "testreplicaset"))
    reasons = cluster.run("hpa_verify", **OPTIONS, wait=False)["reasons"]
    assert reasons[0].startswith("target testreplicaset: ")
    assert reasons[-1] == "it wants 3 replicas and target testreplicaset is set to 5"


def test_a_change_is_waited_for_until_the_controller_writes_after_it(cluster: Cluster) -> None:
    def act(seconds: float) -> None:
        if seconds > 3:
            cluster.objects[f"{SCALERS}/test-hpa"]["status"]["lastScaleTime"] = "2026-11-23T20:41:40Z"

    cluster.meanwhile = act
    done = cluster.run("hpa", name="test-hpa", max_replicas=7, wait=True)
    assert (done["changed"], done["replicas"]["max"]) == (True, 7)
    assert 3 < done["duration"] < 8
    assert "its controller has not acted on the change yet" in cluster.lines[0]


def test_a_controller_that_has_nothing_to_write_is_believed_in_the_end(cluster: Cluster) -> None:
    done = cluster.run("hpa", name="test-hpa", max_replicas=7, wait=True)
    assert (done["changed"], done["duration"]) == (True, pytest.approx(32, abs=1))


def test_a_change_of_labels_needs_no_controller(cluster: Cluster) -> None:
    done = cluster.run("hpa", name="test-hpa", labels={"tier": "web"}, wait=True)
    assert (done["changed"], done["duration"]) == (True, 0)


def test_verifying_waits_for_an_autoscaler_that_is_still_to_come(cluster: Cluster) -> None:
    remove_scaler(cluster)

    def appear(seconds: float) -> None:
        if seconds > 3 and f"{SCALERS}/test-hpa" not in cluster.objects:
            cluster.put(SCALERS, STEADY)

    cluster.meanwhile = appear
    found = cluster.run("hpa_verify", **OPTIONS)
    assert found["reasons"] == []
    assert 3 < found["duration"] < 8
