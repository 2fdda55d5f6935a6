# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An HTTP server that answers as AWX's API does to who configures it, and records what it was asked.

It keeps objects, completes them with the defaults that AWX gives them, links them to each other, and refuses what AWX refuses: surveys,
playbooks that the project does not have, names that are taken. It runs no jobs.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from integration.support.awx_credential import type_error
from integration.support.awx_survey import spec_error

ROOT = "/api/v2/"
TOKEN = "c0ntr0ller-t0ken"
VERSION = "24.6.1"
Object = dict[str, Any]

ASKED = ("credential", "diff_mode", "job_type", "timeout", "variables", "verbosity")
# What an object of AWX has, in so far as it is dealt with here, and what it is without being told. What else is sent is dropped.
FIELDS: Mapping[str, Object] = {
    "organizations": {"name": "", "description": ""},
    "credential_types": {"name": "", "description": "", "kind": "", "inputs": {}, "injectors": {}, "managed": False},
    "credentials": {"name": "", "description": "", "organization": None, "credential_type": None, "inputs": {}},
    "execution_environments": {"name": "", "description": "", "organization": None, "image": ""},
    "projects": {
        "name": "",
        "description": "",
        "organization": None,
        "scm_type": "",
        "scm_url": "",
        "scm_branch": "",
        "credential": None,
        "scm_revision": "",
    },
    "inventories": {"name": "", "description": "", "organization": None, "kind": "", "host_filter": None, "variables": ""},
    "hosts": {"name": "", "description": "", "inventory": None, "enabled": True, "variables": ""},
    "job_templates": {
        "name": "",
        "description": "",
        "organization": None,
        "job_type": "run",
        "inventory": None,
        "project": None,
        "playbook": "",
        "execution_environment": None,
        "timeout": 0,
        "extra_vars": "",
        "survey_enabled": False,
        **{f"ask_{each}_on_launch": False for each in ASKED},
    },
    "workflow_job_templates": {"name": "", "description": "", "organization": None, "extra_vars": "", "survey_enabled": False},
    "workflow_job_template_nodes": {"identifier": "", "workflow_job_template": None, "unified_job_template": None, "extra_data": {}},
    "workflow_approval_templates": {"name": "", "description": "", "timeout": 0},
}
TYPES = {"inventories": "inventory"}
TEMPLATES = ("projects", "job_templates", "workflow_job_templates")
# What an object is known by, beside the object that it belongs to.
OWNERS = {"hosts": "inventory", "workflow_job_template_nodes": "workflow_job_template"}
NODES = "workflow_job_template_nodes"
# What can be linked to an object, and of which kind it is.
LINKS: Mapping[str, Mapping[str, str]] = {
    "job_templates": {"credentials": "credentials"},
    NODES: {"success_nodes": NODES, "failure_nodes": NODES, "always_nodes": NODES, "credentials": "credentials"},
}
SURVEYED = ("job_templates", "workflow_job_templates")
ROUTE = re.compile(r"(?P<kind>\w+)/(?:(?P<id>\d+)/(?:(?P<part>\w+)/)?)?$")


class RefusedError(Exception):
    """AWX refuses a request with 400."""

    def __init__(self, answer: Object) -> None:
        super().__init__(json.dumps(answer))
        self.answer = answer


@dataclass(frozen=True)
class Asked:
    """One request."""

    method: str
    path: str
    body: Any
    is_authorized: bool
    code: int

    @property
    def is_write(self) -> bool:
        return self.method != "GET"


