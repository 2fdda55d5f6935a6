# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs a program with its output in a log, and shows that it is alive."""

from __future__ import annotations

import os
import queue
import re
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dev.paths import CHECKOUT

HEARTBEAT = 20.0
ESCAPES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


@dataclass(frozen=True)
class Finished:
    """A program that has ended."""

    code: int
    output: str
    seconds: float


def say(text: str) -> None:
    """Print a line at once, also where the output is a pipe."""
    print(text, flush=True)


def run_logged(
    what: str,
    command: Sequence[str],
    log: Path,
    *,
    environment: Mapping[str, str] | None = None,
    cwd: Path = CHECKOUT,
    live: bool = False,
) -> Finished:
    """Run a program; `live` shows its lines, otherwise a line every 20 seconds tells where it is."""
    log.parent.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env={**os.environ, **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    lines: queue.Queue[str | None] = queue.Queue()
    threading.Thread(target=_read_lines, args=(process, lines), daemon=True).start()
    seen: list[str] = []
    with log.open("w", encoding="utf-8") as stream:
        while (line := _next_line(what, lines, started, seen, live)) is not None:
            stream.write(line)
            seen.append(line)
            if live:
                say(f"  {line.rstrip()}")
    return Finished(process.wait(), "".join(seen), time.monotonic() - started)


def _read_lines(process: subprocess.Popen[str], lines: queue.Queue[str | None]) -> None:
    for line in process.stdout or ():
        lines.put(line)
    lines.put(None)


def _next_line(what: str, lines: queue.Queue[str | None], started: float, seen: list[str], live: bool) -> str | None:
    """Return the next line, or None at the end."""
    while True:
        silence_ends = time.monotonic() + HEARTBEAT if live else _next_beat(started)
        try:
            return lines.get(timeout=max(0.0, silence_ends - time.monotonic()))
        except queue.Empty:
            last = ESCAPES.sub("", seen[-1]).strip()[:100] if seen else ""
            say(f"  {what}: {time.monotonic() - started:.0f} s{': ' + last if last else ''}")


def _next_beat(started: float) -> float:
    beats = int((time.monotonic() - started) // HEARTBEAT) + 1
    return started + beats * HEARTBEAT
