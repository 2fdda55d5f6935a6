# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it can change at any time.

"""Kubernetes quantities ("500m", "64M", "1Gi"): their value, their stored spelling, their equality.

Source of the rules: k8s.io/apimachinery pkg/api/resource (quantity.go, suffix.go, amount.go), v0.36.
"""

from __future__ import annotations

import re
import typing as t
from fractions import Fraction

QuantityText = t.Union[str, int, float]

_SHAPE = re.compile(r"([+-]?)(0*)([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*[-+]?[0-9]*)")
_EXPONENT = re.compile(r"[eE]([+-]?[0-9]+)")
_DECIMAL_SUFFIXES = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY_SUFFIXES = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_DECIMAL_BY_EXPONENT = {exponent: suffix for suffix, exponent in _DECIMAL_SUFFIXES.items()}
_BINARY_BY_POWER = {exponent // 10: suffix for suffix, exponent in _BINARY_SUFFIXES.items()}

_DECIMAL_SI = "DecimalSI"
_DECIMAL_EXPONENT = "DecimalExponent"
_BINARY_SI = "BinarySI"

_NANO = -9
_FAST_DIGITS = 18
_FAST_BINARY_DIGITS = 15
_MAX_BINARY = 2**63 - 1
# Go keeps the exponent in an int32 and would work on numbers of that many digits; nobody needs them.
_MAX_EXPONENT = 999


class _Quantity(t.NamedTuple):
    value: Fraction
    form: str
    kept: str | None


def parse(text: QuantityText) -> Fraction:
    """The exact value of a quantity.

    :param text: a quantity as written in YAML or JSON: a string ("1500m", "1.5", "2e3", "64Mi", spaces
        around it ignored) or a number.
    :returns: the value as a fraction, as Kubernetes holds it: what is finer than a billionth is rounded away
        from zero to a billionth, a value with a binary suffix is at most 2**63-1 in magnitude.
    :raises ValueError: the text is not a quantity.

    Source: ParseQuantity in apimachinery pkg/api/resource/quantity.go.
    """
    return _read(text).value


def canonical(text: QuantityText) -> str:
    """The spelling in which the API server stores and returns a quantity.

    :param text: as for :func:`parse`.
    :returns: for example "1" for "1000m", "500m" for 0.5, "1Gi" for "1024Mi", "64M" for "64M". As in
        Kubernetes, a text which needs no other suffix is returned as it was written, so "1.500" stays "1.500".
    :raises ValueError: the text is not a quantity.

    Source: Quantity.String and CanonicalizeBytes in apimachinery pkg/api/resource/quantity.go.
    """
    quantity = _read(text)
    if quantity.kept is not None:
        return quantity.kept
    value = quantity.value
    if value == 0:
        return "0"
    if quantity.form == _BINARY_SI and value.denominator == 1 and abs(value) >= 1024:
        number, power = _without_factor(value.numerator, 1024)
        return f"{number}{_BINARY_BY_POWER.get(power, '')}"
    number, exponent = _without_factor(int(value * 10**-_NANO), 10)
    exponent += _NANO
    number *= 10 ** (exponent % 3)
    exponent -= exponent % 3
    if quantity.form == _DECIMAL_EXPONENT:
        return str(number) if exponent == 0 else f"{number}e{exponent}"
    # Kubernetes drops a suffix it does not have: "1000E" is stored as "1".
    return f"{number}{_DECIMAL_BY_EXPONENT.get(exponent, '')}"


def equal(left: QuantityText, right: QuantityText) -> bool:
    """Whether two quantities have the same value, however they are written ("1" and "1000m").

    :raises ValueError: one of the texts is not a quantity.

    Source: Quantity.Cmp in apimachinery pkg/api/resource/quantity.go.
    """
    return parse(left) == parse(right)


def _read(text: QuantityText) -> _Quantity:
    written = _written(text)
    shape = _SHAPE.fullmatch(written)
    if not written or shape is None:
        raise _unreadable(text, "it is not a number with an optional suffix, as in 500m, 2, 64M or 1Gi")
    sign, zeros, whole, decimals = shape.group(1), shape.group(2), shape.group(3), shape.group(4) or ""
    digits = whole or "0"
    form, exponent = _suffix(shape.group(5), text)

    mantissa, scale = 1, exponent
    if form != _BINARY_SI:
        room = _FAST_DIGITS - len(digits) - len(decimals)
    elif not decimals:
        mantissa, scale = 2**exponent, 0
        room = _FAST_BINARY_DIGITS - len(digits) - exponent * 3 // 10 - 1
    else:
        room = -1
    scale -= len(decimals)
    shifted = digits + decimals
    if room >= 0 and scale >= _NANO:
        amount = int(shifted)
        # The API server keeps the text of such a number as it was written.
        keep = amount % 8 != 0 if form == _BINARY_SI else scale % 3 == 0 and not shifted.endswith("000") and shifted[0] != "0"
        value = amount * mantissa * Fraction(10) ** scale
        return _Quantity(-value if sign == "-" else value, form, written if keep else None)

    if not zeros and not whole and not decimals:
        raise _unreadable(text, "it has no digits before its suffix")
    value = Fraction(int(shifted)) / 10 ** len(decimals)
    value *= 2**exponent if form == _BINARY_SI else Fraction(10) ** exponent
    value = Fraction(-(-value * 10**-_NANO // 1), 10**-_NANO)
    if form == _BINARY_SI:
        value = min(value, Fraction(_MAX_BINARY))
        if 0 < value < 1:
            form = _DECIMAL_SI
    return _Quantity(-value if sign == "-" else value, form, None)


def _written(text: QuantityText) -> str:
    if isinstance(text, bool) or not isinstance(text, (str, int, float)):
        raise _unreadable(text, "it is neither a string nor a number")
    return text.strip(" ") if isinstance(text, str) else repr(text)


def _unreadable(text: t.Any, reason: str) -> ValueError:
    return ValueError(f"{text!r} is not a Kubernetes quantity: {reason}")


def _suffix(suffix: str, text: QuantityText) -> tuple[str, int]:
    if suffix in _DECIMAL_SUFFIXES:
        return _DECIMAL_SI, _DECIMAL_SUFFIXES[suffix]
    if suffix in _BINARY_SUFFIXES:
        return _BINARY_SI, _BINARY_SUFFIXES[suffix]
    power = _EXPONENT.fullmatch(suffix)
    if power is None:
        known = ", ".join(name for name in (*_DECIMAL_SUFFIXES, *_BINARY_SUFFIXES) if name)
        raise _unreadable(text, f"its suffix {suffix!r} is none of {known} nor an exponent such as e3")
    if len(power.group(1)) > 9 or abs(int(power.group(1))) > _MAX_EXPONENT:
        raise _unreadable(text, f"its exponent is beyond {_MAX_EXPONENT}")
    return _DECIMAL_EXPONENT, int(power.group(1))


def _without_factor(number: int, factor: int) -> tuple[int, int]:
    times = 0
    while number % factor == 0:
        number //= factor
        times += 1
    return number, times
