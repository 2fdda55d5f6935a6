# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A situation sorted out for the case that not every VMI has to be ready."""

from __future__ import annotations

import dataclasses

from ansible_collections.vmscale.kubevirt.plugins.module_utils._diagnosis_replica_set import diagnose_replica_set
from ansible_collections.vmscale.kubevirt.plugins.module_utils._diagnosis_scene import Scene
from ansible_collections.vmscale.kubevirt.plugins.module_utils._situation import Situation
from unit.support.fleets import names
from unit.support.objects import instance, instances, replica_set
from unit.support.situations import fault

FLEET = (*instances(2), instance("broken", ready=False), instance("ended", phase="Failed"), instance("leaving", deleting=True))


def scene(*tolerated: str, replicas: int = 3) -> Scene:
    """Return a scene in which some VMIs are tolerated."""
    uids = frozenset(f"uid-of-{name}" for name in tolerated)
    return Scene(Situation("default", "web", replica_set(replicas), FLEET, tolerated=uids))


def test_nobody_waits_for_what_is_tolerated() -> None:
    assert names(scene().waiting) == ["broken"]
    assert names(scene("broken").waiting) == []
    assert names(scene("web0", "leaving").waiting) == ["broken"]
    # It counts as a replica all the same, and those that leave are looked after.
    assert names(scene("broken").active) == ["web0", "web1", "broken"]
    assert names(scene("leaving").leaving) == ["leaving"]


def test_a_set_is_complete_with_what_is_tolerated() -> None:
    assert [scene().is_complete, scene("broken").is_complete, scene("broken", replicas=4).is_complete] == [False, True, False]


def test_what_keeps_a_tolerated_vmi_is_no_finding() -> None:
    situation = fault("unschedulable")
    waiting = Scene(situation).waiting
    (finding,) = [each for each in diagnose_replica_set(situation) if each.fatal]
    assert (finding.reason, len(waiting)) == ("Unschedulable", 2)
    all_of_them = frozenset(str(each["metadata"]["uid"]) for each in waiting)
    assert diagnose_replica_set(dataclasses.replace(situation, tolerated=all_of_them)) == ()
    one = frozenset([str(waiting[0]["metadata"]["uid"])])
    (left,) = [each for each in diagnose_replica_set(dataclasses.replace(situation, tolerated=one)) if each.fatal]
    assert left.object.endswith(str(waiting[1]["metadata"]["name"]))
