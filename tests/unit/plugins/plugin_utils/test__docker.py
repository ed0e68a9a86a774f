# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which servers get which Docker, and which are left alone or refused."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.selfhosted.lago.plugins.plugin_utils._docker import docker_daemon_config, docker_plan

SETTINGS: dict[str, Any] = {
    "lago_docker_source": "repository",
    "lago_docker_repository_url": "https://docker.test",
    "lago_docker_repository_key_url": "",
    "lago_docker_manage_daemon": False,
    "lago_docker_registry_mirrors": [],
    "lago_docker_live_restore": True,
    "lago_docker_log_driver": "json-file",
    "lago_docker_log_max_size": "10m",
    "lago_docker_log_max_files": 5,
    "lago_docker_daemon_options": {},
}
UPSTREAM = ["docker-ce", "docker-ce-cli", "containerd.io", "docker-compose-plugin"]
DEBIAN_13 = {"id": "debian", "version_id": "13", "codename": "trixie", "family": "debian", "pretty": "Debian 13"}
DEBIAN_12 = {"id": "debian", "version_id": "12", "codename": "bookworm", "family": "debian", "pretty": "Debian 12"}
DEBIAN_SID = {"id": "debian", "version_id": "", "codename": "forky", "family": "debian", "pretty": ""}
UBUNTU_24 = {"id": "ubuntu", "version_id": "24.04", "codename": "noble", "family": "debian", "pretty": "Ubuntu 24.04"}
UBUNTU_20 = {"id": "ubuntu", "version_id": "20.04", "codename": "focal", "family": "debian", "pretty": "Ubuntu 20.04"}
ROCKY_9 = {"id": "rocky", "version_id": "9.6", "codename": "", "family": "redhat", "pretty": "Rocky Linux 9.6"}
RHEL_10 = {"id": "rhel", "version_id": "10.0", "codename": "", "family": "redhat", "pretty": "RHEL 10"}
ALPINE = {"id": "alpine", "version_id": "3.20", "codename": "", "family": "other", "pretty": "Alpine 3.20"}


def bare(system: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "os": system or DEBIAN_13,
        "root": True,
        "docker": None,
        "compose": None,
        "docker_installed": {
            "cli": False,
            "daemon": False,
            "package": None,
            "packages": {},
            "interrupted": False,
            "managed": False,
            "error": None,
        },
        "daemon_json": {"exists": False, "valid": True, "content": None, "redacted": False},
    }


def there(
    engine: str | None = "26.1.5", compose: str | None = "2.26.1", package: str = "docker.io", **installed: Any
) -> dict[str, Any]:
    server = bare(installed.pop("system", None))
    server["docker"] = engine and {"version": engine, "swarm": installed.pop("swarm", False)}
    server["compose"] = compose and {"version": compose}
    server["docker_installed"].update(
        {"cli": True, "daemon": True, "package": package, "packages": {package: "1"}, **installed}
    )
    return server


def plan(server: dict[str, Any], **settings: Any) -> dict[str, Any]:
    return docker_plan(server, {**SETTINGS, **{f"lago_docker_{name}": value for name, value in settings.items()}})


def codes(server: dict[str, Any], **settings: Any) -> list[str]:
    return [problem["code"] for problem in plan(server, **settings)["problems"]]


@pytest.mark.parametrize(
    ("system", "source", "packages"),
    [
        (DEBIAN_13, "repository", [*UPSTREAM, "apparmor"]),
        (DEBIAN_12, "repository", [*UPSTREAM, "apparmor"]),
        (DEBIAN_13, "distribution", ["docker.io", "docker-cli", "docker-compose", "apparmor"]),
        (DEBIAN_SID, "distribution", ["docker.io", "docker-cli", "docker-compose", "apparmor"]),
        (UBUNTU_24, "distribution", ["docker.io", "docker-compose-v2", "apparmor"]),
        (ROCKY_9, "repository", UPSTREAM),
    ],
)
def test_a_bare_server_gets_docker(system: dict[str, Any], source: str, packages: list[str]) -> None:
    found = plan(bare(system), source=source)
    assert (found["problems"], found["packages"]) == ([], packages)
    assert (found["start"], found["managed"]) == (True, True)


