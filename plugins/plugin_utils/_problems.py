# Copyright: (c) 2026, The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with the variables of a deployment, or with the server that is to carry it. PRIVATE to the collection.

Everything here is pure: settings and readings go in, sentences come out. A problem is
``{"variable": name, "code": word, "message": sentence with the way out}``; no message ever repeats a secret.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

Problem = Dict[str, str]

TLS_MODES = ("none", "selfsigned")

#: Release from which a first installation works: earlier ones do not seed the roles that a registration needs.
FIRST_RELEASE = (1, 42, 0)
#: Releases at which an upgrade has to stop, because jobs of that very release must run before the next one migrates.
UPGRADE_STOPS = ((1, 42, 0), (1, 44, 0), (1, 45, 0), (1, 50, 0), (1, 52, 0))

MINIMUM_ENGINE = (25, 0)
MINIMUM_COMPOSE = (2, 20)
MINIMUM_MEMORY_MB = 3500
MINIMUM_DISK_MB = 8000

_RELEASE = re.compile(r"v(\d+)\.(\d+)\.(\d+)\Z")
_LABEL = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)\Z")
_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)*\Z")
_PROJECT = re.compile(r"[a-z0-9][a-z0-9_-]*\Z")
_SIZE = re.compile(r"\d+(b|k|kb|m|mb|g|gb)?\Z", re.IGNORECASE)
_SHOWN = frozenset(" ~!@#$%^&*()_+-={}[]|\\:;\"'<>,.?/`")


def problem(variable: str, code: str, message: str) -> Problem:
    return {"variable": variable, "code": code, "message": message}


def release(version: object) -> Optional[Tuple[int, int, int]]:
    """``v1.51.0`` as ``(1, 51, 0)``; ``None`` for whatever is no release of Lago."""
    match = _RELEASE.match(str(version))
    return (int(match[1]), int(match[2]), int(match[3])) if match else None


def admin_problems(email: object, password: object, organization: object) -> List[Problem]:
    """What the front would not let the administrator type, although the API would take it."""
    found = []
    if not isinstance(email, str) or not email.strip():
        found.append(
            problem("lago_admin_email", "missing", "Set lago_admin_email: the address the administrator signs in with.")
        )
    elif not _EMAIL.match(email):
        found.append(
            problem(
                "lago_admin_email",
                "not_an_email",
                "lago_admin_email is no e-mail address; Lago would accept it and never reach anybody.",
            )
        )
    if not isinstance(password, str) or not password:
        found.append(
            problem(
                "lago_admin_password",
                "missing",
                "Set lago_admin_password (from Vault): the administrator's first password.",
            )
        )
    elif not strong_password(password):
        found.append(
            problem(
                "lago_admin_password",
                "weak_password",
                "lago_admin_password is weaker than Lago's own page demands: use at least 8 characters with a lower-case letter, "
                "an upper-case letter, a digit and a special character.",
            )
        )
    if not isinstance(organization, str) or not organization.strip():
        found.append(
            problem("lago_organization_name", "missing", "Set lago_organization_name: the organization to register.")
        )
    return found


def strong_password(password: str) -> bool:
    """Lago's front: 8 characters or more, lower, upper, digit, special. The API itself asks for nothing."""
    return (
        len(password) >= 8
        and any(c.islower() for c in password)
        and any(c.isupper() for c in password)
        and any(c.isdigit() for c in password)
        and any(c in _SHOWN for c in password)
    )


def setting_problems(settings: Mapping[str, Any]) -> List[Problem]:
    """Every problem that the variables alone show.

    :param settings: The public variables by name, as the role resolved them.
    """
    return [
        *_address_problems(settings),
        *_release_problems(settings),
        *_size_problems(settings),
        *_name_problems(settings),
    ]


def _name_problems(settings: Mapping[str, Any]) -> List[Problem]:
    found = []
    if not _PROJECT.match(str(settings["lago_project"])):
        found.append(
            problem(
                "lago_project",
                "bad_project",
                "lago_project must be lower-case letters, digits, '-' and '_', beginning with a letter or digit, as Compose demands.",
            )
        )
    if not str(settings["lago_directory"]).startswith("/") or str(settings["lago_directory"]).rstrip("/") == "":
        found.append(
            problem(
                "lago_directory", "bad_directory", "lago_directory must be an absolute path to a directory of its own."
            )
        )
    for name in ("lago_api_image", "lago_front_image"):
        image = str(settings[name])
        if ":" in image.rsplit("/", 1)[-1] or "@" in image:
            version = name.replace("_image", "_version")
            found.append(
                problem(name, "image_with_tag", f"{name} must be a repository without a tag: the tag is {version}.")
            )
    return found


