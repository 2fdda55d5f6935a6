# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The local shell of the module ``vmirs_scale``."""

from __future__ import annotations

from ansible_collections.vmscale.kubevirt.plugins.module_utils._vmirs_scale import scale_replica_set
from ansible_collections.vmscale.kubevirt.plugins.plugin_utils._local_shell import LocalShell


class ActionModule(LocalShell):
    """Runs ``vmirs_scale`` inside ansible's worker where it can."""

    module_name = "vmirs_scale"
    operation = staticmethod(scale_replica_set)
