# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The local shell of the module ``hpa_verify``."""

from __future__ import annotations

from ansible_collections.vmscale.kubevirt.plugins.module_utils._hpa_verify import verify_autoscaler
from ansible_collections.vmscale.kubevirt.plugins.plugin_utils._local_shell import LocalShell


class ActionModule(LocalShell):
    """Runs ``hpa_verify`` inside ansible's worker where it can."""

    module_name = "hpa_verify"
    operation = staticmethod(verify_autoscaler)
