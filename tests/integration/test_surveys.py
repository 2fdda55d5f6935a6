# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The surveys of the job templates keep AWX's rules, each of which is stated here, and ask for what the roles take."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from dev.paths import CHECKOUT
from integration.support.awx_survey import CHOOSING, TYPES, answer_errors, choices, job_variables, spec_error
from integration.support.awx_templates import controller_data, survey

DATA = controller_data()
SURVEYS: Mapping[str, list[dict[str, Any]]] = {
    **{template["playbook"]: template["survey"] for template in DATA["controller_job_templates"]},
    "workflow": DATA["controller_workflow"]["survey"],
}
QUESTIONS = {f"{name}-{item['variable']}": item for name, items in SURVEYS.items() for item in items}
# Type of a question -> types of the variables of roles that its answers fit.
FITTING = {"text": {"str"}, "textarea": {"raw", "list"}, "integer": {"int"}, "multiplechoice": {"str", "bool"}}
TEXT = {"type": "text", "question_name": "Name", "variable": "name", "required": True}
CHOICE = {**TEXT, "type": "multiplechoice", "choices": ["one", "two"]}


def options_of_roles() -> dict[str, dict[str, Any]]:
    """Return the variables of all roles."""
    found: dict[str, dict[str, Any]] = {}
    for path in (CHECKOUT / "roles").glob("*/meta/argument_specs.yml"):
        found.update(yaml.safe_load(path.read_text(encoding="utf-8"))["argument_specs"]["main"]["options"])
    return found


def defaults_of_roles() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for path in (CHECKOUT / "roles").glob("*/defaults/main.yml"):
        found.update(yaml.safe_load(path.read_text(encoding="utf-8")))
    return found


@pytest.mark.parametrize("name", SURVEYS)
def test_the_api_accepts_each_survey(name: str) -> None:
    assert spec_error(survey(SURVEYS[name])) is None


@pytest.mark.parametrize(
    ("spec", "rule"),
    [
        ({"description": "", "spec": [TEXT]}, "'name' is missing"),
        ({"name": "", "spec": [TEXT]}, "'description' is missing"),
        ({"name": "", "description": ""}, "'spec' is missing"),
        ({"name": None, "description": "", "spec": [TEXT]}, "'name' is no str"),
        ({"name": "", "description": "", "spec": {"0": TEXT}}, "'spec' is no list"),
        (survey([]), "'spec' has no items"),
    ],
)
def test_rules_of_a_survey(spec: Mapping[str, Any], rule: str) -> None:
    assert spec_error(spec) == rule


@pytest.mark.parametrize(
    ("item", "rule"),
    [
        ("name", "it is no object"),
        *(({key: value for key, value in TEXT.items() if key != field}, f"{field!r} is missing") for field in TEXT),
        ({**TEXT, "question_name": 1}, "'question_name' is no str"),
        ({**TEXT, "required": "true"}, "'required' is no bool"),
        ({**TEXT, "type": "number"}, "there is no type 'number'"),
        ({**TEXT, "default": 5}, "the default 5 is no str"),
        ({**TEXT, "type": "integer", "default": "5"}, "the default '5' is no int"),
        ({**TEXT, "type": "float", "default": "0.5"}, "the default '0.5' is no float"),
        ({**TEXT, "min": "1"}, "'min' is no int"),
        ({**TEXT, "max": ""}, "'max' is no int"),
        ({**TEXT, "type": "multiplechoice"}, "'choices' is missing"),
        ({**TEXT, "type": "multiselect"}, "'choices' is missing"),
        ({**CHOICE, "default": "three"}, "the default is none of the choices"),
        ({**CHOICE, "default": "one\ntwo"}, "it has more than one default"),
        ({**CHOICE, "type": "multiselect", "default": "one\nthree"}, "the default is none of the choices"),
        ({**TEXT, "default": "$encrypted$"}, "'$encrypted$' is reserved"),
    ],
)
def test_rules_of_a_question(item: Any, rule: str) -> None:
    assert spec_error(survey([item])) == f"question 0: {rule}"


def test_a_variable_is_asked_for_once() -> None:
    assert spec_error(survey([TEXT, CHOICE])) == "question 1: variable 'name' is there twice"


