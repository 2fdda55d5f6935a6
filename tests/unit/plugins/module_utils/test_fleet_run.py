# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ensuring many objects at once: what is asked, what is written, what one failure does to the others, and what is told."""

from __future__ import annotations

import threading
import time
import typing as t
from collections import Counter

import pytest

from ansible_collections.vmscale.kubevirt.plugins.module_utils import _fleet_run
from unit.support.cluster import SCALERS, SETS, Cluster, of
from unit.support.fleet import FLEET, described, described_scaler, live_set, put_set
from unit.support.objects import autoscaler, changed
from unit.support.server import Answer, Request, refusal

SHARED: dict[str, t.Any] = {"template_hash": False}
THREE = [described("a"), described("b"), described("c")]


@pytest.fixture
def cluster() -> Cluster:
    """A cluster with the sets a, b and c, converged."""
    found = Cluster()
    for name in "abc":
        put_set(found, live_set(name))
    return found


def asked(cluster: Cluster) -> list[str]:
    """Return what was asked: the method, the namespace, and the rest of the path in short; each dry run marked."""
    found = []
    for each in cluster.server.requests:
        namespace, _, rest = each.path.partition("/namespaces/")[2].partition("/")
        rest = rest.replace("virtualmachineinstancereplicasets", "sets").replace("virtualmachineinstances", "vmis")
        method = "WATCH" if each.query.get("watch") else each.method
        is_dry = each.query.get("dryRun") == "All"
        found.append(f"{method} {namespace}/{rest.replace('horizontalpodautoscalers', 'hpas')}{' (dry run)' if is_dry else ''}")
    return found


def names(results: t.Sequence[t.Mapping[str, t.Any]], flag: str) -> list[str]:
    """Return the names of the results that have a flag."""
    return [str(each["name"]) for each in results if each[flag]]


def refuse(cluster: Cluster, *paths: str, method: str = "PATCH", answer: Answer | None = None) -> None:
    """Refuse what is asked by this method of a path that ends so."""
    answer = answer or refusal(422, "Invalid", "no room for it")
    cluster.refuse = lambda request: answer if request.method == method and request.path.endswith(paths) else None


def test_one_list_decides_and_writes_follow() -> None:
    cluster = Cluster()
    done = cluster.run("vmirs", definition=THREE, **SHARED)
    assert (done["changed"], "failed" in done) == (True, False)
    assert done["summary"] == {"total": 3, "ok": 3, "changed": 3, "failed": 0, "pruned": 0, "skipped": 0}
    assert asked(cluster)[0] == "GET default/sets"
    assert sorted(asked(cluster)[1:]) == ["PATCH default/sets/a", "PATCH default/sets/b", "PATCH default/sets/c"]
    assert [(each["name"], each["namespace"], each["changed"], each["method"]) for each in done["results"]] == [
        (name, "default", True, "create") for name in "abc"
    ]
    assert [each["result"]["metadata"]["name"] for each in done["results"]] == ["a", "b", "c"]
    assert [each["after"]["metadata"]["name"] for each in done["diff"]] == ["a", "b", "c"]
    assert not {"duration", "timeline", "msg"} & set(done)
    again = cluster.run("vmirs", definition=THREE, **SHARED)
    assert (again["changed"], again["summary"]["changed"]) == (False, 0)
    assert asked(cluster) == ["GET default/sets"]


def test_results_keep_the_order_of_the_description_whoever_is_first() -> None:
    cluster, ended = Cluster(), list[str]()

    def dawdle(request: Request) -> None:
        if request.method == "PATCH":
            time.sleep(0.2 if request.path.endswith("/a") else 0)
            ended.append(request.path.rpartition("/")[2])

    cluster.refuse = dawdle
    done = cluster.run("vmirs", definition=THREE, **SHARED)
    assert ended[-1] == "a"
    assert [each["name"] for each in done["results"]] == ["a", "b", "c"]


def test_each_namespace_is_read_once() -> None:
    cluster = Cluster()
    sets = [described(name, namespace=namespace) for namespace in ("one", "two", "three") for name in "ab"]
    cluster.run("vmirs", definition=sets, **SHARED)
    assert sorted(each for each in asked(cluster) if each.startswith("GET")) == ["GET one/sets", "GET three/sets", "GET two/sets"]
    assert sum(each.startswith("PATCH") for each in asked(cluster)) == 6
    assert asked(cluster)[:3] == sorted(asked(cluster)[:3], key=lambda each: not each.startswith("GET"))


