# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The local shell of the module ``vmirs_rollout``."""

from __future__ import annotations

from ansible_collections.vmscale.kubevirt.plugins.module_utils._vmirs_rollout import roll_out_replica_set
from ansible_collections.vmscale.kubevirt.plugins.plugin_utils._local_shell import LocalShell


class ActionModule(LocalShell):
    """Runs ``vmirs_rollout`` inside ansible's worker where it can."""

    module_name = "vmirs_rollout"
    operation = staticmethod(roll_out_replica_set)
