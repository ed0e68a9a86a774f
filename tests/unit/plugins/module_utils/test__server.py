# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is read from a server, from answers that real programs gave."""

from __future__ import annotations

import json
import os
import struct
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.selfhosted.lago.plugins.module_utils import (
    _server,
    _server_docker,
    _server_host,
    _server_listeners,
    _server_project,
    _server_services,
    _service_logs,
)
from ansible_collections.selfhosted.lago.plugins.module_utils._errors import LagoError
from ansible_collections.selfhosted.lago.plugins.module_utils._server_machine import Machine, parsed

Answers = dict[str, tuple[int, str, str]]

#: `docker info` of Debian 13's Engine 26.1.5 with Compose 2.26.1, but for what is of no use here.
INFO_26: dict[str, Any] = {
    "Driver": "overlay2",
    "LoggingDriver": "json-file",
    "RegistryConfig": {"InsecureRegistryCIDRs": ["127.0.0.0/8"], "Mirrors": ["http://172.17.0.1:5000/"]},
    "DockerRootDir": "/var/lib/docker",
    "ServerVersion": "26.1.5+dfsg1",
    "Swarm": {"NodeID": "", "LocalNodeState": "inactive"},
    "LiveRestoreEnabled": True,
    "SecurityOptions": ["name=seccomp,profile=builtin"],
    "ClientInfo": {
        "Version": "26.1.5+dfsg1",
        "Plugins": [
            {"SchemaVersion": "0.1.0", "Version": "0.13.1", "Name": "buildx"},
            {"SchemaVersion": "0.1.0", "Version": "2.26.1-4", "Name": "compose"},
        ],
    },
}
#: The same of Debian 12's Engine 20.10.24, whose packages have no Compose plugin.
INFO_20: dict[str, Any] = {
    "Driver": "overlay2",
    "LoggingDriver": "json-file",
    "RegistryConfig": {"Mirrors": None},
    "DockerRootDir": "/var/lib/docker",
    "ServerVersion": "20.10.24+dfsg1",
    "Swarm": {"LocalNodeState": "active"},
    "LiveRestoreEnabled": False,
    "SecurityOptions": ["name=rootless"],
    "ClientInfo": {"Version": "20.10.24+dfsg1", "Plugins": []},
}


class FakeModule:
    """Answers commands by their words; what has no answer is not on the path."""

    def __init__(self, answers: Answers) -> None:
        self.answers = answers
        self.ran: list[list[str]] = []

    def get_bin_path(self, program: str) -> str | None:
        return f"/usr/bin/{program}" if any(words.split()[0] == program for words in self.answers) else None

    def run_command(self, command: list[str]) -> tuple[int, str, str]:
        self.ran.append(command)
        line = " ".join(command).replace("/usr/bin/", "")
        return next((answer for words, answer in self.answers.items() if words in line), (1, "", "no answer"))


def fake(tmp_path: Path, answers: Answers | None = None, files: dict[str, str] | None = None) -> Machine:
    for name, text in (files or {}).items():
        path = tmp_path / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Machine(FakeModule(answers or {}), str(tmp_path))


def test_a_command_is_run_under_a_time_limit(tmp_path: Path) -> None:
    module = FakeModule({"timeout": (0, "", ""), "docker ps": (0, "x", "")})
    Machine(module, str(tmp_path)).run("docker", "ps")
    assert module.ran == [["/usr/bin/timeout", "-k", "2", "20", "/usr/bin/docker", "ps"]]


def test_a_command_that_hangs_says_so(tmp_path: Path) -> None:
    machine = fake(tmp_path, {"docker info": (124, "", ""), "timeout": (0, "", "")})
    assert machine.run("docker", "info").complaint == "docker info did not answer within 20 s"


def test_a_program_that_is_not_there_answers_too(tmp_path: Path) -> None:
    answer = fake(tmp_path).run("docker", "info")
    assert (answer.code, answer.complaint) == (127, "docker is not on the path")


def test_files_that_cannot_be_read_are_absent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = fake(tmp_path, files={"/etc/bad.json": "{"})
    assert machine.text("/etc/none") is None
    assert machine.json("/etc/bad.json") is None
    assert parsed(None) is None
    for method in ("is_file", "is_dir"):
        monkeypatch.setattr(Path, method, lambda self: (_ for _ in ()).throw(PermissionError()))
    assert machine.exists("/etc/bad.json") is False
    assert machine.is_directory("/etc") is False


