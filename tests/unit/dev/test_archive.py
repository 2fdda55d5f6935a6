# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is published is what is meant to be, and Galaxy's importer has nothing to say against it."""

from __future__ import annotations

import pytest

from dev import archive, importer

KNOWN = frozenset({"README.md", "plugins/modules/hpa.py", "LICENSES/Apache-2.0.txt", "tests/README.md", "Makefile"})
PACKED = frozenset({"MANIFEST.json", "FILES.json", "README.md", "plugins/modules/hpa.py", "LICENSES/Apache-2.0.txt"})


def test_an_archive_of_what_is_published_is_right() -> None:
    assert list(archive.complaints(PACKED, KNOWN)) == []


@pytest.mark.parametrize(
    ("packed", "said"),
    [
        (PACKED | {"Makefile"}, "Makefile is not to be published: name it in build_ignore of galaxy.yml"),
        (PACKED | {"tests/README.md"}, "tests/README.md is not to be published: name it in build_ignore of galaxy.yml"),
        (PACKED | {"plugins/modules/hpa.py.orig"}, "plugins/modules/hpa.py.orig is published, and is not under version control"),
        (PACKED | {"notes.txt"}, "notes.txt is published, and is not under version control"),
        (PACKED - {"plugins/modules/hpa.py"}, "plugins/modules/hpa.py is missing"),
        (PACKED - {"MANIFEST.json"}, "MANIFEST.json is missing"),
    ],
)
def test_what_is_too_much_and_what_is_missing_is_named(packed: frozenset[str], said: str) -> None:
    assert list(archive.complaints(packed, KNOWN)) == [said]


DONE = f"Importing with galaxy-importer 0.4.44\nLoading module hpa\n{importer.DONE}\n"


def test_an_import_without_a_word_is_right() -> None:
    assert list(importer.complaints(DONE)) == []


@pytest.mark.parametrize("said", ["WARNING: roles/vmirs:1: internal-error: Unexpected error", "ERROR: Error running ansible-doc"])
def test_a_word_of_the_importer_is_a_complaint(said: str) -> None:
    assert list(importer.complaints(f"{said}\n{DONE}")) == [said]


def test_an_import_that_ends_early_is_a_complaint() -> None:
    assert list(importer.complaints("Importing with galaxy-importer 0.4.44\n")) == ["The importer did not get to its end."]
