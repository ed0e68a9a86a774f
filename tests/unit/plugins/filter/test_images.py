# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import json

import pytest
from ansible_collections.selfhosted.lago.plugins.filter.images import (
    FilterModule,
    front_release,
    image_reference,
    kept_images,
    registry_login,
)


@pytest.mark.parametrize(
    ("image", "registry", "tag", "digest", "expected"),
    [
        ("getlago/api", "", "v1.51.0", "", "getlago/api:v1.51.0"),
        (
            "getlago/api",
            "registry.example.com/mirror/",
            "v1.51.0",
            "",
            "registry.example.com/mirror/getlago/api:v1.51.0",
        ),
        ("redis:7-alpine", "registry.example.com:5000", "", "", "registry.example.com:5000/redis:7-alpine"),
        ("quay.io/redis:7", "registry.example.com", "", "", "quay.io/redis:7"),
        ("localhost/redis:7", "registry.example.com", "", "", "localhost/redis:7"),
        ("registry:5000/redis:7", "registry.example.com", "", "", "registry:5000/redis:7"),
        ("caddy:2@sha256:01", "r.example.com", "", "", "r.example.com/caddy:2@sha256:01"),
        ("getlago/api", None, "v1.51.0", "sha256:01", "getlago/api:v1.51.0@sha256:01"),
    ],
)
def test_an_image_comes_from_the_operator_s_registry_unless_it_names_one(
    image: str, registry: str, tag: str, digest: str, expected: str
) -> None:
    assert image_reference(image, registry, tag, digest) == expected


REDIS = "redis:7-alpine"


@pytest.mark.parametrize(
    ("declared", "runs", "digests", "anew", "expected"),
    [
        (REDIS, None, {}, [], REDIS),
        (REDIS, None, {REDIS: "sha256:new"}, [], f"{REDIS}@sha256:new"),
        (REDIS, f"{REDIS}@sha256:old", {REDIS: "sha256:new"}, [], f"{REDIS}@sha256:old"),
        (REDIS, f"{REDIS}@sha256:old", {REDIS: "sha256:new"}, ["db"], f"{REDIS}@sha256:old"),
        (REDIS, f"{REDIS}@sha256:old", {REDIS: "sha256:new"}, ["redis"], f"{REDIS}@sha256:new"),
        (REDIS, f"{REDIS}@sha256:old", {}, ["redis"], REDIS),
        (REDIS, REDIS, {REDIS: "sha256:new"}, [], REDIS),
        ("redis:8", f"{REDIS}@sha256:old", {"redis:8": "sha256:new"}, [], "redis:8@sha256:new"),
        (f"{REDIS}@sha256:own", f"{REDIS}@sha256:old", {}, [], f"{REDIS}@sha256:own"),
        ("r.example.com:5000/redis", "r.example.com:5000/redis@sha256:1", {}, [], "r.example.com:5000/redis@sha256:1"),
    ],
)
def test_a_container_keeps_its_image_whatever_becomes_of_the_tag(
    declared: str, runs: str | None, digests: dict[str, str], anew: list[str], expected: str
) -> None:
    containers = {"redis": {"image": runs}} if runs else {}
    assert kept_images({"redis": declared}, containers, digests, anew) == {"redis": expected}


def test_before_the_server_was_looked_at_an_image_is_what_is_declared() -> None:
    assert kept_images({"redis": REDIS}) == {"redis": REDIS}


def test_a_front_that_upstream_never_tagged_is_the_one_that_was_deployed_with_the_api() -> None:
    assert front_release("v1.47.2") == "v1.47.0"
    assert front_release("v1.51.0") == "v1.51.0"


@pytest.mark.parametrize(
    ("registry", "host"),
    [("", "https://index.docker.io/v1/"), ("registry.example.com:5000/mirror", "registry.example.com:5000")],
)
def test_a_login_is_written_as_docker_reads_it(registry: str, host: str) -> None:
    login = json.loads(registry_login('pä:ss"$', "ada", registry))
    assert base64.b64decode(login["auths"][host]["auth"]).decode() == 'ada:pä:ss"$'


def test_the_filters_have_names() -> None:
    names = {"image_reference", "front_release", "kept_images", "registry_login"}
    assert set(FilterModule().filters()) == names
