# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each fault has a name, a line of help and a stage that plays it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sandbox import cli, fault_instances
from sandbox.api import ApiError
from sandbox.fault import CLUSTER, NAMESPACE, SET, Fault, Site, Target, nothing, nowhere
from sandbox.faults import FAULTS, heal, named, on
from sandbox.installation import MANIFESTS
from sandbox.state import Sandbox

STAGES = "".join((MANIFESTS / name).read_text() for name in ("vmi-stages.yaml", "launcher-stages.yaml"))
SOURCES = "".join(path.read_text() for path in sorted(Path(fault_instances.__file__).parent.glob("fault_*.py")))
VALUES = sorted(
    {
        *re.findall(r'\bvalue="([a-z-]+)"', SOURCES),
        *re.findall(r'[_a-z/]fault"?: "([a-z-]+)"', SOURCES),
        *re.findall(r'_FAULT: "([a-z-]+)"', SOURCES),
    }
)


def site(said: list[str] | None = None) -> Site:
    return Site(Sandbox("unused", Path("/nonexistent")), (said if said is not None else []).append)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_is_described(fault: Fault) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", fault.name)
    assert fault.scope in (CLUSTER, NAMESPACE, SET)
    assert fault.text and not fault.text.endswith(".")
    assert named(fault.name) is fault


def test_no_two_faults_share_a_name() -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS) >= 26


@pytest.mark.parametrize("command", ["fault", "heal"])
def test_the_help_says_what_each_fault_does(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main([command, "--help"])
    printed = " ".join(capsys.readouterr().out.split())
    # A name at the end of a line may be broken at its dashes.
    squeezed = printed.replace(" ", "")
    assert all(f"{fault.name}{fault.text}".replace(" ", "") in squeezed for fault in FAULTS)


@pytest.mark.parametrize(
    "arguments", [["heal"], ["heal", "no-such-fault"], ["fault", "pause"], ["fault", "slow-boot", "web", "--seconds", "x"]]
)
def test_what_is_not_named_is_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as error:
        cli.main(arguments)
    assert error.value.code == 2
    assert "error:" in capsys.readouterr().err


@pytest.mark.parametrize("value", VALUES)
def test_a_stage_plays_each_value_that_faults_set(value: str) -> None:
    assert re.search(
        rf'kubevirt/fault"\]\', operator: In, values: \[[^]]*\b{value}\b|, operator: NotIn, values: \[[^]]*\b{value}\b', STAGES
    )


def test_a_policy_is_of_one_set() -> None:
    policy, binding = fault_instances._policy("pause", Target("shop", "web"), "sandbox.vmscale.kubevirt/fault", "pause")
    assert policy["metadata"] == binding["metadata"]
    assert binding["spec"] == {"policyName": policy["metadata"]["name"]}
    spec = policy["spec"]
    assert spec["matchConstraints"]["namespaceSelector"] == {"matchLabels": {"kubernetes.io/metadata.name": "shop"}}
    assert 'owner.name == "web")' in spec["matchConditions"][0]["expression"]
    mutation = spec["mutations"][0]["applyConfiguration"]["expression"]
    assert mutation == 'Object{metadata: Object.metadata{annotations: {"sandbox.vmscale.kubevirt/fault": "pause"}}}'


def test_faults_of_one_annotation_share_a_policy_and_others_do_not() -> None:
    target = Target("shop", "web")
    policies = {
        name: fault_instances._policy(name, target, f"sandbox.vmscale.kubevirt/{annotation}", "1")[0]["metadata"]["name"]
        for name, annotation in {"pause": "fault", "no-acpi": "fault", "slow-boot": "boot-seconds"}.items()
    }
    assert policies["pause"] == policies["no-acpi"] != policies["slow-boot"]


def test_what_cannot_be_undone_now_is_said() -> None:
    def fail(_site: Site, _target: Target) -> None:
        raise ApiError(0, "connection refused")

    said: list[str] = []
    heal(site(said), Fault("broken", CLUSTER, "is broken", nothing, fail, nowhere), Target())
    assert said == ["broken is not undone yet (0: connection refused): heal it again when what is down is up"]


def test_where_a_fault_is_on_may_be_unknown() -> None:
    def fail(_site: Site) -> list[Target]:
        raise ApiError(0, "connection refused")

    assert on(site(), Fault("broken", CLUSTER, "is broken", nothing, nothing, fail)) is None
    assert on(site(), Fault("once", CLUSTER, "happens", nothing, nothing, nowhere)) == []


@pytest.mark.parametrize(("target", "text"), [(Target(), ""), (Target("shop"), "shop"), (Target("shop", "web"), "shop/web")])
def test_a_target_is_written_as_people_do(target: Target, text: str) -> None:
    assert str(target) == text
