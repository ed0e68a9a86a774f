# Copyright: (c) 2026, The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way from any release to any other never skips a stop, never goes down, and ends at the target."""

from __future__ import annotations

import itertools

import pytest
from ansible_collections.selfhosted.lago.plugins.plugin_utils._releases import (
    database_release,
    name,
    number,
    table,
    upgrade_path,
)
from hypothesis import given
from hypothesis import strategies as st

KNOWN = sorted(table().last_migration)
STOPS = [stop.release for stop in table().stops]
PAIRS = list(itertools.combinations(KNOWN, 2))


def numbers(path: dict) -> list[tuple[int, int, int]]:
    return [found for found in (number(step["api"]) for step in path["steps"]) if found]


def check(here: tuple[int, int, int], there: tuple[int, int, int]) -> None:
    path = upgrade_path(name(here), name(there))
    steps = numbers(path)
    assert path["problem"] == path["code"] == ""
    assert steps[-1] == there
    assert steps == sorted(set(steps))
    assert all(here <= step <= there for step in steps)
    for stop in table().stops:
        at = next((step for step in path["steps"] if (number(step["api"]) or ())[:2] == stop.release[:2]), None)
        if here[:2] < stop.release[:2] <= there[:2]:
            assert at is not None and at["jobs"] == list(stop.jobs), (here, there, stop.release)
        if here[:2] == stop.release[:2] < there[:2] and stop.jobs:
            assert at is path["steps"][0] and at["api"] == name(here)
    # Nothing but stops, what runs, and the target.
    assert set(steps) <= {*STOPS, here, there}


def test_every_way_between_two_known_releases_holds_every_stop() -> None:
    for here, there in PAIRS:
        check(here, there)


def test_no_way_leads_down() -> None:
    for low, high in PAIRS:
        path = upgrade_path(name(high), name(low))
        assert (path["code"], path["steps"]) == ("downgrade", [])


RELEASES = st.tuples(st.integers(1, 3), st.integers(0, 120), st.integers(0, 12)).filter(lambda one: one >= (1, 30, 0))


@given(RELEASES, RELEASES)
def test_releases_that_nobody_knows_yet_are_no_exception(one: tuple, other: tuple) -> None:
    if one != other:
        check(min(one, other), max(one, other))


def test_jobs_of_a_stop_that_was_passed_are_looked_for_where_the_way_demands_them() -> None:
    overdue = {"v1.32.0": "SELECT count(*) FROM payments WHERE customer_id IS NULL"}
    assert upgrade_path("v1.38.0", "v1.51.0")["overdue"] == overdue
    assert upgrade_path("v1.50.0", "v1.52.0")["overdue"] == overdue
    assert upgrade_path("v1.32.4", "v1.51.0")["overdue"] == {}  # it is on the way
    assert upgrade_path("v1.42.0", "v1.50.0")["overdue"] == {}  # nobody asks for it
    assert upgrade_path("v1.51.0", "v1.52.0")["overdue"] == {}  # it must have been done


def test_from_the_first_known_release_to_the_newest() -> None:
    path = upgrade_path("v1.30.0", "v1.51.0")
    assert [step["api"] for step in path["steps"]] == [
        "v1.30.0",
        "v1.31.0",
        "v1.32.0",
        "v1.42.0",
        "v1.44.0",
        "v1.45.2",
        "v1.50.0",
        "v1.51.0",
    ]
    assert path["stops"] == ["v1.31.0", "v1.32.0", "v1.42.0", "v1.44.0", "v1.45.2", "v1.50.0"]
    assert path["confirm"] and not path["warnings"]


@pytest.mark.parametrize(
    ("here", "there", "steps", "confirm"),
    [
        ("v1.51.0", "v1.51.0", [], False),
        ("v1.48.0", "v1.48.1", ["v1.48.1"], False),
        ("v1.50.0", "v1.51.0", ["v1.50.0", "v1.51.0"], False),  # its own jobs before it is left
        ("v1.45.0", "v1.45.2", ["v1.45.2"], False),  # the same jobs, at the newer one
        ("v1.45.0", "v1.46.0", ["v1.45.0", "v1.46.0"], False),
        ("v1.43.0", "v1.45.1", ["v1.44.0", "v1.45.1"], True),  # not up to v1.45.2 and down again
        ("1.42.0", "v1.43.0", ["v1.42.0", "v1.43.0"], False),
        ("v1.51.0", "v2.0.0", ["v1.52.0", "v2.0.0"], True),
        ("v1.60.0", "v2.0.0", ["v2.0.0"], True),
    ],
)
def test_ways(here: str, there: str, steps: list[str], confirm: bool) -> None:
    path = upgrade_path(here, there)
    assert [step["api"] for step in path["steps"]] == steps
    assert path["confirm"] is confirm


