# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it can change at any time.

"""What the user wants: from ``src``, ``definition`` and typed options to one wanted object.

A manifest is taken as it is, without nulls and without what only the server may set. Typed options complete it; where both speak
of the same field they must agree. Everything that can be known to be wrong without asking the cluster is said here.
"""

from __future__ import annotations

import hashlib
import json
import re
import typing as t
from dataclasses import dataclass

from ansible_collections.vmscale.kubevirt.plugins.module_utils import _selector
from ansible_collections.vmscale.kubevirt.plugins.module_utils._compare import differences, prune
from ansible_collections.vmscale.kubevirt.plugins.module_utils._documents import documents_of, kind_of
from ansible_collections.vmscale.kubevirt.plugins.module_utils._errors import OptionError
from ansible_collections.vmscale.kubevirt.plugins.module_utils._redact import redact
from ansible_collections.vmscale.kubevirt.plugins.module_utils._resources import TEMPLATE_HASH_LABEL, Resource

_SERVER_SET = (
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "generation",
    "managedFields",
    "resourceVersion",
    "selfLink",
    "uid",
)
_DNS_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\Z")
_DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?\Z")
# 40 bits tell the templates of one set apart and keep the label short.
_HASH_LENGTH = 10


@dataclass(frozen=True)
class Wanted:
    """One wanted object. ``is_complete`` is False where the options only touch a part of an existing one."""

    resource: Resource
    namespace: str
    name: str
    body: t.Mapping[str, t.Any]
    is_complete: bool

    @property
    def label(self) -> str:
        """How messages name the object."""
        return f"{self.resource.kind} {self.namespace}/{self.name}"

    @property
    def spec(self) -> t.Mapping[str, t.Any]:
        """The wanted spec."""
        return self.body.get("spec") or {}


@dataclass(frozen=True)
class Choice:
    """A value that a typed option gives, and where in the object it belongs."""

    option: str
    path: tuple[str, ...]
    value: t.Any


def read_manifest(given: t.Any, source: str, resource: Resource, api_versions: t.Sequence[str]) -> dict[str, t.Any]:
    """The one object of the resource's kind in ``given`` (a mapping, YAML or JSON text, or a list of one).

    ``source`` is how messages call where it came from: ``definition`` or ``src FILE``. Raises ``OptionError``.
    """
    documents = documents_of(given, source)
    if not documents:
        raise OptionError(f"{source} holds no object: it must be one {resource.kind}.")
    kinds = [str(document.get("kind") or "object without a kind") for document in documents]
    if len(documents) > 1:
        raise OptionError(f"{source} holds {len(documents)} objects ({', '.join(kinds)}): it must be exactly one {resource.kind}.")
    document = documents[0]
    if document.get("kind") != resource.kind:
        raise OptionError(f"{source} holds a {kinds[0]}: it must be one {resource.kind}.")
    if document.get("apiVersion") not in api_versions:
        raise OptionError(
            f'{source} has the apiVersion "{document.get("apiVersion")}": a {resource.kind} is written as {" or ".join(api_versions)}.'
        )
    return _cleaned(document, source)


def _cleaned(document: t.Mapping[str, t.Any], source: str) -> dict[str, t.Any]:
    body = prune({key: value for key, value in document.items() if key != "status"})
    if not isinstance(body.get("metadata", {}), dict) or not isinstance(body.get("spec", {}), dict):
        raise OptionError(f'"metadata" and "spec" in {source} must be mappings.')
    given = body.get("metadata", {})
    # No labels and an empty map of labels are the same to the API server.
    empty = [key for key in ("labels", "annotations") if given.get(key) == {}]
    body["metadata"] = {key: value for key, value in given.items() if key not in (*_SERVER_SET, *empty)}
    return t.cast("dict[str, t.Any]", body)


def complete(manifest: dict[str, t.Any], source: str, choices: t.Sequence[Choice]) -> dict[str, t.Any]:
    """``manifest`` with what the typed options say. Raises ``OptionError`` where they contradict it."""
    conflicts: list[str] = []
    for choice in choices:
        if choice.value is None:
            continue
        value = prune(choice.value)
        holder: dict[str, t.Any] = manifest
        for depth, key in enumerate(choice.path[:-1]):
            holder = holder.setdefault(key, {})
            if not isinstance(holder, dict):
                raise OptionError(f"{'.'.join(choice.path[: depth + 1])} in {source} must be a mapping, and is {kind_of(holder)}.")
        key = choice.path[-1]
        if key not in holder:
            holder[key] = value
        elif differences(value, holder[key], closed=True):
            where = ".".join(choice.path)
            conflicts.append(f'the option "{choice.option}" is {_short(value)} and {where} in {source} is {_short(holder[key])}')
    if conflicts:
        raise OptionError(f"The options contradict each other: {'; '.join(conflicts)}. Say it in one place.")
    return manifest


