# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Builds the documentation's site: `python -m dev.docs`."""

from __future__ import annotations

import sys

from dev.docs.site import build_site
from dev.environment import EnvironmentFailedError
from dev.processes import say


def main() -> int:
    """Build it; the exit code says whether everything in it holds."""
    try:
        return build_site()
    except EnvironmentFailedError as error:
        say(str(error))
        return 1


if __name__ == "__main__":
    sys.exit(main())
