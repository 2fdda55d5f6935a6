# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The operation behind `vmirs` and `vmirs_info`, against a few objects in memory."""

from __future__ import annotations

import typing as t

import pytest

from unit.support.cluster import INSTANCES, SCALERS, SETS, Cluster
from unit.support.objects import autoscaler, changed, instance, instances, replica_set
from unit.support.recorded import SEED_SET
from unit.support.server import Answer, Request, refusal

TEMPLATE = {"metadata": {"labels": {"app": "web"}}, "spec": {"domain": {"devices": {}}}}
OPTIONS: dict[str, t.Any] = {
    "name": "web",
    "replicas": 3,
    "selector": {"matchLabels": {"app": "web"}},
    "template": TEMPLATE,
    "template_hash": False,
}


@pytest.fixture
def cluster() -> Cluster:
    """A cluster with the set `web`, converged."""
    found = Cluster()
    found.put(SETS, replica_set(3))
    found.lists[INSTANCES] = list(instances(3))
    return found


def test_a_set_is_made_once() -> None:
    cluster = Cluster()
    made = cluster.run("vmirs", definition=SEED_SET)
    assert (made["changed"], made["method"], made["warnings"]) == (True, "create", [])
    assert made["replicas"] == {"desired": 3, "current": 0, "ready": 0, "outdated": None, "terminating": None}
    assert (made["diff"]["before"], made["diff"]["after"]["spec"]["replicas"]) == ({}, 3)
    assert [each.method for each in cluster.server.requests] == ["GET", "PATCH"]
    again = cluster.run("vmirs", definition=SEED_SET)
    assert (again["changed"], again["method"]) == (False, None)
    assert [each.method for each in cluster.server.requests] == ["GET"]
    assert again["diff"]["before"] == again["diff"]["after"]


def test_check_mode_writes_nothing(cluster: Cluster) -> None:
    cluster.objects.clear()
    made = cluster.run("vmirs", check_mode=True, definition=SEED_SET, wait=True)
    assert (made["changed"], made["method"], cluster.objects) == (True, "create", {})
    assert "duration" not in made
    cluster.put(SETS, replica_set(3))
    gone = cluster.run("vmirs", check_mode=True, name="web", state="absent", wait=True)
    assert (gone["changed"], gone["method"], list(cluster.objects)) == (True, "delete", [f"{SETS}/web"])
    assert "deletionTimestamp" not in cluster.objects[f"{SETS}/web"]["metadata"]


def test_a_change_is_applied(cluster: Cluster) -> None:
    made = cluster.run("vmirs", **{**OPTIONS, "replicas": 5})
    assert (made["changed"], made["method"], made["autoscaled_by"]) == (True, "patch", [])
    assert cluster.objects[f"{SETS}/web"]["spec"]["replicas"] == 5


def test_a_write_that_changes_nothing_is_no_change(cluster: Cluster) -> None:
    # The API server may normalise what differs on our side only.
    cluster.refuse = lambda request: Answer(200, cluster.objects[f"{SETS}/web"]) if request.method == "PATCH" else None
    assert cluster.run("vmirs", **{**OPTIONS, "replicas": 5})["changed"] is False


def test_an_autoscaler_that_writes_in_between_is_not_overruled(cluster: Cluster) -> None:
    cluster.put(SCALERS, autoscaler())
    rescaled: list[bool] = []

    def rescale(request: Request) -> Answer | None:
        if request.method == "PATCH" and not rescaled:
            rescaled.append(True)
            cluster.put(SETS, changed(cluster.objects[f"{SETS}/web"], "spec.replicas", 6))
        return None

    cluster.refuse = rescale
    made = cluster.run("vmirs", **OPTIONS, labels={"team": "a"})
    assert made["changed"] is True
    live = cluster.objects[f"{SETS}/web"]
    assert (live["spec"]["replicas"], live["metadata"]["labels"]) == (6, {"team": "a"})
    assert "left at 6 instead of 3" in made["warnings"][0]
    assert made["autoscaled_by"] == ["web"]