def test_only_what_differs_is_written(cluster: Cluster) -> None:
    done = cluster.run("vmirs", definition=[described("a"), described("b", 2), described("c")], **SHARED)
    assert (names(done["results"], "changed"), done["summary"]["changed"], done["summary"]["ok"]) == (["b"], 1, 3)
    assert [each for each in asked(cluster) if each.startswith("PATCH")] == ["PATCH default/sets/b"]
    assert cluster.objects[f"{SETS}/b"]["spec"]["replicas"] == 2


def test_writes_run_side_by_side_and_not_all_at_once() -> None:
    cluster, lock, at_once, most = Cluster(), threading.Lock(), [0], [0]

    def count(request: Request) -> None:
        if request.method == "PATCH":
            with lock:
                at_once[0] += 1
                most[0] = max(most[0], at_once[0])
            time.sleep(0.05)
            with lock:
                at_once[0] -= 1

    cluster.refuse = count
    done = cluster.run("vmirs", definition=[described(f"s{number}") for number in range(30)], **SHARED)
    assert done["summary"]["ok"] == 30
    assert 4 <= most[0] <= _fleet_run.WRITERS == 8


def test_a_conflict_reads_the_one_object_again(cluster: Cluster) -> None:
    meddled: list[bool] = []

    def meddle(request: Request) -> Answer | None:
        if request.method == "PATCH" and request.path.endswith("/b") and not meddled:
            meddled.append(True)
            cluster.put(SETS, changed(cluster.objects[f"{SETS}/b"], "metadata.annotations", {"by": "somebody"}))
        return None

    cluster.refuse = meddle
    done = cluster.run("vmirs", definition=[described(name, 2) for name in "abc"], **SHARED)
    assert done["summary"]["changed"] == 3
    found = Counter(asked(cluster))
    assert (found["GET default/sets"], found["GET default/sets/b"], found["PATCH default/sets/b"]) == (1, 1, 2)
    assert not {"GET default/sets/a", "GET default/sets/c"} & set(found)
    assert cluster.objects[f"{SETS}/b"]["metadata"]["annotations"] == {"by": "somebody"}


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (refusal(403, "Forbidden", 'User "u" cannot patch resource "x"'), 'User "u" may not patch virtualmachineinstancereplicasets'),
        (
            refusal(404, "NotFound", 'namespaces "default" not found', name="default", kind="namespaces"),
            'Namespace "default" does not exist',
        ),
        (refusal(422, "Invalid", "no room for it"), "is refused by the API server: no room for it"),
        (refusal(500, "InternalError", "oh no"), "The API server answered 500"),
    ],
    ids=["403", "404", "422", "500"],
)
def test_what_one_is_refused_leaves_the_others_alone(answer: Answer, words: str) -> None:
    cluster = Cluster()
    refuse(cluster, "/b", answer=answer)
    done = cluster.run("vmirs", definition=THREE, **SHARED)
    assert (done["failed"], done["changed"]) == (True, True)
    assert done["msg"].startswith("1 of 3 sets failed: default/b: ")
    assert words in done["msg"]
    assert done["summary"] == {"total": 3, "ok": 2, "changed": 2, "failed": 1, "pruned": 0, "skipped": 0}
    a, b, c = done["results"]
    assert (a["failed"], b["failed"], c["failed"]) == (False, True, False)
    assert words in b["msg"]
    assert (b["changed"], b["method"], b["result"], b["replicas"]["desired"], "msg" in a) == (False, None, {}, 0, False)
    assert sorted(cluster.objects) == [f"{SETS}/a", f"{SETS}/c"]
    assert [each["after"]["metadata"]["name"] for each in done["diff"]] == ["a", "c"]


