# SPDX-License-Identifier: GPL-3.0-or-later
"""Without pg_partman and without a pooler, with a client's certificate, limits, memcached and Google's storage."""

from __future__ import annotations

from outside.lifecycle import done
from outside.services import DIRECT, URL, Connected, until


def test_it_is_deployed_anew(lago: Connected) -> None:
    done(lago.stack("remove", lago_remove_data=True, lago_remove_confirm="lago"))
    lago.variables = {**DIRECT, "lago_redis_port": lago.master()}
    done(lago.run())
    assert lago.ask("SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_partman'") == "0"
    assert done(lago.run()).recap["changed"] == 0


def test_it_bills(lago: Connected) -> None:
    assert float(lago.user(URL).meter(lago.key, units=4)["units"]) == 4.0
    assert "curr_items 0" not in lago.there(
        "bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/11211; echo stats >&3; head -60 <&3"
    )


def test_sessions_are_encrypted_certified_and_limited(lago: Connected) -> None:
    """Asked while a worker is at it: what it may wait for, who it is, and that it is stopped in time."""
    shown = "SHOW statement_timeout", "SHOW lock_timeout", "SHOW idle_in_transaction_session_timeout"
    for statement in shown:
        lago.enqueue("StandIn::QueryJob", statement=statement)
    lago.enqueue("StandIn::QueryJob", statement="SELECT pg_sleep(60)")
    session = (
        "FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = 'lago' AND query LIKE '%pg_sleep(60)%'"
    )
    assert until(lambda: lago.ask(f"SELECT ssl, client_dn {session}")).startswith("t|/CN=lago")
    until(lambda: "canceling statement due to statement timeout" in lago.said("worker"), 15)
    said = lago.said("worker")
    for statement, value in zip(shown, ("4s", "1500ms", "1min"), strict=True):
        assert f"{statement}: ['{value}']" in said


def test_files_and_mails_go_this_way_too(lago: Connected) -> None:
    lago.file_comes_back()
    lago.mail_arrives()
