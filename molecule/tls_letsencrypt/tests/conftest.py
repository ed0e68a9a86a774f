# SPDX-License-Identifier: GPL-3.0-or-later
"""One deployment and its ACME server for all stories."""

from __future__ import annotations

import pytest

from outside.deployment import CACHE
from outside.letsencrypt import SERVER, Edge
from testbed.acme import AcmeServer


@pytest.fixture(scope="session")
def edge() -> Edge:
    acme = AcmeServer(f"{SERVER}-acme")
    acme.start(life=86400)
    CACHE.mkdir(parents=True, exist_ok=True)
    edge = Edge(acme)
    edge.roots.unlink(missing_ok=True)
    edge.trust()
    return edge
