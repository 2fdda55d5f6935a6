# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it can change at any time.

"""What the API server answered, read: JSON objects, refusals, and the times in headers."""

from __future__ import annotations

import datetime
import email.utils
import json
import typing as t
from dataclasses import replace

from ansible_collections.vmscale.kubevirt.plugins.module_utils._connection import Connection
from ansible_collections.vmscale.kubevirt.plugins.module_utils._errors import Answer, Cause, ConnectionFailed
from ansible_collections.vmscale.kubevirt.plugins.module_utils._resources import Resource


def retry_after(text: str | None) -> float:
    """The seconds of a Retry-After header, 30 at most; 0 where it tells none."""
    try:
        return min(float(text or 0), 30.0)
    except ValueError:
        return 0.0


def read_date(text: str | None) -> datetime.datetime | None:
    """The moment of an HTTP Date header, None where it tells none."""
    try:
        moment = email.utils.parsedate_to_datetime(text or "")
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo else None


def read_object(raw: bytes, connection: Connection) -> dict[str, t.Any]:
    """The JSON object of an answer. Raises ``ConnectionFailed`` where it is none."""
    try:
        document = json.loads(raw)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise ConnectionFailed(
            f"{connection.server} (from {connection.origin}) does not answer as a Kubernetes API server does: "
            f'its answer is no JSON object. Check the address in "host" or "kubeconfig", and "proxy".'
        )
    return document


def read_refusal(status: int, raw: bytes, method: str, resource: Resource, namespace: str, name: str, subresource: str = "") -> Answer:
    """An answer that is not a success, with what its ``Status`` object says."""
    answer = Answer(status, method, resource.group, resource.plural, namespace, name, subresource=subresource)
    try:
        document = json.loads(raw)
    except ValueError:
        document = None
    if not isinstance(document, dict) or document.get("kind") != "Status":
        return replace(answer, message=raw.decode(errors="replace").strip()[:500], is_status=False)
    details = document.get("details") or {}
    causes = tuple(
        Cause(field=cause.get("field", ""), message=cause.get("message", "") or cause.get("reason", ""))
        for cause in details.get("causes") or []
    )
    return replace(
        answer,
        reason=document.get("reason", ""),
        message=document.get("message", ""),
        causes=causes,
        about_kind=details.get("kind", ""),
        about_name=details.get("name", ""),
    )
