# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change at any time.

"""Who listens on a server, from the kernel's own tables: C(ss) need not be there."""

from __future__ import annotations

import ipaddress
import os
import struct
import typing as t

from ansible_collections.selfhosted.lago.plugins.module_utils._server_machine import Machine

_LISTEN = "0A"


def listeners(machine: Machine, ports: list[int], published: set[int]) -> list[dict[str, t.Any]]:
    """Return the listening TCP sockets.

    :param ports: look at these alone; all when empty.
    :param published: the ports that the project's running containers publish: what listens there is ours.
    """
    sockets = [
        socket
        for table in ("/proc/net/tcp", "/proc/net/tcp6")
        for socket in _table(machine.text(table) or "")
        if not ports or socket[1] in ports
    ]
    owners = _owners(machine, {inode for _address, _port, inode in sockets})
    found = [
        {"port": port, "address": address, "process": owners.get(inode), "ours": port in published}
        for address, port, inode in sockets
    ]
    return sorted(found, key=lambda entry: (entry["port"], entry["address"]))


def _table(text: str) -> t.Iterator[tuple[str, int, str]]:
    """Yield address, port and inode of each listening socket in one of the kernel's tables."""
    for line in text.splitlines()[1:]:
        fields = line.split()
        if len(fields) > 9 and fields[3] == _LISTEN:
            address, _colon, port = fields[1].partition(":")
            yield _address(address), int(port, 16), fields[9]


def _address(text: str) -> str:
    """Return an address that the kernel wrote as 32-bit words in the machine's own byte order."""
    words = [int(text[at : at + 8], 16) for at in range(0, len(text), 8)]
    return str(ipaddress.ip_address(struct.pack(f"={len(words)}I", *words)))


def _owners(machine: Machine, inodes: set[str]) -> dict[str, str]:
    """Return the names of the processes that hold sockets; those of others are seen by root alone."""
    owners: dict[str, str] = {}
    if not inodes:
        return owners
    for pid in _entries(machine, "/proc"):
        if not pid.isdigit():
            continue
        for handle in _entries(machine, f"/proc/{pid}/fd"):
            try:
                target = os.readlink(machine.path(f"/proc/{pid}/fd/{handle}"))
            except OSError:
                continue
            inode = target[8:-1] if target.startswith("socket:[") else ""
            # systemd holds the sockets it opened for others: another holder is the better answer.
            if inode in inodes and (pid != "1" or inode not in owners):
                owners[inode] = (machine.text(f"/proc/{pid}/comm") or "").strip() or "unknown"
    return owners


def _entries(machine: Machine, path: str) -> list[str]:
    try:
        return os.listdir(machine.path(path))
    except OSError:
        return []
