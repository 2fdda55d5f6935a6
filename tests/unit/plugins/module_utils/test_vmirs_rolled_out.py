# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rollouts by `vmirs` in one task, the history that it keeps, and what `vmirs_info` says of both."""

from __future__ import annotations

import json
import typing as t

import pytest

from unit.support.cluster import INSTANCES, REVISIONS, SCALERS, SETS, Cluster
from unit.support.controlled import annotations_of, controlled, facts, failing, forbid, right
from unit.support.objects import autoscaler, changed, instance
from unit.support.recorded import Object
from unit.support.rollouts import HISTORY, SET, VMIS, WEB, deleted, hashes, kept
from unit.support.templates import HASH, hash_in, recorded, template

PATCHED = ("PATCH", f"{SET}/web", False)
JOB = json.dumps({"replicas": 2, "remove": ["web0"], "resume": True})


def wanted(memory: str = "2Gi", **spec: t.Any) -> Object:
    """Return a manifest of the set."""
    made = changed(template(memory), "metadata.labels", {"app": "web"})
    spec = {"replicas": 3, "selector": {"matchLabels": {"app": "web"}}, "template": made, **spec}
    return {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstanceReplicaSet", "metadata": {"name": "web"}, "spec": spec}


def apply(cluster: Cluster, memory: str = "2Gi", check_mode: bool = False, rollout: bool = True, **options: t.Any) -> dict[str, t.Any]:
    """Run `vmirs` with a manifest."""
    options = {"definition": wanted(memory), "max_unavailable": "1", **options}
    return cluster.run("vmirs", check_mode=check_mode, rollout=rollout, **options)


def info(cluster: Cluster) -> dict[str, t.Any]:
    """Return what `vmirs_info` says of the set."""
    (found,) = cluster.run("vmirs_info", name="web")["replica_sets"]
    return dict(found)


def paused(cluster: Cluster, job: str | None = None) -> None:
    """Pause the set, by a scale-in where its annotation is given."""
    live = changed(cluster.live, "spec.paused", True)
    cluster.put(SETS, live if job is None else changed(live, "metadata.annotations", {"vmscale.kubevirt/scale-in": job}))
    cluster.meanwhile(0)


def test_a_new_template_is_written_recorded_and_rolled_out_in_one_task() -> None:
    cluster, controller = controlled(3, boot_seconds=1)
    made = apply(cluster, "4Gi")
    assert facts(made, "changed", "method", "revision", "warnings", "autoscaled_by") == [True, "patch", 2, [], None]
    assert [len(batch) for batch in made["batches"]] == [1, 1, 1]
    assert made["replaced"] == deleted(cluster) == ["web2", "web1", "web0"]
    assert made["replicas"] == {"desired": 3, "current": 3, "ready": 3, "outdated": 0, "terminating": 0}
    assert min(controller.ready) == 2
    assert kept(cluster) == {1: "2Gi", 2: "4Gi"}
    assert hashes(cluster) == {hash_in("4Gi")}
    post = ("POST", f"default/{HISTORY}", False)
    assert cluster.written()[:3] == [("DELETE", f"{VMIS}/web0", True), post, PATCHED]
    assert made["diff"]["before"]["instances"] == ["web0", "web1", "web2"]
    again = apply(cluster, "4Gi")
    assert facts(again, "changed", "method", "replaced", "batches") == [False, None, [], []]
    assert [right(each) for each in cluster.server.requests] == [("get", SET), ("list", VMIS)]


def test_check_mode_says_all_that_would_be() -> None:
    cluster, _controller = controlled(3)
    made = apply(cluster, "4Gi", check_mode=True)
    assert facts(made, "changed", "method", "batches", "revision") == [True, "patch", [["web2"], ["web1"], ["web0"]], 2]
    assert {is_dry for _method, _path, is_dry in cluster.written()} == {True}
    assert (kept(cluster), cluster.names(), hashes(cluster)) == ({}, ["web0", "web1", "web2"], {hash_in("2Gi")})
    done = apply(cluster, "4Gi")
    assert facts(done, "batches", "revision") == facts(made, "batches", "revision")


def test_a_set_that_is_made_is_waited_for() -> None:
    cluster, _controller = controlled(0)
    cluster.objects.clear()
    made = apply(cluster, check_mode=True)
    assert facts(made, "changed", "method", "replaced") == [True, "create", []]
    made = apply(cluster)
    assert facts(made, "changed", "method", "replaced", "failed") == [True, "create", [], None]
    assert made["replicas"]["ready"] == 3
    assert cluster.written() == [PATCHED]


def test_what_was_outdated_before_is_rolled_out_as_well() -> None:
    cluster, _controller = controlled(3, outdated=1)
    made = apply(cluster, "2Gi")
    assert facts(made, "changed", "method", "replaced") == [True, "delete", ["web0"]]


def test_without_a_rollout_the_old_template_is_recorded_and_nobody_replaced() -> None:
    cluster, _controller = controlled(3)
    cluster.lists[REVISIONS] = [recorded("1Gi", 1), recorded("3Gi", 2)]
    made = apply(cluster, "4Gi", rollout=False, revision_history_limit=1)
    assert facts(made, "changed", "method", "warnings", "replaced") == [True, "patch", [], None]
    # Which of them VMIs still run nobody has asked.
    assert kept(cluster) == {1: "1Gi", 2: "3Gi", 3: "2Gi"}
    assert deleted(cluster) == []
    assert [right(each) for each in cluster.server.requests] == [("get", SET), ("list", HISTORY), ("create", HISTORY), ("patch", SET)]
    apply(cluster, "5Gi", rollout=False, revision_history_limit=0)
    assert 4 not in kept(cluster)
    apply(cluster, "5Gi", rollout=False, labels={"team": "a"})
    assert HISTORY not in "".join(each.path for each in cluster.server.requests)


def test_who_may_not_keep_a_history_is_told_once() -> None:
    cluster, _controller = controlled(3)
    cluster.refuse = forbid(f"list {HISTORY}")
    for rollout in (False, True):
        made = apply(cluster, "4Gi" if rollout else "3Gi", rollout=rollout)
        assert facts(made, "changed", "failed") == [True, None]
        assert len(made["warnings"]) == 1
        assert made["warnings"][0].startswith("The template is not recorded, so nothing can be rolled back to it: ")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"template_hash": False}, '"rollout" needs the template hash, by which outdated VMIs are told'),
        ({"definition": wanted(paused=True)}, '"rollout" and "paused" exclude each other'),
        ({"max_unavailable": "none"}, '"max_unavailable" is "none"'),
        ({"batch_timeout": 0}, '"batch_timeout" is 0'),
    ],
)
def test_bad_input_is_said_before_anything_is_asked(options: dict[str, t.Any], told: str) -> None:
    cluster, _controller = controlled(3)
    assert apply(cluster, **options)["msg"].startswith(told)
    assert cluster.server.requests == []


