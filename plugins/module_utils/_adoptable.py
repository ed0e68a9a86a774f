# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change at any time.

"""A Lago that somebody else deployed with Compose: its containers and what they were told, its data. Only read."""

from __future__ import annotations

import re
import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.selfhosted.lago.plugins.module_utils import _server_project, _server_services
from ansible_collections.selfhosted.lago.plugins.module_utils._server_machine import Machine, parsed

#: A file that wins over the variable of environment, where it is there.
RSA_FILE = "/app/config/keys/private.pem"
_LABEL = "com.docker.compose."
_WORKER = re.compile(r"start\.(?:(\w+)\.)?worker\.sh")
#: What a command line tells, where the name of the service does not.
_SCRIPTS = (
    ("start.api.sh", "api"),
    ("start.clock.sh", "clock"),
    ("migrate.sh", "migrate"),
    ("generate.rsa", "migrate"),
)
_PORT = re.compile(r"--port (\d+)")
_PLAIN = ("db", "redis", "front", "pdf", "api", "migrate")


def read(module: AnsibleModule) -> dict[str, t.Any]:
    """Return the result of the module C(adopt_info)."""
    machine, project = Machine(module), module.params["project"]
    containers = _containers(machine, project)
    running = {one["kind"]: one for one in reversed(containers) if one["state"] == "running"}
    api, database, redis = (running.get(kind) for kind in ("api", "db", "redis"))
    key = machine.run("docker", "exec", api["name"], "cat", RSA_FILE) if api else None
    found = {
        "project": project,
        "containers": containers,
        "rsa_file": key.output if key and key.code == 0 else None,
        "database": _server_services.database(machine, database["name"]) if database else None,
        "redis": _redis(machine, redis) if redis else None,
    }
    return {"changed": False, "adoptable": found}


def _containers(machine: Machine, project: str) -> list[dict[str, t.Any]]:
    """Return the containers, those that were run once left out."""
    found = _server_project.inspected(machine, project)
    images = sorted({entry["Image"] for entry in found})
    known = parsed(machine.run("docker", "image", "inspect", *images).output) or [] if images else []
    own = {image["Id"]: _environment(image.get("Config") or {}) for image in known}
    made = [_container(entry, own.get(entry["Image"], {})) for entry in found]
    return sorted((one for one in made if not one["oneoff"]), key=lambda one: one["name"])


def _container(entry: dict[str, t.Any], own: dict[str, str]) -> dict[str, t.Any]:
    """Return what is of use of C(docker inspect).

    :param own: the environment of the image itself, which nobody declared.
    """
    config = entry.get("Config") or {}
    labels = config.get("Labels") or {}
    command = " ".join([*(config.get("Entrypoint") or []), *(config.get("Cmd") or [])])
    kind, worker = _kind(labels.get(f"{_LABEL}service", ""), command)
    environment = {name: value for name, value in _environment(config).items() if own.get(name) != value}
    ports = _server_project.published((entry.get("HostConfig") or {}).get("PortBindings") or {})
    return {
        "name": str(entry.get("Name", "")).lstrip("/"),
        "service": labels.get(f"{_LABEL}service", ""),
        "kind": kind,
        "worker": worker,
        "command": command,
        "folder": labels.get(f"{_LABEL}project.working_dir"),
        "oneoff": labels.get(f"{_LABEL}oneoff") == "True",
        "image": config.get("Image"),
        "state": (entry.get("State") or {}).get("Status"),
        "environment": environment,
        "mounts": {
            mount["Destination"]: {"type": mount.get("Type"), "name": mount.get("Name")}
            for mount in entry.get("Mounts") or []
        },
        "ports": ports,
    }


def _environment(config: dict[str, t.Any]) -> dict[str, str]:
    pairs = (line.partition("=") for line in config.get("Env") or [])
    return {name: value for name, _sign, value in pairs}


def _kind(service: str, command: str) -> tuple[str, str | None]:
    """Return what a container is for Lago, V(other) for what is none of it, and which worker."""
    worker = _WORKER.search(command)
    if worker:
        return "worker", worker[1] or "default"
    kind = next((kind for script, kind in _SCRIPTS if script in command), None)
    return kind or (service if service in _PLAIN else "other"), None


def _redis(machine: Machine, container: dict[str, t.Any]) -> dict[str, t.Any] | None:
    """Return what the queue's Redis says of itself, None when it wants a password or does not answer."""
    port = _PORT.search(container["command"])
    asked = port[1] if port else "6379"
    answer = machine.run("docker", "exec", container["name"], "redis-cli", "-p", asked, "info")
    told = dict(line.split(":", 1) for line in answer.output.split() if ":" in line)
    if "redis_version" not in told:
        return None
    return {"version": told["redis_version"], "port": int(asked), "used_memory": int(told.get("used_memory") or 0)}
