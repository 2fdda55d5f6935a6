# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The local shell of the module ``vmirs_info``."""

from __future__ import annotations

from ansible_collections.vmscale.kubevirt.plugins.module_utils._vmirs_info import read_replica_sets
from ansible_collections.vmscale.kubevirt.plugins.plugin_utils._local_shell import LocalShell


class ActionModule(LocalShell):
    """Runs ``vmirs_info`` inside ansible's worker where it can."""

    module_name = "vmirs_info"
    operation = staticmethod(read_replica_sets)
