# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The cluster under the tests: the sandbox, or a real one that the environment names."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from dev.sandbox import Sandbox


@dataclass(frozen=True)
class Cluster:
    """Where the cluster is and who may do what on it."""

    description: str
    admin: Path
    """May do everything; for preparing and looking, never handed to the code under test by default."""
    operator: Path
    """Has the rights of playbooks/files/rbac.yml and no others."""
    nobody: Path | None
    """Is authenticated and has no rights at all."""
    audit: Path | None
    sandbox: Sandbox | None

    @property
    def is_simulated(self) -> bool:
        return self.sandbox is not None

    def load(self, replica_set: str, namespace: str, percent: int) -> None:
        """Make the VMIs of a set use that share of the CPU that they request."""
        if self.sandbox is not None:
            self.sandbox.load(replica_set, namespace, percent)
            return
        command = os.environ.get("VMSCALE_TEST_LOAD_COMMAND")
        if command is None:
            pytest.skip("VMSCALE_TEST_LOAD_COMMAND is not set, so this cluster's VMs cannot be loaded")
        filled = [part.format(name=replica_set, namespace=namespace, percent=percent) for part in shlex.split(command)]
        subprocess.run(filled, check=True)


def given_kubeconfig(environment: Mapping[str, str]) -> Path | None:
    """Return the kubeconfig of the real cluster to test on, if one is given."""
    given = environment.get("VMSCALE_TEST_KUBECONFIG") or environment.get("KUBECONFIG")
    return Path(given.split(os.pathsep)[0]).expanduser() if given else None


def real_cluster(kubeconfig: Path) -> Cluster:
    """Return a cluster that exists already; its audit log and an unprivileged user are not to be had."""
    operator = Path(os.environ.get("VMSCALE_TEST_OPERATOR_KUBECONFIG") or kubeconfig).expanduser()
    return Cluster(f"real cluster of {kubeconfig}", kubeconfig, operator, None, None, None)


def sandbox_cluster(sandbox: Sandbox) -> Cluster:
    """Return the sandbox, bringing it up where it is not."""
    sandbox.up()
    return Cluster(
        f"sandbox {sandbox.name}",
        sandbox.kubeconfig("admin"),
        sandbox.kubeconfig("operator"),
        sandbox.kubeconfig("nobody"),
        sandbox.audit_log(),
        sandbox,
    )
