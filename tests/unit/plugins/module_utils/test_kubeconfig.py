# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every form of kubeconfig: what is read here, what goes through the package `kubernetes`, and what is wrong with it."""

from __future__ import annotations

import base64
import builtins
import os
import typing as t
from pathlib import Path

import pytest

from ansible_collections.vmscale.kubevirt.plugins.module_utils._connection import Connection, resolve
from ansible_collections.vmscale.kubevirt.plugins.module_utils._errors import DependencyError, OptionError
from unit.support.kubeconfig import Document, exec_user, kubeconfig, write

PEM = b"-----BEGIN CERTIFICATE-----\n"
DATA = base64.b64encode(PEM).decode()


def read(source: str | Document, context: str | None = None, **environ: str) -> Connection:
    """Return the connection that a kubeconfig says."""
    return resolve({"kubeconfig": source, "context": context}, environ)


@pytest.mark.parametrize("form", ["file", "mapping"])
def test_a_kubeconfig_may_be_a_file_or_a_mapping(tmp_path: Path, form: str) -> None:
    document = kubeconfig(namespace="prod")
    found = read(write(tmp_path / "k", document) if form == "file" else document)
    assert (found.server, found.namespace, found.authorization()) == ("https://one.example:6443", "prod", "Bearer token-one")
    where = f"kubeconfig {tmp_path}/k" if form == "file" else 'the option "kubeconfig"'
    assert found.origin == f'{where}, context "one"'


def test_the_context_can_be_chosen() -> None:
    document, other = kubeconfig(), kubeconfig(name="two", namespace="x")
    for section in ("contexts", "clusters", "users"):
        document[section] += other[section]
    assert read(document).server == "https://one.example:6443"
    chosen = read(document, "two")
    assert (chosen.server, chosen.namespace, chosen.authorization()) == ("https://two.example:6443", "x", "Bearer token-two")


def test_relative_paths_are_those_of_the_kubeconfig(tmp_path: Path) -> None:
    user = {"client-certificate": "pki/c.crt", "client-key": "../c.key", "tokenFile": "token"}
    source = write(tmp_path / "deep" / "k", kubeconfig(user, {"certificate-authority": "ca.crt"}))
    (tmp_path / "deep" / "token").write_text("from-file\n")
    found = read(source)
    directory = str(tmp_path / "deep")
    assert (found.ca_file, found.cert_file, found.key_file) == (f"{directory}/ca.crt", f"{directory}/pki/c.crt", f"{directory}/../c.key")
    assert found.authorization() == "Bearer from-file"
    (tmp_path / "deep" / "token").write_text("renewed")
    assert found.authorization() == "Bearer renewed"


def test_absolute_paths_stay(tmp_path: Path) -> None:
    assert read(write(tmp_path / "k", kubeconfig(cluster={"certificate-authority": "/etc/ca.crt"}))).ca_file == "/etc/ca.crt"


def test_embedded_data_is_decoded() -> None:
    user = {"client-certificate-data": DATA, "client-key-data": DATA}
    found = read(kubeconfig(user, {"certificate-authority-data": DATA}))
    assert (found.ca_data, found.cert_data, found.key_data) == (PEM, PEM, PEM)
    assert (found.ca_file, found.cert_file, found.key_file) == (None, None, None)
    assert found.authorization() is None


@pytest.mark.parametrize(
    ("user", "authorization"),
    [
        ({"token": "t", "tokenFile": "/nowhere", "username": "me", "password": "pw"}, "Bearer t"),
        ({"username": "me", "password": "pw"}, "Basic bWU6cHc="),
        ({"username": "me"}, None),
        ({}, None),
    ],
)
def test_which_credentials_of_a_user_count(user: Document, authorization: str | None) -> None:
    assert read(kubeconfig(user)).authorization() == authorization


def test_options_of_the_cluster_are_read() -> None:
    cluster = {"insecure-skip-tls-verify": True, "tls-server-name": "api.example", "proxy-url": "http://p:1", "server": "https://x:1/"}
    found = read(kubeconfig(cluster=cluster))
    assert (found.verify, found.server_name, found.proxy, found.server) == (False, "api.example", "http://p:1", "https://x:1")
    assert read(kubeconfig()).verify is True


def test_impersonation_of_the_user_is_read() -> None:
    found = read(kubeconfig({"token": "t", "as": "jane", "as-groups": ["dev", "ops"]}))
    assert found.headers == (("Impersonate-User", "jane"), ("Impersonate-Group", "dev"), ("Impersonate-Group", "ops"))


@pytest.mark.parametrize("form", ["file", "mapping", "two files"])
def test_impersonation_is_read_where_the_package_reads_the_rest(tmp_path: Path, form: str) -> None:
    document = kubeconfig(exec_user() | {"as": "jane", "as-groups": ["dev"]})
    source: str | Document = document if form == "mapping" else write(tmp_path / "k", document)
    if form == "two files":
        # The first of two users of the same name counts.
        source = f"{source}{os.pathsep}{write(tmp_path / 'other', kubeconfig({'token': 't', 'as': 'someone'}))}"
    assert read(source, "one").headers == (("Impersonate-User", "jane"), ("Impersonate-Group", "dev"))


