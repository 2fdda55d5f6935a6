# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plain credentials are read here, all others by the package `kubernetes`: what a server sees of each form is the same both ways."""

from __future__ import annotations

import base64
import os
import typing as t
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ansible_collections.vmscale.kubevirt.plugins.module_utils import _connection
from ansible_collections.vmscale.kubevirt.plugins.module_utils._api import Api
from ansible_collections.vmscale.kubevirt.plugins.module_utils._connection import resolve
from ansible_collections.vmscale.kubevirt.plugins.module_utils._resources import REPLICA_SETS
from unit.support.certificates import Certificates, make_certificates
from unit.support.clock import FakeClock
from unit.support.kubeconfig import Document, kubeconfig, write
from unit.support.server import Request, Server, listening


@dataclass(frozen=True)
class Form:
    """The user and the cluster of a kubeconfig, and options and variables of the task that are put on top."""

    user: Callable[[Certificates], Document]
    cluster: Document = field(default_factory=dict)
    params: Document = field(default_factory=dict)
    environ: dict[str, str] = field(default_factory=dict)


def embedded(certificates: Certificates) -> Document:
    """Return a user with its certificate in the kubeconfig."""
    names = {"client-certificate-data": "client.crt", "client-key-data": "client.key"}
    return {key: base64.b64encode(certificates.data(name)).decode() for key, name in names.items()}


def in_files(certificates: Certificates) -> Document:
    return {"client-certificate": certificates.path("client.crt"), "client-key": certificates.path("client.key")}


def given(**user: t.Any) -> Callable[[Certificates], Document]:
    return lambda _certificates: user


ANOTHER = {"server": "https://nobody.invalid:1"}
FORMS = {
    "a token": Form(given(token="t")),
    "a file with a token": Form(given(tokenFile="token")),
    "user and password": Form(given(username="me", password="pw")),
    "a token and user and password": Form(given(token="t", username="me", password="pw")),
    "an embedded certificate": Form(embedded),
    "a certificate in files": Form(in_files),
    "a certificate and a token": Form(lambda certificates: {**in_files(certificates), "token": "t"}),
    "a certificate half embedded": Form(
        lambda certificates: {
            "client-certificate": certificates.path("client.crt"),
            "client-key-data": embedded(certificates)["client-key-data"],
        }
    ),
    "a server that is not validated": Form(given(token="t"), {"insecure-skip-tls-verify": True}),
    "a server of another name": Form(given(token="t"), {"tls-server-name": "127.0.0.1"}),
    "someone else in whose name it is": Form(given(token="t", **{"as": "jane", "as-groups": ["dev", "ops"]})),
    "a token of the task on top": Form(given(token="t"), params={"api_key": "mine"}),
    "a token of the task's environment on top": Form(given(token="t"), environ={"K8S_AUTH_API_KEY": "mine"}),
    "a task in someone's name": Form(given(token="t"), params={"impersonate_user": "jane", "impersonate_groups": ["dev"]}),
    "a host of the task on top": Form(given(token="t"), ANOTHER, params={"host": "{address}"}),
}


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """The files of a little cluster."""
    return make_certificates(tmp_path_factory.mktemp("certificates"))


def asked(certificates: Certificates, directory: Path, form: Form) -> Request:
    """Send one request as the kubeconfig says, and return what the server was sent."""
    server = Server()
    with listening(server, certificates.server_side()) as address:
        cluster = {"server": address, "certificate-authority": certificates.path("ca.crt"), **form.cluster}
        if cluster.get("insecure-skip-tls-verify"):
            del cluster["certificate-authority"]
        (directory / "token").write_text("from-file\n")
        source = write(directory / "kubeconfig", kubeconfig(form.user(certificates), cluster, namespace="there"))
        params = {key: value.format(address=address) if isinstance(value, str) else value for key, value in form.params.items()}
        connection = resolve({"kubeconfig": source, **params}, {**os.environ, **form.environ})
        Api(connection, FakeClock()).get(REPLICA_SETS, connection.namespace, "web")
    (request,) = server.requests
    return request


def seen(request: Request) -> tuple[str, str | None, list[tuple[str, str]]]:
    """Return what tells a server who asks for what."""
    names = ("authorization", "impersonate-user", "impersonate-group")
    return request.path, request.client, sorted((key.lower(), value) for key, value in request.headers if key.lower() in names)


@pytest.mark.parametrize("name", FORMS)
def test_a_server_sees_the_same_both_ways(
    certificates: Certificates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, recwarn: pytest.WarningsRecorder
) -> None:
    calls: list[str] = []
    through_package = _connection._through_client_library

    def counted(*arguments: t.Any, **options: t.Any) -> t.Any:
        calls.append("package")
        return through_package(*arguments, **options)

    monkeypatch.setattr(_connection, "_through_client_library", counted)
    plain = asked(certificates, tmp_path, FORMS[name])
    assert calls == []
    # Now there is no user that would be plain.
    monkeypatch.setattr(_connection, "_PLAIN_USER_KEYS", set())
    through = asked(certificates, tmp_path, FORMS[name])
    assert calls == ["package"]

    assert seen(plain) == seen(through)
    assert plain.path.startswith("/apis/kubevirt.io/v1/namespaces/there/")
    assert len(recwarn) == 0
