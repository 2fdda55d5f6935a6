# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""hpa in twelve steps: created, modified and deleted, each in check mode first, and each again."""

from __future__ import annotations

import json

import pytest

from integration.support.ansible import Ansible
from integration.support.api import Api
from integration.support.audit import AuditLog
from integration.support.manifests import SERVER_FIELDS, autoscaler, hpa, replica_set, written_part
from integration.support.steps import FourSteps, run_four_steps

# The metrics API lies in no namespace, so the log tells of it only where the test runs alone.
pytestmark = pytest.mark.serial

NAME, TARGET = "web-scaler", "web"


def require_quiet(steps: FourSteps) -> None:
    """Check what holds for every task: the prediction comes true, diffs hold no noise, and nothing changes twice."""
    assert steps.is_changed == [True, True, False, False]
    assert written_part(steps.predicted.result["result"]) == written_part(steps.done.result["result"])
    assert steps.predicted.diff == steps.done.diff
    for step in steps.all:
        text = json.dumps(step.result["diff"])
        assert [noise for noise in (*SERVER_FIELDS, '"status"') if noise in text] == []
    for step in (steps.predicted_again, steps.again):
        before, after = step.diff
        assert before == after
        assert step.result["method"] is None


def test_an_autoscaler_in_twelve_steps(ansible: Ansible, api: Api, audit: AuditLog, namespace: str) -> None:
    api.create("vmirs", namespace, replica_set(TARGET, 0))
    asked = autoscaler(NAME, TARGET, 1, 3)

    created = run_four_steps(ansible, audit, hpa(definition=asked))
    require_quiet(created)
    # The set and the metrics API are looked for before anything is written.
    assert created.verbs == [["get", "get", "get", "patch (dry run)"], ["get", "get", "get", "patch"], ["get"], ["get"]]
    assert created.done.result["method"] == created.predicted.result["method"] == "create"
    before, after = created.done.diff
    assert before == {}
    assert after["metadata"] == {"name": NAME, "namespace": namespace}
    assert after["spec"] == asked["spec"]

    wanted = autoscaler(NAME, TARGET, 2, 5)
    wanted["metadata"]["labels"] = {"tier": "web"}
    modified = run_four_steps(ansible, audit, hpa(definition=wanted))
    require_quiet(modified)
    assert [verbs[-1] for verbs in modified.verbs] == ["patch (dry run)", "patch", "get", "get"]
    before, after = modified.done.diff
    assert (before["spec"], after["spec"]) == (asked["spec"], wanted["spec"])
    assert after["metadata"]["labels"] == {"tier": "web"}

    gone = run_four_steps(ansible, audit, hpa(name=NAME, state="absent"))
    require_quiet(gone)
    assert gone.verbs == [["get", "delete (dry run)"], ["get", "delete"], ["get"], ["get"]]
    before, after = gone.done.diff
    assert (before["spec"], after) == (wanted["spec"], {})
    assert gone.again.result["result"] == {}
    assert api.items("hpas", namespace) == []
