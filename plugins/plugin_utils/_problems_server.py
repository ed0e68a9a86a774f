# Copyright: (c) 2026, The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about the server: what it is and what is on it. PRIVATE to the collection."""

from __future__ import annotations

import ipaddress
import posixpath
from datetime import UTC, datetime
from typing import Any

from ansible_collections.selfhosted.lago.plugins.plugin_utils._problems_address import ports
from ansible_collections.selfhosted.lago.plugins.plugin_utils._problems_database import bundled
from ansible_collections.selfhosted.lago.plugins.plugin_utils._problems_rules import Case, Found, rule
from ansible_collections.selfhosted.lago.plugins.plugin_utils._problems_values import (
    is_address,
    numbers,
    shown,
)

MINIMUM_ENGINE = (25, 0)
MINIMUM_COMPOSE = (2, 20)
MINIMUM_MEMORY_MB = 3500
MINIMUM_DISK_MB = 8000
#: Seconds by which the clocks of server and controller may differ: tokens and certificates are dated.
_SKEW = 600
_ARCHITECTURES = ("x86_64", "amd64", "aarch64", "arm64")
_WORKING_DIRECTORY = "com.docker.compose.project.working_dir"


@rule("server")
def not_root(case: Case) -> Found:
    if not case.server.get("root", True):
        yield "become", "The deployment is root's: run the play with become: true."


@rule("server")
def restore_broken_off(case: Case) -> Found:
    restoring = (case.server.get("files") or {}).get("restoring") or {}
    if restoring.get("whole") and not case.restoring:
        yield (
            "lago_restore_backup",
            "A restore was broken off, and half of it is in place: run playbook selfhosted.lago.restore again with "
            f"lago_restore_backup: {restoring.get('backup')}.",
        )


@rule("server")
def files_on_several_servers(case: Case) -> Found:
    others = case.server.get("same_database") or []
    if others and case.text("lago_storage") == "local":
        yield (
            "lago_storage",
            f"lago_storage is local, and {', '.join(others)} works on the same database: what a worker of one server "
            "stores the API of the other does not find. Set lago_storage to s3 or gcs.",
        )


@rule("server")
def no_docker(case: Case) -> Found:
    if case.docker_expected and case.server.get("docker") is None:
        yield (
            "lago_docker_source",
            "Docker does not answer on the server: run role selfhosted.lago.docker first, for which "
            "lago_docker_source says "
            "where it comes from, or start its daemon.",
        )


def _engine(case: Case) -> dict[str, Any]:
    return case.server.get("docker") or {}


@rule("server")
def old_docker(case: Case) -> Found:
    version = _engine(case).get("version")
    if version and numbers(version) < MINIMUM_ENGINE:
        yield (
            "inventory",
            f"Docker Engine {version} is too old: upgrade it to {MINIMUM_ENGINE[0]} or newer, which checks the health "
            "of what is starting.",
        )


@rule("server")
def rootless_docker(case: Case) -> Found:
    if _engine(case).get("rootless"):
        yield (
            "inventory",
            "The Docker that answers is a rootless one, in which files cannot belong to the processes that read "
            "them: use the system's own (unset DOCKER_HOST, or run role selfhosted.lago.docker).",
        )


@rule("server")
def no_compose(case: Case) -> Found:
    if _engine(case) and case.server.get("compose") is None and case.docker_expected:
        yield (
            "inventory",
            "The Docker on the server has no Compose plugin: install docker-compose-plugin (2.20 or newer).",
        )


@rule("server")
def old_compose(case: Case) -> Found:
    version = (case.server.get("compose") or {}).get("version")
    if _engine(case) and version and numbers(version) < MINIMUM_COMPOSE:
        least = ".".join(map(str, MINIMUM_COMPOSE))
        yield (
            "inventory",
            f"Docker Compose {version} is too old: upgrade it to {least} or newer, which knows start_interval.",
        )


@rule("server")
def strange_architecture(case: Case) -> Found:
    machine = case.server.get("architecture")
    if machine and machine not in _ARCHITECTURES:
        yield (
            "inventory",
            f"The server is {machine}, and Lago's images are made for x86_64 and arm64 only: take another.",
        )


@rule("server")
def little_memory(case: Case) -> Found:
    memory = case.server.get("memory_mb")
    if memory is not None and memory < MINIMUM_MEMORY_MB:
        yield (
            "inventory",
            f"The server has {memory} MB of memory; Lago's processes need {MINIMUM_MEMORY_MB} MB at least: take a "
            "larger one.",
        )


