# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.selfhosted.lago.plugins.filter.lago_release_problem import FilterModule, lago_release_problem
from hypothesis import given
from hypothesis import strategies as st

NUMBERS = st.tuples(st.integers(0, 3), st.integers(0, 60), st.integers(0, 5))


@pytest.mark.parametrize("version", ["v1.42.0", "v1.51.0", "v1.100.12", "v2.0.0"])
def test_deployable(version: str) -> None:
    assert lago_release_problem(version) == ""


@pytest.mark.parametrize(
    "version",
    ["latest", "1.51.0", "v1.51", "v1.51.0-rc1", "v1.51.0\n", "v01.5.0", "v1.5\u0661.0", "", None, 1.51, ["v1.51.0"]],
)
def test_only_full_releases(version: t.Any) -> None:
    assert "name one in full" in lago_release_problem(version)


@pytest.mark.parametrize("version", ["v1.40.0", "v1.40.1", "v1.41.0", "v1.41.1"])
@pytest.mark.parametrize("first_install", [True, False])
def test_releases_that_forget_the_roles(version: str, first_install: bool) -> None:
    assert "roles" in lago_release_problem(version, first_install)


@pytest.mark.parametrize("version", ["v1.39.0", "v1.41.2", "v0.9.0"])
def test_older_ones_are_starting_points_only(version: str) -> None:
    assert "too old" in lago_release_problem(version)
    assert lago_release_problem(version, first_install=False) == ""


@given(NUMBERS)
def test_everything_from_the_oldest_on_is_deployable_and_nothing_before(numbers: tuple[int, int, int]) -> None:
    assert (lago_release_problem("v" + ".".join(map(str, numbers))) == "") == (numbers >= (1, 42, 0))


def test_filters() -> None:
    assert set(FilterModule().filters()) == {"lago_release_problem"}
