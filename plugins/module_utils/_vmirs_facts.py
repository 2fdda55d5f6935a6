# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it can change at any time.

"""What every module that changes sets returns of one."""

from __future__ import annotations

from ansible_collections.vmscale.kubevirt.plugins.module_utils import _replicaset, _report
from ansible_collections.vmscale.kubevirt.plugins.module_utils._replicaset import Snapshot
from ansible_collections.vmscale.kubevirt.plugins.module_utils._task import Result


def facts_of(snapshot: Snapshot) -> Result:
    """The set and its counts."""
    return {"result": _report.presentable(snapshot.live), "replicas": _replicaset.count(snapshot).as_result()}
