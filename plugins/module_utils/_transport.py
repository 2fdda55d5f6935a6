# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it can change at any time.

"""The way to the API server: connections, TLS and proxies by urllib3, and what to say where there is no way."""

from __future__ import annotations

import os
import socket
import ssl
import tempfile
import typing as t
from urllib.parse import urlsplit

from ansible_collections.vmscale.kubevirt.plugins.module_utils._connection import Connection
from ansible_collections.vmscale.kubevirt.plugins.module_utils._errors import OptionError

try:
    import urllib3
    import urllib3.exceptions
    import urllib3.util

    # Version 2.0 brought this; the package kubernetes is content with less.
    HAS_URLLIB3 = hasattr(urllib3, "HTTPHeaderDict")
except ImportError:
    HAS_URLLIB3 = False

CONNECT_TIMEOUT_SECONDS = 5.0
READ_TIMEOUT_SECONDS = 30.0


def build_pool(connection: Connection) -> urllib3.PoolManager:
    parts = urlsplit(connection.server)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise OptionError(f'"{connection.server}" is no address of an API server: write it as https://HOST:PORT ("host").')
    options: dict[str, t.Any] = {"num_pools": 1, "maxsize": 8, "socket_options": _socket_options()}
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


def _socket_options() -> list[tuple[int, int, int]]:
    """Keepalive, so that a peer that vanished without a word is noticed within half a minute by a watch that waits for it."""
    options = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1), (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]
    for name, value in (("TCP_KEEPIDLE", 15), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 3)):
        if hasattr(socket, name):
            options.append((socket.IPPROTO_TCP, getattr(socket, name), value))
    return options


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


def can_be_tried_again(error: Exception) -> bool:
    return not isinstance(error, (urllib3.exceptions.SSLError, urllib3.exceptions.LocationValueError))


def reason_of(error: Exception) -> str:
    """What is the trouble, in a few words."""
    if isinstance(error, urllib3.exceptions.NameResolutionError):
        return "the name cannot be resolved"
    causes = [error.__cause__, *(arg for arg in error.args if isinstance(arg, BaseException))]
    for cause in causes:
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror.lower()
    if isinstance(error, urllib3.exceptions.ConnectTimeoutError):
        return f"no answer within {CONNECT_TIMEOUT_SECONDS:.0f} s"
    if isinstance(error, urllib3.exceptions.ReadTimeoutError):
        return "the server has stopped answering"
    if isinstance(error, urllib3.exceptions.ProtocolError):
        return "the connection was closed"
    return str(error)


def say_connection_failure(error: Exception, connection: Connection) -> str:
    where = f"{connection.server} (from {connection.origin})"
    if isinstance(error, urllib3.exceptions.SSLError):
        return f'TLS with {where} failed: {error}. Check "ca_cert", "client_cert" and "validate_certs".'
    return f'No Kubernetes API server answers at {where}: {reason_of(error)}. Check the address in "host" or "kubeconfig".'
