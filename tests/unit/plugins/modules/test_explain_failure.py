# SPDX-License-Identifier: GPL-3.0-or-later
"""The server's part of an explanation: the services that are not well, and no secret."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

#: A Docker whose API died with a secret on its lips.
DOCKER = r"""#!/bin/sh
case "$1 $2" in
  "ps -a") printf 'api0\ndb0\nmigrate0\n' ;;
  "container inspect") cat "$ANSWERS/inspect" ;;
  "logs --timestamps")
    echo "2026-01-31T12:00:02Z second"
    echo "2026-01-31T12:00:01Z bad URI: postgresql://lago:s3cret%21@db" >&2 ;;
  *) echo "unexpected: $*" >&2; exit 64 ;;
esac
"""


def container(service: str, oneoff: bool = False, **state: Any) -> dict[str, Any]:
    labels = {"com.docker.compose.service": service, "com.docker.compose.oneoff": str(oneoff)}
    return {"Id": f"{service}0", "Name": f"/lago-{service}-1", "Config": {"Labels": labels}, "State": state}


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    docker = tmp_path / "bin" / "docker"
    docker.parent.mkdir()
    docker.write_text(DOCKER)
    docker.chmod(0o755)
    found = [
        container("api", Status="exited", ExitCode=1, Health={"Status": "unhealthy"}),
        container("db", Status="running", Health={"Status": "healthy"}),
        container("migrate", oneoff=True, Status="exited", ExitCode=0),
        container("worker", Status="exited", ExitCode=143),
    ]
    (tmp_path / "inspect").write_text(json.dumps(found))
    (tmp_path / "secrets.json").write_text(json.dumps({"secrets": {"postgres_password": "s3cret!"}, "file_key": "k"}))
    monkeypatch.setenv("PATH", f"{docker.parent}:/usr/bin:/bin")
    monkeypatch.setenv("ANSWERS", str(tmp_path))
    return tmp_path


def test_the_services_that_are_not_well_are_told_with_their_last_lines(run_module: Any, directory: Path) -> None:
    ran = run_module("explain_failure", {"directory": str(directory), "lines": 5, "hide": ["hunter22"]})
    told = [(one["service"], one["state"], one["exit_code"]) for one in ran["services"]]
    assert told == [("api", "exited", 1), ("worker", "exited", 143)]
    assert ran["services"][1]["lines"] == [], "it ended when it was asked to"
    lines = ran["services"][0]["lines"]
    assert lines == ["2026-01-31T12:00:01Z bad URI: postgresql://********@db", "2026-01-31T12:00:02Z second"]
    assert "s3cret" not in ran.text


def test_the_texts_that_it_is_given_come_back_without_secrets(run_module: Any, directory: Path) -> None:
    args = {"directory": str(directory), "hide": ["hunter22"], "texts": ["a hunter22 b s3cret! c"], "lines": 0}
    ran = run_module("explain_failure", args)
    assert ran["texts"] == ["a ******** b ******** c"]
    assert ran["services"][0]["lines"] == []
