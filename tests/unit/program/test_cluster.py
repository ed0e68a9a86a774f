# SPDX-License-Identifier: GPL-3.0-or-later
"""The data of a database server is set aside as a whole and comes back as a whole, however often one begins."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from .conftest import Server


@pytest.fixture
def data(server: Server) -> Path:
    place = server.here / "volumes" / "lago_db-data" / "_data"
    (place / "PG_VERSION").write_text("15")
    return place


def test_it_is_set_aside_and_put_back(server: Server, run: Any, data: Path) -> None:
    kept = run("cluster", "aside", "1700").said["aside"]
    assert kept == f"{data}.before-1700" and (Path(kept) / "PG_VERSION").exists()
    assert list(data.iterdir()) == []
    (data / "PG_VERSION").write_text("17")
    assert run("cluster", "back", "1700").said == {"back": True}
    assert (data / "PG_VERSION").read_text() == "15" and not Path(kept).exists()
    assert run("cluster", "back", "1700").said == {"back": False}
    assert (data / "PG_VERSION").read_text() == "15"


@pytest.mark.parametrize("half", [None, "17"])
def test_one_that_was_broken_off_is_begun_anew(server: Server, run: Any, data: Path, half: str | None) -> None:
    kept = Path(run("cluster", "aside", "1700").said["aside"])
    if half:
        (data / "PG_VERSION").write_text(half)
    else:
        shutil.rmtree(data)
    assert run("cluster", "aside", "1700").said["aside"] == str(kept)
    assert list(data.iterdir()) == [] and (kept / "PG_VERSION").read_text() == "15"
    shutil.rmtree(data)
    assert run("cluster", "back", "1700").said == {"back": True}
    assert (data / "PG_VERSION").read_text() == "15"


def test_what_is_in_use_stays(server: Server, run: Any, data: Path) -> None:
    (server.here / "users").write_text("ddd\n")
    for way in ("aside", "back"):
        assert "is in use" in run("cluster", way, "1700").err
    assert (data / "PG_VERSION").exists()


def test_without_a_volume_there_is_nothing_to_set_aside(server: Server, run: Any) -> None:
    server.settings["postgres"]["volume"] = "lago_gone"
    assert "no volume lago_gone" in run("cluster", "aside", "1700").err
