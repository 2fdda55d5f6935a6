# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it can change at any time.

"""What the cluster tells while a task waits: every source listed once, then watched, whatever happens to the connection.

Each source is followed by a thread of its own, which lists, watches, resumes and lists again, and puts news into one inbox. The
task's own thread takes them from there, so what is seen is consistent and nobody polls.
"""

from __future__ import annotations

import queue
import threading
import time
import typing as t
from dataclasses import dataclass

from ansible_collections.vmscale.kubevirt.plugins.module_utils._api import RETRIED_STATUSES, Api, EventStream, Listing
from ansible_collections.vmscale.kubevirt.plugins.module_utils._clock import Clock, Deadline
from ansible_collections.vmscale.kubevirt.plugins.module_utils._errors import ApiError, ConnectionFailed, EngineError
from ansible_collections.vmscale.kubevirt.plugins.module_utils._resources import Object, metadata
from ansible_collections.vmscale.kubevirt.plugins.module_utils._source import Change, Source, Trouble

FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 1.0
# An API server that comes up again forbids, and knows no resources, for some seconds: it is believed only after these.
BELIEVED_AFTER_SECONDS = 15.0
# Who may list but not watch gets this.
POLL_SECONDS = 2.0
_GONE = 410
# How what a task went through begins where it is this.
POLLED = "POLL "


@dataclass(frozen=True)
class _News:
    """What a feed has to tell. With ``is_all``, ``objects`` are everything that there is."""

    feed: _Feed
    objects: tuple[Object, ...] = ()
    is_all: bool = False
    is_gone: bool = False
    trouble: str | None = None
    failure: EngineError | None = None


class Watch:
    """Follows sources until it is closed; use it in a ``with`` block, from one thread."""

    def __init__(self, api: Api, clock: Clock, deadline: Deadline) -> None:
        self._api = api
        self._clock = clock
        self._deadline = deadline
        self._inbox: queue.SimpleQueue[_News] = queue.SimpleQueue()
        self._feeds: dict[str, _Feed] = {}
        self._objects: dict[str, dict[str, Object] | None] = {}
        self._troubles: dict[str, tuple[float, str]] = {}
        self._refusals: dict[str, EngineError] = {}

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, *_error: object) -> None:
        for feed in self._feeds.values():
            feed.end()

    def follow(self, source: Source, known: Listing | None = None) -> None:
        """Follow a source under its key, from where it is ``known`` if that is so; one that is followed already goes on."""
        current = self._feeds.get(source.key)
        if current is not None:
            if current.source == source:
                return
            current.end()
            self._troubles.pop(source.key, None)
        self._objects[source.key] = None if known is None and not source.is_evidence else _by_uid(known.items if known else ())
        feed = _Feed(self._api, source, known.version if known else "", self._inbox, self._deadline)
        self._feeds[source.key] = feed
        feed.start()

    @property
    def is_complete(self) -> bool:
        """True once every source that is needed has been read."""
        return None not in self._objects.values()

    def follows(self, key: str) -> bool:
        """True for a source that is followed."""
        return key in self._feeds

    def objects(self, key: str) -> tuple[Object, ...]:
        """The present objects of a source; none of one that is not followed."""
        return tuple((self._objects.get(key) or {}).values())

    def refusal(self, key: str) -> EngineError | None:
        """Why a shared source cannot be followed, None where it can."""
        return self._refusals.get(key)

    @property
    def trouble(self) -> Trouble | None:
        """Why and for how long the API server has not told anything of some source, None while it does."""
        if not self._troubles:
            return None
        since, text = min(self._troubles.values())
        return Trouble(text, self._clock.now() - since)

    def take(self, seconds: float, gather: float = 0.0) -> list[Change]:
        """What has changed, as soon as anything has, after ``seconds`` at most. Raises ``EngineError`` of a source that is needed.

        With ``gather``, what comes within so many seconds of the first news comes with it.
        """
        changes: list[Change] = []
        news = self._clock.receive(self._inbox, seconds)
        if news is not None and gather:
            self._clock.sleep(min(gather, self._deadline.remaining))
        while news is not None:
            changes.extend(self._apply(news))
            try:
                news = self._inbox.get_nowait()
            except queue.Empty:
                news = None
        return changes

    def _apply(self, news: _News) -> list[Change]:
        key = news.feed.source.key
        if self._feeds[key] is not news.feed:
            return []
        if news.failure is not None:
            if not news.feed.source.is_shared:
                raise news.failure
            self._refusals[key] = news.failure
            self._objects[key] = self._objects.get(key) or {}
            self._troubles.pop(key, None)
            return []
        if news.trouble is not None:
            since = self._troubles[key][0] if key in self._troubles else self._clock.now()
            self._troubles[key] = since, news.trouble
            return []
        self._troubles.pop(key, None)
        present = self._objects.get(key) or {}
        told = _by_uid(news.objects)
        after = dict.fromkeys(told) if news.is_gone else told
        # What is not told of costs nothing: a namespace may hold thousands.
        changes = [
            Change(key, present.get(uid), after.get(uid))
            for uid in ({**present, **told} if news.is_all else told)
            if present.get(uid) != after.get(uid)
        ]
        if news.is_all:
            present = told
        elif news.is_gone:
            for uid in told:
                present.pop(uid, None)
        else:
            present.update(told)
        self._objects[key] = present
        return changes


