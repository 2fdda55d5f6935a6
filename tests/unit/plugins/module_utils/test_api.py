# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The client of the API server: what it sends, what it makes of the answers."""

from __future__ import annotations

import datetime
import typing as t

import pytest

from ansible_collections.vmscale.kubevirt.plugins.module_utils._api import Api
from ansible_collections.vmscale.kubevirt.plugins.module_utils._connection import Connection
from ansible_collections.vmscale.kubevirt.plugins.module_utils._errors import ApiError, ConnectionFailed, OptionError
from ansible_collections.vmscale.kubevirt.plugins.module_utils._resources import AUTOSCALERS, EVENTS, POD_METRICS, REPLICA_SETS, REVISIONS
from unit.support.clock import FakeClock
from unit.support.server import Answer, Request, Server, listening, refusal

SETS = "/apis/kubevirt.io/v1/namespaces/ns/virtualmachineinstancereplicasets"
MISSING = refusal(404, "NotFound", "not found", name="web", kind="virtualmachineinstancereplicasets")


def ask(question: t.Callable[[Api], t.Any], *script: t.Any, **connection: t.Any) -> tuple[t.Any, list[Request]]:
    """Return what the client makes of the answers, and what it sent."""
    server = Server(*script)
    with listening(server) as address:
        found = question(Api(Connection(server=address, **connection), FakeClock()))
    return found, server.requests


def test_an_object_is_read_from_its_path() -> None:
    found, requests = ask(lambda api: api.get(REPLICA_SETS, "ns", "web"), Answer(200, {"kind": "x"}))
    assert found == {"kind": "x"}
    assert [(each.method, each.path, each.query) for each in requests] == [("GET", f"{SETS}/web", {})]
    assert requests[0].header("User-Agent") == ["vmscale.kubevirt"]
    assert requests[0].header("Accept") == ["application/json"]
    assert requests[0].header("Authorization") == []


def test_names_are_quoted_in_paths() -> None:
    _, requests = ask(lambda api: api.get(REPLICA_SETS, "a/b", "c?d"))
    assert requests[0].path == "/apis/kubevirt.io/v1/namespaces/a%2Fb/virtualmachineinstancereplicasets/c%3Fd"


@pytest.mark.parametrize(
    ("resource", "path"),
    [
        (AUTOSCALERS, "/apis/autoscaling/v2/namespaces/ns/horizontalpodautoscalers"),
        (EVENTS, "/api/v1/namespaces/ns/events"),
        (POD_METRICS, "/apis/metrics.k8s.io/v1beta1/namespaces/ns/pods"),
    ],
)
def test_lists_are_chosen_by_selectors(resource: t.Any, path: str) -> None:
    answer = Answer(200, {"items": [{"a": 1}]})
    found, requests = ask(lambda api: api.list(resource, "ns", label_selector="a=b,!c", field_selector="x=y"), answer)
    # Items of a list do not say what they are.
    assert found == [{"apiVersion": resource.api_version, "kind": resource.kind, "a": 1}]
    assert (requests[0].path, requests[0].query) == (path, {"labelSelector": "a=b,!c", "fieldSelector": "x=y"})
    found, requests = ask(lambda api: api.list(resource, "ns"), Answer(200, {"items": None}))
    assert (found, requests[0].query) == ([], {})


def test_a_missing_object_is_none_and_every_other_refusal_an_error() -> None:
    assert ask(lambda api: api.find(REPLICA_SETS, "ns", "web"), MISSING)[0] is None
    for answer in (refusal(403, "Forbidden"), Answer(404, b"404 page not found\n"), refusal(404, kind="namespaces", name="ns")):
        with pytest.raises(ApiError):
            ask(lambda api: api.find(REPLICA_SETS, "ns", "web"), answer)
    with pytest.raises(ApiError) as caught:
        ask(lambda api: api.get(REPLICA_SETS, "ns", "web"), MISSING)
    assert caught.value.is_missing_object
    assert (caught.value.answer.status, caught.value.answer.reason, caught.value.answer.about_name) == (404, "NotFound", "web")


@pytest.mark.parametrize(("dry_run", "more"), [(False, {}), (True, {"dryRun": "All"})])
def test_an_object_is_applied_strictly_under_our_name(dry_run: bool, more: dict[str, str]) -> None:
    found, requests = ask(lambda api: api.apply(REPLICA_SETS, "ns", "web", {"spec": {"replicas": 3}}, dry_run), Answer(201, {"a": 1}))
    sent = requests[0]
    assert found == {"a": 1}
    assert (sent.method, sent.path, sent.body) == ("PATCH", f"{SETS}/web", {"spec": {"replicas": 3}})
    assert sent.query == {"fieldManager": "vmscale.kubevirt", "fieldValidation": "Strict", "force": "true", **more}
    assert sent.header("Content-Type") == ["application/apply-patch+yaml"]


