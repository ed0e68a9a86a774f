# SPDX-License-Identifier: GPL-3.0-or-later
"""Behind a pooler, Sentinels, TLS and awkward passwords all works, and nothing of it runs on the server itself."""

from __future__ import annotations

import base64

from outside.deployment import password
from outside.lifecycle import done, refused
from outside.services import ACCOUNTS, EMAIL, REGISTRY, URL, Connected, until

TEST_MAIL = "selfhosted.lago.test_mail"
TO = "bob@services.test"


def login() -> str:
    """As Docker keeps it."""
    account = ACCOUNTS["registry"]
    return base64.b64encode(f"{account['user']}:{account['password']}".encode()).decode()


def processed(lago: Connected) -> int:
    return int(lago.redis(lago.master(), "GET", "stat:processed") or 0)


def test_a_registry_that_lets_nobody_in_is_quoted(lago: Connected) -> None:
    refused(lago.run(lago_registry_password="not-this-one"), "lago_registry_password", "unauthorized")
    assert lago.containers() == {}


def test_it_is_deployed_for_a_role_without_any_right(lago: Connected) -> None:
    said = done(lago.run("-vvv")).output
    assert {name.split("-")[1] for name in lago.containers()} == {"api", "clock", "front", "pdf", "proxy", "worker"}
    assert lago.ask("SELECT rolcreatedb, rolsuper, rolcreaterole FROM pg_roles WHERE rolname = 'lago'") == "f|f|f"
    assert lago.ask("SELECT count(*) FROM partman.part_config") == "1"
    assert f"The redirect URI to register with Google: {URL}/auth/google/callback" in said
    assert ACCOUNTS["registry"]["password"] not in said
    assert login() not in said


def test_every_image_came_from_there_and_the_login_is_roots(lago: Connected) -> None:
    images = lago.shell("docker", "ps", "--format", "{{.Image}}").split()
    assert {image.partition("/")[0] for image in images} == {REGISTRY}
    places = ("/etc", "/opt", "/root", "/run", "/srv", "/tmp", "/var/lib/docker/containers", "/var/log", "/var/tmp")
    words = ("-e", login(), "-e", ACCOUNTS["registry"]["password"])
    holding = lago.shell("grep", "-rlsF", "--devices=skip", *words, *places, check=False).split()
    assert holding == ["/opt/lago/docker/config.json"]
    assert lago.shell("stat", "-c", "%a %U", "/opt/lago", *holding).splitlines() == ["700 root", "600 root"]


def test_it_bills_and_jobs_go_through_the_queue(lago: Connected) -> None:
    before = processed(lago)
    assert float(lago.user(URL).meter(lago.key, units=3)["units"]) == 3.0
    until(lambda: processed(lago) > before)


def test_a_file_of_the_worker_is_read_by_the_api(lago: Connected) -> None:
    lago.file_comes_back()
    assert lago.there("find", "/srv/s3/lago", "-name", "payload.json.gz").count("payload") >= 1


def test_a_mail_arrives(lago: Connected) -> None:
    lago.mail_arrives()


def test_a_mail_is_sent_on_request_and_what_a_relay_refuses_is_quoted(lago: Connected) -> None:
    done(lago.run(playbook=TEST_MAIL, lago_test_mail_to=TO))
    assert f"To: {TO}" in lago.mails()
    assert f"Subject: Test mail of {URL}" in lago.mails()
    account = "/srv/accounts.json"
    lago.there("sh", "-c", f"cp {account} {account}.kept && sed -i 's/s:m@t/another/' {account}")
    try:
        lago.there("systemctl", "restart", "services-smtp")
        run = lago.run(playbook=TEST_MAIL, lago_test_mail_to=TO)
        refused(run, "lago_smtp_password", "535", "No mail was sent")
        assert ACCOUNTS["smtp"]["password"] not in run.output
    finally:
        lago.there("sh", "-c", f"mv {account}.kept {account} && systemctl restart services-smtp")


def test_the_cache_is_used(lago: Connected) -> None:
    """By the user that the ACL knows, over TLS."""
    assert lago.cache_hits() > 0


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
