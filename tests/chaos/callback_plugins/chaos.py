# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes down which task begins, and kills the run there: at the task's boundary, or some seconds into it."""

from __future__ import annotations

DOCUMENTATION = r"""
name: chaos
type: aggregate
short_description: Kills a run of Ansible
description:
  - The environment variable E(CHAOS) is JSON. C(trace) is a file that gets a line for each task that begins.
  - C(task) is the name of the task at which the run ends, C(nth) says which one of that name (from 0), and C(after) how
    many seconds after its beginning; with 0 it never begins.
  - C(workers) tells whether the processes that work for the run end with it, as they do when the machine does.
    Otherwise only the one that an operator sees ends, and its workers finish their task.
requirements:
  - enabled in the configuration
"""

import json
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

from ansible.plugins.callback import CallbackBase


class CallbackModule(CallbackBase):
    """The callback plugin."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "chaos"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self._wanted: dict[str, Any] = json.loads(os.environ.get("CHAOS", "{}"))
        self._begun = self._met = 0

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        """Note the task that begins, and end the run if this is where it ends."""
        name = task.get_name().split(" : ")[-1]
        with Path(self._wanted["trace"]).open("a") as trace:
            trace.write(f"{self._begun}\t{time.time():.3f}\t{name}\n")
        self._begun += 1
        if name != self._wanted.get("task"):
            return
        self._met += 1
        if self._met == self._wanted["nth"] + 1:
            if self._wanted["after"]:
                threading.Timer(self._wanted["after"], self._kill).start()
            else:
                self._kill()

    def v2_playbook_on_handler_task_start(self, task: Any) -> None:
        """Note a handler as any other task."""
        self.v2_playbook_on_task_start(task, False)

    def _kill(self) -> None:
        with Path(self._wanted["trace"]).open("a") as trace:
            trace.write("killed\n")
        for process in descendants(os.getpid()) if self._wanted.get("workers", True) else []:
            os.kill(process, signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)


def descendants(ancestor: int) -> list[int]:
    """Return the processes that a process started, directly or not: workers are sessions of their own."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents[int(entry.name)] = int(fields[1])
    found = [ancestor]
    for process in found:
        found += [child for child, parent in parents.items() if parent == process]
    return found[1:]
