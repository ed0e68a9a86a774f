# SPDX-License-Identifier: GPL-3.0-or-later
"""Releases that are broken on purpose: a row of standin.faults breaks one release, for those who test upgrades.

They make it: CREATE SCHEMA standin; CREATE TABLE standin.faults (release text, fault text). The faults:
migration_fails         its first migration fails
migration_fails_half    it fails after one of its statements, which stays
migration_hangs         it never ends
migration_dies          it is killed after one of its statements, which stays
unhealthy               /health is 500
keys_fail               whatever is asked with a valid key is 500
worker_dies             the worker ends at once when it takes a job
jobs_hang               what must be done before the release is left never ends
"""

from __future__ import annotations

import os
import signal
import time
from functools import cache
from typing import TYPE_CHECKING

import psycopg

from standin import database
from standin.failures import RubyError
from standin.settings import RELEASE

if TYPE_CHECKING:
    from standin.migrations import Migration


@cache
def asked() -> frozenset[str]:
    """The faults of this release, as they were when the process first looked."""
    try:
        with database.connected() as connection:
            if not database.one(connection, "SELECT to_regclass('standin.faults') AS there")["there"]:  # type: ignore[index]
                return frozenset()
            found = database.rows(connection, "SELECT fault FROM standin.faults WHERE release = %s", RELEASE.version)
    except RubyError:
        return frozenset()
    return frozenset(row["fault"] for row in found)


def hang(fault: str) -> None:
    while fault in asked():
        print('"  -> 1 remaining 🧮"', flush=True)
        time.sleep(5)


def before(connection: psycopg.Connection, migration: Migration) -> None:
    """What becomes of a migration that this very release brought."""
    if migration.path.parent.name != RELEASE.version:
        return
    if asked() & {"migration_fails_half", "migration_dies"}:
        connection.execute(migration.sql.split(";\n")[0])
    if "migration_dies" in asked():
        os.kill(os.getpid(), signal.SIGKILL)
    if asked() & {"migration_fails", "migration_fails_half"}:
        connection.execute("SELECT 1 FROM what_nobody_made")
    if "migration_hangs" in asked():
        connection.execute("SELECT pg_sleep(86400)")
