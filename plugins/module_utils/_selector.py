# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it can change at any time.

"""Label selectors: do they match, how are they written, are two of them the same.

Shapes and rules: ``LabelSelector`` of apimachinery (``pkg/apis/meta/v1``) and its string form (``pkg/labels/selector.go``).
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.vmscale.kubevirt.plugins.module_utils._errors import OptionError

Selector = t.Mapping[str, t.Any]
_LISTED = re.compile(r"(?P<key>\S+) (?P<operator>in|notin) \((?P<values>[^)]*)\)\Z")


def requirements(selector: Selector) -> tuple[str, ...]:
    """The selector's requirements in the string form that the API uses, sorted by key."""
    labels, expressions = selector.get("matchLabels") or {}, selector.get("matchExpressions") or []
    if not isinstance(labels, t.Mapping) or not isinstance(expressions, list):
        raise OptionError('"selector" must hold a mapping in matchLabels and a list in matchExpressions.')
    return tuple(
        text
        for key, text in sorted(
            [*((str(key), f"{key}={value}") for key, value in labels.items()), *(_expression(each) for each in expressions)],
            key=lambda requirement: requirement[0],
        )
    )


def _expression(expression: t.Any) -> tuple[str, str]:
    """One of ``matchExpressions``: its key, and its string form."""
    if not isinstance(expression, t.Mapping) or not isinstance(expression.get("values", []), list):
        raise OptionError('Each entry of matchExpressions in "selector" must be a mapping with key, operator and a list of values.')
    key, operator = expression.get("key"), str(expression.get("operator", ""))
    if not isinstance(key, str) or not key:
        raise OptionError('Each entry of matchExpressions in "selector" must have a key, which is a text.')
    values = ",".join(sorted(str(value) for value in expression.get("values") or []))
    forms = {"In": f"{key} in ({values})", "NotIn": f"{key} notin ({values})", "Exists": key, "DoesNotExist": f"!{key}"}
    if operator not in forms:
        raise OptionError(f'The operator "{operator}" in matchExpressions of "selector" is not one of In, NotIn, Exists, DoesNotExist.')
    return key, forms[operator]


def to_query(selector: Selector) -> str:
    """The selector as a ``labelSelector`` query parameter, and as ``status.labelSelector`` shows it."""
    return ",".join(requirements(selector))


def parse_query(query: str) -> dict[str, t.Any]:
    """The selector that ``to_query`` has written so."""
    labels: dict[str, str] = {}
    expressions: list[dict[str, t.Any]] = []
    # Commas stand between requirements, and between the values of one, in parentheses.
    for text in re.findall(r"[^,(]+(?:\([^)]*\))?", query):
        listed = _LISTED.match(text)
        if listed:
            operator = "In" if listed["operator"] == "in" else "NotIn"
            expressions.append({"key": listed["key"], "operator": operator, "values": listed["values"].split(",")})
        elif "=" in text:
            key, _equals, value = text.partition("=")
            labels[key] = value
        else:
            expressions.append({"key": text.lstrip("!"), "operator": "DoesNotExist" if text.startswith("!") else "Exists"})
    return {"matchLabels": labels, "matchExpressions": expressions}


def is_same(one: Selector, other: Selector) -> bool:
    """True where both choose the same objects by the same requirements, however they are written."""
    return sorted(requirements(one)) == sorted(requirements(other))


def matches(selector: Selector, labels: t.Mapping[str, str]) -> bool:
    """True where the selector chooses an object with these labels."""
    for key, value in (selector.get("matchLabels") or {}).items():
        if labels.get(key) != value:
            return False
    for expression in selector.get("matchExpressions") or []:
        key, operator, values = expression.get("key"), expression.get("operator"), expression.get("values") or []
        present = key in labels
        holds = {
            "In": present and labels[key] in values,
            "NotIn": not present or labels[key] not in values,
            "Exists": present,
            "DoesNotExist": not present,
        }
        if not holds.get(operator, False):
            return False
    return True
