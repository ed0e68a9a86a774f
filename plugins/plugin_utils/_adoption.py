# Copyright: (c) 2026, The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Lago that somebody else deployed: whether it can be taken over, and what it means. PRIVATE to the collection.

What module ``adopt_info`` read and the declared variables go in. What comes out holds secrets under ``secrets`` alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.selfhosted.lago.plugins.module_utils import _secrets
from ansible_collections.selfhosted.lago.plugins.plugin_utils import _adoption_settings
from ansible_collections.selfhosted.lago.plugins.plugin_utils._problems_releases import FIRST_RELEASE
from ansible_collections.selfhosted.lago.plugins.plugin_utils._problems_rules import Problem, problem
from ansible_collections.selfhosted.lago.plugins.plugin_utils._problems_values import megabytes, release, shown

Row = Mapping[str, Any]

_PROJECT, _VERSION, _IMAGE = "lago_adopt_project", "lago_version", "lago_postgres_image"
#: Where Lago keeps what, and what the volumes are called here.
_MOUNTS = {"db-data": ("db", "/data/postgres"), "redis-data": ("redis", "/data"), "storage": ("api", "/app/storage")}
#: In which order they stop, and for how long each may take.
_ORDER = {"other": 10, "front": 10, "clock": 35, "worker": 35, "api": 35, "pdf": 35, "redis": 30, "db": 60}
#: What is not taken over with its data elsewhere, and what names the place then. The last @ ends a password.
_STORES = {"db": ("DATABASE_URL", "lago_postgres_url"), "redis": ("REDIS_URL", "lago_redis_url")}
_HOST = re.compile(r"//(?:.*@)?([^/:@?#]+)")
#: What the collection does not bring along.
_ELSEWHERE = ("LAGO_KAFKA_BOOTSTRAP_SERVERS", "LAGO_CLICKHOUSE_HOST")
_DEFAULT_PASSWORD = "changeme"  # noqa: S105 - upstream's, known to everybody


class Deployment:
    """What was read, by what it is for Lago."""

    def __init__(self, reading: Row) -> None:
        self.containers: list[Row] = list(reading["containers"])
        self.project: str = reading["project"]
        self.rsa_file: str | None = reading["rsa_file"]
        self.database: Row = reading["database"] or {}
        self.redis: Row = reading["redis"] or {}

    def one(self, kind: str) -> Row:
        """Return the container of a kind, an empty one where there is none."""
        return next((one for one in self.containers if one["kind"] == kind), {})

    def told(self, kind: str) -> dict[str, str]:
        """Return the environment of a kind, without what is blank."""
        return {name: value for name, value in self.one(kind).get("environment", {}).items() if value.strip()}

    @property
    def running(self) -> list[Row]:
        """Those that run, in the order in which they stop."""
        there = [one for one in self.containers if one["kind"] in _ORDER and one["state"] in ("running", "restarting")]
        return sorted(there, key=lambda one: list(_ORDER).index(one["kind"]))

    def tag(self, kind: str) -> str:
        """Return the tag of a kind's image."""
        return str(self.one(kind).get("image", "")).partition("@")[0].rpartition(":")[2]

    def mount(self, volume: str) -> Row:
        """Return what is mounted where Lago keeps what we call so."""
        kind, place = _MOUNTS[volume]
        return dict(self.one(kind).get("mounts", {}).get(place) or {})


def adoption(reading: Row, settings: Row) -> dict[str, Any]:
    """Return whether and how a deployment is taken over.

    :param reading: what module ``adopt_info`` returned.
    :param settings: the public variables by name.
    :returns: ``problems`` that stop it, ``unsafe`` sentences, ``settings`` that it has and that are no secret,
        ``secrets`` by their names, ``volumes``, ``stop`` with the containers in their order, the ``queue`` among them,
        and ``ports``.
    """
    there = Deployment(reading)
    if not all(there.one(kind) for kind in ("api", "db", "redis")):
        empty: dict[str, Any] = {"unsafe": [], "settings": {}, "secrets": {}, "volumes": {}, "stop": [], "ports": []}
        return {"problems": [_nothing(there)], "queue": "", **empty}
    secrets, found = _adoption_settings.secrets(there.told("api"), there.told("db"), there.rsa_file), _found(there)
    return {
        "problems": [*_problems(there, settings, secrets), *_adoption_settings.differences(found, settings)],
        "unsafe": list(_unsafe(there, secrets)),
        "settings": _adoption_settings.public(found),
        "secrets": secrets,
        "volumes": {volume: there.mount(volume).get("name") for volume in _MOUNTS},
        "stop": [{"name": one["name"], "grace": _ORDER[one["kind"]]} for one in there.running],
        "queue": there.one("redis")["name"],
        "ports": sorted({port["port"] for one in there.running for port in one["ports"]}),
    }


