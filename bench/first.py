# SPDX-License-Identifier: GPL-3.0-or-later
"""From a bare server to the key by the playbook, against the raw commands on another bare server."""

from __future__ import annotations

import io
import json
import shutil
import tarfile
from pathlib import Path

import docker

from figures import BIN, ROOT, load, page, seconds
from outside.deployment import Deployment
from testbed import bed, registry, servers

SITE, RAW = "testbed-bench-site", "testbed-bench-raw"
CACHE = ROOT / ".cache" / "bench"
RUNS = 3
LAGO = {
    "lago_domain": "billing.example.com",
    "lago_admin_email": "ada@example.com",
    "lago_admin_password": "Bench-Mark-1-of-many!",
    "lago_organization_name": "Acme Billing",
}
COMPOSE = "docker compose --progress quiet --project-directory /opt/lago -f /opt/lago/compose.yml"
#: What somebody types who has the files already: those that the playbook wrote on the other server.
COMMANDS = f"""set -e
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update
apt-get -qq install --yes --no-install-recommends docker.io docker-cli docker-compose >/dev/null
{COMPOSE} pull
{COMPOSE} up -d --wait db redis redis-cache
{COMPOSE} run --rm storage
{COMPOSE} run --rm migrate
{COMPOSE} up -d --wait
"""


def inventory(images_from: str) -> tuple[Path, dict[str, object]]:
    """Return the inventory of the playbook's server, and the daemon.json of the other one."""
    variables: dict[str, object] = dict(LAGO, ansible_connection="community.docker.docker")
    daemon: dict[str, object] = {}
    if images_from != "hub":
        daemon = {"registry-mirrors": [registry.mirror()]}
        variables |= {"lago_docker_source": "distribution", "lago_docker_registry_mirrors": daemon["registry-mirrors"]}
    CACHE.mkdir(parents=True, exist_ok=True)
    path = CACHE / "inventory.json"
    path.write_text(json.dumps({"lago": {"hosts": {SITE: variables}}}))
    return path, daemon


def new(name: str) -> None:
    servers.remove(name)
    servers.create(name, "bare")


def by_playbook(path: Path) -> tuple[float, int]:
    new(SITE)
    server = Deployment(SITE, path)
    python = server.count_starts()
    play = [str(BIN / "ansible-playbook"), "selfhosted.lago.site", "-i", str(path)]
    took = seconds([*play, "-e", f"ansible_python_interpreter={python}"])
    assert server.key
    return took, server.starts()


def by_hand(daemon: dict[str, object]) -> float:
    new(RAW)
    engine = docker.from_env().containers
    files, _stat = engine.get(SITE).get_archive("/opt/lago")
    packed = io.BytesIO(b"".join(files))
    engine.get(RAW).put_archive("/opt", packed.getvalue())
    other = io.BytesIO()
    with tarfile.open(fileobj=other, mode="w") as archive:
        entry, text = tarfile.TarInfo("docker/daemon.json"), json.dumps(daemon).encode()
        entry.size = len(text)
        archive.addfile(entry, io.BytesIO(text))
    engine.get(RAW).put_archive("/etc", other.getvalue())
    return seconds(["docker", "exec", RAW, "sh", "-c", COMMANDS])


def main() -> None:
    path, daemon = inventory(bed.up()["images_from"])
    before = load()
    figures: dict[str, list[float]] = {
        "site.yml: bare server to verified and key": [],
        "apt-get, pull, migrate, up -d --wait by hand": [],
    }
    site, hand = figures
    starts = {}
    try:
        for _run in range(RUNS):
            took, starts[site] = by_playbook(path)
            figures[site].append(took)
            figures[hand].append(by_hand(daemon))
    finally:
        servers.remove(SITE)
        servers.remove(RAW)
        shutil.rmtree(CACHE)
    page("first", "First converge", figures, starts, before)


if __name__ == "__main__":
    main()
