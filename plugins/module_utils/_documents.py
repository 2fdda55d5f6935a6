# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it can change at any time.

"""Documents: what ``definition`` and the files of ``src`` hold, read from YAML or JSON as kubectl reads it."""

from __future__ import annotations

import glob
import os
import typing as t
from dataclasses import dataclass

from ansible_collections.vmscale.kubevirt.plugins.module_utils._errors import OptionError

_ENDINGS = (".yml", ".yaml", ".json")
# Between the files of one that holds many: how a directory travels to another machine.
_FILE_BEGIN = "---\n# vmscale.kubevirt file: "


@dataclass(frozen=True)
class Document:
    """One document, and how messages call where it came from: ``"definition"`` or ``"src" FILE``, with its place where there are more."""

    body: dict[str, t.Any]
    source: str


@dataclass(frozen=True)
class Given:
    """What is described. ``is_many``: in a form that may hold any number of objects, whatever it holds now."""

    documents: tuple[Document, ...]
    is_many: bool
    source: str


def read_definition(definition: t.Any) -> Given:
    """What the option ``definition`` holds. Raises ``OptionError``."""
    return Given(_numbered(documents_of(definition, '"definition"'), '"definition"'), isinstance(definition, (list, tuple)), '"definition"')


def read_files(path: str, files: t.Sequence[tuple[str, str]] | None = None) -> Given:
    """What the file, directory or pattern ``path`` of the option ``src`` holds. ``files`` are names and texts that have been read already.

    Raises ``OptionError``.
    """
    is_many = files is not None
    if files is None:
        found = list_files(path)
        is_many = found is not None
        files = [(each, read_text(each)) for each in ([path] if found is None else found)]
    parts = [part for name, text in files for part in _parts(name, text)]
    is_many = is_many or parts != [*files]
    documents: list[Document] = []
    for name, text in parts:
        source = f'"src" {name}'
        documents.extend(_numbered(documents_of(text, source), source))
    return Given(tuple(documents), is_many, f'"src" {path}')


def list_files(path: str, name: str | None = None) -> list[str] | None:
    """The files that a directory or a pattern stands for, by name; None for a single file.

    Raises ``OptionError`` where there are none; it calls what was given ``name``.
    """
    name, path = path if name is None else name, os.path.expanduser(path)
    if os.path.isdir(path):
        found = [os.path.join(path, each) for each in os.listdir(path) if each.endswith(_ENDINGS) and not each.startswith(".")]
        what = f"the directory has no file that ends with {', '.join(_ENDINGS)}"
    elif glob.has_magic(path) and not os.path.exists(path):
        found, what = glob.glob(path), "no file matches the pattern"
    else:
        return None
    files = sorted(each for each in found if os.path.isfile(each))
    if not files:
        raise OptionError(f'"src" {name} names nothing: {what}.')
    return files


def joined_files(files: t.Iterable[tuple[str, str]]) -> str:
    """Files by name and text as one text, which ``read_files`` takes apart again."""
    return "".join(f"{_FILE_BEGIN}{name}\n{text}\n" for name, text in files)


def _parts(name: str, text: str) -> list[tuple[str, str]]:
    if not text.startswith(_FILE_BEGIN):
        return [(name, text)]
    parts = []
    for part in text[len(_FILE_BEGIN) :].split(f"\n{_FILE_BEGIN}"):
        name, _newline, content = part.partition("\n")
        parts.append((name, content))
    # The end of a text counts: a block of YAML may keep its last line breaks.
    return [*parts[:-1], (parts[-1][0], parts[-1][1][:-1])]


def read_text(path: str, name: str | None = None) -> str:
    """The text of a manifest file, which messages call ``name``. Raises ``OptionError``."""
    name = path if name is None else name
    try:
        with open(os.path.expanduser(path), encoding="utf-8") as stream:
            return stream.read()
    except FileNotFoundError as error:
        raise OptionError(f'"src" {name} does not exist.') from error
    except OSError as error:
        raise OptionError(f'"src" {name} cannot be read: {error.strerror}.') from error
    except UnicodeDecodeError as error:
        raise OptionError(f'"src" {name} is not YAML: it is no UTF-8 text.') from error


def _numbered(bodies: t.Sequence[dict[str, t.Any]], source: str) -> tuple[Document, ...]:
    if len(bodies) == 1:
        return (Document(bodies[0], source),)
    return tuple(Document(body, f"{source} (object {number})") for number, body in enumerate(bodies, 1))


def _parse(text: str, source: str) -> list[t.Any]:
    from ansible_collections.vmscale.kubevirt.plugins.module_utils._yaml import parse_documents

    return parse_documents(text, source)


def documents_of(given: t.Any, source: str) -> list[dict[str, t.Any]]:
    """The Kubernetes objects in ``given``: a mapping, YAML or JSON text, or a list of these; lists of objects are taken apart."""
    if isinstance(given, str):
        given = _parse(given, source)
    found: list[t.Any] = []
    for entry in given if isinstance(given, (list, tuple)) else [given]:
        if isinstance(entry, str):
            found.extend(_parse(entry, source))
        elif entry is not None:
            found.append(entry)
    documents: list[dict[str, t.Any]] = []
    for entry in found:
        if not isinstance(entry, t.Mapping):
            raise OptionError(f"{source} is no Kubernetes object: it holds {kind_of(entry)} where a mapping must be.")
        if str(entry.get("kind", "")).endswith("List") and isinstance(entry.get("items"), list):
            documents.extend(documents_of(entry["items"], source))
        else:
            documents.append(dict(entry))
    return documents


def kind_of(value: t.Any) -> str:
    """What a value is, for messages."""
    if isinstance(value, str):
        return "a text"
    if isinstance(value, (list, tuple)):
        return "a list"
    return f"a {type(value).__name__}"
