# SPDX-License-Identifier: GPL-3.0-or-later
"""All by URLs; a database elsewhere is backed up and restored by a client of its version, as Lago itself reaches it."""

from __future__ import annotations

import json
import re
from urllib.parse import quote

from outside.lifecycle import done, refused
from outside.services import ACCOUNTS, DIRECT, URL, Connected, until

BACKUP, RESTORE = "selfhosted.lago.backup", "selfhosted.lago.restore"
# The one image of the test bed that has a client of PostgreSQL 17
CLIENT = "getlago/api:v1.51.0"


def escaped(account: str) -> str:
    return quote(ACCOUNTS[account]["password"], safe="")


def backed_up(lago: Connected) -> str:
    """The name of the one backup that there is."""
    said = lago.shell("sh", "-c", "cd /opt/lago/program && python3 -B -m lago_backup list")
    (backup,) = json.loads(said)["backups"]
    return str(backup["name"])


def test_urls_take_the_place_of_parts_and_passwords(lago: Connected) -> None:
    """Nobody is asked for a password that nothing reads any more, and what waited in the queue is still there."""
    said = "lago_postgres_(host|port|password)|lago_redis_(host|password|database)|lago_memcached_servers"
    given = {name: value for name, value in DIRECT.items() if not re.fullmatch(said, name)}
    lago.variables = {
        **given,
        "lago_postgres_url": f"postgresql://lago:{escaped('postgres')}@db.services.test:5433/lago",
        "lago_redis_url": f"redis://:{escaped('redis')}@redis.services.test:{lago.master()}/3",
        "lago_redis_cache_url": f"rediss://lago:{escaped('cache')}@cache.services.test:6390/0",
    }
    kept = lago.redis(lago.master(), "CONFIG", "GET", "maxmemory-policy").split()
    lago.redis(lago.master(), "CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    said = done(lago.run()).output
    assert "lago_redis_url: the Redis of the queue throws jobs away" in said
    lago.redis(lago.master(), "CONFIG", "SET", *kept)
    lago.mail_arrives()
    hits = lago.cache_hits()
    user = lago.user(URL)
    until(lambda: user.meter(lago.key) and lago.cache_hits() > hits)


def test_a_client_that_is_older_than_the_server_is_refused(lago: Connected) -> None:
    refused(lago.run(playbook=BACKUP), "PostgreSQL 15", "lago_postgres_image", "17")


def test_its_rows_are_backed_up(lago: Connected) -> None:
    done(lago.run(playbook=BACKUP, lago_postgres_image=CLIENT))
    folder = f"/var/backups/lago/{backed_up(lago)}"
    manifest = json.loads(lago.read(f"{folder}/manifest.json"))
    assert manifest["database"]["major"] == 17
    assert manifest["database"]["organizations"] == 1
    reader = ["docker", "run", "--rm", "--user", "0", "--volume", f"{folder}:{folder}:ro", "--entrypoint", "pg_restore"]
    listed = lago.shell(*reader, CLIENT, "--list", f"{folder}/database.dump")
    assert "TABLE DATA public events" in listed


def test_they_come_back_to_where_they_were(lago: Connected) -> None:
    """Beside what is there, if its owner may make a database; in its place, in the end."""
    counted = "SELECT count(*) FROM events"
    then = lago.ask(counted)
    lago.user(URL).meter(lago.key)
    assert lago.ask(counted) != then
    wanted = {"lago_postgres_image": CLIENT, "lago_restore_backup": backed_up(lago)}
    refused(lago.run(playbook=RESTORE, **wanted), "is not empty", 'ALTER ROLE "lago" CREATEDB', "Nothing was changed")
    assert lago.ask(counted) != then
    lago.ask('ALTER ROLE "lago" CREATEDB')
    done(lago.run(playbook=RESTORE, **wanted))
    assert lago.ask(counted) == then
    assert lago.ask("SELECT count(*) FROM pg_database WHERE datname LIKE 'lago_before_%'") == "1"
    assert float(lago.user(URL).meter(lago.key, units=5)["units"]) == 5.0
