# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Another version of Python is found on the path or where pyenv keeps it, if it runs."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from dev.pythons import find_python, pythons_of_pyenv


def fake_python(folder: Path, version: str, runs: bool = True) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    python = folder / f"python{version}"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n' if runs else "#!/bin/sh\nexit 127\n", encoding="utf-8")
    python.chmod(0o755)
    return python


@pytest.fixture
def pyenv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    monkeypatch.setenv("PATH", str(tmp_path / "shims"))
    return tmp_path / "pyenv" / "versions"


def test_the_path_goes_first(tmp_path: Path, pyenv: Path) -> None:
    fake_python(pyenv / "3.12.1" / "bin", "3.12")
    assert find_python("3.12") == pyenv / "3.12.1" / "bin" / "python3.12"
    on_path = fake_python(tmp_path / "shims", "3.12")
    assert find_python("3.12") == on_path


def test_a_shim_that_does_not_run_is_passed_over(tmp_path: Path, pyenv: Path) -> None:
    fake_python(tmp_path / "shims", "3.12", runs=False)
    assert find_python("3.12") is None
    kept = fake_python(pyenv / "3.12.1" / "bin", "3.12")
    assert find_python("3.12") == kept


def test_pyenv_gives_the_newest_of_each_version(pyenv: Path) -> None:
    for version in ("3.9.18", "3.10.2", "3.10.13", "3.10-dev", "3.13.0"):
        fake_python(pyenv / version / "bin", version.rsplit(".", 1)[0])
    assert [folder.parent.name for folder in pythons_of_pyenv()] == ["3.9.18", "3.10.13", "3.13.0"]
