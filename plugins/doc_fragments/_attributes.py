# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the attributes that the modules share."""

from __future__ import annotations


class ModuleDocFragment:
    """Attributes of every module of this collection."""

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and return changed status prediction without modifying the target.
  diff_mode:
    description: Returns details on what has changed (or would change in C(check_mode)), when in diff mode.
  async:
    description: Supports being used with the C(async) keyword; the task then runs as a module process.
    support: full
  action:
    description: Has an action plugin, which runs the task inside ansible's own worker where the connection is local.
    support: full
  idempotent:
    description: A second run with the same options changes nothing.
    support: full
"""

    ACTIONGROUP_VMIRS = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/vmscale.kubevirt.vmirs) in C(module_defaults) to set defaults for this module.
    support: full
    membership:
      - vmscale.kubevirt.vmirs
"""
