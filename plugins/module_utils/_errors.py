# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it can change at any time.

"""What can go wrong, and the sentence that says it.

Every exception of the engine is an ``EngineError`` whose text is meant for the user: one sentence that names the option or
the object and what to do. ``explain`` turns an answer of the API server into such a sentence.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass


class EngineError(Exception):
    """A failure with a sentence for the user and facts for the result."""

    def __init__(self, message: str, **facts: t.Any) -> None:
        super().__init__(message)
        self.message = message
        self.facts = facts


class OptionError(EngineError):
    """What the user asked for cannot be meant: nothing has been written."""


class DependencyError(EngineError):
    """A Python package, or its version, is missing where the engine runs."""

    def __init__(self, package: str, why: str) -> None:
        super().__init__(
            f'The Python package "{package}" is needed {why}, and it is not installed where this task runs: pip install "{package}".'
        )
        self.package = package


class ConnectionFailed(EngineError):
    """No answer came from the API server; ``trouble`` says why in a few words."""

    def __init__(self, message: str, trouble: str = "") -> None:
        super().__init__(message)
        self.trouble = trouble or message


class WaitTimeout(EngineError):
    """What was waited for did not come in time."""


@dataclass(frozen=True)
class Cause:
    """One cause of a rejection, as in ``Status.details.causes`` of the Kubernetes API."""

    field: str
    message: str

    def __str__(self) -> str:
        return f"{self.field}: {self.message}" if self.field else self.message


@dataclass(frozen=True)
class Answer:
    """An answer of the API server that is not a success: HTTP status and what its ``Status`` object says."""

    status: int
    method: str
    group: str
    plural: str
    namespace: str
    name: str
    reason: str = ""
    message: str = ""
    causes: tuple[Cause, ...] = ()
    about_kind: str = ""
    about_name: str = ""
    is_status: bool = True
    subresource: str = ""

    @property
    def resource(self) -> str:
        """The resource as ``kubectl`` and RBAC name it: ``plural.group``, ``plural.group/subresource``."""
        qualified = f"{self.plural}.{self.group}" if self.group else self.plural
        return f"{qualified}/{self.subresource}" if self.subresource else qualified


class ApiError(EngineError):
    """The API server answered, and not with success."""

    def __init__(self, answer: Answer, sentence: str, retry_after: float = 0.0) -> None:
        super().__init__(sentence, status=answer.status, reason=answer.reason)
        self.answer = answer
        self.retry_after = retry_after

    @property
    def is_missing_object(self) -> bool:
        """True where the resource exists and the object of that name does not."""
        return self.answer.status == 404 and self.answer.is_status and self.answer.about_kind != "namespaces"

    @property
    def is_forbidden(self) -> bool:
        """True where the user lacks a right, not where admission refuses."""
        return self.answer.status == 403 and _FORBIDDEN.search(self.answer.message) is not None

    @property
    def is_conflict(self) -> bool:
        """True where somebody else wrote the object since it was read."""
        return self.answer.status == 409


_FORBIDDEN = re.compile(r'User "(?P<user>[^"]*)" cannot (?P<verb>\S+) resource "(?P<resource>[^"]*)"')
_WEBHOOK_DENIED = re.compile(r'admission webhook "(?P<webhook>[^"]+)" denied the request: ?(?P<why>.*)', re.DOTALL)
_NOT_TYPED = re.compile(r"failed to create typed patch object \([^)]*\): (?P<why>.*)", re.DOTALL)
_WEBHOOK_DOWN = re.compile(r'failed calling webhook "(?P<webhook>[^"]+)"(?P<why>.*)', re.DOTALL)


def explain(answer: Answer, *, server: str, origin: str) -> str:
    """The sentence for ``answer``.

    ``server`` is the address that was asked, ``origin`` where the credentials came from. The shapes of the answers are those
    of apimachinery's ``pkg/api/errors`` and the API server's authorization filter.
    """
    if answer.status == 401:
        return (
            f"The API server at {server} does not accept these credentials (401 Unauthorized): the token, password or "
            f"certificate from {origin} is wrong or has expired."
        )
    if answer.status == 403:
        return _explain_forbidden(answer)
    if answer.status == 404:
        return _explain_missing(answer, server)
    down = _WEBHOOK_DOWN.search(answer.message)
    if down:
        return (
            f'The API server cannot ask the admission webhook "{down.group("webhook")}" about {_subject(answer)}'
            f"{_tail(down.group('why'))} Is virt-api running?"
        )
    untyped = _NOT_TYPED.match(answer.message)
    if untyped:
        # Server-side apply answers 500 to what it cannot merge by the schema.
        return f"{_subject(answer)} is refused by the API server: {'; '.join(_lines(untyped.group('why')))}"
    if answer.status in (400, 403, 422):
        return _explain_rejected(answer)
    if answer.status == 409:
        return f"{_subject(answer)} was changed by somebody else meanwhile: {answer.message}"
    what = answer.message or answer.reason or "no message"
    return f"The API server answered {answer.status} to {answer.method} of {_subject(answer)}: {what}"


def _lines(text: str) -> list[str]:
    lines = [line.strip() for line in text.splitlines()]
    return [line.lstrip(".") for line in lines if line and line != "errors:"]


def _tail(text: str) -> str:
    text = text.strip().strip(":").strip()
    return f" ({text})." if text else "."


def _subject(answer: Answer) -> str:
    where = f' "{answer.namespace}/{answer.name}"' if answer.name else f' in namespace "{answer.namespace}"'
    return f"{answer.resource}{where if answer.namespace or answer.name else ''}"


def _explain_forbidden(answer: Answer) -> str:
    match = _FORBIDDEN.search(answer.message)
    if not match:
        return _explain_rejected(answer)
    where = f'in namespace "{answer.namespace}"' if answer.namespace else "at cluster scope"
    return (
        f'User "{match.group("user")}" may not {match.group("verb")} {answer.resource} {where}: '
        f'a Role or ClusterRole must grant the verb "{match.group("verb")}" on {answer.resource}.'
    )


def _explain_missing(answer: Answer, server: str) -> str:
    if answer.is_status and answer.about_kind == "namespaces":
        return f'Namespace "{answer.about_name}" does not exist: create it first, or name another one with the option "namespace".'
    if answer.is_status and answer.about_name:
        return f"{_subject(answer)} does not exist."
    if answer.group == "kubevirt.io":
        return f"KubeVirt is not installed on {server}: its API serves no {answer.resource}."
    if answer.group == "metrics.k8s.io":
        return f"The metrics API is not installed on {server}: it serves no {answer.resource}. Install metrics-server."
    return f"The API at {server} serves no {answer.resource}."


def _explain_rejected(answer: Answer) -> str:
    match = _WEBHOOK_DENIED.search(answer.message)
    by = f'admission webhook "{match.group("webhook")}"' if match else "the API server"
    if answer.causes:
        seen: list[str] = []
        for cause in answer.causes:
            text = str(cause)
            if text not in seen:
                seen.append(text)
        why = "; ".join(seen)
    else:
        why = (match.group("why") if match else answer.message) or answer.reason
    return f"{_subject(answer)} is refused by {by}: {why}"
