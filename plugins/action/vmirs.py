# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The local shell of the module ``vmirs``."""

from __future__ import annotations

from ansible_collections.vmscale.kubevirt.plugins.module_utils._vmirs import ensure_replica_set
from ansible_collections.vmscale.kubevirt.plugins.plugin_utils._local_shell import LocalShell


class ActionModule(LocalShell):
    """Runs ``vmirs`` inside ansible's worker where it can."""

    module_name = "vmirs"
    operation = staticmethod(ensure_replica_set)
