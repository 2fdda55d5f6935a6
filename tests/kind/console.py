# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The serial console of a VM, through KubeVirt's API."""

from __future__ import annotations

import contextlib
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import websocket
from kubernetes import config

from dev.processes import ESCAPES
from kind.workspace import KindError

PROTOCOL = "plain.kubevirt.io"
# Of the published guest; the one that is built here asks for none.
_USER, _PASSWORD = "cirros", "gocubsgo"
_ATTEMPTS = 20


class Console:
    """A shell at the guest's serial line."""

    def __init__(self, line: websocket.WebSocket) -> None:
        self.line = line

    def run(self, command: str, seconds: float = 20) -> None:
        """Run a quick command; returns when the guest has run it."""
        # The mark is written in two parts, so that its echo is not taken for its output.
        self.line.send_binary(f"{command}; echo do''ne\n".encode())
        self._read_until("done\r", seconds)

    def log_in(self) -> None:
        """Get to a prompt, whether the guest asks for a user first or not."""
        for _attempt in range(_ATTEMPTS):
            self.line.send_binary(b"\n")
            seen = self._read(2)
            if "login:" in seen:
                self.line.send_binary(f"{_USER}\n".encode())
                self._read_until("assword:", 20)
                self.line.send_binary(f"{_PASSWORD}\n".encode())
            elif seen.rstrip().endswith(("#", "$")):
                return
        raise KindError("the guest shows no prompt on its console")

    def _read(self, seconds: float) -> str:
        text = ""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self.line.settimeout(left)
            with contextlib.suppress(websocket.WebSocketTimeoutException):
                received = self.line.recv()
                text += received if isinstance(received, str) else received.decode(errors="replace")
        # A shell asks the terminal where its cursor is.
        return ESCAPES.sub("", text)

    def _read_until(self, mark: str, seconds: float) -> None:
        text = ""
        deadline = time.monotonic() + seconds
        while mark not in text:
            if time.monotonic() > deadline:
                raise KindError(f"the guest did not answer within {seconds:.0f} s; it said: {text[-300:]!r}")
            text += self._read(0.3)


@contextlib.contextmanager
def console(kubeconfig: Path, namespace: str, instance: str) -> Iterator[Console]:
    """Open the console of a VMI (subresource `console` of KubeVirt's API)."""
    client = config.new_client_from_config(config_file=str(kubeconfig))
    settings = client.configuration
    path = f"/apis/subresources.kubevirt.io/v1/namespaces/{namespace}/virtualmachineinstances/{instance}/console"
    headers = [f"{name}: {value}" for name, value in _authorization(settings.get_api_key_with_prefix("authorization"))]
    line = websocket.create_connection(
        settings.host.replace("https://", "wss://") + path,
        timeout=30,
        subprotocols=[PROTOCOL],
        header=headers,
        sslopt={
            "cert_reqs": ssl.CERT_REQUIRED,
            "ca_certs": settings.ssl_ca_cert,
            "certfile": settings.cert_file,
            "keyfile": settings.key_file,
        },
    )
    try:
        opened = Console(line)
        opened.log_in()
        yield opened
    finally:
        line.close()


def _authorization(token: str | None) -> list[tuple[str, str]]:
    return [("Authorization", token)] if token else []
