# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command line of the kind cluster."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence

from dev.processes import say
from kind.cluster import Cluster
from kind.engine import ensure_engine
from kind.host import ensure_packages, find_way
from kind.images import ALL
from kind.load import set_load
from kind.steps import clean, remaining
from kind.workspace import CACHE, KindError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit code says whether it did what it says."""
    options = _parser().parse_args(arguments)
    os.environ["PATH"] = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"
    try:
        return int(options.run(options) or 0)
    except (KindError, LookupError, OSError, RuntimeError) as error:
        print(f"kind: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="kind", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    check = commands.add_parser("check", help="say whether and how the cluster can be had here")
    check.add_argument("--start", action="store_true", help="fail unless all images are made and their Docker can be started")
    check.set_defaults(run=_check)
    commands.add_parser("images", help="make all images").set_defaults(run=_images)
    commands.add_parser("up", help="bring the cluster up").set_defaults(run=_up)
    commands.add_parser("down", help="remove the cluster; images stay").set_defaults(run=_down)
    commands.add_parser("clean", help="remove images of earlier inputs").set_defaults(run=_clean)
    kubeconfig = commands.add_parser("kubeconfig", help="print the path of a user's kubeconfig")
    kubeconfig.add_argument("--user", choices=["admin", "operator"], default="admin")
    kubeconfig.set_defaults(run=_kubeconfig)
    kubectl = commands.add_parser("kubectl", help="run kubectl as the admin: kind kubectl -- get pods")
    kubectl.add_argument("arguments", nargs=argparse.REMAINDER)
    kubectl.set_defaults(run=_kubectl)
    load = commands.add_parser("load", help="burn CPU in the oldest guest of a replica set, or in none")
    load.add_argument("set", metavar="NAME", help="the VirtualMachineInstanceReplicaSet")
    load.add_argument("-n", "--namespace", default="default")
    load.add_argument("--percent", type=float, required=True, help="50 and more burns, less does not")
    load.set_defaults(run=_load)
    return parser


def _check(options: argparse.Namespace) -> int:
    way = find_way()
    say(f"{way.source}: {way.reason}")
    if way.source == "built":
        missing = remaining(ALL)
        say(f"to be made first: {', '.join(step.name for step in missing)}" if missing else "all images are made")
        if options.start and not missing:
            ensure_packages()
            ensure_engine()
            return 0
    return 1 if way.source == "none" or options.start else 0


def _images(_options: argparse.Namespace) -> None:
    Cluster(find_way()).make_images()


def _up(_options: argparse.Namespace) -> None:
    began = time.monotonic()
    cluster = Cluster(find_way())
    cluster.up()
    say(f"kind is up ({time.monotonic() - began:.0f} s)")
    say(f"export KUBECONFIG={cluster.kubeconfig('admin')}")


def _down(_options: argparse.Namespace) -> None:
    Cluster(find_way()).down()
    say("kind is down")


def _clean(_options: argparse.Namespace) -> None:
    clean([*ALL, *(step for made in ALL for step in made.after)])
    say(f"kept in {CACHE}: what the present sources are made into")


def _kubeconfig(options: argparse.Namespace) -> None:
    path = Cluster(find_way()).kubeconfig(options.user)
    if not path.exists():
        raise LookupError("the cluster is not up: python -m kind up")
    say(str(path))


def _kubectl(options: argparse.Namespace) -> None:
    cluster = Cluster(find_way())
    arguments = options.arguments[1:] if options.arguments[:1] == ["--"] else options.arguments
    command = cluster.kubectl_command(*arguments)
    os.execve(command[0], command, os.environ | {"KUBECONFIG": str(cluster.kubeconfig("admin"))})


def _load(options: argparse.Namespace) -> None:
    set_load(Cluster(find_way()), options.namespace, options.set, options.percent)
