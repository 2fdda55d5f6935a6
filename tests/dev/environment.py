# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Python environment that the tests, the linters and the demo run in."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from dev.paths import CHECKOUT, REQUIREMENTS, TESTS, cache_home, checkout_cache, collection_tree
from dev.processes import run_logged, say


class EnvironmentFailedError(Exception):
    """The environment could not be made."""


def environment_path(requirements: Path = REQUIREMENTS, python: Path | None = None) -> Path:
    """Return where the environment of these requirements and this or another Python lies."""
    key = hashlib.sha256(requirements.read_bytes())
    key.update(str(python.resolve() if python else f"{platform.python_version()} {sys.base_prefix}").encode())
    return cache_home() / f"venv-{key.hexdigest()[:12]}"


def ensure_environment(requirements: Path = REQUIREMENTS, whose: str = "the", python: Path | None = None) -> Path:
    """Return the environment's Python, making the environment where it is missing or was left half made."""
    path = environment_path(requirements, python)
    with _locked(path.with_suffix(".lock")):
        if not (path / "complete").exists():
            _make(path, requirements, whose, python or Path(sys.executable))
    return path / "bin" / "python"


def ensure_additions(requirements: Path) -> None:
    """Put into the environment what only one command needs, the first time that command is run."""
    path = environment_path()
    mark = path / f"complete-{hashlib.sha256(requirements.read_bytes()).hexdigest()[:12]}"
    with _locked(path.with_suffix(".lock")):
        if not mark.exists():
            say(f"Installing what {requirements.relative_to(CHECKOUT)} names (once)")
            _install(path, requirements)
            mark.touch()


def tool_environment() -> dict[str, str]:
    """Return the variables that programs of the environment are run with."""
    home = environment_path() / "bin"
    return {
        "PATH": f"{home}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "PYTHONPATH": str(TESTS),
        "PYTHONUNBUFFERED": "1",
        "ANSIBLE_COLLECTIONS_PATH": str(collection_tree()),
        "COLLECTIONS_TREE": str(collection_tree()),
        "ANSIBLE_LOCALHOST_WARNING": "false",
        **({} if sys.stdout.isatty() else {"NO_COLOR": "1"}),
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
    }


def site_packages() -> Path:
    """Return where the environment's packages are, among them the collections that come with ansible."""
    return environment_path() / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"


def tool(program: str, *arguments: str) -> list[str]:
    """Return the command line of a program of the environment."""
    return [str(environment_path() / "bin" / program), *arguments]


def _make(path: Path, requirements: Path, whose: str, python: Path) -> None:
    say(f"Preparing {whose} Python environment (once, a few minutes): {path}")
    shutil.rmtree(path, ignore_errors=True)
    subprocess.run([python, "-m", "venv", "--symlinks", path], check=True)
    seconds = _install(path, requirements)
    (path / "complete").touch()
    say(f"{whose.capitalize()} Python environment is ready ({seconds:.0f} s)")


def _install(path: Path, requirements: Path) -> float:
    """Run pip; returns how long it took."""
    install = [
        str(path / "bin" / "python"),
        "-m",
        "pip",
        "install",
        "--disable-pip-version-check",
        "--progress-bar=off",
    ]
    done = run_logged("pip", [*install, "-r", str(requirements)], checkout_cache() / "logs" / "pip.log", cwd=CHECKOUT)
    if done.code != 0:
        say(done.output)
        raise EnvironmentFailedError(f"pip ended with {done.code}; its output is above")
    return done.seconds


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield
