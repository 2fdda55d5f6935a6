# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The states of `vmirs_rollout`: restarted and rolled back, as often as it is asked for and no more."""

from __future__ import annotations

import json

import pytest

from unit.support.cluster import INSTANCES, REVISIONS, SETS, Cluster
from unit.support.controlled import annotations_of, controlled, facts, failing, forbid, right
from unit.support.objects import changed
from unit.support.rollouts import HISTORY, SET, VMIS, WEB, deleted, hashes, kept, memory_of, roll_out
from unit.support.server import Answer, Request
from unit.support.templates import HASH, hash_in, recorded, template

RESTARTED, RESTART_ID = "vmscale.kubevirt/restarted-at", "vmscale.kubevirt/restart-id"
ROLLED_BACK = "vmscale.kubevirt/rolled-back"
PATCHED = ("PATCH", f"{SET}/web", False)
ALL = ["web0", "web1", "web2"]


def present(cluster: Cluster) -> tuple[str, str]:
    """Return the memory and the hash of the set's template."""
    found = cluster.live["spec"]["template"]
    return memory_of(found), found["metadata"]["labels"][HASH]


def with_history(*memories: str, replicas: int = 3, outdated: int = 0) -> Cluster:
    """Return a cluster whose set runs `2Gi`, with these revisions."""
    cluster, _controller = controlled(replicas, outdated)
    cluster.lists[REVISIONS] = [recorded(memory, number) for number, memory in enumerate(memories, start=1)]
    return cluster


def test_a_restart_replaces_every_vmi_by_one_of_the_same_template() -> None:
    cluster, controller = controlled(3)
    cluster.tells_time = True
    made = roll_out(cluster, state="restarted")
    assert facts(made, "changed", "method", "revision", "failed") == [True, "patch", 1, None]
    assert sorted(made["replaced"]) == ALL
    assert min(controller.ready) == 3
    written = cluster.written()
    assert written[:3] == [("DELETE", f"{VMIS}/web0", True), PATCHED, ("DELETE", f"{VMIS}/web0", True)]
    memory, found = present(cluster)
    stamp = cluster.live["spec"]["template"]["metadata"]["annotations"]
    assert (memory, stamp) == ("2Gi", {RESTARTED: "2026-11-23T20:40:00Z"})
    assert found != hash_in("2Gi")
    assert hashes(cluster) == {found}
    # The mark of a restart without an id goes with its end.
    assert annotations_of(cluster.live) == annotations_of(made["result"]) == {}
    patch = next(each for each in cluster.server.requests if each.method == "PATCH")
    assert patch.header("Content-Type") == ["application/json-patch+json"]
    before, after = (made["diff"][side]["spec"]["template"]["metadata"].get("annotations") for side in ("before", "after"))
    assert (before, after) == (None, stamp)
    assert "annotations" not in made["diff"]["after"]["metadata"]


def test_without_an_id_each_run_restarts_anew() -> None:
    cluster, _controller = controlled(3)
    cluster.tells_time = True
    first = roll_out(cluster, state="restarted")
    cluster.clock.time += 60
    second = roll_out(cluster, state="restarted")
    assert facts(second, "changed", "method") == [True, "patch"]
    assert len(first["replaced"]) == len(second["replaced"]) == 3
    assert set(first["replaced"]).isdisjoint(second["replaced"])
    assert kept(cluster) == {1: "2Gi", 2: "2Gi"}


def test_with_an_id_it_happens_once() -> None:
    cluster, _controller = controlled(3)
    assert roll_out(cluster, state="restarted", restart_id="r1")["changed"] is True
    again = roll_out(cluster, state="restarted", restart_id="r1")
    assert facts(again, "changed", "method", "replaced") == [False, None, []]
    assert [right(each) for each in cluster.server.requests] == [("get", SET), ("list", VMIS)]
    assert roll_out(cluster, state="restarted", restart_id="r2")["changed"] is True
    assert cluster.live["spec"]["template"]["metadata"]["annotations"][RESTART_ID] == "r2"


@pytest.mark.parametrize("restart_id", [None, "r1"])
def test_a_restart_that_was_ended_goes_on(restart_id: str | None) -> None:
    cluster, _controller = controlled(3)
    cluster.refuse = failing(lambda request: request.method == "DELETE" and len(cluster.names()) == 3 and "new1" in cluster.names())
    first = roll_out(cluster, state="restarted", restart_id=restart_id)
    assert facts(first, "failed", "changed", "method") == [True, True, "patch"]
    assert len(first["replaced"]) == 2
    cluster.refuse = lambda request: None
    second = roll_out(cluster, state="restarted", restart_id=restart_id)
    assert facts(second, "changed", "method") == [True, "delete" if restart_id else "patch"]
    assert sorted([*first["replaced"], *second["replaced"]]) == ALL


