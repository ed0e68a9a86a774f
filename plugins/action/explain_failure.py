# SPDX-License-Identifier: GPL-3.0-or-later
"""Prints why the tasks of a block failed, as one block for a person, and fails in their place."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.selfhosted.lago.plugins.plugin_utils import _failure


class ActionModule(ActionBase):
    """The action of selfhosted.lago.explain_failure; the module of this name holds its documentation."""

    TRANSFERS_FILES = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return a failure, whatever happens."""
        super().run(tmp, task_vars)
        variables = task_vars or {}
        failed = _failure.Failed.of(variables)
        if failed.explained:
            return {"failed": True, "msg": failed.summary, "failure": failed.failure}
        args = {**self._task.args, "texts": [failed.message]}
        # The text may hold secrets: it is not for the server's journal, where the arguments of every module go
        unlogged = {**variables, "ansible_no_target_syslog": True}
        seen = dict(self._execute_module("selfhosted.lago.explain_failure", module_args=args, task_vars=unlogged))
        if seen.get("failed") or not seen.get("texts"):
            # Nobody is there who knows the secrets: what somebody else's task says may hold one
            seen = {"services": [], "texts": [failed.message if failed.own else _failure.CENSORED]}
        failed.message = seen["texts"][0]
        if variables.get("__lago_tells_later"):
            # By a verb that leads back first, and tells what became of it in the end
            failed.failure.update(text=failed.message, services=seen["services"])
        else:
            Display().display(_failure.block(failed, seen["services"], variables))
        return {"failed": True, "msg": failed.summary, "failure": failed.failure, "services": seen["services"]}
