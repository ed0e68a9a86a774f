# SPDX-License-Identifier: GPL-3.0-or-later
"""The database's versions: all in one go from the structure file, or one migration after the other."""

from __future__ import annotations

import os
import re
import subprocess
import time
import zlib
from dataclasses import dataclass
from pathlib import Path

import psycopg

from standin import database, faults
from standin.database import Connection
from standin.failures import RubyError
from standin.settings import APP, HOME, RELEASE

STRUCTURE = APP / "db" / "structure.sql"
SALT = 2053462845


@dataclass(frozen=True)
class Migration:
    """One version of the schema, from a file named VERSION_Name.sql in the folder of the release that brought it."""

    version: str
    name: str
    path: Path

    @property
    def sql(self) -> str:
        return self.path.read_text()

    @property
    def transactional(self) -> bool:
        return not self.sql.startswith("-- no transaction")

    @property
    def structure(self) -> str:
        """What stands for it in the structure file: nothing that only a migration does."""
        own = self.path.with_suffix(".structure")
        text = own.read_text() if own.exists() else self.sql
        text = re.sub(r"^(SELECT pg_sleep|UPDATE|-- ).*\n", "", text, flags=re.MULTILINE)
        return text.replace("CREATE INDEX CONCURRENTLY IF NOT EXISTS", "CREATE INDEX")


def known() -> list[Migration]:
    """The migrations of this release and all before it, in the order of their versions."""
    paths = [path for release in RELEASE.up_to for path in (HOME / "migrations" / release).glob("*.sql")]
    parted = [(path.stem.partition("_"), path) for path in paths]
    return sorted(
        (Migration(version, name, path) for (version, _, name), path in parted), key=lambda found: found.version
    )


def table_exists(connection: Connection, table: str) -> bool:
    return bool(
        database.one(
            connection,
            "SELECT 1 AS yes FROM pg_tables WHERE tablename = %s AND schemaname = ANY(current_schemas(false))",
            table,
        )
    )


def applied(connection: Connection) -> set[str]:
    return {row["version"] for row in database.rows(connection, "SELECT version FROM schema_migrations")}


def migrate() -> None:
    """`rails db:migrate`."""
    try:
        with database.connected() as connection:
            initialized = table_exists(connection, "schema_migrations")
    except RubyError as error:
        if error.kind != "ActiveRecord::NoDatabaseError":
            raise
        initialized = False
    if not initialized:
        _load_structure()
    with database.connected() as connection:
        _migrate_pending(connection)


def _load_structure() -> None:
    """Everything at once, through psql and without a transaction: whoever stops it leaves what it had made."""
    given = database.parameters()
    environment = {**os.environ, "PGHOST": str(given.get("host", "")), "PGPORT": str(given.get("port", 5432))}
    environment |= {"PGUSER": str(given.get("user", "")), "PGPASSWORD": str(given.get("password", ""))}
    environment |= {
        f"PG{name.upper()}": given[name] for name in ("sslmode", "sslrootcert", "sslcert", "sslkey") if name in given
    }
    command = ["psql", "--set", "ON_ERROR_STOP=1", "--quiet", "--no-psqlrc", "--output", "/dev/null"]
    command += ["--file", str(STRUCTURE), str(given.get("dbname", ""))]
    if subprocess.run(command, env=environment, check=False).returncode:
        text = "Please check the output above for any errors and make sure that `psql` is installed in your PATH"
        raise RubyError("", f"failed to execute:\n{' '.join(command)}\n\n{text} and has proper permissions.")


