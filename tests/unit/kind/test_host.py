# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a kind cluster can be had, by what the machine has."""

from __future__ import annotations

from pathlib import Path

import pytest
from kind import host
from kind.host import find_way


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.delenv("VMSCALE_KIND_IMAGES", raising=False)
    monkeypatch.setattr(host, "_has_docker", lambda: False)
    monkeypatch.setattr(host, "_debian_release", lambda: "bookworm")
    monkeypatch.setattr("os.geteuid", lambda: 0)
    return monkeypatch


def test_images_are_built_where_no_docker_answers(machine: pytest.MonkeyPatch) -> None:
    assert find_way().source == "built"


def test_published_images_are_pulled_where_docker_answers(machine: pytest.MonkeyPatch) -> None:
    machine.setattr(host, "_has_docker", lambda: True)

    assert find_way().source == "published"
    machine.setenv("VMSCALE_KIND_IMAGES", "built")
    assert find_way().source == "built"


@pytest.mark.parametrize(
    ("variable", "user", "release", "reason"),
    [
        ("", 1000, "bookworm", "only root"),
        ("", 0, "", "Debian bookworm"),
        ("", 0, "trixie", "Debian bookworm"),
        ("published", 0, "bookworm", "no Docker answers"),
        ("pulled", 0, "bookworm", "published or built"),
    ],
)
def test_it_says_why_not(machine: pytest.MonkeyPatch, variable: str, user: int, release: str, reason: str) -> None:
    machine.setenv("VMSCALE_KIND_IMAGES", variable)
    machine.setattr("os.geteuid", lambda: user)
    machine.setattr(host, "_debian_release", lambda: release)
    way = find_way()

    assert way.source == "none"
    assert reason in way.reason


def test_a_capability_is_looked_up_in_the_bounding_set() -> None:
    status = Path("/proc/self/status").read_text()
    bounding = int(next(line.split()[1] for line in status.splitlines() if line.startswith("CapBnd")), 16)

    assert [host.lacks_capability(number) for number in range(8)] == [not bounding >> number & 1 for number in range(8)]
