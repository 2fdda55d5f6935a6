# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The history of a template: what is recorded, numbered anew and forgotten."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.vmscale.kubevirt.plugins.module_utils._api import Api
from ansible_collections.vmscale.kubevirt.plugins.module_utils._connection import resolve
from ansible_collections.vmscale.kubevirt.plugins.module_utils._errors import ApiError
from ansible_collections.vmscale.kubevirt.plugins.module_utils._history import History
from unit.support.cluster import REVISIONS, Cluster
from unit.support.controlled import failing, forbid
from unit.support.objects import changed
from unit.support.server import Answer, Request, listening, refusal
from unit.support.templates import hash_in, recorded, set_of


@pytest.fixture
def cluster() -> Cluster:
    """A cluster without revisions."""
    return Cluster()


def keep(cluster: Cluster, *memories: str, limit: int = 10, dry_run: bool = False, in_use: t.Sequence[str] | None = ()) -> History:
    """Record templates one after the other, each by a task of its own; return the history of the last."""
    history = None
    cluster.server.requests.clear()
    with listening(cluster.server) as address:
        for memory in memories:
            history = _history(cluster, address, limit, dry_run)
            history.record(set_of(memory), None if in_use is None else [hash_in(each) for each in in_use])
    assert history is not None
    return history


def _history(cluster: Cluster, address: str, limit: int = 10, dry_run: bool = False) -> History:
    api = Api(resolve({"host": address, "api_key": "t"}, {}), cluster.clock)
    return History(api, cluster.clock, "default", limit, dry_run)


def numbers(cluster: Cluster) -> dict[int, str]:
    """Return the number and the memory of each revision that is kept."""
    return {
        each["revision"]: each["data"]["spec"]["template"]["spec"]["domain"]["memory"]["guest"]
        for each in sorted(cluster.lists[REVISIONS], key=lambda each: int(each["revision"]))
    }


def test_each_template_is_recorded_once(cluster: Cluster) -> None:
    history = keep(cluster, "1Gi", "2Gi", "2Gi")
    assert numbers(cluster) == {1: "1Gi", 2: "2Gi"}
    assert [history.number_of(hash_in(memory)) for memory in ("1Gi", "2Gi", "3Gi")] == [1, 2, None]
    assert [each.method for each in cluster.server.requests] == ["GET", "POST", "GET", "POST", "GET"]
    assert cluster.server.requests[0].query == {"labelSelector": "vmscale.kubevirt/replica-set-uid=2d460f6f-a128-4ccc-a4b5-73205bd75492"}
    assert history.warnings == []


def test_one_that_becomes_the_present_one_again_gets_the_next_number(cluster: Cluster) -> None:
    keep(cluster, "1Gi", "2Gi", "1Gi")
    assert numbers(cluster) == {2: "2Gi", 3: "1Gi"}
    history = keep(cluster, "2Gi", "1Gi")
    assert numbers(cluster) == {4: "2Gi", 5: "1Gi"}
    assert history.number_of(hash_in("1Gi")) == 5
    (latest,) = [each for each in cluster.lists[REVISIONS] if each["revision"] == 5]
    assert latest["metadata"]["annotations"] == {"vmscale.kubevirt/revisions": "1,3"}


def test_what_a_run_has_left_behind_is_cleared_away(cluster: Cluster) -> None:
    # Ended between creating the new one and deleting the old.
    cluster.lists[REVISIONS] = [recorded("1Gi", 1), recorded("2Gi", 2), recorded("1Gi", 3, [1])]
    keep(cluster, "1Gi")
    assert numbers(cluster) == {2: "2Gi", 3: "1Gi"}


@pytest.mark.parametrize(
    ("limit", "in_use", "kept"),
    [
        (10, [], [1, 2, 3, 4, 5]),
        (4, [], [1, 2, 3, 4, 5]),
        (3, [], [2, 3, 4, 5]),
        (1, [], [4, 5]),
        # Those that VMIs run stay, and do not count.
        (1, ["1Gi"], [1, 4, 5]),
        (1, ["4Gi"], [3, 4, 5]),
        (2, ["1Gi", "3Gi"], [1, 2, 3, 4, 5]),
        # Where it is not known what they run, nothing is forgotten.
        (1, None, [1, 2, 3, 4, 5]),
    ],
)
def test_older_ones_are_forgotten_beyond_the_limit(cluster: Cluster, limit: int, in_use: list[str] | None, kept: list[int]) -> None:
    cluster.lists[REVISIONS] = [recorded(f"{number}Gi", number) for number in (3, 1, 4, 2)]
    keep(cluster, "5Gi", limit=limit, in_use=in_use)
    assert [*numbers(cluster)] == kept
    deletions = [each for each in cluster.server.requests if each.method == "DELETE"]
    assert all(each.body["preconditions"]["uid"] == f"uid-of-{each.path[-1]}" for each in deletions)


