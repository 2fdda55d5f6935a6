# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The documentation names only modules, options, variables, keys of results and reasons that exist."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from ansible_collections.vmscale.kubevirt.plugins.module_utils._arguments import MODULES
from ansible_collections.vmscale.kubevirt.plugins.module_utils._diagnosis_reasons import REASONS
from dev.paths import CHECKOUT, COLLECTION
from integration.support.snippets import FENCE, Snippet, documentation, documented, snippets

Spec = t.Mapping[str, t.Mapping[str, t.Any]]
PAGES = [path for path in documentation() if path.suffix != ".yml" and CHECKOUT / "tests" not in path.parents]
QUOTED = re.compile(r"(?<![`\w])`{1,2}([^`\n]+)`{1,2}(?![`\w])")

# Words that are not ours: Ansible's, and options of kubernetes.core and awx.awx.
ANSIBLE = {"delegate_to", "metrics_server", "module_defaults", "module_utils", "no_log", "plugin_utils", "requires_ansible"}
OTHER_COLLECTIONS = {"apply", "controller_host", "wait_condition"}
# Kinds, conditions and their reasons, types of metrics, and what else Kubernetes and KubeVirt write in capitals.
KUBERNETES = {
    *("AbleToScale", "ScalingActive", "ScalingLimited", "Ready", "Terminating"),
    *("ReadyForNewScale", "SucceededGetScale", "SucceededRescale", "ScaleDownStabilized", "FailedGetResourceMetric", "ValidMetricFound"),
    *("DesiredWithinRange", "ScaleUpLimit", "ScaleDownLimit"),
    *("Resource", "ContainerResource", "Pods", "Object", "External", "HPAScaleToZero"),
    *("Foreground", "IfNotPresent", "BlockUninstallIfWorkloadsExist", "RemoveWorkloads"),
}
# Classes that the page about the code names, what becomes of an object of a fleet, and AWX's first organization.
OTHER_NAMES = {
    *("EngineError", "FleetWait", "Job", "NamespaceReader", "Reader", "Subject", "Task", "View"),
    *("Waiting", "Done", "Failed"),
    "Default",
}
# What the sandbox, a timeline and any task have in this form, and is no option.
OTHER_KEYS = {"delay", "fault", "from", "to"}


def specifications() -> Iterator[tuple[str, t.Mapping[str, t.Any]]]:
    """Return every option of every module, those within options too."""

    def walk(spec: Spec) -> Iterator[tuple[str, t.Mapping[str, t.Any]]]:
        for name, option in spec.items():
            yield name, option
            yield from ((alias, option) for alias in option.get("aliases", ()))
            yield from walk(option.get("options") or {})

    for module in MODULES.values():
        yield from walk(module.argument_spec)


def variables() -> dict[str, t.Mapping[str, t.Any]]:
    """Return the variables of every role, with that of its result, those of playbooks, and what playbooks hand on."""
    found: dict[str, t.Mapping[str, t.Any]] = {}
    for path in CHECKOUT.glob("playbooks/*.yml"):
        text = path.read_text(encoding="utf-8")
        found |= {name: {} for play in yaml.safe_load(text) for name in play.get("vars", ())}
        found |= {name: {} for name in re.findall(r"(?:hand_on_as: |^\s+)(vmscale_\w+)", text, re.MULTILINE)}
    for path in CHECKOUT.glob("roles/*/meta/argument_specs.yml"):
        specs = yaml.safe_load(path.read_text(encoding="utf-8"))["argument_specs"]
        found |= {name: option for spec in specs.values() for name, option in spec["options"].items()}
        found[f"{path.parts[-3]}_result"] = {}
    return found


def result_keys() -> set[str]:
    """Return every key that a module documents of its result."""

    def walk(returned: Spec) -> Iterator[str]:
        for name, value in returned.items():
            yield name
            yield from walk(value.get("contains") or {})
            samples = value.get("sample")
            for sample in samples if isinstance(samples, list) else [samples]:
                yield from sample if isinstance(sample, dict) else ()

    modules = (path for path in CHECKOUT.glob("plugins/modules/*.py") if path.stem != "__init__")
    return {name for path in modules for name in walk(yaml.safe_load(documented(path, "RETURN")))}


