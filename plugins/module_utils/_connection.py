# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it can change at any time.

"""Where the API server is and how we say who we are.

The rules are those of kubernetes.core: the same options, the same ``K8S_AUTH_*`` variables, the same order. Plain credentials
(a token, a client certificate) are read here; everything else a kubeconfig can hold (exec plugins, OIDC, auth providers)
goes through the ``kubernetes`` package, which costs its import.
"""

from __future__ import annotations

import base64
import contextlib
import os
import typing as t
from dataclasses import dataclass, field

from ansible_collections.vmscale.kubevirt.plugins.module_utils._errors import DependencyError, OptionError

Environ = t.Mapping[str, str]

# Option of the task -> the name that the ``kubernetes`` package has for it; both spellings work after K8S_AUTH_.
CLIENT_NAMES = {
    "kubeconfig": "kubeconfig",
    "context": "context",
    "host": "host",
    "api_key": "api_key",
    "username": "username",
    "password": "password",
    "validate_certs": "verify_ssl",
    "ca_cert": "ssl_ca_cert",
    "client_cert": "cert_file",
    "client_key": "key_file",
    "proxy": "proxy",
    "no_proxy": "no_proxy",
    "persist_config": "persist_config",
    "impersonate_user": "impersonate_user",
    "impersonate_groups": "impersonate_groups",
}
_BOOLEANS = ("validate_certs", "persist_config")
_PLAIN_USER_KEYS = {
    "token",
    "tokenFile",
    "client-certificate",
    "client-certificate-data",
    "client-key",
    "client-key-data",
    "username",
    "password",
    "as",
    "as-groups",
}
_SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"


def _no_authorization() -> str | None:
    return None


@dataclass(frozen=True)
class Connection:
    """Everything that a request needs to reach the API server; ``origin`` says in words where it came from."""

    server: str
    namespace: str = "default"
    origin: str = "the options"
    authorization: t.Callable[[], str | None] = field(default=_no_authorization, repr=False)
    verify: bool = True
    ca_file: str | None = None
    ca_data: bytes | None = field(default=None, repr=False)
    cert_file: str | None = None
    key_file: str | None = None
    cert_data: bytes | None = field(default=None, repr=False)
    key_data: bytes | None = field(default=None, repr=False)
    server_name: str | None = None
    proxy: str | None = field(default=None, repr=False)
    no_proxy: str | None = None
    proxy_headers: t.Mapping[str, str] | None = field(default=None, repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)


def read_settings(params: t.Mapping[str, t.Any], environ: Environ) -> dict[str, t.Any]:
    """The authentication options of a task, completed from the ``K8S_AUTH_*`` variables of ``environ``.

    An option that is given wins over its variable. The result has only what is set.
    """
    settings: dict[str, t.Any] = {}
    for option, client_name in CLIENT_NAMES.items():
        value = params.get(option)
        if value is None:
            text = environ.get(f"K8S_AUTH_{option.upper()}") or environ.get(f"K8S_AUTH_{client_name.upper()}")
            if text:
                value = _from_text(option, text)
        if value is not None:
            settings[option] = value
    proxy_headers = dict(params.get("proxy_headers") or {})
    for key in ("proxy_basic_auth", "basic_auth", "user_agent"):
        text = environ.get(f"K8S_AUTH_PROXY_HEADERS_{key.upper()}")
        if proxy_headers.get(key) is None and text:
            proxy_headers[key] = text
    proxy_headers = {key: value for key, value in proxy_headers.items() if value is not None}
    if proxy_headers:
        settings["proxy_headers"] = proxy_headers
    return settings


def _from_text(option: str, text: str) -> t.Any:
    if option in _BOOLEANS:
        return text.lower() not in ("0", "false", "no")
    if option == "impersonate_groups":
        return [group for group in text.split(",") if group]
    return text