def test_without_a_limit_nothing_is_recorded_or_asked(cluster: Cluster) -> None:
    history = keep(cluster, "1Gi", limit=0)
    assert (cluster.server.requests, cluster.lists[REVISIONS], history.number_of(hash_in("1Gi"))) == ([], [], None)


def test_a_dry_run_keeps_nothing_and_counts_as_if_it_did(cluster: Cluster) -> None:
    cluster.lists[REVISIONS] = [recorded("1Gi", 1)]
    with listening(cluster.server) as address:
        history = _history(cluster, address, limit=1, dry_run=True)
        for memory in ("2Gi", "3Gi", "3Gi"):
            history.record(set_of(memory), [])
    assert [history.number_of(hash_in(memory)) for memory in ("1Gi", "2Gi", "3Gi")] == [1, 2, 3]
    assert numbers(cluster) == {1: "1Gi"}
    assert {is_dry for _method, _path, is_dry in cluster.written()} == {True}
    assert [method for method, _path, _is_dry in cluster.written()].count("POST") == 2


@pytest.mark.parametrize("right", ["list controllerrevisions", "create controllerrevisions"])
def test_who_may_not_keep_a_history_is_told_and_goes_on(cluster: Cluster, right: str) -> None:
    cluster.refuse = forbid(right)
    with listening(cluster.server) as address:
        history = _history(cluster, address)
        history.record(set_of("1Gi"))
        history.record(set_of("1Gi"))
    verb = right.partition(" ")[0]
    assert history.warnings == [
        "The template is not recorded, so nothing can be rolled back to it: "
        f'User "jane" may not {verb} controllerrevisions.apps in namespace "default": a Role or ClusterRole must grant the verb "{verb}" on '
        "controllerrevisions.apps."
    ]


def test_who_may_not_delete_keeps_what_is_recorded(cluster: Cluster) -> None:
    cluster.refuse = forbid("delete controllerrevisions")
    history = keep(cluster, "1Gi", "2Gi", "3Gi", limit=1)
    assert numbers(cluster) == {1: "1Gi", 2: "2Gi", 3: "3Gi"}
    assert history.warnings[0].startswith('Older revisions are kept beyond the limit: User "jane" may not delete controllerrevisions.apps')


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_every_other_refusal_is_a_failure(cluster: Cluster, method: str) -> None:
    cluster.lists[REVISIONS] = [recorded("1Gi", 1), recorded("2Gi", 2)]
    for answer in (refusal(422, "Invalid", "no"), refusal(403, "Forbidden", "exceeded quota: q")):
        cluster.refuse = failing(lambda request: request.method == method, answer)
        with pytest.raises(ApiError):
            keep(cluster, "3Gi", limit=1)


def test_a_number_that_somebody_takes_meanwhile_is_not_given_twice(cluster: Cluster) -> None:
    cluster.lists[REVISIONS] = [recorded("1Gi", 1)]

    def take(request: Request) -> Answer | None:
        if request.method == "POST" and len(cluster.lists[REVISIONS]) == 1:
            cluster.lists[REVISIONS].append(recorded("4Gi", 2))
        return None

    cluster.refuse = take
    history = keep(cluster, "2Gi")
    assert numbers(cluster) == {1: "1Gi", 2: "4Gi", 3: "2Gi"}
    assert history.number_of(hash_in("2Gi")) == 3


def test_revisions_are_read_in_order_and_the_later_number_of_a_hash_counts(cluster: Cluster) -> None:
    strange = changed(recorded("9Gi", 9), "metadata.labels", {"vmscale.kubevirt/replica-set-uid": "another"})
    cluster.lists[REVISIONS] = [recorded("1Gi", 5, [1]), strange, recorded("2Gi", 2), recorded("1Gi", 1)]
    with listening(cluster.server) as address:
        history = _history(cluster, address)
        found = history.read(set_of("1Gi"))
    assert [each.number for each in found] == [1, 2, 5]
    assert history.number_of(hash_in("1Gi")) == 5
