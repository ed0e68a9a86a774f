# SPDX-License-Identifier: GPL-3.0-or-later
"""From v1.42.0 through every stop to v1.51.0, with data of an older release and somebody who sends events meanwhile."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from outside.deployment import password
from outside.lago_user import ME, LagoUser
from outside.lifecycle import EMAIL, LONG_RUNNING, Lifecycle, done, refused
from outside.writer import Writer

TARGET = "v1.51.0"
ADYEN = "mutation add($input: AddAdyenPaymentProviderInput!) { addAdyenPaymentProvider(input: $input) { id } }"
PROVIDERS = "query { paymentProviders { collection { ... on AdyenProvider { code apiKey merchantAccount } } } }"
INVOICE = "/app/storage/ab/cd/invoice"


def code(lago: Lifecycle) -> str:
    """What a metric and a subscription are called."""
    return lago.sql("SELECT external_id FROM subscriptions ORDER BY created_at LIMIT 1")


def asked(user: LagoUser, query: str, variables: Any = None) -> Any:
    """What the administrator gets in the pages of the organization."""
    token = user.login(EMAIL, password("upgrade")) or ""
    me = user.graphql(ME, token=token)["data"]["currentUser"]
    return user.graphql(query, variables, token, me["memberships"][0]["organization"]["id"])["data"]


def providers(user: LagoUser) -> Any:
    """What is stored encrypted, read back."""
    return asked(user, PROVIDERS)["paymentProviders"]["collection"]


def test_an_earlier_release_of_this_collection_deployed_an_older_release_of_lago(
    lago: Lifecycle, earlier: Path
) -> None:
    now, lago.collections = lago.collections, earlier
    done(lago.run())
    lago.collections = now
    user = lago.member()
    user.meter(lago.key, units=3)
    provider = {"apiKey": "canary-adyen", "code": "adyen", "merchantAccount": "acme", "name": "Adyen"}
    assert asked(user, ADYEN, {"input": provider})["addAdyenPaymentProvider"]["id"]
    lago.inside("api", f"mkdir -p {Path(INVOICE).parent} && head -c 300000 /dev/urandom > {INVOICE}")
    # Made by a release that knew none.
    lago.sql("UPDATE charges SET code = NULL")


def test_the_plan_is_shown_and_nothing_is_changed(lago: Lifecycle) -> None:
    before = lago.ids()
    run = done(lago.run("--check", playbook="selfhosted.lago.upgrade", lago_version=TARGET))
    said = " ".join(run.output.split())
    assert "1. v1.42.0" in said and "2. v1.44.0" in said and "3. v1.45.2" in said and "5. v1.51.0" in said
    assert "It is walked once lago_upgrade_confirm is v1.51.0" in said
    assert (lago.ids(), lago.exists("/opt/lago/upgrade.json"), lago.exists("/opt/lago/program")) == (
        before,
        False,
        False,
    )


def test_a_way_through_stops_is_confirmed_or_refused(lago: Lifecycle) -> None:
    before = lago.ids()
    refused(lago.run(lago_version=TARGET), "set lago_upgrade_confirm to v1.51.0", "v1.44.0, v1.45.2, v1.50.0")
    refused(lago.run(lago_version=TARGET, lago_upgrade_path="refuse"), "lago_upgrade_path is refuse")
    assert lago.ids() == before


def test_a_stop_that_was_passed_over_by_hand_is_recognised(lago: Lifecycle) -> None:
    """As people do: another image, its migrations, up. They fail, and the newer release serves on what they left."""
    compose = "/opt/lago/compose.yml"
    lago.shell("cp", "-a", compose, f"{compose}.before")
    lago.shell("sed", "-i", f"s|getlago/api:v1.42.0|getlago/api:{TARGET}|", compose)
    lago.shell("docker", "compose", "-f", compose, "run", "--rm", "migrate", check=False)
    lago.compose("up", "--detach", "--no-deps", "--wait", "api")
    user = lago.member()
    assert user.request("GET", "/health").json["version"] == TARGET
    assert user.rest("GET", "organizations", lago.key).status == 500
    refused(lago.run(lago_version=TARGET), "The database is of v1.42.0 and on its way to a newer release")
    lago.shell("mv", f"{compose}.before", compose)


def test_every_stop_is_gone_through_and_no_event_is_lost(lago: Lifecycle) -> None:
    lago.compose("up", "--detach", "--no-deps", "--wait", "api")
    before, key, sent, invoice = lago.rows(), lago.key, code(lago), lago.inside("api", f"sha256sum {INVOICE}")
    read = providers(lago.member())
    assert read[0]["apiKey"]
    lago.variables["lago_version"] = TARGET
    with Writer(lago.member(), key, sent) as writer:
        run = done(lago.run(lago_upgrade_confirm=TARGET))
    assert "Lago was upgraded from v1.42.0 to v1.51.0. Nobody reached it for" in " ".join(run.output.split())
    stored = set(lago.sql("SELECT transaction_id FROM events").split())
    assert writer.acknowledged and set(writer.acknowledged) <= stored
    assert 503 in writer.seen and not {404, 500, 502} & writer.seen, "whoever asked meanwhile was told to come again"
    for asked, kind in (("program", "application/json"), ("person", "text/html")):
        answer = writer.told[asked]
        assert (answer.status, answer.headers["retry-after"]) == (503, "60")
        assert answer.headers["content-type"].startswith(kind)
    assert lago.sql("SELECT count(*) FROM charges WHERE code IS NULL") == "0"
    user = lago.member()
    assert user.request("GET", "/health").json["version"] == TARGET
    assert lago.key == key and user.rest("GET", "billable_metrics", key).status == 200
    assert lago.rows().split()[:7] == before.split()[:7]
    assert (providers(user), lago.inside("api", f"sha256sum {INVOICE}")) == (read, invoice)
    assert lago.running() == LONG_RUNNING and not lago.exists("/opt/lago/upgrade.json")
    print(f"closed for {writer.closed_seconds:.0f} s; {len(writer.acknowledged)} events")


def test_its_backup_is_of_the_release_that_ran_and_can_be_gone_back_to(lago: Lifecycle) -> None:
    (name,) = (one for one in lago.shell("ls", "/var/backups/lago").split() if one.endswith("-upgrade"))
    said = json.loads(lago.read(f"/var/backups/lago/{name}/manifest.json"))
    assert (said["versions"]["api"], said["recipients"]) == ("v1.42.0", [])
    assert {"database", "queue", "storage", "deployment"} <= set(said["parts"])


def test_nothing_complains(lago: Lifecycle) -> None:
    for service in ("api", "worker", "clock", "front"):
        lines = lago.docker("logs", f"lago-{service}-1").splitlines()
        assert [line for line in lines if re.search(r"\b(ERROR|FATAL)\b|Traceback", line)] == []


def test_a_further_run_changes_nothing(lago: Lifecycle) -> None:
    assert done(lago.stack()).recap["changed"] == 0
