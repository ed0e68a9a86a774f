# SPDX-License-Identifier: GPL-3.0-or-later
"""Every path leads where it belongs, in every configuration that the role can write."""

from __future__ import annotations

import base64
import posixpath
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.asker import Asker
from edge.bed import Edge
from edge.configurations import API_DOMAIN, BY_NAME, DOMAIN, PASSWORD, USER

ROUTES: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "routes.yml").read_text())
CLOSED = [path for paths in ROUTES["closed"].values() for path in paths]
PAGES = [f"/{name}/{page}" for name in ROUTES["organizations"] for page in ROUTES["pages"]]
ALLOWED = {"Authorization": "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()}


def wrong(asker: Asker, expected: dict[str, tuple[str, int]], **headers: str) -> dict[str, Any]:
    """The paths that somebody else answered, or with another status, or that were altered on the way."""
    found: dict[str, Any] = {}
    for path, (who, status) in expected.items():
        answer = asker.ask(path, **headers)
        if (answer.who, answer.status) != (who, status) or answer.headers.get("x-path", path) != path:
            found[path] = f"{answer.who} {answer.status} {answer.headers.get('x-path', '')}, not {who} {status}"
    return found


def test_every_path_leads_where_it_belongs(running: Edge) -> None:
    expected = dict.fromkeys(CLOSED, ("edge", 404))
    expected |= dict.fromkeys([*ROUTES["front"], *PAGES], ("front", 200))
    expected |= dict.fromkeys(ROUTES["api"], ("front" if running.runs.two_origins else "api", 200))
    if not running.runs.two_origins:
        expected = {path: to for path, to in expected.items() if path not in extra(running)}
    assert wrong(running.asker(DOMAIN), expected) == {}


def extra(running: Edge) -> list[str]:
    return [path for name in running.runs.extra for path in ROUTES["closed"][name]]


def test_the_apis_own_name_has_the_apis_paths_and_no_other(running: Edge) -> None:
    if not running.runs.two_origins:
        pytest.skip("one origin")
    expected = dict.fromkeys([*ROUTES["front"], *CLOSED, *PAGES], ("edge", 404))
    expected |= dict.fromkeys(ROUTES["api"], ("api", 200))
    expected = {path: to for path, to in expected.items() if path not in extra(running)}
    assert wrong(running.asker(API_DOMAIN), expected) == {}


def test_what_the_operator_routes_is_there_for_those_who_may(running: Edge) -> None:
    asker = running.asker(running.runs.api_host)
    if running.runs.refused:
        assert wrong(asker, dict.fromkeys(extra(running), ("edge", 404))) == {}
    elif running.runs.password:
        assert wrong(asker, dict.fromkeys(extra(running), ("edge", 401))) == {}
        assert wrong(asker, dict.fromkeys(extra(running), ("api", 200)), **ALLOWED) == {}
    else:
        assert wrong(asker, dict.fromkeys(extra(running), ("api", 200))) == {}


SEGMENTS = ("graphql", "cable", "health", "api", "v1", "v2", "rails", "active_storage", "conductor", "webhooks",
            "stripe", "sidekiq", "metrics", "admin", "ready", "data_api", "SIDEKIQ", "%73idekiq", "..", ".", "%2e%2e",
            "..;", "x", "%00", "%5c..", "")  # fmt: skip
HOSTILE = st.lists(
    st.tuples(st.sampled_from(["/", "//", "%2f", "/./"]), st.sampled_from(SEGMENTS)), min_size=1, max_size=7
)
PUBLIC = re.compile(
    r"/(graphql|cable|health|(api/v[12]|rails/active_storage|webhooks/(stripe|gocardless|adyen|cashfree|flutterwave|moneyhash))(/.*)?)",
    re.IGNORECASE | re.DOTALL,
)


@pytest.mark.parametrize("name", ["none-one-closed", "none-two-closed"])
def test_no_spelling_of_a_path_reaches_the_api_but_those_of_public_paths(edge: Edge, name: str) -> None:
    edge.load(BY_NAME[name])
    asker = edge.asker(edge.runs.api_host)

    @settings(max_examples=400, deadline=None, derandomize=True, database=None,
              suppress_health_check=[HealthCheck.too_slow])  # fmt: skip
    @given(HOSTILE)
    def ask(parts: list[tuple[str, str]]) -> None:
        path = "/" + "".join(separator + segment for separator, segment in parts).lstrip("/")
        answer = asker.ask(path)
        if answer.who == "api":
            meant = posixpath.normpath(unquote(urlsplit("http://x" + answer.headers["x-path"]).path))
            assert PUBLIC.fullmatch("/" + meant.lstrip("/")), path

    ask()
