# SPDX-License-Identifier: GPL-3.0-or-later
"""Behind a pooler, Sentinels, TLS and awkward passwords all works, and nothing of it runs on the server itself."""

from __future__ import annotations

import re

from outside.deployment import password
from outside.lifecycle import done
from outside.services import EMAIL, URL, Connected, until


def processed(lago: Connected) -> int:
    return int(lago.redis(lago.master(), "GET", "stat:processed") or 0)


def test_it_is_deployed_for_a_role_without_any_right(lago: Connected) -> None:
    done(lago.run())
    assert {name.split("-")[1] for name in lago.containers()} == {"api", "clock", "front", "pdf", "proxy", "worker"}
    assert lago.ask("SELECT rolcreatedb, rolsuper, rolcreaterole FROM pg_roles WHERE rolname = 'lago'") == "f|f|f"
    assert lago.ask("SELECT count(*) FROM partman.part_config") == "1"
    assert done(lago.run()).recap["changed"] == 0


def test_it_bills_and_jobs_go_through_the_queue(lago: Connected) -> None:
    before = processed(lago)
    assert float(lago.user(URL).meter(lago.key, units=3)["units"]) == 3.0
    until(lambda: processed(lago) > before)


def test_a_file_of_the_worker_is_read_by_the_api(lago: Connected) -> None:
    lago.file_comes_back()
    assert lago.there("find", "/srv/s3/lago", "-name", "payload.json.gz").count("payload") >= 1


def test_a_mail_arrives(lago: Connected) -> None:
    lago.mail_arrives()


def test_the_cache_is_used(lago: Connected) -> None:
    """By the user that the ACL knows, over TLS."""
    line = r"keyspace_hits:[1-9]"
    environment = ["env", f"REDISCLI_AUTH={lago.variables['lago_redis_cache_password']}"]
    command = ["redis-cli", "--tls", "--cacert", "/srv/tls/ca.crt", "-p", "6390", "--user", "lago", "INFO", "stats"]
    assert re.search(line, lago.there(*environment, *command))


def test_everything_is_encrypted_on_its_way_to_the_database(lago: Connected) -> None:
    lago.enqueue("StandIn::QueryJob", statement="SELECT pg_sleep(3)")
    sessions = "SELECT count(*) {} FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = 'lago'"
    until(lambda: lago.ask(sessions.format("FILTER (WHERE ssl)")) != "0")
    assert lago.ask(sessions.format("FILTER (WHERE NOT ssl)")) == "0"


def test_the_queue_survives_its_master(lago: Connected) -> None:
    """Nobody does anything: the Sentinels choose another one, and jobs go on."""
    old = lago.master()
    lago.there("systemctl", "kill", "--signal", "KILL", f"services-queue@{old - 6379}")
    until(lambda: lago.master() not in (0, old))
    before = processed(lago)
    user = lago.user(URL)
    until(lambda: user.login(EMAIL, password("external")))
    until(lambda: processed(lago) > before)
    done(lago.stack("verify"))
