# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a wait for a paused set takes for enough."""

from __future__ import annotations

import pytest

from ansible_collections.vmscale.kubevirt.plugins.module_utils._api import Api
from ansible_collections.vmscale.kubevirt.plugins.module_utils._connection import Connection
from ansible_collections.vmscale.kubevirt.plugins.module_utils._situation import Situation
from ansible_collections.vmscale.kubevirt.plugins.module_utils._wait_replica_set import PausedWait
from unit.support.objects import instance, instances, replica_set
from unit.support.recorded import Object
from unit.support.watched import Watched

PAUSED = replica_set(3, paused=True)


def unmet(live: Object, *fleet: Object, gone: tuple[str, ...] = ()) -> list[str]:
    """Return what is missing."""
    wait = PausedWait(Api(Connection(server="http://127.0.0.1:1")), "default", live, frozenset(f"uid-of-{name}" for name in gone))
    return [*wait.unmet(Situation("default", "web", live, fleet, is_pause_wanted=True))]


def test_a_pause_that_is_acknowledged_and_counted_is_enough() -> None:
    assert unmet(PAUSED, *instances(3)) == []
    # Whatever the VMIs are like: nobody waits for them here.
    assert unmet(PAUSED, *instances(2), instance("web2", ready=False)) == []
    assert unmet(replica_set(3, paused=True, current=5), *instances(5)) == []


@pytest.mark.parametrize(
    ("live", "count", "expected"),
    [
        (replica_set(3, paused=True, acknowledged_pause=False), 3, ["virt-controller has not acknowledged that it is paused"]),
        (PAUSED, 2, ["virt-controller counts 3 VMIs, and there are 2"]),
        (PAUSED, 4, ["virt-controller counts 3 VMIs, and there are 4"]),
        (replica_set(3, paused=True, deleting=True), 3, ["it is being deleted"]),
        (replica_set(3, paused=True, acknowledged_selector=None), 3, ["virt-controller has not acknowledged the selector"]),
    ],
)
def test_what_a_pause_waits_for(live: Object, count: int, expected: list[str]) -> None:
    assert unmet(live, *instances(count)) == expected


def test_a_deletion_has_to_be_seen_and_counted_out() -> None:
    assert unmet(PAUSED, *instances(3), gone=("web2", "web1")) == ["the deletion of web1, web2 has not been seen yet"]
    left = (*instances(2), instance("web2", deleting=True))
    assert unmet(PAUSED, *left, gone=("web2",)) == ["virt-controller counts 3 VMIs, and there are 2"]
    assert unmet(replica_set(3, paused=True, current=2), *left, gone=("web2",)) == []
    # Another set's are none of the count.
    assert unmet(PAUSED, *instances(3), instance("foreign", owner="somebody")) == []


def test_a_set_that_has_gone_is_told() -> None:
    wait = PausedWait(Api(Connection(server="http://127.0.0.1:1")), "default", PAUSED)
    assert wait.unmet(Situation("default", "web", None, ())) == ["it does not exist"]


def test_nobody_waits_for_a_vmi_while_a_set_is_paused() -> None:
    stuck = instance("web2", ready=False, phase="Scheduling", conditions=[("PodScheduled", "False", "Unschedulable", "0/4 nodes")])
    wait = PausedWait(Api(Connection(server="http://127.0.0.1:1")), "default", PAUSED)
    seen = wait.look(Watched(set=[PAUSED], vmis=[*instances(2), stuck]))
    assert [each for each in wait.diagnose(seen, is_time_up=False) if each.fatal] == []