@pytest.mark.parametrize(
    ("release", "expected"),
    [
        (
            'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nVERSION_ID="13"\nVERSION_CODENAME=trixie\nID=debian\n',
            ("debian", "13", "trixie", [], "Debian GNU/Linux 13 (trixie)", "debian"),
        ),
        (
            'ID="rocky"\nID_LIKE="rhel centos fedora"\nVERSION_ID="9.6"\nPRETTY_NAME="Rocky Linux 9.6"\n',
            ("rocky", "9.6", "", ["rhel", "centos", "fedora"], "Rocky Linux 9.6", "redhat"),
        ),
        (
            "# a comment\nID=ubuntu\nID_LIKE=debian\nVERSION_ID='24.04'\nVERSION_CODENAME=noble\n",
            ("ubuntu", "24.04", "noble", ["debian"], "", "debian"),
        ),
        ('ID=alpine\nPRETTY_NAME="unclosed\n', ("alpine", "", "", [], '"unclosed', "other")),
        ("", ("linux", "", "", [], "", "other")),
    ],
)
def test_operating_system(release: str, expected: tuple[Any, ...]) -> None:
    assert tuple(_server_host.operating_system(release).values()) == expected


#: As Linux writes them of a server with an address on one network card, and Docker's bridge.
FIB_TRIE = """Main:
  +-- 0.0.0.0/0 3 0 4
     |-- 0.0.0.0
        /0 universe UNICAST
     +-- 127.0.0.0/8 2 0 2
        |-- 127.0.0.0
           /8 host LOCAL
        |-- 127.0.0.1
           /32 host LOCAL
     +-- 192.0.2.0/24 2 0 2
        |-- 192.0.2.0
           /24 link UNICAST
        |-- 192.0.2.7
           /32 host LOCAL
        |-- 192.0.2.255
           /32 link BROADCAST
Local:
  +-- 172.17.0.0/16 2 0 2
     |-- 172.17.0.1
        /32 host LOCAL
     |-- 192.0.2.7
        /32 host LOCAL
"""
IF_INET6 = """20010db8000000000000000000000007 04 40 00 82     eth0
00000000000000000000000000000001 01 80 10 80       lo
"""


def test_the_addresses_of_the_server(tmp_path: Path) -> None:
    machine = fake(tmp_path, files={"/proc/net/fib_trie": FIB_TRIE, "/proc/net/if_inet6": IF_INET6})
    assert _server_host.addresses(machine) == ["127.0.0.1", "172.17.0.1", "192.0.2.7", "::1", "2001:db8::7"]
    assert _server_host.addresses(fake(tmp_path / "bare")) == []


@pytest.mark.parametrize(("allowed", "known"), [("0\n", True), ("1\n", False)])
def test_where_addresses_come_later_none_is_known(tmp_path: Path, allowed: str, known: bool) -> None:
    files = {"/proc/net/if_inet6": IF_INET6, "/proc/sys/net/ipv4/ip_nonlocal_bind": allowed}
    assert bool(_server_host.addresses(fake(tmp_path, files=files))) is known


def test_the_server_itself(tmp_path: Path) -> None:
    machine = fake(
        tmp_path,
        files={
            "/usr/lib/os-release": "ID=debian\n",
            "/proc/meminfo": "MemTotal:       8126464 kB\nMemFree: 1 kB\n",
            "/sys/fs/cgroup/cgroup.controllers": "cpu memory\n",
            "/proc/net/if_inet6": "00000000000000000000000000000001 01 80 10 80 lo\n",
            "/sys/module/ipv6/parameters/disable": "0\n",
        },
    )
    server = _server_host.describe(machine)
    assert server["ipv6_disabled"] is False
    assert (server["os"]["id"], server["memory_mb"], server["cgroup"], server["ipv6"]) == ("debian", 7936, 2, True)
    assert (server["root"], server["python"]) == (os.geteuid() == 0, sys.version.split()[0])
    assert time.strptime(server["time_utc"], "%Y-%m-%dT%H:%M:%SZ")
    bare = _server_host.describe(fake(tmp_path / "bare"))
    assert (bare["memory_mb"], bare["cgroup"], bare["ipv6"]) == (None, 1, False)
    off = fake(tmp_path / "off", files={"/sys/module/ipv6/parameters/disable": "1\n"})
    assert _server_host.describe(off)["ipv6_disabled"] is True


