# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Scale-ins with chosen victims that something goes wrong with: nothing stays paused in silence."""

from __future__ import annotations

import typing as t

import pytest

from unit.support.cluster import SETS
from unit.support.controlled import annotations_of, controlled, facts, failing, right
from unit.support.objects import changed
from unit.support.scaling import LEFT, PAUSE, RESUME, RESUMED, SET, choose, gone, interrupted, is_left, patches
from unit.support.server import Answer, Request, refusal


def test_a_pause_that_nobody_acknowledges_is_undone() -> None:
    cluster, controller = controlled(5)
    controller.is_down = True
    made = choose(cluster, 3, scale_in_order="oldest", wait_timeout=3)
    assert made["failed"] is True
    assert made["msg"].startswith("VirtualMachineInstanceReplicaSet default/web is not paused after 3 s: ")
    assert "virt-controller has not acknowledged that it is paused" in made["msg"]
    assert made["msg"].endswith(RESUMED)
    assert (is_left(cluster), len(cluster.names()), cluster.live["spec"]["replicas"]) == (None, 5, 5)
    assert cluster.written() == [*gone("web0", dry=True), PAUSE, RESUME]
    assert made["timeline"][0]["elapsed"] == 0


def test_a_pause_that_cannot_be_undone_is_said() -> None:
    cluster, controller = controlled(5)
    controller.is_down = True
    sent: list[str] = []

    def refuse(request: Request) -> Answer | None:
        sent.extend(["x"] if request.method == "PATCH" else [])
        return refusal(422, "Invalid", "no") if len(sent) > 1 else None

    cluster.refuse = refuse
    made = choose(cluster, 3, scale_in_order="oldest", wait_timeout=2)
    assert made["msg"].endswith(LEFT)
    assert is_left(cluster) == {"replicas": 3, "remove": ["web0", "web1"], "resume": True}


def test_a_set_that_was_paused_before_is_as_it_was() -> None:
    cluster, controller = controlled(5)
    cluster.put(SETS, changed(cluster.live, "spec.paused", True))
    controller.is_down = True
    assert choose(cluster, 3, scale_in_order="oldest", wait_timeout=2)["msg"].endswith("The set is as it was.")
    assert (cluster.live["spec"]["paused"], annotations_of(cluster.live)) == (True, {})


def only(name: str, *, dry: bool = False) -> t.Callable[[Request], bool]:
    """Return what tells the deletion of one VMI."""
    return lambda request: request.method == "DELETE" and request.path.endswith(f"/{name}") and ("dryRun" in request.body) is dry


def test_a_deletion_that_fails_undoes_the_pause_if_it_is_the_first() -> None:
    cluster, _controller = controlled(5)
    cluster.refuse = failing(only("web0"))
    made = choose(cluster, 3, scale_in_order="oldest")
    assert made["msg"].endswith(f"no leader. {RESUMED}")
    assert (is_left(cluster), len(cluster.names())) == (None, 5)
    cluster.refuse = failing(only("web1"))
    made = choose(cluster, 3, scale_in_order="oldest")
    assert made["msg"].endswith(f"no leader. {LEFT}")
    assert facts(made, "failed", "changed", "removed", "method") == [True, True, ["web0"], "patch"]
    assert made["timeline"]
    assert is_left(cluster) == {"replicas": 3, "remove": ["web0", "web1"], "resume": True}
    assert cluster.names() == ["web1", "web2", "web3", "web4"]
    cluster.refuse = lambda request: None
    assert choose(cluster, 3, scale_in_order="oldest")["removed"] == ["web1"]
    assert (is_left(cluster), cluster.names()) == (None, ["web2", "web3", "web4"])


def test_what_an_earlier_run_has_deleted_is_not_made_up_for() -> None:
    cluster = interrupted({"replicas": 3, "remove": ["web0", "web1"]}, 4)
    cluster.refuse = failing(only("web1"))
    made = choose(cluster, remove=["web0", "web1"])
    assert made["msg"].endswith(LEFT)
    assert is_left(cluster) == {"replicas": 3, "remove": ["web1"], "resume": True}
    cluster.refuse = lambda request: None
    choose(cluster, remove=["web0", "web1"])
    assert (is_left(cluster), cluster.names()) == (None, ["web2", "web3", "web4"])


