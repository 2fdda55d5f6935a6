# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Jobs that AWX ends: cancelled, out of time, or silent for too long; and the job after them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from integration.support.api import Api
from integration.support.awx_credential import BearerToken
from integration.support.awx_job import Awx, Job
from integration.support.fleet import change_template, names, quick_set, start
from integration.support.manifests import HASH, replica_set

NAME = "web"
SECOND_BATCH = re.compile(rf"^{NAME}: batch 2, ")


@pytest.fixture
def awx(operator_token: BearerToken, tmp_path: Path) -> Awx:
    return Awx(tmp_path, operator_token)


@pytest.fixture
def first(api: Api, namespace: str) -> list[str]:
    """The VMIs of a set whose template has just changed; new ones take two seconds to boot."""
    started = start(api, namespace, quick_set(NAME, 4, {"boot-seconds": "2"}))
    change_template(api, namespace, NAME, "second")
    return started


def variables(namespace: str) -> dict[str, str]:
    return {"rollout_name": NAME, "rollout_namespace": namespace, "rollout_max_unavailable": "1"}


def hashes(api: Api, namespace: str) -> list[str]:
    """Return which template each VMI runs, by its hash."""
    return sorted(item["metadata"]["labels"][HASH] for item in api.items("vmis", namespace) if "deletionTimestamp" not in item["metadata"])


def check_that_the_next_job_finishes(awx: Awx, api: Api, namespace: str, first: list[str], ended: Job) -> None:
    """The job that was ended has replaced some, and the next one replaces the others, each once."""
    left = set(names(api, namespace)) & set(first)
    assert ended.left == set(), "what was started for the job goes on after it"
    assert 0 < len(left) < len(first)
    finished = awx.run("playbooks/rollout.yml", variables=variables(namespace)).require("successful")
    state = finished.artifacts["vmscale_rollout"]
    print(f"{ended.status} after {ended.seconds:.0f} s: {sorted(set(first) - left)} replaced; the next job replaced {state['replaced']}")

    assert set(state["replaced"]) == left
    assert (state["ready"], state["replicas"]["outdated"]) == (True, 0)
    assert hashes(api, namespace) == ["second"] * 4
    again = awx.run("playbooks/rollout.yml", variables=variables(namespace)).require("successful")
    assert not again.results["vmirs_rollout"]["changed"]


def test_a_rollout_that_is_cancelled_is_finished_by_the_next_job(awx: Awx, api: Api, namespace: str, first: list[str]) -> None:
    running = awx.start("playbooks/rollout.yml", variables=variables(namespace))
    line = running.wait_for("the second batch", lambda text: SECOND_BATCH.match(text) is not None)
    job = running.cancel().require("canceled")
    print(line)

    assert job.artifacts == {}, "nothing runs after a job is cancelled"
    assert "PLAY RECAP" not in job.stdout
    check_that_the_next_job_finishes(awx, api, namespace, first, job)


@pytest.mark.slow
def test_a_rollout_that_runs_out_of_time_is_finished_by_the_next_job(awx: Awx, api: Api, namespace: str, first: list[str]) -> None:
    job = awx.run("playbooks/rollout.yml", variables=variables(namespace), job_timeout=10).require("timeout")

    assert job.artifacts == {}
    check_that_the_next_job_finishes(awx, api, namespace, first, job)


@pytest.mark.slow
@pytest.mark.parametrize(("is_quiet", "status"), [(False, "failed"), (True, "timeout")], ids=["with progress", "quiet"])
def test_a_wait_is_not_taken_for_a_job_that_hangs(awx: Awx, api: Api, namespace: str, is_quiet: bool, status: str) -> None:
    """Of a wait in which nothing happens something is said each minute; the job ends with the wait, unless it was told to be quiet."""
    never = replica_set(NAME, 1, annotations={"sandbox.vmscale.kubevirt/fault": "never-boot"})
    options = {"vmirs_definition": never, "vmirs_namespace": namespace, "vmirs_wait_timeout": 140, "vmirs_quiet": is_quiet}
    job = awx.run("playbooks/ensure.yml", variables=options, idle_timeout=75).require(status)

    if is_quiet:
        assert 75 <= job.seconds < 140
    else:
        assert "is not ready after 140 s" in job.results["vmirs"]["msg"]
        assert api.items("vmis", namespace) != []