def test_endless_conflicts_end_in_a_failure(cluster: Cluster) -> None:
    cluster.refuse = lambda request: refusal(409, "Conflict", "modified") if request.method == "PATCH" else None
    made = cluster.run("vmirs", **{**OPTIONS, "replicas": 5})
    assert made["failed"] is True
    assert "changed by somebody else" in made["msg"]
    assert 3 < len(cluster.asked("PATCH")) <= 20


def test_it_waits_until_the_vmis_are_ready() -> None:
    cluster = Cluster()

    def boot(seconds: float) -> None:
        path = f"{SETS}/web"
        ready = min(int(seconds), 3)
        cluster.objects[path]["status"] = {"replicas": 3, "readyReplicas": ready, "labelSelector": "app=web"}
        waiting = instances(3, phase="Scheduling", ready=False)[ready:]
        cluster.lists[INSTANCES] = [*instances(ready), *waiting]

    cluster.meanwhile = boot
    made = cluster.run("vmirs", **OPTIONS, wait=True)
    assert (made["changed"], made["replicas"]["ready"], made["replicas"]["terminating"]) == (True, 3, 0)
    assert 3 <= made["duration"] <= 4.5
    assert cluster.lines[-1].startswith("web: 3/3 ready (")
    assert len(cluster.lines) == len({line.partition(" (")[0] for line in cluster.lines})


def test_a_wait_in_vain_says_why(cluster: Cluster) -> None:
    stuck = instance("web2", phase="Pending", conditions=[("Synchronized", "False", "FailedCreate", "exceeded quota: q")])
    cluster.put(SETS, replica_set(3, ready=2))
    cluster.lists[INSTANCES] = [*instances(2), changed(stuck, "status.conditions", [*stuck["status"]["conditions"][:1]])]
    made = cluster.run("vmirs", **OPTIONS, wait=True, wait_timeout=7)
    assert (made["failed"], made["changed"], made["duration"]) == (True, False, pytest.approx(5, abs=0.05))
    assert made["msg"].startswith(
        "VirtualMachineInstanceReplicaSet default/web is not ready after 5 s, and waiting for the rest of 7 s is of no use: "
    )
    assert "VMI web2 " in made["msg"], made["msg"]
    assert "exceeded quota: q; 2 of 3 ready. " in made["msg"]
    assert made["reasons"] == ["2 of 3 ready", "VMI web2 is Pending (FailedCreate: exceeded quota: q)"]
    assert [(each["reason"], each["fatal"]) for each in made["diagnosis"]] == [("QuotaExceeded", True)]
    assert made["timeline"][0]["elapsed"] == 0
    patient = cluster.run("vmirs", **OPTIONS, wait=True, wait_timeout=7, wait_grace=20)
    assert (patient["failed"], patient["duration"]) == (True, pytest.approx(7, abs=0.05))
    assert "is not ready after 7 s: " in patient["msg"]
    assert (made["replicas"]["ready"], made["result"]["metadata"]["name"]) == (2, "web")


def test_a_set_that_has_converged_costs_no_pause(cluster: Cluster) -> None:
    made = cluster.run("vmirs", **OPTIONS, wait=True)
    assert (made["changed"], made["duration"], cluster.clock.slept, cluster.lines) == (False, 0, [], [])


def test_a_set_is_removed_once(cluster: Cluster) -> None:
    gone = cluster.run("vmirs", name="web", state="absent")
    assert (gone["changed"], gone["method"], gone["result"]) == (True, "delete", {})
    assert gone["diff"]["after"] == {}
    sent = cluster.server.requests[-1]
    assert (sent.body["propagationPolicy"], sent.body["preconditions"]["uid"]) == ("Foreground", replica_set()["metadata"]["uid"])
    assert cluster.run("vmirs", name="web", state="absent")["changed"] is False
    cluster.objects.clear()
    never = cluster.run("vmirs", name="web", state="absent", wait=True)
    assert (never["changed"], never["method"], never["replicas"]["terminating"]) == (False, None, 0)


