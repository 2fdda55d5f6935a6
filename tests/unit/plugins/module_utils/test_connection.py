# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the API server is found: options, variables, kubeconfig, service account, and which of them wins."""

from __future__ import annotations

import base64
import typing as t
from pathlib import Path

import pytest

from ansible_collections.vmscale.kubevirt.plugins.module_utils import _connection
from ansible_collections.vmscale.kubevirt.plugins.module_utils._connection import read_settings, resolve
from ansible_collections.vmscale.kubevirt.plugins.module_utils._errors import OptionError
from unit.support.kubeconfig import kubeconfig, write

Settings = dict[str, t.Any]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home directory with a kubeconfig `default`, outside of any pod."""
    monkeypatch.setattr(_connection, "_SERVICE_ACCOUNT", str(tmp_path / "serviceaccount"))
    write(tmp_path / ".kube" / "config", kubeconfig(name="default"))
    return tmp_path


def service_account(home: Path) -> dict[str, str]:
    """Make the files of a pod, and return its variables."""
    directory = home / "serviceaccount"
    directory.mkdir()
    (directory / "token").write_text("pod-token\n")
    (directory / "namespace").write_text("pod-namespace\n")
    return {"HOME": str(home), "KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "6443"}


@pytest.mark.parametrize("variable", ["K8S_AUTH_HOST", "K8S_AUTH_API_KEY", "K8S_AUTH_CA_CERT", "K8S_AUTH_CONTEXT"])
def test_an_option_wins_over_its_variable(variable: str) -> None:
    option = variable.removeprefix("K8S_AUTH_").lower()
    assert read_settings({option: "option"}, {variable: "variable"}) == {option: "option"}
    assert read_settings({option: None}, {variable: "variable"}) == {option: "variable"}
    assert read_settings({}, {variable: ""}) == {}


@pytest.mark.parametrize(
    ("variable", "text", "option", "value"),
    [
        ("K8S_AUTH_VERIFY_SSL", "no", "validate_certs", False),
        ("K8S_AUTH_VERIFY_SSL", "False", "validate_certs", False),
        ("K8S_AUTH_VALIDATE_CERTS", "0", "validate_certs", False),
        ("K8S_AUTH_VALIDATE_CERTS", "yes", "validate_certs", True),
        ("K8S_AUTH_SSL_CA_CERT", "/ca", "ca_cert", "/ca"),
        ("K8S_AUTH_CERT_FILE", "/crt", "client_cert", "/crt"),
        ("K8S_AUTH_CLIENT_CERT", "/crt", "client_cert", "/crt"),
        ("K8S_AUTH_KEY_FILE", "/key", "client_key", "/key"),
        ("K8S_AUTH_USERNAME", "me", "username", "me"),
        ("K8S_AUTH_PASSWORD", "pw", "password", "pw"),
        ("K8S_AUTH_KUBECONFIG", "/k", "kubeconfig", "/k"),
        ("K8S_AUTH_PROXY", "http://p", "proxy", "http://p"),
        ("K8S_AUTH_NO_PROXY", "x", "no_proxy", "x"),
        ("K8S_AUTH_PERSIST_CONFIG", "true", "persist_config", True),
        ("K8S_AUTH_IMPERSONATE_USER", "jane", "impersonate_user", "jane"),
        ("K8S_AUTH_IMPERSONATE_GROUPS", "dev,,ops", "impersonate_groups", ["dev", "ops"]),
        ("K8S_AUTH_PROXY_HEADERS_PROXY_BASIC_AUTH", "a:b", "proxy_headers", {"proxy_basic_auth": "a:b"}),
        ("K8S_AUTH_PROXY_HEADERS_USER_AGENT", "x", "proxy_headers", {"user_agent": "x"}),
    ],
)
def test_both_spellings_of_a_variable_are_read(variable: str, text: str, option: str, value: t.Any) -> None:
    assert read_settings({}, {variable: text}) == {option: value}


def test_the_name_of_the_option_wins_over_the_other_spelling() -> None:
    assert read_settings({}, {"K8S_AUTH_CA_CERT": "/a", "K8S_AUTH_SSL_CA_CERT": "/b"}) == {"ca_cert": "/a"}


def test_options_and_variables_of_proxy_headers_complete_each_other() -> None:
    environ = {"K8S_AUTH_PROXY_HEADERS_USER_AGENT": "x", "K8S_AUTH_PROXY_HEADERS_BASIC_AUTH": "a:b"}
    found = read_settings({"proxy_headers": {"user_agent": "mine", "basic_auth": None}}, environ)
    assert found == {"proxy_headers": {"user_agent": "mine", "basic_auth": "a:b"}}


HOST = "https://option.example:6443"


@pytest.mark.parametrize(
    ("params", "environ", "server", "authorization"),
    [
        ({}, {}, "https://default.example:6443", "Bearer token-default"),
        ({"host": HOST, "api_key": "t"}, {}, HOST, "Bearer t"),
        ({"host": f"{HOST}//", "api_key": "t"}, {}, HOST, "Bearer t"),
        ({"host": HOST, "username": "me", "password": "pw"}, {}, HOST, "Basic bWU6cHc="),
        ({}, {"K8S_AUTH_HOST": HOST, "K8S_AUTH_API_KEY": "t"}, HOST, "Bearer t"),
        ({"host": HOST}, {"K8S_AUTH_API_KEY": "t"}, HOST, "Bearer t"),
        # A host alone, or credentials alone, are put on top of the kubeconfig.
        ({"host": HOST}, {}, HOST, "Bearer token-default"),
        ({"api_key": "t"}, {}, "https://default.example:6443", "Bearer t"),
        ({"username": "me"}, {}, "https://default.example:6443", "Bearer token-default"),
        ({"api_key": "t", "username": "me", "password": "pw"}, {}, "https://default.example:6443", "Bearer t"),
        # A kubeconfig that is named wins over KUBECONFIG and the default.
        ({"kubeconfig": "{home}/one"}, {"KUBECONFIG": "{home}/two"}, "https://one.example:6443", "Bearer token-one"),
        ({}, {"KUBECONFIG": "{home}/two"}, "https://two.example:6443", "Bearer token-two"),
        ({}, {"K8S_AUTH_KUBECONFIG": "{home}/one", "KUBECONFIG": "{home}/two"}, "https://one.example:6443", "Bearer token-one"),
        ({"kubeconfig": "~/one"}, {}, "https://one.example:6443", "Bearer token-one"),
        ({"kubeconfig": "{home}/missing:{home}/one"}, {}, "https://one.example:6443", "Bearer token-one"),
        # A host with credentials needs no kubeconfig at all.
        ({"host": HOST, "api_key": "t", "kubeconfig": "{home}/missing"}, {}, HOST, "Bearer t"),
        ({"host": HOST, "kubeconfig": "{home}/one"}, {}, HOST, "Bearer token-one"),
    ],
)
def test_order_of_precedence(home: Path, params: Settings, environ: dict[str, str], server: str, authorization: str) -> None:
    for name in ("one", "two"):
        write(home / name, kubeconfig(name=name))
    params = {key: value.format(home=home) for key, value in params.items()}
    environ = {key: value.format(home=home) for key, value in {"HOME": str(home), **environ}.items()}
    found = resolve(params, environ)
    assert (found.server, found.authorization()) == (server, authorization)


def test_a_pod_uses_its_service_account_unless_a_kubeconfig_is_named(home: Path) -> None:
    environ = service_account(home)
    found = resolve({}, environ)
    assert (found.server, found.namespace, found.authorization()) == ("https://10.0.0.1:6443", "pod-namespace", "Bearer pod-token")
    assert found.ca_file == str(home / "serviceaccount" / "ca.crt")
    assert found.origin == "the service account of this pod"
    # The kubelet writes a new token every hour.
    (home / "serviceaccount" / "token").write_text("renewed")
    assert found.authorization() == "Bearer renewed"
    # KUBECONFIG comes after the service account, the option and its variable before it.
    assert resolve({}, {**environ, "KUBECONFIG": str(home / ".kube" / "config")}).server == "https://10.0.0.1:6443"
    named = resolve({"kubeconfig": str(home / ".kube" / "config")}, environ)
    assert named.server == "https://default.example:6443"
    assert resolve({"context": "default"}, environ).server == "https://default.example:6443"
    assert resolve({}, {**environ, "KUBERNETES_SERVICE_HOST": "fd00::1"}).server == "https://[fd00::1]:6443"


def test_without_a_token_it_is_no_pod(home: Path) -> None:
    assert resolve({}, {"HOME": str(home), "KUBERNETES_SERVICE_HOST": "10.0.0.1"}).server == "https://default.example:6443"


def test_what_the_task_says_lies_on_top_of_the_kubeconfig(home: Path, tmp_path: Path) -> None:
    files = {name: str(tmp_path / name) for name in ("ca", "crt", "key")}
    for path in files.values():
        Path(path).write_text("x")
    data = base64.b64encode(b"embedded").decode()
    user = {"client-certificate-data": data, "client-key-data": data, "as": "file", "as-groups": ["g"]}
    source = write(tmp_path / "k", kubeconfig(user, {"certificate-authority-data": data, "insecure-skip-tls-verify": True}))
    params = {
        "kubeconfig": source,
        "validate_certs": True,
        "ca_cert": files["ca"],
        "client_cert": files["crt"],
        "client_key": files["key"],
        "proxy": "http://proxy:3128",
        "no_proxy": "x",
        "proxy_headers": {"user_agent": "x"},
        "impersonate_user": "jane",
        "impersonate_groups": ["dev"],
    }
    found = resolve(params, {"HOME": str(home)})
    assert found.verify is True
    assert (found.ca_file, found.ca_data) == (files["ca"], None)
    assert (found.cert_file, found.cert_data, found.key_file, found.key_data) == (files["crt"], None, files["key"], None)
    assert (found.proxy, found.no_proxy, found.proxy_headers) == ("http://proxy:3128", "x", {"user_agent": "x"})
    assert {("Impersonate-User", "jane"), ("Impersonate-Group", "dev")} <= set(found.headers)


@pytest.mark.parametrize("option", ["ca_cert", "client_cert", "client_key"])
def test_a_file_that_does_not_exist_is_named(home: Path, option: str) -> None:
    with pytest.raises(OptionError, match=f'The file "{home}/missing" that the option "{option}" names does not exist'):
        resolve({option: f"{home}/missing"}, {"HOME": str(home)})


@pytest.mark.parametrize(
    ("environ", "proxy"),
    [
        ({"HTTPS_PROXY": "http://p:1"}, "http://p:1"),
        ({"https_proxy": "http://p:2", "HTTPS_PROXY": "http://p:1"}, "http://p:2"),
        ({"HTTP_PROXY": "http://p:1"}, None),
        ({}, None),
        ({"HTTPS_PROXY": "http://p:1", "K8S_AUTH_PROXY": "http://p:3"}, "http://p:3"),
    ],
)
def test_the_proxy_of_the_environment_is_used_unless_another_is_named(home: Path, environ: dict[str, str], proxy: str | None) -> None:
    found = resolve({}, {"HOME": str(home), "NO_PROXY": "a,b", **environ})
    assert (found.proxy, found.no_proxy) == (proxy, "a,b")
    own = write(home / "own", kubeconfig(cluster={"proxy-url": "http://own:1"}))
    assert resolve({"kubeconfig": own}, {"HOME": str(home), "HTTPS_PROXY": "http://p:1"}).proxy == "http://own:1"


@pytest.mark.parametrize(
    ("params", "environ", "where"),
    [
        ({}, {}, "{home}/empty/.kube/config (the default place)"),
        ({}, {"KUBECONFIG": "{home}/x:{home}/y"}, "{home}/x or {home}/y (the variable KUBECONFIG)"),
        ({"kubeconfig": "{home}/x"}, {}, '{home}/x (the option or variable "kubeconfig")'),
        ({"host": HOST}, {}, "{home}/empty/.kube/config (the default place)"),
        ({"kubeconfig": "{home}/.kube"}, {}, '{home}/.kube (the option or variable "kubeconfig")'),
    ],
)
def test_where_no_cluster_is_configured_all_that_was_looked_at_is_said(
    home: Path, params: Settings, environ: dict[str, str], where: str
) -> None:
    params = {key: value.format(home=home) for key, value in params.items()}
    environ = {key: value.format(home=home) for key, value in {"HOME": "{home}/empty", **environ}.items()}
    with pytest.raises(OptionError) as caught:
        resolve(params, environ)
    assert caught.value.message.startswith(f"No cluster is configured: there is no kubeconfig {where.format(home=home)}, no host")
    assert 'Set "kubeconfig", or "host" and "api_key", or their K8S_AUTH_ variables.' in caught.value.message


def test_no_secret_shows_in_the_representation(home: Path) -> None:
    data = base64.b64encode(b"s3cret-pw").decode()
    user = {"token": "s3cret-pw", "client-certificate-data": data, "client-key-data": data}
    found = resolve({"kubeconfig": kubeconfig(user), "proxy": "http://me:s3cret-pw@p"}, {"HOME": str(home)})
    assert "s3cret-pw" not in repr(found)