@rule("server")
def little_disk(case: Case) -> Found:
    if not case.server.get("containers"):
        for path, free in (case.server.get("disk_free_mb") or {}).items():
            if free < MINIMUM_DISK_MB:
                yield (
                    "inventory",
                    f"{path} has {free} MB of free disk; a first deployment needs {MINIMUM_DISK_MB} MB for images and "
                    "data: free some, or take a larger disk.",
                )


@rule("server")
def clock_skew(case: Case) -> Found:
    try:
        clock = datetime.strptime(case.server.get("time_utc") or "", "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        return
    skew = round((clock - case.now).total_seconds())
    if abs(skew) > _SKEW:
        way = "ahead of" if skew > 0 else "behind"
        yield (
            "inventory",
            f"The server's clock is {abs(skew)} s {way} the controller's: set it right (timedatectl set-ntp true); "
            "sessions, certificates and invoices are dated by it.",
        )


@rule("server")
def port_in_use(case: Case) -> Found:
    names = {port: name for name, port in ports(case).items()}
    taken: dict[str, tuple[int, str]] = {}
    for listener in case.server.get("listeners") or []:
        name = names.get(int(listener["port"]))
        if name and not listener.get("ours"):
            taken[name] = (int(listener["port"]), f" by {listener['process']}" if listener.get("process") else "")
    for name, (port, who) in taken.items():
        yield name, f"Port {port} is in use on the server{who}: free it, or set {name} to another one."


def _addresses(case: Case) -> list[Any]:
    bare = (str(address).strip("[]") for address in case.values.get("lago_bind_addresses", []))
    return [ipaddress.ip_address(address) for address in bare if is_address(address)]


@rule("server")
def address_not_here(case: Case) -> Found:
    here = case.server.get("addresses")
    for address in _addresses(case):
        if here and not address.is_unspecified and not address.is_loopback and str(address) not in here:
            yield (
                "lago_bind_addresses",
                f"lago_bind_addresses: {address} is no address of the server, which has {', '.join(sorted(here))}.",
            )


@rule("server")
def no_ipv6(case: Case) -> Found:
    if case.server.get("ipv6") is False and any(address.version == 6 for address in _addresses(case)):
        yield (
            "lago_bind_addresses",
            "lago_bind_addresses names an IPv6 address, and the server has no IPv6: remove it, or switch IPv6 on.",
        )


@rule("server")
def kernel_without_ipv6(case: Case) -> Found:
    if case.server.get("ipv6_disabled"):
        yield (
            "inventory",
            "The server's kernel was started without IPv6 (ipv6.disable=1), and Lago's API and front listen on it: "
            "neither would start. Take that from the kernel's command line; the setting "
            "net.ipv6.conf.all.disable_ipv6=1 keeps the server off IPv6, too.",
        )


@rule("server")
def project_taken(case: Case) -> Found:
    name, directory, files = case.text("lago_project"), case.text("lago_directory"), case.server.get("files")
    there = [*(case.server.get("containers") or {}).values(), *(case.server.get("other_containers") or [])]
    homes = {str((one.get("labels") or {}).get(_WORKING_DIRECTORY) or "") for one in there} - {""}
    # What a killed run asked others by was started from a folder in it.
    own = {posixpath.normpath(directory), posixpath.join(posixpath.normpath(directory), "asked")}
    stranger = sorted(home for home in homes if posixpath.normpath(home) not in own)
    if there and directory and (stranger or (files is not None and not files.get("compose"))):
        place = f" in {stranger[0]}" if stranger else ", and not that of lago_directory"
        yield (
            "lago_project",
            f"The server has containers of a Compose project {shown(name)} already, of another deployment{place}: set "
            "lago_project to a name of its own, or lago_directory to where that Lago was deployed from.",
        )


def of_this_server(case: Case) -> dict[str, Any]:
    """Return what the bundled database says, empty where another one was asked or is to be used."""
    there = case.server.get("database") or {}
    return dict(there) if bundled(case) and there.get("service") == "db" else {}


@rule("server")
def database_renamed(case: Case) -> Found:
    there = of_this_server(case)
    for variable, what in (("lago_postgres_database", "name"), ("lago_postgres_user", "user")):
        if there.get(what) and case.text(variable) not in ("", there[what]):
            yield (
                variable,
                f"{variable} {shown(case.text(variable))}: the data that is there belongs to {shown(there[what])}. "
                "PostgreSQL makes both once, with its first start: set it back.",
            )
