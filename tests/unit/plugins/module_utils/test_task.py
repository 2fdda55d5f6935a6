# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A task as the engine sees it: manifest files, the deadline, and the arguments of the modules."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.vmscale.kubevirt.plugins.module_utils._arguments import MODULES, run
from ansible_collections.vmscale.kubevirt.plugins.module_utils._documents import read_definition, read_files
from ansible_collections.vmscale.kubevirt.plugins.module_utils._errors import OptionError
from ansible_collections.vmscale.kubevirt.plugins.module_utils._task import Task
from unit.support.clock import FakeClock
from unit.support.recorded import SEED_SET


def test_what_a_task_is_given(tmp_path: Path) -> None:
    path = tmp_path / "set.yaml"
    path.write_text(SEED_SET)
    assert Task({}, {}).given() is None
    assert Task({"definition": {"kind": "x"}, "src": None}, {}).given() == read_definition({"kind": "x"})
    assert Task({"src": str(path)}, {}).given() == read_files(str(path))
    files = (("sets/a.yaml", SEED_SET),)
    assert Task({"src": "sets"}, {}, files=files).given() == read_files("sets", files)


@pytest.mark.parametrize(
    ("params", "check_mode", "waits"),
    [({"wait": True}, False, True), ({"wait": True}, True, False), ({"wait": False}, False, False), ({}, False, False)],
)
def test_in_check_mode_nothing_is_waited_for(params: dict[str, t.Any], check_mode: bool, waits: bool) -> None:
    assert Task(params, {}, check_mode).is_waiting is waits


@pytest.mark.parametrize(("given", "seconds"), [(None, 120), (0, 0), (7, 7)])
def test_the_deadline_of_a_task(given: int | None, seconds: float) -> None:
    params = {"host": "http://127.0.0.1:1", "api_key": "t", "wait_timeout": given}
    assert Task(params, {}, clock=FakeClock()).connect()[1].remaining == seconds


@pytest.mark.parametrize("module", MODULES)
def test_every_module_takes_the_options_of_the_connection(module: str) -> None:
    names = set(MODULES[module].argument_spec)
    assert {"kubeconfig", "context", "host", "api_key", "ca_cert", "validate_certs", "impersonate_groups", "namespace"} <= names
    assert MODULES[module].argument_spec["kubeconfig"]["type"] == "raw"


def validate(module: str, **given: t.Any) -> t.Any:
    """Return what ansible makes of the arguments."""
    specification = MODULES[module]
    return ArgumentSpecValidator(
        specification.argument_spec,
        mutually_exclusive=[list(group) for group in specification.mutually_exclusive],
        required_one_of=[list(group) for group in specification.required_one_of],
    ).validate(given)


@pytest.mark.parametrize(
    ("module", "given", "words"),
    [
        ("vmirs", {}, "one of the following is required: name, src, definition, fleet"),
        ("vmirs", {"src": "a", "definition": "b"}, "parameters are mutually exclusive: src|definition"),
        ("vmirs", {"name": "web", "replicas": "many"}, "replicas"),
        ("vmirs", {"name": "web", "replicas_when_autoscaled": "fight"}, "must be one of: keep, set, fail"),
        ("vmirs_info", {"name": "web", "label_selectors": ["a"]}, "mutually exclusive"),
        ("hpa", {}, "one of the following is required: name, src, definition, fleet"),
        ("hpa", {"name": "web", "metrics": [{}], "target_cpu_utilization": 50}, "mutually exclusive: metrics|target_cpu_utilization"),
        ("hpa", {"name": "web", "target": {}}, "missing required arguments: name"),
        ("hpa_verify", {}, "missing required arguments: name"),
        ("hpa_verify", {"name": "web", "describe": "loud"}, "must be one of: current, legacy"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(module: str, given: dict[str, t.Any], words: str) -> None:
    assert words in str(validate(module, **given).errors.msg)


def test_defaults_are_safe() -> None:
    params = validate("vmirs", name="web").validated_parameters
    chosen = {
        key: params[key]
        for key in ("state", "wait", "wait_timeout", "replicas_when_autoscaled", "template_hash", "allow_selector_change", "orphan")
    }
    assert chosen == {
        "state": "present",
        "wait": False,
        "wait_timeout": 120,
        "replicas_when_autoscaled": "keep",
        "template_hash": True,
        "allow_selector_change": False,
        "orphan": False,
    }
    assert validate("hpa_verify", name="web").validated_parameters["wait"] is True
    assert validate("vmirs", resource_definition={"a": 1}).validated_parameters["definition"] == {"a": 1}


def test_a_failure_becomes_a_failed_result() -> None:
    def fail(task: Task) -> dict[str, t.Any]:
        raise OptionError("what is wrong", reasons=["a"])

    assert run(fail, Task({}, {})).result == {"changed": False, "reasons": ["a"], "failed": True, "msg": "what is wrong"}
    done = run(lambda task: {"changed": True, "warnings": ["w"]}, Task({}, {}))
    assert (done.result, done.warnings) == ({"changed": True}, ("w",))
