# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it can change at any time.

"""The wanted VirtualMachineInstanceReplicaSet, from the options of the module ``vmirs``."""

from __future__ import annotations

import typing as t

from ansible_collections.vmscale.kubevirt.plugins.module_utils._manifest import (
    Choice,
    Wanted,
    check_count,
    check_selector,
    check_texts,
    complete,
    complete_map,
    identify,
    read_manifest,
    with_template_hash,
)
from ansible_collections.vmscale.kubevirt.plugins.module_utils._resources import REPLICA_SETS

# The options that describe one set.
ONE_SET = ("name", "replicas", "selector", "template", "paused")
API_VERSIONS = ("kubevirt.io/v1", "kubevirt.io/v1alpha3")


def wanted_replica_set(params: t.Mapping[str, t.Any], manifest: t.Any, source: str, fallback_namespace: str) -> Wanted:
    """The wanted set. ``manifest`` is what ``source`` (``definition`` or ``src FILE``) holds, or None.

    It is complete where a template is given, and a partial change otherwise. Raises ``OptionError``.
    """
    body: dict[str, t.Any] = {"metadata": {}, "spec": {}}
    if manifest is not None:
        body = read_manifest(manifest, source, REPLICA_SETS, API_VERSIONS)
    body.setdefault("spec", {})
    namespace, name = identify(body, source, params.get("name"), params.get("namespace"), fallback_namespace)
    complete(
        body,
        source,
        [Choice(option, ("spec", option), params.get(option)) for option in ("replicas", "selector", "template", "paused")],
    )
    for option in ("labels", "annotations"):
        complete_map(body, source, option, params.get(option))
    body["apiVersion"], body["kind"] = REPLICA_SETS.api_version, REPLICA_SETS.kind
    spec = body["spec"]
    check_count(spec.get("replicas"), "replicas", "spec.replicas", 0)
    check_texts(
        body,
        ("metadata", "labels"),
        ("metadata", "annotations"),
        ("spec", "template", "metadata", "labels"),
        ("spec", "template", "metadata", "annotations"),
    )
    is_complete = "template" in spec
    if is_complete and params.get("state") != "absent":
        check_selector(spec)
        if params.get("template_hash", True):
            with_template_hash(body)
    return Wanted(REPLICA_SETS, namespace, name, body, is_complete)
