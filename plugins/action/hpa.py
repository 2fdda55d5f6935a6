# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The local shell of the module ``hpa``."""

from __future__ import annotations

from ansible_collections.vmscale.kubevirt.plugins.module_utils._hpa import ensure_autoscaler
from ansible_collections.vmscale.kubevirt.plugins.plugin_utils._local_shell import LocalShell


class ActionModule(LocalShell):
    """Runs ``hpa`` inside ansible's worker where it can."""

    module_name = "hpa"
    operation = staticmethod(ensure_autoscaler)
