# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it can change at any time.

"""Texts in YAML or JSON, taken apart: manifests as kubectl reads them, and kubeconfigs."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.vmscale.kubevirt.plugins.module_utils._errors import DependencyError, OptionError

# Integers as YAML 1.1 has them, less those of base 60.
_INTEGER = re.compile(r"[-+]?(?:0b[01_]+|0[0-7_]+|0x[0-9a-fA-F_]+|0|[1-9][0-9_]*)\Z")

try:
    import yaml

    HAS_YAML = True
except ImportError:
    HAS_YAML = False
else:

    class _ManifestLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
        """Reads scalars as kubectl does: a date and a MAC address are texts, which YAML 1.1 makes a date and a number."""

        yaml_implicit_resolvers: t.ClassVar[dict[str, t.Any]] = {
            first: [(tag, _INTEGER if tag.endswith(":int") else pattern) for tag, pattern in resolvers if not tag.endswith(":timestamp")]
            for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
        }


def parse_documents(text: str, source: str) -> list[t.Any]:
    """What the documents of a manifest hold, by its text. Raises ``OptionError``, which calls it ``source``."""
    if not HAS_YAML:
        raise DependencyError("PyYAML", f"to read {source}")
    try:
        return [document for document in yaml.load_all(text, Loader=_ManifestLoader) if document is not None]
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        problem = getattr(error, "problem", None) or "it cannot be parsed"
        raise OptionError(f"{source} is not YAML{where}: {problem}.") from error


def parse_kubeconfig(path: str) -> dict[str, t.Any]:
    """What the file of a kubeconfig holds. Raises ``OptionError``."""
    if not HAS_YAML:
        raise DependencyError("PyYAML", "to read a kubeconfig")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        with open(path, encoding="utf-8") as stream:
            document = yaml.load(stream, Loader=loader)
    except OSError as error:
        raise OptionError(f'The kubeconfig "{path}" cannot be read: {error.strerror}.') from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise OptionError(f'The kubeconfig "{path}" is not YAML.') from error
    if not isinstance(document, dict):
        raise OptionError(f'The kubeconfig "{path}" is not a kubeconfig: it holds no mapping.')
    return document