def resolve(params: t.Mapping[str, t.Any], environ: Environ) -> Connection:
    """Find the API server and the credentials.

    The order is kubernetes.core's: a host with credentials of its own, then a kubeconfig or context that was named, then the
    service account of the pod that we run in, then the default kubeconfig. Raises ``OptionError`` where none can be had.
    """
    settings = read_settings(params, environ)
    if settings.get("host"):
        settings["host"] = str(settings["host"]).rstrip("/")
    has_credentials = (
        settings.get("api_key")
        or (settings.get("username") and settings.get("password"))
        or (settings.get("client_cert") and settings.get("client_key"))
    )
    if settings.get("host") and has_credentials:
        connection = Connection(server=settings["host"], origin='the option or variable "host" and its credentials')
    elif settings.get("kubeconfig") or settings.get("context"):
        connection = _from_kubeconfig(settings, environ)
    elif environ.get("KUBERNETES_SERVICE_HOST") and os.path.exists(os.path.join(_SERVICE_ACCOUNT, "token")):
        connection = _from_service_account(environ)
    else:
        connection = _from_kubeconfig(settings, environ)
    return _overridden(connection, {**_proxy_of_environment(connection, environ), **settings})


def _proxy_of_environment(connection: Connection, environ: Environ) -> dict[str, str]:
    """The proxy that the environment names for the server, as the ``kubernetes`` package takes it; a kubeconfig's own wins."""
    if connection.proxy:
        return {}
    scheme = connection.server.partition("://")[0]
    proxies = [environ.get(name) or environ.get(name.upper()) for name in (f"{scheme}_proxy", "all_proxy")]
    found = {"proxy": next((proxy for proxy in proxies if proxy), None), "no_proxy": environ.get("no_proxy") or environ.get("NO_PROXY")}
    return {option: value for option, value in found.items() if value}


def _overridden(connection: Connection, settings: t.Mapping[str, t.Any]) -> Connection:
    """``connection`` with what the task says itself on top, as kubernetes.core does."""
    changes: dict[str, t.Any] = {}
    if settings.get("host"):
        changes["server"] = settings["host"]
    if settings.get("api_key"):
        changes["authorization"] = _constant(f"Bearer {settings['api_key']}")
    elif settings.get("username") and settings.get("password"):
        changes["authorization"] = _constant(_basic(settings["username"], settings["password"]))
    if "validate_certs" in settings:
        changes["verify"] = settings["validate_certs"]
    if settings.get("ca_cert"):
        changes.update(ca_file=_existing("ca_cert", settings["ca_cert"]), ca_data=None)
    if settings.get("client_cert"):
        changes.update(cert_file=_existing("client_cert", settings["client_cert"]), cert_data=None)
    if settings.get("client_key"):
        changes.update(key_file=_existing("client_key", settings["client_key"]), key_data=None)
    for option in ("proxy", "no_proxy"):
        if settings.get(option):
            changes[option] = settings[option]
    if settings.get("proxy_headers"):
        changes["proxy_headers"] = settings["proxy_headers"]
    headers = list(connection.headers)
    if settings.get("impersonate_user"):
        headers.append(("Impersonate-User", settings["impersonate_user"]))
    headers.extend(("Impersonate-Group", group) for group in settings.get("impersonate_groups") or [])
    changes["headers"] = tuple(headers)
    values = {**connection.__dict__, **changes}
    return Connection(**values)


def _constant(value: str) -> t.Callable[[], str | None]:
    return lambda: value


