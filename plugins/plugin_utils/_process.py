# SPDX-License-Identifier: GPL-3.0-or-later
# PRIVATE to this collection: may change or go without notice.
"""Which process of which machine this run of Ansible is, and whether another one has ended."""

from __future__ import annotations

import getpass
import hashlib
import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PROC = Path("/proc")
MACHINE_ID = Path("/etc/machine-id")
# The process namespace of a machine that is in no container; its number is fixed in the kernel
_FIRST_NAMESPACE = "pid:[4026531836]"


def holder(pid: int) -> dict[str, Any]:
    """Return what identifies a process of this machine, as plain data."""
    return {
        "owner": f"{_user()}@{socket.gethostname()}",
        "machine": machine(),
        "boot_id": _read(PROC / "sys/kernel/random/boot_id"),
        "pid_namespace": pid_namespace(),
        "pid": pid,
        "process_start": process_start(pid),
    }


def has_ended(other: Mapping[str, Any]) -> bool:
    """Return whether the process has ended for sure: one of another machine or another container may always live on."""
    if other.get("machine") != machine():
        return False
    boot, namespace = _read(PROC / "sys/kernel/random/boot_id"), pid_namespace()
    if boot is None or namespace is None or other.get("pid_namespace") != namespace:
        return False
    if other.get("boot_id") != boot:
        # Restarted since then. Containers and copies of one image can share all names, so only where there are none
        return namespace == _FIRST_NAMESPACE and other.get("boot_id") is not None
    start = other.get("process_start")
    return isinstance(other.get("pid"), int) and start is not None and process_start(other["pid"]) != start


def machine() -> str:
    """Return what tells this machine from others, without telling its id."""
    name = f"{_read(MACHINE_ID) or ''}\0{socket.gethostname()}"
    return hashlib.sha256(name.encode("utf-8")).hexdigest()


def pid_namespace() -> str | None:
    """Return the namespace in which process ids count, None where there is no such thing."""
    try:
        return os.readlink(PROC / "self/ns/pid")
    except OSError:
        return None


def process_start(pid: int) -> int | None:
    """Return when a process began, in the kernel's ticks, so that a reused id is noticed; None for none alive."""
    text = _read(PROC / str(pid) / "stat")
    if text is None:
        return None
    # The name of the program, in parentheses, may hold anything
    fields = text.rpartition(")")[2].split()
    return None if fields[0] in ("Z", "X") else int(fields[19])


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8").strip() or None
    except OSError:
        return None