def test_a_restart_that_was_ended_after_its_last_deletion_replaces_nothing_again() -> None:
    cluster, _controller = controlled(3)
    cluster.refuse = failing(lambda request: request.body == {"metadata": {"annotations": {RESTARTED: None}}})
    first = roll_out(cluster, state="restarted")
    assert facts(first, "failed", "changed", "method") == [True, True, "patch"]
    assert sorted(first["replaced"]) == ALL
    planned = roll_out(cluster, check_mode=True, state="restarted")
    assert (facts(planned, "changed", "method", "replaced"), cluster.written()) == ([True, "patch", []], [])
    cluster.refuse = lambda request: None
    second = roll_out(cluster, state="restarted")
    assert (facts(second, "changed", "method"), second["replaced"]) == ([True, "patch"], [])
    assert annotations_of(cluster.live) == {}


def test_a_set_without_a_hash_can_be_restarted() -> None:
    cluster, _controller = controlled(3)
    cluster.put(SETS, changed(cluster.live, "spec.template.metadata.labels", {"app": "web"}))
    made = roll_out(cluster, state="restarted")
    assert facts(made, "failed", "method") == [None, "patch"]
    assert hashes(cluster) == {present(cluster)[1]}


def test_a_restart_in_check_mode_writes_nothing() -> None:
    cluster, _controller = controlled(3)
    made = roll_out(cluster, 2, check_mode=True, state="restarted")
    assert facts(made, "changed", "method", "batches") == [True, "patch", [["web2", "web1"], ["web0"]]]
    assert made["revision"] == 1
    assert {is_dry for _method, _path, is_dry in cluster.written()} == {True}
    assert (present(cluster), sorted(cluster.names())) == (("2Gi", hash_in("2Gi")), ALL)


def test_going_back_brings_the_template_before_with_its_hash() -> None:
    cluster = with_history("1Gi", "2Gi")
    made = roll_out(cluster, state="rolled_back")
    assert facts(made, "changed", "method", "revision", "rolled_back_from", "failed") == [True, "patch", 3, 2, None]
    assert sorted(made["replaced"]) == ALL
    assert (present(cluster), hashes(cluster)) == (("1Gi", hash_in("1Gi")), {hash_in("1Gi")})
    assert kept(cluster) == {2: "2Gi", 3: "1Gi"}
    assert json.loads(annotations_of(cluster.live)[ROLLED_BACK]) == {"from": hash_in("2Gi"), "to": hash_in("1Gi")}
    again = roll_out(cluster, state="rolled_back")
    assert facts(again, "changed", "method", "replaced", "rolled_back_from", "revision") == [False, None, [], 2, 3]
    assert cluster.written() == []


def test_the_vmis_that_ran_it_before_are_not_outdated_whatever_their_hash() -> None:
    # It was made of a manifest, and the template has been written in another way since.
    cluster = with_history("1Gi", "2Gi")
    for live in (cluster.lists[REVISIONS][0], cluster.lists[INSTANCES][0]):
        live["metadata"]["labels"][HASH] = "of-the-manifest"
    made = roll_out(cluster, state="rolled_back")
    assert sorted(made["replaced"]) == ["web1", "web2"]
    assert hashes(cluster) == {"of-the-manifest"}


def test_it_can_be_gone_to_any_revision_by_any_number_it_had() -> None:
    cluster = with_history("1Gi", "3Gi", "2Gi")
    assert facts(roll_out(cluster, state="rolled_back", revision=1), "revision", "rolled_back_from") == [4, 3]
    assert roll_out(cluster, state="rolled_back", revision=1)["changed"] is False
    assert roll_out(cluster, state="rolled_back", revision=4)["changed"] is False
    made = roll_out(cluster, state="rolled_back", revision=3)
    assert facts(made, "revision", "rolled_back_from") == [5, 4]
    assert present(cluster)[0] == "2Gi"
    unknown = roll_out(cluster, state="rolled_back", revision=9)
    assert f'{WEB} has no revision 9: "revision" must be one of those that are kept (2, 4, 5).' == unknown["msg"]
    assert cluster.written() == []


def test_what_was_never_recorded_is_before_it_is_left() -> None:
    cluster = with_history("1Gi")
    made = roll_out(cluster, state="rolled_back")
    assert facts(made, "revision", "rolled_back_from") == [3, 2]
    assert kept(cluster) == {2: "2Gi", 3: "1Gi"}
    cluster = with_history()
    none = roll_out(cluster, state="rolled_back")
    assert none["msg"].startswith(f"{WEB} has no revision before the present one to go back to (kept: none)")
    assert cluster.written() == []


