# Copyright: (c) 2026, The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about releases and images. PRIVATE to the collection."""

from __future__ import annotations

import re

from ansible_collections.selfhosted.lago.plugins.plugin_utils._problems_rules import Case, Found, rule
from ansible_collections.selfhosted.lago.plugins.plugin_utils._problems_values import numbers, release, shown

#: Release from which a first installation works: earlier ones do not seed the roles that a registration needs.
FIRST_RELEASE = (1, 42, 0)
#: These do not even when migrated from an older one.
_WITHOUT_ROLES = ((1, 40, 0), (1, 41, 1))
#: Lago's tables need it (NULLS NOT DISTINCT).
FIRST_POSTGRES = 15

_VERSIONS = ("lago_api_version", "lago_front_version")
_REPOSITORIES = ("lago_api_image", "lago_front_image")
_IMAGES = ("lago_pdf_image", "lago_postgres_image", "lago_redis_image", "lago_proxy_image")
_PART = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_NAME = re.compile(
    rf"(?:(?:localhost|[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+|[A-Za-z0-9-]+(?=:))(?::\d+)?/)?{_PART}(?:/{_PART})*\Z"
)
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}\Z")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}\Z")
_MOVING = ("latest", "edge", "nightly", "main", "master")


def parts(reference: str) -> tuple[str, str, str]:
    """Return repository, tag and digest of an image reference; blank is what it lacks."""
    name, _at, digest = reference.partition("@")
    head, slash, last = name.rpartition("/")
    last, _colon, tag = last.partition(":")
    return head + slash + last, tag, digest


@rule("settings")
def not_a_release(case: Case) -> Found:
    for name, version in case.texts(*_VERSIONS):
        if release(version) is None:
            yield name, f"{name} {shown(version)} is no release of Lago: write it like v1.51.0 (there is no 'latest')."


@rule("settings")
def unsupported_release(case: Case) -> Found:
    for name, version in case.texts(*_VERSIONS):
        number = release(version)
        if number and number < FIRST_RELEASE and not _WITHOUT_ROLES[0] <= number <= _WITHOUT_ROLES[1]:
            first = ".".join(map(str, FIRST_RELEASE))
            yield (
                name,
                f"{name} {version} is older than v{first}, the first that can be installed anew: take a newer one.",
            )


@rule("settings")
def release_without_roles(case: Case) -> Found:
    for name, version in case.texts(*_VERSIONS):
        number = release(version)
        if number and _WITHOUT_ROLES[0] <= number <= _WITHOUT_ROLES[1]:
            yield (
                name,
                f"{name} {version} does not seed the roles that a registration needs (v1.40.0 to v1.41.1 do not): "
                "take v1.42.0 or a newer one.",
            )


@rule("settings")
def releases_differ(case: Case) -> Found:
    api, front = (release(case.text(name)) for name in _VERSIONS)
    if api and front and api[:2] != front[:2]:
        yield (
            "lago_front_version",
            f"lago_api_version {case.text(_VERSIONS[0])} and lago_front_version {case.text(_VERSIONS[1])} do not "
            "belong together: their first two numbers must be the same.",
        )


@rule("settings")
def image_with_tag(case: Case) -> Found:
    for name, image in case.texts(*_REPOSITORIES):
        repository, tag, digest = parts(image)
        if (tag or digest) and _NAME.match(repository):
            version = name.replace("_image", "_version")
            yield name, f"{name} must be a repository without a tag: write {repository}, and the tag into {version}."


@rule("settings")
def bad_image(case: Case) -> Found:
    for name, image in case.texts(*_REPOSITORIES, *_IMAGES):
        repository, tag, _digest = parts(image)
        if not _NAME.match(repository) or (name in _IMAGES and tag and not _TAG.match(tag)):
            yield (
                name,
                f"{name} {shown(image)} is no image: write it like registry.example.com/lago/api, in lower case, "
                "without blanks and without a scheme.",
            )


@rule("settings")
def moving_image(case: Case) -> Found:
    for name, image in case.texts(*_IMAGES):
        repository, tag, digest = parts(image)
        if _NAME.match(repository) and not digest and (not tag or tag in _MOVING):
            yield (
                name,
                f"{name} {shown(image)} names no fixed version, and would change under the deployment: add a tag such "
                f"as {repository}:7.2, or a digest.",
            )


@rule("settings")
def bad_digest(case: Case) -> Found:
    for name, image in case.texts(*_IMAGES):
        _repository, _tag, digest = parts(image)
        if "@" in image and not _DIGEST.match(digest):
            yield name, f"{name}: what follows the @ is no digest: write @sha256: and its 64 digits in lower case."


@rule("settings")
def bad_digest_alone(case: Case) -> Found:
    for name, digest in case.texts("lago_api_digest", "lago_front_digest"):
        if not _DIGEST.match(digest):
            yield name, f"{name} is no digest: write sha256: and its 64 digits in lower case."


@rule("settings")
def postgres_without_partman(case: Case) -> Found:
    repository, _tag, _digest = parts(case.text("lago_postgres_image"))
    if re.fullmatch(r"((index\.)?docker\.io/)?(library/)?postgres", repository):
        yield (
            "lago_postgres_image",
            "lago_postgres_image is PostgreSQL alone, and Lago needs pg_partman 5 in it: take "
            "getlago/postgres-partman:15.0-alpine or build one on it.",
        )


@rule("settings")
def old_postgres(case: Case) -> Found:
    _repository, tag, _digest = parts(case.text("lago_postgres_image"))
    if re.match(r"\d", tag) and numbers(tag)[0] < FIRST_POSTGRES:
        yield (
            "lago_postgres_image",
            f"lago_postgres_image is PostgreSQL {numbers(tag)[0]}: Lago needs {FIRST_POSTGRES} or newer.",
        )
