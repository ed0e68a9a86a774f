# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change at any time.

"""What a Compose project has on a server: containers, images, volumes."""

from __future__ import annotations

import typing as t

from ansible_collections.selfhosted.lago.plugins.module_utils._server_machine import (
    Machine,
    not_listed,
    objects,
    parsed,
)

_PROJECT = "com.docker.compose.project"
_SERVICE = "com.docker.compose.service"
_ONEOFF = "com.docker.compose.oneoff"
_NUMBER = "com.docker.compose.container-number"
_LABELS = tuple(
    f"com.docker.compose.{name}"
    for name in ("project", "project.working_dir", "service", "oneoff", "container-number", "config-hash", "image")
)
_OURS = "selfhosted.lago."
#: What a deployment calls its volumes.
_VOLUMES = ("db-data", "redis-data", "storage", "proxy-data", "proxy-config")


def containers(machine: Machine, project: str) -> list[dict[str, t.Any]]:
    """Return the containers of a project, running or not, without their environment: it holds secrets."""
    return sorted((_container(entry) for entry in inspected(machine, project)), key=_rank)


def inspected(machine: Machine, project: str) -> list[dict[str, t.Any]]:
    """Return what C(docker inspect) says of the containers of a project, their environment included."""
    label = f"label={_PROJECT}={project}"
    ids = machine.list("docker", "ps", "-a", "-q", "--no-trunc", "--filter", label).split()
    if not ids:
        return []
    # One that went away meanwhile makes the command fail, the others are answered all the same.
    answer = machine.run("docker", "container", "inspect", *ids)
    found = parsed(answer.output)
    if not isinstance(found, list):
        raise not_listed("docker", ("container", "inspect"), answer)
    return found


def _container(entry: dict[str, t.Any]) -> dict[str, t.Any]:
    state, config = entry.get("State") or {}, entry.get("Config") or {}
    labels = config.get("Labels") or {}
    return {
        "service": labels.get(_SERVICE, ""),
        "name": str(entry.get("Name", "")).lstrip("/"),
        "id": entry.get("Id"),
        "image": config.get("Image"),
        "image_id": entry.get("Image"),
        "state": state.get("Status"),
        "health": (state.get("Health") or {}).get("Status"),
        "exit_code": state.get("ExitCode"),
        "started": state.get("StartedAt"),
        "restarts": entry.get("RestartCount", 0),
        "oneoff": labels.get(_ONEOFF) == "True",
        "own_name": _own_name(labels) == str(entry.get("Name", "")).lstrip("/"),
        "labels": {name: value for name, value in labels.items() if name in _LABELS or name.startswith(_OURS)},
        "ports": published((entry.get("HostConfig") or {}).get("PortBindings") or {}),
    }


def _own_name(labels: dict[str, str]) -> str:
    """Return what Compose calls such a container: one whose making anew was broken off has a longer name."""
    return "-".join(labels.get(name, "") for name in (_PROJECT, _SERVICE, _NUMBER))


def published(bindings: dict[str, t.Any]) -> list[dict[str, t.Any]]:
    """Return the asked ports of the server: those of a stopped container too."""
    return [
        {"address": binding.get("HostIp", ""), "port": int(binding["HostPort"]), "target": target}
        for target, asked in sorted(bindings.items())
        for binding in asked or []
        if str(binding.get("HostPort", "")).isdigit()
    ]


def _rank(container: dict[str, t.Any]) -> tuple[str, bool, bool, int]:
    """Order a service's containers: the one that stands for the service comes first."""
    number = str(container["labels"].get(_NUMBER, ""))
    return (
        container["service"],
        container["oneoff"],
        container["state"] != "running",
        int(number) if number.isdigit() else 0,
    )


def by_service(found: list[dict[str, t.Any]]) -> dict[str, dict[str, t.Any]]:
    """Return one container per service, the first of each."""
    services: dict[str, dict[str, t.Any]] = {}
    for container in found:
        services.setdefault(container["service"], container)
    return services


def running(found: list[dict[str, t.Any]], service: str) -> str | None:
    """Return the id of a service's container that can be asked."""
    container = by_service(found).get(service)
    return container["id"] if container and container["state"] == "running" and not container["oneoff"] else None


def images(machine: Machine, wanted: list[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return the ids of the images that are there, and the digests that their tags stand for.

    :param wanted: references; the keys of the answers are these. Without any, all that have a name are returned.
    """
    row = '{"name":{{json .Repository}},"tag":{{json .Tag}},"digest":{{json .Digest}},"id":{{json .ID}}}'
    listed = machine.list("docker", "images", "--no-trunc", "--digests", "--format", row)
    there: dict[str, str] = {}
    digests: dict[str, str] = {}
    for image in objects(listed):
        if image["tag"] != "<none>":
            there[f"{image['name']}:{image['tag']}"] = image["id"]
        if image["digest"] != "<none>":
            there[f"{image['name']}@{image['digest']}"] = image["id"]
        if "<none>" not in (image["tag"], image["digest"]):
            digests[f"{image['name']}:{image['tag']}"] = image["digest"]
    if not wanted:
        return there, digests
    short = {ref: short_reference(ref) for ref in wanted}
    ids, known = ({ref: found[name] for ref, name in short.items() if name in found} for found in (there, digests))
    return ids, known


def short_reference(reference: str) -> str:
    """Return a reference as C(docker images) shows it: V(docker.io/library/redis:7@sha256:x) is V(redis@sha256:x)."""
    name, at, digest = reference.partition("@")
    head, slash, last = name.rpartition("/")
    last, colon, tag = last.partition(":")
    name = head + slash + last
    for prefix in ("docker.io/", "index.docker.io/", "library/"):
        name = name.removeprefix(prefix)
    return f"{name}@{digest}" if at else f"{name}:{tag if colon else 'latest'}"


def volumes(machine: Machine, project: str, adopted: t.Collection[str] = ()) -> list[str]:
    """Return the names of a project's volumes; one that was put back by hand has the name and not the label.

    :param adopted: the names of further ones that it uses.
    """
    row = '{"name":{{json .Name}},"project":{{json (.Label "' + _PROJECT + '")}}}'
    found = objects(machine.list("docker", "volume", "ls", "--format", row))
    names = {f"{project}_{name}" for name in _VOLUMES} | {*adopted}
    return sorted(volume["name"] for volume in found if volume["project"] == project or volume["name"] in names)


def at_work(machine: Machine, project: str) -> list[str]:
    """Return the names of a project's containers that run."""
    label = f"label={_PROJECT}={project}"
    return sorted(machine.list("docker", "ps", "--filter", label, "--format", "{{.Names}}").split())


def networks(machine: Machine, project: str) -> list[str]:
    """Return the names of a project's networks."""
    label = f"label={_PROJECT}={project}"
    row = "{{.Name}}"
    return sorted(machine.list("docker", "network", "ls", "--filter", label, "--format", row).split())
