# Copyright: (c) 2026, The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks at a release's required jobs until they are done, and tells how far they are."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

#: For how many looks the worker may be away, and nothing may go on after the tasks have ended.
_PATIENCE = {"worker": 5, "left": 20}


@dataclass
class Watch:
    """What was seen so far."""

    limit: float
    began: float = field(default_factory=time.monotonic)
    least: int | None = None
    away: int = 0
    idle: int = 0

    @property
    def seconds(self) -> float:
        """For how long it goes on."""
        return time.monotonic() - self.began

    def failure(self, seen: dict[str, Any]) -> str:
        """Return why nothing will come of it any more, blank while something may."""
        left = seen["left"]
        self.away = 0 if seen["worker"] else self.away + 1
        self.idle = self.idle + 1 if not seen["running"] and left == self.least else 0
        self.least = left
        if not seen["running"] and seen["exit_code"]:
            return f"They ended with exit code {seen['exit_code']}."
        if self.away >= _PATIENCE["worker"]:
            return "The worker, which does them, does not run."
        if self.idle >= _PATIENCE["left"]:
            return f"They have ended, and {left} rows are still to be done."
        return f"They were not done within {self.limit:.0f} s." if self.seconds > self.limit else ""


def _done(seen: dict[str, Any]) -> bool:
    if seen["left"] is None:
        return not seen["running"] and seen["exit_code"] == 0
    return bool(seen["left"] == 0)


class ActionModule(ActionBase):
    """The action of selfhosted.lago.required_jobs; the module of this name holds its documentation."""

    TRANSFERS_FILES = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return what was seen last."""
        super().run(tmp, task_vars)
        args = dict(self._task.args)
        watch = Watch(float(args.get("time_limit", 7200)))
        result = self._look(args, task_vars)
        while not result.get("failed") and not _done(result):
            problem = watch.failure(result)
            if problem:
                said = f"\nThey said last:\n\n{result['said']}" if result["said"] else ""
                result.update(failed=True, msg=f"The jobs {', '.join(args['jobs'])} are not done. {problem}{said}")
                break
            self._tell(watch, result)
            time.sleep(float(args.get("every", 3)))
            result = self._look(args, task_vars)
        if not result.get("failed") and result["left"] is None and result["said"]:
            # They end well also where they left out what they could not do, and say so
            Display().display(f"They said last:\n\n{result['said']}")
        self._look({**args, "state": "absent"}, task_vars)
        return {**result, "changed": True}

    def _look(self, args: dict[str, Any], task_vars: dict[str, Any] | None) -> dict[str, Any]:
        name = "selfhosted.lago.required_jobs"
        return dict(self._execute_module(module_name=name, module_args=args, task_vars=task_vars))

    def _tell(self, watch: Watch, seen: dict[str, Any]) -> None:
        left = "" if seen["left"] is None else f"{seen['left']} rows left, "
        Display().display(f"... {self._task.name}: {left}{watch.seconds:.0f} s")
