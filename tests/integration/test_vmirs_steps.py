# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""vmirs in twelve steps: created, modified and deleted, each in check mode first, and each again."""

from __future__ import annotations

import json

from integration.support.ansible import Ansible
from integration.support.api import Api
from integration.support.audit import AuditLog
from integration.support.manifests import (
    HASH,
    OBSERVED_VERSIONS,
    SERVER_FIELDS,
    await_acknowledged,
    await_gone,
    replica_set,
    vmirs,
    written_part,
)
from integration.support.steps import FourSteps, run_four_steps

NAME = "web"


def require_quiet(steps: FourSteps) -> None:
    """Check what holds for every task: the prediction comes true, diffs hold no noise, and nothing changes twice."""
    assert steps.is_changed == [True, True, False, False]
    assert written_part(steps.predicted.result["result"]) == written_part(steps.done.result["result"])
    assert steps.predicted.diff == steps.done.diff
    for step in steps.all:
        text = json.dumps(step.result["diff"])
        assert [noise for noise in (*SERVER_FIELDS, *OBSERVED_VERSIONS, '"status"') if noise in text] == []
        assert step.result["result"].get("metadata", {}).get("managedFields") is None
    for step in (steps.predicted_again, steps.again):
        before, after = step.diff
        assert before == after
        assert step.result["method"] is None


def test_a_set_in_twelve_steps(ansible: Ansible, api: Api, audit: AuditLog, namespace: str) -> None:
    asked = replica_set(NAME, 1)

    created = run_four_steps(ansible, audit, vmirs(definition=asked), lambda: await_acknowledged(api, namespace, NAME))
    require_quiet(created)
    assert created.verbs == [["get", "patch (dry run)"], ["get", "patch"], ["get"], ["get"]]
    assert created.done.result["method"] == created.predicted.result["method"] == "create"
    before, after = created.done.diff
    assert before == {}
    shown_hash = after["spec"]["template"]["metadata"]["labels"].pop(HASH)
    asked_template = {**asked["spec"]["template"], "metadata": {"labels": {"app": NAME}}}
    assert after["metadata"] == {"name": NAME, "namespace": namespace}
    assert after["spec"]["template"]["metadata"]["labels"] == asked_template["metadata"]["labels"]
    assert after["spec"]["replicas"] == 1
    assert api.get("vmirs", namespace, NAME)["spec"]["template"]["metadata"]["labels"][HASH] == shown_hash

    wanted = replica_set(NAME, 2, memory="96M")
    wanted["metadata"]["labels"] = {"tier": "web"}
    modified = run_four_steps(ansible, audit, vmirs(definition=wanted), lambda: await_acknowledged(api, namespace, NAME))
    require_quiet(modified)
    # Who scales the set, and which revisions of its template are kept, to which the one that goes is added.
    looks = ["get", "list", "list"]
    assert modified.verbs == [[*looks, "create (dry run)", "patch (dry run)"], [*looks, "create", "patch"], ["get"], ["get"]]
    assert modified.done.result["method"] == modified.predicted.result["method"] == "patch"
    before, after = modified.done.diff
    assert (before["spec"]["replicas"], after["spec"]["replicas"]) == (1, 2)
    assert after["metadata"]["labels"] == {"tier": "web"}
    assert "labels" not in before["metadata"]
    assert after["spec"]["template"]["spec"]["domain"]["resources"] == {"requests": {"memory": "96M"}}

    gone = run_four_steps(ansible, audit, vmirs(name=NAME, state="absent"), lambda: await_gone(api, "vmirs", namespace, NAME))
    require_quiet(gone)
    assert gone.verbs == [["get", "delete (dry run)"], ["get", "delete"], ["get"], ["get"]]
    assert gone.done.result["method"] == gone.predicted.result["method"] == "delete"
    before, after = gone.done.diff
    assert before["spec"]["replicas"] == 2
    assert after == {}
    assert gone.again.result["result"] == {}
    assert api.items("vmis", namespace) == []
