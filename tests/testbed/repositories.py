# SPDX-License-Identifier: GPL-3.0-or-later
"""Repositories that are out of reach where only package registries are: Docker's packages and Lago's Git."""

from __future__ import annotations

from testbed import containers, images
from testbed.engine import address
from testbed.settings import REPOSITORIES_PORT

NAME = "testbed-repositories"


def addresses(host: str) -> dict[str, str]:
    """Return the URLs as servers use them."""
    base = f"http://{host}:{REPOSITORIES_PORT}"
    return {"docker": base, "docker_debian": f"{base}/linux/debian", "git": f"{base}/getlago/lago.git"}


def start() -> None:
    """Serve the repositories."""
    image = next(image for image in images.SERVICES if image.name == "repositories")
    if images.find(image.alias) is not None:
        containers.keep_running(NAME, image.alias, REPOSITORIES_PORT, address(), {})
