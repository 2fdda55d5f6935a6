# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the parts of the cluster are kept, and how programs are run for it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from dev.processes import run_logged
from sandbox.state import cache_directory

CACHE = cache_directory() / "kind"
LOGS = CACHE / "logs"


class KindError(Exception):
    """Something that the cluster needs could not be had; the text says what."""


def state() -> Path:
    """Return the directory of what lives as long as the cluster: sockets, pids, kubeconfigs."""
    home = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    return home / "vmscale-kubevirt" / "kind"


def run(what: str, command: Sequence[str | Path], *, environment: Mapping[str, str] | None = None, cwd: Path | None = None) -> str:
    """Run a program with its output in a log; returns the output, or raises with its end."""
    done = run_logged(what, [str(word) for word in command], LOGS / f"{what}.log", environment=environment, cwd=cwd or CACHE)
    if done.code:
        end = "\n".join(done.output.splitlines()[-15:])
        raise KindError(
            f"{what}: {' '.join(str(word) for word in command[:6])} ... ended with {done.code}:\n{end}\nAll of it: {LOGS / f'{what}.log'}"
        )
    return done.output


def ask(command: Sequence[str | Path], *, environment: Mapping[str, str] | None = None, text: str | None = None) -> str:
    """Run a quick program and return what it prints; its complaint is the error."""
    done = subprocess.run(
        [str(word) for word in command],
        env={**os.environ, **(environment or {})},
        input=text if text is not None else "",
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise KindError(
            f"{' '.join(str(word) for word in command[:8])} ended with {done.returncode}: {(done.stderr or done.stdout).strip()[-800:]}"
        )
    return done.stdout


def copy_files(files: Mapping[Path, Path], mode: int = 0o755) -> None:
    """Copy files (source to target) with a mode, making the directories that they need."""
    for source, target in files.items():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        shutil.copyfile(source, target)
        target.chmod(mode)
