# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a module, and tells while it works that it goes on."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display


class ActionModule(ActionBase):
    """The action of selfhosted.lago.progress; the module of this name holds its documentation."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_diff = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the module's own result."""
        super().run(tmp, task_vars)
        _ignored, args = self.validate_argument_spec(
            argument_spec={
                "module": {"type": "str", "required": True},
                "options": {"type": "dict", "default": {}},
                "every": {"type": "int", "default": 10},
            }
        )
        host = str((task_vars or {}).get("inventory_hostname", ""))
        with _told(f"{host}: {self._task.name}", args["every"]):
            return dict(
                self._execute_module(module_name=args["module"], module_args=args["options"], task_vars=task_vars)
            )


@contextmanager
def _told(what: str, every: float) -> Iterator[None]:
    """Say what goes on and for how long, after every so many seconds, until the block is left."""
    over, began = threading.Event(), time.monotonic()

    def tell() -> None:
        while not over.wait(every):
            Display().display(f"... {what}: {time.monotonic() - began:.0f} s")

    teller = threading.Thread(target=tell, daemon=True)
    teller.start()
    try:
        yield
    finally:
        over.set()
        teller.join()
