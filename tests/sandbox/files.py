# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files written at once or not at all, and locks that the kernel releases when their holder dies."""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

_SAY_EVERY = 8.0


def write_atomically(path: Path, text: str, mode: int = 0o600) -> None:
    """Replace a file's text in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
        os.chmod(temporary, mode)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


@contextlib.contextmanager
def locked(path: Path, say: Callable[[str], None] | None = None) -> Iterator[None]:
    """Hold a lock file, waiting for whoever holds it, and saying so now and then."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        said = 0.0
        while not _take(file):
            if say and time.monotonic() - said > _SAY_EVERY:
                say(f"waiting for another process that holds {path.name}")
                said = time.monotonic()
            time.sleep(0.1)
        yield


@contextlib.contextmanager
def held(path: Path) -> Iterator[bool]:
    """Hold a lock file if nobody else does; says whether it is held."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        yield _take(file)


def _take(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
