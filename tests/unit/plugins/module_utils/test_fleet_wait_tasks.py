# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tasks that wait for many at once: what they ask the API server, and what they return."""

from __future__ import annotations

import re
import typing as t
from collections import Counter

import pytest

from ansible_collections.vmscale.kubevirt.plugins.module_utils._fleet_wait import GATHER_SECONDS
from ansible_collections.vmscale.kubevirt.plugins.module_utils._resources import metadata
from unit.support.cluster import INSTANCES as VMI_PATH
from unit.support.cluster import SCALERS, SETS, Cluster
from unit.support.fleet import FLEET, converge, described, described_scaler, live_instances, live_set, put_set
from unit.support.server import Request, refusal

SHARED: dict[str, t.Any] = {"template_hash": False, "wait": True}
QUOTA = ("Synchronized", "False", "FailedCreate", "exceeded quota: q")


def asked(cluster: Cluster) -> Counter[str]:
    """Count what was asked: LIST, WATCH or the method, and the collection with its namespace."""
    found: Counter[str] = Counter()
    for each in cluster.server.requests:
        namespace, _, rest = each.path.partition("/namespaces/")[2].partition("/")
        method = "WATCH" if each.query.get("watch") else "LIST" if each.method == "GET" and "/" not in rest else each.method
        found[f"{method} {namespace}/{rest.partition('/')[0]}"] += 1
    return found


def boot(cluster: Cluster, at: dict[str, float]) -> None:
    """Let sets come up, each at its time."""
    cluster.meanwhile = lambda seconds: converge(cluster, *(name for name, moment in at.items() if seconds >= moment))


def test_all_are_waited_for_at_once() -> None:
    cluster = Cluster()
    boot(cluster, {"a": 1, "b": 2, "c": 4})
    done = cluster.run("vmirs", definition=[described(name, 2) for name in "abc"], **SHARED)
    assert done["summary"] == {"total": 3, "ok": 3, "changed": 3, "failed": 0, "pruned": 0, "skipped": 0}
    assert [(each["replicas"]["ready"], each["diagnosis"]) for each in done["results"]] == [(2, [])] * 3
    assert all("timeline" not in each for each in done["results"])
    ended = [each["duration"] for each in done["results"]]
    assert (ended == sorted(ended), done["duration"] >= ended[2], 4 <= done["duration"] < 6) == (True, True, True)
    # Where its watches are slow to begin, a wait asks once whether virt-controller lives.
    requests = asked(cluster)
    assert sum(number for what, number in requests.items() if "leases" in what) <= 1
    assert {what: number for what, number in requests.items() if "leases" not in what} == {
        "LIST default/virtualmachineinstancereplicasets": 2,
        "PATCH default/virtualmachineinstancereplicasets": 3,
        "LIST default/virtualmachineinstances": 1,
        "WATCH default/virtualmachineinstancereplicasets": 1,
        "WATCH default/virtualmachineinstances": 1,
    }
    first, last = done["timeline"][0], done["timeline"][-1]
    assert (first["objects"], first["finished"], last["finished"], last["desired"], last["ready"]) == (3, 0, 3, 6, 6)
    assert {each["to"] for each in last["transitions"]} == {"Done"}
    assert cluster.lines[-1].startswith("3/3 sets ready, 6/6 VMIs ready (")
    # News are collected for a moment before anything is made of them.
    assert GATHER_SECONDS in cluster.clock.slept


def test_what_is_as_it_should_be_is_not_waited_for() -> None:
    cluster = Cluster()
    for name in "ab":
        put_set(cluster, live_set(name))
    done = cluster.run("vmirs", definition=[described("a"), described("b")], **SHARED)
    assert (done["changed"], done["duration"], done["timeline"], cluster.lines, cluster.clock.slept) == (False, 0, [], [], [])
    assert [each["duration"] for each in done["results"]] == [0, 0]
    assert asked(cluster) == {"LIST default/virtualmachineinstancereplicasets": 1, "LIST default/virtualmachineinstances": 1}


def test_what_was_read_before_is_watched_from_there_where_nothing_was_written() -> None:
    cluster = Cluster()
    put_set(cluster, live_set("a"))
    put_set(cluster, live_set("b", 2, ready=1), live_instances(live_set("b", 2))[:1])

    def come(seconds: float) -> None:
        if seconds >= 2:
            cluster.objects[f"{SETS}/b"]["status"]["readyReplicas"] = 2
            cluster.lists[VMI_PATH] = [*live_instances(live_set("a")), *live_instances(live_set("b", 2))]

    cluster.meanwhile = come
    done = cluster.run("vmirs", definition=[described("a"), described("b", 2)], **SHARED)
    assert done["summary"]["ok"] == 2
    found = asked(cluster)
    assert (found["LIST default/virtualmachineinstancereplicasets"], found["LIST default/virtualmachineinstances"]) == (1, 1)