def test_a_namespace_that_may_not_be_read_fails_its_objects_only() -> None:
    cluster = Cluster()
    refuse(
        cluster,
        "/secret/virtualmachineinstancereplicasets",
        method="GET",
        answer=refusal(403, "Forbidden", 'User "u" cannot list resource "x"'),
    )
    sets = [described(name, namespace=namespace) for namespace in ("secret", "open") for name in "ab"]
    done = cluster.run("vmirs", definition=sets, **SHARED)
    assert done["summary"] == {"total": 4, "ok": 2, "changed": 2, "failed": 2, "pruned": 0, "skipped": 0}
    assert done["msg"].startswith('2 of 4 sets failed: secret/a, secret/b: User "u" may not list virtualmachineinstancereplicasets')
    assert asked(cluster).count("GET secret/sets") == 1
    owned(cluster, "old", "open")
    again = cluster.run("vmirs", definition=sets, fleet="web", prune=True, **SHARED)
    assert (again["summary"]["failed"], again["summary"]["skipped"]) == (2, 1)


def test_a_cluster_that_does_not_answer_is_said_once() -> None:
    cluster = Cluster()
    done = cluster.run("vmirs", definition=THREE, host="http://127.0.0.1:1", **SHARED)
    assert done["summary"]["failed"] == 3
    assert done["msg"].startswith("3 of 3 sets failed: default/a, default/b, default/c: No Kubernetes API server answers at ")
    assert done["msg"].count("No Kubernetes API server") == 1


def slowly(cluster: Cluster, *failing: str) -> None:
    """Answer each write but those that fail after a moment."""

    def answer(request: Request) -> Answer | None:
        if request.method != "PATCH":
            return None
        if request.path.endswith(failing):
            return refusal(422, "Invalid", "no room for it")
        time.sleep(0.05)
        return None

    cluster.refuse = answer


def test_after_a_failure_the_others_go_on() -> None:
    cluster = Cluster()
    slowly(cluster, "/s0")
    done = cluster.run("vmirs", definition=[described(f"s{number}") for number in range(20)], **SHARED)
    assert done["summary"] == {"total": 20, "ok": 19, "changed": 19, "failed": 1, "pruned": 0, "skipped": 0}


def test_or_nothing_else_is_begun() -> None:
    cluster = Cluster()
    slowly(cluster, "/s0")
    sets = [described(f"s{number}") for number in range(40)]
    done = cluster.run("vmirs", definition=sets, on_failure="stop", wait=True, wait_timeout=0, **SHARED)
    summary, skipped = done["summary"], names(done["results"], "skipped")
    assert summary["failed"] + summary["skipped"] + summary["ok"] == 40
    assert summary["skipped"] == len(skipped) >= 20
    assert cluster.asked("PATCH") == list(dict.fromkeys(cluster.asked("PATCH")))
    assert not set(skipped) & set(cluster.asked("PATCH"))
    last = done["results"][-1]
    assert (last["skipped"], last["changed"], last["failed"], last["method"], last["result"]) == (True, False, False, None, {})
    # What has been begun is waited for.
    assert summary["failed"] == len(cluster.asked("PATCH"))


def test_check_mode_sends_dry_runs_only(cluster: Cluster) -> None:
    put_set(cluster, live_set("old", labels={FLEET: "f"}))
    before = {path: dict(live) for path, live in cluster.objects.items()}
    sets = [described("a", 2), described("b"), described("new")]
    done = cluster.run("vmirs", check_mode=True, definition=sets, fleet="f", prune=True, wait=True, **SHARED)
    assert (done["changed"], names(done["results"], "changed")) == (True, ["a", "b", "new", "old"])
    assert [each["method"] for each in done["results"]] == ["patch", "patch", "create", "delete"]
    writes = [each for each in asked(cluster) if not each.startswith("GET")]
    assert sorted(writes) == [
        "DELETE default/sets/old (dry run)",
        "PATCH default/sets/a (dry run)",
        "PATCH default/sets/b (dry run)",
        "PATCH default/sets/new (dry run)",
    ]
    assert cluster.objects == before
    assert not {"duration", "timeline"} & set(done)
    assert cluster.lines == []


def test_the_label_of_the_fleet_is_written_and_kept(cluster: Cluster) -> None:
    cluster.run("vmirs", definition=THREE, fleet="web", labels={"team": "a"}, **SHARED)
    assert [cluster.objects[f"{SETS}/{name}"]["metadata"]["labels"] for name in "abc"] == [{FLEET: "web", "team": "a"}] * 3
    assert cluster.run("vmirs", definition=THREE, fleet="web", labels={"team": "a"}, **SHARED)["changed"] is False


