# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command line of the sandbox."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from sandbox import fault_commands, faults, lifecycle, load, report
from sandbox.api import Api
from sandbox.builder import ensure_binaries
from sandbox.components import NAMES
from sandbox.fault import Site
from sandbox.identities import USERS
from sandbox.state import Sandbox, known_sandboxes
from sandbox.supervisor import SUPERVISOR, supervise

LOGS = (*NAMES, SUPERVISOR)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit code says whether it did what it says."""
    options = _parser().parse_args(arguments)
    try:
        sandbox = Sandbox.named(options.name)
        return int(options.run(sandbox, options) or 0)
    except BrokenPipeError:
        # Whoever read the output has seen enough; Python must not try to flush the rest.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (lifecycle.SandboxError, LookupError, ValueError, RuntimeError, OSError) as error:
        print(f"sandbox: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sandbox", description=__doc__)
    parser.add_argument("--name", default=os.environ.get("SANDBOX_NAME", "default"), help="which sandbox (default: %(default)s)")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    up = commands.add_parser("up", help="bring it up, or what is down of it")
    up.add_argument("--timeout", type=float, default=120, help="seconds to wait once everything is built")
    up.set_defaults(run=_up)
    down = commands.add_parser("down", help="end all its processes and remove its data")
    down.add_argument("--keep", action="store_true", help="keep its data for the next up")
    down.set_defaults(run=_down)
    status = commands.add_parser("status", help="say what runs, what is real and what is simulated; fails unless all is well")
    status.add_argument("--json", action="store_true", help="say it in JSON")
    status.set_defaults(run=_status)
    commands.add_parser("list", help="list the sandboxes").set_defaults(run=_list)
    commands.add_parser("build", help="build the components").set_defaults(run=_build)

    kubeconfig = commands.add_parser("kubeconfig", help="print the path of a user's kubeconfig")
    kubeconfig.add_argument("--user", choices=USERS, default="admin")
    kubeconfig.set_defaults(run=_kubeconfig)
    token = commands.add_parser("token", help="print a user's bearer token")
    token.add_argument("--user", choices=["operator"], default="operator")
    token.set_defaults(run=_token)
    commands.add_parser("env", help="print shell exports for its admin").set_defaults(run=_env)
    commands.add_parser("audit-log", help="print the path of its audit log").set_defaults(run=_audit_log)
    kubectl = commands.add_parser("kubectl", help="run kubectl as its admin: sandbox kubectl -- get pods")
    kubectl.add_argument("arguments", nargs=argparse.REMAINDER)
    kubectl.set_defaults(run=_kubectl)

    dial = commands.add_parser("load", help="dial the CPU load of a replica set's VMs")
    dial.add_argument("set", metavar="NAME", help="the VirtualMachineInstanceReplicaSet")
    dial.add_argument("-n", "--namespace", default="default")
    amount = dial.add_mutually_exclusive_group(required=True)
    amount.add_argument("--percent", type=float, help="of its CPU request, what each VM shows at the present number of replicas")
    amount.add_argument("--off", action="store_true", help="idle")
    dial.set_defaults(run=_load)

    fault_commands.add(commands, _site)

    logs = commands.add_parser("logs", help="print a component's log")
    logs.add_argument("component", choices=LOGS)
    logs.add_argument("-f", "--follow", action="store_true")
    logs.set_defaults(run=_logs)
    for verb, run, text in (
        ("stop", _stop, "end components and hold them down"),
        ("start", _start, "let stopped components run again, and wait until they are well"),
        ("restart", _restart, "end components and wait until the supervisor has them well again"),
    ):
        command = commands.add_parser(verb, help=text)
        command.add_argument("components", nargs="+", choices=NAMES, metavar="COMPONENT", help=", ".join(NAMES))
        if verb != "start":
            command.add_argument("--kill", action="store_true", help="with SIGKILL")
        command.set_defaults(run=run)
    commands.add_parser("supervise", help="keep its components running (what up starts)").set_defaults(run=_supervise)
    return parser


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _up(sandbox: Sandbox, options: argparse.Namespace) -> None:
    began = time.monotonic()
    lifecycle.bring_up(sandbox, _say, options.timeout, lambda: faults.mend(_site(sandbox)))
    _say(f"sandbox {sandbox.name} is up ({time.monotonic() - began:.1f} s)")
    print(f"export KUBECONFIG={sandbox.kubeconfig('admin')}")


def _down(sandbox: Sandbox, options: argparse.Namespace) -> None:
    lifecycle.bring_down(sandbox, keep=options.keep)
    _say(f"sandbox {sandbox.name} is down")


def _status(sandbox: Sandbox, options: argparse.Namespace) -> int:
    parts = report.inspect(sandbox)
    print(json.dumps(report.document(sandbox, parts), indent=2) if options.json else report.table(sandbox, parts))
    return 0 if parts and all(part.health.is_well for part in parts) else 1


def _list(_sandbox: Sandbox, _options: argparse.Namespace) -> None:
    for sandbox in known_sandboxes():
        print(sandbox.name)


def _build(_sandbox: Sandbox, _options: argparse.Namespace) -> None:
    for name, path in sorted(ensure_binaries(_say).items()):
        print(f"{name:24} {path}")


def _kubeconfig(sandbox: Sandbox, options: argparse.Namespace) -> None:
    print(_existing(sandbox, sandbox.kubeconfig(options.user)))


def _token(sandbox: Sandbox, options: argparse.Namespace) -> None:
    print(_existing(sandbox, sandbox.kubeconfigs / f"{options.user}.token").read_text().strip())


def _env(sandbox: Sandbox, _options: argparse.Namespace) -> None:
    kubeconfig = _existing(sandbox, sandbox.kubeconfig("admin"))
    print(f"export KUBECONFIG={kubeconfig}")
    print(f"export K8S_AUTH_KUBECONFIG={kubeconfig}")


def _audit_log(sandbox: Sandbox, _options: argparse.Namespace) -> None:
    print(_existing(sandbox, sandbox.audit_log))


def _kubectl(sandbox: Sandbox, options: argparse.Namespace) -> None:
    kubeconfig = _existing(sandbox, sandbox.kubeconfig("admin"))
    binary = sandbox.binaries()["kubectl"]
    arguments = options.arguments[1:] if options.arguments[:1] == ["--"] else options.arguments
    os.execve(binary, ["kubectl", *arguments], os.environ | {"KUBECONFIG": str(kubeconfig)})


def _load(sandbox: Sandbox, options: argparse.Namespace) -> None:
    if options.off:
        load.clear_load(sandbox, options.namespace, options.set)
        return
    api = Api(sandbox, sandbox.ports()["kube-apiserver"])
    dialled = load.set_load(sandbox, api, options.namespace, options.set, options.percent)
    total = dialled.percent * dialled.replicas
    _say(f"{dialled.replicas} replicas at {dialled.percent:g} %: {total:g} % of one VM's request in all, shared by all that are ready")


def _logs(sandbox: Sandbox, options: argparse.Namespace) -> None:
    with _existing(sandbox, sandbox.log(options.component)).open(errors="replace") as log:
        while True:
            text = log.read(1 << 16)
            sys.stdout.write(text)
            sys.stdout.flush()
            if not text:
                if not options.follow:
                    return
                time.sleep(0.3)


def _stop(sandbox: Sandbox, options: argparse.Namespace) -> None:
    lifecycle.halt(sandbox, options.components, _signal(options))


def _start(sandbox: Sandbox, options: argparse.Namespace) -> None:
    lifecycle.resume(sandbox, options.components)
    lifecycle.await_health(sandbox, options.components)


def _restart(sandbox: Sandbox, options: argparse.Namespace) -> None:
    lifecycle.end(sandbox, options.components, _signal(options))
    lifecycle.await_health(sandbox, options.components)


def _supervise(sandbox: Sandbox, _options: argparse.Namespace) -> int:
    return supervise(sandbox)


def _signal(options: argparse.Namespace) -> int:
    return signal.SIGKILL if options.kill else signal.SIGTERM


def _site(sandbox: Sandbox) -> Site:
    _existing(sandbox, sandbox.kubeconfig("admin"))
    return Site(sandbox, _say)


def _existing(sandbox: Sandbox, path: Path) -> Path:
    if not path.exists():
        raise LookupError(f"sandbox {sandbox.name} is not up: python -m sandbox --name {sandbox.name} up")
    return path
