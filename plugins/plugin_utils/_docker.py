# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a server gets its Docker: what to install from where, or why nothing is touched. PRIVATE to the collection.

Everything here is pure: a reading of the server (module ``server_info``) and the role's variables go in, a plan comes
out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.selfhosted.lago.plugins.plugin_utils._problems import (
    MINIMUM_COMPOSE,
    MINIMUM_ENGINE,
    Problem,
    _version,
    problem,
)

_NEEDED = f"Docker Engine {MINIMUM_ENGINE[0]} and Compose {MINIMUM_COMPOSE[0]}.{MINIMUM_COMPOSE[1]} or newer"

#: Docker's own packages, the same names in each of its repositories.
_UPSTREAM = ("docker-ce", "docker-ce-cli", "containerd.io", "docker-compose-plugin")
#: Where Docker's own repository has packages for a system: by its id, the name of the folder.
_FOLDERS = {
    "debian": "debian",
    "ubuntu": "ubuntu",
    "rhel": "rhel",
    "centos": "centos",
    "rocky": "centos",
    "almalinux": "centos",
    "ol": "centos",
    "fedora": "fedora",
}
#: Where the system's own packages are new enough: by its id, the first such release and the packages.
_DISTRIBUTIONS = {
    "debian": ((13,), ("docker.io", "docker-cli", "docker-compose")),
    "ubuntu": ((22, 4), ("docker.io", "docker-compose-v2")),
}
#: Wanted by either on Debian and Ubuntu: where the kernel has AppArmor, no container starts without its parser.
_DEBIAN_ALSO = ("apparmor",)


#: Why a server is refused: what is wrong and what to do. Said of lago_docker_source, which has most of the ways out.
_REFUSALS = {
    "podman": "The docker command on the server is Podman's, which Lago is not run with: remove package "
    "podman-docker, then run again.",
    "no_docker": "There is no Docker on the server and lago_docker_source is 'none': install {needed}, or set "
    "lago_docker_source to 'repository'.",
    "old_distribution": "The packages of {system} have no Docker that is new enough: {needed} are needed. Set "
    "lago_docker_source to 'repository' for Docker's own packages.",
    "unknown_system": "Docker has no packages for {system}: install {needed} yourself and set "
    "lago_docker_source to 'none'.",
    "old_docker": "Docker Engine {version} ({package}) is too old: {needed} are needed. It was there before and other "
    "containers may depend on it, so it is not replaced: upgrade it, or remove its packages and run again.",
    "old_compose": "The Compose plugin {version} is too old: {needed} are needed. Upgrade the package it came with.",
    "docker_down": "Docker is installed but no Engine answers ({error}): start it (systemctl start docker) and run "
    "again.",
    "incomplete": "The Docker on the server ({package}) has no {what}: install {way} and run again. {needed} are "
    "needed.",
}


def _refused(code: str, **facts: object) -> Problem:
    return problem("lago_docker_source", code, _REFUSALS[code].format(needed=_NEEDED, **facts))