def test_a_file_with_a_token_may_end_in_a_newline_where_the_package_reads_it(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from-file\n")
    files = [write(tmp_path / "k", kubeconfig({"tokenFile": "token"})), write(tmp_path / "other", kubeconfig(name="two"))]
    assert read(os.pathsep.join(files), "one").authorization() == "Bearer from-file"


def test_a_context_needs_no_user() -> None:
    document = kubeconfig()
    del document["contexts"][0]["context"]["user"]
    assert read(document).authorization() is None


def without(key: str) -> Document:
    """Return a kubeconfig that lacks something."""
    document = kubeconfig()
    document.pop(key)
    return document


@pytest.mark.parametrize(
    ("document", "context", "sentence"),
    [
        (without("current-context"), None, 'No context is chosen in the option "kubeconfig": set the option "context".'),
        (kubeconfig(), "two", 'the option "kubeconfig" has no context named "two".'),
        (without("contexts"), None, 'the option "kubeconfig" has no context named "one".'),
        (without("clusters"), None, 'the option "kubeconfig" has no cluster named "one".'),
        (without("users"), None, 'the option "kubeconfig" has no user named "one".'),
        ({**kubeconfig(), "contexts": "x"}, None, 'the option "kubeconfig" has no context named "one".'),
        (
            {**kubeconfig(), "contexts": [{"name": "one", "context": "x"}]},
            None,
            'The context "one" in the option "kubeconfig" is no mapping.',
        ),
        ({**kubeconfig(), "users": [{"name": "one", "user": ["x"]}]}, None, 'The user "one" in the option "kubeconfig" is no mapping.'),
        (kubeconfig(cluster={"server": ""}), None, 'The cluster of context "one" in the option "kubeconfig" has no server.'),
        (kubeconfig({"client-key-data": "a"}), None, 'client-key-data in the option "kubeconfig" is not base64.'),
        (
            kubeconfig(cluster={"certificate-authority-data": "YQ"}),
            None,
            'certificate-authority-data in the option "kubeconfig" is not base64.',
        ),
    ],
)
def test_what_a_kubeconfig_lacks_is_said(document: Document, context: str | None, sentence: str) -> None:
    with pytest.raises(OptionError) as caught:
        read(document, context)
    assert caught.value.message == sentence


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"a: [", "is not YAML"),
        (b"\xff\xfe\x00", "is not YAML"),
        (b"", "is not a kubeconfig: it holds no mapping"),
        (b"- a\n", "is not a kubeconfig: it holds no mapping"),
        (b"text", "is not a kubeconfig: it holds no mapping"),
    ],
)
def test_a_file_that_is_no_kubeconfig_is_said(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "k").write_bytes(content)
    with pytest.raises(OptionError, match=f'The kubeconfig "{tmp_path}/k" {words}'):
        read(str(tmp_path / "k"))


@pytest.mark.parametrize("form", ["file", "mapping"])
def test_an_exec_plugin_is_asked_through_the_package(tmp_path: Path, form: str) -> None:
    document = kubeconfig(exec_user(), namespace="prod")
    found = read(write(tmp_path / "k", document) if form == "file" else document)
    assert (found.server, found.namespace, found.authorization()) == ("https://one.example:6443", "prod", "Bearer from-plugin")


def test_an_exec_plugin_sees_the_environment_of_the_task(tmp_path: Path) -> None:
    script = 'printf \'%s\' \'{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"\'"$WHO"\'"}}\''
    before = dict(os.environ)
    found = read(write(tmp_path / "k", kubeconfig(exec_user(args=["-c", script]))), PATH=os.environ["PATH"], WHO="task")
    assert found.authorization() == "Bearer task"
    assert dict(os.environ) == before


def test_an_exec_plugin_with_another_context(tmp_path: Path) -> None:
    document, other = kubeconfig(), kubeconfig(exec_user(), name="two", namespace="x")
    for section in ("contexts", "clusters", "users"):
        document[section] += other[section]
    found = read(write(tmp_path / "k", document), "two")
    assert (found.server, found.namespace, found.authorization()) == ("https://two.example:6443", "x", "Bearer from-plugin")


def test_several_kubeconfigs_are_merged(tmp_path: Path) -> None:
    paths = [write(tmp_path / name, kubeconfig(name=name, namespace=name)) for name in ("one", "two")]
    merged = os.pathsep.join(paths)
    found = read(merged, "one")
    assert (found.server, found.namespace, found.authorization()) == ("https://one.example:6443", "one", "Bearer token-one")
    chosen = resolve({"context": "two"}, {"KUBECONFIG": merged})
    assert (chosen.server, chosen.namespace, chosen.authorization()) == ("https://two.example:6443", "two", "Bearer token-two")


@pytest.mark.parametrize("command", ["/nowhere/plugin", "false"])
def test_an_exec_plugin_that_fails_is_a_failure_with_a_sentence(tmp_path: Path, command: str) -> None:
    with pytest.raises(OptionError, match="The credentials of kubeconfig .* cannot be had"):
        read(write(tmp_path / "k", kubeconfig(exec_user(command=command, args=[]))))


def test_without_the_package_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real_import = builtins.__import__

    def without_kubernetes(name: str, *args: t.Any, **kwargs: t.Any) -> t.Any:
        if name.partition(".")[0] == "kubernetes":
            raise ImportError(name)
        return real_import(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without_kubernetes)
    with pytest.raises(DependencyError, match=r'The Python package "kubernetes" is needed for the kind of credentials that the option'):
        read(kubeconfig(exec_user()))
    assert read(kubeconfig()).authorization() == "Bearer token-one"
