# SPDX-License-Identifier: GPL-3.0-or-later
"""One server for all, and the seed: a few places by chance, or with --all every one."""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

pytest.register_assert_rewrite("chaos.stories")

from chaos import places, runs, stories
from chaos.server import NAME, Server
from project import ROOT
from testbed import servers

# Of the commit: each strikes elsewhere, and the same one everywhere at the same places.
TREE = subprocess.run(["git", "rev-parse", "HEAD^{tree}"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
SEED = os.environ.setdefault("CHAOS_SEED", TREE[:8])

#: What begins and ends with an empty server comes first, then what leaves a deployment to the others; last what gives
#: it data, and then another release.
ORDER = {
    "test_what_a_first_run_left": -2,
    "test_a_first_run": -1,
    "test_the_former_release": 1,
    "test_a_way_back": 2,
    "test_once_the_edge_is_open": 3,
    "test_an_upgrade": 4,
    "test_a_release_that_fails_on_the_newer_server": 5,
    "test_the_newer_server": 6,
}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--all", action="store_true", help="kill at every place, not only at a few chosen by the seed")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "thorough: with --all only")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    left = [item for item in items if item.get_closest_marker("thorough") and not config.getoption("--all")]
    config.hook.pytest_deselected(items=left)
    items[:] = sorted(
        (item for item in items if item not in left),
        key=lambda item: next((at for name, at in ORDER.items() if item.name.startswith(name)), 0),
    )


def pytest_report_header() -> str:
    return f"chaos: CHAOS_SEED={SEED}"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Choose where runs are killed."""
    every = bool(metafunc.config.getoption("--all"))
    chance = random.Random(SEED)
    first, change = places.first(chance, every), places.change(chance, every)
    held, half = places.held(chance), places.half(chance, every)
    fault, upgrade, back = places.faults(chance, every)
    chosen_places: dict[str, Any] = {"first": first, "change": change, "held": held, "half": half}
    chosen_places |= {"fault": fault, "upgrade": upgrade, "back": back, "rotation": places.rotation(chance, every)}
    for argument, chosen in chosen_places.items():
        if argument in metafunc.fixturenames:
            metafunc.parametrize(argument, chosen, ids=[str(place) for place in chosen])


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    made = Server()
    made.wipe()
    made.shell("rm", "-rf", "/srv/aside")
    yield made
    servers.remove(NAME)


def at_rest(server: Server) -> bool:
    """Return whether there is a deployment of the former release with nothing to be done."""
    return not (server.missing() or server.litter()) and places.FROM in server.read("/opt/lago/migrated.json")


@pytest.fixture
def deployed(server: Server) -> Server:
    """The server with a deployment at rest on it."""
    if not at_rest(server):
        server.wipe()
        runs.to_the_end(**stories.settings())
    return server


@pytest.fixture
def former(server: Server, pytestconfig: pytest.Config) -> Server:
    """The same, of the former release, with data."""
    if not at_rest(server) and not server.bring_back():
        server.wipe()
        runs.to_the_end()
    server.sql("DROP SCHEMA IF EXISTS standin CASCADE")
    if server.sql("SELECT count(*) FROM subscriptions") == "0":
        server.user(stories.URL).meter(server.key, units=3)
        if pytestconfig.getoption("--all"):
            server.set_aside()
    return server
