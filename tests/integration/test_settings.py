# SPDX-License-Identifier: GPL-3.0-or-later
"""What the processes of a deployment are told: every option on, none on, on every supported ansible-core."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
import yaml

from project import ROOT

sys.path.insert(0, str(ROOT / "tests" / "tools"))

import older_core

SETTINGS = ROOT / "tests" / "settings"
CHOICES = {
    "everything": ["everything"],
    "otherwise": ["everything", "otherwise"],
    "nothing": ["nothing"],
}
KNOWN = {name for kind in ("api", "front") for name in (SETTINGS / f"{kind}-v1.51.0.txt").read_text().split()}
#: Not Lago's: of the process itself and of libpq. And two that Lago's source names after v1.51.0 only.
OTHERS = {"HOME", "TZ", "SSL_CERT_FILE", "PGSSLCERT", "PGSSLKEY", "PGSSLMODE", "PGSSLROOTCERT"}
OTHERS |= {"LAGO_ENABLE_YJIT", "DATABASE_PROXY_URL"}
#: What the other images are told, and psql.
STORES = {"db", "postgres", "redis", "redis-cache"}


@pytest.fixture(scope="session")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> t.Callable[[str, str], dict[str, str]]:
    """Return what renders a choice of settings on a core, once: the text of every file by its path."""
    done: dict[tuple[str, str], dict[str, str]] = {}

    def render(choice: str, core: str) -> dict[str, str]:
        if (choice, core) not in done:
            done[choice, core] = _render(CHOICES[choice], core, tmp_path_factory.mktemp(choice))
        return done[choice, core]

    return render


def _render(files: list[str], core: str, directory: Path) -> dict[str, str]:
    newest = Path(sys.executable).parent
    programs = newest if core == "newest" else older_core.make(core) / "bin"
    collections = [str(ROOT / ".cache" / "collections"), *map(str, newest.parent.glob("lib/python*/site-packages"))]
    command = [str(programs / "ansible-playbook"), "-i", "localhost,", "-e", "ansible_python_interpreter=auto_silent"]
    command += [part for name in files for part in ("-e", f"@{SETTINGS / name}.yml")]
    # The same directory for every core: its name is in what is rendered.
    place = ROOT / ".cache" / "rendered"
    subprocess.run(["rm", "-rf", str(place)], check=True)
    done = subprocess.run(
        [*command, "-e", f"lago_directory={place}", str(SETTINGS / "render.yml")],
        env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": ":".join(collections)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    place.rename(directory / "files")
    found = (directory / "files").rglob("*")
    return {
        str(path.relative_to(directory / "files")): path.read_text(encoding="utf-8") for path in found if path.is_file()
    }


Render = t.Callable[[str, str], dict[str, str]]


def environment(files: dict[str, str]) -> dict[str, dict[str, str]]:
    """Return the variables by group, with values as the file has them."""
    found = {}
    for path, text in files.items():
        if (match := re.fullmatch(r"env/(.*)\.env", path)) and match[1] not in STORES:
            lines = (line.partition("=") for line in text.splitlines() if line)
            found[match[1]] = {name: value.removeprefix('"').removesuffix('"') for name, _sign, value in lines}
    return found


@pytest.mark.parametrize(
    ("choice", "core"),
    [*((choice, older_core.CORE) for choice in CHOICES), *(("everything", core) for core in older_core.BETWEEN)],
)
def test_every_file_is_the_same_on_every_core(rendered: Render, choice: str, core: str) -> None:
    assert rendered(choice, core) == rendered(choice, "newest")


@pytest.mark.parametrize("choice", CHOICES)
def test_every_name_is_one_that_lago_reads(rendered: Render, choice: str) -> None:
    told = {name for names in environment(rendered(choice, "newest")).values() for name in names}
    assert told - KNOWN - OTHERS == set(), "no release of Lago reads these"


def test_every_option_reaches_lago(rendered: Render) -> None:
    from ansible_collections.selfhosted.lago.plugins.plugin_utils._environment import VARIABLES

    told = set()
    for choice in CHOICES:
        files = rendered(choice, "newest")
        told |= {name for names in environment(files).values() for name in names}
        services = yaml.safe_load(files["compose.yml"])["services"].values()
        told |= {name for service in services for name in service.get("environment", {})}
    assert set(VARIABLES) - told == set()


@pytest.mark.parametrize("choice", CHOICES)
def test_nothing_is_blank_and_truth_is_written_as_lago_compares_it(rendered: Render, choice: str) -> None:
    for names in environment(rendered(choice, "newest")).values():
        assert [name for name, value in names.items() if value in ("", "None", "True", "False", "yes", "no")] == []


def test_what_is_switched_by_being_there_is_never_false(rendered: Render) -> None:
    told = environment(rendered("otherwise", "newest"))["backend"]
    present = ("SENTRY_ENABLE_CRONS", "LAGO_DISABLE_SCHEMA_DUMP", "LAGO_USE_AWS_S3", "RAILS_LOG_TO_STDOUT")
    assert [name for name in present if told.get(name) == "false"] == []
    assert told["LAGO_USE_GCS"] == "true"


def test_signing_up_is_closed_unless_it_is_wanted(rendered: Render) -> None:
    closed, opened = environment(rendered("nothing", "newest")), environment(rendered("otherwise", "newest"))
    for group in ("api", "front"):
        assert closed[group]["LAGO_DISABLE_SIGNUP"] == "true"
        assert "LAGO_DISABLE_SIGNUP" not in opened[group]


def test_a_migration_is_not_hurried(rendered: Render) -> None:
    files = rendered("everything", "newest")
    told = environment(files)
    timeouts = {name for name in told["runtime"] if name.endswith("_TIMEOUT")}
    assert len(timeouts) == 3
    services = yaml.safe_load(files["compose.yml"])["services"]
    assert services["migrate"]["env_file"] == ["./env/backend.env"]
    assert timeouts.isdisjoint(told["backend"])


def test_every_worker_has_its_service_and_every_process_its_flag(rendered: Render) -> None:
    files = rendered("everything", "newest")
    services = yaml.safe_load(files["compose.yml"])["services"]
    workers = {name.removeprefix("worker-") for name in services if name.startswith("worker-")}
    flags = {name for name in environment(files)["backend"] if name.startswith("SIDEKIQ_")}
    assert len(workers) == 10
    assert flags == {f"SIDEKIQ_{worker.upper()}" for worker in workers}
    assert services["worker"]["scale"] == 2
    assert services["worker-events"]["environment"] == {"SIDEKIQ_CONCURRENCY": "15"}
    backend = [service for name, service in services.items() if name in ("api", "clock") or name.startswith("worker")]
    assert all("./env/backend.env" in service["env_file"] for service in backend)
    assert all("./mounts/ca.crt:/run/lago/ca.crt:ro" in service["volumes"] for service in backend)


def test_a_service_that_is_not_wanted_is_not_there_and_nobody_waits_for_it(rendered: Render) -> None:
    for choice in ("everything", "otherwise"):
        files = rendered(choice, "newest")
        assert "pdf" not in yaml.safe_load(files["compose.yml"])["services"]
    told = environment(files)
    assert told["backend"]["LAGO_DISABLE_PDF_GENERATION"] == told["front"]["LAGO_DISABLE_PDF_GENERATION"] == "true"
    assert "LAGO_PDF_URL" not in told["backend"]


def test_a_redis_of_one_s_own_takes_the_place_of_the_bundled_one(rendered: Render) -> None:
    files = rendered("everything", "newest")
    assert not {"redis", "redis-cache"} & set(yaml.safe_load(files["compose.yml"])["services"])
    told = environment(files)["backend"]
    password = "a%20%27%20%22%20%24%20%23%20%25%20%40%20%2F%20%5C%20%C3%A4%20%3A%20%3F"
    assert told["REDIS_URL"] == f"rediss://ada:{password}@sentinels:6379"
    assert told["LAGO_REDIS_SIDEKIQ_SENTINELS"] == "one.example.com:26379,192.0.2.8:26379"
    assert told["LAGO_REDIS_CACHE_URL"] == "redis://sentinels:6379", "without it the clock refreshes no wallet"
    told = environment(rendered("otherwise", "newest"))["backend"]
    assert told["REDIS_URL"].endswith("@redis.example.com:6380/3")
    assert told["LAGO_REDIS_CABLE_URL"] == told["REDIS_URL"]
    assert told["LAGO_MEMCACHE_SERVERS"] == "one.example.com:11211,two.example.com:11211"
    assert "LAGO_REDIS_CACHE_URL" not in told


def test_a_postgresql_of_one_s_own_takes_the_place_of_the_bundled_one(rendered: Render) -> None:
    files = rendered("otherwise", "newest")
    services = yaml.safe_load(files["compose.yml"])["services"]
    assert not {"db", "cluster"} & set(services)
    assert {"database", "probe"} <= set(services)
    told = environment(files)
    password = "p%20%27%20%22%20%24%20%23%20%25%20%40%20%2F%20%5C%20%C3%A4%20%3A%20%3F"
    assert told["backend"]["DATABASE_URL"] == f"postgresql://ada:{password}@db.example.com:5433/billing"
    assert told["backend"]["PGSSLMODE"] == "verify-full"
    assert "PGHOST=" in files["env/postgres.env"]
    assert "./mounts/postgres.key:/run/lago/postgres.key:ro" in services["migrate"]["volumes"]
    # The processes go through the pooler, a migration never does.
    assert told["runtime"]["DATABASE_PROXY_URL"] == "postgresql://ada:p@pooler.example.com:6432/billing"
    assert "./env/runtime.env" not in services["migrate"]["env_file"] + services["database"]["env_file"]


def test_every_image_comes_from_the_operator_s_registry(rendered: Render) -> None:
    files = rendered("everything", "newest")
    images = {service["image"] for service in yaml.safe_load(files["compose.yml"])["services"].values()}
    assert [image for image in images if not image.startswith("registry.example.com/mirror/")] == []
    assert '"registry.example.com"' in files["docker/config.json"]
