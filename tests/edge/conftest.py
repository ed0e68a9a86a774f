# SPDX-License-Identifier: GPL-3.0-or-later
"""One Caddy for all, and every configuration in turn."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from edge import bed
from edge.configurations import CONFIGURATIONS, UPGRADING


@pytest.fixture(scope="session")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[bed.Edge]:
    with bed.edge(tmp_path_factory.mktemp("edge"), [*CONFIGURATIONS, *UPGRADING]) as made:
        yield made


@pytest.fixture(scope="session", params=CONFIGURATIONS, ids=[one.name for one in CONFIGURATIONS])
def running(edge: bed.Edge, request: pytest.FixtureRequest) -> bed.Edge:
    """The edge with one configuration after the other."""
    edge.load(request.param)
    return edge
