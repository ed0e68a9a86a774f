# SPDX-License-Identifier: GPL-3.0-or-later
"""One server for all, deployed by the playbook with one origin, and then with two."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from outside.deployment import Deployment
from outside.lifecycle import done
from testbed import bed, servers

NAME = "testbed-browser"


@pytest.fixture(scope="session")
def deployment() -> Iterator[Deployment]:
    bed.up()
    servers.remove(NAME)
    servers.create(NAME, image="docker")
    made = Deployment(NAME, Path(__file__).parent / "inventory.yml")
    done(made.run())
    yield made
    servers.remove(NAME)
