# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to this collection: may change or go without notice.
"""Says that what takes long goes on."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ansible.plugins.action.normal import ActionModule
from ansible.utils.display import Display


@contextmanager
def told(task: Any, variables: Mapping[str, Any] | None, every: float = 10) -> Iterator[None]:
    """Say after every so many seconds which task goes on, where and for how long, until the block is left."""
    what = f"{(variables or {}).get('inventory_hostname', '')}: {task.name}"
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


class Telling(ActionModule):
    """An action that runs the module of its own name, as it would be run without one, and tells that it goes on."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the module's own result."""
        with told(self._task, task_vars):
            return dict(super().run(tmp, task_vars))