def _nothing(there: Deployment) -> Problem:
    known = ", ".join(sorted({one["service"] for one in there.containers})) or "none"
    return problem(
        _PROJECT,
        "not_a_lago",
        f"lago_adopt_project {shown(there.project)}: a project with api, db and redis is asked for, and it has the "
        f"services {known}. `docker compose ls -a` on the server names the projects; a database or a Redis elsewhere "
        "is not taken over, deploy anew and give its address.",
    )


def _found(there: Deployment) -> dict[str, Any]:
    workers = [(one["worker"], one["environment"]) for one in there.containers if one["kind"] == "worker"]
    found = _adoption_settings.found(there.told("api"), workers)
    database = there.told("db")
    user = database.get("POSTGRES_USER", "postgres")
    return found | {
        "lago_api_version": there.tag("api"),
        "lago_front_version": there.tag("front"),
        "lago_postgres_user": user,
        "lago_postgres_database": database.get("POSTGRES_DB", user),
    }


def _problems(there: Deployment, settings: Row, secrets: Mapping[str, str]) -> Iterator[Problem]:
    number = release(there.tag("api"))
    if number is None:
        yield problem(
            _VERSION,
            "unknown_release",
            f"The API runs as {shown(there.one('api')['image'])}, whose tag is no release: set its image to one first.",
        )
    elif number < FIRST_RELEASE:
        first = "v" + ".".join(map(str, FIRST_RELEASE))
        yield problem(
            _VERSION,
            "too_old",
            f"The API is {there.tag('api')}, and the first release that is taken over is {first}: bring it there with "
            "the compose file that it was started with, by Lago's own upgrade guides.",
        )
    yield from _stores_elsewhere(there)
    for kind, told in (("db", there.database.get("reachable")), ("redis", there.redis)):
        reason = f" ({there.database['error']})" if kind == "db" and there.database.get("error") else ""
        if not told:
            yield problem(
                _PROJECT,
                "does_not_answer",
                f"{there.one(kind)['name']} does not answer{reason}, or wants a password that is not known: start "
                "it, or mend that first. What it holds must be known.",
            )
    if there.one("migrate").get("state") == "running":
        yield problem(_PROJECT, "migrates", f"{there.one('migrate')['name']} still migrates: wait until it ends.")
    yield from _data(there, settings)
    for name in _ELSEWHERE:
        if name in there.told("api"):
            yield problem(
                _PROJECT,
                "event_store",
                f"{name} is set: events go to a store of their own, which is not taken over: wait until the collection "
                "knows it.",
            )
    yield from _secret_problems(settings, secrets)


def _stores_elsewhere(there: Deployment) -> Iterator[Problem]:
    """Upstream's file starts a database and a Redis also where the API is told of others: those are empty."""
    for kind, (name, variable) in _STORES.items():
        host, container = _HOST.search(there.told("api").get(name, "")), there.one(kind)
        if host and host[1] not in (container["service"], container["name"]):
            yield problem(
                _PROJECT,
                "store_elsewhere",
                f"The API's {name} leads to {shown(host[1])}, not to {container['name']}: what is elsewhere is not "
                f"taken over; deploy anew and give its address ({variable}).",
            )


