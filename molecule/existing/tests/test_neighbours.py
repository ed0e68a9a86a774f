# SPDX-License-Identifier: GPL-3.0-or-later
"""A server that was somebody else's before: nothing of theirs is harmed, everything of ours works."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from outside.deployment import Deployment, password
from outside.lago_user import LagoUser

INVENTORY = Path(__file__).parents[1] / "inventory.yml"
RECORD = """{ sha256sum /etc/docker/daemon.json; systemctl show docker -p MainPID
docker inspect -f '{{.Id}} {{.State.StartedAt}}' shop other-redis-1; iptables -S INPUT; }"""


@pytest.fixture(scope="module")
def first() -> Deployment:
    return Deployment("testbed-existing", INVENTORY)


@pytest.fixture(scope="module")
def second() -> Deployment:
    return Deployment("testbed-existing", INVENTORY, directory="/opt/lago-two")


@pytest.fixture(scope="module")
def users(first: Deployment) -> dict[str, LagoUser]:
    plain = LagoUser("http://billing.internal:8081", connect_to=first.address)
    return {"first": first.user("https://billing.example.com:8443"), "second": plain}


def test_daemon_containers_and_firewall_of_the_owner_are_what_they_were(first: Deployment) -> None:
    assert first.shell("bash", "-c", RECORD) == first.read("/root/before")


def test_the_shop_is_open(first: Deployment) -> None:
    assert LagoUser("http://shop.example.com", connect_to=first.address).request("GET", "/").text == "the shop"


def test_both_deployments_bill(first: Deployment, second: Deployment, users: dict[str, LagoUser]) -> None:
    assert float(users["first"].meter(first.key, units=2)["units"]) == 2.0
    assert float(users["second"].meter(second.key, units=5)["units"]) == 5.0


def test_each_has_its_own_organization_key_and_secrets(
    first: Deployment, second: Deployment, users: dict[str, LagoUser]
) -> None:
    names = {
        name: users[name].rest("GET", "organizations", deployment.key).json["organization"]["name"]
        for name, deployment in (("first", first), ("second", second))
    }
    assert names == {"first": "Acme Billing", "second": "Other Billing"}
    assert users["first"].rest("GET", "organizations", second.key).status == 401
    made = [
        json.loads(deployment.read(f"{deployment.directory}/secrets.json"))["secrets"] for deployment in (first, second)
    ]
    assert not set(made[0].values()) & set(made[1].values())


def test_the_administrator_signs_in_on_plain_http_too(users: dict[str, LagoUser]) -> None:
    assert users["second"].login("ada@example.com", password("existing"))


def test_files_are_as_private_under_a_strict_umask(first: Deployment) -> None:
    modes = first.shell(
        "stat", "-c", "%a %U %n", "/opt/lago/compose.yml", "/opt/lago/redis/queue.conf", "/opt/lago/proxy/Caddyfile"
    )
    assert [line.split()[0] for line in modes.splitlines()] == ["600", "400", "644"]
    assert first.shell("stat", "-c", "%a %U", "/opt/lago").split() == ["700", "root"]
