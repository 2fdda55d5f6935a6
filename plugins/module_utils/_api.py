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
import email.utils
import json
import os
import ssl
import tempfile
import typing as t
from dataclasses import replace
from urllib.parse import urlencode, urlsplit

from ansible_collections.vmscale.kubevirt.plugins.module_utils._clock import Clock, Deadline, SystemClock
from ansible_collections.vmscale.kubevirt.plugins.module_utils._connection import Connection
from ansible_collections.vmscale.kubevirt.plugins.module_utils._errors import (
    Answer,
    ApiError,
    Cause,
    ConnectionFailed,
    DependencyError,
    OptionError,
    explain,
)
from ansible_collections.vmscale.kubevirt.plugins.module_utils._resources import FIELD_MANAGER, Resource

try:
    import urllib3
    import urllib3.exceptions
    import urllib3.util

    HAS_URLLIB3 = True
except ImportError:
    HAS_URLLIB3 = False

APPLY_PATCH = "application/apply-patch+yaml"
RETRIED_STATUSES = (429, 502, 503, 504)
# A wrong address must not cost the whole wait: until the server has answered once, it gets this long.
FIRST_CONTACT_SECONDS = 3.0
CONNECT_TIMEOUT_SECONDS = 5.0
READ_TIMEOUT_SECONDS = 30.0
USER_AGENT = "vmscale.kubevirt"


class Api:
    """A client of one API server, for one task.

    ``requests`` counts what was sent, tries included; ``retries`` says of each request that was sent again why.
    """

    def __init__(self, connection: Connection, clock: Clock | None = None, retries: list[str] | None = None) -> None:
        if not HAS_URLLIB3:
            raise DependencyError("urllib3", "to talk to the Kubernetes API (it comes with the package kubernetes)")
        self.connection = connection
        self.requests = 0
        self.retries: list[str] = [] if retries is None else retries
        self.server_time: datetime.datetime | None = None
        self._clock = clock or SystemClock()
        self._deadline: Deadline | None = None
        self._answered = False
        self._pool = _build_pool(connection)

    def retry_until(self, deadline: Deadline) -> None:
        """From here on, retries of a server that has answered before end with ``deadline``."""
        self._deadline = deadline

    def get(self, resource: Resource, namespace: str, name: str) -> dict[str, t.Any]:
        """The object; an ``ApiError`` with ``is_missing_object`` where there is none."""
        return self._call("GET", resource, namespace, name)

    def find(self, resource: Resource, namespace: str, name: str) -> dict[str, t.Any] | None:
        """The object, or None where there is none of that name."""
        try:
            return self.get(resource, namespace, name)
        except ApiError as error:
            if error.is_missing_object:
                return None
            raise

    def list(
        self,
        resource: Resource,
        namespace: str,
        label_selector: str = "",
        field_selector: str = "",
        tries_again: bool = True,
    ) -> list[dict[str, t.Any]]:
        """The objects of ``namespace`` that the selectors choose."""
        query = {"labelSelector": label_selector, "fieldSelector": field_selector}
        answer = self._call("GET", resource, namespace, "", query, tries_again=tries_again)
        return t.cast("list[dict[str, t.Any]]", answer.get("items") or [])

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
        body: t.Mapping[str, t.Any] | None = None,
        content_type: str = "application/json",
        path: str = "",
        tries_again: bool = True,
    ) -> dict[str, t.Any]:
        path = path or resource.path(namespace, name)
        parameters = urlencode({key: value for key, value in (query or {}).items() if value})
        url = f"{path}?{parameters}" if parameters else path
        content = json.dumps(body).encode() if body is not None else None
        status, raw = self._send(method, url, content, content_type, tries_again)
        if 200 <= status < 300:
            return _read_object(raw, self.connection)
        answer = _read_answer(status, raw, method, resource, namespace, name)
        raise ApiError(answer, explain(answer, server=self.connection.server, origin=self.connection.origin))

    def _send(self, method: str, url: str, content: bytes | None, content_type: str, tries_again: bool) -> tuple[int, bytes]:
        patience = Deadline.after(self._clock, FIRST_CONTACT_SECONDS)
        pause = 0.1
        while True:
            trouble: str
            failure: Exception | None = None
            after = 0.0
            try:
                response = self._request(method, url, content, content_type)
            except urllib3.exceptions.HTTPError as error:
                if not _can_be_tried_again(error):
                    raise ConnectionFailed(_say_connection_failure(error, self.connection)) from error
                failure, trouble = error, _reason_of(error)
            else:
                self._answered = True
                if response.status not in RETRIED_STATUSES or not tries_again:
                    return response.status, response.data
                trouble = f"HTTP {response.status}"
                after = _retry_after(response.headers.get("Retry-After"))
            limit = self._deadline if self._answered and self._deadline and not self._deadline.is_over else patience
            if limit.is_over or limit.remaining < after:
                if failure is None:
                    return response.status, response.data
                raise ConnectionFailed(_say_connection_failure(failure, self.connection)) from failure
            self.retries.append(f"{method} {urlsplit(url).path}: {trouble}")
            self._clock.sleep(min(max(pause, after), max(limit.remaining, 0.05)))
            pause = min(pause * 2, 2.0)

    def _request(self, method: str, url: str, content: bytes | None, content_type: str) -> urllib3.BaseHTTPResponse:
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
        response = self._pool.request(
            method,
            self.connection.server + url,
            body=content,
            headers=headers,
            retries=False,
            timeout=urllib3.Timeout(connect=CONNECT_TIMEOUT_SECONDS, read=READ_TIMEOUT_SECONDS),
        )
        self.server_time = _read_date(response.headers.get("Date")) or self.server_time
        return response


