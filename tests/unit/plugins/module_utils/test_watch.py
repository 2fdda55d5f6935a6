# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Watching: listed once, then followed, whatever happens to the connection."""

from __future__ import annotations

import time
import typing as t
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from ansible_collections.vmscale.kubevirt.plugins.module_utils import _watch
from ansible_collections.vmscale.kubevirt.plugins.module_utils._api import Api, Listing
from ansible_collections.vmscale.kubevirt.plugins.module_utils._clock import Deadline, SystemClock
from ansible_collections.vmscale.kubevirt.plugins.module_utils._connection import resolve
from ansible_collections.vmscale.kubevirt.plugins.module_utils._errors import ApiError
from ansible_collections.vmscale.kubevirt.plugins.module_utils._resources import INSTANCES, PODS, name_of
from ansible_collections.vmscale.kubevirt.plugins.module_utils._situation import Finished
from ansible_collections.vmscale.kubevirt.plugins.module_utils._source import Change, Source
from ansible_collections.vmscale.kubevirt.plugins.module_utils._wait_replica_set import finished_in
from ansible_collections.vmscale.kubevirt.plugins.module_utils._watch import Watch
from unit.support.server import Answer, Request, Script, Server, Stream, event, listening, refusal

VMIS = Source("vmis", INSTANCES, "default", "app=web")
EVIDENCE = Source("pods", PODS, "default", is_evidence=True)
QUIET = Stream([])


def vmi(name: str, version: int = 1) -> dict[str, t.Any]:
    """Return a VMI of which only the name and the version matter."""
    return {"metadata": {"name": name, "uid": f"uid-{name}", "resourceVersion": str(version)}}


def listed(*objects: t.Any, version: int = 10) -> Answer:
    """Return the answer to a LIST."""
    return Answer(200, {"metadata": {"resourceVersion": str(version)}, "items": list(objects)})


def told(*lines: bytes, is_cut: bool = False) -> Stream:
    """Return a watch that tells and ends."""
    return Stream(lines, is_cut)


def held(*lines: bytes, pause: float = 0.0) -> Stream:
    """Return a watch that tells, with so many seconds after each line, and stays open."""

    def tell() -> Iterator[bytes]:
        for line in lines:
            yield line
            time.sleep(pause)
        time.sleep(5)

    return Stream(tell())


class Scene:
    """A watch of a scripted server."""

    def __init__(self, server: Server, api: Api, watch: Watch) -> None:
        self.server = server
        self.api = api
        self.watch = watch
        self.changes: list[Change] = []

    def until(self, is_enough: Callable[[Scene], bool], seconds: float = 5) -> Scene:
        """Take what comes until it is enough."""
        end = time.monotonic() + seconds
        while not is_enough(self):
            assert time.monotonic() < end, (self.names, self.api.retries, [each.query for each in self.server.requests])
            self.changes += self.watch.take(0.05)
        return self

    @property
    def names(self) -> list[str]:
        return sorted(name_of(live) for live in self.watch.objects("vmis"))

    @property
    def versions(self) -> list[str | None]:
        """Which version each watch began from; a LIST counts as LIST."""
        return [each.query.get("resourceVersion", "") if "watch" in each.query else "LIST" for each in self.server.requests]


@contextmanager
def watching(*script: Script | Callable[[Request], Script], source: Source = VMIS, known: Listing | None = None) -> Iterator[Scene]:
    """Watch a source of a server that answers by the script."""
    server = Server(*script)
    with listening(server) as address:
        api = Api(resolve({"host": address, "api_key": "t"}, {}))
        deadline = Deadline.after(SystemClock(), 60)
        with Watch(api, SystemClock(), deadline) as watch:
            watch.follow(source, known)
            yield Scene(server, api, watch)


def test_it_lists_once_and_follows_from_there() -> None:
    lines = [event("ADDED", vmi("b", 11)), event("MODIFIED", vmi("a", 12)), event("DELETED", vmi("b", 13))]
    with watching(listed(vmi("a")), held(*lines)) as scene:
        was_complete = scene.watch.is_complete
        scene.until(lambda it: len(it.changes) == 4)
        assert (was_complete, scene.watch.is_complete) == (False, True)
        assert scene.names == ["a"]
    first, second = scene.server.requests
    assert first.query == {"labelSelector": "app=web"}
    assert second.query["resourceVersion"] == "10"
    assert (second.query["labelSelector"], second.query["allowWatchBookmarks"]) == ("app=web", "true")
    assert 60 < int(second.query["timeoutSeconds"]) <= 71
    steps = [tuple(side and side["metadata"]["resourceVersion"] for side in (each.before, each.after)) for each in scene.changes]
    assert steps == [(None, "1"), (None, "11"), ("1", "12"), ("11", None)]


def test_what_is_known_is_not_listed() -> None:
    with watching(held(event("MODIFIED", vmi("a", 12))), known=Listing((vmi("a"),), "7")) as scene:
        assert (scene.watch.is_complete, scene.names) == (True, ["a"])
        scene.until(lambda it: bool(it.changes))
    assert scene.versions == ["7"]
    assert scene.api.retries == []


