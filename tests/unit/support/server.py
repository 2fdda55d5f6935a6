# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An API server inside the test: it answers what the test tells it to, and keeps what it was asked."""

from __future__ import annotations

import json
import socket
import ssl
import sys
import threading
import typing as t
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Request:
    """What the server was asked."""

    method: str
    path: str
    query: dict[str, str]
    headers: list[tuple[str, str]]
    body: t.Any
    client: str | None = None
    port: int = 0

    def header(self, name: str) -> list[str]:
        """Return every value of a header."""
        return [value for key, value in self.headers if key.lower() == name.lower()]


@dataclass(frozen=True)
class Answer:
    """What the server says."""

    status: int = 200
    body: t.Any = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def content(self) -> bytes:
        """The body on the wire."""
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


@dataclass(frozen=True)
class Stream:
    """An answer that comes bit by bit, as a watch does; the connection is cut without a last word where `is_cut`."""

    lines: t.Iterable[bytes]
    is_cut: bool = False


def event(kind: str, live: t.Any) -> bytes:
    """Return a line of a watch."""
    return json.dumps({"type": kind, "object": live}).encode() + b"\n"


Script = Answer | Stream


def refusal(status: int, reason: str = "", message: str = "", **details: t.Any) -> Answer:
    """Return an answer with a Status object."""
    body = {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "reason": reason,
        "message": message,
        "code": status,
        "details": details,
    }
    return Answer(status, body)


class Server:
    """Answers with `script`, one entry per request, and its last one from then on; an entry may be a function of the request."""

    def __init__(self, *script: Script | t.Callable[[Request], Script]) -> None:
        self.script = list(script) or [Answer()]
        self.requests: list[Request] = []

    def answer(self, request: Request) -> Script:
        """Keep the request, and return what comes next."""
        entry = self.script[min(len(self.requests), len(self.script) - 1)]
        self.requests.append(request)
        return entry if isinstance(entry, (Answer, Stream)) else entry(request)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Headers and body in one packet: two would wait for each other.
    wbufsize = 1 << 16
    disable_nagle_algorithm = True
    scripted: Server

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        raw = self.rfile.read(length) if length else b""
        parts = urlsplit(self.path)
        client = None
        if isinstance(self.connection, ssl.SSLSocket):
            certificate = self.connection.getpeercert() or {}
            subject = t.cast("tuple[tuple[tuple[str, str], ...], ...]", certificate.get("subject") or ())
            client = next((value for entry in subject for key, value in entry if key == "commonName"), None)
        request = Request(
            method=self.command,
            path=parts.path,
            query=dict(parse_qsl(parts.query)),
            headers=list(self.headers.items()),
            body=json.loads(raw) if raw else None,
            client=client,
            port=self.client_address[1],
        )
        answer = self.scripted.answer(request)
        if isinstance(answer, Stream):
            self._stream(answer)
            return
        self.send_response_only(answer.status)
        for key, value in {"Content-Type": "application/json", "Content-Length": str(len(answer.content)), **answer.headers}.items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(answer.content)

    def _stream(self, answer: Stream) -> None:
        self.send_response_only(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.flush()
        for line in answer.lines:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
            self.wfile.flush()
        if answer.is_cut:
            self.close_connection = True
        else:
            self.wfile.write(b"0\r\n\r\n")

    do_GET = do_PATCH = do_DELETE = do_POST = _serve  # noqa: N815

    def log_message(self, format: str, *args: t.Any) -> None:  # noqa: A002
        """Say nothing."""


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 16

    def handle_error(self, request: t.Any, client_address: t.Any) -> None:
        """Say nothing of clients that break off, which are part of the tests."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


@contextmanager
def listening(server: Server, tls: ssl.SSLContext | None = None, port: int = 0) -> Iterator[str]:
    """Serve on 127.0.0.1 as long as the block runs; gives the address."""
    handler: type[_Handler] = type("Handler", (_Handler,), {"scripted": server})
    listener = _Listener(("127.0.0.1", port), handler)
    if tls:
        listener.socket = tls.wrap_socket(listener.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.002}, daemon=True)
    thread.start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{listener.server_address[1]}"
    finally:
        # What somebody still asks for whose time is up is nobody's question any more.
        handler.scripted = Server(refusal(503))
        listener.shutdown()
        listener.server_close()
        thread.join()


def unused_port() -> int:
    """Return a port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