def complete_map(manifest: dict[str, t.Any], source: str, option: str, entries: t.Mapping[str, t.Any] | None) -> dict[str, t.Any]:
    """``manifest`` with the labels or annotations that an option gives, key by key."""
    return complete(manifest, source, [Choice(option, ("metadata", option, key), value) for key, value in (entries or {}).items()])


def _short(value: t.Any) -> str:
    text = json.dumps(redact(value), sort_keys=True, default=str)
    return text if len(text) <= 80 else text[:77] + "..."


def identify(manifest: dict[str, t.Any], source: str, name: str | None, namespace: str | None, fallback: str) -> tuple[str, str]:
    """The object's namespace and name, from the options and the manifest, which must agree.

    ``fallback`` is the namespace of the kubeconfig's context. Raises ``OptionError``.
    """
    complete(
        manifest,
        source,
        [Choice("name", ("metadata", "name"), name), Choice("namespace", ("metadata", "namespace"), namespace)],
    )
    found = manifest["metadata"].get("name")
    if not found:
        raise OptionError('The object has no name: give "name", or metadata.name in "definition" or "src".')
    if not isinstance(found, str) or len(found) > 253 or not _DNS_SUBDOMAIN.match(found):
        raise OptionError(
            f'The name "{found}" is not a DNS-1123 subdomain: lower case letters, digits, "-" and ".", '
            f"starting and ending with a letter or digit, at most 253 characters."
        )
    where = manifest["metadata"].get("namespace") or fallback
    check_namespace(where)
    manifest["metadata"]["namespace"] = where
    return where, found


def check_namespace(name: t.Any) -> None:
    """Raises ``OptionError`` for what cannot be the name of a namespace."""
    if not isinstance(name, str) or len(name) > 63 or not _DNS_LABEL.match(name):
        raise OptionError(
            f'The namespace "{name}" is not a DNS-1123 label: lower case letters, digits and "-", '
            f"starting and ending with a letter or digit, at most 63 characters."
        )


def check_texts(manifest: t.Mapping[str, t.Any], *paths: tuple[str, ...]) -> None:
    """Labels and annotations hold text: refuse what YAML read as a number or a boolean."""
    for path in paths:
        holder: t.Any = manifest
        for key in path:
            holder = holder.get(key, {}) if isinstance(holder, t.Mapping) else {}
        where = ".".join(path)
        if not isinstance(holder, t.Mapping):
            raise OptionError(f"{where} must be a mapping of texts, and is {kind_of(holder)}.")
        for key, value in holder.items():
            if not isinstance(value, str):
                raise OptionError(f'{where} "{key}" is {_short(value)}, which is no text: put it in quotes.')


def check_count(value: t.Any, option: str, path: str, least: int) -> None:
    """A count is a whole number that is not smaller than ``least``."""
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int):
        raise OptionError(f'"{option}" ({path}) is {_short(value)}, which is not a whole number.')
    if value < least:
        raise OptionError(f'"{option}" ({path}) is {value}: it must be {least} or more.')


def template_hash(template: t.Mapping[str, t.Any]) -> str:
    """The hash of a template, independent of the order of its keys and of the label that carries it."""
    metadata = dict(template.get("metadata") or {})
    metadata["labels"] = {key: value for key, value in (metadata.get("labels") or {}).items() if key != TEMPLATE_HASH_LABEL}
    content = json.dumps({**template, "metadata": metadata}, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(content.encode()).hexdigest()[:_HASH_LENGTH]


def with_template_hash(body: dict[str, t.Any]) -> dict[str, t.Any]:
    """``body`` with the hash of its template stamped as a label into the template."""
    template = body["spec"]["template"]
    labels = template.setdefault("metadata", {}).setdefault("labels", {})
    labels[TEMPLATE_HASH_LABEL] = template_hash(template)
    return body


def check_selector(spec: t.Mapping[str, t.Any]) -> None:
    """The rules of KubeVirt's admission for selector and template labels, said before anything is sent.

    Source: kubevirt ``pkg/virt-api/webhooks/validating-webhook/admitters/vmirs-admitter.go``.
    """
    selector, template = spec.get("selector"), spec.get("template")
    if not isinstance(template, t.Mapping):
        raise OptionError(f'"template" (spec.template) must be a mapping, and is {kind_of(template)}.')
    if not isinstance(template.get("metadata", {}), t.Mapping):
        raise OptionError(f"spec.template.metadata must be a mapping, and is {kind_of(template['metadata'])}.")
    if not isinstance(selector, t.Mapping) or not _selector.requirements(selector):
        raise OptionError(
            '"selector" (spec.selector) is missing or empty: an empty one would adopt every VirtualMachineInstance of the '
            "namespace. Give matchLabels that the template's labels carry."
        )
    labels = (template.get("metadata") or {}).get("labels") or {}
    if not _selector.matches(selector, labels):
        raise OptionError(
            f'"selector" does not match the labels of "template": the selector wants {_selector.to_query(selector)}, and '
            f"spec.template.metadata.labels has {_short(dict(labels))}."
        )
