# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A role that is a module driven by variables has one for each option, with the same default and the same documentation of it."""

from __future__ import annotations

import re
import typing as t

import pytest
import yaml
from ansible_collections.kubernetes.core.plugins.module_utils.args_common import AUTH_ARG_SPEC

from ansible_collections.vmscale.kubevirt.plugins.module_utils._arguments import MODULES
from dev.paths import CHECKOUT

MODULE_OF = {"vmirs": "vmirs", "hpa": "hpa", "verify": "hpa_verify", "scale": "vmirs_scale", "rollout": "vmirs_rollout"}
# Options whose variable has a shorter name.
SHORTENED = {"scale": {"order": "scale_in_order", "when_autoscaled": "replicas_when_autoscaled"}}
# A role waits unless it is told not to.
OWN_DEFAULTS = {"wait": True}
WAITING = {"wait", "wait_timeout", "wait_grace", "quiet"}


def read(role: str, path: str) -> t.Any:
    """Return a YAML file of a role."""
    return yaml.safe_load((CHECKOUT / "roles" / role / path).read_text(encoding="utf-8"))


def option_of(role: str, variable: str) -> str:
    """Return the option of the module that a variable of the role stands for."""
    name = variable.removeprefix(f"{role}_")
    return SHORTENED.get(role, {}).get(name, name)


def variables(role: str) -> dict[str, tuple[str, t.Any]]:
    """Return each option with its variable and what the argument specification says of it, without the connection's."""
    options = read(role, "meta/argument_specs.yml")["argument_specs"]["main"]["options"]
    assert f"{role}_connection" in options
    return {option_of(role, name): (name, option) for name, option in options.items() if name != f"{role}_connection"}


@pytest.mark.parametrize(("role", "module"), MODULE_OF.items())
def test_there_is_a_variable_for_each_option(role: str, module: str) -> None:
    options = {name: option for name, option in MODULES[module].argument_spec.items() if name not in AUTH_ARG_SPEC}
    documented = variables(role)

    assert set(documented) == set(options)
    for name, option in options.items():
        _, variable = documented[name]
        # Where a relative path leads is for the module to say.
        assert variable["type"] == ("str" if option["type"] == "path" else option["type"]), name
        assert variable.get("choices") == option.get("choices"), name
        assert variable.get("elements") == option.get("elements"), name


@pytest.mark.parametrize(("role", "module"), MODULE_OF.items())
def test_the_task_passes_every_variable_on(role: str, module: str) -> None:
    (task,) = read(role, "tasks/main.yml")
    passed = task[f"vmscale.kubevirt.{module}"]

    assert set(passed) == set(variables(role))
    for name, value in passed.items():
        assert value.split()[1] == variables(role)[name][0]


@pytest.mark.parametrize(("role", "module"), MODULE_OF.items())
def test_defaults_are_those_of_the_module(role: str, module: str) -> None:
    defaults = {option_of(role, name): value for name, value in read(role, "defaults/main.yml").items()}
    defaults.pop("connection")
    specification = MODULES[module].argument_spec

    assert WAITING & set(specification) <= set(defaults)
    assert defaults == {name: OWN_DEFAULTS.get(name, specification[name].get("default")) for name in defaults}
    assert defaults == {name: each["default"] for name, (_, each) in variables(role).items() if "default" in each}


@pytest.mark.parametrize(("role", "module"), MODULE_OF.items())
def test_defaults_that_are_told_are_those_of_the_module(role: str, module: str) -> None:
    specification = MODULES[module].argument_spec
    told = {
        name: yaml.safe_load(found[1])
        for name, (_, variable) in variables(role).items()
        if (found := re.search(r"The module's default is V\((.*?)\)", " ".join(variable["description"])))
    }

    assert told
    assert told == {name: specification[name].get("default") for name in told}


@pytest.mark.parametrize("role", MODULE_OF)
def test_the_readme_names_every_variable(role: str) -> None:
    readme = (CHECKOUT / "roles" / role / "README.md").read_text(encoding="utf-8")

    assert [name for name, _ in variables(role).values() if f"`{name}`" not in readme] == []
