# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The few API calls that a sandbox makes of its own API server."""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping
from typing import Any

import urllib3

from sandbox.ports import LOOPBACK
from sandbox.state import Sandbox

Object = dict[str, Any]


class ApiError(Exception):
    """The API server refused a request."""

    def __init__(self, status: int, message: str) -> None:
        """Keep the HTTP status and the server's message."""
        super().__init__(f"{status}: {message}")
        self.status = status


class Api:
    """The API server of a sandbox, seen as one of its clients."""

    def __init__(self, sandbox: Sandbox, port: int, client: str = "launcher", connections: int = 8) -> None:
        """Connect as a client whose certificate is at hand."""
        keys = sandbox.certificates
        context = ssl.create_default_context(cafile=str(keys / "ca.crt"))
        context.load_cert_chain(keys / f"{client}.crt", keys / f"{client}.key")
        self._base = f"https://{LOOPBACK}:{port}"
        self._pool = urllib3.PoolManager(
            ssl_context=context,
            maxsize=connections,
            retries=False,
            timeout=urllib3.Timeout(connect=2, read=20),
            headers={"User-Agent": "vmscale-sandbox"},
        )

    def request(self, method: str, path: str, body: Any = None, content_type: str = "application/json") -> Object:
        """Make a request and return the decoded answer."""
        payload = None if body is None else json.dumps(body).encode()
        headers = {"Accept": "application/json", "Content-Type": content_type, "User-Agent": "vmscale-sandbox"}
        try:
            response = self._pool.request(method, self._base + path, body=payload, headers=headers)
        except urllib3.exceptions.HTTPError as error:
            raise ApiError(0, str(error)) from error
        text = response.data.decode(errors="replace")
        try:
            document = json.loads(text)
        except ValueError:
            document = {"message": text}
        if response.status >= 400:
            raise ApiError(response.status, str(document.get("message", text)))
        return dict(document)

    def get(self, path: str) -> Object | None:
        """Read an object or a list; None if there is no such thing."""
        try:
            return self.request("GET", path)
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    def ensure(self, wanted: Object) -> None:
        """Create an object, or bring what is there in line with it."""
        collection = collection_path(wanted)
        try:
            self.request("POST", collection, wanted)
        except ApiError as error:
            if error.status != 409:
                raise
            path = f"{collection}/{wanted['metadata']['name']}"
            self.request("PATCH", path, wanted, "application/merge-patch+json")


def collection_path(wanted: Mapping[str, Any]) -> str:
    """The path of the collection that an object belongs to."""
    version = wanted["apiVersion"]
    kind = str(wanted["kind"]).lower()
    plural = kind + "es" if kind.endswith("s") else kind[:-1] + "ies" if kind.endswith("y") else kind + "s"
    root = f"/apis/{version}" if "/" in version else f"/api/{version}"
    namespace = wanted["metadata"].get("namespace")
    return f"{root}/namespaces/{namespace}/{plural}" if namespace else f"{root}/{plural}"
