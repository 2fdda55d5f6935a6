# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The commands that bring faults about and undo them."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING

from sandbox import faults
from sandbox.fault import CLUSTER, SET, Fault, Site, Target
from sandbox.state import Sandbox

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

Enter = Callable[[Sandbox], Site]


def add(commands: Commands, enter: Enter) -> None:
    """Add both commands, with a command of its own for each fault."""
    fault = commands.add_parser("fault", help="bring a fault about; without a name, list them and say which are on")
    fault.set_defaults(run=lambda sandbox, _options: print(faults.table(enter(sandbox))))
    heal = commands.add_parser("heal", help="undo a fault, or all")
    heal.add_argument("--all", action="store_true", help="all that are on")
    heal.set_defaults(run=lambda sandbox, options: _heal_all(sandbox, options, heal, enter))
    for parser, run, with_options in ((fault, _begin, True), (heal, _end, False)):
        names = parser.add_subparsers(metavar="NAME", title="faults")
        for each in faults.FAULTS:
            command = names.add_parser(each.name, help=each.text, description=f"{each.text[0].upper()}{each.text[1:]}.")
            _add_target(command, each, with_options)
            command.set_defaults(run=lambda sandbox, options, each=each, run=run: run(enter(sandbox), each, options))


def _add_target(command: argparse.ArgumentParser, fault: Fault, with_options: bool) -> None:
    if fault.scope == SET:
        command.add_argument("set", metavar="SET", help="the VirtualMachineInstanceReplicaSet")
    if fault.scope != CLUSTER:
        command.add_argument("-n", "--namespace", default="default")
    for option in fault.options if with_options else ():
        text = option.text if option.default is None else f"{option.text} (default: {option.default})"
        command.add_argument(f"--{option.name}", type=option.kind, default=option.default, help=text)


def _begin(site: Site, fault: Fault, options: argparse.Namespace) -> None:
    fault.begin(site, _target(options))


def _end(site: Site, fault: Fault, options: argparse.Namespace) -> None:
    faults.heal(site, fault, _target(options))


def _heal_all(sandbox: Sandbox, options: argparse.Namespace, parser: argparse.ArgumentParser, enter: Enter) -> int:
    if not options.all:
        parser.error("name a fault, or say --all")
    return 0 if faults.heal_all(enter(sandbox)) else 1


def _target(options: argparse.Namespace) -> Target:
    given = vars(options)
    return Target(given.get("namespace", ""), given.get("set", ""), given)