def owned(cluster: Cluster, name: str, namespace: str = "default", fleet: str = "web") -> None:
    """Have a set that belongs to a fleet."""
    put_set(cluster, live_set(name, namespace=namespace, labels={FLEET: fleet}))


def test_what_the_fleet_owns_and_nobody_describes_is_pruned(cluster: Cluster) -> None:
    owned(cluster, "old")
    owned(cluster, "theirs", fleet="their")
    owned(cluster, "old", "other")
    kept = cluster.run("vmirs", definition=THREE, fleet="web", **SHARED)
    assert (kept["summary"]["total"], cluster.asked("DELETE")) == (3, [])
    done = cluster.run("vmirs", definition=THREE, fleet="web", prune=True, **SHARED)
    assert [each["name"] for each in done["results"]] == ["a", "b", "c", "old"]
    assert done["summary"] == {"total": 4, "ok": 4, "changed": 1, "failed": 0, "pruned": 1, "skipped": 0}
    old = done["results"][-1]
    assert (old["pruned"], old["changed"], old["method"], old["result"]) == (True, True, "delete", {})
    assert asked(cluster)[-1] == "DELETE default/sets/old"
    sent = cluster.server.requests[-1].body
    assert (sent["propagationPolicy"], sent["preconditions"]["uid"]) == ("Foreground", "uid of default/old")
    assert [each["pruned"] for each in done["results"][:3]] == [False] * 3
    assert done["diff"][-1]["after"] == {}


def test_pruning_covers_the_namespaces_that_are_named(cluster: Cluster) -> None:
    for namespace in ("described", "option", "listed", "elsewhere"):
        owned(cluster, "old", namespace)
    sets = [described("new", namespace="described")]
    done = cluster.run("vmirs", definition=sets, namespace="option", fleet="web", prune=True, prune_namespaces=["listed"], **SHARED)
    pruned = [each["namespace"] for each in done["results"] if each["pruned"]]
    assert pruned == ["described", "listed", "option"]
    gone = [path for path, live in cluster.objects.items() if "deletionTimestamp" in live["metadata"]]
    assert sorted(gone) == sorted(f"{of(namespace, SETS)}/old" for namespace in pruned)
    assert not any("elsewhere" in each for each in asked(cluster))


def test_a_namespace_that_is_to_be_pruned_and_may_not_be_read_is_said_before_anything_is_written() -> None:
    cluster = Cluster()
    refuse(
        cluster,
        "/secret/virtualmachineinstancereplicasets",
        method="GET",
        answer=refusal(403, "Forbidden", 'User "u" cannot list resource "x"'),
    )
    done = cluster.run("vmirs", definition=THREE, fleet="web", prune=True, prune_namespaces=["secret"], **SHARED)
    assert (done["failed"], done["changed"]) == (True, False)
    assert 'may not list virtualmachineinstancereplicasets.kubevirt.io in namespace "secret"' in done["msg"]
    assert (cluster.asked("PATCH"), cluster.objects) == ([], {})


@pytest.mark.parametrize("on_failure", ["continue", "stop"])
def test_nothing_is_pruned_where_something_could_not_be_written(cluster: Cluster, on_failure: str) -> None:
    owned(cluster, "old")
    refuse(cluster, "/new")
    sets = [*THREE, described("new")]
    done = cluster.run("vmirs", definition=sets, fleet="web", prune=True, on_failure=on_failure, **SHARED)
    old = done["results"][-1]
    assert (old["name"], old["pruned"], old["skipped"], old["changed"]) == ("old", True, True, False)
    assert (done["summary"]["pruned"], done["summary"]["failed"], cluster.asked("DELETE")) == (0, 1, [])


def test_what_cannot_be_pruned_is_a_failure_of_its_own(cluster: Cluster) -> None:
    owned(cluster, "old")
    owned(cluster, "older")
    refuse(cluster, "/old", method="DELETE", answer=refusal(403, "Forbidden", 'User "u" cannot delete resource "x"'))
    done = cluster.run("vmirs", definition=THREE, fleet="web", prune=True, **SHARED)
    assert done["msg"].startswith('1 of 5 sets failed: default/old: User "u" may not delete')
    assert (done["summary"]["pruned"], done["summary"]["ok"]) == (1, 4)


