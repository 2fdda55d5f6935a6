# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The code blocks of the documentation: plays, tasks and manifests in YAML, and commands for a shell."""

from __future__ import annotations

import ast
import re
import textwrap
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from dev.paths import CHECKOUT

RUNNABLE = {"yaml": "yaml", "yaml+jinja": "yaml", "console": "console", "shell": "console", "bash": "console", "sh": "console"}
PAGES = (
    "*.md",
    "docs/*.md",
    "docs/docsite/*.rst",
    "docs/docsite/rst/*.rst",
    "molecule/**/README.md",
    "playbooks/*.yml",
    "roles/*/README.md",
    "tests/**/README.md",
)
FENCE = re.compile(r"^```(?P<language>[\w+-]*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
MARKDOWN_TITLE = re.compile(r"^#+ (?P<title>.+)$", re.MULTILINE)
DIRECTIVE = re.compile(r"^\.\. code-block:: (?P<language>\S+)\n(?P<options>(?: +:.*\n)*)\n(?P<body>(?:(?: {3}.*)?\n)+)", re.MULTILINE)
RST_TITLE = re.compile(r"^(?P<title>\S.*)\n(?:=|-|~){3,}$", re.MULTILINE)
EXAMPLE = re.compile(r"^# Example: (?P<body>.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Snippet:
    """A code block that a reader may run."""

    page: str
    name: str
    language: str
    text: str
    file: str | None = None
    """As what the page tells to save it."""

    @property
    def content(self) -> Any:
        """What it says, where it is YAML."""
        return yaml.safe_load(self.text)

    @property
    def tasks(self) -> list[dict[str, Any]]:
        """Its tasks, but for those that only run when another has failed."""
        if self.language != "yaml" or self.file is not None or not isinstance(self.content, list):
            return []
        listed = [task for play in self.content for task in play.get("tasks", [])] if self.is_play else self.content
        return [inner for task in listed for inner in task.get("block", [task])]

    @property
    def is_play(self) -> bool:
        return isinstance(self.content, list) and "hosts" in self.content[0]

    @property
    def is_manifest(self) -> bool:
        return isinstance(self.content, dict) and {"apiVersion", "kind"} <= set(self.content)


def documented(module: Path, what: str) -> str:
    """Return a part of a module's documentation: DOCUMENTATION, EXAMPLES or RETURN."""
    for statement in ast.parse(module.read_text(encoding="utf-8")).body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name) and statement.targets[0].id == what:
            return str(ast.literal_eval(statement.value))
    raise LookupError(f"{module} has no {what}")


def fences(path: Path) -> int:
    """Return how many code blocks a Markdown page has."""
    return len(FENCE.findall(path.read_text(encoding="utf-8")))


def documentation() -> list[Path]:
    """Return every page that may have snippets, in the order of their names."""
    return sorted(path for pattern in PAGES for path in CHECKOUT.glob(pattern))


def snippets(path: Path) -> list[Snippet]:
    """Return the snippets of a page, named after the page and the heading that they stand below."""
    page = str(path.relative_to(CHECKOUT))
    text = path.read_text(encoding="utf-8")
    found = {".md": _markdown, ".rst": _restructured, ".yml": _examples}[path.suffix]
    seen: Counter[str] = Counter()
    listed = []
    for title, language, body, file in found(text):
        if language not in RUNNABLE:
            continue
        seen[title] += 1
        number = f" {seen[title]}" if seen[title] > 1 else ""
        listed.append(Snippet(page, f"{page}: {title}{number}", RUNNABLE[language], body, file))
    return listed


def _markdown(text: str) -> Iterator[tuple[str, str, str, str | None]]:
    titles = [(match.start(), match["title"]) for match in MARKDOWN_TITLE.finditer(FENCE.sub(lambda match: " " * len(match[0]), text))]
    for match in FENCE.finditer(text):
        yield _title_before(titles, match.start()), match["language"], match["body"], None


def _restructured(text: str) -> Iterator[tuple[str, str, str, str | None]]:
    titles = [(match.start(), match["title"]) for match in RST_TITLE.finditer(text)]
    for match in DIRECTIVE.finditer(text):
        caption = re.search(r":caption: (.+)", match["options"])
        yield _title_before(titles, match.start()), match["language"], textwrap.dedent(match["body"]).strip() + "\n", caption and caption[1]


def _examples(text: str) -> Iterator[tuple[str, str, str, str | None]]:
    for match in EXAMPLE.finditer(text):
        yield "example", "console", f"{match['body']}\n", None


def _title_before(titles: list[tuple[int, str]], position: int) -> str:
    return [title for start, title in titles if start < position][-1]
