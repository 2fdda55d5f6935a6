# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""AWX's rules for surveys: what its API refuses of a specification, what it refuses of answers, and what a job gets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Item = Mapping[str, Any]
Spec = Mapping[str, Any]

# Type of a question -> type of its default.
TYPES: Mapping[str, tuple[type, ...]] = {
    "text": (str,),
    "textarea": (str,),
    "password": (str,),
    "multiplechoice": (str,),
    "multiselect": (str,),
    "integer": (int,),
    "float": (float, int),
}
CHOOSING = ("multiplechoice", "multiselect")
RESERVED = "$encrypted$"


def spec_error(spec: Any) -> str | None:
    """Return what the API says to a specification that it refuses."""
    for field, kind in (("name", str), ("description", str), ("spec", list)):
        if not isinstance(spec, Mapping) or field not in spec:
            return f"{field!r} is missing"
        if not isinstance(spec[field], kind):
            return f"{field!r} is no {kind.__name__}"
    if not spec["spec"]:
        return "'spec' has no items"
    variables = [item.get("variable") for item in spec["spec"] if isinstance(item, Mapping)]
    for number, item in enumerate(spec["spec"]):
        problem = _item_error(item)
        if problem is None and variables.index(item["variable"]) < number:
            problem = f"variable {item['variable']!r} is there twice"
        if problem is not None:
            return f"question {number}: {problem}"
    return None


def answer_errors(spec: Spec, answers: Mapping[str, Any]) -> list[str]:
    """Return what the API says to answers that it refuses."""
    return [problem for item in spec["spec"] for problem in _answer_errors(item, answers)]


def job_variables(template: Mapping[str, Any], spec: Spec, answers: Mapping[str, Any]) -> dict[str, Any]:
    """Return the extra variables of a job: those of its template, then the survey's defaults that are valid, then the answers."""
    defaults = {
        item["variable"]: item["default"]
        for item in spec["spec"]
        if item.get("default") is not None and not _answer_errors(item, {item["variable"]: item["default"]})
    }
    return {**template, **defaults, **answers}


def choices(item: Item) -> list[str]:
    """Return the choices of a question, which may be written as lines."""
    given = item.get("choices", [])
    return [line for line in given.splitlines() if line.strip()] if isinstance(given, str) else list(given)


def _item_error(item: Any) -> str | None:
    if not isinstance(item, Mapping):
        return "it is no object"
    for field in ("type", "question_name", "variable", "required"):
        kind = bool if field == "required" else str
        if field not in item:
            return f"{field!r} is missing"
        if not isinstance(item[field], kind):
            return f"{field!r} is no {kind.__name__}"
    if item["type"] not in TYPES:
        return f"there is no type {item['type']!r}"
    checks: Sequence[Callable[[Item], str | None]] = (_default_error, _limits_error, _choices_error, _reserved_error)
    return next((problem for check in checks if (problem := check(item)) is not None), None)


def _default_error(item: Item) -> str | None:
    kinds = TYPES[item["type"]]
    given = item.get("default", "")
    if given != "" and not isinstance(given, kinds):
        return f"the default {given!r} is no {kinds[0].__name__}"
    return None


def _limits_error(item: Item) -> str | None:
    for limit in ("min", "max"):
        if item.get(limit) is not None and not isinstance(item[limit], int):
            return f"{limit!r} is no int"
    return None


def _choices_error(item: Item) -> str | None:
    if item["type"] not in CHOOSING:
        return None
    if "choices" not in item:
        return "'choices' is missing"
    given = [line for line in str(item.get("default", "")).splitlines() if line.strip()]
    if item["type"] == "multiplechoice" and len(given) > 1:
        return "it has more than one default"
    if any(default not in item["choices"] for default in given):
        return "the default is none of the choices"
    return None


def _reserved_error(item: Item) -> str | None:
    if str(item.get("default", "")).startswith(RESERVED):
        return f"{RESERVED!r} is reserved"
    return None


def _answer_errors(item: Item, answers: Mapping[str, Any]) -> list[str]:
    name = item["variable"]
    if name not in answers:
        return [f"{name!r} has no value"] if item["required"] else []
    answer = answers[name]
    if item["type"] in ("text", "textarea", "password"):
        return [f"{name!r} is no text"] if not isinstance(answer, str) else _outside(item, len(answer))
    if item["type"] in ("integer", "float"):
        kinds = (int,) if item["type"] == "integer" else (int, float)
        # A boolean is no number here.
        return [f"{name!r} is no number"] if type(answer) not in kinds else _outside(item, answer)
    if item["type"] == "multiselect":
        if not isinstance(answer, list):
            return [f"{name!r} is no list"]
        return [f"{one!r} is no choice of {name!r}" for one in answer if one not in choices(item)]
    return [] if answer in choices(item) else [f"{answer!r} is no choice of {name!r}"]


def _outside(item: Item, measure: float) -> list[str]:
    least, most = item.get("min"), item.get("max")
    return [
        *([f"{item['variable']!r} is too small"] if least is not None and measure < least else []),
        *([f"{item['variable']!r} is too large"] if most is not None and measure > most else []),
    ]