def test_a_fleet_is_removed_once(cluster: Cluster) -> None:
    put_set(cluster, live_set("other"))
    done = cluster.run("vmirs", definition=[*THREE, described("never")], state="absent", **SHARED)
    assert [(each["name"], each["method"]) for each in done["results"]] == [
        ("a", "delete"),
        ("b", "delete"),
        ("c", "delete"),
        ("never", None),
    ]
    assert done["summary"] == {"total": 4, "ok": 4, "changed": 3, "failed": 0, "pruned": 0, "skipped": 0}
    assert Counter(each.split()[0] for each in asked(cluster)) == {"GET": 1, "DELETE": 3}
    assert "deletionTimestamp" not in cluster.objects[f"{SETS}/other"]["metadata"]
    again = cluster.run("vmirs", definition=THREE, state="absent", **SHARED)
    assert (again["changed"], cluster.asked("DELETE")) == (False, [])
    cluster.objects.clear()
    never = cluster.run("vmirs", definition=THREE, state="absent", wait=True, **SHARED)
    assert (never["changed"], never["timeline"], asked(cluster)) == (False, [], ["GET default/sets"])


def test_what_was_never_there_is_not_waited_for_when_a_removal_stops(cluster: Cluster) -> None:
    refuse(cluster, "/a", method="DELETE", answer=refusal(403, "Forbidden", 'User "u" cannot delete resource "x"'))
    sets = [described("never"), described("a")]
    done = cluster.run("vmirs", definition=sets, state="absent", on_failure="stop", wait=True, **SHARED)
    assert [each["failed"] for each in done["results"]] == [False, True]
    assert asked(cluster) == ["GET default/sets", "DELETE default/sets/a"]


def test_what_could_not_be_written_is_not_rolled_out(cluster: Cluster) -> None:
    refuse(cluster, "/a", "/b", "/c")
    done = cluster.run("vmirs", definition=[described(name, 2) for name in "abc"], rollout=True)
    assert done["summary"]["failed"] == 3
    assert "GET default/vmis" not in asked(cluster)


@pytest.mark.parametrize("on_failure", ["continue", "stop"])
def test_the_others_are_rolled_out_unless_a_failure_stops_all(cluster: Cluster, on_failure: str) -> None:
    refuse(cluster, "/b")
    done = cluster.run("vmirs", definition=[described("a"), described("b", 2), described("c")], rollout=True, on_failure=on_failure)
    assert names(done["results"], "failed") == ["b"]
    assert ("GET default/vmis" in asked(cluster)) == (on_failure == "continue")


def test_bad_input_is_said_before_anything_is_asked() -> None:
    cluster = Cluster()
    done = cluster.run("vmirs", definition=[described("a"), changed(described("b"), "spec.replicas", -1)], **SHARED)
    assert done["msg"] == '"definition" (object 2): "replicas" (spec.replicas) is -1: it must be 0 or more.'
    done = cluster.run("vmirs", definition=[described("a"), changed(described("b"), "spec.paused", True)], rollout=True)
    assert done["msg"].startswith('"rollout" and "paused" exclude each other: ')
    assert "VirtualMachineInstanceReplicaSet default/b" in done["msg"]
    assert (cluster.server.requests, done["changed"]) == ([], False)


def test_warnings_of_all_are_told_once(cluster: Cluster) -> None:
    for name in "ab":
        cluster.put(SCALERS, autoscaler(name, target={"name": name}))
    done = cluster.run("vmirs", definition=[described(name, 5) for name in "abc"], **SHARED)
    assert len(done["warnings"]) == 2
    assert all("HorizontalPodAutoscaler" in each for each in done["warnings"])
    assert [each["autoscaled_by"] for each in done["results"]] == [["a"], ["b"], []]
    assert all("warnings" not in each for each in done["results"])
    # Who scales the sets of a namespace is one question.
    assert Counter(asked(cluster))["GET default/hpas"] == 1


