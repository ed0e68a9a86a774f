# SPDX-License-Identifier: GPL-3.0-or-later
"""PostgreSQL: one moment of the database, dumped; and a dump brought back beside what is there, then in its place."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import typing as t

from lago_backup.tools import Refused, Settings, run

_COUNT = (
    "CASE WHEN to_regclass('public.{table}') IS NOT NULL THEN (xpath('/row/n/text()', query_to_xml("
    "'SELECT count(*) AS n FROM public.{table}', false, true, '')))[1]::text::bigint END"
)
#: On one line, because its answer is read as one. Sizes without indexes, which no dump holds.
FACTS = (
    "SELECT json_build_object('major', current_setting('server_version_num')::int / 10000, "
    "'tables', (SELECT count(*) FROM pg_tables WHERE schemaname = 'public'), "
    "'bytes', (SELECT coalesce(sum(pg_table_size(c.oid)), 0)::bigint FROM pg_class c "
    "JOIN pg_namespace n ON n.oid = relnamespace WHERE relkind IN ('r', 'm') "
    "AND nspname NOT IN ('pg_catalog', 'information_schema')), "
    "'extensions', (SELECT json_object_agg(extname, extversion) FROM pg_extension), "
    f"'migrations', {_COUNT.format(table='schema_migrations')}, "
    "'last_migration', CASE WHEN to_regclass('public.schema_migrations') IS NOT NULL THEN (xpath('/row/m/text()', "
    "query_to_xml('SELECT max(version) AS m FROM public.schema_migrations', false, true, '')))[1]::text END, "
    f"'organizations', {_COUNT.format(table='organizations')}, 'users', {_COUNT.format(table='users')})"
)
#: What a restored database must have in common with the dumped one.
_SAME = ("tables", "migrations", "last_migration", "organizations", "users")

Facts = t.Dict[str, t.Any]  # noqa: UP006 - Python 3.9


def command(settings: Settings, program: str, database: str | None, *arguments: str) -> list[str]:
    """Return the command that runs a program of PostgreSQL, in the place where the database can be reached."""
    chosen = ["--dbname", database] if database else []
    return [*settings.postgres["client"], program, "--username", settings.postgres["user"], *chosen, *arguments]


def _psql(settings: Settings, database: str, *arguments: str) -> list[str]:
    quiet = ("--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--set", "ON_ERROR_STOP=1")
    return command(settings, "psql", database, *quiet, *arguments)


def sql(settings: Settings, statements: str, database: str = "postgres") -> str:
    """Run statements, each by itself, and return what they say."""
    return run("The database refused", _psql(settings, database), statements.encode("utf-8")).strip()


def facts(settings: Settings, database: str) -> Facts:
    """Return what is in a database, in numbers."""
    return t.cast("Facts", json.loads(sql(settings, f"{FACTS};\n", database)))


@contextlib.contextmanager
def moment(settings: Settings) -> t.Iterator[tuple[str, Facts]]:
    """Hold a moment of the database: yields the snapshot, by which it can be dumped, and the facts of it."""
    begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL idle_in_transaction_session_timeout = 0;"
    session = subprocess.Popen(
        _psql(settings, settings.postgres["database"]),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert session.stdin and session.stdout and session.stderr  # noqa: S101 - they were asked for
        with contextlib.suppress(BrokenPipeError):
            session.stdin.write(f"{begin}\nSELECT pg_export_snapshot();\n{FACTS};\n")
            session.stdin.flush()
        snapshot, found = session.stdout.readline().strip(), session.stdout.readline().strip()
        if not found:
            raise Refused(f"The database cannot be asked: {' '.join(session.stderr.read().split())}")
        yield snapshot, json.loads(found)
    finally:
        session.kill()
        session.communicate()


def major(what: str, argv: list[str]) -> int:
    """Return the major version that a program of PostgreSQL says it is of."""
    said = run(what, [*argv, "--version"])
    match = re.search(r"\) (\d+)", said)
    if not match:
        raise Refused(f"{what}: {said.strip()!r} tells no version.")
    return int(match.group(1))


def dump(settings: Settings, snapshot: str, server: int, path: str) -> None:
    """Dump the moment into a file, and see that it can be read.

    :param server: its major version.
    :raises Refused: among others for a client that is older than the server.
    """
    client = major("The database cannot be dumped", [*settings.postgres["client"], "pg_dump"])
    if client < server:
        raise Refused(
            f"pg_dump is of PostgreSQL {client} and the server of {server}, which an older client cannot dump: set "
            f"lago_postgres_image to one of PostgreSQL {server} or newer."
        )
    options = ("--format=custom", f"--snapshot={snapshot}", "--no-password")
    with open(path, "xb") as file:
        run(
            "The database cannot be dumped",
            command(settings, "pg_dump", settings.postgres["database"], *options),
            stdout=file,
        )
    with open(path, "rb") as file:
        listed(run("The dump cannot be read", [*settings.postgres["client"], "pg_restore", "--list"], file))


def listed(contents: str) -> None:
    """See that a dump holds tables, by its list of contents."""
    if " TABLE DATA " not in contents:
        raise Refused("The dump holds no table: it is not kept.")


def rehearse(settings: Settings, path: str, wanted: Facts) -> None:
    """Restore a dump into a database of its own, compare it, and remove it again."""
    scratch = f"{settings.postgres['database']}_rehearsal"
    _drop(settings, scratch)
    try:
        _fill(settings, path, scratch, wanted, make=True)
    finally:
        _drop(settings, scratch)


def fit(settings: Settings, major: int) -> None:
    """See that a server of the operator's own takes a dump.

    :param major: of the server that was dumped.
    :raises Refused: when it cannot be asked, is older, or holds something beside which nothing can be made.
    """
    name, user = settings.postgres["database"], settings.postgres["user"]
    found = facts(settings, name)
    if found["major"] < major:
        raise Refused(
            f"The backup is of PostgreSQL {major}, and your own server is PostgreSQL {found['major']}: restore to one "
            f"of PostgreSQL {major} or newer. Nothing was changed."
        )
    right = "SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user;\n"
    if found["tables"] and sql(settings, right) != "t":
        raise Refused(
            f"Database {name} of your own server is not empty, and its user may make no other one beside it: ALTER "
            f'ROLE "{user}" CREATEDB there, or name an empty database. Nothing was changed.'
        )


def bring(settings: Settings, path: str, wanted: Facts, since: str) -> str | None:
    """Put the dumped database in the place of what is there.

    An empty one is filled in one transaction. Any other stays as it is until the dumped one stands beside it, whole;
    then both change names in one transaction.

    :param since: when the restore began, which names what is set aside.
    :returns: the database that was set aside, if one was.
    """
    name = settings.postgres["database"]
    if facts(settings, name)["tables"] == 0:
        _fill(settings, path, name, wanted, make=False)
        return None
    beside, aside = f"{name}_restored", f"{name}_before_{since}"
    _drop(settings, beside)
    try:
        _fill(settings, path, beside, wanted, make=True)
    except Refused:
        _drop(settings, beside)
        raise
    known = sql(settings, f"SELECT count(*) FROM pg_database WHERE datname = '{aside}';\n")
    # A second try of a restore that was broken off: what is there now is the first one's.
    goes = aside if known == "0" else f"{name}_discarded"
    _drop(settings, f"{name}_discarded")
    ends = "".join(
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{one}';\n" for one in (name, beside)
    )
    names = f'ALTER DATABASE "{name}" RENAME TO "{goes}";\nALTER DATABASE "{beside}" RENAME TO "{name}";'
    sql(settings, f"{ends}BEGIN;\n{names}\nCOMMIT;\n")
    _drop(settings, f"{name}_discarded")
    return aside


def _drop(settings: Settings, database: str) -> None:
    sql(settings, f'SET client_min_messages = warning;\nDROP DATABASE IF EXISTS "{database}" WITH (FORCE);\n')


def _fill(settings: Settings, path: str, database: str, wanted: Facts, make: bool) -> None:
    """Restore a dump into an empty database in one transaction, and compare it."""
    if make:
        sql(settings, f'CREATE DATABASE "{database}" TEMPLATE template0;\n')
    options = ("--exit-on-error", "--single-transaction", "--no-owner", "--no-privileges", "--no-comments")
    with open(path, "rb") as file:
        run("The dump cannot be restored", command(settings, "pg_restore", database, *options), file)
    found = facts(settings, database)
    other = [f"{name} {found[name]} instead of {wanted[name]}" for name in _SAME if found[name] != wanted[name]]
    if other:
        raise Refused(f"The restored database is not the dumped one: {', '.join(other)}. It is not used.")
