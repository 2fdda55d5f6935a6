# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was recorded of faults is a situation, complete, and of the state that its file is called after."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.vmscale.kubevirt.plugins.module_utils._situation import from_recorded
from unit.support.recorded import FIXTURES, load

FAULTS = sorted((FIXTURES / "faults").glob("*.json"), key=lambda path: path.stem)


def test_there_are_states() -> None:
    assert len(FAULTS) >= 50


@pytest.mark.parametrize("path", FAULTS, ids=lambda path: path.stem)
def test_a_recorded_state_is_a_situation(path: Path) -> None:
    recorded = load(path)
    situation = from_recorded(recorded)
    assert (situation.namespace, situation.name) == (path.stem, "web")
    assert situation.now and situation.since and situation.now >= situation.since
    assert situation.lease is not None
    assert situation.has_pod_metrics
    assert (situation.replica_set is None) == (path.stem in ("target-missing", "namespace-terminating"))
    assert all(each["type"] == "Warning" for each in situation.events)
    assert "managedFields" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["crash-loop", "crash-after", "launcher-crash"])
def test_vmis_were_seen_to_end(name: str) -> None:
    situation = from_recorded(load(FIXTURES / "faults" / f"{name}.json"))
    assert len(situation.finished) >= 3
    assert {each.phase for each in situation.finished} == {"Failed"}