def test_free_disk_of_a_path_that_is_not_there_is_that_of_its_parent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = fake(tmp_path, files={"/opt/x": ""})
    free = _server_host.disk_free_mb(machine, ["/opt/lago/deep", "/var/lib/docker"])
    numbers = os.statvfs(tmp_path)
    assert free.keys() == {"/opt/lago/deep", "/var/lib/docker"}
    assert abs(free["/opt/lago/deep"] - numbers.f_bavail * numbers.f_frsize // 2**20) < 512

    def refuse(_path: Any) -> None:
        raise OSError

    monkeypatch.setattr(os, "statvfs", refuse)
    assert _server_host.disk_free_mb(machine, ["/opt"]) == {}


def test_git(tmp_path: Path) -> None:
    assert _server_host.git(fake(tmp_path)) == {"version": None}
    machine = fake(tmp_path, {"git --version": (0, "git version 2.47.3\n", "")})
    assert _server_host.git(machine) == {"version": "2.47.3"}


@pytest.mark.parametrize(
    ("said", "there", "runs"),
    [
        ("LoadState=loaded\nActiveState=active\nUnitFileState=enabled\nNeedDaemonReload=no", True, True),
        ("LoadState=loaded\nActiveState=active\nUnitFileState=enabled\nNeedDaemonReload=yes", True, False),
        ("LoadState=loaded\nActiveState=inactive\nUnitFileState=enabled\nNeedDaemonReload=no", True, False),
        ("LoadState=loaded\nActiveState=active\nUnitFileState=disabled\nNeedDaemonReload=no", True, False),
        ("LoadState=not-found\nActiveState=inactive\nUnitFileState=\nNeedDaemonReload=no", False, False),
    ],
)
def test_the_timer_of_backups(tmp_path: Path, said: str, there: bool, runs: bool) -> None:
    service = "\n\nLoadState=loaded\nActiveState=inactive\nUnitFileState=static\nNeedDaemonReload=no\n" if there else ""
    machine = fake(
        tmp_path, {"lago-backup.timer lago-backup.service": (0, said + service, ""), "systemctl": (1, "", "")}
    )
    assert _server_host.backup_timer(machine, "lago") == {"there": there, "runs": runs}


def test_an_engine_that_answers(tmp_path: Path) -> None:
    machine = fake(
        tmp_path,
        {
            "docker info": (0, json.dumps(INFO_26), ""),
            "docker version": (0, '{"Version":"26.1.5+dfsg1","ApiVersion":"1.45"}', ""),
        },
    )
    docker, compose, reason = _server_docker.engine(machine)
    assert docker == {
        "version": "26.1.5+dfsg1",
        "api_version": "1.45",
        "client_version": "26.1.5+dfsg1",
        "storage_root": "/var/lib/docker",
        "storage_driver": "overlay2",
        "live_restore": True,
        "log_driver": "json-file",
        "registry_mirrors": ["http://172.17.0.1:5000"],
        "rootless": False,
        "swarm": False,
    }
    assert (compose, reason) == ({"version": "2.26.1-4"}, None)


def test_an_old_engine_without_compose(tmp_path: Path) -> None:
    machine = fake(tmp_path, {"docker info": (0, json.dumps(INFO_20), ""), "docker version": (1, "", "")})
    docker, compose, _reason = _server_docker.engine(machine)
    assert docker is not None
    assert (docker["version"], docker["api_version"], docker["registry_mirrors"]) == ("20.10.24+dfsg1", None, [])
    assert (docker["rootless"], docker["swarm"], compose) == (True, True, None)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (
            (1, json.dumps({"ServerErrors": ["Cannot connect to the Docker daemon"], "ClientInfo": {}}), ""),
            "Cannot connect to the Docker daemon",
        ),
        ((1, "", "permission denied while trying to connect\n"), "permission denied while trying to connect"),
        ((0, json.dumps({"host": {"arch": "amd64"}}), ""), "no Docker Engine answers"),  # Podman
    ],
)
def test_why_no_engine_answers(tmp_path: Path, answer: tuple[int, str, str], expected: str) -> None:
    assert _server_docker.engine(fake(tmp_path, {"docker info": answer})) == (None, None, expected)


def test_no_docker_at_all(tmp_path: Path) -> None:
    machine = fake(tmp_path)
    assert _server_docker.engine(machine) == (None, None, None)
    assert _server_docker.installation(machine) == {
        "cli": False,
        "daemon": False,
        "package": None,
        "packages": {},
        "interrupted": False,
        "managed": False,
    }


DPKG = "docker-cli installed 26.1.5+dfsg1-9\ndocker-ce not-installed\ndocker.io installed 26.1.5+dfsg1-9\n"


@pytest.mark.parametrize(
    ("answers", "files", "package", "interrupted"),
    [
        (
            {"dpkg-query": (1, DPKG, "no packages found matching docker-ce-cli"), "docker": (0, "", "")},
            {},
            "docker.io",
            False,
        ),
        ({"dpkg-query": (0, "docker.io half-configured 26.1\n", ""), "dockerd": (0, "", "")}, {}, "other", True),
        ({"dpkg-query": (0, "", "")}, {"/var/lib/dpkg/updates/0001": ""}, None, True),
        ({"dpkg-query": (0, "", "")}, {"/var/lib/dpkg/updates/tmp.i": ""}, None, False),
        (
            {"rpm": (1, "docker-ce 28.5.1\npackage docker.io is not installed\n", ""), "docker": (0, "", "")},
            {},
            "docker-ce",
            False,
        ),
        ({"docker": (0, "", "")}, {}, "other", False),
    ],
)
def test_installation(
    tmp_path: Path, answers: Answers, files: dict[str, str], package: str | None, interrupted: bool
) -> None:
    found = _server_docker.installation(fake(tmp_path, answers, files))
    assert (found["package"], found["interrupted"]) == (package, interrupted)


