# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the sandbox says of itself, and what it writes down of its users."""

from __future__ import annotations

import json
from typing import Any

import pytest

from integration.sandbox.command import Command
from integration.sandbox.objects import CONFIG_MAPS, REPLICA_SETS, config_map, replica_set
from sandbox.api import ApiError
from sandbox.components import NAMES


def test_status_says_what_is_real_and_what_is_simulated(sandbox: Command) -> None:
    document = sandbox.status()
    parts = {part["name"]: part for part in document["components"]}
    assert document["healthy"]
    assert document["name"] == sandbox.name
    assert set(NAMES) <= set(parts)
    assert {name for name in NAMES if parts[name]["nature"] == "real"} == set(NAMES) - {"kwok"}
    assert parts["nodes"]["nature"] == "simulated"
    assert all(parts[name]["pid"] and parts[name]["port"] and parts[name]["version"].startswith("v") for name in NAMES)
    assert {"nodes", "virt-launcher pods", "virt-handler"} <= set(document["simulated"])


def test_status_of_a_sandbox_that_is_not_there_fails() -> None:
    done = Command("selftest-absent").run("status", "--json", check=False)
    assert done.returncode == 1
    assert json.loads(done.stdout)["healthy"] is False


def test_the_audit_log_tells_what_the_operator_asked_for(sandbox: Command) -> None:
    mark = len(entries(sandbox))
    sandbox.api("operator").request("POST", f"{REPLICA_SETS}?dryRun=All", replica_set("audited", 1))
    sandbox.api("operator").request("GET", f"{REPLICA_SETS}?limit=1")
    mine = [entry for entry in entries(sandbox)[mark:] if entry["user"]["username"] == "vmscale-operator"]
    assert [(entry["verb"], entry["requestURI"]) for entry in mine] == [
        ("create", f"{REPLICA_SETS}?dryRun=All"),
        ("list", f"{REPLICA_SETS}?limit=1"),
    ]
    assert {entry["level"] for entry in mine} == {"Request"}
    assert mine[0]["requestObject"]["metadata"]["name"] == "audited"
    assert mine[0]["userAgent"] == "vmscale-sandbox"
    assert mine[0]["requestReceivedTimestamp"]


def test_the_audit_log_tells_that_nobody_was_refused(sandbox: Command) -> None:
    mark = len(entries(sandbox))
    with pytest.raises(ApiError):
        sandbox.api("nobody").request("GET", CONFIG_MAPS)
    mine = [entry for entry in entries(sandbox)[mark:] if entry["user"]["username"] == "vmscale-nobody"]
    assert [(entry["verb"], entry["responseStatus"]["code"]) for entry in mine] == [("list", 403)]


def test_the_audit_log_tells_who_wrote_but_not_who_read(sandbox: Command) -> None:
    mark = len(entries(sandbox))
    sandbox.api().request("GET", CONFIG_MAPS)
    sandbox.api().request("POST", f"{CONFIG_MAPS}?dryRun=All", config_map("audited"))
    mine = [entry for entry in entries(sandbox)[mark:] if entry["user"]["username"] == "kubernetes-admin"]
    assert [(entry["verb"], entry["level"]) for entry in mine] == [("create", "Metadata")]


def entries(sandbox: Command) -> list[dict[str, Any]]:
    """The entries of the audit log."""
    path = sandbox.run("audit-log").stdout.strip()
    with open(path) as log:
        return [json.loads(line) for line in log]
