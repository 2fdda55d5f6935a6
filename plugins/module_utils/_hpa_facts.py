# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it can change at any time.

"""What every module that is about autoscalers returns of one."""

from __future__ import annotations

from ansible_collections.vmscale.kubevirt.plugins.module_utils import _autoscaler, _report
from ansible_collections.vmscale.kubevirt.plugins.module_utils._resources import Object, status
from ansible_collections.vmscale.kubevirt.plugins.module_utils._task import Result


def facts_of(live: Object | None) -> Result:
    """The autoscaler, its conditions and its numbers, as the modules return them."""
    if live is None:
        return {"result": {}, "conditions": [], "metrics": [], "replicas": _autoscaler.replicas(None)}
    return {
        "result": _report.presentable(live),
        "conditions": list(status(live).get("conditions") or []),
        "metrics": list(status(live).get("currentMetrics") or []),
        "replicas": _autoscaler.replicas(live),
    }