def test_the_credentials_of_a_proxy_are_not_told(tmp_path: Path) -> None:
    content = {"proxies": {"http-proxy": "http://me:s3cret@proxy:3128"}, "dns": ["9.9.9.9"], "debug": True}
    told = _server_docker.daemon_json(fake(tmp_path, files={"/etc/docker/daemon.json": json.dumps(content)}))
    assert told["content"] == {
        "proxies": {"http-proxy": "http://********@proxy:3128"},
        "dns": ["9.9.9.9"],
        "debug": True,
    }
    assert told["redacted"] is True


@pytest.mark.parametrize(
    ("text", "valid", "content"),
    [
        ("{}", True, {}),
        ("", True, None),
        ("{oops", False, None),
        ("[]", False, None),
        ('{"debug": true}', True, {"debug": True}),
    ],
)
def test_daemon_json(tmp_path: Path, text: str, valid: bool, content: Any) -> None:
    told = _server_docker.daemon_json(fake(tmp_path, files={"/etc/docker/daemon.json": text}))
    assert told == {"exists": True, "valid": valid, "content": content, "redacted": False}


def test_no_daemon_json(tmp_path: Path) -> None:
    assert _server_docker.daemon_json(fake(tmp_path))["exists"] is False


def _daemon(ago: float) -> dict[str, str]:
    """Return the files of a daemon that started so many seconds ago on a machine that runs since an hour."""
    ticks = int((3600 - ago) * os.sysconf("SC_CLK_TCK"))
    stat = " ".join(["77", "(docker d)", "S", *["1"] * 18, str(ticks), "0"])
    return {"/run/docker.pid": "77", "/proc/77/stat": stat, "/proc/uptime": "3600.00 1.00"}


def _written(tmp_path: Path, ago: float) -> None:
    moment = time.time() - ago
    os.utime(tmp_path / "etc/docker/daemon.json", (moment, moment))


@pytest.mark.parametrize(
    ("content", "loaded", "written_ago", "expected"),
    [
        ({"registry-mirrors": ["http://a"]}, {}, 200, "none"),
        ({"registry-mirrors": ["http://a"]}, {}, 50, "reload"),
        ({"registry-mirrors": ["http://a"]}, {"registry-mirrors": ["http://a"]}, 50, "none"),
        ({"registry-mirrors": ["http://a"], "log-opts": {"max-size": "1m"}}, {}, 50, "restart"),
        ({"live-restore": True}, {"live-restore": True, "log-driver": "local"}, 50, "restart"),
        ({"log-driver": "local"}, None, 50, "restart"),
    ],
)
def test_what_a_daemon_still_has_to_load(
    tmp_path: Path, content: dict[str, Any], loaded: dict[str, Any] | None, written_ago: float, expected: str
) -> None:
    files = {**_daemon(ago=100), "/etc/docker/daemon.json": json.dumps(content)}
    if loaded is not None:
        files["/etc/docker/.selfhosted-lago"] = json.dumps(loaded)
    machine = fake(tmp_path, files=files)
    _written(tmp_path, written_ago)
    assert _server_docker.pending(machine) == expected


def test_nothing_is_pending_without_a_daemon_or_a_configuration(tmp_path: Path) -> None:
    assert _server_docker.pending(fake(tmp_path / "none")) == "none"
    assert _server_docker.pending(fake(tmp_path / "stale", files={"/run/docker.pid": "77"})) == "none"
    assert _server_docker.pending(fake(tmp_path / "plain", files=_daemon(100))) == "none"


def test_a_configuration_that_was_removed_is_pending(tmp_path: Path) -> None:
    files = {**_daemon(100), "/etc/docker/.selfhosted-lago": '{"log-driver": "local"}'}
    assert _server_docker.pending(fake(tmp_path, files=files)) == "restart"


def _container(service: str, number: str = "1", oneoff: str = "False", status: str = "running", **more: Any) -> Any:
    return {
        "Id": f"{service}{number}{oneoff}",
        "Name": f"/lago-{service}-{number}",
        "Image": "sha256:1",
        "RestartCount": 0,
        "State": {
            "Status": status,
            "ExitCode": 0,
            "StartedAt": "2026-01-01T00:00:00Z",
            "Health": {"Status": "healthy"},
        },
        "Config": {
            "Image": "getlago/api:v1.51.0",
            "Env": ["DATABASE_URL=postgres://lago:s3cret@db/lago"],
            "Labels": {
                "com.docker.compose.project": "lago",
                "com.docker.compose.project.working_dir": "/opt/lago",
                "com.docker.compose.service": service,
                "com.docker.compose.oneoff": oneoff,
                "com.docker.compose.container-number": number,
                "selfhosted.lago.file": "abc",
                "org.example.else": "x",
            },
        },
        "HostConfig": {"PortBindings": more.get("ports", {})},
    }


