# SPDX-License-Identifier: GPL-3.0-or-later
"""One deployment that is watched from its beginning to its end, by which all tests are answered.

By default the steps take turns on the oldest and the newest ansible-core, with half of the secrets given and half made.
With LEAKS=all every step is done on either, once with all secrets given and once with none.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

import pytest
from leaks import story
from leaks.canaries import make
from leaks.controller import Controller
from leaks.server import Server
from leaks.vault import HARMLESS, ROUNDS, Vault
from leaks.watched import Watched

import older_core
from testbed import bed, servers

NAME = "testbed-leaks"
LEAKED = ("", "_in_base64", "_in_a_url", "_in_facts", "_in_a_command", "_in_a_file")
MAKE_SECRETS = ("converge", "rotation", "another's Lago is taken over")
CHOSEN = ["oldest", "newest"] if os.environ.get("LEAKS") == "all" else ["turns"]


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("leaks")


@pytest.fixture(scope="session", params=CHOSEN)
def server(request: pytest.FixtureRequest, place: Path) -> Iterator[tuple[str, Server, Controller]]:
    older_core.make()
    bed.up()
    servers.remove(NAME)
    servers.create(NAME, image="docker")
    controller = Controller(place / request.param, NAME)
    yield request.param, Server(NAME, controller.inventory), controller
    controller.left()
    servers.remove(NAME)


@pytest.fixture(scope="session")
def watched(server: tuple[str, Server, Controller]) -> Watched:
    chosen, owner, controller = server
    cores, given = ROUNDS[chosen]
    vault, told = Vault(given, controller.given), Watched()
    harmless = {**HARMLESS, "lago_api_key_file": str(controller.given / "api_key")}
    controller.watch()
    owner.watch()
    steps = [step for step in story.STEPS if len(cores) == 1 or not step.rare]
    for step, core in zip(steps, cycle(cores), strict=False):
        began = time.monotonic()
        with step.arranged(owner, vault):
            variables = {**harmless, **step.variables}
            asked = step.secrets(vault)  # after which the operator may give others
            secrets = {**vault.variables, **asked}
            told.runs[step.name] = controller.run(step.name, core, step.play, secrets, *step.arguments, **variables)
        told.seen_kept(owner.kept(), vault.all)
        if step.name in MAKE_SECRETS and not told.runs[step.name].code:
            vault.found += owner.secrets()
        print(f"{step.name}: {time.monotonic() - began:.0f} s on the {core} ansible-core")
    told.left = {**owner.left(), **controller.left()}
    told.bundles = [f"{path.stat().st_mode & 0o777:o}" for path in controller.bundles()]
    told.canaries, told.deployed = vault.all, vault.deployed
    return told


@pytest.fixture(scope="session")
def on_purpose(watched: Watched, server: tuple[str, Server, Controller], place: Path) -> Watched:
    """The same way of looking at a play that leaks everything."""
    chosen, owner, _controller = server
    controller = Controller(place / f"{chosen}-on-purpose", NAME)
    leaked = [make(f"leaked{name}") for name in LEAKED]
    controller.watch()
    owner.watch()
    run = controller.run("on purpose", "newest", "on_purpose", {one.name: one.value for one in leaked})
    return Watched({"on purpose": run}, {**owner.left(), **controller.left()}, leaked)
