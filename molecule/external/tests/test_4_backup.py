# SPDX-License-Identifier: GPL-3.0-or-later
"""A database elsewhere is backed up by a client of its version, as Lago reaches it: over TLS, with a certificate."""

from __future__ import annotations

import json
from urllib.parse import quote

from outside.lifecycle import done, refused
from outside.services import DATABASE, DIRECT, Connected

BACKUP = "selfhosted.lago.backup"
# The one image of the test bed that has a client of PostgreSQL 17
CLIENT = "getlago/api:v1.51.0"


def test_a_url_takes_the_place_of_a_password(lago: Connected) -> None:
    """Nobody is asked for a password that nothing reads any more."""
    said = ("lago_postgres_host", "lago_postgres_port", "lago_postgres_password")
    given = {name: value for name, value in DIRECT.items() if name not in said}
    url = f"postgresql://lago:{quote(DATABASE['password'], safe='')}@db.services.test:5433/lago"
    lago.variables = {**given, "lago_postgres_url": url, "lago_redis_port": lago.master()}
    done(lago.run())


def test_a_client_that_is_older_than_the_server_is_refused(lago: Connected) -> None:
    refused(lago.run(playbook=BACKUP), "PostgreSQL 15", "lago_postgres_image", "17")


def test_its_rows_are_backed_up(lago: Connected) -> None:
    done(lago.run(playbook=BACKUP, lago_postgres_image=CLIENT))
    script = "cd /opt/lago/program && python3 -B -m lago_backup list"
    (backup,) = json.loads(lago.shell("sh", "-c", script))["backups"]
    folder = f"/var/backups/lago/{backup['name']}"
    manifest = json.loads(lago.read(f"{folder}/manifest.json"))
    assert manifest["database"]["major"] == 17
    assert manifest["database"]["organizations"] == 1
    reader = ["docker", "run", "--rm", "--user", "0", "--volume", f"{folder}:{folder}:ro", "--entrypoint", "pg_restore"]
    listed = lago.shell(*reader, CLIENT, "--list", f"{folder}/database.dump")
    assert "TABLE DATA public events" in listed