def test_containers_by_service(tmp_path: Path) -> None:
    ports = {"443/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8443"}, {"HostIp": "", "HostPort": ""}], "80/tcp": None}
    entries = [
        _container("api", "2"),
        _container("api", "1"),
        {**_container("register", "", "True"), "Name": "/lago-register"},
        _container("proxy", status="exited", ports=ports),
    ]
    machine = fake(
        tmp_path, {"docker ps": (0, "a\nb\nc\nd\n", ""), "docker container inspect": (1, json.dumps(entries), "gone")}
    )
    found = _server_project.containers(machine, "lago")
    services = _server_project.by_service(found)
    assert services.keys() == {"api", "proxy", "register"}
    assert services["api"]["name"] == "lago-api-1"
    assert services["register"]["oneoff"] is True
    assert [services[name]["own_name"] for name in ("api", "register")] == [True, False]
    assert services["proxy"]["ports"] == [{"address": "0.0.0.0", "port": 8443, "target": "443/tcp"}]
    assert "org.example.else" not in services["api"]["labels"]
    assert services["api"]["labels"]["selfhosted.lago.file"] == "abc"
    assert services["api"]["labels"]["com.docker.compose.project.working_dir"] == "/opt/lago"
    assert "s3cret" not in json.dumps(found)
    assert _server_project.running(found, "api") == services["api"]["id"]
    assert [_server_project.running(found, name) for name in ("proxy", "register", "db")] == [None, None, None]


def test_no_containers_no_inspection(tmp_path: Path) -> None:
    assert _server_project.containers(fake(tmp_path, {"docker ps": (0, "", "")}), "lago") == []


IMAGES = "\n".join(
    json.dumps(dict(zip(("name", "tag", "digest", "id"), row, strict=True)))
    for row in [
        ("redis", "7-alpine", "sha256:d1", "sha256:1"),
        ("getlago/api", "v1.51.0", "<none>", "sha256:2"),
        ("getlago/front", "<none>", "sha256:d3", "sha256:3"),
        ("<none>", "<none>", "<none>", "sha256:4"),
    ]
)


def test_images_by_the_names_they_were_asked_by(tmp_path: Path) -> None:
    machine = fake(tmp_path, {"docker images": (0, IMAGES, "")})
    wanted = ["docker.io/library/redis:7-alpine", "getlago/api:v1.51.0", "getlago/api:v1.50.0"]
    found = {"docker.io/library/redis:7-alpine": "sha256:1", "getlago/api:v1.51.0": "sha256:2"}
    assert _server_project.images(machine, wanted) == (found, {"docker.io/library/redis:7-alpine": "sha256:d1"})
    ids, digests = _server_project.images(machine, [])
    assert ids == {
        "redis:7-alpine": "sha256:1",
        "redis@sha256:d1": "sha256:1",
        "getlago/api:v1.51.0": "sha256:2",
        "getlago/front@sha256:d3": "sha256:3",
    }
    assert digests == {"redis:7-alpine": "sha256:d1"}


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("redis", "redis:latest"),
        ("docker.io/library/redis:7", "redis:7"),
        ("docker.io/getlago/api:v1.51.0", "getlago/api:v1.51.0"),
        ("registry:5000/getlago/api", "registry:5000/getlago/api:latest"),
        ("getlago/api:v1.51.0@sha256:x", "getlago/api@sha256:x"),
    ],
)
def test_short_reference(reference: str, expected: str) -> None:
    assert _server_project.short_reference(reference) == expected


def test_volumes_by_label_and_by_name(tmp_path: Path) -> None:
    rows = [
        ("lago_storage", "lago"),
        ("stray", "lago"),
        ("lago_db-data", ""),
        ("lago_other", ""),
        ("shop_db-data", "shop"),
    ]
    listed = "\n".join(json.dumps({"name": name, "project": project}) for name, project in rows)
    machine = fake(tmp_path, {"docker volume ls": (0, listed, "")})
    assert _server_project.volumes(machine, "lago") == ["lago_db-data", "lago_storage", "stray"]
    assert _server_project.volumes(machine, "none", ["lago_storage"]) == ["lago_storage"]


