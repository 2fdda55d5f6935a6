# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the pages are that ours refer to in the documentation of Ansible and of other collections.

Sphinx would fetch such a list while building; ours is short, and stays right without a network.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from pathlib import Path


def _plugins(collection: str, names: tuple[str, ...]) -> dict[str, str]:
    """Return the labels of a collection's modules, as antsibull-docs writes them, with their pages."""
    folder = f"collections/{collection.replace('.', '/')}"
    labels = {name: f"ansible_collections.{collection}.{name}_module" for name in names}
    return {label: f"{folder}/{name}_module.html#{label.replace('.', '-').replace('_', '-')}" for name, label in labels.items()}


ANSIBLE: Mapping[str, str] = {
    "action_plugins": "plugins/action.html#action-plugins",
    "common_return_values": "reference_appendices/common_return_values.html#common-return-values",
    **_plugins("kubernetes.core", ("k8s", "k8s_info", "k8s_scale")),
    **_plugins("kubevirt.core", ("kubevirt_vm", "kubevirt_vm_info", "kubevirt_vmi_info")),
    **_plugins("community.okd", ("k8s_auth",)),
}


def write_inventory(path: Path, labels: Mapping[str, str]) -> None:
    """Write labels and their pages in the format of Sphinx's own inventories."""
    heading = "# Sphinx inventory version 2\n# Project: Ansible\n# Version:\n# The remainder of this file is compressed using zlib.\n"
    lines = "".join(f"{label} std:label -1 {page} {label}\n" for label, page in labels.items())
    path.write_bytes(heading.encode() + zlib.compress(lines.encode()))
