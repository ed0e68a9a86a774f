# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change at any time.

"""What a run that was killed leaves on the server: modules that still work, since nobody tells them, and half a file.

Tasks that change a deployment carry its lease in their environment (C(environment) of their block), and all that they
start inherits it: that is how they are found.
"""

from __future__ import annotations

import os
import time
import typing as t

from ansible_collections.selfhosted.lago.plugins.module_utils import _files
from ansible_collections.selfhosted.lago.plugins.module_utils._errors import LagoError

VARIABLE = "SELFHOSTED_LAGO_LEASE"
PROC = "/proc"
PAUSE = 0.5


def wait(path: str, seconds: int) -> int:
    """Wait until no process works under the lease any more; return for how many seconds, 0 when there was none.

    :raises LagoError: C(work_left), naming the processes.
    """
    began = time.monotonic()
    while True:
        left = working(path)
        waited = time.monotonic() - began
        if not left:
            return 0 if waited < PAUSE else max(1, round(waited))
        if waited > seconds:
            break
        time.sleep(PAUSE)
    listed = ", ".join(f"{name} ({pid})" for pid, name in sorted(left.items()))
    raise LagoError(
        f"What a run that has ended started on the server still works after {seconds} seconds: {listed}. "
        "Wait until it ends, or end these processes when you are sure that they hang; then run again.",
        "work_left",
        details={"processes": [{"pid": pid, "name": name} for pid, name in sorted(left.items())]},
    )


def working(path: str) -> dict[int, str]:
    """Return the processes that work under the lease of this path, by id with their names."""
    wanted = f"{VARIABLE}={path}".encode()
    own = _own_family()
    found: dict[int, str] = {}
    for pid in (int(name) for name in os.listdir(PROC) if name.isdigit()):
        if pid not in own and wanted in _read(pid, "environ").split(b"\0"):
            found[pid] = _read(pid, "comm").decode("utf-8", "replace").strip()
    return found


def _own_family() -> set[int]:
    """Return this process and those that it descends from."""
    family: set[int] = set()
    pid = os.getpid()
    while pid > 0 and pid not in family:
        family.add(pid)
        # After the name of the program, which may hold anything, come the state and the parent
        fields = _read(pid, "stat").rpartition(b")")[2].split()
        pid = int(fields[1]) if len(fields) > 1 else 0
    return family


def _read(pid: int, name: str) -> bytes:
    """Return what the kernel says of a process, nothing of one that has ended or is somebody else's."""
    try:
        with open(os.path.join(PROC, str(pid), name), "rb") as file:
            return file.read()
    except OSError:
        return b""


def tidy(directory: str) -> list[str]:
    """Remove what was being written when a run was killed; return the paths."""
    names: t.Iterable[tuple[str, list[str]]] = ((place, files) for place, dummy, files in os.walk(directory))
    found = [
        os.path.join(place, name)
        for place, files in names
        for name in files
        if name.startswith(".") and name.endswith(_files.UNFINISHED)
    ]
    for path in found:
        os.unlink(path)
    return found
