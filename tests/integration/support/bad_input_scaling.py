# Copyright (c) 2026 vmscale.kubevirt contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What users get wrong when they scale and roll out, and the sentence that each gets."""

from __future__ import annotations

from integration.support.bad_input import SET, SETS, Row

RESTING = "resting"
"""A set that is paused."""
STRAY = "stray"
"""A VMI that no set controls."""
LIVE = f"{SET} <namespace>/live"
CREATE_FIRST = "does not exist: create it first (module vmirs)."
AMOUNT = "it must be a number of VMIs, 1 or more, or a percentage from 1% to 100%."

SCALING = (
    Row("neither a number nor names to remove", "vmirs_scale", {"name": "live"}, "one of the following is required: replicas, remove"),
    Row(
        "a negative number to scale to",
        "vmirs_scale",
        {"name": "live", "replicas": -1},
        '"replicas" (spec.replicas) is -1: it must be 0 or more.',
    ),
    Row("a set to scale that does not exist", "vmirs_scale", {"name": "none", "replicas": 1}, f"{SET} <namespace>/none {CREATE_FIRST}"),
    Row(
        "a VMI to remove that is not the set's",
        "vmirs_scale",
        {"name": "live", "remove": [STRAY]},
        f'"remove" names VirtualMachineInstance {STRAY}, which {LIVE} does not control: name VMIs of the set.',
    ),
    Row(
        "a VMI to remove without a name",
        "vmirs_scale",
        {"name": "live", "remove": [""]},
        '"remove" has an empty name in it: name VMIs of the set.',
    ),
    Row(
        "an order of removal that does not exist",
        "vmirs_scale",
        {"name": "live", "replicas": 0, "scale_in_order": "random"},
        "value of scale_in_order must be one of: not_ready_first, newest, oldest, outdated_first, node_spread, got: random",
    ),
    Row(
        "a user who may neither patch the set nor its scale",
        "vmirs_scale",
        {"name": "live", "replicas": 1, "replicas_when_autoscaled": "set", "wait": False, "kubeconfig": "<admin>"}
        | {"impersonate_user": "reader"},
        f'User "reader" may not patch {SETS} in namespace "<namespace>": a Role or ClusterRole must grant the verb "patch" on {SETS}. Or '
        f'grant it on its scale: User "reader" may not patch {SETS}/scale in namespace "<namespace>": a Role or ClusterRole must grant the '
        f'verb "patch" on {SETS}/scale.',
    ),
)

ROLLING_OUT = (
    Row("a set to roll out that does not exist", "vmirs_rollout", {"name": "none"}, f"{SET} <namespace>/none {CREATE_FIRST}"),
    Row(
        "a set to roll out that has no template hash",
        "vmirs_rollout",
        {"name": "live"},
        f"{LIVE} carries no template hash, so nobody can tell which of its VMIs are outdated: change its template with vmirs (with "
        '"template_hash: true"), or replace all of them with "state: restarted".',
    ),
    Row(
        "a set to roll out that is paused",
        "vmirs_rollout",
        {"name": RESTING, "state": "restarted"},
        f"{SET} <namespace>/{RESTING} is paused, so nothing that a rollout removes would be replaced: resume it first (vmirs with "
        '"paused: false").',
    ),
    *(
        Row(
            f"{amount} that may be unavailable",
            module,
            {"name": "live", "max_unavailable": amount, **more},
            f'"max_unavailable" is "{amount}": {AMOUNT}',
        )
        for amount, module, more in (
            ("0", "vmirs_rollout", {}),
            ("150%", "vmirs_rollout", {}),
            ("some", "vmirs", {"rollout": True, "replicas": 0}),
        )
    ),
    Row(
        "a negative pause",
        "vmirs_rollout",
        {"name": "live", "pause_between": -1},
        '"pause_between" is -1: it must be 0 or more.',
    ),
    Row("no time for a batch", "vmirs_rollout", {"name": "live", "batch_timeout": 0}, '"batch_timeout" is 0: a batch needs some seconds.'),
    Row(
        "a revision where nothing is rolled back",
        "vmirs_rollout",
        {"name": "live", "revision": 1},
        '"revision" means something with "state: rolled_back" only, and the state is updated.',
    ),
    Row(
        "an id of a restart where nothing is restarted",
        "vmirs_rollout",
        {"name": "live", "state": "rolled_back", "restart_id": "one"},
        '"restart_id" means something with "state: restarted" only, and the state is rolled_back.',
    ),
    Row(
        "a revision that is not kept",
        "vmirs_rollout",
        {"name": "live", "state": "rolled_back", "revision": 7},
        f'{LIVE} has no revision 7: "revision" must be one of those that are kept (none).',
    ),
    Row(
        "a roll back where there is no history",
        "vmirs_rollout",
        {"name": "live", "state": "rolled_back"},
        f"{LIVE} has no revision before the present one to go back to (kept: none): the template that it had is recorded when vmirs "
        "replaces it, or a rollout begins. Apply the template that you want with vmirs.",
    ),
    Row(
        "a user who may not read the VMIs to roll out",
        "vmirs_rollout",
        {"name": "live", "kubeconfig": "<admin>", "impersonate_user": "reader"},
        'User "reader" may not list virtualmachineinstances.kubevirt.io in namespace "<namespace>": a Role or ClusterRole must grant the '
        'verb "list" on virtualmachineinstances.kubevirt.io.',
    ),
)
