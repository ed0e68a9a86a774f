# SPDX-License-Identifier: GPL-3.0-or-later
"""The two ways of a first migration, and what is left when one is stopped."""

from __future__ import annotations

import pytest
from contract.standin_bed import NEWEST, Bed, until

MIGRATE = ["bundle", "exec", "rails", "db:migrate"]
COLUMNS = "SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns"
EXISTS = "SELECT to_regclass('public.%s') IS NOT NULL"


def versions(bed: Bed, database: str) -> int:
    return int(bed.sql("SELECT count(*) FROM schema_migrations", database))


def test_step_by_step_configures_the_partitions(bed: Bed) -> None:
    database = f"bare-{NEWEST}"
    assert versions(bed, database) == 33
    assert bed.sql("SELECT parent_table FROM partman.part_config", database) == "public.enriched_events"
    children = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'enriched_events'::regclass"
    assert bed.sql(children, database) == "29", "28 months and what falls outside of them"


def test_the_structure_file_makes_the_same_and_leaves_partman_alone(bed: Bed) -> None:
    database = bed.copy("structure")
    status, said = bed.finish(bed.lago("structure", MIGRATE, database))
    assert status == 0, said
    assert "migrating" not in said
    assert versions(bed, database) == 33
    assert bed.sql("SELECT count(*) FROM partman.part_config", database) == "0"
    loaded, stepped = (
        {
            line
            for line in bed.sql(f"{COLUMNS} WHERE table_schema = 'public'", name).splitlines()
            if not line.startswith(("enriched_events_p", "template_"))
        }
        for name in (database, f"bare-{NEWEST}")
    )
    assert loaded == stepped


def test_a_killed_load_cannot_be_mended(bed: Bed) -> None:
    database = bed.copy("killed")
    first = bed.lago("killed-1", MIGRATE, database)
    until("the table of versions", lambda: bed.sql(EXISTS % "schema_migrations", database) == "t")
    first.kill()
    until(
        "the server to notice",
        lambda: bed.sql("SELECT count(*) FROM pg_stat_activity WHERE datname = 'killed'", "postgres") == "0",
    )
    assert versions(bed, database) == 0
    for number in (2, 3):
        status, said = bed.finish(bed.lago(f"killed-{number}", MIGRATE, database))
        assert status == 1
        assert 'type "billable_metric_rounding_function" already exists' in said


def test_two_loads_at_once_are_not_kept_apart(bed: Bed) -> None:
    database = bed.copy("twice")
    both = [bed.lago(f"twice-{number}", MIGRATE, database) for number in (1, 2)]
    assert 1 in [bed.finish(one)[0] for one in both]


@pytest.mark.parametrize(("table", "mended"), [("billable_metrics", True), ("memberships", False)])
def test_killed_steps_go_on_but_for_the_one_without_a_transaction(bed: Bed, table: str, mended: bool) -> None:
    database = bed.prepare(f"steps-{table}")
    first = bed.lago(f"{table.replace('_', '-')}-1", MIGRATE, database)
    half = "SELECT count(*) FROM information_schema.columns WHERE column_name = 'document_number_prefix'"
    condition = EXISTS % table if mended else half
    until("the moment", lambda: bed.sql(condition, database) in ("t", "1"), 30)
    first.kill()
    gone = f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{database}'"
    until("the server to notice", lambda: bed.sql(gone, "postgres") == "0")
    status, said = bed.finish(bed.lago(f"{table.replace('_', '-')}-2", MIGRATE, database))
    assert (status == 0) is mended, said
    assert mended or 'column "document_number_prefix" of relation "organizations" already exists' in said


def test_one_migration_at_a_time(bed: Bed) -> None:
    database = bed.prepare("locked")
    first = bed.lago("locked-1", MIGRATE, database)
    until("the first", lambda: versions(bed, database) > 0, 30)
    status, said = bed.finish(bed.lago("locked-2", MIGRATE, database))
    assert status == 1
    assert "ActiveRecord::ConcurrentMigrationError" in said
    first.kill()


def test_an_older_release_does_not_notice(bed: Bed) -> None:
    database = bed.copy("older", f"roles-{NEWEST}")
    status, said = bed.finish(bed.lago("older", [*MIGRATE, "roles:seed_predefined"], database, "v1.50.0"))
    assert (status, "migrating" in said) == (0, False)
    assert versions(bed, database) == 33


def test_an_upgrade_keeps_the_rows(bed: Bed) -> None:
    database = bed.copy("upgrade", "roles-v1.50.0")
    api = bed.api("upgrade-old", database=database, release="v1.50.0")
    assert api.register("kept@example.com", "Kept").status == 200
    api.container.kill()
    assert bed.finish(bed.lago("upgrade", MIGRATE, database))[0] == 0
    key = bed.sql("SELECT value FROM api_keys", database)
    api = bed.api("upgrade-new", database=database)
    answer = api.ask("GET", "/api/v1/organizations", {"Authorization": f"Bearer {key}"})
    assert answer.body["organization"]["name"] == "Kept"
    api.container.kill()