def test_news_that_come_soon_after_one_another_can_be_taken_together() -> None:
    lines = [event("MODIFIED", vmi("a", version)) for version in (12, 13)]
    with watching(held(*lines, pause=0.05), known=Listing((vmi("a"),), "7")) as scene:
        while not (changes := scene.watch.take(1, gather=0.5)):
            pass
    assert [each.after and each.after["metadata"]["resourceVersion"] for each in changes] == ["12", "13"]


def test_evidence_is_one_request_and_never_in_the_way() -> None:
    with watching(held(event("ADDED", vmi("p", 5))), source=EVIDENCE) as scene:
        assert scene.watch.is_complete
        scene.until(lambda it: len(it.watch.objects("pods")) == 1)
    assert scene.versions == [""]


@pytest.mark.parametrize("status", [403, 404])
def test_evidence_that_may_not_be_had_is_done_without(status: int) -> None:
    with watching(refusal(status, "Forbidden", "no"), source=EVIDENCE) as scene:
        time.sleep(0.3)
        assert scene.watch.take(0.1) == []
    assert len(scene.server.requests) == 1


def test_a_watch_that_ends_in_good_order_goes_on_without_a_word() -> None:
    def last(_request: Request) -> Stream:
        time.sleep(1.1)
        return held(event("ADDED", vmi("c", 21)))

    def slow() -> Iterator[bytes]:
        yield event("ADDED", vmi("b", 20))
        time.sleep(1.1)

    with watching(listed(vmi("a")), Stream(slow()), last) as scene:
        scene.until(lambda it: it.names == ["a", "b", "c"])
        assert scene.watch.trouble is None
    assert scene.versions == ["LIST", "10", "20"]
    assert scene.api.retries == []


def test_a_bookmark_moves_the_place_to_resume_from() -> None:
    bookmark = event("BOOKMARK", {"metadata": {"resourceVersion": "99"}})
    with watching(listed(), told(bookmark, is_cut=True), held(event("ADDED", vmi("b", 100)))) as scene:
        scene.until(lambda it: it.names == ["b"])
    assert scene.versions == ["LIST", "10", "99"]


def test_a_connection_that_breaks_is_resumed_where_it_was() -> None:
    with watching(listed(vmi("a")), told(event("ADDED", vmi("b", 30)), is_cut=True), held(event("ADDED", vmi("c", 31)))) as scene:
        scene.until(lambda it: it.names == ["a", "b", "c"])
    assert scene.versions == ["LIST", "10", "30"]
    assert scene.api.retries == [f"WATCH {INSTANCES.path('default')}: the connection was closed"]


