# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it can change at any time.

"""HTTP to the API server: the only file that knows it.

Requests go over urllib3, one connection kept for the whole task. What can be tried again (no connection, 429, 502 to 504) is, with
growing pauses, until the deadline of the operation; every other answer that is not a success becomes an ``ApiError``.
"""

from __future__ import annotations

import datetime
import json
import os
import socket
import threading
import typing as t
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from ansible_collections.vmscale.kubevirt.plugins.module_utils._answer import read_date, read_object, read_refusal, retry_after
from ansible_collections.vmscale.kubevirt.plugins.module_utils._clock import Clock, Deadline, SystemClock
from ansible_collections.vmscale.kubevirt.plugins.module_utils._connection import Connection
from ansible_collections.vmscale.kubevirt.plugins.module_utils._errors import (
    ApiError,
    ConnectionFailed,
    DependencyError,
    OptionError,
    explain,
)
from ansible_collections.vmscale.kubevirt.plugins.module_utils._resources import FIELD_MANAGER, Object, Resource
from ansible_collections.vmscale.kubevirt.plugins.module_utils._transport import (
    CONNECT_TIMEOUT_SECONDS,
    HAS_URLLIB3,
    READ_TIMEOUT_SECONDS,
    build_pool,
    can_be_tried_again,
    reason_of,
    say_connection_failure,
)

try:
    import urllib3
    import urllib3.exceptions
except ImportError:
    # Said by Api, where HAS_URLLIB3 is asked.
    pass

APPLY_PATCH = "application/apply-patch+yaml"
MERGE_PATCH = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
RETRIED_STATUSES = (429, 502, 503, 504)
# A wrong address must not cost the whole wait: until the server has answered once, it gets this long.
FIRST_CONTACT_SECONDS = 3.0
# The server sends a bookmark every minute to a watch that has nothing to tell: after this long without a word the connection is dead.
WATCH_READ_TIMEOUT_SECONDS = 100.0
USER_AGENT = "vmscale.kubevirt"


@dataclass(frozen=True)
class Listing:
    """What a LIST answered: the objects, and the version of the whole, from which a watch can go on."""

    items: tuple[Object, ...]
    version: str


class EventStream:
    """One watch: iterating gives ``(type, object)`` of each event as it comes, and ends when the server ends the watch in good order.

    Raises ``ConnectionFailed`` where the connection breaks. ``close`` may be called from any thread, and ends the iteration.
    Source: kubernetes ``apimachinery/pkg/watch``, one JSON document a line.
    """

    def __init__(self, response: urllib3.BaseHTTPResponse, connection: Connection) -> None:
        self._response = response
        self._connection = connection
        self._is_closed = False

    def __iter__(self) -> t.Iterator[tuple[str, Object]]:
        try:
            for line in self._lines():
                event = read_object(line, self._connection)
                yield str(event.get("type", "")), event.get("object") or {}
        # A connection that another thread shuts under a reader fails in many ways.
        except (urllib3.exceptions.HTTPError, OSError, ValueError, AttributeError) as error:
            if not self._is_closed:
                raise ConnectionFailed(say_connection_failure(error, self._connection), reason_of(error)) from error
        finally:
            self._response.close()

    def _lines(self) -> t.Iterator[bytes]:
        rest = b""
        # Chunks come one by one as they are sent; what has no chunks has to be read by the byte so as not to wait for more.
        for data in self._response.stream(1 << 16 if getattr(self._response, "chunked", False) else 1):
            *lines, rest = (rest + data).split(b"\n")
            yield from (line for line in lines if line.strip())

    def close(self) -> None:
        """End it: the reader wakes up."""
        self._is_closed = True
        try:
            # On a duplicate, since the reader's own object is in use, and is no concern of this thread's.
            with socket.socket(fileno=os.dup(self._response.connection.sock.fileno())) as twin:  # type: ignore[union-attr]
                twin.shutdown(socket.SHUT_RDWR)
        except (OSError, AttributeError):
            pass