def _dry_run(is_dry: bool) -> dict[str, str]:
    return {"dryRun": "All"} if is_dry else {}


def _build_pool(connection: Connection) -> urllib3.PoolManager:
    parts = urlsplit(connection.server)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise OptionError(f'"{connection.server}" is no address of an API server: write it as https://HOST:PORT ("host").')
    options: dict[str, t.Any] = {"num_pools": 1, "maxsize": 4}
    if parts.scheme == "https":
        options["ssl_context"] = _build_tls(connection)
        if connection.server_name:
            options["server_hostname"] = connection.server_name
            options["assert_hostname"] = connection.server_name
        if not connection.verify:
            options["assert_hostname"] = False
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    host = parts.hostname or ""
    if not connection.proxy or _is_bypassed(host, connection.no_proxy):
        return urllib3.PoolManager(**options)
    given = connection.proxy_headers or {}
    headers = urllib3.util.make_headers(
        user_agent=given.get("user_agent"),
        basic_auth=given.get("basic_auth"),
        proxy_basic_auth=given.get("proxy_basic_auth"),
    )
    return urllib3.ProxyManager(connection.proxy, proxy_headers=headers, **options)


def _is_bypassed(host: str, no_proxy: str | None) -> bool:
    """True where the comma-separated ``no_proxy`` names the host, a domain it lies in, or everything."""
    for entry in (entry.strip().lower().lstrip(".") for entry in (no_proxy or "").split(",")):
        if entry == "*" or (entry and (host.lower() == entry or host.lower().endswith(f".{entry}"))):
            return True
    return False


def _build_tls(connection: Connection) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=connection.ca_file, cadata=connection.ca_data.decode() if connection.ca_data else None)
    except (OSError, UnicodeDecodeError) as error:
        raise OptionError(f"The CA certificate of {connection.origin} cannot be read: {error}.") from error
    # Certificate authorities of clusters often lack the key identifiers that Python 3.13 began to demand.
    context.verify_flags &= ~getattr(ssl, "VERIFY_X509_STRICT", 0)
    if not connection.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    try:
        if connection.cert_data or connection.key_data:
            _load_inline_certificate(context, connection)
        elif connection.cert_file:
            context.load_cert_chain(connection.cert_file, connection.key_file)
    except OSError as error:
        raise OptionError(f"The client certificate of {connection.origin} cannot be used: {error}.") from error
    return context


def _load_inline_certificate(context: ssl.SSLContext, connection: Connection) -> None:
    """OpenSSL takes a certificate chain from files only: give it a private one for the moment of loading."""
    certificate = connection.cert_data or _read_bytes(connection.cert_file)
    descriptor, path = tempfile.mkstemp(prefix="vmscale-")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(certificate + b"\n" + (connection.key_data or b""))
        context.load_cert_chain(path, connection.key_file)
    finally:
        os.unlink(path)


def _read_bytes(path: str | None) -> bytes:
    if not path:
        return b""
    with open(path, "rb") as stream:
        return stream.read()


def _can_be_tried_again(error: Exception) -> bool:
    return not isinstance(error, (urllib3.exceptions.SSLError, urllib3.exceptions.LocationValueError))


def _reason_of(error: Exception) -> str:
    if isinstance(error, urllib3.exceptions.NameResolutionError):
        return "the name cannot be resolved"
    causes = [error.__cause__, *(arg for arg in error.args if isinstance(arg, BaseException))]
    for cause in causes:
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror.lower()
    if isinstance(error, urllib3.exceptions.ConnectTimeoutError):
        return f"no answer within {CONNECT_TIMEOUT_SECONDS:.0f} s"
    if isinstance(error, urllib3.exceptions.ReadTimeoutError):
        return f"no answer within {READ_TIMEOUT_SECONDS:.0f} s"
    return str(error)


def _say_connection_failure(error: Exception, connection: Connection) -> str:
    where = f"{connection.server} (from {connection.origin})"
    if isinstance(error, urllib3.exceptions.SSLError):
        return f'TLS with {where} failed: {error}. Check "ca_cert", "client_cert" and "validate_certs".'
    return f'No Kubernetes API server answers at {where}: {_reason_of(error)}. Check the address in "host" or "kubeconfig".'


def _retry_after(text: str | None) -> float:
    try:
        return min(float(text or 0), 30.0)
    except ValueError:
        return 0.0


def _read_date(text: str | None) -> datetime.datetime | None:
    """The moment of an HTTP Date header, None where it tells none."""
    try:
        moment = email.utils.parsedate_to_datetime(text or "")
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo else None


def _read_object(raw: bytes, connection: Connection) -> dict[str, t.Any]:
    try:
        document = json.loads(raw)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise ConnectionFailed(
            f"{connection.server} (from {connection.origin}) does not answer as a Kubernetes API server does: "
            f'its answer is no JSON object. Check the address in "host" or "kubeconfig", and "proxy".'
        )
    return document


def _read_answer(status: int, raw: bytes, method: str, resource: Resource, namespace: str, name: str) -> Answer:
    answer = Answer(status, method, resource.group, resource.plural, namespace, name)
    try:
        document = json.loads(raw)
    except ValueError:
        document = None
    if not isinstance(document, dict) or document.get("kind") != "Status":
        return replace(answer, message=raw.decode(errors="replace").strip()[:500], is_status=False)
    details = document.get("details") or {}
    causes = tuple(
        Cause(field=cause.get("field", ""), message=cause.get("message", "") or cause.get("reason", ""))
        for cause in details.get("causes") or []
    )
    return replace(
        answer,
        reason=document.get("reason", ""),
        message=document.get("message", ""),
        causes=causes,
        about_kind=details.get("kind", ""),
        about_name=details.get("name", ""),
    )
