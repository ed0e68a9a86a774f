# SPDX-License-Identifier: GPL-3.0-or-later
"""Repositories that are out of reach where only package registries are: Docker's packages and Lago's Git."""

from __future__ import annotations

from testbed import containers, images
from testbed.engine import address, http_answers, wait_for
from testbed.settings import REPOSITORIES_PORT

NAME = "testbed-repositories"


def addresses(host: str) -> dict[str, str]:
    """Return the URLs as servers use them."""
    base = f"http://{host}:{REPOSITORIES_PORT}"
    return {"docker": base, "docker_debian": f"{base}/linux/debian", "git": f"{base}/getlago/lago.git"}


def start() -> None:
    """Serve the repositories, and wait until they answer."""
    host = address()
    containers.keep_running(NAME, images.REPOSITORIES.alias, REPOSITORIES_PORT, host, {})
    wait_for("the repositories to answer", lambda: http_answers(f"{addresses(host)['docker_debian']}/gpg"), 30)
