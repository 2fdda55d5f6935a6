# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parts that are made once for each set of inputs, and can be gone on with after an interruption."""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from dev.processes import say
from kind.workspace import CACHE
from sandbox.files import locked

Make = Callable[[Path], None]


@dataclass(frozen=True)
class Step:
    """A directory of the cache, made from inputs (files, directories, texts) and from other steps."""

    name: str
    make: Make
    inputs: tuple[Path | str, ...] = ()
    after: tuple[Step, ...] = ()

    @property
    def key(self) -> str:
        """What tells this step from the same step with other inputs."""
        digest = hashlib.sha256(self.name.encode())
        for part in self.inputs:
            digest.update(b"\0" + (part.encode() if isinstance(part, str) else _content(part)))
        for step in self.after:
            digest.update(b"\0" + step.key.encode())
        return digest.hexdigest()[:16]

    @property
    def directory(self) -> Path:
        return CACHE / f"{self.name}-{self.key}"

    @property
    def is_made(self) -> bool:
        return self.directory.is_dir()


def ensure(step: Step) -> Path:
    """Make what a step comes after, and the step, unless they are there; returns its directory."""
    if step.is_made:
        return step.directory
    for earlier in step.after:
        ensure(earlier)
    with locked(CACHE / f"{step.name}.lock", say):
        if not step.is_made:
            began = time.monotonic()
            say(f"  {step.name}: making it (once)")
            unfinished = CACHE / f".{step.directory.name}.unfinished"
            remove(unfinished)
            unfinished.mkdir(parents=True)
            step.make(unfinished)
            unfinished.rename(step.directory)
            say(f"  {step.name}: made in {time.monotonic() - began:.0f} s")
    return step.directory


def remaining(steps: Sequence[Step]) -> list[Step]:
    """Return the steps that are still to be made, in the order in which they would be."""
    found: list[Step] = []
    for step in steps:
        if not step.is_made:
            found += [other for other in (*remaining(step.after), step) if other not in found]
    return found


def clean(steps: Sequence[Step]) -> None:
    """Remove what earlier inputs of these steps left."""
    kept = {step.directory for step in steps}
    names = {step.name for step in steps}
    for path in CACHE.iterdir() if CACHE.is_dir() else ():
        if path.is_dir() and path not in kept and path.name.lstrip(".").rpartition("-")[0] in names:
            remove(path)


def remove(path: Path) -> None:
    """Remove a tree, also where Go made it read-only."""

    def unlock(function: Callable[..., object], name: str, _error: object) -> None:
        Path(name).parent.chmod(0o700)
        function(name)

    shutil.rmtree(path, onerror=unlock) if path.is_dir() else None


def _content(path: Path) -> bytes:
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    digest = hashlib.sha256()
    for file in files:
        if file.is_file() and "__pycache__" not in file.parts:
            digest.update(str(file.relative_to(path)).encode() + b"\0" + hashlib.sha256(file.read_bytes()).digest())
    return digest.digest()