def docker_plan(server: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return what has to happen so that a server has a Docker that is good enough.

    :param server: What module ``server_info`` returned.
    :param settings: The role's public variables by name.
    :returns: ``problems`` (nothing may be touched when there are any), ``packages`` to install (none as a rule),
        ``source`` they come from (``installed`` when they complete what is there), ``repository`` to add or ``None``,
        ``start`` whether the service has to be started, ``managed`` whether its daemon.json is ours to write,
        ``minimum`` the oldest Engine that is good enough.
    """
    installed = server["docker_installed"]
    managed = bool(installed["managed"] or settings["lago_docker_manage_daemon"] or not _there(installed))
    plan: dict[str, Any] = {
        "problems": [],
        "packages": [],
        "source": settings["lago_docker_source"],
        "repository": None,
        "start": False,
        "managed": managed,
        "minimum": str(MINIMUM_ENGINE[0]),
    }
    if not server["root"]:
        plan["problems"].append(
            problem("become", "not_root", "Docker is root's to read and to install: run the play with become: true.")
        )
        return plan
    if installed["package"] == "podman-docker":
        plan["problems"].append(_refused("podman"))
    elif not _there(installed) or (installed["managed"] and _incomplete(server)):
        _install(plan, server, settings)
    else:
        _keep(plan, server, settings)
    if managed:
        plan["problems"] += _daemon_problems(server, settings)
    return plan


def _there(installed: Mapping[str, Any]) -> bool:
    return bool(installed["cli"] or installed["daemon"])


def _incomplete(server: Mapping[str, Any]) -> bool:
    """An installation of ours that was broken off."""
    installed = server["docker_installed"]
    return bool(
        installed["interrupted"] or not installed["cli"] or not installed["daemon"] or server["compose"] is None
    )


def _name(system: Mapping[str, Any]) -> str:
    return str(system["pretty"] or f"{system['id']} {system['version_id']}".strip())


def _install(plan: dict[str, Any], server: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
    system, source = server["os"], settings["lago_docker_source"]
    also = list(_DEBIAN_ALSO) if system["family"] == "debian" else []
    if source == "none":
        plan["problems"].append(_refused("no_docker"))
    elif source == "distribution":
        first, packages = _DISTRIBUTIONS.get(system["id"], ((), ()))
        # Debian's testing has no number, and is newer than any that has one.
        if not packages or (system["version_id"] and _version(system["version_id"]) < first):
            plan["problems"].append(_refused("old_distribution", system=_name(system)))
        plan["packages"] = [*packages, *also]
    else:
        plan["repository"] = _repository(system, settings)
        plan["packages"] = [*_UPSTREAM, *also]
        if plan["repository"] is None:
            plan["problems"].append(_refused("unknown_system", system=_name(system)))
    plan["start"] = True


def _repository(system: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, str] | None:
    """Return where Docker's packages for a system are."""
    folder = _FOLDERS.get(system["id"])
    debian = system["family"] == "debian"
    suite = str(system["codename"] if debian else system["version_id"].split(".")[0])
    if folder is None or not suite:
        return None
    url = f"{str(settings['lago_docker_repository_url']).rstrip('/')}/{folder}"
    key = str(settings["lago_docker_repository_key_url"] or f"{url}/gpg")
    return {"url": url if debian else f"{url}/{suite}/$basearch/stable", "key_url": key, "suite": suite}


def _keep(plan: dict[str, Any], server: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
    """A Docker that is there is never replaced; only what it has not got at all is added."""
    installed, docker, compose = server["docker_installed"], server["docker"], server["compose"]
    if docker is not None and _version(docker["version"]) < MINIMUM_ENGINE:
        plan["problems"].append(_refused("old_docker", version=docker["version"], package=_package(installed)))
    if compose is not None and _version(compose["version"]) < MINIMUM_COMPOSE:
        plan["problems"].append(_refused("old_compose", version=compose["version"]))
    if docker is None and installed["cli"] and not plan["managed"]:
        plan["problems"].append(_refused("docker_down", error=installed["error"]))
    plan["start"] = docker is None
    if plan["problems"]:
        return
    missing = _missing(server)
    if (compose is None or not installed["cli"]) and (not missing or settings["lago_docker_source"] == "none"):
        what = "Compose plugin" if installed["cli"] else "docker command"
        way = f"package {missing[-1]}" if missing else "it"
        plan["problems"].append(_refused("incomplete", package=_package(installed), what=what, way=way))
    plan["packages"], plan["source"] = missing, "installed" if missing else plan["source"]


def _package(installed: Mapping[str, Any]) -> str:
    return "not from a package" if installed["package"] == "other" else f"package {installed['package']}"


def _missing(server: Mapping[str, Any]) -> list[str]:
    """Return the packages that add to a Docker what it has not got: of the kind it came with, never another Engine."""
    installed, system = server["docker_installed"], server["os"]
    first, packages = _DISTRIBUTIONS.get(system["id"], ((), ()))
    if system["version_id"] and _version(system["version_id"]) < first:
        packages = ()
    kinds = {"docker-ce": _UPSTREAM, "docker.io": packages}
    names = [name for name in kinds.get(installed["package"], ()) if name not in installed["packages"]]
    wanted = []
    if not installed["cli"]:
        wanted += [name for name in names if name.endswith("-cli")]
    if server["compose"] is None:
        wanted += [name for name in names if "compose" in name]
    return wanted


def _daemon_problems(server: Mapping[str, Any], settings: Mapping[str, Any]) -> list[Problem]:
    found = []
    if not server["daemon_json"]["valid"]:
        found.append(
            problem(
                "daemon.json",
                "bad_daemon_json",
                "/etc/docker/daemon.json on the server is not JSON, so nothing can be merged into it: mend or remove "
                "it.",
            )
        )
    for url in settings["lago_docker_registry_mirrors"]:
        if not str(url).startswith(("http://", "https://")):
            found.append(
                problem(
                    "lago_docker_registry_mirrors",
                    "bad_mirror",
                    f"lago_docker_registry_mirrors: '{url}' must be a URL such as https://mirror.example.com.",
                )
            )
    if settings["lago_docker_live_restore"] and (server["docker"] or {}).get("swarm"):
        found.append(
            problem(
                "lago_docker_live_restore",
                "swarm",
                "The server is part of a Swarm, whose Engine does not start with live-restore: set "
                "lago_docker_live_restore to false.",
            )
        )
    return found


def docker_daemon_config(content: Mapping[str, Any] | None, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a daemon.json holds after the role's settings were merged into it; what it does not know stays.

    :param content: What the file holds now.
    :param settings: The role's public variables by name.
    """
    before = dict(content or {})
    driver = settings["lago_docker_log_driver"]
    # Options of one log driver are refused by another: those of the former one do not stay.
    kept = before.get("log-opts") or {} if before.get("log-driver", "json-file") == driver else {}
    ours: dict[str, Any] = {
        "live-restore": bool(settings["lago_docker_live_restore"]),
        "log-driver": str(driver),
        "log-opts": {
            **kept,
            "max-size": str(settings["lago_docker_log_max_size"]),
            "max-file": str(settings["lago_docker_log_max_files"]),
        },
    }
    if settings["lago_docker_registry_mirrors"]:
        ours["registry-mirrors"] = [str(url) for url in settings["lago_docker_registry_mirrors"]]
    return _merged({**before, **ours}, settings["lago_docker_daemon_options"])


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return both, dicts within dicts merged, lists and all else replaced."""
    result = dict(base)
    for key, value in over.items():
        if isinstance(value, Mapping) and isinstance(result.get(key), Mapping):
            result[key] = _merged(result[key], value)
        else:
            result[key] = value
    return result
