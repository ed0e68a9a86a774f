# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Module server_info against a `docker` that writes down how it is called."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

#: A Docker with one running database and a proxy; the environment of its containers holds a secret.
DOCKER = r"""#!/bin/sh
printf '%s\n' "$1 $2" >> "$CALLS"
case "$1 $2" in
  "info --format") cat "$ANSWERS/info" ;;
  "version --format") printf '{"ApiVersion":"1.45"}' ;;
  "ps -a") printf 'db0\nproxy0\n' ;;
  "container inspect") cat "$ANSWERS/inspect" ;;
  "images --no-trunc") printf '{"name":"redis","tag":"7-alpine","digest":"<none>","id":"sha256:1"}\n' ;;
  "volume ls") printf '{"name":"lago_db-data","project":"lago"}\n' ;;
  "network ls") printf 'lago_data\n' ;;
  "ps --filter") printf 'lago-db\n' ;;
  "exec -e") cat "$ANSWERS/row" ;;
  "exec proxy0") printf 'abc\n%s\n%s\n%s\n%s\n' '---- and ----' '---- and ----' '---- and ----' '---- and ----' ;;
  *) echo "unexpected: $*" >&2; exit 64 ;;
esac
"""
READS = {
    "info --format",
    "version --format",
    "ps -a",
    "container inspect",
    "images --no-trunc",
    "volume ls",
    "network ls",
    "exec -e",
    "exec proxy0",
}


def _container(service: str) -> dict[str, Any]:
    labels = {"com.docker.compose.project": "lago", "com.docker.compose.service": service}
    config = {"Image": "i", "Env": ["PASSWORD=s3cret-in-environment"], "Labels": labels}
    bindings = {"80/tcp": [{"HostIp": "", "HostPort": "80"}]} if service == "proxy" else {}
    return {
        "Id": f"{service}0",
        "Name": f"/lago-{service}-1",
        "Image": "sha256:1",
        "State": {"Status": "running"},
        "Config": config,
        "HostConfig": {"PortBindings": bindings},
    }


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    program = tmp_path / "bin" / "docker"
    program.parent.mkdir()
    program.write_text(DOCKER)
    program.chmod(0o755)
    info = {"ServerVersion": "26.1.5", "DockerRootDir": str(tmp_path), "ClientInfo": {"Plugins": []}}
    tables = ("organizations", "users", "payment_providers", "integrations")
    rights = ("max_connections", "may_create", "may_extend", "available", "installed", "partman_usable")
    row = dict.fromkeys(
        ("name", "user", "identifier", "tables", "migrations", "last_migration", "invalid_indexes", *tables, *rights)
    )
    for name, content in {
        "info": info,
        "inspect": [_container("db"), _container("proxy")],
        "row": {"server_version": "15.2", **row},
    }.items():
        (tmp_path / name).write_text(json.dumps(content))
    calls = tmp_path / "calls"
    calls.write_text("")
    for name, value in {"CALLS": calls, "ANSWERS": tmp_path}.items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    return calls


@pytest.mark.parametrize("check", [False, True])
def test_all_in_one_start(run_module: Any, docker: Path, tmp_path: Path, check: bool) -> None:
    ran = run_module("server_info", {"directory": str(tmp_path / "lago"), "images": ["redis:7-alpine"]}, check=check)
    server = ran["server"]
    assert ran["changed"] is False
    assert server["docker"]["version"] == "26.1.5"
    assert server["docker"]["managed"] is False
    assert server["compose"] is None
    assert server["containers"].keys() == {"db", "proxy"}
    assert server["other_containers"] == []
    assert (server["images"], server["image_digests"]) == ({"redis:7-alpine": "sha256:1"}, {})
    assert server["volumes"] == ["lago_db-data"]
    assert server["networks"] == ["lago_data"]
    assert (server["database"]["server_version"], server["database"]["service"]) == ("15.2", "db")
    known = {"revision": "abc", "root_certificate": None, "follows_file": None}
    assert server["proxy"] == {**known, "acme_directory": None, "certificates": []}
    assert server["files"]["secrets"] is False
    assert server["disk_free_mb"].keys() == {str(tmp_path), str(tmp_path / "lago")}
    assert all(listener["ours"] for listener in server["listeners"] if listener["port"] == 80)
    assert "s3cret-in-environment" not in ran.text


def test_only_reads_and_each_but_once(run_module: Any, docker: Path) -> None:
    run_module("server_info", {})
    calls = docker.read_text().splitlines()
    assert set(calls) == READS
    assert len(calls) == len(READS)


def test_what_was_taken_over_is_known_with_what_still_works_on_it(
    run_module: Any, docker: Path, tmp_path: Path
) -> None:
    adopted = {"project": "old", "phase": "done", "volumes": {"db-data": "other_data"}}
    (tmp_path / "adopted.json").write_text(json.dumps(adopted))
    server = run_module("server_info", {"directory": str(tmp_path)})["server"]
    assert (server["files"]["adopted"], server["adopted_at_work"]) == (adopted, ["lago-db"])


def test_what_is_not_asked_for_is_not_looked_at(run_module: Any, docker: Path) -> None:
    server = run_module("server_info", {"gather": ["git", "files"]})["server"]
    subjects = {"docker", "containers", "images", "volumes", "listeners", "database", "proxy", "files", "git"}
    assert subjects & server.keys() == {"git", "files"}
    assert set(docker.read_text().splitlines()) == {"info --format", "version --format"}


def test_the_release_is_asked_by_name_only(run_module: Any, docker: Path) -> None:
    (docker.parent / "row").write_text('["20260721180721"]')
    assert "release" not in run_module("server_info", {})["server"]
    server = run_module("server_info", {"gather": ["release"]})["server"]
    assert server["release"] == {"api": None, "migrations": ["20260721180721"]}


def test_a_bare_server_is_no_failure(run_module: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("ansible.module_utils.common.process.get_bin_path", _nothing)
    monkeypatch.setattr("ansible.module_utils.basic.get_bin_path", _nothing)
    server = run_module("server_info", {"project": "none-of-this-name"})["server"]
    assert (server["docker"], server["compose"], server["database"], server["proxy"]) == (None, None, None, None)
    assert (server["containers"], server["images"], server["volumes"]) == ({}, {}, [])
    assert server["git"] == {"version": None}
    assert "/opt/none-of-this-name" in server["disk_free_mb"]


def _nothing(*_arguments: Any, **_options: Any) -> str:
    raise ValueError("not found")
