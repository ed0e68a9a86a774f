# SPDX-License-Identifier: GPL-3.0-or-later
"""The comparison itself: what it lets pass and what it does not."""

from __future__ import annotations

from typing import Any

import pytest
from contract.compare import Comparison, headers

ONE, OTHER = "388f3bcf-8bd6-47cb-a3d5-f180a9382fdb", "7d4ddb49-6d1b-410d-8ac1-6082d44f232c"


@pytest.mark.parametrize(
    ("recorded", "live"),
    [
        ({"id": ONE}, {"id": OTHER}),
        ({"at": "2026-11-21T03:14:55Z"}, {"at": "2027-01-01T00:00:00Z"}),
        ({"value": "••••••••6f3"}, {"value": "••••••••000"}),
        ({"slug": "acme"}, {"slug": "acme-xyz"}),
    ],
)
def test_what_is_made_anew_may_differ(recorded: Any, live: Any) -> None:
    assert Comparison().differences(recorded, live) == []


@pytest.mark.parametrize(
    ("recorded", "live"),
    [
        ({"a": 1}, {}),
        ({}, {"a": 1}),
        ({"a": None}, {"a": ""}),
        ({"a": 1}, {"a": True}),
        ({"a": 1}, {"a": 2}),
        ({"a": []}, {"a": [1]}),
        ({"code": "not_found"}, {"code": "forbidden"}),
        ({"id": ONE}, {"id": "1"}),
        ({"value": "••••••••6f3"}, {"value": ONE}),
        ({"at": "2026-11-21T03:14:55Z"}, {"at": "2026-11-21T03:14:55.000Z"}),
        ({"slug": "acme"}, {"slug": "other"}),
    ],
)
def test_everything_else_may_not(recorded: Any, live: Any) -> None:
    assert len(Comparison().differences(recorded, live)) == 1


def test_ids_are_learnt_and_sent() -> None:
    comparison = Comparison()
    comparison.differences({"id": ONE}, {"id": OTHER})
    assert comparison.translate({"path": f"/x/{ONE}"}) == {"path": f"/x/{OTHER}"}


def test_an_origin_that_was_not_allowed_must_not_be() -> None:
    assert headers({}, {"access-control-allow-origin": "*"}) == ["access-control-allow-origin is new"]
