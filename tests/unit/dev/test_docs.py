# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the site adds to what antsibull-docs makes."""

from __future__ import annotations

import zlib
from pathlib import Path

import pytest
import yaml

from dev.docs.inventory import write_inventory
from dev.docs.listings import Page, guide_pages, markdown_pages, navigation, reference_pages, table
from dev.docs.pages import REPOSITORY, copy_pages, linked
from dev.docs.playbooks import parse_playbook, playbook_page, read_playbooks
from dev.paths import CHECKOUT

PLAYBOOK = """\
---
# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Does what `ensure` does.
# Variables: those of the role vmirs, such as vmirs_src. Hands on: vmscale_again.
# Example: ansible-playbook vmscale.kubevirt.again -e vmirs_src=web.yaml
- name: Ensure a set again
  hosts: localhost
  tasks:
    - name: Ensure the set
      ansible.builtin.include_role:
        name: vmscale.kubevirt.vmirs
"""


def test_the_comment_of_a_playbook_becomes_its_page() -> None:
    page = playbook_page(parse_playbook("again", PLAYBOOK))

    assert page.startswith(
        ".. _ansible_collections.vmscale.kubevirt.again_playbook:\n\nvmscale.kubevirt.again playbook -- Ensure a set again\n"
    )
    assert (
        "Does what ``ensure`` does.\n\n**Variables:** those of the role vmirs, such as ``vmirs_src``.\n\n**Hands on:** ``vmscale_again``."
        in page
    )
    assert "   ansible-playbook vmscale.kubevirt.again -e vmirs_src=web.yaml\n" in page
    assert "- :ansplugin:`vmscale.kubevirt.vmirs#role`" in page
    assert "Copyright" not in page


@pytest.mark.parametrize("lacking", ["# Example", "# Does"])
def test_a_playbook_that_does_not_say_enough_is_refused(lacking: str) -> None:
    lines = [line for line in PLAYBOOK.splitlines() if not line.startswith((lacking, "# Variables"))]

    with pytest.raises(ValueError, match="the playbook again lacks a comment"):
        parse_playbook("again", "\n".join(lines))


def test_every_playbook_has_a_page() -> None:
    assert [playbook.name for playbook in read_playbooks()] == sorted(path.stem for path in CHECKOUT.glob("playbooks/*.yml"))


def test_every_guide_has_its_place_in_the_order() -> None:
    (section,) = yaml.safe_load((CHECKOUT / "docs/docsite/extra-docs.yml").read_text(encoding="utf-8"))["sections"]

    assert set(section["toctree"]) == {path.stem for path in CHECKOUT.glob("docs/docsite/rst/*.rst")}


def test_pages_say_what_they_are_about(tmp_path: Path) -> None:
    (tmp_path / "docsite").mkdir()
    (tmp_path / "pages").mkdir()
    (tmp_path / "extra-docs.yml").write_text("sections: [{title: Guides, toctree: [first]}]", encoding="utf-8")
    (tmp_path / "docsite" / "first.rst").write_text(
        ".. _label:\n\nFirst steps\n===========\n\nFrom nothing\nto something.\n\nMore.\n", encoding="utf-8"
    )
    (tmp_path / "pages" / "a.md").write_text("# Letters\n\nA and b.\n\nMore.\n", encoding="utf-8")
    (tmp_path / "pages" / "z.md").write_text("# Ends\n\nThe last.\n\nMore.\n", encoding="utf-8")
    (tmp_path / "web_module.rst").write_text("vmscale.kubevirt.web module -- Serve\n++++\n", encoding="utf-8")

    assert guide_pages(tmp_path, tmp_path / "extra-docs.yml") == [Page("docsite/first", "First steps", "From nothing to something.")]
    assert [page.name for page in markdown_pages(tmp_path, ["z"])] == ["Ends", "Letters"]
    assert reference_pages(tmp_path, "module") == [Page("web_module", "web", "Serve")]


def test_a_page_without_a_title_is_refused(tmp_path: Path) -> None:
    (tmp_path / "web_module.rst").write_text("something else\n", encoding="utf-8")

    with pytest.raises(ValueError, match="does not begin with a title"):
        reference_pages(tmp_path, "module")


def test_pages_are_listed_and_have_their_place_in_the_navigation() -> None:
    pages = [Page("web_module", "web", "Serve")]

    assert table(pages).endswith("   * - :doc:`web </web_module>`\n     - Serve\n\n")
    assert navigation("Modules", pages) == ".. toctree::\n   :caption: Modules\n   :hidden:\n\n   web </web_module>\n\n"


def test_what_pages_link_to_outside_of_them_is_in_the_repository(tmp_path: Path) -> None:
    (tmp_path / "docs" / "images").mkdir(parents=True)
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "README.md").touch()
    (tmp_path / "docs" / "a.md").write_text("[tests](../tests/README.md#one) [b](b.md)", encoding="utf-8")
    (tmp_path / "docs" / "b.md").write_text("<!-- bench: rows -->\n<!-- bench: end of rows -->\n", encoding="utf-8")

    assert copy_pages(tmp_path / "docs", tmp_path / "pages") == ["b.md"]
    assert (tmp_path / "pages" / "a.md").read_text(encoding="utf-8") == f"[tests]({REPOSITORY}/tests/README.md#one) [b](b.md)"
    with pytest.raises(ValueError, match=r"links to \.\./none\.md"):
        linked("[none](../none.md)", tmp_path / "docs")


def test_an_inventory_is_one_that_sphinx_reads(tmp_path: Path) -> None:
    write_inventory(tmp_path / "inv", {"a_label": "page.html#a-label"})
    *heading, rest = (tmp_path / "inv").read_bytes().split(b"\n", 4)

    assert heading[0] == b"# Sphinx inventory version 2"
    assert zlib.decompress(rest) == b"a_label std:label -1 page.html#a-label a_label\n"
