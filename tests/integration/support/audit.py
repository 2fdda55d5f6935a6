# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a user asked of the API server, read from its audit log."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

OPERATOR = "vmscale-operator"


@dataclass(frozen=True)
class Request:
    """One request, as the API server recorded its end."""

    user: str
    verb: str
    uri: str
    code: int
    agent: str
    received_at: float
    """When the API server received it: a time stamp."""
    seconds: float
    """How long the API server took."""
    resource: str = ""
    """What it is about; a subresource after a slash."""
    name: str = ""

    @property
    def is_dry_run(self) -> bool:
        return "dryRun=All" in self.uri

    @property
    def is_write(self) -> bool:
        return self.verb in ("create", "update", "patch", "delete", "deletecollection")


@dataclass(frozen=True)
class Mark:
    """A place in the log."""

    offset: int


class AuditLog:
    """Reads the log between two marks: of one namespace, where tests run side by side, or of all."""

    def __init__(self, path: Path, namespace: str | None = None) -> None:
        self.path = path
        self.namespace = namespace

    def mark(self) -> Mark:
        return Mark(self.path.stat().st_size)

    def requests(self, since: Mark, until: Mark | None = None, user: str | None = OPERATOR) -> list[Request]:
        """Return the requests that ended between the marks, of one user or (None) of all."""
        return [
            request
            for request in map(_request, self._events(since, until))
            if (user is None or _is_of(request, user)) and self._covers(request)
        ]

    def last_write(self, since: Mark, path: str, before: float) -> float:
        """Return when the last write to an object of that path, by whomever, ended: a time stamp before the given one."""
        ended = [
            _moment(event["stageTimestamp"])
            for event in self._events(since, None)
            if event["requestURI"].partition("?")[0].endswith(path) and event["verb"] in ("update", "patch")
        ]
        return max(moment for moment in ended if moment < before)

    def _covers(self, request: Request) -> bool:
        return self.namespace is None or f"/namespaces/{self.namespace}/" in request.uri

    def _events(self, since: Mark, until: Mark | None) -> Iterator[dict[str, Any]]:
        with self.path.open("rb") as stream:
            stream.seek(since.offset)
            text = stream.read() if until is None else stream.read(until.offset - since.offset)
        for line in text.splitlines():
            event = json.loads(line)
            if event.get("stage") == "ResponseComplete":
                yield event


def writes(requests: Iterable[Request]) -> list[str]:
    """Return what was really written, in order: `patch virtualmachineinstancereplicasets`."""
    return [f"{each.verb} {each.resource}" for each in requests if each.is_write and not each.is_dry_run and each.code < 300]


def _is_of(request: Request, user: str) -> bool:
    return request.user == user or request.user.endswith(f":{user}")


def _request(event: dict[str, Any]) -> Request:
    received, ended = (_moment(event[key]) for key in ("requestReceivedTimestamp", "stageTimestamp"))
    about = event.get("objectRef", {})
    return Request(
        user=event["user"]["username"],
        verb=event["verb"],
        uri=event["requestURI"],
        code=event.get("responseStatus", {}).get("code", 0),
        agent=event.get("userAgent", ""),
        received_at=received,
        seconds=ended - received,
        resource="/".join(filter(None, (about.get("resource"), about.get("subresource")))),
        name=about.get("name", ""),
    )


def _moment(stamp: str) -> float:
    return datetime.fromisoformat(stamp).timestamp()
