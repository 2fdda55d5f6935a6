# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it can change at any time.

"""The stamp of a restart in a template, which is part of the template's hash."""

from __future__ import annotations

import copy
import typing as t

from ansible_collections.vmscale.kubevirt.plugins.module_utils._manifest import template_hash
from ansible_collections.vmscale.kubevirt.plugins.module_utils._resources import (
    RESTART_ID_ANNOTATION,
    RESTARTED_ANNOTATION,
    TEMPLATE_HASH_LABEL,
    annotations_of,
    labels_of,
    metadata,
)


def stamped(template: t.Mapping[str, t.Any], found: str | None = None) -> dict[str, t.Any]:
    """The template with its hash among its labels, or with the hash ``found`` that it is known by."""
    whole = copy.deepcopy(t.cast("dict[str, t.Any]", template))
    whole.setdefault("metadata", {}).setdefault("labels", {})[TEMPLATE_HASH_LABEL] = template_hash(template) if found is None else found
    return whole


def without_restart(template: t.Mapping[str, t.Any]) -> t.Mapping[str, t.Any]:
    """The template without the stamp of a restart."""
    annotations = annotations_of(template)
    if not any(key in annotations for key in (RESTARTED_ANNOTATION, RESTART_ID_ANNOTATION)):
        return template
    kept = {key: value for key, value in annotations.items() if key not in (RESTARTED_ANNOTATION, RESTART_ID_ANNOTATION)}
    rest = {key: value for key, value in (template.get("metadata") or {}).items() if key != "annotations"}
    return {**template, "metadata": {**rest, **({"annotations": kept} if kept else {})}}


def with_restart_of(present: t.Mapping[str, t.Any], template: t.Mapping[str, t.Any]) -> t.Mapping[str, t.Any]:
    """``template`` with the stamp of the restart that ``present`` carries, and with the hash that follows where it has one."""
    stamp = {key: value for key, value in annotations_of(present).items() if key in (RESTARTED_ANNOTATION, RESTART_ID_ANNOTATION)}
    if not stamp or any(key in annotations_of(template) for key in stamp):
        return template
    whole = {**template, "metadata": {**metadata(template), "annotations": {**annotations_of(template), **stamp}}}
    return stamped(whole) if TEMPLATE_HASH_LABEL in labels_of(template) else whole
