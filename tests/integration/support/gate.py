# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A gate before the sandbox's API server: it closes behind a chosen write, whose answer it keeps, so that a run stands still there."""

from __future__ import annotations

import http.client
import json
import ssl
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from sandbox.state import Sandbox as State

VERBS = {"PATCH": "patch", "DELETE": "delete", "POST": "create", "PUT": "update"}
IsEnough = Callable[[list[str]], bool]


class Gate:
    """Passes on what it is asked until the writes so far are enough; while it is entered, its kubeconfig leads through it."""

    def __init__(self, sandbox: str, directory: Path, is_enough: IsEnough) -> None:
        state = State.named(sandbox)
        document = json.loads(state.kubeconfig("operator-token").read_text(encoding="utf-8"))
        self.address = urlsplit(document["clusters"][0]["cluster"]["server"])
        self.upstream = ssl.create_default_context(cafile=str(state.certificates / "ca.crt"))
        self.is_closed = threading.Event()
        self._is_over = threading.Event()
        self._is_enough = is_enough
        self._writes: list[str] = []
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(state.certificates / "server.crt", state.certificates / "server.key")
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        document["clusters"][0]["cluster"]["server"] = f"https://127.0.0.1:{self._server.server_port}"
        self.kubeconfig = directory / f"gate-{self._server.server_port}.json"
        self.kubeconfig.write_text(json.dumps(document), encoding="utf-8")

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._server.shutdown()
        self._server.server_close()

    def wrote(self, what: str) -> None:
        """Note a write, and close behind it where it was the last that may pass."""
        with self._lock:
            self._writes.append(what)
            if self._is_enough(list(self._writes)):
                self.is_closed.set()

    def stand(self) -> None:
        """Keep whoever asks waiting, where the gate is closed."""
        if self.is_closed.is_set():
            self._is_over.wait()


def _handler(gate: Gate) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """Passes one connection's requests on, over a connection of their own."""

        protocol_version = "HTTP/1.1"

        def pass_on(self) -> None:
            gate.stand()
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            upstream = http.client.HTTPSConnection(str(gate.address.hostname), int(gate.address.port or 443), context=gate.upstream)
            headers = {key: value for key, value in self.headers.items() if key.lower() not in ("host", "connection", "accept-encoding")}
            upstream.request(self.command, self.path, body or None, headers)
            answer = upstream.getresponse()
            path = urlsplit(self.path)
            is_write = self.command in VERBS and "dryRun=All" not in path.query and "/namespaces/" in path.path
            if is_write and answer.status < 300:
                gate.wrote(f"{VERBS[self.command]} {_resource(path.path)}")
            gate.stand()
            try:
                self._answer(answer)
            except OSError:
                # Who asked is dead.
                self.close_connection = True
            upstream.close()

        def _answer(self, answer: http.client.HTTPResponse) -> None:
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.getheader("Content-Type", "application/json"))
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            while part := answer.read1(65536):
                self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
            self.wfile.write(b"0\r\n\r\n")

        do_GET = do_PATCH = do_DELETE = do_POST = do_PUT = pass_on  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler


def _resource(path: str) -> str:
    """Return resource and subresource of a path, as the audit log has them."""
    parts = path.partition("/namespaces/")[2].split("/")[1:]
    return "/".join([*parts[:1], *parts[2:3]])