@pytest.mark.parametrize(
    ("system", "settings", "expected"),
    [
        (DEBIAN_13, {}, ("https://docker.test/debian", "https://docker.test/debian/gpg", "trixie")),
        (UBUNTU_24, {}, ("https://docker.test/ubuntu", "https://docker.test/ubuntu/gpg", "noble")),
        (ROCKY_9, {}, ("https://docker.test/centos/9/$basearch/stable", "https://docker.test/centos/gpg", "9")),
        (RHEL_10, {}, ("https://docker.test/rhel/10/$basearch/stable", "https://docker.test/rhel/gpg", "10")),
        (
            DEBIAN_13,
            {"repository_url": "http://mirror/d/", "repository_key_url": "http://keys/k"},
            ("http://mirror/d/debian", "http://keys/k", "trixie"),
        ),
    ],
)
def test_the_repository_of_a_system(
    system: dict[str, Any], settings: dict[str, Any], expected: tuple[str, ...]
) -> None:
    repository = plan(bare(system), **settings)["repository"]
    assert (repository["url"], repository["key_url"], repository["suite"]) == expected


@pytest.mark.parametrize(
    ("system", "source", "code"),
    [
        (DEBIAN_12, "distribution", "old_distribution"),
        (UBUNTU_20, "distribution", "old_distribution"),
        (ROCKY_9, "distribution", "old_distribution"),
        (ALPINE, "repository", "unknown_system"),
        (DEBIAN_SID | {"codename": ""}, "repository", "unknown_system"),
        (DEBIAN_13, "none", "no_docker"),
    ],
)
def test_a_bare_server_that_cannot_get_docker_is_refused(system: dict[str, Any], source: str, code: str) -> None:
    assert codes(bare(system), source=source) == [code]


def test_every_problem_in_one_run() -> None:
    found = codes(bare(DEBIAN_12), source="distribution", registry_mirrors=["mirror.example.com", "https://good"])
    assert found == ["old_distribution", "bad_mirror"]


@pytest.mark.parametrize("source", ["repository", "distribution", "none"])
@pytest.mark.parametrize(
    "server",
    [there(), there("28.5.1", "2.40.0", "docker-ce"), there("25.0.0", "2.20.0", "other"), there(system=DEBIAN_12)],
)
def test_a_docker_that_is_good_enough_is_left_alone(server: dict[str, Any], source: str) -> None:
    found = plan(server, source=source)
    assert (found["problems"], found["packages"], found["start"], found["managed"]) == ([], [], False, False)


@pytest.mark.parametrize(
    ("server", "expected"),
    [
        (there("20.10.24+dfsg1", None), ["old_docker"]),
        (there("24.0.7", "2.19.1"), ["old_docker", "old_compose"]),
        (there("26.1.5", "2.19.1", "docker-ce"), ["old_compose"]),
        (there(package="podman-docker", engine=None, compose=None), ["podman"]),
        (there(engine=None, error="Cannot connect"), ["docker_down"]),
        (there(compose=None, package="other"), ["incomplete"]),
        (there(compose=None, system=DEBIAN_12), ["incomplete"]),
    ],
)
def test_a_docker_that_is_not_good_enough_is_refused_not_replaced(server: dict[str, Any], expected: list[str]) -> None:
    assert codes(server) == expected
    assert plan(server)["packages"] == []


@pytest.mark.parametrize(
    ("server", "packages"),
    [
        (there(compose=None), ["docker-compose"]),
        (there(compose=None, system=UBUNTU_24), ["docker-compose-v2"]),
        (there(compose=None, package="docker-ce"), ["docker-compose-plugin"]),
        (there(engine=None, compose=None, cli=False, error=None), ["docker-cli", "docker-compose"]),
    ],
)
def test_only_what_is_missing_is_added_and_of_the_same_kind(server: dict[str, Any], packages: list[str]) -> None:
    found = plan(server, source="repository")
    assert (found["problems"], found["packages"], found["source"]) == ([], packages, "installed")
    assert found["repository"] is None
    assert codes(server, source="none") == ["incomplete"]


