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
    assert set(FilterModule().filters()) == {"image_reference", "front_release", "registry_login"}
