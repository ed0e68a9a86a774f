# Copyright: (c) 2026, The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about names and places on the server, Docker's and Git's settings. PRIVATE to the collection."""

from __future__ import annotations

import posixpath
import re
from urllib.parse import urlsplit

from ansible_collections.selfhosted.lago.plugins.plugin_utils._problems_rules import Case, Found, rule
from ansible_collections.selfhosted.lago.plugins.plugin_utils._problems_values import shown

_PROJECT = re.compile(r"[a-z0-9][a-z0-9_-]*\Z")
#: Theirs alone, though a folder below may be ours.
_SHARED = re.compile(
    r"/|/(etc|home|media|mnt|opt|root|srv|usr|var)|/usr/(local|share)|/var/(cache|lib|log|opt|spool|www)"
)
#: Theirs with all that is below.
_SYSTEM = re.compile(
    r"/(bin|boot|dev|etc/docker|etc/systemd|lib|lib32|lib64|proc|sbin|sys|usr/bin|usr/lib|usr/sbin|var/lib/containerd"
    r"|var/lib/docker)(/.*)?",
    re.DOTALL,
)
_PASSING = ("/tmp", "/var/tmp", "/run", "/var/run", "/dev/shm")  # noqa: S108 - refused, not used
_OURS = ("env", "proxy", "redis")


def _within(path: str, folders: tuple[str, ...]) -> bool:
    return any(path == folder or path.startswith(f"{folder}/") for folder in folders)


def _directory(case: Case) -> str:
    """Return the deployment's directory, plain; blank when it is none at all."""
    path = case.text("lago_directory")
    return posixpath.normpath(f"/{path.lstrip('/')}") if path.startswith("/") else ""


@rule("settings")
def bad_project(case: Case) -> Found:
    name = case.text("lago_project")
    if name and not _PROJECT.match(name):
        yield (
            "lago_project",
            f"lago_project {shown(name)} must be lower-case letters, digits, '-' and '_', beginning with a letter or "
            "digit, as Compose demands.",
        )


@rule("settings")
def relative_directory(case: Case) -> Found:
    path = case.text("lago_directory")
    if path and not path.startswith("/"):
        yield "lago_directory", f"lago_directory {shown(path)} must be an absolute path, such as /opt/lago."


@rule("settings")
def system_directory(case: Case) -> Found:
    path = _directory(case)
    if path and not _within(path, _PASSING) and (_SHARED.fullmatch(path) or _SYSTEM.fullmatch(path)):
        yield (
            "lago_directory",
            f"lago_directory {path} belongs to the system, and would become readable by root alone: give Lago one of "
            "its own, such as /opt/lago.",
        )


@rule("settings")
def passing_directory(case: Case) -> Found:
    path = _directory(case)
    if path and _within(path, _PASSING):
        yield (
            "lago_directory",
            f"lago_directory {path} is emptied when the server restarts, and the secrets would be lost with it: "
            "choose one that stays, such as /opt/lago.",
        )


@rule("settings")
def unmountable_directory(case: Case) -> Found:
    path = _directory(case)
    if ":" in path or not path.isprintable():
        yield (
            "lago_directory",
            "lago_directory holds a colon or a control character, and cannot be mounted: choose another.",
        )


def _fault(url: object) -> bool:
    """Tell whether a text is no address of the web."""
    try:
        parts = urlsplit(str(url))
    except ValueError:
        return True
    return parts.scheme not in ("http", "https") or not parts.hostname or bool(re.search(r"\s", str(url)))


@rule("settings")
def bad_repository_url(case: Case) -> Found:
    for name, url in case.texts("lago_docker_repository_url", "lago_docker_repository_key_url"):
        if _fault(url):
            yield name, f"{name} is no URL: write one such as https://download.docker.com/linux."


@rule("settings")
def bad_mirror(case: Case) -> Found:
    for url in case.values.get("lago_docker_registry_mirrors", []):
        if _fault(url):
            yield (
                "lago_docker_registry_mirrors",
                "lago_docker_registry_mirrors holds what is no URL: write each like https://mirror.example.com.",
            )


@rule("settings")
def mirror_with_path(case: Case) -> Found:
    for url in case.values.get("lago_docker_registry_mirrors", []):
        if not _fault(url) and (urlsplit(url).path.strip("/") or urlsplit(url).query or urlsplit(url).fragment):
            yield (
                "lago_docker_registry_mirrors",
                "lago_docker_registry_mirrors holds a URL with a path, with which the daemon does not start: write "
                f"the host alone, https://{urlsplit(url).hostname}.",
            )


@rule("settings")
def daemon_hosts(case: Case) -> Found:
    if "hosts" in case.values.get("lago_docker_daemon_options", {}):
        yield (
            "lago_docker_daemon_options",
            "lago_docker_daemon_options sets hosts, which systemd's unit of Docker sets already, so that the daemon "
            "would not start: remove it, or change the unit yourself.",
        )


@rule("settings")
def repository_with_password(case: Case) -> Found:
    if re.search(r"://[^/@]*:[^/@]*@", case.text("lago_git_repository")):
        yield (
            "lago_git_repository",
            "lago_git_repository holds a password, which Git would keep in the checkout and show: use an address "
            "without one, and a credential helper or an SSH key of root.",
        )


@rule("settings")
def checkout_over_deployment(case: Case) -> Found:
    checkout, directory = case.text("lago_git_directory"), _directory(case)
    if checkout.startswith("/") and directory and case.values.get("lago_git_checkout"):
        path = posixpath.normpath(checkout)
        if _within(directory, (path,)) or _within(path, tuple(f"{directory}/{name}" for name in _OURS)):
            yield (
                "lago_git_directory",
                f"lago_git_directory {path} is where the deployment's own files are: give the checkout one of its "
                f"own, such as {directory}/lago.",
            )