@pytest.mark.parametrize("missing", [f"delete {VMIS}", "list poddisruptionbudgets", "list horizontalpodautoscalers"])
def test_a_right_that_is_missing_is_said_before_the_template_is_written(missing: str) -> None:
    cluster, _controller = controlled(3)
    cluster.refuse = forbid(missing)
    made = apply(cluster, "4Gi", max_unavailable="25%")
    assert f"may not {' '.join(missing.split())}." in made["msg"]
    assert (made["changed"], PATCHED in cluster.written(), kept(cluster)) == (False, False, {})


def test_a_paused_set_gets_no_new_template_with_a_rollout() -> None:
    cluster, _controller = controlled(3)
    paused(cluster)
    made = apply(cluster, "4Gi")
    assert (
        made["msg"]
        == f'{WEB} is paused, so nothing that a rollout removes would be replaced: resume it first (vmirs with "paused: false").'
    )
    assert cluster.written() == []
    # Unless the same task resumes it.
    made = apply(cluster, "4Gi", definition=wanted("4Gi", paused=False))
    assert facts(made, "failed", "changed", "method") == [None, True, "patch"]
    assert hashes(cluster) == {hash_in("4Gi")}


def test_a_paused_set_where_nothing_is_outdated_has_nothing_to_roll_out() -> None:
    cluster, _controller = controlled(3)
    paused(cluster)
    made = apply(cluster)
    assert facts(made, "changed", "failed", "replaced", "batches") == [False, None, [], []]


def test_what_has_been_written_is_told_though_the_rollout_cannot_be() -> None:
    cluster, _controller = controlled(3, outdated=1)
    paused(cluster, JOB)
    made = apply(cluster, definition=wanted(replicas=4))
    assert made["msg"].endswith("a scale-in to 2 that did not finish has paused it: run vmirs_scale again.")
    assert facts(made, "failed", "changed", "method") == [True, True, "patch"]
    assert made["replicas"]["desired"] == 4
    cluster, _controller = controlled(3)
    cluster.refuse = failing(lambda request: request.path == INSTANCES and cluster.live["spec"]["template"] != template("2Gi"))
    made = apply(cluster, "4Gi")
    assert facts(made, "failed", "changed", "method") == [True, True, "patch"]
    assert "no leader" in made["msg"]


