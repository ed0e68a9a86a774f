# SPDX-License-Identifier: GPL-3.0-or-later
"""A tag that moves changes nothing until its newest image is asked for."""

from __future__ import annotations

import io
import json

from outside.lifecycle import Lifecycle, done, refused
from outside.writer import Writer
from testbed import images, registry
from testbed.engine import client

REFERENCES = {
    "redis": "rotating/redis:7-alpine",
    "db": "rotating/postgres:15-alpine",
    "proxy": "rotating/caddy:2-alpine",
}
STORES = ("db", "redis", "redis-cache")


def publish(mark: str) -> None:
    """Other images under the same tags, where every server looks for them."""
    for source, reference in REFERENCES.items():
        image = next(one for one in images.REAL if one.name == source)
        repository, _colon, tag = f"{registry.LOCAL}/{reference}".rpartition(":")
        recipe = io.BytesIO(f"FROM {image.alias}\nLABEL mark={mark}\n".encode())
        client().images.build(fileobj=recipe, tag=f"{repository}:{tag}", rm=True)
        answers = [json.loads(line) for line in str(client().images.push(repository, tag=tag)).splitlines()]
        assert [answer for answer in answers if "error" in answer] == []


def marks(lago: Lifecycle) -> dict[str, str]:
    """Of which images the stores and the proxy are."""
    there = lago.containers()
    return {name: there[name]["Config"]["Labels"].get("mark", "") for name in (*STORES, "proxy")}


def certificates(lago: Lifecycle) -> str:
    """What the proxy serves with: its own authority's certificates, and their keys."""
    return lago.inside("proxy", "find /data/caddy -name '*.crt' -o -name '*.key' | sort | xargs sha256sum")


def test_every_store_and_the_proxy_are_named_by_their_digest(lago: Lifecycle) -> None:
    publish("first")
    lago.variables |= {
        "lago_redis_image": REFERENCES["redis"],
        "lago_postgres_image": REFERENCES["db"],
        "lago_proxy_image": REFERENCES["proxy"],
    }
    done(lago.run())
    assert set(marks(lago).values()) == {"first"}
    used = {name: one["Config"]["Image"] for name, one in lago.containers().items()}
    assert [name for name in (*STORES, "proxy") if "@sha256:" not in used[name]] == []


def test_a_tag_that_somebody_moved_changes_nothing(lago: Lifecycle) -> None:
    publish("second")
    before = lago.ids()
    for reference in REFERENCES.values():
        lago.docker("pull", reference)
    assert done(lago.run()).recap["changed"] == 0
    assert lago.ids() == before


def test_what_is_asked_for_is_taken_and_the_way_back_is_said(lago: Lifecycle) -> None:
    lago.docker("exec", "lago-redis-1", "redis-cli", "SET", "kept", "yes")
    before, rows = lago.ids(), lago.rows()
    run = done(lago.run(playbook="selfhosted.lago.refresh", lago_refresh=["db", "redis"]))
    assert marks(lago) == {**dict.fromkeys(STORES, "second"), "proxy": "first"}
    said = [f"{name} was of {REFERENCES[name.removesuffix('-cache')]}@sha256:" for name in STORES]
    assert [one for one in [*said, "name the former in", "/var/backups/lago/"] if one not in run.output] == []
    assert (lago.docker("exec", "lago-redis-1", "redis-cli", "GET", "kept"), lago.rows()) == ("yes", rows)
    assert {name for name, one in lago.ids().items() if before[name] != one} == set(STORES)


def test_the_proxy_gets_another_image_while_events_are_sent(lago: Lifecycle) -> None:
    """Nobody gets through for a moment. What was taken is there, and so are its certificates."""
    code, before, served = lago.sql("SELECT external_id FROM subscriptions LIMIT 1"), lago.ids(), certificates(lago)
    with Writer(lago.member(), lago.key, code) as writer:
        run = done(lago.run(playbook="selfhosted.lago.refresh", lago_refresh=["proxy"]))
    assert set(marks(lago).values()) == {"second"}
    assert f"proxy was of {REFERENCES['proxy']}@sha256:" in run.output
    assert {name for name, one in lago.ids().items() if before[name] != one} == {"proxy"}
    taken = set(writer.acknowledged)
    assert len(taken) > 5 and taken <= set(lago.sql("SELECT transaction_id FROM events").split())
    assert served and certificates(lago) == served
    print(f"nobody got through for {writer.closed_seconds:.1f} s, answers {writer.seen}", run.recap)


def test_nothing_newer_changes_nothing(lago: Lifecycle) -> None:
    before = lago.ids()
    run = done(lago.run(playbook="selfhosted.lago.refresh", lago_refresh=["db", "redis", "proxy"]))
    assert "There is nothing newer" in run.output
    assert (run.recap["changed"], lago.ids()) == (0, before)


def test_what_cannot_be_refreshed_is_said_before_anything_stops(lago: Lifecycle) -> None:
    before = lago.ids()
    refused(lago.run(playbook="selfhosted.lago.refresh"), "lago_refresh names nothing")
    run = lago.run(
        playbook="selfhosted.lago.refresh", lago_refresh=["proxy"], lago_proxy_image=f"caddy:2@{'sha256:' + '0' * 64}"
    )
    refused(run, "lago_refresh names proxy, and lago_proxy_image says by its digest")
    assert lago.ids() == before
