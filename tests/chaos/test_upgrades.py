# SPDX-License-Identifier: GPL-3.0-or-later
"""An upgrade may be struck at any point: no event that was acknowledged is lost, and the next run comes to the end."""

from __future__ import annotations

from typing import Any

from chaos import stories
from chaos.places import FROM, TO, Place, WayBack
from chaos.server import Server
from chaos.stories import URL
from outside.writer import Writer


def struck(server: Server, place: Place, **variables: Any) -> list[str]:
    """Strike an upgrade while somebody sends events, and return those that were acknowledged."""
    code = server.sql("SELECT external_id FROM subscriptions LIMIT 1")
    with Writer(server.user(URL), server.key, code) as writer:
        stories.struck(server, place, lago_version=TO, **variables)
    assert writer.acknowledged
    return writer.acknowledged


def nothing_is_lost(server: Server, acknowledged: list[str]) -> None:
    assert set(acknowledged) <= set(server.sql("SELECT transaction_id FROM events").split())
    assert server.sql("SELECT count(*) FROM pg_database WHERE datname LIKE 'lago_%'") == "0"


def test_an_upgrade_that_ends_early_is_finished_by_the_next(former: Server, upgrade: Place) -> None:
    before = former.kept()
    acknowledged = struck(former, upgrade)
    stories.recovers(former, before, lago_version=TO)
    nothing_is_lost(former, acknowledged)
    assert former.user(URL).request("GET", "/health").json["version"] == TO


def test_a_way_back_that_ends_early_is_gone_to_its_end_by_the_next(former: Server, back: WayBack) -> None:
    """By one that is told to stay with the former release, since the newer one is still broken."""
    stories.breaks(former, back.fault)
    before = former.kept()
    acknowledged = struck(former, back, lago_upgrade_timeout=20, lago_start_timeout=60)
    stories.recovers(former, before, lago_version=FROM)
    nothing_is_lost(former, acknowledged)
    assert former.user(URL).request("GET", "/health").json["version"] == FROM