def test_progress_of_writes_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_fleet_run, "LINE_EVERY_SECONDS", 0.0)
    cluster = Cluster()
    cluster.run("vmirs", definition=THREE, **SHARED)
    assert cluster.lines == [f"{number}/3 sets looked at or written (0 s)" for number in (1, 2, 3)]
    cluster.run("vmirs", definition=THREE, quiet=True, **SHARED)
    assert cluster.lines == []


def test_a_task_that_is_ended_begins_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_fleet_run, "LINE_EVERY_SECONDS", 0.0)
    cluster = Cluster()
    slowly(cluster)

    class Ended(BaseException):
        """As a task that takes too long is ended."""

    class EndingLines(list[str]):
        def append(self, line: str) -> None:
            raise Ended

    cluster.lines = EndingLines()
    with pytest.raises(Ended):
        cluster.run("vmirs", definition=[described(f"s{number}") for number in range(40)], **SHARED)
    assert len(cluster.asked("PATCH")) <= 3 * _fleet_run.WRITERS


def scaled(cluster: Cluster, *targets: str) -> None:
    """Have sets to scale."""
    for name in targets:
        put_set(cluster, live_set(name))


def test_autoscalers_are_ensured_the_same_way() -> None:
    cluster = Cluster()
    scaled(cluster, "a", "b")
    scalers = [described_scaler("a"), described_scaler("b")]
    done = cluster.run("hpa", definition=scalers)
    assert (done["summary"]["changed"], done["changed"]) == (2, True)
    assert [each["result"]["kind"] for each in done["results"]] == ["HorizontalPodAutoscaler"] * 2
    assert [each["replicas"]["max"] for each in done["results"]] == [6, 6]
    found = Counter(each for each in asked(cluster) if each.startswith("GET"))
    assert found == {"GET default/hpas": 1, "GET default/sets": 1, "GET /": 1}
    again = cluster.run("hpa", definition=scalers)
    assert (again["changed"], asked(cluster)) == (False, ["GET default/hpas"])


def test_an_autoscaler_without_its_target_is_a_failure_of_its_own() -> None:
    cluster = Cluster()
    scaled(cluster, "a")
    done = cluster.run("hpa", definition=[described_scaler("a"), described_scaler("b", "nothing")])
    assert done["msg"].startswith('1 of 2 autoscalers failed: default/b: "target" of HorizontalPodAutoscaler default/b, ')
    assert (done["results"][0]["changed"], done["results"][1]["result"]) == (True, {})


def test_autoscalers_are_pruned_and_sets_are_not() -> None:
    cluster = Cluster()
    scaled(cluster, "a")
    owned(cluster, "old")
    old = autoscaler("old")
    old["metadata"]["labels"] = {FLEET: "web"}
    cluster.put(SCALERS, old)
    done = cluster.run("hpa", definition=[described_scaler("a")], fleet="web", prune=True)
    assert [(each["name"], each["method"]) for each in done["results"]] == [("a", "create"), ("old", "delete")]
    assert f"{SETS}/old" in cluster.objects
    assert f"{SCALERS}/old" not in cluster.objects


def test_a_list_of_one_is_a_fleet_and_one_object_is_not(cluster: Cluster) -> None:
    listed = cluster.run("vmirs", definition=[described("a")], **SHARED)
    assert [each["name"] for each in listed["results"]] == ["a"]
    one = cluster.run("vmirs", definition=described("a"), **SHARED)
    assert ("results" in one, one["result"]["metadata"]["name"]) == (False, "a")


def test_who_is_being_deleted_is_not_made_anew(cluster: Cluster) -> None:
    cluster.put(SETS, live_set("b", deleting=True))
    done = cluster.run("vmirs", definition=THREE, **SHARED)
    assert done["msg"].startswith("1 of 3 sets failed: default/b: VirtualMachineInstanceReplicaSet default/b is being deleted")
    waited = cluster.run("vmirs", definition=THREE, wait=True, wait_timeout=2, **SHARED)
    assert waited["msg"].startswith("1 of 3 sets failed: default/b: VirtualMachineInstanceReplicaSet default/b is not gone after 2 s: ")
    b = waited["results"][1]
    assert ("timeline" in b, b["reasons"][-1]) == (False, "it is still there (finalizers: foregroundDeletion)")
