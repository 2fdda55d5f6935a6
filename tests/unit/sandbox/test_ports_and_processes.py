# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ports are free and distinct; a process is not mistaken for another that got its id."""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path

from sandbox import processes
from sandbox.files import held, write_atomically
from sandbox.ports import LOOPBACK, free_ports, is_listening
from sandbox.processes import Process


def test_free_ports_are_distinct_and_not_those_taken() -> None:
    first = free_ports(["a", "b", "c"])
    second = free_ports(["d", "e"], first.values())
    assert len({*first.values(), *second.values()}) == 5


def test_a_port_is_listening_while_someone_listens() -> None:
    with socket.create_server((LOOPBACK, 0)) as server:
        port = server.getsockname()[1]
        assert is_listening(port)
    assert not is_listening(port)


def test_a_process_is_remembered_with_its_start(tmp_path: Path) -> None:
    path = tmp_path / "process.json"
    processes.save(processes.current(), path)
    assert processes.load(path) == processes.current()


def test_a_reused_process_id_is_not_ours(tmp_path: Path) -> None:
    path = tmp_path / "process.json"
    processes.save(Process(os.getpid(), processes.current().started - 1), path)
    assert processes.load(path) is None


def test_a_garbled_process_file_remembers_nothing(tmp_path: Path) -> None:
    path = tmp_path / "process.json"
    path.write_text('{"pid": ')
    assert processes.load(path) is None


def test_stop_ends_what_does_not_want_to(tmp_path: Path) -> None:
    stubborn = ["/bin/sh", "-c", "trap '' TERM; while :; do sleep 0.1; done"]
    process = processes.start(stubborn, tmp_path / "log", {"PATH": os.environ["PATH"], processes.COMPONENT_MARKER: "unit"}, tmp_path)
    assert process.is_alive()
    processes.stop([process], 0.3)
    assert not process.is_alive()
    process.signal(signal.SIGTERM)


def test_a_lock_is_held_by_one(tmp_path: Path) -> None:
    with held(tmp_path / "lock") as mine:
        assert mine
        with held(tmp_path / "lock") as theirs:
            assert not theirs


def test_files_are_private(tmp_path: Path) -> None:
    write_atomically(tmp_path / "secret", "text")
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600
