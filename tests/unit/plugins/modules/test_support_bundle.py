# SPDX-License-Identifier: GPL-3.0-or-later
"""What the server has to say for a bundle, and no secret."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

#: A Docker that tells the database's password wherever it can.
DOCKER = r"""#!/bin/sh
case "$1 $2" in
  "ps -a") cat "$ANSWERS/ids" ;;
  "container inspect") cat "$ANSWERS/inspect" ;;
  "logs --timestamps") echo "2026-01-31T12:00:01Z bad URI: postgresql://lago:s3cret%21@db" >&2 ;;
  "exec api0") echo "Database postgresql://***@db/lago" ;;
  "stats --no-stream") echo "$@" ;;
  "version ") echo "28.5.1 s3cret!" ;;
  *) echo "unexpected: $*" >&2; exit 64 ;;
esac
"""


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    docker = tmp_path / "bin" / "docker"
    docker.parent.mkdir()
    docker.write_text(DOCKER)
    docker.chmod(0o755)
    labels = {"com.docker.compose.service": "api"}
    api = {"Id": "api0", "Name": "/lago-api-1", "Config": {"Labels": labels}, "State": {"Status": "running"}}
    (tmp_path / "inspect").write_text(json.dumps([api]))
    (tmp_path / "ids").write_text("api0\n")
    (tmp_path / "env").mkdir()
    (tmp_path / "env" / "db.env").write_text('POSTGRES_DB="lago"\nPOSTGRES_PASSWORD="s3cret!"\n')
    (tmp_path / "compose.yml").write_text("name: lago\n")
    (tmp_path / "secrets.json").write_text(json.dumps({"secrets": {"postgres_password": "s3cret!"}, "file_key": "k"}))
    monkeypatch.setenv("PATH", f"{docker.parent}:/usr/bin:/bin")
    monkeypatch.setenv("ANSWERS", str(tmp_path))
    return tmp_path


def test_everything_is_there_and_no_secret(run_module: Any, directory: Path) -> None:
    args = {"dest": ".", "directory": str(directory), "facts": {"server": {"os": "debian s3cret!"}}}
    ran = run_module("support_bundle", args)
    files = ran["files"]
    assert files["logs/lago-api-1.log"] == "2026-01-31T12:00:01Z bad URI: postgresql://********@db\n"
    assert files["configuration/env/db.env"] == 'POSTGRES_DB="lago"\nPOSTGRES_PASSWORD="********"\n'
    assert files["configuration/compose.yml"] == "name: lago\n"
    assert files["lago/diagnostics.txt"] == "Database postgresql://********@db/lago\n"
    assert files["docker/version.txt"] == "28.5.1 ********\n"
    assert json.loads(files["facts/server.json"]) == {"os": "debian ********"}
    assert "lago-api-1" in files["docker/stats.txt"]
    assert "secrets.json" not in str(sorted(files))
    assert "s3cret" not in ran.text


def test_what_does_not_answer_is_said(run_module: Any, directory: Path) -> None:
    (directory / "ids").write_text("")
    files = run_module("support_bundle", {"dest": ".", "directory": str(directory)})["files"]
    assert "does not run" in files["lago/diagnostics.txt"]
    assert files["docker/df.txt"].endswith("(exit code 64)\n")
    assert "docker/stats.txt" not in files


def test_lago_s_own_report_is_given_the_time_that_a_small_server_takes(run_module: Any, directory: Path) -> None:
    timeout = directory / "bin" / "timeout"
    timeout.write_text('#!/bin/sh\necho "ended after $3 s" >&2; shift 3; exec "$@"\n')
    timeout.chmod(0o755)
    files = run_module("support_bundle", {"dest": ".", "directory": str(directory)})["files"]
    assert files["lago/diagnostics.txt"].endswith("ended after 200 s\n")
    assert files["docker/version.txt"].endswith("ended after 20 s\n")