def test_an_unfinished_scale_in_is_told_by_vmirs_and_its_info() -> None:
    cluster, _controller = controlled(3)
    paused(cluster, JOB)
    made = apply(cluster, rollout=False, labels={"team": "a"})
    assert made["warnings"] == [f"{WEB} is paused: a scale-in to 2 that did not finish has paused it: run vmirs_scale again."]
    assert annotations_of(cluster.live) == {"vmscale.kubevirt/scale-in": JOB}
    assert facts(info(cluster), "paused", "unfinished_scale_in") == [True, {"replicas": 2, "remove": ["web0"]}]
    cluster.put(SETS, changed(cluster.live, "spec.paused", False))
    assert facts(info(cluster), "paused", "unfinished_scale_in") == [False, None]


def test_the_info_has_revisions_and_who_runs_them() -> None:
    cluster, _controller = controlled(4, outdated=1)
    cluster.lists[INSTANCES].append(instance("x", owner="somebody", template_hash=hash_in("1Gi")))
    cluster.lists[INSTANCES].append(instance("unknown", template_hash="other"))
    foreign = changed(recorded("9Gi", 9), "metadata.labels", {"vmscale.kubevirt/replica-set-uid": "another"})
    cluster.lists[REVISIONS] = [recorded("1Gi", 3, [1], "2026-11-23T20:10:00Z"), foreign, recorded("3Gi", 2), recorded("2Gi", 4)]
    found = info(cluster)
    assert found["revision"] == 4
    created = "2026-11-23T20:39:00Z"
    assert found["revisions"] == [
        {"number": 4, "hash": hash_in("2Gi"), "created": created, "current": True, "instances": 3},
        {"number": 3, "hash": hash_in("1Gi"), "created": "2026-11-23T20:10:00Z", "current": False, "instances": 1},
        {"number": 2, "hash": hash_in("3Gi"), "created": created, "current": False, "instances": 0},
    ]
    assert [(each["name"], each["revision"], each["outdated"]) for each in found["instances"]] == [
        ("unknown", None, True),
        ("web0", 3, True),
        ("web1", 4, False),
        ("web2", 4, False),
        ("web3", 4, False),
    ]
    (asked,) = [each for each in cluster.server.requests if each.path == REVISIONS]
    assert asked.query == {"labelSelector": "vmscale.kubevirt/replica-set-uid"}


def test_the_info_of_a_set_without_history_has_none() -> None:
    cluster, _controller = controlled(1)
    cluster.lists[INSTANCES][0]["metadata"]["labels"].pop(HASH)
    found = info(cluster)
    assert facts(found, "revision", "revisions", "unfinished_scale_in") == [None, [], None]
    assert found["instances"][0]["revision"] is None


def test_a_revision_that_is_there_twice_has_its_later_number() -> None:
    cluster, _controller = controlled(1)
    cluster.lists[REVISIONS] = [recorded("2Gi", 1), recorded("3Gi", 2), recorded("2Gi", 3, [1])]
    found = info(cluster)
    assert (found["revision"], found["instances"][0]["revision"]) == (3, 3)


def test_who_may_not_read_revisions_gets_everything_else() -> None:
    cluster, _controller = controlled(2)
    cluster.lists[REVISIONS] = [recorded("2Gi", 1)]
    cluster.refuse = forbid(f"list {HISTORY}")
    found = info(cluster)
    assert facts(found, "revision", "revisions") == [None, None]
    assert [each["revision"] for each in found["instances"]] == [None, None]
    assert found["replicas"]["ready"] == 2
    cluster.refuse = failing(lambda request: request.path == REVISIONS)
    assert "no leader" in cluster.run("vmirs_info", name="web")["msg"]


def test_an_autoscaled_set_is_rolled_out_without_touching_its_number() -> None:
    cluster, _controller = controlled(4)
    cluster.put(SCALERS, autoscaler(least=2))
    made = apply(cluster, "4Gi", max_unavailable="75%")
    assert facts(made, "failed", "autoscaled_by") == [None, ["web"]]
    assert "left at 4 instead of 3" in made["warnings"][0]
    assert (made["replicas"]["ready"], [len(batch) for batch in made["batches"]]) == (4, [1, 1, 1, 1])
