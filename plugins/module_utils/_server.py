# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change at any time.

"""A server in one reading: what it is, what Docker is on it, what a deployment has there. Nothing is ever written."""

from __future__ import annotations

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.selfhosted.lago.plugins.module_utils import (
    _server_docker,
    _server_host,
    _server_listeners,
    _server_project,
    _server_services,
)
from ansible_collections.selfhosted.lago.plugins.module_utils._server_machine import Machine

#: What can be asked for beyond what the server itself is, in the order in which it is read.
SUBJECTS = (
    "docker",
    "containers",
    "images",
    "volumes",
    "networks",
    "listeners",
    "database",
    "proxy",
    "files",
    "git",
    "backup_timer",
)
#: What is asked for by name only: two more commands in containers, which few need to know.
ON_REQUEST = ("release",)
_WITH_CONTAINERS = {"containers", "listeners", "database", "proxy", "release"}


def read(module: AnsibleModule) -> dict[str, t.Any]:
    """Return the result: C(server), with one key for each subject that was asked for."""
    machine, asked = Machine(module), module.params
    gather = set(asked["gather"])
    server = _server_host.describe(machine)
    docker, compose, reason = _server_docker.engine(machine)
    directory = asked["directory"] or "/opt/" + asked["project"]
    storage = (docker or {}).get("storage_root") or _server_host.STORAGE_ROOT
    server["disk_free_mb"] = _server_host.disk_free_mb(machine, (storage, directory))
    if "docker" in gather:
        server.update(_docker(machine, docker, compose, reason))
    adopted = machine.json(f"{directory}/adopted.json") or {}
    server.update(_project(machine, gather, asked, adopted, reachable=docker is not None))
    if "files" in gather:
        server["files"] = _server_services.files(machine, directory)
    if "git" in gather:
        server["git"] = _server_host.git(machine)
    if "backup_timer" in gather:
        server["backup_timer"] = _server_host.backup_timer(machine, asked["project"])
    return {"changed": False, "server": server}


def _docker(
    machine: Machine, docker: dict[str, t.Any] | None, compose: dict[str, t.Any] | None, reason: str | None
) -> dict[str, t.Any]:
    installed = _server_docker.installation(machine)
    installed.update(error=reason, pending=_server_docker.pending(machine))
    if docker is not None:
        docker.update(packages=installed["package"], managed=installed["managed"])
    return {
        "docker": docker,
        "compose": compose,
        "docker_installed": installed,
        "daemon_json": _server_docker.daemon_json(machine),
    }


def _project(
    machine: Machine, gather: set[str], asked: dict[str, t.Any], adopted: dict[str, t.Any], reachable: bool
) -> dict[str, t.Any]:
    """Return what needs an Engine that answers; empty where none does.

    :param adopted: what is on record of a deployment that was taken over.
    """
    project, answer = asked["project"], t.cast("dict[str, t.Any]", {})
    found = _server_project.containers(machine, project) if reachable and gather & _WITH_CONTAINERS else []
    if "containers" in gather:
        answer["containers"] = _server_project.by_service(found)
        chosen = {container["id"] for container in answer["containers"].values()}
        answer["other_containers"] = [container for container in found if container["id"] not in chosen]
    if "images" in gather:
        ids, digests = _server_project.images(machine, asked["images"]) if reachable else ({}, {})
        answer.update(images=ids, image_digests=digests)
    if "containers" in gather:
        answer["adopted_at_work"] = (
            _server_project.at_work(machine, adopted["project"]) if adopted and reachable else []
        )
    if "volumes" in gather:
        names = (adopted.get("volumes") or {}).values()
        answer["volumes"] = _server_project.volumes(machine, project, names) if reachable else []
    if "networks" in gather:
        answer["networks"] = _server_project.networks(machine, project) if reachable else []
    if "listeners" in gather:
        running = [container for container in found if container["state"] == "running"]
        published = {port["port"] for container in running for port in container["ports"]}
        answer["listeners"] = _server_listeners.listeners(machine, asked["ports"], published)
    if "database" in gather:
        answer["database"] = _database(machine, found)
    if "proxy" in gather:
        proxy = _server_project.running(found, "proxy")
        answer["proxy"] = _server_services.proxy(machine, proxy) if proxy else None
    if "release" in gather:
        _service, database = _asked(found)
        answer["release"] = _server_services.release(machine, _server_project.running(found, "api"), database)
    return answer


def _database(machine: Machine, found: list[dict[str, t.Any]]) -> dict[str, t.Any] | None:
    """Return what the database says."""
    service, container = _asked(found)
    return {"service": service, **_server_services.database(machine, container)} if container else None


def _asked(found: list[dict[str, t.Any]]) -> tuple[str, str | None]:
    """Return who reaches the database, and its container: the helper of a run, the server itself, the API."""
    services = _server_project.by_service(found)
    asked = "database" if _server_project.running(found, "database") else "db" if "db" in services else "api"
    return asked, _server_project.running(found, asked)
