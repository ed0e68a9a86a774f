# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change at any time.

"""What a server is: its system, its memory, its disks, its addresses, its clock."""

from __future__ import annotations

import ipaddress
import os
import platform
import re
import shlex
import time
import typing as t

from ansible_collections.selfhosted.lago.plugins.module_utils._server_machine import Machine

_FAMILIES = {"debian": ("debian", "ubuntu"), "redhat": ("rhel", "centos", "fedora")}
#: In the kernel's routes, an address that is the server's own.
_LOCAL = re.compile(r"\|-- (\S+)\n\s+/32 host LOCAL")
#: Where Docker keeps images and volumes unless it is told otherwise.
STORAGE_ROOT = "/var/lib/docker"


def describe(machine: Machine) -> dict[str, t.Any]:
    """Return what is true of the server whatever runs on it."""
    return {
        "os": operating_system(machine.text("/etc/os-release") or machine.text("/usr/lib/os-release") or ""),
        "architecture": platform.machine(),
        "hostname": platform.node(),
        "python": platform.python_version(),
        "root": os.geteuid() == 0,
        "memory_mb": memory_mb(machine.text("/proc/meminfo") or ""),
        "cgroup": 2 if machine.exists("/sys/fs/cgroup/cgroup.controllers") else 1,
        "ipv6": bool((machine.text("/proc/net/if_inet6") or "").strip()),
        "ipv6_disabled": (machine.text("/sys/module/ipv6/parameters/disable") or "").strip() == "1",
        "addresses": addresses(machine),
        "time_utc": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


def operating_system(release: str) -> dict[str, t.Any]:
    """Return what C(/etc/os-release) says, and the family whose packages the system takes.

    :param release: the text of that file: shell assignments, possibly quoted.
    """
    values: dict[str, str] = {}
    for line in release.splitlines():
        name, equals, value = line.strip().partition("=")
        if equals and not name.startswith("#"):
            try:
                values[name] = " ".join(shlex.split(value))
            except ValueError:
                values[name] = value
    like = values.get("ID_LIKE", "").split()
    names = {values.get("ID", ""), *like}
    family = next((family for family, known in _FAMILIES.items() if names.intersection(known)), "other")
    return {
        "id": values.get("ID", "linux"),
        "version_id": values.get("VERSION_ID", ""),
        "codename": values.get("VERSION_CODENAME", ""),
        "like": like,
        "pretty": values.get("PRETTY_NAME", ""),
        "family": family,
    }


def memory_mb(meminfo: str) -> int | None:
    """Return the memory in MiB that C(/proc/meminfo) tells of."""
    found = re.search(r"^MemTotal:\s+(\d+) kB", meminfo, re.MULTILINE)
    return int(found[1]) // 1024 if found else None


def addresses(machine: Machine) -> list[str]:
    """Return the server's own addresses, IPv4 first, from the kernel's tables: C(ip) need not be there.

    None at all where they do not tell what can be listened on: a server may be allowed to listen on addresses that it
    is given later, as one of several that share an address is.
    """
    if (machine.text("/proc/sys/net/ipv4/ip_nonlocal_bind") or "0").strip() != "0":
        return []
    routes, inet6 = (machine.text(f"/proc/net/{name}") or "" for name in ("fib_trie", "if_inet6"))
    four = {ipaddress.IPv4Address(address) for address in _LOCAL.findall(routes)}
    six = {ipaddress.IPv6Address(int(line.split()[0], 16)) for line in inet6.splitlines() if line.strip()}
    return [*map(str, sorted(four)), *map(str, sorted(six))]


def disk_free_mb(machine: Machine, paths: t.Iterable[str]) -> dict[str, int]:
    """Return how many MiB an unprivileged process may still write under each path.

    :param paths: absolute paths; for one that does not exist yet its nearest parent is looked at.
    """
    free: dict[str, int] = {}
    for path in paths:
        place = machine.path(path)
        while not place.exists() and place != place.parent:
            place = place.parent
        try:
            numbers = os.statvfs(place)
        except OSError:
            continue
        free[path] = numbers.f_bavail * numbers.f_frsize // 1024 // 1024
    return free


def git(machine: Machine) -> dict[str, str | None]:
    """Return the version of Git, C(None) when it is not there."""
    found = re.search(r"\d+(\.\d+)+", machine.run("git", "--version").output)
    return {"version": found[0] if found else None}


def backup_timer(machine: Machine, project: str) -> dict[str, bool]:
    """Return whether the timer of a deployment's backups is there, and whether it runs now and after a restart."""
    asked = "--property=LoadState,ActiveState,UnitFileState,NeedDaemonReload"
    units = (f"{project}-backup.timer", f"{project}-backup.service")
    said = machine.run("systemctl", "show", asked, *units).output.split()
    return {
        "there": "LoadState=loaded" in said,
        "runs": "UnitFileState=enabled" in said and "ActiveState=active" in said and "NeedDaemonReload=yes" not in said,
    }
