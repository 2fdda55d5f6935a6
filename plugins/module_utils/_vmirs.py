# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it can change at any time.

"""The operation of the module ``vmirs``."""

from __future__ import annotations

from ansible_collections.vmscale.kubevirt.plugins.module_utils._ensure import ensure_one
from ansible_collections.vmscale.kubevirt.plugins.module_utils._fleet import members, the_one, wanted_of
from ansible_collections.vmscale.kubevirt.plugins.module_utils._reader import Reader
from ansible_collections.vmscale.kubevirt.plugins.module_utils._replicaset_wanted import ONE_SET, wanted_replica_set
from ansible_collections.vmscale.kubevirt.plugins.module_utils._resources import REPLICA_SETS
from ansible_collections.vmscale.kubevirt.plugins.module_utils._task import Result, Task
from ansible_collections.vmscale.kubevirt.plugins.module_utils._vmirs_jobs import job_of


def ensure_replica_set(task: Task) -> Result:
    """Module ``vmirs``: the set is as the parameters say, or absent; or many of them. Raises ``EngineError``."""
    api, deadline = task.connect()
    given = task.given()
    fleet = members(given, REPLICA_SETS, task.params, ONE_SET)
    if fleet is not None:
        from ansible_collections.vmscale.kubevirt.plugins.module_utils._fleet_run import ensure_fleet

        wanted = wanted_of(fleet, task.params, ONE_SET, wanted_replica_set, api.connection.namespace)
        return ensure_fleet(task, api, deadline, REPLICA_SETS, wanted, job_of)
    document, source = the_one(given, REPLICA_SETS)
    one = wanted_replica_set(task.params, document, source, api.connection.namespace)
    return ensure_one(task, api, deadline, job_of(task, Reader(api), deadline, one))
