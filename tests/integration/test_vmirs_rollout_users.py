# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""vmirs_rollout under users who may do little: what is missing is said before anything is written, but for what can be done without."""

from __future__ import annotations

import pytest

from integration.support.accounts import (
    BUDGETS,
    INSTANCES,
    MAY_ROLL_OUT,
    REVISIONS,
    SETS,
    USER,
    AsUser,
    refusal,
    without,
)
from integration.support.api import Api
from integration.support.audit import AuditLog, writes
from integration.support.fleet import change_template, names, quick_set, start
from integration.support.manifests import vmirs_rollout
from integration.support.steps import run_three_times

NAME = "web"
FAST = {"name": NAME, "max_unavailable": "2"}


def test_what_a_rollout_needs_and_no_more(as_user: AsUser, api: Api, audit: AuditLog, namespace: str) -> None:
    ansible = as_user(MAY_ROLL_OUT)
    start(api, namespace, quick_set(NAME, 2))
    restarted = run_three_times(ansible, audit, vmirs_rollout(**FAST, state="restarted", restart_id="one"), USER)
    assert "warnings" not in restarted.done.data
    # Of other users than the operator, the audit log has what they write to KubeVirt's objects.
    assert restarted.writes == [f"patch {SETS}", *([f"delete {INSTANCES}"] * 2)]
    assert len(api.items(REVISIONS, namespace)) == 1


@pytest.mark.parametrize(("resource", "verb"), [(INSTANCES, "delete"), (INSTANCES, "list"), (BUDGETS, "list"), (SETS, "patch")])
def test_what_is_missing_is_said_first(as_user: AsUser, api: Api, audit: AuditLog, namespace: str, resource: str, verb: str) -> None:
    ansible = as_user(without(MAY_ROLL_OUT, resource, verb))
    there = start(api, namespace, quick_set(NAME, 2))
    mark = audit.mark()
    refused = ansible.run_tasks(vmirs_rollout(**FAST, state="restarted")).require_failed().last

    hint = ' Or set "disruption_budgets: ignore".' if resource == BUDGETS else ""
    assert refused.message == refusal(namespace, USER, verb, resource) + hint
    assert writes(audit.requests(mark, user=USER)) == []
    assert {*names(api, namespace)} == {*there}


def test_a_history_that_may_not_be_kept_is_a_warning(as_user: AsUser, api: Api, audit: AuditLog, namespace: str) -> None:
    ansible = as_user(without(MAY_ROLL_OUT, REVISIONS))
    start(api, namespace, quick_set(NAME, 2))
    change_template(api, namespace, NAME, "second")
    runs = run_three_times(ansible, audit, vmirs_rollout(**FAST), USER)
    assert runs.done["warnings"] == runs.predicted["warnings"]
    assert refusal(namespace, USER, "list", REVISIONS) in runs.done["warnings"][0]
    assert (len(runs.done["replaced"]), runs.done["revision"]) == (2, None)

    mark = audit.mark()
    refused = ansible.run_tasks(vmirs_rollout(**FAST, state="rolled_back")).require_failed().last
    assert refused.message == refusal(namespace, USER, "list", REVISIONS)
    assert writes(audit.requests(mark, user=USER)) == []