def _migrate_pending(connection: Connection) -> None:
    connection.execute("CREATE TABLE IF NOT EXISTS schema_migrations (version character varying NOT NULL PRIMARY KEY)")
    connection.execute(
        "CREATE TABLE IF NOT EXISTS ar_internal_metadata (key character varying NOT NULL PRIMARY KEY, "
        "value character varying, created_at timestamp(6) NOT NULL, updated_at timestamp(6) NOT NULL)"
    )
    connection.execute(
        "INSERT INTO ar_internal_metadata VALUES ('environment', 'production', now(), now()) ON CONFLICT DO NOTHING"
    )
    name = database.one(connection, "SELECT current_database() AS name")
    lock = SALT * zlib.crc32(str(name and name["name"]).encode())
    taken = database.one(connection, "SELECT pg_try_advisory_lock(%s) AS got", lock)
    if not (taken and taken["got"]):
        text = "Cannot run migrations because another migration process is currently running."
        raise RubyError("ActiveRecord::ConcurrentMigrationError", f"\n\n{text}\n\n")
    done = applied(connection)
    target = os.environ.get("VERSION") or "9"
    for migration in known():
        if migration.version not in done and migration.version <= target:
            _run(connection, migration)


def _run(connection: Connection, migration: Migration) -> None:
    title = f"{migration.version} {migration.name}"
    print(f"Migrating to {migration.name} ({migration.version})")
    print(f"== {title}: migrating ".ljust(79, "="), flush=True)
    started = time.monotonic()
    try:
        faults.before(connection, migration)
        if migration.transactional:
            with connection.transaction():
                connection.execute(migration.sql)
                _record(connection, migration)
        else:
            for statement in migration.sql.split(";\n"):
                connection.execute(statement)
            _record(connection, migration)
    except psycopg.Error as error:
        refused = database.statement_invalid(error)
        those = "this and all later migrations" if migration.transactional else "all later migrations"
        text = f"An error has occurred, {those} canceled:\n\n{refused.message}"
        raise RubyError("StandardError", text, refused) from error
    print(f"== {title}: migrated ({time.monotonic() - started:.4f}s) ".ljust(79, "="), flush=True)


def _record(connection: Connection, migration: Migration) -> None:
    connection.execute("INSERT INTO schema_migrations (version) VALUES (%s)", [migration.version])


def status() -> None:
    """`rails db:migrate:status`."""
    with database.connected() as connection:
        if not table_exists(connection, "schema_migrations"):
            raise RubyError("", "Schema migrations table does not exist yet.")
        done = applied(connection)
    print("\n Status   Migration ID    Migration Name\n" + "-" * 50)
    for migration in known():
        print(f"{'up' if migration.version in done else 'down':^9} {migration.version:14}  {migration.name}")
    print()


def structure() -> str:
    """The structure file of this release: what was there is dropped, then all is made, with the versions last."""
    migrations = known()
    bodies = [migration.structure for migration in migrations]
    everything = "\n".join(bodies)
    pause = "SELECT pg_catalog.pg_sleep(0.07);"
    lines = [
        "-- Made when the image was built. The pauses stand for the real file's 20,000 lines.",
        "SET statement_timeout = 0;",
    ]
    lines += [
        f"DROP TABLE IF EXISTS public.{name} CASCADE;" for name in re.findall(r"CREATE TABLE public\.(\w+)", everything)
    ]
    lines += ["DROP TABLE IF EXISTS public.schema_migrations;"]
    lines += [f"DROP TYPE IF EXISTS public.{name};" for name in re.findall(r"CREATE TYPE public\.(\w+)", everything)]
    lines += ["DROP EXTENSION IF EXISTS pg_partman;"]
    for index, body in enumerate(bodies):
        lines += [pause, body.strip()]
        if index == len(bodies) // 4:
            lines += ["CREATE TABLE public.schema_migrations (version character varying NOT NULL PRIMARY KEY);"]
    values = ",\n".join(f"('{migration.version}')" for migration in reversed(migrations))
    return "\n".join([*lines, pause, f"INSERT INTO public.schema_migrations (version) VALUES\n{values};", ""])


if __name__ == "__main__":
    STRUCTURE.parent.mkdir(parents=True, exist_ok=True)
    STRUCTURE.write_text(structure())
