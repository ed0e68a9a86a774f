# SPDX-License-Identifier: GPL-3.0-or-later
"""A run may be killed at any point; the next one finishes the job."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chaos import places, stories
from chaos.places import Place
from chaos.server import KEPT_FILES, Server


def test_a_first_run_that_ends_early_is_finished_by_the_next(server: Server, first: Place) -> None:
    server.wipe(images=first.task == places.PULL)
    stories.struck(server, first, **stories.settings())
    stories.recovers(server, server.kept(), **stories.settings())


def test_a_change_that_ends_early_is_finished_by_the_next(deployed: Server, change: Place) -> None:
    variables = stories.changed_settings()
    stories.struck(deployed, change, **variables)
    before = deployed.kept()
    assert None not in (before.secrets, before.key)
    stories.recovers(deployed, before, **variables)
    stories.works_as_declared(deployed, variables)


@pytest.mark.thorough
def test_a_rotation_that_ends_early_is_finished_by_the_next_ordinary_run(deployed: Server, rotation: Place) -> None:
    """Whichever secrets were kept by then are the ones. A key that Lago made and nobody kept is found by a login."""
    stories.struck(
        deployed,
        rotation,
        playbook="selfhosted.lago.rotate",
        lago_rotate=["postgres_password", "redis_password", "secret_key_base", "api_key"],
        **stories.settings(),
    )
    stories.recovers(deployed, replace(deployed.kept(), key=None), **stories.settings())


@pytest.mark.thorough
def test_what_a_first_run_left_that_ended_early_can_be_taken_away(server: Server, half: Place) -> None:
    """Stopped, then removed but for data and secrets, then for good."""
    server.wipe(images=half.task == places.PULL)
    stories.struck(server, half, **stories.settings())
    stories.undone(server, "down")
    kept, there, volumes = server.kept(), server.files() & KEPT_FILES, server.volumes()
    stories.undone(server, "remove")
    assert (server.kept(), server.files(), server.volumes()) == (kept, there, volumes)
    stories.undone(server, "remove", lago_remove_data=True, lago_remove_confirm="lago")
    assert (server.exists(server.directory), server.volumes()) == (False, set())


@pytest.mark.thorough
def test_a_database_server_that_was_never_finished_is_made_anew(server: Server) -> None:
    """As a loss of power leaves it in the midst of initdb: the entry point takes it for a whole one."""
    server.wipe()
    stories.struck(server, Place(places.STORES), **stories.settings())
    before = server.kept()
    server.shell("docker", "volume", "create", "lago_db-data")
    place = server.shell("docker", "volume", "inspect", "-f", "{{.Mountpoint}}", "lago_db-data").strip()
    server.shell(
        "sh", "-c", f"cd {place} && mkdir -p base/1 global pg_wal && echo 15 > PG_VERSION && touch base/1/1259"
    )
    server.shell("sh", "-c", f"chown -R 70:70 {place} && chmod 700 {place}")
    stories.recovers(server, before, **stories.settings())


@pytest.mark.thorough
def test_a_database_that_holds_anything_is_never_made_anew(deployed: Server) -> None:
    """Not even where nothing is on record and the server does not answer."""
    before = deployed.kept()
    deployed.shell("rm", f"{deployed.directory}/migrated.json")
    deployed.shell("docker", "stop", "lago-db-1")
    stories.recovers(deployed, before, **stories.settings())