def _data(there: Deployment, settings: Row) -> Iterator[Problem]:
    for volume, (kind, place) in _MOUNTS.items():
        if there.mount(volume).get("type") != "volume":
            yield problem(
                _PROJECT,
                "no_volume",
                f"{there.one(kind)['name']} has no volume at {place} but a folder of the server, or nothing: put what "
                "is there into a named volume first.",
            )
    _repository, _colon, tag = str(settings.get(_IMAGE, "")).partition("@")[0].rpartition(":")
    has, wanted = (re.match(r"\d+", text) for text in (str(there.database.get("server_version") or ""), tag))
    if has and wanted and has[0] != wanted[0]:
        yield problem(
            _IMAGE,
            "other_postgres_there",
            f"lago_postgres_image is PostgreSQL {wanted[0]}, and the data that is there is of {has[0]}: name an image "
            f"of {has[0]} with pg_partman 5.",
        )
    room = megabytes(settings.get("lago_redis_maxmemory"))
    if room and there.redis.get("used_memory", 0) > room * 1024 * 1024:
        yield problem(
            "lago_redis_maxmemory",
            "queue_too_large",
            f"lago_redis_maxmemory is less than the {there.redis['used_memory'] // 1024 // 1024} MB that are in Redis: "
            "give it more, and lago_redis_memory too.",
        )


def _secret_problems(settings: Row, secrets: Mapping[str, str]) -> Iterator[Problem]:
    for name in ("secret_key_base", *_secrets.ENCRYPTION, _secrets.RSA, "postgres_password"):
        variable = _secrets.variable(name)
        if name not in secrets:
            yield problem(
                _PROJECT,
                "secret_not_found",
                f"{name} was not found in the environment of the API: is it started in another way than by Compose?",
            )
        elif settings.get(variable) not in (None, "", secrets[name]):
            yield problem(
                variable,
                "given_is_another",
                f"{variable} is given, and is not the one in use: leave it out, or give that one. Nothing is changed "
                "by taking over; rotate it afterwards.",
            )


def _unsafe(there: Deployment, secrets: Mapping[str, str]) -> Iterator[str]:
    """Yield what is unsafe, and what becomes of it."""
    told, rows = there.told("api"), there.database.get("encrypted_rows")
    published = [one["name"] for one in there.running if one["kind"] in ("db", "redis") and one["ports"]]
    if _known(secrets, "secret_key_base"):
        yield (
            "SECRET_KEY_BASE is upstream's public one: anybody can sign in as anybody. It stays; rotate it at once: "
            "lago_rotate: [secret_key_base]."
        )
    if any(_known(secrets, name) for name in _secrets.ENCRYPTION):
        way = (
            f"{rows} row{' is' if rows == 1 else 's are'} encrypted with them, so they stay: whoever reads the "
            "database reads those secrets"
            if rows
            else "Nothing is encrypted with them yet: rotate them, lago_rotate: [encryption_keys]"
        )
        yield f"The encryption keys are upstream's public ones. {way}."
    if secrets.get("postgres_password") == _DEFAULT_PASSWORD or _known(secrets, "postgres_password"):
        yield "The password of PostgreSQL is a known one. It stays; rotate it: lago_rotate: [postgres_password]."
    if published:
        yield f"{' and '.join(published)} can be reached from outside. That ends."
    yield "Redis asks for no password. That ends."
    if told.get("LAGO_SIDEKIQ_WEB") == "true":
        yield "The page of the queue, /sidekiq, is open to everybody. That ends."
    if told.get("LAGO_DISABLE_SIGNUP") != "true":
        yield "Anybody can register. That ends, unless lago_signup says otherwise."
    if told.get("LAGO_CREATE_ORG") == "true":
        yield "LAGO_CREATE_ORG makes a second organization once the first is renamed. That ends."
    for name in ("LAGO_FRONT_URL", "LAGO_API_URL"):
        if told.get(name, "").startswith("http://"):
            yield (
                f"{name} is {told[name]}, without TLS. It becomes what lago_domain, lago_tls_mode and the ports come "
                "to: tell whoever calls it, and the payment providers that do."
            )


def _known(secrets: Mapping[str, str], name: str) -> bool:
    found = _secrets.given_problem(name, secrets.get(name, "x" * 64))
    return found is not None and found.code == "placeholder_secret"
