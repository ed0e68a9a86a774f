# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change at any time.

"""What all modules share: running, failing, comparing, scrubbing."""

from __future__ import annotations

import os
import traceback
import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.selfhosted.lago.plugins.module_utils._errors import LagoError

try:  # ansible-core 2.22 masks registered values wherever they are shown
    from ansible.module_utils.secrets import register_secret
except ImportError:
    register_secret = None

MASK = "\u2022" * 8
HIDDEN = "********"
CHANGED = HIDDEN + " (changed)"


def run(module: AnsibleModule, function: t.Callable[[AnsibleModule], dict[str, t.Any]]) -> None:
    """Call C(function(module)) and end the module with what it returned or with how it failed.

    The module is ended outside of the C(except) blocks on purpose: ansible-core adds the text of a pending exception to
    a failure, and that text may hold a parameter, which C(no_log) does not hide there.

    :param module: the module that runs.
    :param function: returns the result of the module as a dict; raises L(LagoError) for what a user can act upon.
    """
    result: dict[str, t.Any] | None = None
    failure: dict[str, t.Any] = {}
    try:
        result = function(module)
    except LagoError as error:
        failure = {"msg": error.message, "failure": error.as_failure()}
    except Exception as error:  # noqa: BLE001 - whatever it is, its text must not get out
        failure = _unexpected(error)
    if result is None:
        module.fail_json(**failure)
    else:
        module.exit_json(**result)


def _unexpected(error: Exception) -> dict[str, t.Any]:
    """Describe an error that nobody foresaw by its type and place alone: its text may hold a parameter."""
    frames = traceback.extract_tb(error.__traceback__)
    where = ", ".join(f"{os.path.basename(frame.filename)}:{frame.lineno}" for frame in frames[-3:])
    kind = type(error).__name__
    details = {"type": kind, "where": where, "errno": getattr(error, "errno", None)}
    return {
        "msg": f"Unexpected {kind} at {where}. This is a defect of selfhosted.lago: please report it with this line.",
        "failure": {"code": "unexpected", "status": None, "details": details},
    }


def outcome(
    module: AnsibleModule,
    before: dict[str, t.Any],
    after: dict[str, t.Any],
    secrets: t.Collection[str] = (),
    changed: bool | None = None,
    **values: t.Any,
) -> dict[str, t.Any]:
    """Build a module's result from what was and what is (in check mode: would be).

    :param before: the state before, an empty dict when there was nothing.
    :param after: the state after.
    :param secrets: keys whose values are never shown; the module's C(no_log) options are always among them.
    :param changed: given when it is not to be computed by comparing.
    :param values: further return values.
    :returns: C(changed), C(diff) when it was asked for, and I(values).
    """
    result: dict[str, t.Any] = dict(values)
    result["changed"] = before != after if changed is None else changed
    if getattr(module, "_diff", False):
        hidden = set(secrets) | {name for name, spec in module.argument_spec.items() if spec.get("no_log")}
        result["diff"] = {
            "before": _scrub(before, after, hidden, HIDDEN),
            "after": _scrub(after, before, hidden, CHANGED),
        }
    return result


def _scrub(state: t.Any, other: t.Any, hidden: set[str], changed: str) -> t.Any:
    """Return a copy of I(state) without the values of I(hidden) keys; I(changed) stands where I(other) differs."""
    if isinstance(state, dict):
        others = other if isinstance(other, dict) else {}
        copy: dict[str, t.Any] = {}
        for key, value in state.items():
            if key in hidden and value is not None:
                copy[key] = HIDDEN if value == others.get(key) else changed
            else:
                copy[key] = _scrub(value, others.get(key), hidden, changed)
        return copy
    if isinstance(state, list):
        beside = other if isinstance(other, list) else []
        pairs = zip(state, beside + [None] * len(state))
        return [_scrub(item, item_beside, hidden, changed) for item, item_beside in pairs]
    return state


def mask(value: str | None) -> str | None:
    """Show a key as Lago itself does in lists: eight bullets and the last three characters."""
    return None if value is None else MASK + value[-3:]


def secret(value: str) -> str:
    """Tell ansible-core, where it can be told, that I(value) is a secret; return it."""
    if register_secret is not None:
        register_secret(value)
    return value