@pytest.mark.parametrize("how", ["as an event", "as an answer"])
def test_410_gone_lists_anew_and_tells_what_has_gone_meanwhile(how: str) -> None:
    gone = {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old resource version"}
    answer = told(event("ERROR", gone)) if how == "as an event" else refusal(410, "Expired", "too old resource version")
    with watching(listed(vmi("a"), vmi("b")), answer, listed(vmi("b", 40), vmi("c", 41), version=50), held()) as scene:
        scene.until(lambda it: it.names == ["b", "c"])
        scene.until(lambda it: len(it.server.requests) == 4)
    assert scene.versions == ["LIST", "10", "LIST", "50"]
    assert [name_of(each.before) for each in scene.changes if each.before and each.after is None] == ["a"]
    assert scene.api.retries == [f"WATCH {INSTANCES.path('default')}: 410 Gone"]


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_server_that_is_overloaded_is_asked_again(status: int) -> None:
    with watching(refusal(status), listed(vmi("a")), refusal(status), held(event("ADDED", vmi("b")))) as scene:
        scene.until(lambda it: it.names == ["a", "b"])
    assert scene.versions == ["LIST", "LIST", "10", "10"]
    assert scene.api.retries == [f"WATCH {INSTANCES.path('default')}: HTTP {status}"] * 2


def test_retry_after_is_honoured() -> None:
    busy = Answer(429, {"kind": "Status"}, {"Retry-After": "1"})
    with watching(listed(), busy, held(event("ADDED", vmi("a")))) as scene:
        began = time.monotonic()
        scene.until(lambda it: it.names == ["a"])
        assert time.monotonic() - began >= 0.95


def test_an_api_server_that_comes_up_again_is_not_believed_at_once() -> None:
    with watching(listed(vmi("a")), told(is_cut=True), refusal(403, "Forbidden"), refusal(404), held(event("ADDED", vmi("b")))) as scene:
        scene.until(lambda it: it.names == ["a", "b"])
    assert scene.api.retries[1:] == [f"WATCH {INSTANCES.path('default')}: HTTP {status}" for status in (403, 404)]


def test_what_is_refused_for_good_ends_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    with watching(refusal(403, "Forbidden", 'User "u" cannot list resource "x"')) as scene, pytest.raises(ApiError, match="may not list"):
        scene.until(lambda it: False, seconds=3)
    monkeypatch.setattr(_watch, "BELIEVED_AFTER_SECONDS", 0.2)
    with watching(listed(), told(is_cut=True), refusal(403)) as scene, pytest.raises(ApiError):
        scene.until(lambda it: False, seconds=5)


def test_what_many_share_and_is_refused_leaves_the_others_alone() -> None:
    shared = Source("sets", INSTANCES, "default", is_shared=True)
    with watching(refusal(403, "Forbidden", 'User "u" cannot list resource "x"'), source=shared) as scene:
        scene.until(lambda it: it.watch.refusal("sets") is not None)
        refusal_told = scene.watch.refusal("sets")
        assert isinstance(refusal_told, ApiError)
        assert "may not list" in refusal_told.message
        assert (scene.watch.is_complete, scene.watch.trouble, scene.watch.refusal("vmis")) == (True, None, None)


def test_who_may_list_and_not_watch_gets_by(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_watch, "POLL_SECONDS", 0.1)
    with watching(listed(vmi("a")), refusal(403, "Forbidden"), listed(vmi("a")), listed(vmi("b"))) as scene:
        scene.until(lambda it: it.names == ["b"])
    assert scene.versions[:4] == ["LIST", "10", "LIST", "LIST"]
    assert scene.api.retries == [f"POLL {INSTANCES.qualified}"]


def test_a_server_that_is_silent_is_told_of_until_it_answers() -> None:
    busy = Answer(503, {"kind": "Status"}, {"Retry-After": "1"})
    with watching(listed(), busy, held(event("ADDED", vmi("a")))) as scene:
        scene.until(lambda it: it.watch.trouble is not None)
        assert scene.watch.trouble is not None
        assert scene.watch.trouble.say() == "the API server has not answered for 0 s (HTTP 503)"
        scene.until(lambda it: it.names == ["a"])
        assert scene.watch.trouble is None


def test_a_source_that_changes_is_followed_anew() -> None:
    def answer(request: Request) -> Script:
        chosen = request.query["labelSelector"].partition("=")[2]
        return held(event("ADDED", vmi(f"{chosen}-late", 99))) if request.query.get("watch") else listed(vmi(chosen))

    with watching(answer) as scene:
        scene.until(lambda it: it.names == ["web", "web-late"])
        scene.watch.follow(VMIS)
        assert scene.names == ["web", "web-late"]
        scene.watch.follow(Source("vmis", INSTANCES, "default", "app=other"))
        assert (scene.watch.is_complete, scene.names) == (False, [])
        scene.until(lambda it: it.names == ["other", "other-late"])
    assert len(scene.server.requests) == 4


def test_a_watch_is_over_at_once_when_it_is_closed() -> None:
    with watching(listed(), held()) as scene:
        scene.until(lambda it: len(it.server.requests) == 2)
        time.sleep(0.1)
        (feed,) = scene.watch._feeds.values()
    feed.join(1)
    assert not feed.is_alive()


def test_an_answer_that_is_no_watch_is_a_trouble_and_not_an_end() -> None:
    with watching(listed(), told(b"<html>\n"), held(event("ADDED", vmi("a")))) as scene:
        scene.until(lambda it: it.names == ["a"])
    assert len(scene.api.retries) == 1


def test_what_a_former_source_still_has_to_tell_is_not_heard() -> None:
    with watching(lambda request: held() if request.query.get("watch") else listed()) as scene:
        scene.until(lambda it: it.watch.is_complete)
        (former,) = scene.watch._feeds.values()
        scene.watch.follow(Source("vmis", INSTANCES, "default", "app=other"))
        scene.until(lambda it: it.watch.is_complete)
        former._tell(vmi("late"))
        scene.watch.take(0.2)
        assert scene.names == []


def test_a_vmi_that_ends_by_itself_is_told_from_one_that_was_deleted() -> None:
    def at(phase: str, deleted: bool = False) -> dict[str, t.Any]:
        moments = {"creationTimestamp": "2026-11-25T12:00:00Z", **({"deletionTimestamp": "2026-11-25T12:00:05Z"} if deleted else {})}
        return {"metadata": {"name": "a", "uid": "u", **moments}, "status": {"phase": phase}}

    now = datetime(2026, 11, 25, 12, 0, 9, tzinfo=UTC)
    ended = Change("vmis", at("Running"), at("Failed"))
    others = [
        Change("vmis", at("Failed"), at("Failed")),
        Change("vmis", at("Running"), at("Running")),
        Change("vmis", at("Running", deleted=True), at("Succeeded", deleted=True)),
        Change("vmis", at("Failed"), None),
        Change("launchers", at("Running"), at("Failed")),
    ]
    assert finished_in([*others, ended], 7.5, now) == [Finished("a", "u", "Failed", 7.5, 9.0)]