def test_an_installation_of_ours_that_was_broken_off_goes_on() -> None:
    for server in (
        there(engine=None, compose=None, cli=False, managed=True),
        there(managed=True, interrupted=True),
        there(managed=True, compose=None),
    ):
        found = plan(server, source="distribution")
        assert found["packages"] == ["docker.io", "docker-cli", "docker-compose", "apparmor"]


def test_a_daemon_that_is_ours_or_handed_over_is_started() -> None:
    for server, settings in (
        (there(engine=None, managed=True), {}),
        (there(engine=None), {"manage_daemon": True}),
    ):
        found = plan(server, **settings)
        assert (found["problems"], found["packages"], found["start"], found["managed"]) == ([], [], True, True)


@pytest.mark.parametrize(
    ("server", "words"),
    [
        (there("20.10.24", None), ["20.10.24", "package docker.io", "Docker Engine 25 and Compose 2.20", "upgrade it"]),
        (there(compose=None), ["Compose plugin", "package docker-compose "]),
        (there(engine=None, cli=False, package="other"), ["not from a package", "docker command"]),
        (bare(DEBIAN_12), ["Debian 12", "lago_docker_source to 'repository'"]),
        (there(engine=None, error="Cannot connect"), ["Cannot connect", "systemctl start docker"]),
    ],
)
def test_messages_name_what_is_wrong_and_what_to_do(server: dict[str, Any], words: list[str]) -> None:
    source = "distribution" if server["docker_installed"]["package"] is None else "none"
    message = plan(server, source=source)["problems"][0]["message"]
    assert [word for word in words if word not in message] == []


def test_without_root_nothing_else_is_judged() -> None:
    assert codes({**there("20.10.24"), "root": False}) == ["not_root"]


def test_what_a_daemon_would_not_start_with_is_refused() -> None:
    server = there(managed=True, swarm=True)
    server["daemon_json"]["valid"] = False
    assert codes(server) == ["bad_daemon_json", "swarm"]
    assert codes(server, live_restore=False) == ["bad_daemon_json"]
    server["docker_installed"]["managed"] = False
    assert codes(server) == []


def config(content: dict[str, Any] | None, **settings: Any) -> dict[str, Any]:
    return docker_daemon_config(
        content, {**SETTINGS, **{f"lago_docker_{name}": value for name, value in settings.items()}}
    )


OURS = {"live-restore": True, "log-driver": "json-file", "log-opts": {"max-size": "10m", "max-file": "5"}}


def test_daemon_json_of_nothing() -> None:
    assert config(None) == OURS


def test_what_others_wrote_into_daemon_json_stays() -> None:
    before = {"dns": ["9.9.9.9"], "log-opts": {"labels": "a", "max-size": "1g"}, "registry-mirrors": ["https://old"]}
    assert config(before) == {
        **OURS,
        "dns": ["9.9.9.9"],
        "registry-mirrors": ["https://old"],
        "log-opts": {"labels": "a", "max-size": "10m", "max-file": "5"},
    }
    assert before["log-opts"] == {"labels": "a", "max-size": "1g"}


def test_options_of_another_log_driver_go() -> None:
    before = {"log-driver": "syslog", "log-opts": {"syslog-address": "udp://1.2.3.4:1"}}
    assert config(before, log_driver="local")["log-opts"] == {"max-size": "10m", "max-file": "5"}
    assert config({"log-driver": "json-file", "log-opts": None}) == OURS


def test_further_options_win_and_are_merged() -> None:
    found = config(
        {"builder": {"gc": {"enabled": True}}},
        registry_mirrors=["https://mirror"],
        daemon_options={"builder": {"gc": {"policy": []}}, "live-restore": False},
    )
    assert found["builder"] == {"gc": {"enabled": True, "policy": []}}
    assert found["live-restore"] is False
    assert found["registry-mirrors"] == ["https://mirror"]


@pytest.mark.parametrize("content", [None, {"dns": ["9.9.9.9"]}, {"log-driver": "syslog", "log-opts": {"x": "y"}}])
def test_what_was_merged_is_not_merged_again(content: dict[str, Any] | None) -> None:
    once = config(content, registry_mirrors=["https://mirror"])
    assert config(once, registry_mirrors=["https://mirror"]) == once