@pytest.mark.parametrize("listing", ["volume ls", "network ls", "images", "ps -a", "ps --filter", "container inspect"])
@pytest.mark.parametrize(("code", "reason"), [(124, "did not answer within 20 s"), (1, "exit code 1")])
def test_silence_is_not_taken_for_nothing(tmp_path: Path, listing: str, code: int, reason: str) -> None:
    """Or secrets would be made anew for a database that is there, and two databases would work on one volume."""
    (tmp_path / "opt/lago").mkdir(parents=True)
    (tmp_path / "opt/lago/adopted.json").write_text('{"project": "old"}')
    docker: Answers = {
        "docker info": (0, json.dumps(INFO_26), ""),
        "docker ps -a": (0, "a", ""),
        "docker": (0, "[]", ""),
    }
    silent = {f"docker {listing}": (code, "", "")}
    answers = {**silent, **docker, **silent, "timeout": (0, "", "")}
    module: Any = FakeModule(answers)
    module.params = {"directory": str(tmp_path / "opt/lago"), "project": "lago", "images": [], "ports": []}
    module.params["gather"] = ["containers", "images", "volumes", "networks"]
    with pytest.raises(LagoError, match=reason) as caught:
        _server.read(module)
    assert caught.value.code == "not_listed"


def test_what_failed_is_told_though_docker_is_silent(tmp_path: Path) -> None:
    assert _service_logs.containers(fake(tmp_path, {"docker ps": (1, "", "")}), "lago") == []


def test_networks(tmp_path: Path) -> None:
    machine = fake(tmp_path, {"docker network ls": (0, "lago_edge\nlago_data\n", "")})
    assert _server_project.networks(machine, "lago") == ["lago_data", "lago_edge"]


ROW: dict[str, Any] = {
    "name": "lago",
    "user": "lago",
    "server_version": "15.20 (Debian 15.20-0+deb12u1)",
    "identifier": "7710479335389309182-16385",
    "tables": 161,
    "migrations": 1075,
    "last_migration": "20260101120000",
    "organizations": 1,
    "users": 2,
    "payment_providers": 3,
    "integrations": 4,
    "invalid_indexes": 0,
    "max_connections": 100,
    "may_create": True,
    "may_extend": False,
    "available": {"pgcrypto": "1.3"},
    "installed": {"plpgsql": "1.0"},
    "partman_usable": None,
}


def test_database(tmp_path: Path) -> None:
    found = _server_services.database(fake(tmp_path, {"docker exec": (0, json.dumps(ROW) + "\n", "")}), "db")
    counted = ("migrations", "last_migration", "payment_providers", "integrations")
    assert found == {
        **{name: value for name, value in ROW.items() if name not in counted},
        "reachable": True,
        "error": None,
        "server_version": "15.20",
        "schema_migrations": {"count": 1075, "max": "20260101120000"},
        "encrypted_rows": 7,
        "password_accepted": None,
    }


@pytest.mark.parametrize(
    ("there", "asked"),
    [
        ({"db": "running", "api": "running"}, "db"),
        ({"db": "running", "api": "running", "database": "running"}, "database"),
        ({"api": "running", "database": "exited"}, "api"),
        ({"db": "exited", "api": "running"}, None),
        ({"proxy": "running"}, None),
    ],
)
def test_whoever_reaches_the_database_is_asked(tmp_path: Path, there: dict[str, str], asked: str | None) -> None:
    found = json.dumps([_container(service, status=status) for service, status in there.items()])
    answers = {"docker ps": (0, "a b", ""), "docker container inspect": (0, found, "")}
    answers["docker exec"] = (0, json.dumps(ROW), "")
    machine = fake(tmp_path, answers)
    containers = _server_project.containers(machine, "lago")
    told = _server._database(machine, containers)
    assert (told or {}).get("service") == asked


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("password accepted", True),
        ('psql: error: connection failed: FATAL:  password authentication failed for user "lago"', False),
        ("psql: error: connection refused", None),
    ],
)
def test_whether_the_database_takes_the_password_of_its_container(
    tmp_path: Path, said: str, expected: bool | None
) -> None:
    machine = fake(tmp_path, {"docker exec": (0, f"{json.dumps(ROW)}\n{said}\n", "")})
    assert _server_services.database(machine, "db")["password_accepted"] is expected


def test_an_empty_database_has_no_numbers(tmp_path: Path) -> None:
    missing = dict.fromkeys(
        ("migrations", "last_migration", "organizations", "users", "payment_providers", "integrations")
    )
    machine = fake(tmp_path, {"docker exec": (0, json.dumps({**ROW, **missing, "tables": 0}), "")})
    found = _server_services.database(machine, "db")
    assert (found["schema_migrations"], found["organizations"], found["encrypted_rows"]) == (None, None, None)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (
            (2, "", 'psql: error: connection failed: FATAL:  database "lago" does not exist\n'),
            'psql: error: connection failed: FATAL:  database "lago" does not exist',
        ),
        ((0, "", ""), "the database gave no answer"),
    ],
)
@pytest.mark.usefixtures("pauses")
def test_a_database_that_does_not_say(tmp_path: Path, answer: tuple[int, str, str], reason: str) -> None:
    found = _server_services.database(fake(tmp_path, {"docker exec": answer}), "db")
    assert (found["reachable"], found["error"], found["organizations"]) == (False, reason, None)