@dataclass
class Controller:
    """The objects, by kind and number, and the requests; of a project, the playbooks are known by the URL of its repository."""

    playbooks: Mapping[str, set[str]] = field(default_factory=dict)
    objects: dict[str, dict[int, Object]] = field(default_factory=lambda: {kind: {} for kind in FIELDS})
    links: dict[str, list[int]] = field(default_factory=dict)
    surveys: dict[int, Object] = field(default_factory=dict)
    requests: list[Asked] = field(default_factory=list)
    number: int = 0

    def add(self, kind: str, /, **values: Any) -> Object:
        """Create an object."""
        made = {"id": self.number + 1, **FIELDS[kind], **_taken(kind, values)}
        self._check(kind, made)
        self.number += 1
        self.objects[kind][self.number] = made
        return self._shown(kind, made)

    def get(self, kind: str, name: str) -> Object:
        """Return the object of that name, or identifier."""
        (found,) = (each for each in self.objects[kind].values() if name in (each.get("name"), each.get("identifier")))
        return found

    def writes(self, since: int = 0) -> list[str]:
        """Return the requests from that number on that change something."""
        return [f"{asked.method} {asked.path}" for asked in self.requests[since:] if asked.is_write]

    def answer(self, method: str, kind: str, number: int | None, part: str | None, query: Mapping[str, str], body: Any) -> tuple[int, Any]:
        """Return the code and the content of an answer."""
        if number is None:
            return (200, self._list(kind, query)) if method == "GET" else (201, self.add(kind, **body))
        if kind == "project_updates":
            return 200, {"id": number, "status": "successful", "failed": False, "finished": "2026-01-01T00:00:00Z"}
        live = self.objects[kind][number]
        if part == "survey_spec" and kind in SURVEYED:
            return self._survey(method, number, body)
        if part == "create_approval_template" and kind == "workflow_job_template_nodes":
            made = self.add("workflow_approval_templates", **body)
            live["unified_job_template"] = made["id"]
            return 201, made
        if part is not None:
            return self._link(method, LINKS[kind][part], f"{kind}/{number}/{part}", body)
        if method == "PATCH":
            self._check(kind, {**live, **_taken(kind, body)})
            live.update(_taken(kind, body))
        return 200, self._shown(kind, live)

    def _list(self, kind: str, query: Mapping[str, str]) -> Object:
        kinds = TEMPLATES if kind == "unified_job_templates" else (kind,)
        wanted = {key: value for key, value in query.items() if key not in ("page", "page_size")}
        found = [
            self._shown(each, live)
            for each in kinds
            for live in self.objects[each].values()
            if all(str(live[key]) == value for key, value in wanted.items())
        ]
        return _page(found)

    def _link(self, method: str, kind: str, place: str, body: Any) -> tuple[int, Any]:
        linked = self.links.setdefault(place, [])
        if method == "GET":
            return 200, _page(self._shown(kind, self.objects[kind][number]) for number in linked)
        if body.get("disassociate"):
            linked.remove(body["id"])
        else:
            linked.append(body["id"])
        return 204, None

    def _survey(self, method: str, number: int, body: Any) -> tuple[int, Any]:
        if method == "POST":
            problem = spec_error(body)
            if problem is not None:
                raise RefusedError({"error": problem})
            self.surveys[number] = body
            return 200, None
        return 200, self.surveys.get(number, {})

    def _check(self, kind: str, wanted: Object) -> None:
        known = ("identifier" if kind == NODES else "name", OWNERS.get(kind, "organization"))
        same = [
            live
            for live in self.objects[kind].values()
            if live["id"] != wanted["id"] and all(live.get(key) == wanted.get(key) for key in known)
        ]
        if same and kind != "workflow_approval_templates":
            raise RefusedError({"__all__": [f"{kind} with this name already exists."]})
        if kind == "credential_types":
            problem = type_error(wanted)
            if problem is not None:
                raise RefusedError({"injectors": [problem]})
        if kind == "job_templates":
            project = self.objects["projects"].get(wanted["project"])
            if project is None:
                raise RefusedError({"project": ["This field is required."]})
            if wanted["playbook"] not in self.playbooks.get(project["scm_url"], ()):
                raise RefusedError({"playbook": ["Playbook not found for project."]})

    def _shown(self, kind: str, live: Object) -> Object:
        url = f"{ROOT}{kind}/{live['id']}/"
        related = {part: f"{url}{part}/" for part in (*LINKS.get(kind, ()), *(["survey_spec"] if kind in SURVEYED else []))}
        shown = {"type": TYPES.get(kind, kind.removesuffix("s")), "url": url, "related": related, "summary_fields": {}, **live}
        if kind == "projects":
            shown["summary_fields"] = {"current_update": {"id": live["id"]}}
        if kind == "credentials":
            shown["inputs"] = dict.fromkeys(live["inputs"], "$encrypted$")
        template = live.get("unified_job_template")
        if template is not None:
            (of_kind,) = (each for each, objects in self.objects.items() if template in objects)
            related["unified_job_template"] = f"{ROOT}{of_kind}/{template}/"
        return shown


class AwxApi:
    """Serves a controller on loopback; use it in a `with` block."""

    def __init__(self, playbooks: Mapping[str, set[str]]) -> None:
        self.controller = Controller(playbooks)
        self.controller.add("organizations", name="Default")
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self.controller))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> AwxApi:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()


def _taken(kind: str, sent: Mapping[str, Any]) -> Object:
    """Return what AWX takes of what is sent: fields that it knows, and no null where there must be a text."""
    known = FIELDS[kind]
    return {key: "" if value is None and known[key] == "" else value for key, value in sent.items() if key in known}


def _page(found: Iterable[Object]) -> Object:
    results = list(found)
    return {"count": len(results), "next": None, "previous": None, "results": results}


def _handler(controller: Controller) -> type[BaseHTTPRequestHandler]:
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._serve()

        def do_POST(self) -> None:
            self._serve()

        def do_PATCH(self) -> None:
            self._serve()

        def do_DELETE(self) -> None:
            self._serve()

        def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002
            """Nothing: what was asked is recorded."""

        def _serve(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            parts = urlsplit(self.path)
            is_authorized = self.headers.get("Authorization") == f"Bearer {TOKEN}"
            with lock:
                code, content = self._decide(parts.path, dict(parse_qsl(parts.query)), body) if is_authorized else (401, {})
                controller.requests.append(Asked(self.command, self.path, body, is_authorized, code))
            self._send(code, content)

        def _decide(self, path: str, query: Mapping[str, str], body: Any) -> tuple[int, Any]:
            route = ROUTE.match(path.removeprefix(ROOT))
            if route is None:
                return 404, {"detail": "Not found."}
            number = int(route["id"]) if route["id"] else None
            try:
                return controller.answer(self.command, route["kind"], number, route["part"], query, body)
            except RefusedError as error:
                return 400, error.answer
            except KeyError:
                return 404, {"detail": "Not found."}

        def _send(self, code: int, content: Any) -> None:
            text = b"" if content is None else json.dumps(content).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.send_header("X-API-Product-Name", "AWX")
            self.send_header("X-API-Product-Version", VERSION)
            self.end_headers()
            self.wfile.write(text)

    return Handler