@pytest.mark.parametrize(
    "item",
    [
        TEXT,
        {**TEXT, "default": "", "min": None, "max": 3},
        {**TEXT, "type": "integer", "default": ""},
        {**TEXT, "type": "float", "default": 1},
        {**CHOICE, "default": "one"},
        {**CHOICE, "choices": "one\ntwo", "default": "two"},
        {**CHOICE, "type": "multiselect", "default": "one\ntwo"},
    ],
)
def test_what_the_rules_allow(item: Any) -> None:
    assert spec_error(survey([item])) is None


@pytest.mark.parametrize(
    ("item", "answers", "rule"),
    [
        (TEXT, {}, "'name' has no value"),
        (TEXT, {"name": 1}, "'name' is no text"),
        ({**TEXT, "min": 2}, {"name": "a"}, "'name' is too small"),
        ({**TEXT, "max": 2}, {"name": "abc"}, "'name' is too large"),
        ({**TEXT, "type": "integer"}, {"name": "3"}, "'name' is no number"),
        ({**TEXT, "type": "integer"}, {"name": True}, "'name' is no number"),
        ({**TEXT, "type": "integer", "min": 1}, {"name": 0}, "'name' is too small"),
        ({**TEXT, "type": "integer", "max": 1}, {"name": 2}, "'name' is too large"),
        ({**TEXT, "type": "float"}, {"name": "0.5"}, "'name' is no number"),
        (CHOICE, {"name": ""}, "'' is no choice of 'name'"),
        ({**CHOICE, "type": "multiselect"}, {"name": "one"}, "'name' is no list"),
        ({**CHOICE, "type": "multiselect", "choices": "one\ntwo"}, {"name": ["two", "three"]}, "'three' is no choice of 'name'"),
    ],
)
def test_rules_of_an_answer(item: Any, answers: Mapping[str, Any], rule: str) -> None:
    assert answer_errors(survey([item]), answers) == [rule]


def test_answers_come_before_defaults_and_these_before_the_variables_of_the_template() -> None:
    items = [{**TEXT, "variable": name, "required": False, "default": "of the survey"} for name in ("one", "two")]
    invalid = {**TEXT, "variable": "three", "required": False, "default": "", "min": 1}
    template = {"one": "of the template", "two": "of the template", "three": "of the template"}

    variables = job_variables(template, survey([*items, invalid]), {"two": "answer"})

    assert variables == {"one": "of the survey", "two": "answer", "three": "of the template"}


@pytest.mark.parametrize("item", QUESTIONS.values(), ids=QUESTIONS)
def test_each_question_asks_for_what_a_role_takes(item: Mapping[str, Any]) -> None:
    option = options_of_roles()[item["variable"]]
    default = defaults_of_roles().get(item["variable"])

    assert option["type"] in FITTING[item["type"]]
    if item["type"] in CHOOSING:
        assert set(choices(item)) == set(option.get("choices", ["false", "true"]))
    if default is not None:
        assert item["default"] == (str(default).lower() if isinstance(default, bool) else default)
    if option.get("required"):
        assert item["required"]
    # What is not answered may come as an empty text.
    assert item["required"] or item["type"] not in ("text", "textarea") or not item.get("min")


@pytest.mark.parametrize("name", SURVEYS)
def test_a_survey_can_be_answered_with_what_is_required_alone(name: str) -> None:
    items = copy.deepcopy(SURVEYS[name])
    answers = {item["variable"]: "web" for item in items if item["required"]}

    assert answer_errors(survey(items), answers) == []
    assert {item["type"] for item in items} <= set(TYPES) - {"password"}, "a password is always a change"


def test_a_job_outlives_its_waits() -> None:
    waits = {"ensure": ("vmirs", "hpa", "verify"), "verify": ("verify",), "scale": ("scale",), "remove": ("hpa", "vmirs")}
    for template in DATA["controller_job_templates"]:
        roles = waits.get(template["playbook"], ())
        seconds = sum(defaults_of_roles()[f"{role}_wait_timeout"] for role in roles)
        asked = sum(item["default"] for item in template["survey"] if item["variable"] == "rollout_batch_timeout")
        assert template["timeout"] > max(seconds, asked)
