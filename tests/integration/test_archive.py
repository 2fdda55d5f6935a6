# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The archive that is published, installed where nothing else of the project is, does what the quick start says."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from dev.archive import build
from dev.environment import tool
from dev.paths import NAME, NAMESPACE
from integration.support.ansible import Ansible
from integration.support.seed import SEED_AUTOSCALER, SEED_SET


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A collections path with nothing in it but the archive."""
    place = tmp_path / "collections"
    install = tool("ansible-galaxy", "collection", "install", "--offline", "--no-deps", "--collections-path", str(place), str(build()))
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(place)}
    subprocess.run(install, cwd=tmp_path, env=environment, check=True, capture_output=True, text=True)
    return place


def test_the_archive_alone_does_the_quick_start(installed: Path, local_ansible: Ansible, namespace: str) -> None:
    environment = {"ANSIBLE_COLLECTIONS_PATH": str(installed)}
    variables = {
        "vmirs_src": SEED_SET.name,
        "vmirs_namespace": namespace,
        "hpa_src": SEED_AUTOSCALER.name,
        "hpa_namespace": namespace,
    }
    assert [path.name for path in (installed / "ansible_collections" / NAMESPACE).iterdir()] == [NAME]

    first = local_ansible.run(f"{NAMESPACE}.{NAME}.ensure", variables=variables, environment=environment).require_ok()
    again = local_ansible.run(f"{NAMESPACE}.{NAME}.ensure", variables=variables, environment=environment).require_ok()
    gone = local_ansible.run(f"{NAMESPACE}.{NAME}.remove", variables=variables, environment=environment).require_ok()

    assert "VirtualMachineInstanceReplicaSet pods:" in first.stdout
    assert [bool(run.changed) for run in (first, again, gone)] == [True, False, True]