def test_what_was_read_before_a_write_is_not_taken_for_what_came_of_it() -> None:
    cluster = Cluster()
    put_set(cluster, live_set("a"))
    put_set(cluster, live_set("b"))
    # Nobody acts on it: with the set as it was before, all would seem well.
    cluster.objects[f"{SETS}/a"]["status"] = {"replicas": 1, "readyReplicas": 1, "labelSelector": "app=a"}
    done = cluster.run("vmirs", definition=[described("a", 2), described("b")], wait_timeout=3, **SHARED)
    assert (done["summary"]["failed"], done["summary"]["ok"]) == (1, 1)
    assert done["msg"].startswith("1 of 2 sets failed: default/a: VirtualMachineInstanceReplicaSet default/a is not ready after 3 s: ")


def test_one_that_cannot_come_up_is_told_while_the_others_finish() -> None:
    cluster = Cluster()

    def act(seconds: float) -> None:
        converge(cluster, *("ab" if seconds >= 20 else ""))
        live = cluster.objects[f"{SETS}/c"]
        if "status" not in live:
            stuck = live_instances(live, phase="Pending", conditions=[QUOTA])
            stuck[0]["status"]["conditions"] = stuck[0]["status"]["conditions"][:1]
            cluster.lists[VMI_PATH] = stuck
            live["status"] = {"replicas": 1, "labelSelector": "app=c"}

    cluster.meanwhile = act
    done = cluster.run("vmirs", definition=[described(name) for name in "abc"], **SHARED)
    assert done["summary"] == {"total": 3, "ok": 2, "changed": 2, "failed": 1, "pruned": 0, "skipped": 0}
    # Its patience of five seconds begins with the first news of what is wrong.
    assert re.match(
        "1 of 3 sets failed: default/c: VirtualMachineInstanceReplicaSet default/c is not ready after [5-9] s, and waiting for the rest of "
        "120 s is of no use: ",
        done["msg"],
    )
    assert "exceeded quota: q" in done["msg"]
    c = done["results"][2]
    assert (c["failed"], c["changed"], c["method"], c["duration"]) == (True, True, "create", pytest.approx(7, abs=2.5))
    assert [(each["reason"], each["fatal"]) for each in c["diagnosis"]] == [("QuotaExceeded", True)]
    assert "VMI c-0 is Pending (FailedCreate: exceeded quota: q)" in c["reasons"]
    assert done["msg"].endswith(c["msg"])
    assert [each["duration"] >= 20 for each in done["results"][:2]] == [True, True]
    found = asked(cluster)
    assert (found["WATCH default/pods"], found["WATCH default/events"]) == (1, 1)


def test_a_namespace_that_may_not_be_watched_ends_its_own_sets_only() -> None:
    cluster = Cluster()

    def answer(request: Request) -> t.Any:
        forbidden = request.path.endswith("/secret/virtualmachineinstances")
        return refusal(403, "Forbidden", 'User "u" cannot list resource "x"') if forbidden else None

    cluster.refuse = answer
    boot(cluster, {"a": 3})
    sets = [described("a"), described("b", namespace="secret"), described("c", namespace="secret")]
    done = cluster.run("vmirs", definition=sets, **SHARED)
    assert (done["summary"]["ok"], done["summary"]["failed"], done["results"][0]["replicas"]["ready"]) == (1, 2, 1)
    assert done["msg"].startswith('2 of 3 sets failed: secret/b, secret/c: User "u" may not list virtualmachineinstances.kubevirt.io')
    assert [each["changed"] for each in done["results"]] == [True] * 3


def test_a_server_that_falls_silent_is_what_the_open_ones_say() -> None:
    cluster = Cluster()
    cluster.meanwhile = lambda seconds: converge(cluster, "a")
    put_set(cluster, live_set("a"))
    cluster.refuse = lambda request: refusal(503) if request.query.get("watch") else None
    done = cluster.run("vmirs", definition=[described("a"), described("b")], wait_timeout=4, **SHARED)
    assert (done["summary"]["ok"], done["summary"]["failed"]) == (1, 1)
    assert (
        "default/b: VirtualMachineInstanceReplicaSet default/b is not ready after 4 s: the API server has not answered for " in done["msg"]
    )
    assert done["results"][1]["reasons"][0].startswith("the API server has not answered for ")


def test_a_server_that_never_tells_ends_the_wait_of_all() -> None:
    cluster = Cluster()
    cluster.refuse = lambda request: refusal(503) if request.path == VMI_PATH else None
    done = cluster.run("vmirs", definition=[described("a"), described("b")], wait_timeout=4, **SHARED)
    assert done["msg"].startswith("2 of 2 sets failed: default/a, default/b: The wait ended without an answer: ")
    assert [(each["changed"], each["method"]) for each in done["results"]] == [(True, "create")] * 2


