# SPDX-License-Identifier: GPL-3.0-or-later
"""One run at a time works on a deployment; the others are told so."""

from __future__ import annotations

import json
import re
import time

import pytest

from chaos import places, runs, stories
from chaos.places import Place
from chaos.runs import Kill
from chaos.server import Server
from outside.deployment import Run

REFUSAL = re.compile(
    r"Another run works on this deployment: \S+@(\S+), process\s+\d+, since\s+[-\d: ]+ UTC\s+\((\d+) minutes\)"
)
PEOPLE = (
    "DELETE FROM membership_roles; DELETE FROM memberships; DELETE FROM api_keys; DELETE FROM billing_entities; "
    "DELETE FROM organizations; DELETE FROM users"
)


def refusal(run: Run) -> re.Match[str] | None:
    """Return how a run was refused, whichever way its lines were broken."""
    return REFUSAL.search(re.sub(r"\s+", " ", run.output))


def lease(server: Server) -> dict[str, object]:
    return dict(json.loads(server.read(f"{server.directory}/lease.json")))


def let_time_pass(server: Server) -> None:
    """Let the lease be one that ends now."""
    ended = {**lease(server), "expires": time.time() - 1}
    program = "import sys; open(sys.argv[1], 'w').write(sys.argv[2])"
    server.shell("python3", "-c", program, f"{server.directory}/lease.json", json.dumps(ended))


def test_a_second_run_is_refused_at_once_and_the_first_goes_on(deployed: Server) -> None:
    variables = stories.changed_settings()
    working = runs.start(**variables)
    assert working.reached(places.UP)
    before = lease(deployed)
    second = runs.start().end()
    assert working.process.poll() is None, "it was refused only when the first had ended"
    refused = refusal(second)
    assert second.code == 2 and refused and refused[2] == "0", second.output[-3000:]
    assert lease(deployed)["token"] == before["token"]
    first = working.end()
    assert first.code == 0, first.output[-6000:]
    stories.works_as_declared(deployed, variables)
    stories.at_rest(deployed)


def test_the_lease_of_a_killed_run_holds_another_controller_off_until_it_expires(deployed: Server, held: Place) -> None:
    variables = stories.changed_settings()
    stories.struck(deployed, held, **variables)
    elsewhere, kept = runs.another_machine("elsewhere"), deployed.kept()
    refused = runs.start(before=elsewhere, **variables).end()
    told = refusal(refused)
    assert refused.code == 2 and told and told[1] != "elsewhere", refused.output[-3000:]
    let_time_pass(deployed)
    stories.recovers(deployed, kept, before=elsewhere, **variables)
    stories.works_as_declared(deployed, variables)


@pytest.mark.thorough
def test_the_lease_of_a_killed_run_is_known_to_have_ended_after_a_restart_of_the_server(deployed: Server) -> None:
    runs.start(Kill(places.UP), **stories.settings()).end()
    deployed.restart()
    assert lease(deployed)["owner"]
    stories.recovers(deployed, deployed.kept(), **stories.settings())


def test_six_registrations_at_a_time_make_one_user_and_one_organization(deployed: Server) -> None:
    deployed.sql(PEOPLE)
    deployed.shell("docker", "exec", "lago-redis-cache-1", "redis-cli", "flushall")
    deployed.shell("rm", f"{deployed.directory}/api_key.json")
    playbook = str(runs.HERE / "bootstrap.yml")
    working = [runs.start(playbook=playbook, before=runs.another_machine(f"controller-{n}")) for n in range(6)]
    ended = [running.end() for running in working]
    assert any(run.code == 0 for run in ended), ended[0].output[-6000:]
    refused = [run for run in ended if run.code != 0]
    assert all(refusal(run) for run in refused), "\n".join(run.output[-3000:] for run in refused if not refusal(run))
    stories.at_rest(deployed)
    late = [runs.start(playbook=playbook, before=runs.another_machine(f"controller-{n}")) for n in range(2)]
    assert [running.end().code for running in late] == [0, 0]
    stories.at_rest(deployed)
