# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it can change at any time.

"""The operation of the module ``hpa``."""

from __future__ import annotations

from ansible_collections.vmscale.kubevirt.plugins.module_utils._autoscaler_wanted import ONE_AUTOSCALER, wanted_autoscaler
from ansible_collections.vmscale.kubevirt.plugins.module_utils._ensure import ensure_one
from ansible_collections.vmscale.kubevirt.plugins.module_utils._fleet import members, the_one, wanted_of
from ansible_collections.vmscale.kubevirt.plugins.module_utils._hpa_jobs import job_of
from ansible_collections.vmscale.kubevirt.plugins.module_utils._reader import Reader
from ansible_collections.vmscale.kubevirt.plugins.module_utils._resources import AUTOSCALERS
from ansible_collections.vmscale.kubevirt.plugins.module_utils._task import Result, Task


def ensure_autoscaler(task: Task) -> Result:
    """Module ``hpa``: the autoscaler is as the parameters say, or absent; or many of them. Raises ``EngineError``."""
    api, deadline = task.connect()
    given = task.given()
    fleet = members(given, AUTOSCALERS, task.params, ONE_AUTOSCALER)
    if fleet is not None:
        from ansible_collections.vmscale.kubevirt.plugins.module_utils._fleet_run import ensure_fleet

        wanted = wanted_of(fleet, task.params, ONE_AUTOSCALER, wanted_autoscaler, api.connection.namespace)
        return ensure_fleet(task, api, deadline, AUTOSCALERS, wanted, job_of)
    document, source = the_one(given, AUTOSCALERS)
    one = wanted_autoscaler(task.params, document, source, api.connection.namespace)
    return ensure_one(task, api, deadline, job_of(task, Reader(api), deadline, one))
