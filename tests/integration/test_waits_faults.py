# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A wait ends with the reason, and at once where nothing can come of it: each fault of a cluster, brought about for real."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from dev.sandbox import Sandbox
from integration.support.ansible import Ansible
from integration.support.api import Api
from integration.support.fault_table import SECTIONS, TABLE, file_name
from integration.support.faults import AUTOSCALERS, CLUSTER, SETS, Row


def cases(rows: Sequence[Row]) -> list[ParameterSet]:
    """Return the rows as parameters of a test."""
    return [pytest.param(row, id=row.what, marks=[pytest.mark.slow] if row.is_slow else []) for row in rows]


@pytest.fixture
def turned(sandbox: Sandbox, namespace: str) -> Iterator[list[tuple[str, ...]]]:
    """The dials that a test has turned; undone after it."""
    dials: list[tuple[str, ...]] = []
    yield dials
    for name, *arguments in dials:
        # What says how much or which one is for the fault alone.
        where = arguments[: arguments.index("-n") + 2] if "-n" in arguments else ()
        sandbox.heal(name, *(each.format(namespace=namespace) for each in where))


def check(row: Row, ansible: Ansible, api: Api, sandbox: Sandbox, namespace: str, dials: list[tuple[str, ...]]) -> None:
    """Bring the fault about, run the task, and compare what it says."""
    row.prepare(api, namespace)

    def turn() -> None:
        if row.dial:
            dials.append(tuple(row.dial))
            sandbox.fault(row.dial[0], *(each.format(namespace=namespace) for each in row.dial[1:]))

    later = None if row.meanwhile is None else threading.Timer(row.meanwhile, turn)
    turn() if later is None else later.start()
    row.then(api, namespace)
    done = ansible.run_tasks(row.task).require_failed().last
    if later is not None:
        later.join()

    if row.is_aside:
        found = next((each for each in done["diagnosis"] if each["reason"] == row.reason), None)
        assert found is not None, done["diagnosis"]
        assert row.words in found["message"]
        message = f"{done.message} (`diagnosis`: {found['reason']}: {found['message']}. {found['hint']})"
    else:
        found, message = done["diagnosis"][0], done.message
        assert found["reason"] in row.reason.split("|"), done.message
        assert row.words in done.message
        assert found["hint"] in done.message
    assert found["fatal"] is row.is_early
    assert done["duration"] <= row.seconds
    assert ("is of no use" in done.message) == (row.is_early and "hpa_verify" not in str(row.task))
    assert done["timeline"][0]["elapsed"] <= done["timeline"][-1]["elapsed"] <= done["duration"]
    _keep(row, done["duration"], message, namespace)


def _keep(row: Row, seconds: float, message: str, namespace: str) -> None:
    """Keep what was seen, for the table of the documentation."""
    directory = os.environ.get("VMSCALE_FAULTS_SEEN")
    if directory:
        seen = {"dial": " ".join(row.dial).replace("{namespace}", "NAMESPACE"), "seconds": seconds, "message": message}
        text = json.dumps(seen).replace(namespace, "NAMESPACE")
        Path(directory, file_name(row)).write_text(text, encoding="utf-8")


@pytest.mark.parametrize("row", cases(SETS))
def test_a_set_with_a_fault(
    row: Row, local_ansible: Ansible, api: Api, sandbox: Sandbox, namespace: str, turned: list[tuple[str, ...]]
) -> None:
    check(row, local_ansible, api, sandbox, namespace, turned)


@pytest.mark.parametrize("row", cases(AUTOSCALERS))
def test_an_autoscaler_with_a_fault(
    row: Row, local_ansible: Ansible, api: Api, sandbox: Sandbox, namespace: str, turned: list[tuple[str, ...]]
) -> None:
    check(row, local_ansible, api, sandbox, namespace, turned)


@pytest.mark.serial
@pytest.mark.parametrize("row", cases(CLUSTER))
def test_a_cluster_with_a_fault(
    row: Row, local_ansible: Ansible, api: Api, sandbox: Sandbox, namespace: str, turned: list[tuple[str, ...]]
) -> None:
    check(row, local_ansible, api, sandbox, namespace, turned)


def test_the_other_shell_waits_and_says_the_same(make_ansible: object, api: Api, sandbox: Sandbox, namespace: str) -> None:
    row = next(row for row in SETS if row.reason == "PodSecurity")
    dials: list[tuple[str, ...]] = []
    try:
        check(row, make_ansible("remote"), api, sandbox, namespace, dials)  # type: ignore[operator]
    finally:
        sandbox.heal("pod-security", "-n", namespace)


def test_the_documentation_has_every_fault() -> None:
    text = TABLE.read_text(encoding="utf-8")
    rows = [row for section in SECTIONS.values() for row in section]
    assert [row.what for row in rows if f"| {row.what} |" not in text] == []
    assert text.count("\n| ") == len(rows) + len(SECTIONS)
