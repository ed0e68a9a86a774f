# Copyright: (c) 2026, The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way from one release of Lago to another, and which one a database is of. PRIVATE to the collection.

Pure functions over the table in releases.yml, which says what is known and from where.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

Number = tuple[int, int, int]
_RELEASE = re.compile(r"v?(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)\Z", re.ASCII)


class Stop(NamedTuple):
    """A release that an upgrade does not pass; the fields are explained in releases.yml."""

    release: Number
    why: str
    jobs: tuple[str, ...]
    left: str
    demanded: Number | None
    late: str


class Table(NamedTuple):
    """What is known of the releases."""

    first: Number
    stops: tuple[Stop, ...]
    last_migration: dict[Number, str]
    late_migrations: dict[str, Number]
    front: dict[Number, Number]


@cache
def table() -> Table:
    """Return the table of releases, stops in their order."""
    read = yaml.safe_load((Path(__file__).parent / "releases.yml").read_text())
    return Table(
        _known(read["first"]),
        tuple(sorted(map(_stop, read["stops"]), key=lambda stop: stop.release)),
        {_known(name): version for name, version in read["last_migration"].items()},
        {version: _known(name) for name, versions in read["late_migrations"].items() for version in versions},
        {_known(api): _known(front) for api, front in read["front"].items()},
    )


def _stop(one: dict[str, Any]) -> Stop:
    jobs, demanded = tuple(one["jobs"]), number(one.get("demanded"))
    return Stop(_known(one["release"]), one["why"], jobs, one.get("left", ""), demanded, one.get("late", ""))


def number(release: object) -> Number | None:
    """Return a release, with or without its v, as numbers; ``None`` for what is none."""
    match = _RELEASE.match(str(release))
    return (int(match[1]), int(match[2]), int(match[3])) if match else None


def _known(release: str) -> Number:
    found = number(release)
    if found is None:
        raise ValueError(release)
    return found


def name(release: Number) -> str:
    """Return a release as its image's tag."""
    return "v" + ".".join(map(str, release))


def upgrade_path(running: str, target: str, front: str = "") -> dict[str, Any]:
    """Return the way from the release that runs to the wanted one.

    :param running: The release of the API that the database is of.
    :param target: The wanted release of the API.
    :param front: The wanted release of the front; without it the one that belongs to the API's.
    :returns: ``steps``, each ``{"api", "front", "jobs", "left", "why"}``: migrate with that API, then do its jobs. The
        first may be the running release itself, which has jobs to do before it is left; the last is the target.
        ``stops`` are the names of those on the way, the target included. ``overdue`` says of stops that were passed
        before, by name, how many rows their jobs have left (SQL), where a release on the way demands them.
        ``confirm`` tells whether somebody must have said yes, ``warnings`` what is not known. ``problem`` is a
        sentence where there is no way, ``code`` its name; both are blank where there is one, and where the releases
        are the same, which has no steps.
    """
    here, there = number(running), number(target)
    answer: dict[str, Any] = {
        "from": running,
        "to": target,
        "steps": [],
        "stops": [],
        "overdue": {},
        "confirm": False,
        "warnings": [],
        "code": "",
        "problem": "",
    }
    if here is None or there is None:
        strange = running if here is None else target
        return answer | _none("not_a_release", f"{strange} is no release of Lago: a release is written like v1.51.0.")
    if there < here:
        text = (
            f"The database is of {name(here)}; {name(there)} is older and would not notice. Restore a backup of "
            f"{name(there)}, or set lago_version back to {name(here)}."
        )
        return answer | _none("downgrade", text)
    if here < table().first:
        text = (
            f"The way from {name(here)} is not known to this collection: bring it to {name(table().first)} by Lago's "
            "own upgrade guides first."
        )
        return answer | _none("unknown_start", text)
    if there == here:
        return answer
    before = [stop for stop in table().stops if here[:2] < stop.release[:2] < there[:2]]
    own, last = _stop_of(here), _stop_of(there)
    steps = [_step(here, own)] if own and own.jobs and here[:2] < there[:2] else []
    steps += [_step(stop.release, stop) for stop in before]
    steps += [_step(there, last, front)]
    stops = [name(stop.release) for stop in before] + ([name(there)] if last and here[:2] < there[:2] else [])
    return answer | {
        "steps": steps,
        "stops": stops,
        "overdue": {name(stop.release): stop.left for stop in table().stops if _overdue(stop, here, there)},
        "confirm": bool(stops) or here[0] != there[0],
        "warnings": list(_warnings(there)),
    }


def _none(code: str, text: str) -> dict[str, str]:
    return {"code": code, "problem": text}


def _stop_of(release: Number) -> Stop | None:
    """Return the stop that a deployment of this release stands on: that of its own minor."""
    return next((stop for stop in table().stops if stop.release[:2] == release[:2]), None)


def _overdue(stop: Stop, here: Number, there: Number) -> bool:
    return stop.demanded is not None and stop.release[:2] < here[:2] and here < stop.demanded <= there


def _step(release: Number, stop: Stop | None, front: str = "") -> dict[str, Any]:
    return {
        "api": name(release),
        "front": front or name(table().front.get(release, release)),
        "jobs": list(stop.jobs) if stop else [],
        "left": stop.left if stop else "",
        "why": stop.why if stop else "",
    }


def _warnings(target: Number) -> Iterable[str]:
    newest = max(table().last_migration)
    if target > newest:
        yield (
            f"{name(target)} is newer than {name(newest)}, the newest release that this version of the collection "
            "knows: it may have stops that are not known here. Look through its notes first."
        )
    elif target not in table().last_migration:
        yield f"{name(target)} is not among the releases that this version of the collection knows: is it one?"


def database_release(migrations: Iterable[str], *said: str | None) -> dict[str, Any]:
    """Return which release a database is of.

    :param migrations: The versions in its table schema_migrations.
    :param said: What the API, or a record, says it is, in the order in which they are believed where the database
        cannot tell: between releases without a migration between them, and of releases that are not in the table.
    :returns: ``release``, blank where it cannot be told; ``half_done``, whether migrations of a newer release are in
        it and not all of them, as far as can be told.
    """
    there = set(migrations)
    newest = max(there, default="")
    known = table().last_migration
    whole = [release for release, version in known.items() if version in there]
    claims = [found for found in map(number, said) if found]
    if newest > max(known.values()):
        newer = [claim for claim in claims if claim > max(known)]
        return {"release": name(newer[0]) if newer else "", "half_done": not newer}
    if not whole:
        return {"release": "", "half_done": False}
    last = max(known[release] for release in whole)
    alike = [release for release in whole if known[release] == last]
    # One that is not in the table, between those that the database may be of and the next that is.
    beyond = min((release for release, version in known.items() if version > last), default=(alike[-1][0] + 1, 0, 0))
    strange = [claim for claim in claims if alike[0] < claim < beyond and claim not in known]
    chosen = next((claim for claim in claims if claim in (*alike, *strange)), alike[0])
    begun = newest != last or any(table().late_migrations.get(version, chosen) > chosen for version in there)
    return {"release": name(chosen), "half_done": begun and chosen not in strange}
