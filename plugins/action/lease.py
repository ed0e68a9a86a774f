# SPDX-License-Identifier: GPL-3.0-or-later
"""Tells the module which run asks, and takes the lease of a run over that has ended on this controller."""

from __future__ import annotations

import os
from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.selfhosted.lago.plugins.plugin_utils import _process, _progress


class ActionModule(ActionBase):
    """The action of selfhosted.lago.lease; the module of this name holds its documentation."""

    TRANSFERS_FILES = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the module's result: of its first start nearly always, of a second one where a lease is taken over."""
        super().run(tmp, task_vars)
        # A task runs in a fork of the process that runs the play
        args = dict(self._task.args, holder=_process.holder(os.getppid()))
        result = self._ask(args, task_vars)
        other = _other(result)
        if _process.has_ended(other):
            # By its token: whoever was faster has written another one
            result = self._ask({**args, "ended": other["token"]}, task_vars)
        result.pop("invocation", None)
        return result

    def _ask(self, args: dict[str, Any], task_vars: dict[str, Any] | None) -> dict[str, Any]:
        with _progress.told(self._task, task_vars):  # it waits for what an ended run left at work
            return dict(self._execute_module("selfhosted.lago.lease", module_args=args, task_vars=task_vars))


def _other(result: dict[str, Any]) -> dict[str, Any]:
    """Return the lease that stood in the way, an empty one when none did."""
    failure = result.get("failure") or {}
    return failure["details"]["holder"] if failure.get("code") == "lease_held" else {}
