# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sandboxes of the tests' own: what is done to them would disturb everyone on a shared one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from integration.sandbox.command import Command


@pytest.fixture(scope="package")
def own_sandbox() -> Iterator[Command]:
    """A sandbox that all tests of the sandbox share, one after the other."""
    command = Command("selftest")
    command.run("up")
    yield command
    command.run("down")


@pytest.fixture
def sandbox(own_sandbox: Command) -> Command:
    """The shared sandbox, whole again whatever the test before did to it."""
    own_sandbox.run("up")
    return own_sandbox


@pytest.fixture
def other_sandbox() -> Iterator[Command]:
    """A second sandbox, removed after the test."""
    command = Command("selftest-other")
    command.run("up")
    yield command
    command.run("down")
