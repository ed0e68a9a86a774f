# SPDX-License-Identifier: GPL-3.0-or-later
"""What does not work is named, and mended by the next run. What changes at the edge alone is not noticed by anybody."""

from __future__ import annotations

import threading
from http.client import RemoteDisconnected

from outside.lago_user import LagoUser
from outside.lifecycle import LONG_RUNNING, Lifecycle, done, refused

CADDYFILE = "/opt/lago/proxy/Caddyfile"


def reload(lago: Lifecycle) -> None:
    lago.inside("proxy", "caddy reload --config /etc/caddy/Caddyfile --adapter caddyfile")


def test_every_fault_is_named(lago: Lifecycle) -> None:
    """All at once, each in its own sentence: worker and clock stopped, and what a hand changed on the server."""
    lago.docker("stop", "lago-clock-1", "lago-worker-1")
    # What a killed CREATE INDEX CONCURRENTLY leaves.
    lago.sql("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'index_plans_on_name_gin'::regclass")
    lago.shell("sed", "-i", "s/^LAGO_DISABLE_SIGNUP=.*/LAGO_DISABLE_SIGNUP=True/", "/opt/lago/env/api.env")
    lago.shell("sed", "-i", "s/^API_URL=.*/API_URL=https:..api.example.com/", "/opt/lago/env/front.env")
    lago.compose("up", "-d", "--wait", "--no-deps", "api", "front")
    lago.shell("sed", "-i", "s# /sidekiq # #; s#path /graphql#path /sidekiq /graphql#", CADDYFILE)
    reload(lago)
    refused(
        lago.stack("verify"),
        "The service worker does not run",
        "The service clock does not run",
        "Anybody can register",
        "The front sends browsers to 'https:..api.example.com'",
        "The proxy hands to the API what is not for the public: /sidekiq",
        "No job came through Redis",
        "The database has invalid indexes",
    )


def test_a_queue_and_a_database_that_are_down_are_named(lago: Lifecycle) -> None:
    lago.docker("stop", "lago-redis-1", "lago-db-1")
    refused(lago.stack("verify"), "The service redis does not run", "The service db does not run", "unhealthy")


def test_one_run_mends_it_all(lago: Lifecycle) -> None:
    """And makes anew what another image of the same name came for meanwhile."""
    key, reference = lago.key, f"getlago/api:{lago.variables['lago_version']}"
    lago.docker("commit", "--change", "LABEL rebuilt=yes", "lago-api-1", reference)
    image = lago.docker("image", "inspect", "--format", "{{.Id}}", reference)
    done(lago.run())
    assert lago.running() == LONG_RUNNING
    assert {lago.containers()[name]["Image"] for name in ("api", "worker", "clock")} == {image}
    assert image in lago.read(f"{lago.directory}/migrated.json")
    assert lago.sql("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == "0"
    assert lago.member().request("GET", "/sidekiq").status == 404
    assert lago.key == key
    assert done(lago.stack()).recap["changed"] == 0


def status(member: LagoUser) -> int:
    """As browsers do: what was closed before it was answered is asked once more, a port that is shut is not."""
    for attempt in (1, 2):
        try:
            return member.request("GET", "/health").status
        except (RemoteDisconnected, ConnectionResetError):
            if attempt == 2:
                raise
    raise AssertionError


def test_the_proxy_takes_another_configuration_without_a_pause(lago: Lifecycle) -> None:
    """As a newer release of the collection would bring it: here a path more that is closed."""
    proxy, member, over = lago.ids()["proxy"], lago.member(), threading.Event()
    seen: list[object] = []

    def poll() -> None:
        while not over.wait(0.05):
            try:
                seen.append(status(member))
            except OSError as error:
                seen.append(error)

    poller = threading.Thread(target=poll)
    poller.start()
    try:
        done(lago.stack("render", "up", _lago_closed_paths=["/sidekiq", "/sidekiq/*", "/metrics", "/closed-now"]))
    finally:
        over.set()
        poller.join()
    assert len(seen) > 20
    assert [answer for answer in seen if answer != 200] == []
    assert member.request("GET", "/closed-now").status == 404
    assert lago.ids()["proxy"] == proxy
