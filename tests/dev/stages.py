# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stages that `make test` and `make test-kind` are made of; each can be run alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from dev.environment import EnvironmentFailedError, ensure_additions, environment_path, tool, tool_environment
from dev.paths import BENCH_REQUIREMENTS, NAME, NAMESPACE, TESTS, checkout_cache, collection_tree
from dev.processes import run_logged, say
from dev.pytests import run_integration, run_pytest
from dev.sandbox import Sandbox
from dev.sanity import run_sanity
from dev.tally import Tally, molecule_tally
from dev.units import run_units
from dev.versions import run_versions

LOGS = checkout_cache() / "logs"
PYTHON = environment_path() / "bin" / "python"
INTEGRATION_SANDBOX = "integration"
# All but `kind`, which takes a cluster of its own. The one that takes longest is the first.
SCENARIOS = (
    *(word for name in ("default", "role-*", "playbook-*") for word in ("--scenario-name", name)),
    "--workers=3",
    "--continue-on-failure",
)


@dataclass(frozen=True)
class Stage:
    """A named part of the tests, which returns its counts."""

    name: str
    run: Callable[[Sequence[str]], Tally]
    in_suite: bool = True


@dataclass(frozen=True)
class Linter:
    """A program that passes or fails as a whole."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)


# Every reference in it has to lead somewhere.
SITE = Linter("docs", ("python", "-m", "dev.docs"))


def lint(arguments: Sequence[str]) -> Tally:
    """Run every linter, or those named, and show the output of those that complain."""
    chosen = [linter for linter in linters() if not arguments or linter.name in arguments]
    return sum((check(linter) for linter in chosen), Tally())


def linters() -> Sequence[Linter]:
    """Return the linters; each counts as one test."""
    collection = collection_tree() / "ansible_collections" / NAMESPACE / NAME
    references = ("--plugin-docs", "--skip-rstcheck", "--validate-collection-refs=dependent")
    return (
        Linter("ruff", ("ruff", "check", ".")),
        Linter("ruff-format", ("ruff", "format", "--check", ".")),
        Linter(
            "mypy-tests", ("mypy", "-p", "bench", "-p", "dev", "-p", "integration", "-p", "kind", "-p", "sandbox"), {"MYPYPATH": str(TESTS)}
        ),
        Linter("mypy-unit", ("mypy", "-p", "unit"), {"MYPYPATH": f"{TESTS}:{collection_tree()}"}),
        Linter("mypy-plugins", ("mypy", str(collection / "plugins")), {"MYPYPATH": str(collection_tree())}),
        Linter("yamllint", ("yamllint", "--strict", ".")),
        Linter("shellcheck", ("shellcheck", ".ci/run")),
        Linter("ansible-lint", ("ansible-lint", "--offline", "--nocolor")),
        Linter("antsibull-docs", ("antsibull-docs", "lint-collection-docs", *references, ".")),
        Linter("antsibull-changelog", ("antsibull-changelog", "lint")),
        SITE,
        # The module is named, since whichever others are at hand decide otherwise what a file's encoding is.
        Linter("reuse", ("reuse", "lint"), {"REUSE_ENCODING_MODULE": "charset_normalizer"}),
        Linter("build", ("python", "-m", "dev.archive")),
        Linter("galaxy-importer", ("python", "-m", "dev.importer")),
    )


def check(linter: Linter) -> Tally:
    """Run one linter."""
    environment = {**tool_environment(), **linter.environment}
    done = run_logged(linter.name, tool(*linter.command), LOGS / f"lint-{linter.name}.log", environment=environment)
    if done.code == 0:
        say(f"  {linter.name}: ok ({done.seconds:.1f} s)")
        return Tally(passed=1)
    say(done.output)
    say(f"  {linter.name}: FAILED, code {done.code} ({done.seconds:.1f} s)")
    return Tally(failed=1)


def unit(arguments: Sequence[str]) -> Tally:
    """Run the unit tests."""
    return run_pytest(PYTHON, "unit", (str(TESTS / "unit"), "--numprocesses=2", *arguments))


def sandbox(arguments: Sequence[str]) -> Tally:
    """Bring up the sandbox of the integration tests; that it comes counts as one test."""
    command = Sandbox(INTEGRATION_SANDBOX).command("up", *arguments)
    done = run_logged("sandbox", command, LOGS / "sandbox.log", environment=tool_environment(), live=True)
    return Tally(passed=1) if done.code == 0 else Tally(failed=1)


def integration(arguments: Sequence[str]) -> Tally:
    """Run the integration tests."""
    return run_integration(PYTHON, "integration", arguments)


def molecule(arguments: Sequence[str]) -> Tally:
    """Run the scenarios on a sandbox that they share, after ending one that was left."""
    destroy = tool("molecule", "destroy", "--scenario-name", "default")
    run_logged("molecule-destroy", destroy, LOGS / "molecule-destroy.log", environment=tool_environment())
    return scenarios(arguments or SCENARIOS)


def scenarios(arguments: Sequence[str]) -> Tally:
    """Run molecule; each action of a scenario counts as one test."""
    command = tool("molecule", "test", *arguments)
    done = run_logged("molecule", command, LOGS / "molecule.log", environment=tool_environment(), live=True)
    return molecule_tally(done.output).with_code(done.code)


def docs(arguments: Sequence[str]) -> Tally:
    """Build the documentation's site; that everything in it holds counts as one test."""
    done = run_logged("docs", tool(*SITE.command, *arguments), LOGS / "docs.log", environment=tool_environment(), live=True)
    return Tally(passed=1) if done.code == 0 else Tally(failed=1)


def kind_images(arguments: Sequence[str]) -> Tally:
    """Make the images of the kind cluster, which takes an hour at most, and nothing once they are there."""
    done = run_logged(
        "kind-images",
        tool("python", "-m", "kind", "images", *arguments),
        LOGS / "kind-images.log",
        environment=tool_environment(),
        live=True,
    )
    return Tally(passed=1) if done.code == 0 else Tally(failed=1)


def kind(arguments: Sequence[str]) -> Tally:
    """Run the scenario on VMs that boot."""
    return scenarios(arguments or ("--scenario-name", "kind"))


def sanity(arguments: Sequence[str]) -> Tally:
    """Run ansible-test sanity on a copy of the collection."""
    return run_sanity(LOGS / "sanity.log", arguments)


def units(arguments: Sequence[str]) -> Tally:
    """Run the unit tests of the plugins with ansible-test."""
    return run_units(LOGS / "units.log", arguments)


def bench(arguments: Sequence[str]) -> Tally:
    """Measure, on a sandbox of its own; that all could be measured counts as one test, whatever came of it."""
    try:
        ensure_additions(BENCH_REQUIREMENTS)
    except EnvironmentFailedError as error:
        say(str(error))
        return Tally(failed=1)
    done = run_logged("bench", tool("python", "-m", "bench", *arguments), LOGS / "bench.log", environment=tool_environment(), live=True)
    return Tally(passed=1) if done.code == 0 else Tally(failed=1)


STAGES: Mapping[str, Stage] = {
    stage.name: stage
    for stage in (
        Stage("lint", lint),
        Stage("unit", unit),
        Stage("sanity", sanity),
        Stage("units", units, in_suite=False),
        Stage("sandbox", sandbox),
        Stage("integration", integration),
        Stage("molecule", molecule),
        Stage("versions", run_versions, in_suite=False),
        Stage("docs", docs, in_suite=False),
        Stage("bench", bench, in_suite=False),
        Stage("kind-images", kind_images, in_suite=False),
        Stage("kind", kind, in_suite=False),
    )
}
