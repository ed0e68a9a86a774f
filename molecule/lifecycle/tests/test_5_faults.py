# SPDX-License-Identifier: GPL-3.0-or-later
"""What does not work is named, and mended by the next run. What changes at the edge alone is not noticed by anybody."""

from __future__ import annotations

import threading

from outside.lifecycle import LONG_RUNNING, Lifecycle, done, refused

CADDYFILE = "/opt/lago/proxy/Caddyfile"


def reload(lago: Lifecycle) -> None:
    lago.inside("proxy", "caddy reload --config /etc/caddy/Caddyfile --adapter caddyfile")


def test_every_fault_is_named(lago: Lifecycle) -> None:
    """All at once, each in its own sentence: worker and clock stopped, and what a hand changed on the server."""
    lago.docker("stop", "lago-clock-1", "lago-worker-1")
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
    )


def test_a_queue_and_a_database_that_are_down_are_named(lago: Lifecycle) -> None:
    lago.docker("stop", "lago-redis-1")
    refused(lago.stack("verify"), "The service redis does not run")
    lago.docker("stop", "lago-db-1")
    refused(lago.stack("verify"), "The service redis does not run", "The service db does not run", "unhealthy")


def test_one_run_mends_it_all(lago: Lifecycle) -> None:
    rows_before = lago.key
    done(lago.run())
    assert lago.running() == LONG_RUNNING
    assert lago.member().request("GET", "/sidekiq").status == 404
    assert lago.key == rows_before
    assert done(lago.run()).recap["changed"] == 0


def test_the_proxy_takes_another_configuration_without_a_pause(lago: Lifecycle) -> None:
    """As a newer release of the collection would bring it: here a path more that is closed."""
    proxy, member, over = lago.ids()["proxy"], lago.member(), threading.Event()
    seen: list[int] = []

    def poll() -> None:
        while not over.wait(0.05):
            try:
                seen.append(member.request("GET", "/health").status)
            except OSError:
                seen.append(0)

    poller = threading.Thread(target=poll)
    poller.start()
    closed = ["/sidekiq", "/sidekiq/*", "/metrics", "/closed-now"]
    done(lago.stack("render", "up", _lago_closed_paths=closed))
    over.set()
    poller.join()
    assert len(seen) > 20
    assert set(seen) == {200}
    assert member.request("GET", "/closed-now").status == 404
    assert lago.ids()["proxy"] == proxy