def _address_problems(settings: Mapping[str, Any]) -> List[Problem]:
    found = []
    domain, mode = str(settings["lago_domain"] or ""), settings["lago_tls_mode"]
    if mode not in TLS_MODES:
        found.append(
            problem("lago_tls_mode", "unknown_tls_mode", f"lago_tls_mode must be one of: {', '.join(TLS_MODES)}.")
        )
    if not domain and mode != "none":
        found.append(
            problem(
                "lago_domain",
                "missing",
                f"Set lago_domain: lago_tls_mode '{mode}' needs the name that the certificate is for.",
            )
        )
    elif domain and not valid_host(domain):
        found.append(
            problem(
                "lago_domain",
                "bad_domain",
                f"lago_domain '{domain}' must be a plain host name such as billing.example.com: no scheme, no port, no path, no blanks.",
            )
        )
    ports = {"lago_http_port": settings["lago_http_port"]}
    if mode != "none":
        ports["lago_https_port"] = settings["lago_https_port"]
    for name, port in ports.items():
        if not str(port).isdigit() or not 1 <= int(port) <= 65535:
            found.append(problem(name, "bad_port", f"{name} must be a port number from 1 to 65535."))
        elif int(port) in (2019, 2020):
            found.append(problem(name, "reserved_port", f"{name} {port} is used inside the proxy; choose another."))
    if len({str(port) for port in ports.values()}) < len(ports):
        found.append(
            problem(
                "lago_https_port",
                "same_port",
                f"lago_http_port and lago_https_port are both {settings['lago_http_port']}; give them different ones.",
            )
        )
    for address in settings["lago_bind_addresses"]:
        try:
            ipaddress.ip_address(str(address).strip("[]"))
        except ValueError:
            found.append(
                problem(
                    "lago_bind_addresses",
                    "bad_address",
                    f"lago_bind_addresses: '{address}' is no IP address of this server.",
                )
            )
    return found


