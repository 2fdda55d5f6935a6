# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Free loopback ports, and whether something listens on one."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterable

LOOPBACK = "127.0.0.1"
# Below what Linux hands out to outgoing connections: one of those could take the port of a component that restarts.
_CANDIDATES = range(20000, 32768)


def is_listening(port: int) -> bool:
    """Whether something accepts connections on a loopback port."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        return probe.connect_ex((LOOPBACK, port)) == 0


def free_ports(names: Iterable[str], taken: Iterable[int] = ()) -> dict[str, int]:
    """A free port for each name, none of those taken."""
    refused = set(taken)
    ports: dict[str, int] = {}
    for name in names:
        ports[name] = _free_port(refused)
        refused.add(ports[name])
    return ports


def _free_port(refused: set[int]) -> int:
    while True:
        port = random.choice(_CANDIDATES)
        if port in refused:
            continue
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                continue
        return port
