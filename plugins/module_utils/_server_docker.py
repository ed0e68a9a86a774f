# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change at any time.

"""What Docker is on a server: what answers, which packages it came with, what its daemon is told."""

from __future__ import annotations

import os
import re
import time
import typing as t

from ansible_collections.selfhosted.lago.plugins.module_utils._server_machine import Machine, parsed

DAEMON_JSON = "/etc/docker/daemon.json"
#: Says that role C(docker) brought the Engine, and holds the C(daemon.json) that its daemon loaded last.
MARKER = "/etc/docker/.selfhosted-lago"
#: What a daemon takes over while it runs, on C(SIGHUP); for all else it must be restarted.
RELOADABLE = frozenset(
    (
        "debug",
        "insecure-registries",
        "labels",
        "live-restore",
        "max-concurrent-downloads",
        "max-concurrent-uploads",
        "registry-mirrors",
        "shutdown-timeout",
    )
)
_ENGINES = ("docker-ce", "docker.io", "moby-engine", "podman-docker")
_PACKAGES = (*_ENGINES, "docker-ce-cli", "docker-cli", "docker-compose-plugin", "docker-compose-v2", "docker-compose")
_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+(?=@)")
HIDDEN = "********"


def installation(machine: Machine) -> dict[str, t.Any]:
    """Return what is installed of Docker, whether or not it answers."""
    packages, interrupted = _packages(machine)
    cli, daemon = machine.has("docker"), machine.has("dockerd")
    engine = next((name for name in _ENGINES if name in packages), None)
    return {
        "cli": cli,
        "daemon": daemon,
        "package": engine or ("other" if cli or daemon else None),
        "packages": packages,
        "interrupted": interrupted,
        "managed": machine.exists(MARKER),
    }


def _packages(machine: Machine) -> tuple[dict[str, str], bool]:
    """Return the versions of Docker's packages by name, and whether an installation was broken off."""
    if machine.has("dpkg-query"):
        answer = machine.run("dpkg-query", "-W", "-f", "${Package} ${db:Status-Status} ${Version}\\n", *_PACKAGES)
        rows = [line.split() for line in answer.output.splitlines()]
        found = {row[0]: row[2] for row in rows if len(row) == 3 and row[1] == "installed"}
        broken = any(row[1] not in ("installed", "config-files", "not-installed") for row in rows if len(row) > 1)
        return found, broken or _dpkg_interrupted(machine)
    if machine.has("rpm"):
        answer = machine.run("rpm", "-q", "--qf", "%{NAME} %{VERSION}\\n", *_PACKAGES)
        rows = [line.split() for line in answer.output.splitlines()]
        return {row[0]: row[1] for row in rows if len(row) == 2}, False
    return {}, False


def _dpkg_interrupted(machine: Machine) -> bool:
    """Tell whether dpkg was killed and left its journal: it installs nothing more until it is told to go on."""
    try:
        return any(name.isdigit() for name in os.listdir(machine.path("/var/lib/dpkg/updates")))
    except OSError:
        return False


def engine(machine: Machine) -> tuple[dict[str, t.Any] | None, dict[str, t.Any] | None, str | None]:
    """Return the Engine that answers, the Compose plugin of the client, and why no Engine answers."""
    if not machine.has("docker"):
        return None, None, None
    answer = machine.run("docker", "info", "--format", "{{json .}}")
    info = parsed(answer.output) or {}
    errors = info.get("ServerErrors") or []
    docker = None
    if info.get("ServerVersion"):
        docker = _engine(machine, info)
    reason = None if docker else (str(errors[0]) if errors else answer.complaint or "no Docker Engine answers")
    return docker, _compose(info), reason


def _engine(machine: Machine, info: dict[str, t.Any]) -> dict[str, t.Any]:
    version = parsed(machine.run("docker", "version", "--format", "{{json .Server}}").output) or {}
    return {
        "version": info["ServerVersion"],
        "api_version": version.get("ApiVersion"),
        "client_version": (info.get("ClientInfo") or {}).get("Version"),
        "storage_root": info.get("DockerRootDir"),
        "storage_driver": info.get("Driver"),
        "live_restore": bool(info.get("LiveRestoreEnabled")),
        "log_driver": info.get("LoggingDriver"),
        "registry_mirrors": [_hide(url.rstrip("/")) for url in (info.get("RegistryConfig") or {}).get("Mirrors") or []],
        "rootless": any("name=rootless" in option for option in info.get("SecurityOptions") or []),
        "swarm": (info.get("Swarm") or {}).get("LocalNodeState") == "active",
    }


def _compose(info: dict[str, t.Any]) -> dict[str, t.Any] | None:
    """Return the Compose plugin; the client names its plugins in C(docker info), also when no Engine answers."""
    for plugin in (info.get("ClientInfo") or {}).get("Plugins") or []:
        if plugin.get("Name") == "compose" and plugin.get("Version"):
            return {"version": str(plugin["Version"]).lstrip("v")}
    return None


def daemon_json(machine: Machine) -> dict[str, t.Any]:
    """Return the daemon's configuration, without the credentials that the URL of a proxy may hold."""
    text = machine.text(DAEMON_JSON)
    content = parsed(text)
    shown = _scrubbed(content) if isinstance(content, dict) else None
    return {
        "exists": text is not None,
        "valid": text is None or not text.strip() or isinstance(content, dict),
        "content": shown,
        "redacted": shown != content if isinstance(content, dict) else False,
    }


def _scrubbed(value: t.Any) -> t.Any:
    if isinstance(value, dict):
        return {key: _scrubbed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_scrubbed(item) for item in value]
    return _hide(value) if isinstance(value, str) else value


def _hide(url: str) -> str:
    return _CREDENTIALS.sub(HIDDEN, url)


def pending(machine: Machine) -> str:
    """Return what the running daemon needs to follow C(daemon.json): V(none), V(reload) or V(restart).

    Computed from what is there: a run that was killed between the file and the restart is made good by the next.
    """
    started = _started(machine)
    if started is None:
        return "none"
    try:
        written: float | None = machine.path(DAEMON_JSON).stat().st_mtime
    except OSError:
        written = None
    if written is not None and started >= written:
        return "none"
    loaded, wanted = machine.json(MARKER), machine.json(DAEMON_JSON)
    if loaded is None and written is None:
        return "none"
    loaded, wanted = (value if isinstance(value, dict) else {} for value in (loaded, wanted))
    differing = {key for key in {*loaded, *wanted} if loaded.get(key) != wanted.get(key)}
    if not differing:
        return "none"
    return "reload" if differing <= RELOADABLE else "restart"


def _started(machine: Machine) -> float | None:
    """Return when the daemon started, in seconds since the epoch; C(None) when none runs."""
    pid = (machine.text("/run/docker.pid") or machine.text("/var/run/docker.pid") or "").strip()
    stat = machine.text(f"/proc/{pid}/stat") if pid.isdigit() else None
    uptime = (machine.text("/proc/uptime") or "").split()
    if not stat or not uptime:
        return None
    # The command's name, in parentheses, may hold blanks: what counts comes after it.
    ticks = int(stat.rpartition(")")[2].split()[19])
    return time.time() - float(uptime[0]) + ticks / os.sysconf("SC_CLK_TCK")
