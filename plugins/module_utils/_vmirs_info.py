# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it can change at any time.

"""The operation of the module ``vmirs_info``."""

from __future__ import annotations

import typing as t

from ansible_collections.vmscale.kubevirt.plugins.module_utils import _plan, _replicaset, _selector
from ansible_collections.vmscale.kubevirt.plugins.module_utils._api import Api
from ansible_collections.vmscale.kubevirt.plugins.module_utils._errors import ApiError
from ansible_collections.vmscale.kubevirt.plugins.module_utils._replicaset import Snapshot
from ansible_collections.vmscale.kubevirt.plugins.module_utils._resources import (
    AUTOSCALERS,
    INSTANCES,
    REPLICA_SETS,
    REVISION_SET_LABEL,
    REVISIONS,
    TEMPLATE_HASH_LABEL,
    Object,
    labels_of,
    metadata,
    name_of,
    spec,
)
from ansible_collections.vmscale.kubevirt.plugins.module_utils._revisions import hash_of, revision_of
from ansible_collections.vmscale.kubevirt.plugins.module_utils._scale import unfinished_scale_in
from ansible_collections.vmscale.kubevirt.plugins.module_utils._task import Result, Task
from ansible_collections.vmscale.kubevirt.plugins.module_utils._vmirs_facts import facts_of


def read_replica_sets(task: Task) -> Result:
    """Module ``vmirs_info``: the sets of a namespace, their VMIs, and who scales them. Raises ``EngineError``."""
    api, deadline = task.connect()
    namespace = task.params.get("namespace") or api.connection.namespace
    sets = api.choose(REPLICA_SETS, namespace, task.params.get("name"), task.params.get("label_selectors"))
    if not sets:
        return {"changed": False, "replica_sets": []}
    selector = _selector.to_query(spec(sets[0]).get("selector") or {}) if len(sets) == 1 else ""
    instances = api.list(INSTANCES, namespace, label_selector=selector)
    autoscalers = api.list(AUTOSCALERS, namespace)
    revisions = _read_revisions(api, namespace)
    return {
        "changed": False,
        "replica_sets": [_summarise(live, instances, autoscalers, revisions, namespace) for live in sets],
    }


def _read_revisions(api: Api, namespace: str) -> list[Object] | None:
    """The recorded revisions of all sets, None where they may not be read."""
    try:
        return [*api.listing(REVISIONS, namespace, label_selector=REVISION_SET_LABEL).items]
    except ApiError as error:
        if not error.is_forbidden:
            raise
        return None


def _summarise(
    live: Object, instances: t.Sequence[Object], autoscalers: t.Sequence[Object], recorded: t.Sequence[Object] | None, namespace: str
) -> dict[str, t.Any]:
    snapshot = Snapshot(live, _replicaset.own_instances(live, instances))
    reasons = _replicaset.unmet(snapshot)
    scalers = [name_of(each) for each in autoscalers if _plan.targets(each, namespace, name_of(live))]
    own = [each for each in recorded or () if labels_of(each).get(REVISION_SET_LABEL) == metadata(live).get("uid")]
    revisions = sorted((revision_of(each) for each in own), key=lambda each: -each.number)
    # Where one is there twice, the later number counts.
    numbers = {each.hash: each.number for each in reversed(revisions)}
    hashes = {name_of(each): labels_of(each).get(TEMPLATE_HASH_LABEL, "") for each in snapshot.instances or ()}
    unfinished = unfinished_scale_in(live)
    listed = [
        {**_replicaset.summarise_instance(each, live), "revision": numbers.get(hashes[name_of(each)])} for each in snapshot.instances or ()
    ]
    return {
        **facts_of(snapshot),
        "name": name_of(live),
        "namespace": namespace,
        "converged": not reasons,
        "reasons": reasons,
        "autoscaled_by": sorted(scalers),
        "paused": bool(spec(live).get("paused")),
        "unfinished_scale_in": None if unfinished is None else unfinished.as_result(),
        "revision": numbers.get(hash_of(live)),
        "revisions": None
        if recorded is None
        else [
            {
                "number": each.number,
                "hash": each.hash,
                "created": each.created,
                "current": each.hash == hash_of(live),
                "instances": list(hashes.values()).count(each.hash),
            }
            for each in revisions
        ],
        "instances": sorted(listed, key=lambda entry: str(entry["name"])),
    }