OPTIONS = dict(specifications())
CHOICES = {str(choice) for _, option in specifications() for choice in option.get("choices") or ()}
VARIABLES = variables()
WORDS = {*OPTIONS, *CHOICES, *VARIABLES, *result_keys(), *MODULES, *ANSIBLE, *OTHER_COLLECTIONS}
CONTENT = {
    *MODULES,
    *(path.name for path in CHECKOUT.glob("roles/*")),
    *(path.stem for path in CHECKOUT.glob("playbooks/*.yml")),
}
# The guides' own labels.
LABELS = {"docsite"}


def quoted(path: Path) -> set[str]:
    """Return what a page puts in backquotes, but for its code blocks."""
    return set(QUOTED.findall(FENCE.sub("", path.read_text(encoding="utf-8"))))


def by_page(path: Path) -> str:
    return str(path.relative_to(CHECKOUT))


@pytest.mark.parametrize("path", PAGES, ids=by_page)
def test_what_a_page_names_of_the_collection_exists(path: Path) -> None:
    named = set(re.findall(rf"\b{re.escape(COLLECTION)}\.([a-z_]+)", path.read_text(encoding="utf-8")))

    assert named <= CONTENT | LABELS


@pytest.mark.parametrize("path", PAGES, ids=by_page)
def test_words_of_a_page_are_options_variables_or_keys_of_results(path: Path) -> None:
    words = {word for word in quoted(path) if re.fullmatch(r"[a-z]+(_[a-z]+)+", word)}
    pairs = {match[1]: match[2] for word in quoted(path) if (match := re.fullmatch(r"([a-z_]+): (\S+)", word))}

    assert words <= WORDS
    assert set(pairs) <= WORDS | OTHER_KEYS
    for name, value in pairs.items():
        choices = [option.get("choices") for each, option in [*specifications(), *VARIABLES.items()] if each == name]
        assert not choices or None in choices or any(value in map(str, each) for each in choices if each is not None), f"{name}: {value}"


@pytest.mark.parametrize("path", PAGES, ids=by_page)
def test_reasons_that_a_page_names_exist(path: Path) -> None:
    words = {word for word in quoted(path) if re.fullmatch(r"[A-Z][A-Za-z]*[a-z][A-Za-z]*", word)}
    terms = set(re.findall(r":term:`([^`]+)`", path.read_text(encoding="utf-8")))

    assert words - terms <= {reason.word for reason in REASONS} | KUBERNETES | OTHER_NAMES
    assert terms <= {reason.word for reason in REASONS}


def tasks_of(content: t.Any) -> Iterator[t.Mapping[str, t.Any]]:
    """Return every task in plays, blocks and lists of tasks."""
    for item in content if isinstance(content, list) else ():
        inner = [key for key in ("tasks", "block", "rescue", "always") if key in item]
        yield from (task for key in inner for task in tasks_of(item[key]))
        if not inner:
            yield item


ALL = [snippet for path in documentation() for snippet in snippets(path)]


@pytest.mark.parametrize("snippet", [each for each in ALL if each.language == "yaml"], ids=lambda snippet: snippet.name)
def test_tasks_and_plays_name_only_what_exists(snippet: Snippet) -> None:
    for task in tasks_of(snippet.content):
        for module in (key.removeprefix(f"{COLLECTION}.") for key in task if key.startswith(f"{COLLECTION}.")):
            assert set(task[f"{COLLECTION}.{module}"]) <= set(MODULES[module].argument_spec)
        for role in task.get("roles", ()):
            assert set(role["vars"]) <= set(VARIABLES)


@pytest.mark.parametrize("snippet", [each for each in ALL if each.language == "console"], ids=lambda snippet: snippet.name)
def test_commands_name_only_variables_that_exist(snippet: Snippet) -> None:
    given = set(re.findall(r"-e '?\{?\"?(\w+)(?:=|\")", snippet.text))

    assert given <= set(VARIABLES)
