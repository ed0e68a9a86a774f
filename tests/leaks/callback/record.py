# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes every result as JSON, as the callbacks do that send them to some other system."""

from __future__ import annotations

import json
import os
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: record
type: notification
short_description: Every result as JSON
description: Writes each result that callbacks are given to the file that E(RECORD_TO) names, one a line.
"""


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "record"
    CALLBACK_NEEDS_ENABLED = True

    def _record(self, result: Any, **more: Any) -> None:
        answer = result.result if hasattr(result, "result") else result._result
        task = result.task if hasattr(result, "task") else result._task
        line = {"task": task.get_name(), "result": answer, **more}
        with open(os.environ["RECORD_TO"], "a", encoding="utf-8") as file:
            file.write(json.dumps(line, default=repr) + "\n")

    def v2_runner_on_ok(self, result: Any) -> None:
        self._record(result)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        self._record(result, failed=True)

    def v2_runner_on_skipped(self, result: Any) -> None:
        self._record(result)

    def v2_runner_on_unreachable(self, result: Any) -> None:
        self._record(result)

    def v2_runner_item_on_ok(self, result: Any) -> None:
        self._record(result)

    def v2_runner_item_on_failed(self, result: Any) -> None:
        self._record(result)

    def v2_on_file_diff(self, result: Any) -> None:
        self._record(result, diff=True)