def test_it_waits_until_the_vmis_are_gone(cluster: Cluster) -> None:
    def shut_down(seconds: float) -> None:
        if seconds > 1:
            cluster.lists[INSTANCES] = list(instances(3, deleting=True))
        if seconds > 4:
            cluster.objects.clear()
        if seconds > 6:
            cluster.lists[INSTANCES] = []

    cluster.meanwhile = shut_down
    gone = cluster.run("vmirs", name="web", state="absent", wait=True)
    assert (gone["changed"], gone["result"]) == (True, {})
    assert 6 < gone["duration"] < 7.5


def test_removing_can_leave_the_vmis_running(cluster: Cluster) -> None:
    gone = cluster.run("vmirs", name="web", state="absent", wait=True, orphan=True)
    assert (gone["changed"], cluster.objects) == (True, {})
    assert cluster.server.requests[1].body["propagationPolicy"] == "Orphan"
    assert cluster.asked("GET") == ["web", "virtualmachineinstancereplicasets"]


def test_a_removal_that_hangs_says_why(cluster: Cluster) -> None:
    cluster.lists[INSTANCES] = [instance("web0", deleting=True)]
    gone = cluster.run("vmirs", name="web", state="absent", wait=True, wait_timeout=5)
    assert gone["failed"] is True
    assert "is not gone after 5 s: VMI web0 is Running" in gone["msg"]
    assert "finalizers: foregroundDeletion" in gone["msg"]
    assert gone["changed"] is True


def test_a_set_of_the_same_name_that_goes_is_waited_for(cluster: Cluster) -> None:
    cluster.put(SETS, replica_set(3, deleting=True))
    made = cluster.run("vmirs", **OPTIONS)
    assert made["failed"] is True
    assert 'is being deleted, and a new one cannot be made before it is gone: run the task again later, or set "wait: true"' in made["msg"]

    def vanish(seconds: float) -> None:
        live = cluster.objects.get(f"{SETS}/web")
        if live and "deletionTimestamp" in live["metadata"]:
            cluster.objects.clear()
            cluster.lists[INSTANCES] = []
        elif live:
            live["status"] = replica_set(3)["status"]
            cluster.lists[INSTANCES] = list(instances(3))

    cluster.meanwhile = vanish
    made = cluster.run("vmirs", **OPTIONS, wait=True)
    assert (made["changed"], made["method"], made["replicas"]["ready"]) == (True, "create", 3)


@pytest.mark.parametrize("timeout", [-1])
def test_a_timeout_below_zero_is_refused(cluster: Cluster, timeout: int) -> None:
    assert '"wait_timeout" is -1' in cluster.run("vmirs", **OPTIONS, wait_timeout=timeout)["msg"]


def test_sets_are_listed_with_their_vmis_and_autoscalers(cluster: Cluster) -> None:
    cluster.put(SCALERS, autoscaler("b"))
    cluster.put(SCALERS, autoscaler("other", target={"name": "another"}))
    cluster.lists[INSTANCES].append(instance("orphan", owner="nobody"))
    (found,) = cluster.run("vmirs_info", label_selectors=["app=web", "x"])["replica_sets"]
    assert cluster.server.requests[0].query == {"labelSelector": "app=web,x"}
    assert (found["name"], found["autoscaled_by"], found["converged"], found["paused"]) == ("web", ["b"], True, False)
    assert [each["name"] for each in found["instances"]] == ["web0", "web1", "web2"]
    assert found["replicas"] == {"desired": 3, "current": 3, "ready": 3, "outdated": None, "terminating": 0}
    assert cluster.run("vmirs_info", name="missing") == {"changed": False, "replica_sets": [], "warnings": []}
