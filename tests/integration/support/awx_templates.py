# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What playbooks/controller.yml ensures: the job templates and the workflow, as data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from dev.paths import CHECKOUT

PLAYBOOKS = CHECKOUT / "playbooks"
DATA = PLAYBOOKS / "vars" / "controller.yml"


class _Loader(yaml.SafeLoader):
    """Takes text that Ansible is not to template as the text that it is."""


_Loader.add_constructor("!unsafe", lambda _loader, node: str(node.value))


def controller_data() -> dict[str, Any]:
    """Return the variables of the playbook."""
    found: dict[str, Any] = yaml.load(DATA.read_text(encoding="utf-8"), Loader=_Loader)
    return found


def survey(questions: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the specification that is sent for these questions."""
    return {"name": "", "description": "", "spec": list(questions)}


def job_template(playbook: str) -> dict[str, Any]:
    """Return the job template of a playbook."""
    (found,) = (template for template in controller_data()["controller_job_templates"] if template["playbook"] == playbook)
    return dict(found)
