# SPDX-License-Identifier: GPL-3.0-or-later
"""What a release wants done before it is left, and releases that are broken on purpose."""

from __future__ import annotations

import pytest
from contract.standin_bed import Bed, until

JOBS = ["bundle", "exec", "rails", "upgrade:perform_required_jobs"]
MIGRATE = ["bundle", "exec", "rails", "db:migrate"]
CODELESS = "SELECT count(*) FROM charges WHERE code IS NULL"
#: A charge as an older release had made it.
CHARGE = """
WITH o AS (INSERT INTO organizations (name, created_at, updated_at) VALUES ('Up', now(), now()) RETURNING id),
m AS (INSERT INTO billable_metrics (organization_id, name, code, aggregation_type, created_at, updated_at)
  SELECT id, 'm', 'm', 'sum_agg', now(), now() FROM o RETURNING id),
p AS (INSERT INTO plans (organization_id, name, code, "interval", amount_cents, amount_currency, created_at, updated_at)
  SELECT id, 'p', 'p', 'monthly', 0, 'EUR', now(), now() FROM o RETURNING id)
INSERT INTO charges (plan_id, billable_metric_id, charge_model, created_at, updated_at)
  SELECT p.id, m.id, 'standard', now(), now() FROM p, m
"""


@pytest.mark.parametrize("release", ["v1.42.0"])
def test_required_jobs_are_done_by_a_worker_alone(bed: Bed, release: str) -> None:
    database, queue = bed.copy("required", f"roles-{release}"), {"REDIS_URL": "redis://redis:6379/7"}
    bed.sql(CHARGE, database)
    alone = bed.lago("required-alone", JOBS, database, release, **queue)
    until("a second look", lambda: alone.logs().decode().count("1 remaining") > 1, 30)
    alone.kill()
    assert bed.sql(CODELESS, database) == "1"
    worker = bed.lago("required-worker", ["./scripts/start.worker.sh"], database, release, **queue)
    status, said = bed.finish(bed.lago("required", JOBS, database, release, **queue))
    worker.kill()
    assert (status, bed.sql(CODELESS, database)) == (0, "0")
    assert "All good, ready to Upgrade!" in said


def test_without_them_the_next_release_never_migrates(bed: Bed) -> None:
    database = bed.copy("skipped", "roles-v1.42.0")
    bed.sql(CHARGE, database)
    for attempt in (1, 2):
        status, said = bed.finish(bed.lago(f"skipped-{attempt}", MIGRATE, database, "v1.44.0"))
        assert status == 1
        assert 'check constraint "charges_code_not_null" of relation "charges" is violated by some row' in said


@pytest.mark.parametrize(
    "tasks",
    [
        ["migrations:wallet_traceability", "DRY_RUN=false"],
        [f"migrations:backfill_{name}_payment_methods" for name in ("stripe", "adyen", "gocardless", "moneyhash")],
        ["upgrade:perform_required_jobs"],
    ],
)
def test_where_nothing_is_to_be_done_a_task_ends_at_once(bed: Bed, tasks: list[str]) -> None:
    database = bed.copy(f"nothing-{len(tasks)}", "roles-v1.50.0")
    status, said = bed.finish(
        bed.lago(f"nothing-{len(tasks)}", ["bundle", "exec", "rails", *tasks], database, "v1.50.0")
    )
    assert status == 0, said


def broken(bed: Bed, fault: str) -> str:
    database = bed.copy(fault, "roles-v1.50.0")
    bed.sql("CREATE SCHEMA standin; CREATE TABLE standin.faults (release text, fault text)", database)
    bed.sql(f"INSERT INTO standin.faults VALUES ('v1.51.0', '{fault}')", database)
    return database


@pytest.mark.parametrize(("fault", "left"), [("migration_fails", "f"), ("migration_fails_half", "t")])
def test_a_migration_that_fails(bed: Bed, fault: str, left: str) -> None:
    database = broken(bed, fault)
    status, said = bed.finish(bed.lago(fault.replace("_", "-"), MIGRATE, database))
    assert (status, "what_nobody_made" in said) == (1, True)
    assert bed.sql("SELECT to_regclass('payment_provider_customers') IS NOT NULL", database) == left
    status, said = bed.finish(bed.lago(f"{fault.replace('_', '-')}-older", MIGRATE, database, "v1.50.0"))
    assert status == 0, "only the release that is named is broken"


def test_a_migration_that_is_killed(bed: Bed) -> None:
    status, _said = bed.finish(bed.lago("dies", MIGRATE, broken(bed, "migration_dies")))
    assert status == 137


def test_an_api_that_does_not_get_well(bed: Bed) -> None:
    api = bed.api("unwell", database=broken(bed, "unhealthy"))
    assert api.ask("GET", "/health").status == 500
    api.container.kill()
