# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each role and each playbook has a molecule scenario, and `make molecule` runs it."""

from __future__ import annotations

from fnmatch import fnmatch

from dev.paths import CHECKOUT
from dev.stages import SCENARIOS

# It speaks to AWX: tests/integration/test_controller.py.
ELSEWHERE = {"playbook-controller"}
FOUND = {path.parent.name for path in (CHECKOUT / "molecule").glob("*/molecule.yml")}


def test_each_role_and_playbook_has_a_scenario() -> None:
    roles = {f"role-{path.name}" for path in (CHECKOUT / "roles").iterdir() if path.is_dir()}
    playbooks = {f"playbook-{path.stem}" for path in (CHECKOUT / "playbooks").glob("*.yml")}

    assert FOUND - {"default", "kind"} == (roles | playbooks) - ELSEWHERE


def test_all_but_kind_are_run() -> None:
    assert {name for name in FOUND if any(fnmatch(name, pattern) for pattern in SCENARIOS)} == FOUND - {"kind"}
