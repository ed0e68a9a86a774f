# SPDX-License-Identifier: GPL-3.0-or-later
"""The bundled PostgreSQL goes to a newer major version with all rows, or stays what it was."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from chaos import runs, stories
from chaos.places import FROM, TO
from chaos.server import Server
from chaos.stories import URL
from outside.writer import Writer
from testbed import images, registry
from testbed.settings import alone

pytestmark = pytest.mark.thorough
(NEWER,) = images.NEWER_DB.published


@pytest.fixture(scope="session", autouse=True)
def _newer() -> None:
    """There is an image of it."""
    with alone():
        images.build(images.NEWER_DB)
        registry.push(images.NEWER_DB)


@contextmanager
def nothing_is_lost(server: Server) -> Iterator[None]:
    """Somebody sends events meanwhile; what was there before is there afterwards, and so is what was acknowledged."""
    tables = ("users", "organizations", "api_keys", "customers", "subscriptions", "charges", "billable_metrics")
    rows = "SELECT " + ", ".join(f"(SELECT md5(string_agg(t::text, '' ORDER BY t::text)) FROM {t} t)" for t in tables)
    before, sent = server.sql(rows), set(server.sql("SELECT transaction_id FROM events").split())
    code = server.sql("SELECT external_id FROM subscriptions LIMIT 1")
    with Writer(server.user(URL), server.key, code) as writer:
        yield
    assert server.sql(rows) == before
    assert writer.acknowledged
    assert sent | set(writer.acknowledged) <= set(server.sql("SELECT transaction_id FROM events").split())


def major(server: Server) -> str:
    return server.sql("SELECT current_setting('server_version_num')::int / 10000")


def former_files(server: Server) -> str:
    return server.shell("find", "/var/lib/docker/volumes/lago_db-data", "-name", "_data.before-*").strip()


def test_a_release_that_fails_on_the_newer_server_leads_back_to_the_former_one(former: Server) -> None:
    stories.breaks(former, "keys_fail")
    with nothing_is_lost(former):
        run = runs.start(lago_version=TO, lago_postgres_image=NEWER, lago_upgrade_confirm=TO).end()
    assert run.code != 0
    assert f"{FROM} runs again with the data of before" in " ".join(run.output.split()), run.output[-6000:]
    assert (major(former), former_files(former)) == ("15", "")
    stories.at_rest(former)


def test_the_newer_server_has_all_rows_and_the_former_files_are_kept(former: Server) -> None:
    with nothing_is_lost(former):
        run = runs.to_the_end(lago_postgres_image=NEWER, lago_upgrade_confirm=FROM)
    assert "The files of PostgreSQL 15 stay until you remove them" in " ".join(run.output.split())
    assert major(former) == "17"
    assert "PG_VERSION" in former.shell("ls", former_files(former))
    stories.at_rest(former)
    assert runs.to_the_end(lago_postgres_image=NEWER).recap["changed"] == 0