def _by_uid(objects: t.Iterable[Object]) -> dict[str, Object]:
    return {str(metadata(live).get("uid") or metadata(live).get("name")): live for live in objects}


class _Feed(threading.Thread):
    """Follows one source, and tells the inbox."""

    def __init__(self, api: Api, source: Source, version: str, inbox: queue.SimpleQueue[_News], deadline: Deadline) -> None:
        super().__init__(name=f"watch {source.resource.plural}", daemon=True)
        self._api = api
        self.source = source
        self._version = version
        self._inbox = inbox
        self._deadline = deadline
        self._ending = threading.Event()
        self._stream: EventStream | None = None
        self._pause = FIRST_PAUSE_SECONDS
        # Something else has read the source already where there is a version.
        self._has_worked = bool(version)
        self._has_watched = False
        self._is_polling = False
        self._refused_since: float | None = None

    def end(self) -> None:
        """Tell nothing any more."""
        self._ending.set()
        if self._stream is not None:
            self._stream.close()

    def run(self) -> None:
        try:
            while not self._ending.is_set():
                self._follow_once()
        except EngineError as error:
            self._give_up(error)
        # Whatever it is, the task must hear of it: it would wait for this feed for ever.
        except Exception as error:
            self._give_up(EngineError(f"Following {self.source.resource.qualified} failed: {error!r}"))

    def _give_up(self, error: EngineError) -> None:
        if self._ending.is_set():
            return
        self._tell(is_all=True) if self.source.is_evidence else self._tell(failure=error)

    def _tell(self, *objects: Object, **what: t.Any) -> None:
        self._inbox.put(_News(self, objects, **what))

    def _follow_once(self) -> None:
        """List if need be, and watch until the watch ends; troubles that may pass are waited out."""
        try:
            # The present state of what is only evidence comes with its watch: nothing hangs on knowing when it is complete.
            if self._is_polling:
                self._ending.wait(POLL_SECONDS)
                self._list()
                return
            if not self._version and not self.source.is_evidence:
                self._list()
            self._watch()
        except ConnectionFailed as error:
            self._rest(error.trouble)
        except ApiError as error:
            self._bear(error)

    def _list(self) -> None:
        source = self.source
        listing = self._api.listing(source.resource, source.namespace, source.label_selector, source.field_selector, is_single_try=True)
        self._version = listing.version
        self._worked()
        self._tell(*listing.items, is_all=True)

    def _watch(self) -> None:
        source = self.source
        seconds = self._deadline.remaining + 10.0
        began = time.monotonic()
        stream = self._api.watch(source.resource, source.namespace, source.label_selector, source.field_selector, self._version, seconds)
        self._stream = stream
        if self._ending.is_set():
            stream.close()
        self._worked()
        self._has_watched = True
        self._tell(is_all=not self._version)
        for kind, live in stream:
            if kind == "ERROR":
                self._bear_status(int(live.get("code") or 0), str(live.get("message") or live.get("reason") or "an error"))
                return
            self._pause = FIRST_PAUSE_SECONDS
            self._version = str(metadata(live).get("resourceVersion") or self._version)
            if kind != "BOOKMARK":
                self._tell(live, is_gone=kind == "DELETED")
        if time.monotonic() - began < LONGEST_PAUSE_SECONDS:
            self._rest("the watch ended at once")

    def _worked(self) -> None:
        self._has_worked, self._refused_since = True, None

    def _bear(self, error: ApiError) -> None:
        status = error.answer.status
        if status == _GONE or status in RETRIED_STATUSES or status >= 500:
            self._bear_status(status, f"HTTP {status}", error.retry_after)
        elif status in (403, 405) and self._version and not self._has_watched and not self.source.is_evidence:
            # It may be listed, and not watched: then looking again and again has to do.
            self._is_polling = True
            self._api.retries.append(f"{POLLED}{self.source.resource.qualified}")
        elif self._has_worked and self._is_refusal_young():
            self._rest(f"HTTP {status}")
        else:
            raise error

    def _is_refusal_young(self) -> bool:
        if self._refused_since is None:
            self._refused_since = time.monotonic()
        return time.monotonic() - self._refused_since < BELIEVED_AFTER_SECONDS

    def _bear_status(self, status: int, text: str, after: float = 0.0) -> None:
        if status == _GONE:
            # What lies between is lost: everything has to be read anew.
            self._version = ""
            text = "410 Gone"
        self._rest(text, 0.0 if status == _GONE else after)

    def _rest(self, trouble: str, after: float = 0.0) -> None:
        if self._ending.is_set():
            return
        self._note(trouble)
        self._tell(trouble=trouble)
        self._ending.wait(max(self._pause, after))
        self._pause = min(self._pause * 2, LONGEST_PAUSE_SECONDS)

    def _note(self, trouble: str) -> None:
        self._api.retries.append(f"WATCH {self.source.resource.path(self.source.namespace)}: {trouble}")
