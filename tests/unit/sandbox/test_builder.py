# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is built is named by what it is built from."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.builder import MODULES, Module, provided_binaries, required_versions, source_key
from sandbox.components import NAMES
from sandbox.report import component_version


def test_the_key_depends_on_names_contents_and_go() -> None:
    files = {"main.go": b"package main", "go.mod": b"module a"}
    keys = {
        source_key(files, "1.26.4"),
        source_key(files, "1.26.6"),
        source_key({**files, "go.mod": b"module b"}, "1.26.4"),
        source_key({"other.go": b"package main", "go.mod": b"module a"}, "1.26.4"),
    }
    assert len(keys) == 4
    assert source_key(dict(reversed(files.items())), "1.26.4") == source_key(files, "1.26.4")


def test_requirements_are_read_from_blocks_and_lines() -> None:
    text = (
        "module a\n\ngo 1.26.4\n\nrequire one.test/a v1.0.0\n\nrequire (\n\ttwo.test/b v2.0.0 // indirect\n)\n\n"
        "replace x.test/y => z.test/w v3.0.0\n"
    )
    assert required_versions(text) == {"one.test/a": "v1.0.0", "two.test/b": "v2.0.0"}


def test_envtest_s_binaries_are_taken_if_they_are_there(tmp_path: Path) -> None:
    etcd = tmp_path / "etcd"
    etcd.write_text("")
    etcd.chmod(0o755)
    assert provided_binaries({"KUBEBUILDER_ASSETS": str(tmp_path)}) == {"etcd": etcd}
    assert provided_binaries({}) == {}


def test_every_component_is_built_by_one_module() -> None:
    built = [name for module in MODULES for name in module.binaries]
    assert len(built) == len(set(built))
    assert set(NAMES) <= set(built)


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_checksums_and_requirements_are_committed(module: Module) -> None:
    assert (module.directory / "go.sum").read_text()
    assert module.required()[module.version_module]


@pytest.mark.parametrize("name", NAMES)
def test_every_component_has_a_version(name: str) -> None:
    assert component_version(name).startswith("v")