def test_the_front_of_each_step() -> None:
    assert upgrade_path("v1.45.2", "v1.47.2")["steps"][-1]["front"] == "v1.47.0"
    assert upgrade_path("v1.45.2", "v1.47.2", "v1.47.1")["steps"][-1]["front"] == "v1.47.1"
    assert upgrade_path("v1.40.0", "v1.42.0")["steps"][-1]["front"] == "v1.42.0"


def test_what_is_done_at_a_stop() -> None:
    step = upgrade_path("v1.40.0", "v1.42.0")["steps"][-1]
    assert step["jobs"] == ["upgrade:perform_required_jobs"]
    assert "fixed_charges" in step["left"] and "codes" in step["why"]


@pytest.mark.parametrize(
    ("here", "there", "code", "says"),
    [
        ("v1.52.0-main", "v1.53.0", "not_a_release", "v1.52.0-main is no release"),
        ("v1.50.0", "latest", "not_a_release", "latest is no release"),
        ("v1.29.0", "v1.51.0", "unknown_start", "to v1.30.0 by Lago's own"),
        ("v1.51.0", "v1.50.0", "downgrade", "Restore a backup of v1.50.0"),
    ],
)
def test_no_way(here: str, there: str, code: str, says: str) -> None:
    path = upgrade_path(here, there)
    assert path["code"] == code and says in path["problem"] and path["steps"] == []


def test_what_is_not_known_is_said() -> None:
    assert "newer than v1.51.0" in upgrade_path("v1.50.0", "v1.53.0")["warnings"][0]
    assert "not among the releases" in upgrade_path("v1.41.0", "v1.42.7")["warnings"][0]


def done(release: str) -> list[str]:
    """What is in the database after all migrations up to a release."""
    return [version for known, version in table().last_migration.items() if known <= (number(release) or ())]


def test_each_release_is_recognised_by_its_migrations() -> None:
    for known in KNOWN:
        found = database_release(done(name(known)), name(known))
        assert found == {"release": name(known), "half_done": False}


def test_the_database_is_believed_before_anybody_else() -> None:
    assert database_release(done("v1.44.0"), "v1.51.0") == {"release": "v1.44.0", "half_done": False}
    assert database_release(done("v1.45.1"), "nonsense", "v1.45.1") == {"release": "v1.45.1", "half_done": False}
    assert database_release(done("v1.45.1"), None)["release"] == "v1.45.0"


def test_an_upgrade_that_skipped_a_stop_is_half_done() -> None:
    # Straight from v1.30.0 or v1.32.0 to v1.51.0, as it was recorded: all until the codes are demanded, nothing after.
    there = [*done("v1.38.0"), "20251229153718"]
    assert database_release(there, "v1.51.0") == {"release": "v1.38.0", "half_done": True}


def test_a_newer_release_that_began_with_migrations_of_older_numbers_is_noticed() -> None:
    # From v1.42.0 to v1.44.0 without the former's jobs, as it was recorded.
    begun = ["20250528133222", "20251229153718"]
    assert database_release([*done("v1.42.0"), *begun], "v1.42.0") == {"release": "v1.42.0", "half_done": True}
    assert database_release([*done("v1.44.0"), *begun], "v1.44.0") == {"release": "v1.44.0", "half_done": False}
    assert database_release([*done("v1.45.2"), "20260304074158"], "v1.45.3")["half_done"] is False  # nobody knows it


def test_a_database_newer_than_the_table_is_what_the_api_says() -> None:
    there = [*done("v1.51.0"), "20260819111435"]
    assert database_release(there, "v1.53.0") == {"release": "v1.53.0", "half_done": False}
    assert database_release(there, "v1.51.0") == {"release": "", "half_done": True}


def test_a_database_that_is_older_or_not_lagos_is_told_by_nothing() -> None:
    assert database_release(["20240101000000"], "v1.20.0") == {"release": "", "half_done": False}
    assert database_release([]) == {"release": "", "half_done": False}


def test_a_slip_in_the_table_is_noticed() -> None:
    from ansible_collections.selfhosted.lago.plugins.plugin_utils import _releases

    with pytest.raises(ValueError, match=r"1\.51"):
        _releases._known("v1.51")


def test_the_table_is_whole() -> None:
    assert sorted(STOPS) == STOPS
    assert list(table().last_migration.values()) == sorted(table().last_migration.values())
    assert {stop for stop in STOPS if stop <= KNOWN[-1]} <= set(KNOWN)
    for version, release in table().late_migrations.items():
        assert release in KNOWN and any(
            version < last for known, last in table().last_migration.items() if known < release
        )
    assert all(front in KNOWN and api in KNOWN for api, front in table().front.items())