def test_nothing_is_resumed_before_those_that_went_are_counted_out() -> None:
    cluster, controller = controlled(5)

    def stop(request: Request) -> Answer | None:
        controller.is_down = controller.is_down or only("web1")(request)
        return None

    cluster.refuse = stop
    made = choose(cluster, 3, scale_in_order="oldest", wait_timeout=3)
    assert "has not counted its VMIs after 3 s: " in made["msg"]
    assert "virt-controller counts 4 VMIs, and there are 3" in made["msg"]
    assert made["msg"].endswith(LEFT)
    assert facts(made, "changed", "removed") == [True, ["web0", "web1"]]
    assert is_left(cluster) is not None


def test_the_last_write_that_fails_leaves_it_to_the_next_run() -> None:
    cluster, _controller = controlled(5)
    cluster.refuse = lambda request: refusal(422, "Invalid", "no") if len(cluster.names()) == 3 and request.method == "PATCH" else None
    made = choose(cluster, 3, scale_in_order="oldest")
    assert made["msg"].endswith(LEFT)
    assert facts(made, "changed", "removed", "method") == [True, ["web0", "web1"], "patch"]
    cluster.refuse = lambda request: None
    assert facts(choose(cluster, 3, scale_in_order="oldest"), "changed", "removed") == [True, []]
    assert is_left(cluster) is None


@pytest.mark.parametrize("moment", ["paused", "deleted"])
def test_whoever_resumes_the_set_meanwhile_is_not_overruled(moment: str) -> None:
    cluster, _controller = controlled(5)

    def resume(request: Request) -> Answer | None:
        is_paused = cluster.live["spec"].get("paused")
        if (is_paused and request.query.get("watch") and moment == "paused") or (
            len(cluster.names()) == 3 and right(request) == ("get", SET)
        ):
            cluster.put(SETS, changed(cluster.live, "spec.paused", None))
        return None

    cluster.refuse = resume
    made = choose(cluster, 3, scale_in_order="oldest")
    assert made["msg"] == (
        "VirtualMachineInstanceReplicaSet default/web has been resumed or scaled by somebody else meanwhile: run one task at a time."
    )
    assert facts(made, "changed", "method", "removed") == [True, "patch", [] if moment == "paused" else ["web0", "web1"]]
    assert (len(patches(cluster)), cluster.live["spec"]["replicas"]) == (1, 5)


def test_a_conflict_at_the_end_is_none_of_the_job() -> None:
    cluster, _controller = controlled(5)
    written: list[str] = []

    def interfere(request: Request) -> Answer | None:
        if request.method == "PATCH" and len(cluster.names()) == 3 and len(written) < 2:
            written.append("x")
            cluster.put(SETS, changed(cluster.live, "spec.replicas", 8))
        return None

    cluster.refuse = interfere
    made = choose(cluster, 3, scale_in_order="oldest")
    assert facts(made, "failed", "removed") == [None, ["web0", "web1"]]
    assert (is_left(cluster), len(patches(cluster)), cluster.names()) == (None, 4, ["web2", "web3", "web4"])


def test_a_conflict_before_the_pause_is_decided_anew() -> None:
    cluster, _controller = controlled(5)
    written: list[str] = []

    def interfere(request: Request) -> Answer | None:
        if request.method == "PATCH" and not written:
            written.append("x")
            cluster.put(SETS, changed(cluster.live, "metadata.labels", {"team": "a"}))
        return None

    cluster.refuse = interfere
    made = choose(cluster, 3, scale_in_order="oldest")
    assert facts(made, "changed", "removed", "failed") == [True, ["web0", "web1"], None]
    assert is_left(cluster) is None
    assert [right(each)[0] for each in cluster.server.requests].count("patch") == 3
