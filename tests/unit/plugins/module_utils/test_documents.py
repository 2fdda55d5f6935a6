# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documents: what a definition holds, which files a source stands for, and how they travel."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

import pytest

from ansible_collections.vmscale.kubevirt.plugins.module_utils._documents import (
    Given,
    documents_of,
    joined_files,
    list_files,
    read_definition,
    read_files,
    read_text,
)
from ansible_collections.vmscale.kubevirt.plugins.module_utils._errors import OptionError
from unit.support.recorded import SEED_SET

A, B, C = ({"kind": kind} for kind in "abc")


def seen(given: Given) -> list[tuple[str, str]]:
    """Return the kind of each document, and how messages call where it came from."""
    return [(str(each.body["kind"]), each.source) for each in given.documents]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A directory of two manifests, and of what is none."""
    (tmp_path / "b.yml").write_text("kind: b\n")
    (tmp_path / "a.yaml").write_text("kind: a\n---\nkind: c\n")
    (tmp_path / "c.json").write_text('{"kind": "c"}')
    (tmp_path / "README.md").write_text("kind: no\n")
    (tmp_path / ".b.yml").write_text("kind: no\n")
    (tmp_path / "below.yml").mkdir()
    (tmp_path / "below.yml" / "d.yml").write_text("kind: no\n")
    return tmp_path


@pytest.mark.parametrize(
    ("definition", "kinds", "is_many"),
    [
        (A, "a", False),
        ("kind: a", "a", False),
        ('{"kind": "a"}', "a", False),
        ("---\nkind: a\n---\n", "a", False),
        ("kind: a\n---\nkind: b\n", "ab", False),
        ([A], "a", True),
        ((A, B), "ab", True),
        (["kind: a\n---\nkind: b\n", C], "abc", True),
        ([None, A, None], "a", True),
        ({"kind": "List", "items": [A, None, B]}, "ab", False),
        ("kind: FooList\nitems:\n- kind: a\n- kind: List\n  items:\n  - kind: b\n", "ab", False),
        ("", "", False),
        (None, "", False),
        ([], "", True),
    ],
)
def test_a_definition_is_one_object_or_many(definition: t.Any, kinds: str, is_many: bool) -> None:
    given = read_definition(definition)
    assert ("".join(str(each.body["kind"]) for each in given.documents), given.is_many) == (kinds, is_many)


def test_objects_are_named_by_their_place_where_there_are_more() -> None:
    assert seen(read_definition(A)) == [("a", '"definition"')]
    assert seen(read_definition([A, B])) == [("a", '"definition" (object 1)'), ("b", '"definition" (object 2)')]


def test_what_is_no_object_is_said() -> None:
    for definition, words in (
        ("web", "holds a text where a mapping must be."),
        ([A, 7], "holds a int where a mapping must be."),
        ([[A]], "holds a list where a mapping must be."),
        ("- kind: a\n", "holds a list where a mapping must be."),
        ({"kind": "List", "items": [3]}, "holds a int where a mapping must be."),
    ):
        with pytest.raises(OptionError, match=re.escape(f'"definition" is no Kubernetes object: it {words}')):
            read_definition(definition)
    with pytest.raises(OptionError, match=r'"src" x is not YAML \(line 2, column 5\): '):
        documents_of("a: b\nc: d: e", '"src" x')


def test_a_single_file_is_one_object_or_many(tmp_path: Path) -> None:
    path = tmp_path / "set.yaml"
    path.write_text(SEED_SET)
    given = read_files(str(path))
    assert (seen(given), given.is_many) == ([("VirtualMachineInstanceReplicaSet", f'"src" {path}')], False)
    path.write_text("kind: a\n---\n---\nkind: b\n")
    given = read_files(str(path))
    assert (seen(given), given.is_many) == ([("a", f'"src" {path} (object 1)'), ("b", f'"src" {path} (object 2)')], False)


def test_a_directory_is_its_manifests_by_name(directory: Path) -> None:
    given = read_files(str(directory))
    assert seen(given) == [
        ("a", f'"src" {directory}/a.yaml (object 1)'),
        ("c", f'"src" {directory}/a.yaml (object 2)'),
        ("b", f'"src" {directory}/b.yml'),
        ("c", f'"src" {directory}/c.json'),
    ]
    assert (given.is_many, given.source) == (True, f'"src" {directory}')


def test_a_pattern_is_the_files_that_it_matches(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert list_files(f"{directory}/*.yml") == [f"{directory}/b.yml"]
    assert list_files(f"{directory}/*/d.yml") == [f"{directory}/below.yml/d.yml"]
    assert list_files(f"{directory}/[ac].*") == [f"{directory}/a.yaml", f"{directory}/c.json"]
    monkeypatch.setenv("HOME", str(directory))
    assert list_files("~/c.*") == [f"{directory}/c.json"]
    assert read_files(f"{directory}/b*").is_many


def test_a_file_whose_name_looks_like_a_pattern_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "web[1].yml").write_text("kind: a\n")
    assert list_files(str(tmp_path / "web[1].yml")) is None
    assert list_files(str(tmp_path / "missing.yml")) is None


def test_a_source_that_stands_for_nothing_is_said(tmp_path: Path) -> None:
    (tmp_path / "note.txt").touch()
    with pytest.raises(OptionError, match=r'"src" sets names nothing: the directory has no file that ends with \.yml, \.yaml, \.json\.'):
        list_files(str(tmp_path), "sets")
    with pytest.raises(OptionError, match=re.escape(f'"src" {tmp_path}/*.yml names nothing: no file matches the pattern.')):
        list_files(f"{tmp_path}/*.yml")


def test_files_that_have_been_read_already_are_not_looked_for() -> None:
    given = read_files("nowhere/*.yml", [("nowhere/a.yml", "kind: a"), ("nowhere/b.yml", "kind: b\n---\nkind: c")])
    assert seen(given) == [("a", '"src" nowhere/a.yml'), ("b", '"src" nowhere/b.yml (object 1)'), ("c", '"src" nowhere/b.yml (object 2)')]
    assert (given.is_many, given.source) == (True, '"src" nowhere/*.yml')
    assert read_files("nowhere", [("nowhere/a.yml", "kind: a")]).is_many


@pytest.mark.parametrize("end", ["", "\n", "\n\n", "\n---\n", "\n...\n"])
def test_files_travel_as_one_and_are_taken_apart_again(tmp_path: Path, end: str) -> None:
    # Kept line breaks at the end of a block are part of its value.
    files = [(f"sets/{name}.yml", f"kind: {name}\ntext: |+\n  {name}{end}") for name in "ba"]
    carried = tmp_path / "manifests.yml"
    carried.write_text(joined_files(files))
    assert read_files(str(carried)).documents == read_files("sets", files).documents
    assert read_files(str(carried)).is_many
    carried.write_text(joined_files(files[:1]))
    assert (read_files(str(carried)).documents, read_files(str(carried)).is_many) == (read_files("sets", files[:1]).documents, True)


def test_a_text_is_read_and_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "set.yaml").write_text(SEED_SET)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert read_text("~/set.yaml") == SEED_SET
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    for path, words in (
        ("missing", "does not exist."),
        (".", "cannot be read: Is a directory."),
        ("binary", "is not YAML: it is no UTF-8 text."),
    ):
        with pytest.raises(OptionError, match=re.escape(f'"src" {tmp_path / path} {words}')):
            read_text(str(tmp_path / path))
        with pytest.raises(OptionError, match=re.escape(f'"src" sets/{path} {words}')):
            read_text(str(tmp_path / path), f"sets/{path}")