class Slowly(FakeModule):
    """Gives one answer after the other, the last one for ever."""

    def __init__(self, *answers: tuple[int, str, str]) -> None:
        super().__init__({"docker": (0, "", "")})
        self.told = [*answers]

    def run_command(self, command: list[str]) -> tuple[int, str, str]:
        self.ran.append(command)
        return self.told.pop(0) if len(self.told) > 1 else self.told[0]


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The pauses that were made, none of which is waited for."""
    made: list[int] = []
    monkeypatch.setattr(time, "sleep", made.append)
    return made


@pytest.mark.parametrize(
    "hindrance",
    [
        (0, "", ""),
        (1, "", ""),
        (124, "", ""),
        (126, "OCI runtime exec failed: exec failed: unable to start container process\n", ""),
        (
            2,
            "",
            "psql: error: failed\n\tIs the server running locally and accepting connections on that socket?",
        ),
        (2, "", "psql: error: FATAL:  the database system is starting up"),
        (2, "", "psql: error: FATAL:  sorry, too many clients already"),
        (1, "", "ERROR:  canceling statement due to lock timeout"),
    ],
)
def test_what_goes_by_is_waited_for(tmp_path: Path, pauses: list[int], hindrance: tuple[int, str, str]) -> None:
    healthy = (0, json.dumps(ROW), "")
    found = _server_services.database(Machine(Slowly(hindrance, hindrance, healthy), str(tmp_path)), "db")
    assert (found["reachable"], found["encrypted_rows"], pauses) == (True, 7, [1, 2])
    module = Slowly(hindrance)
    assert _server_services.database(Machine(module, str(tmp_path)), "db")["reachable"] is False
    assert len(module.ran) == 3


def test_what_stays_is_not_waited_for(tmp_path: Path, pauses: list[int]) -> None:
    refused = (2, "", 'psql: error: FATAL:  password authentication failed for user "lago"')
    assert _server_services.database(Machine(Slowly(refused), str(tmp_path)), "db")["reachable"] is False
    assert pauses == []


def test_a_server_that_hangs_is_not_waited_for_without_end(
    tmp_path: Path, pauses: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(range(0, 1000, 20))
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    module = Slowly((124, "", ""))
    found = _server_services.database(Machine(module, str(tmp_path)), "db")
    assert (len(module.ran), pauses) == (2, [1])
    assert found["error"] == "the database gave no answer"


def test_the_database_is_asked_as_one_that_cannot_write(tmp_path: Path) -> None:
    module = FakeModule({"docker exec": (0, json.dumps(ROW), "")})
    _server_services.database(Machine(module, str(tmp_path)), "db")
    assert "default_transaction_read_only=on" in " ".join(module.ran[0])


@pytest.mark.parametrize(
    ("health", "rows", "expected"),
    [
        ('{"version":"v1.51.0","message":"Success"}', '["1", "2"]\npassword accepted\n', ("v1.51.0", ["1", "2"])),
        ("", "", (None, None)),
        ("<html>", "null\n", (None, None)),
    ],
)
def test_the_release_by_the_word_of_the_api_and_of_the_database(
    tmp_path: Path, health: str, rows: str, expected: tuple[Any, ...]
) -> None:
    machine = fake(tmp_path, {"docker exec api": (0, health, ""), "docker exec": (0, rows, "")})
    found = _server_services.release(machine, "api", "db")
    assert (found["api"], found["migrations"]) == expected
    assert _server_services.release(machine, None, None) == {"api": None, "migrations": None}


PEM = "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n"
AND = "\n---- and ----\n"


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        (["abc", PEM, '{"a": 1, "b": 2}', '{"b":2,"a":1}\n'], ("abc", PEM, True)),
        (["abc", "", '{"a":1}', '{"a":2}'], ("abc", None, False)),
        (["", "", "", '{"a":2}'], (None, None, False)),
        (["abc", "", '{"a":1}', ""], ("abc", None, None)),
    ],
)
def test_proxy(tmp_path: Path, answers: list[str], expected: tuple[Any, ...]) -> None:
    found = _server_services.proxy(fake(tmp_path, {"docker exec": (0, AND.join([*answers, ""]), "")}), "proxy")
    assert found is not None
    assert (found["revision"], found["root_certificate"], found["follows_file"]) == expected


@pytest.mark.parametrize("answer", [(1, "", "Container 0123 is restarting\n"), (137, f"{AND}{AND}", "")])
def test_a_proxy_that_ended_meanwhile_is_none(tmp_path: Path, answer: tuple[int, str, str]) -> None:
    assert _server_services.proxy(fake(tmp_path, {"docker exec": answer}), "proxy") is None


def test_the_certificates_in_the_proxy_s_storage(tmp_path: Path) -> None:
    config = json.dumps({"apps": {"tls": {"automation": {"policies": [{"issuers": [{"module": "acme", "ca": "u"}]}]}}}})
    stored = f"/data/caddy/certificates/ca.example.com-dir/a.example.com/a.example.com.crt\n{PEM}{PEM}"
    stored += f"/data/caddy/certificates/local/b.example.com/b.example.com.crt\n{PEM}"
    answer = AND.join(["abc", "", config, config, stored])
    found = _server_services.proxy(fake(tmp_path, {"docker exec": (0, answer, "")}), "proxy")
    assert found is not None
    assert found["acme_directory"] == "u"
    assert found["certificates"] == [
        {"issuer": "ca.example.com-dir", "name": "a.example.com", "pem": PEM},
        {"issuer": "local", "name": "b.example.com", "pem": PEM},
    ]


def test_a_proxy_that_orders_from_nobody(tmp_path: Path) -> None:
    config = json.dumps({"apps": {"tls": {"automation": {"policies": [{"issuers": [{"module": "internal"}]}]}}}})
    answer = AND.join(["abc", "", config, config, "/data/caddy/certificates/*/*/*.crt"])
    found = _server_services.proxy(fake(tmp_path, {"docker exec": (0, answer, "")}), "proxy")
    assert found is not None
    assert (found["acme_directory"], found["certificates"]) == (None, [])


def test_of_secret_files_only_that_they_are_there(tmp_path: Path) -> None:
    files = {"/opt/lago/secrets.json": '{"a": "s3cret"}', "/opt/lago/migrated.json": '{"version": "v1.51.0"}'}
    found = _server_services.files(fake(tmp_path, files=files), "/opt/lago/")
    assert _server_services.files(fake(tmp_path / "bare"), "/opt/lago")["touched"] is None
    assert found == {
        "directory": True,
        "touched": (tmp_path / "opt" / "lago").stat().st_mtime_ns,
        "compose": False,
        "secrets": True,
        "api_key": False,
        "migrated": {"version": "v1.51.0"},
        "restoring": None,
        "upgrade": None,
        "adopted": None,
        "ca": None,
    }


def _socket(address: str, port: int, inode: str, state: str = "0A") -> str:
    rest = "00000000:00000000 00:00000000 00000000     0        0"
    return f"   0: {address}:{port:04X} 00000000:0000 {state} {rest} {inode} 1 0 0 10 0"


def _hexadecimal(*octets: int) -> str:
    data = bytes(octets)
    return "".join(f"{word:08X}" for word in struct.unpack(f"={len(data) // 4}I", data))


@pytest.fixture
def sockets(tmp_path: Path) -> Callable[[], Machine]:
    def make() -> Machine:
        files = {
            "/proc/net/tcp": "header\n"
            + "\n".join(
                [
                    _socket(_hexadecimal(127, 0, 0, 1), 5432, "11"),
                    _socket(_hexadecimal(0, 0, 0, 0), 443, "12"),
                    _socket(_hexadecimal(10, 0, 0, 9), 443, "13", state="01"),
                ]
            ),
            "/proc/net/tcp6": "header\n" + _socket(_hexadecimal(*[0] * 15, 1), 22, "14"),
            "/proc/1/comm": "systemd\n",
            "/proc/20/comm": "sshd\n",
            "/proc/30/comm": "docker-proxy\n",
            "/proc/40/comm": "ended",
            "/proc/self/comm": "x",
        }
        machine = fake(tmp_path, files=files)
        for pid, handle, target in [
            ("1", "3", "socket:[14]"),
            ("20", "3", "socket:[14]"),
            ("30", "4", "socket:[12]"),
            ("30", "5", "/dev/null"),
        ]:
            link = tmp_path / "proc" / pid / "fd" / handle
            link.parent.mkdir(exist_ok=True)
            link.symlink_to(target)
        (tmp_path / "proc/30/fd/6").write_text("")  # closed between listing and reading
        return machine

    return make


def test_listeners(sockets: Callable[[], Machine]) -> None:
    assert _server_listeners.listeners(sockets(), [], {443}) == [
        {"port": 22, "address": "::1", "process": "sshd", "ours": False},
        {"port": 443, "address": "0.0.0.0", "process": "docker-proxy", "ours": True},
        {"port": 5432, "address": "127.0.0.1", "process": None, "ours": False},
    ]


def test_listeners_of_some_ports(sockets: Callable[[], Machine]) -> None:
    machine = sockets()
    assert [entry["port"] for entry in _server_listeners.listeners(machine, [443, 80], set())] == [443]
    assert _server_listeners.listeners(machine, [80], set()) == []
