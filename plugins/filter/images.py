# Copyright: (c) 2026, The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which images a deployment takes, and from where."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible_collections.selfhosted.lago.plugins.plugin_utils._plain import plain

#: Releases of the API without a front of that number, and the front that upstream had deployed with them.
#: From the tags of getlago/lago-api and getlago/lago-front, v1.42.0 to v1.51.0.
_FRONTS = {"v1.47.1": "v1.47.0", "v1.47.2": "v1.47.0"}
#: Docker Hub's name in a file of logins.
_DOCKER_HUB = "https://index.docker.io/v1/"


def _registry(repository: str) -> str:
    """Return the host of the registry that a repository names, blank for none."""
    first, slash, _rest = repository.partition("/")
    return first if slash and ("." in first or ":" in first or first == "localhost") else ""


def image_reference(image: Any, registry: Any = "", tag: Any = "", digest: Any = "") -> str:
    """Return what is pulled: the image with its tag and digest, at the registry unless it names one itself."""
    name, prefix = str(plain(image)), str(plain(registry) or "").rstrip("/")
    if prefix and not _registry(name.partition("@")[0]):
        name = f"{prefix}/{name}"
    name += f":{plain(tag)}" if plain(tag) else ""
    return name + (f"@{plain(digest)}" if plain(digest) else "")


def kept_images(
    references: Mapping[str, Any], containers: Any = None, digests: Any = None, anew: Sequence[str] = ()
) -> dict[str, str]:
    """Return the image that each service is made of: the very one that its container has, whatever becomes of the tag.

    :param references: what is declared, by service.
    :param containers: those that are there, by service; C(image) is what they were made of, as it was said then.
    :param digests: what the tags stand for on the server, by reference.
    :param anew: services that take what their tag stands for now.
    """
    there, known = dict(plain(containers) or {}), dict(plain(digests) or {})
    images = {}
    for name, reference in references.items():
        wanted, runs = str(plain(reference)), str(there.get(name, {}).get("image"))
        if "@" not in wanted and name not in plain(anew) and runs.partition("@")[0] == wanted:
            images[name] = runs
        else:
            images[name] = f"{wanted}@{known[wanted]}" if "@" not in wanted and wanted in known else wanted
    return images


def front_release(version: Any) -> str:
    """Return the release of the front that belongs to a release of Lago."""
    return _FRONTS.get(str(plain(version)), str(plain(version)))


def registry_login(password: Any, username: Any, registry: Any = "") -> str:
    """Return Docker's file of logins with one account at a registry, at Docker Hub when it is blank."""
    prefix = str(plain(registry) or "")
    host = prefix.partition("/")[0] if prefix else _DOCKER_HUB
    login = base64.b64encode(f"{plain(username)}:{plain(password)}".encode()).decode("ascii")
    return json.dumps({"auths": {host: {"auth": login}}}, indent=2) + "\n"


class FilterModule:
    """The filters of this file, by name."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {
            "image_reference": image_reference,
            "front_release": front_release,
            "kept_images": kept_images,
            "registry_login": registry_login,
        }