def test_a_removal_is_waited_for_to_its_end() -> None:
    cluster = Cluster()
    for name in "ab":
        put_set(cluster, live_set(name, 2))

    def vanish(seconds: float) -> None:
        if seconds >= 2:
            cluster.lists[VMI_PATH] = [each for each in cluster.lists[VMI_PATH] if metadata(each)["name"].startswith("b")]
            cluster.objects.pop(f"{SETS}/a", None)
        if seconds >= 4:
            cluster.lists[VMI_PATH] = []
            cluster.objects.pop(f"{SETS}/b", None)

    cluster.meanwhile = vanish
    done = cluster.run("vmirs", definition=[described("a", 2), described("b", 2)], state="absent", **SHARED)
    assert done["summary"]["ok"] == 2
    assert [each["result"] for each in done["results"]] == [{}, {}]
    told = [line.partition(";")[0].partition(" (")[0] for line in cluster.lines]
    assert (told[0], told[-1]) == ("0/2 sets gone, 4 VMIs left", "2/2 sets gone")
    assert "1/2 sets gone, 2 VMIs left" in told
    assert "slowest: default/a, 2 VMIs left" in cluster.lines[0]


def test_what_is_pruned_goes_while_the_others_come() -> None:
    cluster = Cluster()
    put_set(cluster, live_set("old", 1, labels={FLEET: "web"}))

    def act(seconds: float) -> None:
        converge(cluster, "a")
        if seconds >= 3:
            cluster.lists[VMI_PATH] = [each for each in cluster.lists[VMI_PATH] if metadata(each)["name"] != "old-0"]
            cluster.objects.pop(f"{SETS}/old", None)

    cluster.meanwhile = act
    done = cluster.run("vmirs", definition=[described("a")], fleet="web", prune=True, **SHARED)
    assert (done["summary"]["ok"], done["summary"]["pruned"]) == (2, 1)
    assert cluster.lines[-1].partition(" (")[0] == "2/2 sets ready, 1/1 VMIs ready"
    assert any(", 1 VMI left" in line for line in cluster.lines)


def test_autoscalers_are_waited_for_at_once() -> None:
    cluster = Cluster()
    for name in "ab":
        put_set(cluster, live_set(name))
    acting = {
        "currentReplicas": 2,
        "desiredReplicas": 2,
        "conditions": [{"type": kind, "status": "True", "reason": "x"} for kind in ("AbleToScale", "ScalingActive")],
        "currentMetrics": [{"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 3, "averageValue": "3m"}}}],
    }

    def act(seconds: float) -> None:
        for name, moment in (("a", 1), ("b", 3)):
            if seconds >= moment and f"{SCALERS}/{name}" in cluster.objects:
                cluster.objects[f"{SCALERS}/{name}"]["status"] = acting

    cluster.meanwhile = act
    done = cluster.run("hpa", definition=[described_scaler("a"), described_scaler("b")], wait=True)
    assert (done["summary"]["ok"], [each["replicas"]["current"] for each in done["results"]]) == (2, [2, 2])
    assert asked(cluster)["WATCH default/horizontalpodautoscalers"] == 1
    assert cluster.lines[-1].startswith("2/2 autoscalers ready (")
    assert done["timeline"][-1]["desired"] is None
    again = cluster.run("hpa", definition=[described_scaler("a"), described_scaler("b")], wait=True)
    assert (again["changed"], asked(cluster)) == (False, {"LIST default/horizontalpodautoscalers": 1})


def test_an_autoscaler_that_does_not_act_is_told_alone() -> None:
    cluster = Cluster()
    put_set(cluster, live_set("a"))
    done = cluster.run("hpa", definition=[described_scaler("a")], wait=True, wait_timeout=2)
    assert done["msg"].startswith("1 of 1 autoscalers failed: default/a: HorizontalPodAutoscaler default/a does not act after 2 s: ")


def test_what_can_only_be_read_is_read_once_for_all() -> None:
    cluster = Cluster()
    lease = "/apis/coordination.k8s.io/v1/namespaces/kubevirt/leases/virt-controller"
    cluster.objects[lease] = {"metadata": {"name": "virt-controller"}, "spec": {"renewTime": "2026-11-23T20:39:00.000000Z"}}
    sets = [described(name) for name in "abcde"]
    done = cluster.run("vmirs", definition=sets, wait_timeout=12, wait_grace=60, **SHARED)
    assert done["summary"]["failed"] == 5
    assert asked(cluster)["GET kubevirt/leases"] == 2


def test_namespaces_are_watched_each_for_itself() -> None:
    cluster = Cluster()

    def act(seconds: float) -> None:
        for namespace in ("one", "two"):
            converge(cluster, "a", namespace=namespace)

    cluster.meanwhile = act
    done = cluster.run("vmirs", definition=[described("a", namespace=each) for each in ("one", "two")], **SHARED)
    assert done["summary"]["ok"] == 2
    found = asked(cluster)
    assert [found[f"WATCH {each}/virtualmachineinstances"] for each in ("one", "two", "default")] == [1, 1, 0]