class Api:
    """A client of one API server, for one task; its watches may be read in threads of their own.

    ``requests`` counts what was sent, tries included; ``retries`` says of each request that was sent again why.
    """

    def __init__(self, connection: Connection, clock: Clock | None = None, retries: list[str] | None = None) -> None:
        if not HAS_URLLIB3:
            raise DependencyError("urllib3>=2.0", "to talk to the Kubernetes API")
        self.connection = connection
        self.requests = 0
        self.retries: list[str] = [] if retries is None else retries
        self.server_time: datetime.datetime | None = None
        self._told_time_at = 0.0
        self._clock = clock or SystemClock()
        self._deadline: Deadline | None = None
        self._answered = False
        self._pool = build_pool(connection)
        self._counting = threading.Lock()

    def retry_until(self, deadline: Deadline) -> None:
        """From here on, retries of a server that has answered before end with ``deadline``."""
        self._deadline = deadline

    def now(self) -> datetime.datetime | None:
        """The API server's time by now, None where it has told none."""
        if self.server_time is None:
            return None
        return self.server_time + datetime.timedelta(seconds=self._clock.now() - self._told_time_at)

    def get(self, resource: Resource, namespace: str, name: str, is_single_try: bool = False, subresource: str = "") -> dict[str, t.Any]:
        """The object; an ``ApiError`` with ``is_missing_object`` where there is none."""
        return self._call("GET", resource, namespace, name, is_single_try=is_single_try, subresource=subresource)

    def find(
        self, resource: Resource, namespace: str, name: str, is_single_try: bool = False, subresource: str = ""
    ) -> dict[str, t.Any] | None:
        """The object, or None where there is none of that name."""
        try:
            return self.get(resource, namespace, name, is_single_try, subresource)
        except ApiError as error:
            if error.is_missing_object:
                return None
            raise

    def choose(
        self, resource: Resource, namespace: str, name: str | None, label_selectors: t.Sequence[str] | None
    ) -> list[dict[str, t.Any]]:
        """The object of that name, as far as there is one; without a name, those that all of the label selectors choose."""
        if name:
            live = self.find(resource, namespace, name)
            return [] if live is None else [live]
        return self.list(resource, namespace, label_selector=",".join(label_selectors or []))

    def list(
        self,
        resource: Resource,
        namespace: str,
        label_selector: str = "",
        field_selector: str = "",
        tries_again: bool = True,
    ) -> list[dict[str, t.Any]]:
        """The objects of ``namespace`` that the selectors choose."""
        return t.cast("list[dict[str, t.Any]]", [*self.listing(resource, namespace, label_selector, field_selector, tries_again).items])

    def listing(
        self,
        resource: Resource,
        namespace: str,
        label_selector: str = "",
        field_selector: str = "",
        tries_again: bool = True,
        is_single_try: bool = False,
    ) -> Listing:
        """The objects of ``namespace`` that the selectors choose, with the version to watch from."""
        query = {"labelSelector": label_selector, "fieldSelector": field_selector}
        answer = self._call("GET", resource, namespace, "", query, tries_again=tries_again, is_single_try=is_single_try)
        # The API server leaves it to the list to say what its items are.
        named = {"apiVersion": resource.api_version, "kind": resource.kind}
        items = tuple({**named, **each} for each in answer.get("items") or [])
        return Listing(items, str((answer.get("metadata") or {}).get("resourceVersion", "")))

    def watch(
        self,
        resource: Resource,
        namespace: str,
        label_selector: str = "",
        field_selector: str = "",
        version: str = "",
        seconds: float = 300.0,
    ) -> EventStream:
        """Changes after ``version``; without one, the present objects as ``ADDED`` first. Tried once; the server ends it after ``seconds``.

        Raises ``ApiError`` and ``ConnectionFailed``. Source: the Kubernetes API concepts, "Efficient detection of changes".
        """
        query = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "labelSelector": label_selector,
            "fieldSelector": field_selector,
            "resourceVersion": version,
            "timeoutSeconds": str(max(1, int(seconds))),
        }
        url = f"{resource.path(namespace)}?{urlencode({key: value for key, value in query.items() if value})}"
        try:
            response = self._request("GET", url, None, "", is_stream=True)
        except urllib3.exceptions.HTTPError as error:
            raise ConnectionFailed(say_connection_failure(error, self.connection), reason_of(error)) from error
        if response.status == 200:
            return EventStream(response, self.connection)
        try:
            answer = read_refusal(response.status, response.data, "GET", resource, namespace, "")
        finally:
            response.close()
        pause = retry_after(response.headers.get("Retry-After"))
        raise ApiError(answer, explain(answer, server=self.connection.server, origin=self.connection.origin), pause)

    def serves(self, resource: Resource) -> bool:
        """True where the resource's group and version are served now: installed, and its backend answers."""
        try:
            self._call("GET", resource, "", "", path=f"/apis/{resource.api_version}", tries_again=False)
        except ApiError as error:
            if error.answer.status in (404, 503):
                return False
            raise
        return True

    def apply(self, resource: Resource, namespace: str, name: str, body: t.Mapping[str, t.Any], dry_run: bool) -> dict[str, t.Any]:
        """Server-side apply ``body``, taking over the fields it names; creates the object where there is none."""
        query = {"fieldManager": FIELD_MANAGER, "fieldValidation": "Strict", "force": "true", **_dry_run(dry_run)}
        return self._call("PATCH", resource, namespace, name, query, body, APPLY_PATCH)

    def patch(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        body: t.Mapping[str, t.Any] | t.Sequence[t.Mapping[str, t.Any]],
        dry_run: bool,
        subresource: str = "",
    ) -> dict[str, t.Any]:
        """Change the object: a mapping is a JSON merge patch, a sequence a JSON patch."""
        query = {"fieldManager": FIELD_MANAGER, "fieldValidation": "Strict", **_dry_run(dry_run)}
        content_type = MERGE_PATCH if isinstance(body, t.Mapping) else JSON_PATCH
        return self._call("PATCH", resource, namespace, name, query, body, content_type, subresource=subresource)

    def create(self, resource: Resource, namespace: str, body: t.Mapping[str, t.Any], dry_run: bool) -> dict[str, t.Any]:
        """Create the object; an ``ApiError`` with ``is_conflict`` where there is one of that name."""
        query = {"fieldManager": FIELD_MANAGER, "fieldValidation": "Strict", **_dry_run(dry_run)}
        return self._call("POST", resource, namespace, "", query, body)

    def delete(self, resource: Resource, namespace: str, name: str, uid: str, propagation: str, dry_run: bool) -> None:
        """Delete the object with that UID; it is no error if it has gone meanwhile."""
        body: dict[str, t.Any] = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "propagationPolicy": propagation,
            "preconditions": {"uid": uid},
        }
        if dry_run:
            # The API server takes no options from the query where there is a body; it is said there as well for whoever reads logs.
            body["dryRun"] = ["All"]
        try:
            self._call("DELETE", resource, namespace, name, _dry_run(dry_run), body)
        except ApiError as error:
            if not error.is_missing_object:
                raise

    def _call(
        self,
        method: str,
        resource: Resource,
        namespace: str,
        name: str,
        query: t.Mapping[str, str] | None = None,
        body: t.Mapping[str, t.Any] | t.Sequence[t.Any] | None = None,
        content_type: str = "application/json",
        path: str = "",
        tries_again: bool = True,
        is_single_try: bool = False,
        subresource: str = "",
    ) -> dict[str, t.Any]:
        path = path or resource.path(namespace, name) + (f"/{subresource}" if subresource else "")
        parameters = urlencode({key: value for key, value in (query or {}).items() if value})
        url = f"{path}?{parameters}" if parameters else path
        content = json.dumps(body).encode() if body is not None else None
        status, raw = self._send(method, url, content, content_type, tries_again, is_single_try)
        if 200 <= status < 300:
            return read_object(raw, self.connection)
        answer = read_refusal(status, raw, method, resource, namespace, name, subresource)
        raise ApiError(answer, explain(answer, server=self.connection.server, origin=self.connection.origin))

    def _send(
        self, method: str, url: str, content: bytes | None, content_type: str, tries_again: bool, is_single_try: bool
    ) -> tuple[int, bytes]:
        patience = Deadline.after(self._clock, FIRST_CONTACT_SECONDS)
        pause = 0.1
        while True:
            trouble: str
            failure: Exception | None = None
            after = 0.0
            try:
                response = self._request(method, url, content, content_type)
            except urllib3.exceptions.HTTPError as error:
                if not can_be_tried_again(error):
                    raise ConnectionFailed(say_connection_failure(error, self.connection), reason_of(error)) from error
                failure, trouble = error, reason_of(error)
            else:
                self._answered = True
                if response.status not in RETRIED_STATUSES or not tries_again:
                    return response.status, response.data
                trouble = f"HTTP {response.status}"
                after = retry_after(response.headers.get("Retry-After"))
            limit = self._deadline if self._answered and self._deadline and not self._deadline.is_over else patience
            if is_single_try or limit.is_over or limit.remaining < after:
                if failure is None:
                    return response.status, response.data
                raise ConnectionFailed(say_connection_failure(failure, self.connection), trouble) from failure
            self.retries.append(f"{method} {urlsplit(url).path}: {trouble}")
            self._clock.sleep(min(max(pause, after), max(limit.remaining, 0.05)))
            pause = min(pause * 2, 2.0)

    def _request(
        self, method: str, url: str, content: bytes | None, content_type: str, is_stream: bool = False
    ) -> urllib3.BaseHTTPResponse:
        with self._counting:
            self.requests += 1
        headers = urllib3.HTTPHeaderDict({"Accept": "application/json", "User-Agent": USER_AGENT})
        if content is not None:
            headers["Content-Type"] = content_type
        try:
            authorization = self.connection.authorization()
        except OSError as error:
            raise OptionError(f"The token of {self.connection.origin} cannot be read: {error.strerror}.") from error
        if authorization:
            headers["Authorization"] = authorization
        for key, value in self.connection.headers:
            headers.add(key, value)
        silence = WATCH_READ_TIMEOUT_SECONDS if is_stream else READ_TIMEOUT_SECONDS
        response = self._pool.request(
            method,
            self.connection.server + url,
            body=content,
            headers=headers,
            retries=False,
            timeout=urllib3.Timeout(connect=CONNECT_TIMEOUT_SECONDS, read=silence),
            preload_content=not is_stream,
        )
        self.server_time, self._told_time_at = read_date(response.headers.get("Date")) or self.server_time, self._clock.now()
        return response


def _dry_run(is_dry: bool) -> dict[str, str]:
    return {"dryRun": "All"} if is_dry else {}
