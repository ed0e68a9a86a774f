# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Module adopt_info against a `docker` that answers as for upstream's own compose file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

DOCKER = r"""#!/bin/sh
printf '%s\n' "$*" >> "$CALLS"
case "$*" in
  "ps -a "*) test -e "$ANSWERS/none" || printf 'a\nb\n' ;;
  "container inspect "*) cat "$ANSWERS/containers" ;;
  "image inspect "*) cat "$ANSWERS/images" ;;
  "exec lago-api cat "*) cat "$ANSWERS/key" ;;
  "exec -e "*) cat "$ANSWERS/row" ;;
  "exec lago-redis redis-cli -p 6380 info") cat "$ANSWERS/redis" ;;
  *) echo "unexpected: $*" >&2; exit 64 ;;
esac
"""
TABLES = ("organizations", "users", "payment_providers", "integrations")
FACTS = ("name", "user", "identifier", "tables", "migrations", "last_migration", "invalid_indexes")
RIGHTS = ("max_connections", "may_create", "may_extend", "available", "installed", "partman_usable")


def container(service: str, name: str, command: list[str], environment: list[str] | None = None, **more: Any) -> Any:
    labels = {"com.docker.compose.project": "lago", "com.docker.compose.service": service, **more.pop("labels", {})}
    labels["com.docker.compose.project.working_dir"] = "/root/lago"
    return {
        "Name": f"/{name}",
        "Image": "sha256:1",
        "State": {"Status": more.pop("state", "running")},
        "Config": {"Image": "getlago/api:v1.45.2", "Cmd": command, "Env": environment or [], "Labels": labels},
        "HostConfig": {"PortBindings": more.pop("ports", {})},
        "Mounts": more.pop("mounts", []),
    }


CONTAINERS = [
    container("api", "lago-api", ["./scripts/start.api.sh"], ["PATH=/usr/bin", "SECRET_KEY_BASE=s3cret", "TZ=other"]),
    container("api-worker", "lago-worker", ["./scripts/start.worker.sh"]),
    container("api-events-worker", "lago-events-worker", ["./scripts/start.events.worker.sh"]),
    container("api-clock", "lago-clock", ["./scripts/start.clock.sh"]),
    container("migrate", "lago-migrate", ["./scripts/migrate.sh"], state="exited"),
    container("front", "lago-front", []),
    container("certbot", "lago-certbot", []),
    container("api", "once", ["bash"], labels={"com.docker.compose.oneoff": "True"}),
    container(
        "db",
        "lago-db",
        ["postgres"],
        mounts=[{"Destination": "/data/postgres", "Type": "volume", "Name": "lago_lago_postgres_data"}],
        ports={"5432/tcp": [{"HostIp": "", "HostPort": "5432"}]},
    ),
    container("redis", "lago-redis", ["--port", "6380"]),
]


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    program = tmp_path / "bin" / "docker"
    program.parent.mkdir()
    program.write_text(DOCKER)
    program.chmod(0o755)
    row = {"server_version": "15.2", **dict.fromkeys((*FACTS, *RIGHTS, *TABLES)), "organizations": 1}
    for name, text in {
        "containers": json.dumps(CONTAINERS),
        "images": json.dumps([{"Id": "sha256:1", "Config": {"Env": ["PATH=/usr/bin", "TZ=UTC"]}}]),
        "row": json.dumps(row),
        "key": "-----BEGIN PRIVATE KEY-----\n",
        "redis": "# Server\r\nredis_version:7.0.15\r\nused_memory:1048576\r\n",
    }.items():
        (tmp_path / name).write_text(text)
    for name, value in {"CALLS": tmp_path / "calls", "ANSWERS": tmp_path}.items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    return tmp_path


@pytest.mark.parametrize("check", [False, True])
def test_all_that_upstream_s_file_deploys_is_known_for_what_it_is(run_module: Any, docker: Path, check: bool) -> None:
    ran = run_module("adopt_info", {"project": "lago"}, check=check)
    found = ran["adoptable"]
    kinds = {one["name"]: (one["kind"], one["worker"]) for one in found["containers"]}
    assert (ran["changed"], kinds) == (
        False,
        {
            "lago-api": ("api", None),
            "lago-certbot": ("other", None),
            "lago-clock": ("clock", None),
            "lago-db": ("db", None),
            "lago-events-worker": ("worker", "events"),
            "lago-front": ("front", None),
            "lago-migrate": ("migrate", None),
            "lago-redis": ("redis", None),
            "lago-worker": ("worker", "default"),
        },
    )
    api, database = (next(one for one in found["containers"] if one["kind"] == kind) for kind in ("api", "db"))
    assert api["environment"] == {"SECRET_KEY_BASE": "s3cret", "TZ": "other"}, "what the image says is nobody's wish"
    assert (api["image"], api["folder"], api["state"]) == ("getlago/api:v1.45.2", "/root/lago", "running")
    assert database["mounts"] == {"/data/postgres": {"type": "volume", "name": "lago_lago_postgres_data"}}
    assert database["ports"] == [{"address": "", "port": 5432, "target": "5432/tcp"}]
    assert found["rsa_file"] == "-----BEGIN PRIVATE KEY-----\n"
    assert (found["database"]["organizations"], found["database"]["server_version"]) == (1, "15.2")
    assert found["redis"] == {"version": "7.0.15", "port": 6380, "used_memory": 1048576}


def test_what_does_not_answer_is_not_there(run_module: Any, docker: Path) -> None:
    (docker / "key").unlink()
    (docker / "redis").write_text("NOAUTH Authentication required.")
    found = run_module("adopt_info", {"project": "lago"})["adoptable"]
    assert (found["rsa_file"], found["redis"]) == (None, None)


def test_a_project_that_is_not_there_has_nothing(run_module: Any, docker: Path) -> None:
    (docker / "none").touch()
    found = run_module("adopt_info", {"project": "lago"})["adoptable"]
    assert found == {"project": "lago", "containers": [], "rsa_file": None, "database": None, "redis": None}
