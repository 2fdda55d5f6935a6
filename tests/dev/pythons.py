# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which versions of Python this machine has, beside the one that runs the project."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path


def find_python(version: str) -> Path | None:
    """Return a Python of that version, such as 3.12, that runs and can make environments; None where there is none."""
    name = f"python{version}"
    return next(
        (folder / name for folder in [*_on_path(), *_of_pyenv(version)] if is_usable(folder / name, "import ensurepip, venv")), None
    )


def is_usable(python: Path, statement: str = "") -> bool:
    """Say whether it runs; the shim of a version manager may not."""
    return python.is_file() and subprocess.run([python, "-c", statement], capture_output=True, check=False).returncode == 0


def pythons_of_pyenv() -> list[Path]:
    """Return the folders with the versions that pyenv keeps, the newest of each first; they are on nobody's path."""
    return [folder for version in _kept_versions() for folder in _of_pyenv(version)]


def _on_path() -> Iterator[Path]:
    return (Path(folder) for folder in os.environ.get("PATH", os.defpath).split(os.pathsep))


def _of_pyenv(version: str) -> list[Path]:
    found = [path for path in _pyenv().glob(f"{version}.*") if re.fullmatch(rf"{re.escape(version)}\.\d+", path.name)]
    return [path / "bin" for path in sorted(found, key=lambda path: int(path.name.rsplit(".", 1)[1]), reverse=True)[:1]]


def _kept_versions() -> list[str]:
    names = {match[1] for path in _pyenv().glob("3.*") if (match := re.fullmatch(r"(3\.\d+)\.\d+", path.name))}
    return sorted(names, key=lambda name: int(name.split(".")[1]))


def _pyenv() -> Path:
    return Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
