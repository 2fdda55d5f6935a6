# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""TLS: whom the client trusts, and how it shows who it is."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from ansible_collections.vmscale.kubevirt.plugins.module_utils._api import Api
from ansible_collections.vmscale.kubevirt.plugins.module_utils._connection import Connection
from ansible_collections.vmscale.kubevirt.plugins.module_utils._errors import ConnectionFailed, OptionError
from ansible_collections.vmscale.kubevirt.plugins.module_utils._resources import REPLICA_SETS
from unit.support.certificates import Certificates, make_certificates
from unit.support.clock import FakeClock
from unit.support.server import Request, Server, listening


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """The files of a little cluster."""
    return make_certificates(tmp_path_factory.mktemp("certificates"))


def ask(certificates: Certificates, server: Server | None = None, clock: FakeClock | None = None, **connection: t.Any) -> list[Request]:
    """Return what a client with that connection sends over TLS."""
    server = server or Server()
    with listening(server, certificates.server_side()) as address:
        Api(Connection(**{"server": address, **connection}), clock or FakeClock()).get(REPLICA_SETS, "ns", "web")
    return server.requests


def test_an_authority_from_a_file_is_trusted(certificates: Certificates) -> None:
    assert len(ask(certificates, ca_file=certificates.path("ca.crt"))) == 1


def test_an_authority_from_a_kubeconfig_is_trusted(certificates: Certificates) -> None:
    assert len(ask(certificates, ca_data=certificates.data("ca.crt"))) == 1


@pytest.mark.parametrize("trusted", [None, "other.crt"])
def test_nobody_else_is_trusted_and_nothing_is_tried_again(certificates: Certificates, trusted: str | None) -> None:
    clock, server = FakeClock(), Server()
    with pytest.raises(ConnectionFailed) as caught:
        ask(certificates, server, clock, ca_file=certificates.path(trusted) if trusted else None)
    assert caught.value.message.startswith("TLS with https://127.0.0.1:")
    assert caught.value.message.endswith('Check "ca_cert", "client_cert" and "validate_certs".')
    assert "certificate verify failed" in caught.value.message
    assert (server.requests, clock.slept) == ([], [])


def test_anybody_is_trusted_where_that_is_asked_for(certificates: Certificates, recwarn: pytest.WarningsRecorder) -> None:
    assert len(ask(certificates, verify=False)) == 1
    assert len(ask(certificates, verify=False, ca_file=certificates.path("other.crt"))) == 1
    assert [str(warning.message) for warning in recwarn] == []


def test_the_certificate_must_carry_the_name(certificates: Certificates) -> None:
    with pytest.raises(ConnectionFailed, match="api.example"):
        ask(certificates, ca_file=certificates.path("ca.crt"), server_name="api.example")
    tls = certificates.server_side()
    tls.load_cert_chain(certificates.path("named.crt"), certificates.path("named.key"))
    with listening(Server(), tls) as address:
        named = Connection(server=address, ca_file=certificates.path("ca.crt"), server_name="api.example")
        assert Api(named, FakeClock()).get(REPLICA_SETS, "ns", "web") == {}
        with pytest.raises(ConnectionFailed, match="TLS with"):
            Api(Connection(server=address, ca_file=certificates.path("ca.crt")), FakeClock()).get(REPLICA_SETS, "ns", "web")


@pytest.mark.parametrize("certificate", ["file", "data"])
@pytest.mark.parametrize("key", ["file", "data"])
def test_a_client_certificate_is_shown_however_it_is_given(certificates: Certificates, certificate: str, key: str) -> None:
    parts: dict[str, t.Any] = {"ca_file": certificates.path("ca.crt")}
    parts |= {"cert_file": certificates.path("client.crt")} if certificate == "file" else {"cert_data": certificates.data("client.crt")}
    parts |= {"key_file": certificates.path("client.key")} if key == "file" else {"key_data": certificates.data("client.key")}
    assert [each.client for each in ask(certificates, **parts)] == ["tester"]
    assert [each.client for each in ask(certificates, ca_file=certificates.path("ca.crt"))] == [None]


def test_no_key_stays_on_disk(certificates: Certificates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    data: dict[str, t.Any] = {"cert_data": certificates.data("client.crt"), "key_data": certificates.data("client.key")}
    ask(certificates, ca_file=certificates.path("ca.crt"), **data)
    with pytest.raises(OptionError):
        ask(certificates, cert_data=b"nothing", key_data=b"nothing")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"ca_data": b"no certificate"}, "The CA certificate of the options cannot be read"),
        ({"ca_data": b"\xff\xfe"}, "The CA certificate of the options cannot be read"),
        ({"ca_file": "/nowhere/ca.crt"}, "The CA certificate of the options cannot be read"),
        ({"cert_file": "/nowhere/x.crt"}, "The client certificate of the options cannot be used"),
        ({"cert_data": b"no certificate", "key_data": b"no key"}, "The client certificate of the options cannot be used"),
    ],
)
def test_what_is_no_certificate_is_said(parts: dict[str, t.Any], words: str) -> None:
    with pytest.raises(OptionError, match=words):
        Api(Connection(server="https://127.0.0.1:1", **parts))


def test_a_client_certificate_with_the_key_of_another_is_said(certificates: Certificates) -> None:
    pair = {"cert_file": certificates.path("client.crt"), "key_file": certificates.path("server.key")}
    with pytest.raises(OptionError, match="The client certificate of the options cannot be used"):
        Api(Connection(server="https://127.0.0.1:1", **pair))  # type: ignore[arg-type]


def test_plain_http_to_a_server_of_tls_is_a_failure(certificates: Certificates) -> None:
    server = Server()
    with listening(server, certificates.server_side()) as address, pytest.raises(ConnectionFailed):
        Api(Connection(server=address.replace("https", "http")), FakeClock()).get(REPLICA_SETS, "ns", "web")
    assert server.requests == []


def test_a_proxy_is_asked_unless_it_is_to_be_passed_by() -> None:
    proxy, origin = Server(), Server()
    with listening(proxy) as via, listening(origin) as address:
        headers = {"proxy_basic_auth": "me:pw", "user_agent": "x"}
        Api(Connection(server=address, proxy=via, proxy_headers=headers), FakeClock()).get(REPLICA_SETS, "ns", "a")
        for no_proxy in ("127.0.0.1", "*", "example, 127.0.0.1", ".127.0.0.1"):
            Api(Connection(server=address, proxy=via, no_proxy=no_proxy), FakeClock()).get(REPLICA_SETS, "ns", "b")
        Api(Connection(server=address, proxy=via, no_proxy="27.0.0.1,other"), FakeClock()).get(REPLICA_SETS, "ns", "c")
    assert [each.path.rpartition("/")[2] for each in proxy.requests] == ["a", "c"]
    assert [each.path.rpartition("/")[2] for each in origin.requests] == ["b"] * 4
    assert proxy.requests[0].header("Proxy-Authorization") == ["Basic bWU6cHc="]