@pytest.mark.parametrize(("dry_run", "more"), [(False, {}), (True, {"dryRun": "All"})])
@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ({"spec": {"paused": None}}, "application/merge-patch+json"),
        ([{"op": "replace", "path": "/spec/paused", "value": True}], "application/json-patch+json"),
    ],
)
def test_an_object_is_patched_by_a_mapping_or_by_steps(dry_run: bool, more: dict[str, str], body: t.Any, content_type: str) -> None:
    found, requests = ask(lambda api: api.patch(REPLICA_SETS, "ns", "web", body, dry_run), Answer(200, {"a": 1}))
    (sent,) = requests
    assert found == {"a": 1}
    assert (sent.method, sent.path, sent.body) == ("PATCH", f"{SETS}/web", body)
    assert sent.query == {"fieldManager": "vmscale.kubevirt", "fieldValidation": "Strict", **more}
    assert sent.header("Content-Type") == [content_type]


def test_a_subresource_is_read_and_patched_by_itself() -> None:
    def both(api: Api) -> t.Any:
        api.patch(REPLICA_SETS, "ns", "a b", {"spec": {"replicas": 3}}, False, subresource="scale")
        return api.get(REPLICA_SETS, "ns", "a b", subresource="scale"), api.find(REPLICA_SETS, "ns", "a b", subresource="scale")

    found, requests = ask(both, Answer(), Answer(200, {"kind": "Scale"}), MISSING)
    assert found == ({"kind": "Scale"}, None)
    assert [(each.method, each.path) for each in requests] == [(method, f"{SETS}/a%20b/scale") for method in ("PATCH", "GET", "GET")]
    with pytest.raises(ApiError) as caught:
        ask(lambda api: api.get(REPLICA_SETS, "ns", "web", subresource="scale"), refusal(500, "InternalError", "no replicas"))
    resource = "virtualmachineinstancereplicasets.kubevirt.io/scale"
    assert (caught.value.answer.subresource, caught.value.answer.resource) == ("scale", resource)
    assert f'to GET of {resource} "ns/web": no replicas' in caught.value.message


@pytest.mark.parametrize(("dry_run", "more"), [(False, {}), (True, {"dryRun": "All"})])
def test_an_object_is_created_in_its_collection(dry_run: bool, more: dict[str, str]) -> None:
    found, requests = ask(lambda api: api.create(REVISIONS, "ns", {"revision": 3}, dry_run), Answer(201, {"a": 1}))
    (sent,) = requests
    assert found == {"a": 1}
    assert (sent.method, sent.path) == ("POST", "/apis/apps/v1/namespaces/ns/controllerrevisions")
    assert sent.body == {"revision": 3}
    assert sent.query == {"fieldManager": "vmscale.kubevirt", "fieldValidation": "Strict", **more}
    assert sent.header("Content-Type") == ["application/json"]


def test_what_is_there_already_is_a_conflict() -> None:
    with pytest.raises(ApiError) as caught:
        ask(lambda api: api.create(REVISIONS, "ns", {}, False), refusal(409, "AlreadyExists", "it exists"))
    assert (caught.value.is_conflict, caught.value.is_forbidden) == (True, False)


@pytest.mark.parametrize("dry_run", [False, True])
def test_only_the_object_that_was_seen_is_deleted(dry_run: bool) -> None:
    _, requests = ask(lambda api: api.delete(REPLICA_SETS, "ns", "web", "uid-1", "Foreground", dry_run))
    sent = requests[0]
    assert (sent.method, sent.path) == ("DELETE", f"{SETS}/web")
    assert (sent.body["propagationPolicy"], sent.body["preconditions"]) == ("Foreground", {"uid": "uid-1"})
    # Where there is a body, an API server reads dryRun from there and nowhere else.
    assert sent.body.get("dryRun") == (["All"] if dry_run else None)


def test_an_object_that_has_gone_meanwhile_is_deleted() -> None:
    assert ask(lambda api: api.delete(REPLICA_SETS, "ns", "web", "u", "Background", False), MISSING)[0] is None
    with pytest.raises(ApiError):
        ask(lambda api: api.delete(REPLICA_SETS, "ns", "web", "u", "Background", False), refusal(409, "Conflict"))


