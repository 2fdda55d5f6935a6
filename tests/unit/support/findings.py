# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What findings say, short enough for tables."""

from __future__ import annotations

import re

from ansible_collections.vmscale.kubevirt.plugins.module_utils._diagnosis import Finding
from ansible_collections.vmscale.kubevirt.plugins.module_utils._diagnosis_replica_set import diagnose_replica_set
from ansible_collections.vmscale.kubevirt.plugins.module_utils._situation import Situation

NOW, LATER, NEVER = "at once", "when it lasts", "never"

Told = tuple[str, str, str]


def ends(finding: Finding) -> str:
    """Return when a finding ends a wait."""
    return (LATER if finding.can_heal else NOW) if finding.fatal else NEVER


def told(finding: Finding) -> Told:
    """Return a finding's reason, when it ends a wait, and what it says."""
    return finding.reason, ends(finding), finding.clause


def says(found: Told, expected: Told) -> bool:
    """Return whether a finding is as expected, where * stands for what differs from recording to recording."""
    pattern = ".*".join(map(re.escape, expected[2].split("*")))
    return found[:2] == expected[:2] and re.fullmatch(pattern, found[2]) is not None


def words(situation: Situation) -> list[str]:
    """Return the reasons of all findings about the set."""
    return [finding.reason for finding in diagnose_replica_set(situation)]
