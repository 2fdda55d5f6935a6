# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keeps the API server busy with the operators while it is to throttle them."""

from __future__ import annotations

import contextlib
import http.client
import ssl
import threading

from sandbox.identities import OPERATOR_GROUP
from sandbox.ports import LOOPBACK
from sandbox.state import Sandbox

_HEADERS = {
    "Impersonate-User": "vmscale-crowd",
    "Impersonate-Group": OPERATOR_GROUP,
    "Content-Type": "application/json",
    "Content-Length": "100",
}


class Crowd:
    """A colleague of the operator's who begins a request and does not go on: it counts as being served until it times out."""

    def __init__(self, sandbox: Sandbox, port: int, is_ending: threading.Event) -> None:
        """Crowd a sandbox's API server until that event."""
        self._sandbox = sandbox
        self._port = port
        self._is_ending = is_ending

    def run(self) -> None:
        """Begin one request after the other, for as long as the fault is on."""
        while not self._is_ending.wait(0.1):
            if self._sandbox.fault("throttle").exists():
                with contextlib.suppress(OSError, http.client.HTTPException):
                    self._dawdle()

    def _dawdle(self) -> None:
        keys = self._sandbox.certificates
        context = ssl.create_default_context(cafile=str(keys / "ca.crt"))
        context.load_cert_chain(keys / "launcher.crt", keys / "launcher.key")
        connection = http.client.HTTPSConnection(LOOPBACK, self._port, context=context, timeout=0.5)
        with contextlib.closing(connection):
            connection.putrequest("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews")
            for name, value in _HEADERS.items():
                connection.putheader(name, value)
            connection.endheaders()
            while self._sandbox.fault("throttle").exists() and not self._is_ending.is_set():
                with contextlib.suppress(TimeoutError):
                    # An answer means that it is over: refused like everybody, or timed out.
                    connection.sock.recv(1)
                    return