def test_a_roll_back_that_was_ended_goes_on_and_no_further_back() -> None:
    cluster = with_history("3Gi", "1Gi", "2Gi")
    cluster.refuse = failing(lambda request: request.method == "POST")
    first = roll_out(cluster, state="rolled_back")
    assert facts(first, "failed", "changed", "method", "replaced") == [True, True, "patch", []]
    cluster.refuse = lambda request: None
    second = roll_out(cluster, state="rolled_back")
    assert facts(second, "changed", "method", "rolled_back_from", "revision") == [True, "delete", 3, 4]
    assert (present(cluster)[0], sorted(second["replaced"])) == ("1Gi", ALL)


def test_going_back_from_a_broken_rollout_replaces_what_it_has_done_and_nothing_else() -> None:
    cluster = with_history("1Gi", "2Gi", outdated=2)
    made = roll_out(cluster, state="rolled_back")
    assert made["replaced"] == ["web2"]
    assert hashes(cluster) == {hash_in("1Gi")}


def test_going_back_in_check_mode_says_where_to() -> None:
    cluster = with_history("1Gi", "2Gi")
    made = roll_out(cluster, 2, check_mode=True, state="rolled_back")
    assert facts(made, "changed", "method", "revision", "rolled_back_from") == [True, "patch", 3, 2]
    assert made["batches"] == [["web2", "web1"], ["web0"]]
    assert {is_dry for _method, _path, is_dry in cluster.written()} == {True}
    assert (kept(cluster), present(cluster)[0]) == ({1: "1Gi", 2: "2Gi"}, "2Gi")


def test_the_revisions_that_vmis_run_are_not_forgotten_on_the_way() -> None:
    # One VMI still runs a template that is two back.
    cluster = with_history("1Gi", "3Gi", "2Gi", outdated=1)
    roll_out(cluster, state="rolled_back", revision_history_limit=1)
    assert present(cluster)[0] == "3Gi"
    assert 1 in kept(cluster)


@pytest.mark.parametrize("state", ["restarted", "rolled_back"])
@pytest.mark.parametrize("missing", [f"delete {VMIS}", "list poddisruptionbudgets", f"patch {SET}"])
def test_a_right_that_is_missing_is_said_before_anything_is_written(state: str, missing: str) -> None:
    cluster = with_history("1Gi", "2Gi")
    cluster.refuse = forbid(missing)
    made = roll_out(cluster, state=state)
    verb, resource = missing.split()
    assert facts(made, "failed", "changed") == [True, False]
    assert f'User "jane" may not {verb} {resource}.' in made["msg"]
    assert (present(cluster)[0], deleted(cluster), kept(cluster)) == ("2Gi", [], {1: "1Gi", 2: "2Gi"})


def test_a_history_that_may_not_be_kept_is_told_and_one_that_may_not_be_read_is_needed_to_go_back() -> None:
    cluster = with_history("1Gi", "2Gi", outdated=1)
    cluster.refuse = forbid(f"create {HISTORY}", f"list {HISTORY}")
    made = roll_out(cluster)
    assert facts(made, "failed", "replaced", "revision") == [None, ["web0"], None]
    assert len(made["warnings"]) == 1
    assert f"may not list {HISTORY}.apps" in made["warnings"][0]
    assert f"may not list {HISTORY}.apps" in roll_out(cluster, state="rolled_back")["msg"]


def test_no_history_is_kept_where_none_is_wanted() -> None:
    cluster, _controller = controlled(3, outdated=1)
    assert facts(roll_out(cluster, revision_history_limit=0), "replaced", "revision") == [["web0"], None]
    assert HISTORY not in "".join(each.path for each in cluster.server.requests)


@pytest.mark.parametrize("state", ["restarted", "rolled_back"])
def test_whoever_writes_in_between_is_not_overruled(state: str) -> None:
    cluster = with_history("1Gi", "2Gi")
    written: list[str] = []

    def interfere(request: Request) -> Answer | None:
        if request.method == "PATCH" and not written:
            written.append("x")
            cluster.put(SETS, changed(cluster.live, "spec.template", template("4Gi")))
        return None

    cluster.refuse = interfere
    made = roll_out(cluster, state=state)
    assert facts(made, "failed", "changed") == [None, True]
    # The template is the one that somebody has written in between, or before that one.
    assert present(cluster)[0] == ("4Gi" if state == "restarted" else "2Gi")
    assert len(cluster.names()) == 3
    assert all(each["metadata"]["labels"][HASH] == present(cluster)[1] for each in cluster.lists[INSTANCES])
