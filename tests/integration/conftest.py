# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fixtures of the integration tests; README.md says how to use them."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dev.sandbox import Sandbox
from integration.support.accounts import USER, AsUser, account
from integration.support.ansible import Ansible, Shell
from integration.support.api import Api
from integration.support.audit import AuditLog
from integration.support.awx_credential import BearerToken
from integration.support.cluster import Cluster, given_kubeconfig, real_cluster, sandbox_cluster
from integration.support.credentials import read_credentials
from integration.support.kill import Killer
from integration.support.selection import IS_SLOW_WANTED, WHY_NOT, is_slow

SANDBOX_TESTS = Path(__file__).parent / "sandbox"
SANDBOX = os.environ.get("VMSCALE_TEST_SANDBOX", "integration")


def pytest_report_header() -> str:
    """Say which cluster the tests are about to use."""
    given = given_kubeconfig(os.environ)
    return f"cluster: real, {given}" if given else f"cluster: sandbox {SANDBOX}"


# First, since pytest-xdist reads the groups in its own hook.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The tests of the sandbox share sandboxes of their own: they stay together on one worker. Slow tests run on demand."""
    for item in items:
        if is_slow(item) and not IS_SLOW_WANTED:
            item.add_marker(pytest.mark.skip(reason=WHY_NOT))
        if SANDBOX_TESTS in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("sandboxes"))


@pytest.fixture(scope="session")
def cluster() -> Cluster:
    """The cluster; a sandbox that the tests brought up stays up, so that the next run starts at once."""
    given = given_kubeconfig(os.environ)
    return real_cluster(given) if given else sandbox_cluster(Sandbox(SANDBOX))


@pytest.fixture(scope="session")
def api(cluster: Cluster) -> Api:
    """What is really there, seen by the admin and without the code under test."""
    return Api(cluster.admin)


@pytest.fixture
def namespace(api: Api) -> Iterator[str]:
    """A namespace of the test's own; deleted after it, without waiting."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    api.create("namespaces", None, {"metadata": {"name": name, "labels": {"vmscale.kubevirt/test": "integration"}}})
    yield name
    api.delete("namespaces", None, name)


@pytest.fixture
def other_namespace(api: Api, namespace: str) -> Iterator[str]:
    """A second namespace of the test's own."""
    name = f"{namespace}-other"
    api.create("namespaces", None, {"metadata": {"name": name, "labels": {"vmscale.kubevirt/test": "integration"}}})
    yield name
    api.delete("namespaces", None, name)


@pytest.fixture
def make_ansible(cluster: Cluster, namespace: str, tmp_path: Path) -> Callable[..., Ansible]:
    """Return a maker of `Ansible`, for a shell and one of the cluster's kubeconfigs (operator's by default)."""

    def make(shell: Shell = "local", kubeconfig: Path | None = cluster.operator) -> Ansible:
        return Ansible(tmp_path, kubeconfig, shell, namespace)

    return make


@pytest.fixture(params=["local", "remote"])
def shell(request: pytest.FixtureRequest) -> Shell:
    """Each shell in turn: inside ansible's worker, and as a module process."""
    chosen: Shell = request.param
    return chosen


@pytest.fixture
def ansible(make_ansible: Callable[..., Ansible], shell: Shell) -> Ansible:
    """Ansible as the operator, once through each shell."""
    return make_ansible(shell)


@pytest.fixture
def local_ansible(make_ansible: Callable[..., Ansible]) -> Ansible:
    """Ansible as the operator, through the local shell alone."""
    return make_ansible()


@pytest.fixture
def audit(cluster: Cluster, namespace: str, request: pytest.FixtureRequest) -> AuditLog:
    """What the API server was asked: in the test's namespace, or anywhere where the test runs alone; skips where there is no log."""
    if cluster.audit is None:
        pytest.skip("needs the audit log of the sandbox")
    is_alone = request.node.get_closest_marker("serial") is not None
    return AuditLog(cluster.audit, None if is_alone else namespace)


@pytest.fixture
def as_user(api: Api, cluster: Cluster, namespace: str, tmp_path: Path, make_ansible: Callable[..., Ansible]) -> AsUser:
    """Return a maker of `Ansible` as a new account of the namespace, which has those rights and no others."""
    return lambda rights: make_ansible(kubeconfig=account(api, cluster.admin, namespace, USER, rights, tmp_path))


@pytest.fixture
def killer(sandbox: Sandbox, audit: AuditLog) -> Killer:
    """Kills runs at a stage of one's choice; skips on a real cluster."""
    return Killer(sandbox.name, audit)


@pytest.fixture
def nobody(cluster: Cluster) -> Path:
    """The kubeconfig of a user without rights; skips on a cluster that has none."""
    if cluster.nobody is None:
        pytest.skip("needs the unprivileged user of the sandbox")
    return cluster.nobody


@pytest.fixture
def sandbox(cluster: Cluster) -> Sandbox:
    """The sandbox and its dials; skips on a real cluster."""
    if cluster.sandbox is None:
        pytest.skip("needs the dials of the sandbox")
    return cluster.sandbox


@pytest.fixture
def operator_token(sandbox: Sandbox) -> BearerToken:
    """AWX's credential for the sandbox's operator, with the text of the CA."""
    found = read_credentials(sandbox.name)
    return BearerToken(found.server, found.token, found.ca_file.read_text(encoding="utf-8"))
