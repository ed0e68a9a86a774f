# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys that encrypt are never changed under data; passwords are, and nothing but what uses them notices."""

from __future__ import annotations

import secrets

from outside.lifecycle import Lifecycle, done, refused

SECRETS = "/opt/lago/secrets.json"


def test_another_encryption_key_is_refused_under_data(lago: Lifecycle) -> None:
    """By the whole, and by a verb that is entered alone; a person is told once."""
    before, kept = lago.ids(), lago.read(SECRETS)
    for verb in ("main", "render"):
        run = lago.stack(verb, lago_encryption_primary_key=secrets.token_hex(32))
        refused(run, "lago_encryption_primary_key is not the key that was in use", "holds 1 organization", "Remove")
        assert (run.output.count("=== Lago: FAILED ="), run.output.count("\nWhere    ")) == (1, 1), run.output
        assert (run.recap["changed"], lago.ids(), lago.read(SECRETS)) == (0, before, kept)


def test_secrets_that_are_lost_are_not_made_anew_under_data(lago: Lifecycle) -> None:
    before = lago.ids()
    lago.shell("mv", SECRETS, f"{SECRETS}.kept")
    try:
        run = refused(lago.stack(), f"{SECRETS} lacks", "holds 1 organization", "Put the file back from a backup")
        assert (run.recap["changed"], lago.ids(), lago.exists(SECRETS)) == (0, before, False)
    finally:
        lago.shell("mv", f"{SECRETS}.kept", SECRETS)
    assert done(lago.run()).recap["changed"] == 0


def test_passwords_can_be_given_later(lago: Lifecycle) -> None:
    """By a run that was killed once the files were written, and by the next one."""
    old = lago.inside("db", 'printf %s "$POSTGRES_PASSWORD"')
    before, rows = lago.ids(), lago.rows()
    assert lago.enters(old)
    given = {name: f"{secrets.token_urlsafe(16)} $it's/@#%\\ü" for name in ("postgres", "redis", "redis_cache")}
    lago.variables |= {f"lago_{name}_password": value for name, value in given.items()}
    done(lago.stack("render"))
    run = done(lago.stack())
    assert (lago.enters(given["postgres"]), lago.enters(old)) == (True, False)
    assert not any(value in run.output for value in given.values())
    done(lago.stack("verify"))
    unchanged = {name for name, one in lago.ids().items() if before[name] == one}
    assert unchanged == {"front", "pdf", "proxy"}
    assert lago.rows() == rows


def test_a_password_that_the_database_lost_is_set_again(lago: Lifecycle) -> None:
    before = lago.ids()
    lago.sql("ALTER ROLE lago PASSWORD 'by-hand'")
    done(lago.stack())
    assert lago.enters(lago.variables["lago_postgres_password"])
    assert lago.ids() == before