@pytest.mark.parametrize(("status", "serves"), [(200, True), (404, False), (503, False)])
def test_whether_an_api_is_served(status: int, serves: bool) -> None:
    found, requests = ask(lambda api: api.serves(POD_METRICS), Answer(status))
    assert found is serves
    assert [each.path for each in requests] == ["/apis/metrics.k8s.io/v1beta1"]
    with pytest.raises(ApiError):
        ask(lambda api: api.serves(POD_METRICS), refusal(403))


def test_who_asks_is_said_in_headers() -> None:
    impersonation = (("Impersonate-User", "jane"), ("Impersonate-Group", "dev"), ("Impersonate-Group", "ops"))
    _, requests = ask(lambda api: api.get(REPLICA_SETS, "ns", "web"), authorization=lambda: "Bearer t", headers=impersonation)
    sent = requests[0]
    assert sent.header("Authorization") == ["Bearer t"]
    assert sent.header("Impersonate-User") == ["jane"]
    assert [group for value in sent.header("Impersonate-Group") for group in value.split(", ")] == ["dev", "ops"]


def test_credentials_are_asked_for_again_with_each_request() -> None:
    tokens = iter(["Bearer 1", "Bearer 2"])

    def twice(api: Api) -> None:
        api.get(REPLICA_SETS, "ns", "a")
        api.get(REPLICA_SETS, "ns", "b")

    _, requests = ask(twice, authorization=lambda: next(tokens))
    assert [each.header("Authorization") for each in requests] == [["Bearer 1"], ["Bearer 2"]]


def test_a_token_that_cannot_be_read_is_said() -> None:
    def unreadable() -> str:
        raise FileNotFoundError(2, "No such file or directory")

    with pytest.raises(OptionError, match=r"The token of the options cannot be read: No such file"):
        ask(lambda api: api.get(REPLICA_SETS, "ns", "web"), authorization=unreadable)


@pytest.mark.parametrize(
    ("date", "moment"),
    [
        ("Mon, 23 Nov 2026 20:41:30 GMT", datetime.datetime(2026, 11, 23, 20, 41, 30, tzinfo=datetime.UTC)),
        (None, None),
        ("garbage", None),
        ("Mon, 23 Nov 2026 20:41:30 -0000", None),
    ],
)
def test_the_time_of_the_server_is_kept(date: str | None, moment: datetime.datetime | None) -> None:
    def question(api: Api) -> t.Any:
        api.get(REPLICA_SETS, "ns", "web")
        return api.server_time

    assert ask(question, Answer(200, {}, {"Date": date} if date else {}))[0] == moment


def test_a_server_below_a_path_is_asked_below_that_path() -> None:
    server = Server()
    with listening(server) as address:
        Api(Connection(server=f"{address}/k8s/clusters/c-1"), FakeClock()).get(REPLICA_SETS, "ns", "web")
    assert server.requests[0].path == f"/k8s/clusters/c-1{SETS}/web"


@pytest.mark.parametrize("body", [b"<html>please log in</html>", b"", b"[1]", b'"text"'])
def test_an_answer_that_is_no_object_is_said(body: bytes) -> None:
    with pytest.raises(ConnectionFailed) as caught:
        ask(lambda api: api.get(REPLICA_SETS, "ns", "web"), Answer(200, body))
    assert "http://127.0.0.1:" in caught.value.message


@pytest.mark.parametrize("status", [301, 302, 307])
def test_redirections_are_not_followed(status: int) -> None:
    server = Server(Answer(status, {}, {"Location": "/elsewhere"}))
    with listening(server) as address, pytest.raises(ApiError, match=f"answered {status}"):
        Api(Connection(server=address, authorization=lambda: "Bearer t"), FakeClock()).get(REPLICA_SETS, "ns", "web")
    assert len(server.requests) == 1


@pytest.mark.parametrize("address", ["", "127.0.0.1:6443", "ftp://x", "https://", "/path"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(OptionError, match="is no address of an API server"):
        Api(Connection(server=address))


def test_one_connection_serves_all_requests() -> None:
    def often(api: Api) -> int:
        for _ in range(3):
            api.get(REPLICA_SETS, "ns", "web")
        return api.requests

    found, requests = ask(often)
    assert (found, len(requests)) == (3, 3)
    assert len({each.port for each in requests}) == 1
