# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Puts the sources of the site together, each text from its one place, and has Sphinx make pages of them.

The reference comes from the plugins by antsibull-docs, as do the guides of docs/docsite/rst. The pages of docs/ are taken as they are.
Those about playbooks, which antsibull-docs does not know, and the lists of the start page are written here.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from dev.docs.inventory import ANSIBLE, write_inventory
from dev.docs.listings import guide_pages, markdown_pages, names, navigation, reference_pages, table
from dev.docs.pages import copy_pages
from dev.docs.playbooks import playbook_page, read_playbooks
from dev.environment import ensure_environment, tool, tool_environment
from dev.paths import CHECKOUT, COLLECTION, checkout_cache
from dev.processes import Finished, run_logged, say

DOCS = CHECKOUT / "docs"
DOCSITE = DOCS / "docsite"
SITE = checkout_cache() / "docs"
# The pages of docs/ that belong to the guides, and the order of the others.
GUIDES = ("awx",)
IN_DEPTH = ("waiting", "scaling", "rollouts", "diagnosis", "messages", "faults", "performance", "real-cluster")


def build_site() -> int:
    """Build the site anew, and say where it is; the exit code is that of the program that found something wrong."""
    python = ensure_environment(DOCSITE / "requirements.txt", "the site's")
    shutil.rmtree(SITE, ignore_errors=True)
    source = SITE / "source"
    source.mkdir(parents=True, mode=0o755)
    done = _write_reference(source)
    if done.code == 0:
        _write_pages(source)
        write_inventory(SITE / "ansible.inv", ANSIBLE)
        done = _run_sphinx(python, source)
    if done.code == 0:
        say(f"The site is in {SITE / 'html' / 'index.html'}")
    return done.code


def _write_reference(source: Path) -> Finished:
    options = ("--cleanup=everything", "--fail-on-error", "--use-current", "--squash-hierarchy", f"--dest-dir={source}")
    return _run("antsibull-docs", tool("antsibull-docs", "collection", *options, COLLECTION), tool_environment())


def _write_pages(source: Path) -> None:
    """Add to the reference what else the site has."""
    (source / "environment_variables.rst").unlink()
    # Before the first release it has no title, so no page can be made of it.
    (source / "changelog.rst").unlink()
    shutil.copy(CHECKOUT / "CHANGELOG.md", source / "changelog.md")
    shutil.copy(DOCSITE / "index.rst", source)
    for name in copy_pages(DOCS, source / "pages"):
        say(f"  {name} is left out: what it is to show is not measured yet")
    for playbook in read_playbooks():
        (source / f"{playbook.name}_playbook.rst").write_text(playbook_page(playbook), encoding="utf-8")
    generated = source / "generated"
    generated.mkdir()
    for name, text in _included(source).items():
        (generated / f"{name}.inc").write_text(text, encoding="utf-8")


def _included(source: Path) -> Mapping[str, str]:
    """Return the parts that the start page includes."""
    pages = markdown_pages(source, IN_DEPTH)
    guides = [*guide_pages(source, DOCSITE / "extra-docs.yml"), *(page for page in pages if page.stem in GUIDES)]
    others = [page for page in pages if page not in guides]
    reference = {kind: reference_pages(source, kind) for kind in ("module", "role", "playbook")}
    return {
        "guides": table(guides) + navigation("Guides", guides),
        "pages": names(others) + navigation("In depth", others),
        **{f"{kind}s": table(each) + navigation(f"{kind.capitalize()}s", each) for kind, each in reference.items()},
    }


def _run_sphinx(python: Path, source: Path) -> Finished:
    options = ("-b", "html", "--fail-on-warning", "--keep-going", "-c", str(DOCSITE), "-d", str(SITE / "doctrees"))
    command = [str(python), "-m", "sphinx", *options, str(source), str(SITE / "html")]
    return _run("sphinx", command, {"VMSCALE_ANSIBLE_INVENTORY": str(SITE / "ansible.inv")})


def _run(what: str, command: list[str], environment: dict[str, str]) -> Finished:
    done = run_logged(what, command, checkout_cache() / "logs" / f"docs-{what}.log", environment=environment)
    if done.code != 0:
        say(done.output)
    say(f"  {what}: {'ok' if done.code == 0 else f'FAILED, code {done.code}'} ({done.seconds:.1f} s)")
    return done
