# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Free loopback ports, and whether something listens on one."""

from __future__ import annotations

import socket
from collections.abc import Iterable

LOOPBACK = "127.0.0.1"


def is_listening(port: int) -> bool:
    """Whether something accepts connections on a loopback port."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        return probe.connect_ex((LOOPBACK, port)) == 0


def free_ports(names: Iterable[str], taken: Iterable[int] = ()) -> dict[str, int]:
    """A free port for each name, none of those taken."""
    refused = set(taken)
    held: list[socket.socket] = []
    ports: dict[str, int] = {}
    try:
        for name in names:
            while name not in ports:
                probe = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
                held.append(probe)
                probe.bind((LOOPBACK, 0))
                port = int(probe.getsockname()[1])
                if port not in refused:
                    ports[name] = port
    finally:
        for probe in held:
            probe.close()
    return ports
