# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Quantities, compared with what Kubernetes' own resource.Quantity made of them (fixtures/describe)."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import pytest

from ansible_collections.vmscale.kubevirt.plugins.module_utils._quantity import canonical, equal, parse

ROWS: list[tuple[str, str | None]] = [
    (text, spelling)
    for text, spelling in json.loads((Path(__file__).parent / "fixtures" / "describe" / "quantities.json").read_text(encoding="utf-8"))
]


@pytest.mark.parametrize(("text", "spelling"), [row for row in ROWS if row[1] is not None])
def test_spells_as_kubernetes_does(text: str, spelling: str) -> None:
    assert canonical(text) == spelling


@pytest.mark.parametrize("text", [row[0] for row in ROWS if row[1] is None])
def test_refuses_what_kubernetes_refuses(text: str) -> None:
    for function in (canonical, parse):
        with pytest.raises(ValueError, match="is not a Kubernetes quantity: "):
            function(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("500m", Fraction(1, 2)),
        ("64M", Fraction(64 * 10**6)),
        ("1.5Gi", Fraction(3 * 2**29)),
        ("2e3", Fraction(2000)),
        ("-3", Fraction(-3)),
        ("0.1n", Fraction(1, 10**9)),
        ("8Ei", Fraction(2**63 - 1)),
        ("-8Ei", Fraction(1 - 2**63)),
        (7, Fraction(7)),
        (0.25, Fraction(1, 4)),
        (1e-05, Fraction(1, 10**5)),
    ],
)
def test_values(text: str | float, value: Fraction) -> None:
    assert parse(text) == value


@pytest.mark.parametrize(("number", "spelling"), [(1, "1"), (0, "0"), (0.5, "500m"), (1500, "1500"), (2000, "2k")])
def test_numbers_are_spelled_like_their_text(number: float, spelling: str) -> None:
    assert canonical(number) == spelling


@pytest.mark.parametrize("value", [True, None, [], float("nan"), float("inf")])
def test_refuses_what_is_no_quantity_at_all(value: object) -> None:
    with pytest.raises(ValueError, match="is not a Kubernetes quantity: "):
        parse(value)  # type: ignore[arg-type]


def test_refuses_absurd_exponents_at_once() -> None:
    for text in ("1e1000", "1e-2000000000", "1e99999999999999999999"):
        with pytest.raises(ValueError, match="its exponent is beyond 999"):
            parse(text)


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ("1000m", 1, True),
        ("0.5", "500m", True),
        ("1Gi", "1024Mi", True),
        ("1Gi", "1G", False),
        ("64M", "64e6", True),
        ("0", "-0", True),
        ("1", "1001m", False),
    ],
)
def test_equality_is_of_values(left: str | float, right: str | float, same: bool) -> None:
    assert equal(left, right) is same
