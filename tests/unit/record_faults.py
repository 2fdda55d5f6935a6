# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Records `fixtures/faults`: all that a diagnosis reads of a replica set in one state after the other, from a sandbox.

PYTHONPATH=tests python -m unit.record_faults [STATE...]
"""

from __future__ import annotations

import argparse
import sys
import traceback
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from dev.sandbox import Sandbox
from unit.support import autoscaler_states, cluster_states, set_states
from unit.support.recording import FIXTURES, command, write
from unit.support.scene import Scene
from unit.support.set_states import STATES

# Those of the cluster one after the other, the others side by side.
ALONE = frozenset(cluster_states.NAMES)
MODULES = (set_states, autoscaler_states, cluster_states)


def record(sandbox: Sandbox, name: str) -> bool:
    """Bring a state about in a namespace of its own, write it down, and say whether that went well."""
    try:
        scene = Scene(sandbox, name)
        try:
            write(FIXTURES / "faults" / f"{name}.json", STATES[name](scene))
        finally:
            if name in ALONE:
                scene.command("heal", "--all")
            scene.close()
    except Exception:
        print(f"{name}:", traceback.format_exc(), file=sys.stderr)
        return False
    return True


def main(arguments: Sequence[str] | None = None) -> int:
    """Record the states that were asked for, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sandbox", default="fixtures", help="which one (default: %(default)s, of its own)")
    parser.add_argument("--keep", action="store_true", help="leave the sandbox up")
    parser.add_argument("states", nargs="*", metavar="STATE", help="all unless told otherwise")
    options = parser.parse_args(arguments)
    sandbox = Sandbox(options.sandbox)
    sandbox.up()
    try:
        names = options.states or list(STATES)
        with ThreadPoolExecutor(4) as pool:
            done = list(pool.map(lambda name: record(sandbox, name), [name for name in names if name not in ALONE]))
        done += [record(sandbox, name) for name in names if name in ALONE]
        command(sandbox, "heal", "--all")
    finally:
        if not options.keep:
            sandbox.down()
    return 0 if all(done) else 1


if __name__ == "__main__":
    sys.exit(main())
