# SPDX-License-Identifier: GPL-3.0-or-later
"""Down, removed, there again without TLS, and gone for good: from whatever state it is in."""

from __future__ import annotations

from typing import Any

from outside.lago_user import LagoUser
from outside.lifecycle import LONG_RUNNING, ORGANIZATION, Lifecycle, done, refused

FOR_GOOD: dict[str, Any] = {"lago_remove_data": True, "lago_remove_confirm": "lago"}
VOLUMES = {f"lago_{name}" for name in ("db-data", "redis-data", "storage", "proxy-data", "proxy-config")}


def listed(lago: Lifecycle, kind: str) -> set[str]:
    return set(lago.docker(kind, "ls", "-q", "--filter", "label=com.docker.compose.project=lago").split())


def files(lago: Lifecycle) -> set[str]:
    return set(lago.shell("find", lago.directory, "-mindepth", "1", "-printf", "%P\n").split())


def test_down_stops_everything_and_keeps_the_data(lago: Lifecycle) -> None:
    """Here without the compose file, as after a removal that was broken off, and with a container that was run once."""
    before, key, there = lago.ids(), lago.key, files(lago)
    assert done(lago.stack("down", check=True)).recap["changed"] == 1
    assert lago.ids() == before
    lago.compose("--profile", "migrate", "run", "-d", "--no-deps", "--name", "lago-migrate", "migrate", "sleep", "600")
    lago.shell("mv", f"{lago.directory}/compose.yml", "/root/compose.yml")
    done(lago.stack("down"))
    lago.shell("mv", "/root/compose.yml", f"{lago.directory}/compose.yml")
    assert (lago.containers(), listed(lago, "network"), files(lago)) == ({}, set(), there)
    assert set(lago.docker("volume", "ls", "-q").split()) == VOLUMES
    assert done(lago.stack("down")).recap["changed"] == 0
    assert lago.key == key


def test_it_is_there_again_this_time_without_tls(lago: Lifecycle) -> None:
    key = lago.key
    done(lago.stack("main", "verify", lago_tls_mode="none", lago_bind_addresses=[lago.address]))
    assert lago.running() == LONG_RUNNING
    member = LagoUser("http://billing.example.com", connect_to=lago.address)
    assert member.rest("GET", "organizations", key).json["organization"]["name"] == ORGANIZATION
    assert 'window.API_URL = "http://billing.example.com"' in member.request("GET", "/env-config.js").text
    assert "LAGO_DISABLE_SSL=true" in lago.inside("api", "env")
    assert not lago.shell("ss", "-ltnH", "sport = :443").strip()


def test_remove_keeps_data_and_secrets(lago: Lifecycle) -> None:
    there = files(lago)
    assert done(lago.stack("remove", check=True)).recap["changed"] > 0
    assert (lago.running(), files(lago)) == (LONG_RUNNING, there)
    done(lago.stack("remove"))
    assert (lago.containers(), listed(lago, "network")) == ({}, set())
    assert files(lago) == {"secrets.json", "api_key.json", "migrated.json"}
    assert set(lago.docker("volume", "ls", "-q").split()) == VOLUMES
    assert done(lago.stack("remove")).recap["changed"] == 0


def test_it_is_there_again_as_it_was(lago: Lifecycle) -> None:
    key = lago.key
    done(lago.run())  # verified over TLS by its last task
    assert lago.key == key
    assert lago.member().rest("GET", "organizations", key).json["organization"]["name"] == ORGANIZATION
    assert "LAGO_DISABLE_SSL" not in lago.inside("api", "env")
    assert lago.sql("SELECT (SELECT count(*) FROM users) || ' ' || (SELECT count(*) FROM organizations)") == "1 1"


def test_nothing_of_it_is_left_when_data_is_to_go(lago: Lifecycle) -> None:
    """Once more from a state in which a part is gone already."""
    images = lago.docker("image", "ls", "-q")
    lago.shell("rm", "-r", f"{lago.directory}/compose.yml", f"{lago.directory}/env")
    assert done(lago.stack("remove", check=True, lago_remove_data=True)).recap["changed"] > 0
    assert (lago.running(), lago.exists(f"{lago.directory}/secrets.json")) == (LONG_RUNNING, True)
    for confirm in ("", "somebody-elses"):
        removal = lago.stack("remove", lago_remove_data=True, lago_remove_confirm=confirm)
        refused(removal, "say lago_remove_confirm: lago too")
        assert (lago.running(), lago.exists(f"{lago.directory}/secrets.json")) == (LONG_RUNNING, True)
    done(lago.stack("remove", **FOR_GOOD))
    assert lago.containers() == {}
    assert lago.docker("volume", "ls", "-q") == ""
    assert listed(lago, "network") == set()
    assert not lago.exists(lago.directory)
    assert lago.docker("image", "ls", "-q") == images
    for check in (True, False):
        assert done(lago.stack("remove", check=check, **FOR_GOOD)).recap["changed"] == 0
    assert not lago.exists(lago.directory)
