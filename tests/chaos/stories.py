# SPDX-License-Identifier: GPL-3.0-or-later
"""What must be true after any kill: the next run finishes the job, and nobody can tell that there was one."""

from __future__ import annotations

import itertools
import json
from typing import Any

from chaos import places, runs
from chaos.places import Place
from chaos.server import Kept, Server

URL = "https://billing.example.com"
ONE_OF_EACH = {"users": 1, "organizations": 1, "memberships": 1, "api_keys": 1}
_VARIANTS = itertools.cycle(({"lago_telemetry": True, "lago_worker_memory": "1536m"}, {}))
_present: dict[str, Any] = {}


def settings() -> dict[str, Any]:
    """Return the variables that the deployment was last run with."""
    return dict(_present)


def changed_settings() -> dict[str, Any]:
    """Return others: telemetry, which most services are told of, and the memory of one."""
    _present.clear()
    _present.update(next(_VARIANTS))
    if _present.get("lago_telemetry") is None:
        _present.update(lago_telemetry=False, lago_worker_memory="2g")
    return settings()


def struck(server: Server, place: Place, **variables: Any) -> None:
    """Start a run and strike there."""
    if place.strike in (places.KILL, places.ORPHAN):
        kill = runs.Kill(place.task, place.nth, place.after, workers=place.strike == places.KILL)
        running = runs.start(kill, **variables)
        running.end()
        assert running.killed, f"{place} was not reached:\n" + "\n".join(running.tasks())
    else:
        strikes = {
            places.ENGINE: server.strike_engine,
            places.POWER: server.strike_power,
            places.RESTART: server.restart,
        }
        runs.struck(place, strikes[place.strike], **variables)
    server.wait_for_engine()


def breaks(server: Server, fault: str) -> str:
    """Break a release, and return what is said of it."""
    release, says = places.BROKEN[fault]
    server.sql(
        "CREATE SCHEMA IF NOT EXISTS standin; CREATE TABLE IF NOT EXISTS standin.faults (release text, fault text); "
        f"DELETE FROM standin.faults; INSERT INTO standin.faults VALUES ('{release}', '{fault}')"
    )
    return says


def recovers(server: Server, kept: Kept, before: tuple[str, ...] = (), **variables: Any) -> None:
    """Run again to the end, look at everything, and run once more: nothing at all is done then.

    :param kept: what was there when the run was killed.
    :param before: see `runs.start`.
    """
    again = runs.start(before=before, **variables).end()
    assert again.code == 0, again.output[-6000:]
    after = server.kept()
    assert kept.secrets in (None, after.secrets), "the secrets are others"
    assert kept.key in (None, after.key), "the key is another one"
    at_rest(server)
    state = server.state()
    once_more = runs.start(**variables).end()
    assert once_more.code == 0, once_more.output[-6000:]
    assert once_more.recap["changed"] == 0, once_more.output
    assert server.state() == state
    assert server.litter() == []


def at_rest(server: Server) -> None:
    """See that all is there once and nothing else is."""
    assert server.counts() == ONE_OF_EACH
    assert server.key == server.sql("SELECT value FROM api_keys"), "the key that is kept is not the organization's"
    assert server.missing() == set()
    assert server.litter() == []


def undone(server: Server, verb: str, **variables: Any) -> None:
    """Take away what there is, and see that nothing of it runs or lies about and that a second time changes nothing."""
    playbook = str(runs.HERE / "verb.yml")
    runs.to_the_end(playbook=playbook, verb=verb, **variables)
    assert server.containers() == {}
    assert server.networks() == {"bridge", "host", "none"}
    assert runs.to_the_end(playbook=playbook, verb=verb, **variables).recap["changed"] == 0


def works_as_declared(server: Server, variables: dict[str, Any]) -> None:
    """See that a change is in the containers, not only in the files."""
    worker = json.loads(server.shell("docker", "inspect", "lago-worker-1"))[0]
    memory = {"1536m": 1536 << 20, "2g": 2 << 30}[variables["lago_worker_memory"]]
    assert worker["HostConfig"]["Memory"] == memory
    telemetry = [line for line in worker["Config"]["Env"] if line.startswith("LAGO_DISABLE_SEGMENT=")]
    assert telemetry == ([] if variables["lago_telemetry"] else ["LAGO_DISABLE_SEGMENT=true"])
