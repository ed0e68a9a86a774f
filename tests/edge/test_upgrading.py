# SPDX-License-Identifier: GPL-3.0-or-later
"""While an upgrade is under way nobody gets through, and everybody is told to come again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from edge.bed import Edge
from edge.configurations import DOMAIN, UPGRADING, Configuration

ROUTES: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "routes.yml").read_text())
PERSON = "text/html,application/xhtml+xml,*/*;q=0.8"


@pytest.fixture(params=UPGRADING, ids=[one.name for one in UPGRADING])
def closed(edge: Edge, request: pytest.FixtureRequest) -> Edge:
    configuration: Configuration = request.param
    edge.load(configuration)
    return edge


def test_nobody_gets_through(closed: Edge) -> None:
    for host in {DOMAIN, closed.runs.api_host}:
        asker = closed.asker(host)
        for path in [
            *ROUTES["api"],
            *ROUTES["front"],
            *(path for paths in ROUTES["closed"].values() for path in paths),
        ]:
            for accept in ("*/*", PERSON):
                answer = asker.ask(path, Accept=accept)
                assert (answer.who, answer.status in (401, 404, 503)) == ("edge", True), path


def test_clients_of_the_api_are_told_when_to_come_again(closed: Edge) -> None:
    asker = closed.asker(closed.runs.api_host)
    for path in ROUTES["api"]:
        answer = asker.ask(path, "POST", Content_Type="application/json")
        assert (answer.status, answer.headers["retry-after"]) == (503, "60"), path
        assert answer.headers["content-type"] == "application/json"
        assert json.loads(answer.body)["code"] == "upgrade_in_progress"


def test_people_see_a_page(closed: Edge) -> None:
    answer = closed.asker(DOMAIN).ask("/acme/analytics", Accept=PERSON)
    assert (answer.status, answer.headers["retry-after"], answer.headers["cache-control"]) == (503, "60", "no-store")
    assert answer.headers["content-type"].startswith("text/html") and b"being upgraded" in answer.body
