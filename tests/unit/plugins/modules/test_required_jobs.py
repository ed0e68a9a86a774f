# SPDX-License-Identifier: GPL-3.0-or-later
"""One look at a release's required jobs, with a Docker that remembers whether they were begun."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

#: $STATE/jobs holds state and exit code of the jobs' container, $STATE/worker the worker's, $STATE/left what psql says.
DOCKER = r"""#!/bin/sh
echo "$*" >> "$STATE/ran"
case "$*" in
  "container inspect --format {{.Id}} lago-jobs") test -e "$STATE/jobs" ;;
  "container inspect"*lago-jobs) cat "$STATE/jobs" ;;
  "container inspect"*lago-worker-1) cat "$STATE/worker" ;;
  "compose"*)
    test ! -e "$STATE/broken" || { echo "no such service" >&2; exit 1; }
    echo "running 0" > "$STATE/jobs" ;;
  "logs"*) echo "1 remaining"; echo "of the error output" >&2 ;;
  "exec lago-db-1 psql"*) cat "$STATE/left" ;;
  "rm --force lago-jobs") rm -f "$STATE/jobs" ;;
esac
"""
ARGS: dict[str, Any] = {"directory": "/opt/lago", "jobs": ["a:b", "c:d DRY_RUN=false"], "left": "SELECT 1"}


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    docker = tmp_path / "bin" / "docker"
    docker.parent.mkdir()
    docker.write_text(DOCKER)
    docker.chmod(0o755)
    (tmp_path / "left").write_text("7\n")
    (tmp_path / "worker").write_text("running\n")
    monkeypatch.setenv("PATH", f"{docker.parent}:/usr/bin:/bin")
    monkeypatch.setenv("STATE", str(tmp_path))
    return tmp_path


def test_they_are_begun_once_and_looked_at_afterwards(run_module: Any, state: Path) -> None:
    first = run_module("required_jobs", ARGS)
    assert (first["changed"], first["running"], first["left"], first["worker"]) == (True, True, 7, True)
    assert first["said"] == "1 remaining\nof the error output"
    assert run_module("required_jobs", ARGS)["changed"] is False
    begun = [line for line in (state / "ran").read_text().splitlines() if line.startswith("compose")]
    assert len(begun) == 1
    assert begun[0].endswith("--name lago-jobs migrate bundle exec rails a:b c:d DRY_RUN=false")


def test_what_ended_is_told_with_its_exit_code(run_module: Any, state: Path) -> None:
    (state / "jobs").write_text("exited 3\n")
    (state / "worker").unlink()
    (state / "left").write_text("psql: error\n")
    found = run_module("required_jobs", {**ARGS, "left": ""})
    assert (found["running"], found["exit_code"], found["left"], found["worker"]) == (False, 3, None, False)
    assert run_module("required_jobs", ARGS)["left"] is None


def test_in_check_mode_nothing_is_begun(run_module: Any, state: Path) -> None:
    found = run_module("required_jobs", ARGS, check=True)
    assert (found["changed"], found["running"], found["exit_code"]) == (True, False, 0)
    assert not (state / "ran").exists()


def test_nothing_of_them_is_left_behind(run_module: Any, state: Path) -> None:
    run_module("required_jobs", ARGS)
    run_module("required_jobs", {**ARGS, "state": "absent"})
    assert not (state / "jobs").exists()


def test_they_cannot_be_begun(run_module: Any, state: Path) -> None:
    (state / "broken").touch()
    found = run_module("required_jobs", ARGS)
    assert found["failed"] and "no such service" in found["msg"]
    assert found["failure"]["code"] == "jobs_not_begun"