def valid_host(host: str) -> bool:
    """A DNS name of letters, digits and hyphens, or an IP address."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return (
            len(host) <= 253
            and all(_LABEL.match(label) for label in host.split("."))
            and not host.replace(".", "").isdigit()
        )
    return True


def _release_problems(settings: Mapping[str, Any]) -> List[Problem]:
    found = []
    for name in ("lago_api_version", "lago_front_version"):
        version = settings[name]
        numbers = release(version)
        if numbers is None:
            found.append(
                problem(
                    name,
                    "not_a_release",
                    f"{name} '{version}' is no release of Lago: write it like v1.51.0 (there is no 'latest').",
                )
            )
        elif numbers < FIRST_RELEASE:
            found.append(
                problem(
                    name,
                    "unsupported_release",
                    f"{name} {version} is older than v{'.'.join(map(str, FIRST_RELEASE))}, the first that can be installed anew.",
                )
            )
    api, front = release(settings["lago_api_version"]), release(settings["lago_front_version"])
    if api and front and api[:2] != front[:2]:
        found.append(
            problem(
                "lago_front_version",
                "releases_differ",
                f"lago_api_version {settings['lago_api_version']} and lago_front_version {settings['lago_front_version']} do not belong "
                "together: their first two numbers must be the same.",
            )
        )
    return found


def _size_problems(settings: Mapping[str, Any]) -> List[Problem]:
    return [
        problem(name, "bad_size", f"{name} '{value}' is no size: write it like 512m or 2g.")
        for name, value in settings.items()
        if name.endswith(("_memory", "_maxmemory", "_max_size")) and not _SIZE.match(str(value))
    ]


def server_problems(
    server: Mapping[str, Any], settings: Mapping[str, Any], docker_expected: bool = True
) -> List[Problem]:
    """Every problem that a reading of the server shows.

    :param server: What module ``server_info`` returned.
    :param settings: The public variables by name.
    :param docker_expected: Whether Docker must be there by now; not so in check mode, where another role would bring it.
    """
    return [
        *_engine_problems(server, docker_expected),
        *_room_problems(server),
        *_port_problems(server, settings),
        *_way_problems(server, settings),
    ]


def _version(text: object) -> Tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", str(text))[:3])


def _engine_problems(server: Mapping[str, Any], docker_expected: bool) -> List[Problem]:
    docker, compose = server.get("docker"), server.get("compose")
    found = []
    if not server.get("root", True):
        found.append(problem("become", "not_root", "The deployment is root's: run the play with become: true."))
    if docker is None:
        if docker_expected:
            found.append(
                problem(
                    "lago_docker_source",
                    "no_docker",
                    "Docker does not answer on the server: run role selfhosted.lago.docker first, or start its daemon.",
                )
            )
        return found
    if _version(docker["version"]) < MINIMUM_ENGINE:
        found.append(
            problem(
                "lago_docker_source",
                "old_docker",
                f"Docker Engine {docker['version']} is too old: {MINIMUM_ENGINE[0]} or newer is needed (health checks while starting).",
            )
        )
    if compose is None:
        found.append(
            problem(
                "lago_docker_source",
                "no_compose",
                "The Docker on the server has no Compose plugin: install docker-compose-plugin (2.20 or newer).",
            )
        )
    elif _version(compose["version"]) < MINIMUM_COMPOSE:
        found.append(
            problem(
                "lago_docker_source",
                "old_compose",
                f"Docker Compose {compose['version']} is too old: 2.20 or newer is needed.",
            )
        )
    return found


def _room_problems(server: Mapping[str, Any]) -> List[Problem]:
    found = []
    memory = server.get("memory_mb")
    if memory is not None and memory < MINIMUM_MEMORY_MB:
        found.append(
            problem(
                "inventory",
                "little_memory",
                f"The server has {memory} MB of memory; Lago's processes need {MINIMUM_MEMORY_MB} MB at least.",
            )
        )
    if not server.get("containers"):
        for path, free in server.get("disk_free_mb", {}).items():
            if free < MINIMUM_DISK_MB:
                found.append(
                    problem(
                        "inventory",
                        "little_disk",
                        f"{path} has {free} MB of free disk; a first deployment needs {MINIMUM_DISK_MB} MB for images and data.",
                    )
                )
    return found


def _port_problems(server: Mapping[str, Any], settings: Mapping[str, Any]) -> List[Problem]:
    names = {str(settings["lago_http_port"]): "lago_http_port", str(settings["lago_https_port"]): "lago_https_port"}
    found = {}
    for listener in server.get("listeners", []):
        name = names.get(str(listener["port"]))
        if name and not listener.get("ours"):
            who = f" by {listener['process']}" if listener.get("process") else ""
            found[name] = problem(
                name,
                "port_in_use",
                f"Port {listener['port']} is in use on the server{who}: free it, or set {name} to another one.",
            )
    return list(found.values())


def _way_problems(server: Mapping[str, Any], settings: Mapping[str, Any]) -> List[Problem]:
    """A release that the one in place does not lead to."""
    record = (server.get("files") or {}).get("migrated") or {}
    before, after = release(record.get("version")), release(settings["lago_api_version"])
    if before is None or after is None or before == after:
        return []
    old, new = record["version"], settings["lago_api_version"]
    if after < before:
        return [
            problem(
                "lago_version",
                "downgrade",
                f"The database is of {old}; {new} is older and would not notice. Restore a backup of {new}, or set lago_version back to {old}.",
            )
        ]
    stops = [stop for stop in UPGRADE_STOPS if before < stop <= after]
    if stops:
        names = ", ".join("v" + ".".join(map(str, stop)) for stop in stops)
        return [
            problem(
                "lago_version",
                "upgrade_stops",
                f"Between {old} and {new} an upgrade must stop at {names} and run that release's jobs there, which this version of the "
                f"collection does not do. Set lago_version back to {old}.",
            )
        ]
    return []


def problem_report(problems: Sequence[Mapping[str, Any]], headline: str) -> str:
    """All problems as one readable block."""
    lines = [headline] + [f"  {number}. {entry['message']}" for number, entry in enumerate(problems, 1)]
    return "\n".join(lines)