def _basic(username: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


def _existing(option: str, path: str) -> str:
    path = os.path.expanduser(path)
    if not os.path.isfile(path):
        raise OptionError(f'The file "{path}" that the option "{option}" names does not exist.')
    return path


def _from_service_account(environ: Environ) -> Connection:
    host, port = environ["KUBERNETES_SERVICE_HOST"], environ.get("KUBERNETES_SERVICE_PORT", "443")
    if ":" in host:
        host = f"[{host}]"
    namespace = "default"
    with contextlib.suppress(OSError):
        namespace = _read_text(os.path.join(_SERVICE_ACCOUNT, "namespace")).strip() or namespace
    return Connection(
        server=f"https://{host}:{port}",
        namespace=namespace,
        origin="the service account of this pod",
        # Read again each time: the kubelet renews the token on disk.
        authorization=lambda: "Bearer " + _read_text(os.path.join(_SERVICE_ACCOUNT, "token")).strip(),
        ca_file=os.path.join(_SERVICE_ACCOUNT, "ca.crt"),
    )


def _read_text(path: str) -> str:
    with open(path, encoding="utf-8") as stream:
        return stream.read()


def _from_kubeconfig(settings: t.Mapping[str, t.Any], environ: Environ) -> Connection:
    source = settings.get("kubeconfig")
    if isinstance(source, t.Mapping):
        return _from_document(dict(source), "", 'the option "kubeconfig"', settings, environ)
    home = environ.get("HOME") or os.path.expanduser("~")
    if source:
        text, named = str(source), 'the option or variable "kubeconfig"'
    elif environ.get("KUBECONFIG"):
        text, named = environ["KUBECONFIG"], "the variable KUBECONFIG"
    else:
        text, named = os.path.join(home, ".kube", "config"), "the default place"
    paths = [_expanded(part, home) for part in text.split(os.pathsep) if part]
    existing = [path for path in paths if os.path.isfile(path)]
    if not existing:
        raise OptionError(
            f"No cluster is configured: there is no kubeconfig {' or '.join(paths)} ({named}), no host with credentials was "
            f'given, and this is not a pod. Set "kubeconfig", or "host" and "api_key", or their K8S_AUTH_ variables.'
        )
    if len(existing) > 1:
        return _through_client_library(os.pathsep.join(existing), named, settings, environ)
    path = existing[0]
    return _from_document(_parse_kubeconfig(path), os.path.dirname(path), f"kubeconfig {path}", settings, environ, path)


def _expanded(path: str, home: str) -> str:
    return os.path.join(home, path[2:]) if path.startswith("~/") else path


def _parse_kubeconfig(path: str) -> dict[str, t.Any]:
    from ansible_collections.vmscale.kubevirt.plugins.module_utils._yaml import parse_kubeconfig

    return parse_kubeconfig(path)


def _from_document(
    document: dict[str, t.Any],
    directory: str,
    origin: str,
    settings: t.Mapping[str, t.Any],
    environ: Environ,
    path: str | None = None,
) -> Connection:
    context_name = settings.get("context") or document.get("current-context")
    if not context_name:
        raise OptionError(f'No context is chosen in {origin}: set the option "context".')
    context = _named(document, "contexts", "context", context_name, origin)
    cluster = _named(document, "clusters", "cluster", context.get("cluster"), origin)
    user = _named(document, "users", "user", context.get("user"), origin) if context.get("user") else {}
    if not set(user) <= _PLAIN_USER_KEYS:
        return _through_client_library(path if path else document, origin, settings, environ)

    def located(value: str | None) -> str | None:
        return os.path.join(directory, value) if value else None

    if not cluster.get("server"):
        raise OptionError(f'The cluster of context "{context_name}" in {origin} has no server.')
    return Connection(
        server=str(cluster["server"]).rstrip("/"),
        namespace=context.get("namespace") or "default",
        origin=f'{origin}, context "{context_name}"',
        authorization=_user_authorization(user, located(user.get("tokenFile"))),
        verify=not cluster.get("insecure-skip-tls-verify", False),
        ca_file=located(cluster.get("certificate-authority")),
        ca_data=_decoded(cluster.get("certificate-authority-data"), "certificate-authority-data", origin),
        cert_file=located(user.get("client-certificate")),
        key_file=located(user.get("client-key")),
        cert_data=_decoded(user.get("client-certificate-data"), "client-certificate-data", origin),
        key_data=_decoded(user.get("client-key-data"), "client-key-data", origin),
        server_name=cluster.get("tls-server-name"),
        proxy=cluster.get("proxy-url"),
        headers=_impersonation(user),
    )


def _impersonation(user: t.Mapping[str, t.Any]) -> tuple[tuple[str, str], ...]:
    """The headers of a user of a kubeconfig who acts in somebody else's name."""
    headers = [("Impersonate-User", str(user["as"]))] if user.get("as") else []
    return (*headers, *(("Impersonate-Group", str(group)) for group in user.get("as-groups") or []))


def _user_authorization(user: t.Mapping[str, t.Any], token_file: str | None) -> t.Callable[[], str | None]:
    if user.get("token"):
        return _constant(f"Bearer {user['token']}")
    if token_file:
        path = token_file
        return lambda: "Bearer " + _read_text(path).strip()
    if user.get("username") and user.get("password"):
        return _constant(_basic(user["username"], user["password"]))
    return _no_authorization


def _named(document: t.Mapping[str, t.Any], section: str, key: str, name: t.Any, origin: str) -> dict[str, t.Any]:
    for entry in document.get(section) or []:
        if isinstance(entry, dict) and entry.get("name") == name:
            found = entry.get(key) or {}
            if not isinstance(found, dict):
                raise OptionError(f'The {key} "{name}" in {origin} is no mapping.')
            return found
    raise OptionError(f'{origin} has no {key} named "{name}".')


def _decoded(text: str | None, key: str, origin: str) -> bytes | None:
    if not text:
        return None
    try:
        return base64.b64decode(text, validate=False)
    except ValueError as error:
        raise OptionError(f"{key} in {origin} is not base64.") from error


@contextlib.contextmanager
def _process_environment(environ: Environ) -> t.Iterator[None]:
    """The ``kubernetes`` package and its exec plugins read the process environment: give them the task's for a moment."""
    saved = dict(os.environ)
    try:
        os.environ.update(environ)
        yield
    finally:
        os.environ.clear()
        os.environ.update(saved)


def _through_client_library(source: str | dict[str, t.Any], origin: str, settings: t.Mapping[str, t.Any], environ: Environ) -> Connection:
    try:
        from kubernetes import client, config
    except ImportError as error:
        raise DependencyError("kubernetes", f"for the kind of credentials that {origin} holds") from error
    configuration = client.Configuration()
    options = {
        "context": settings.get("context"),
        "client_configuration": configuration,
        "persist_config": bool(settings.get("persist_config", False)),
    }
    try:
        with _process_environment(environ):
            if isinstance(source, str):
                config.load_kube_config(config_file=source, **options)
                contexts, active = config.list_kube_config_contexts(config_file=source)
                documents = [_parse_kubeconfig(path) for path in source.split(os.pathsep)]
            else:
                config.load_kube_config_from_dict(config_dict=source, **options)
                contexts, active = source.get("contexts") or [], {"name": source.get("current-context")}
                documents = [source]
    except (config.ConfigException, ValueError, OSError) as error:
        raise OptionError(f"The credentials of {origin} cannot be had: {error}") from error
    if not configuration.auth_settings() and not configuration.cert_file:
        raise OptionError(f"The credentials of {origin} cannot be had: its plugin or provider gave neither a token nor a certificate.")
    chosen = settings.get("context") or active.get("name")
    context = next((entry.get("context") or {} for entry in contexts if entry.get("name") == chosen), {})
    users = [entry for document in documents for entry in document.get("users") or []]
    # The package knows nothing of acting in somebody else's name. Of users with the same name it takes the first, too.
    user = next((entry.get("user") or {} for entry in users if entry.get("name") == context.get("user")), {})

    def authorization() -> str | None:
        with _process_environment(environ):
            found = configuration.auth_settings().get("BearerToken") or {}
        # A file that holds a token ends in a newline.
        return str(found["value"]).strip() if found.get("value") else None

    return Connection(
        server=configuration.host.rstrip("/"),
        namespace=context.get("namespace") or "default",
        origin=origin,
        authorization=authorization,
        verify=configuration.verify_ssl,
        ca_file=configuration.ssl_ca_cert,
        cert_file=configuration.cert_file,
        key_file=configuration.key_file,
        server_name=getattr(configuration, "tls_server_name", None),
        proxy=configuration.proxy,
        no_proxy=configuration.no_proxy,
        proxy_headers=None,
        headers=_impersonation(user),
    )
