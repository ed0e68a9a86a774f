# Copyright: (c) 2026, The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about the way from the release in place to the wanted one. PRIVATE to the collection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.selfhosted.lago.plugins.plugin_utils._problems_database import bundled
from ansible_collections.selfhosted.lago.plugins.plugin_utils._problems_releases import FIRST_RELEASE, parts
from ansible_collections.selfhosted.lago.plugins.plugin_utils._problems_rules import Case, Found, rule
from ansible_collections.selfhosted.lago.plugins.plugin_utils._problems_server import of_this_server
from ansible_collections.selfhosted.lago.plugins.plugin_utils._problems_values import numbers, release
from ansible_collections.selfhosted.lago.plugins.plugin_utils._releases import database_release, number, upgrade_path

#: Phases in which nobody has reached Lago since the upgrade began: broken off, it begins with the data of before.
_CLOSED = ("closing", "walking", "returning")


def _record(server: Mapping[str, Any]) -> dict[str, Any]:
    return dict((server.get("files") or {}).get("upgrade") or {})


def walk(server: Mapping[str, Any]) -> dict[str, Any]:
    """Return the record of an upgrade that was broken off before the edge opened, an empty one where there is none."""
    found = _record(server)
    return found if found.get("phase") in _CLOSED else {}


def running_release(server: Mapping[str, Any]) -> dict[str, Any]:
    """Return which release a deployment is of.

    :param server: What module ``server_info`` returned.
    :returns: ``release``, blank where nobody can tell; ``half_done``, whether the database is on its way to a newer
        one. Of an upgrade that was broken off it is the release that it set out from: there it begins anew.
    """
    if walk(server):
        return {"release": str(walk(server)["from"]), "half_done": False}
    record, asked = (server.get("files") or {}).get("migrated") or {}, server.get("release") or {}
    said = str(record.get("version") or "")
    if not asked.get("migrations"):
        return {"release": said, "half_done": False}
    return database_release(asked["migrations"], asked.get("api"), said)


def postgres_move(server: Mapping[str, Any], image: str) -> list[int]:
    """Return from which major version of the bundled database server to which one a deployment goes.

    :param server: What module ``server_info`` returned.
    :param image: The wanted image, whose tag tells its version.
    :returns: Both, where the wanted one is newer than what is there; otherwise nothing. Of an upgrade that was broken
        off the first one is what it set out from.
    """
    _repository, tag, _digest = parts(image)
    found = server.get("database") or {}
    version = str(found.get("server_version") or "") if found.get("service") == "db" else ""
    left = walk(server)
    there = left["postgres"][0] if left.get("cluster") else numbers(version)[0] if version else 0
    wanted = numbers(tag)[0] if tag[:1].isdigit() else 0
    return [there, wanted] if there and wanted > there and running_release(server)["release"] else []


def _move(case: Case) -> list[int]:
    if walk(case.server) or not bundled(case):
        return []
    return postgres_move(case.server, case.text("lago_postgres_image"))


def _ahead(server: Mapping[str, Any], here: str) -> bool:
    """Return whether the API is of a newer release than the database."""
    there, claimed = number(here), number((server.get("release") or {}).get("api"))
    return there is not None and claimed is not None and claimed > there and not walk(server)


def _never_used(server: Mapping[str, Any]) -> bool:
    """Return whether nobody was ever registered: such a database may be made anew, and has no rows to be filled."""
    found = server.get("database") or {}
    return bool(found.get("reachable")) and not (found.get("organizations") or found.get("users"))


def way(case: Case) -> dict[str, Any]:
    """Return the way to the wanted release, blank where the server says nothing of one."""
    old, new = running_release(case.server), case.text("lago_api_version")
    nowhere = {"code": "", "problem": "", "stops": [], "steps": [], "confirm": False}
    if not release(new) or not (old["release"] or old["half_done"]) or not case.upgrading:
        return nowhere
    if not old["release"]:
        newest = max((case.server.get("release") or {}).get("migrations") or [""])
        text = (
            f"The database has migrations (the last is {newest}) of a release that is newer than any that this version "
            "of the collection knows, and the API does not say which: take a newer version of the collection."
        )
        return nowhere | {"code": "unknown_database", "problem": text}
    found = upgrade_path(old["release"], new) | {
        "half_done": old["half_done"],
        "ahead": _ahead(case.server, old["release"]),
        "move": _move(case),
    }
    if found["steps"] and _never_used(case.server) and not walk(case.server):
        return nowhere
    found["by_hand"] = "" if bundled(case) or walk(case.server) else _by_hand(found)
    # An upgrade that was broken off was confirmed when it began, and is closed to everybody until it is gone on with.
    return found | {"confirm": found["confirm"] and walk(case.server).get("to") != new}


def _begun(found: Mapping[str, Any]) -> bool:
    return bool(found.get("half_done") or found.get("ahead"))


def _asks(found: Mapping[str, Any]) -> bool:
    """Return whether a way is gone only when somebody said so."""
    asks = found["confirm"] or _begun(found) or found.get("by_hand")
    return bool(found.get("move")) or (bool(found["steps"]) and bool(asks))


def _too_far(case: Case, found: Mapping[str, Any]) -> bool:
    """Return whether a way holds a release that somebody would have to look after by hand."""
    return not bundled(case) and bool(found["stops"]) and found["stops"][0] != found["to"]


def _by_hand(found: Mapping[str, Any]) -> str:
    """Return what a person does before a release is left whose jobs are nobody else's."""
    jobs = [job for step in found["steps"] if step["api"] == found["from"] for job in step["jobs"]]
    how = f"in a container of the API: bundle exec rails {' '.join(jobs)}"
    return f", have {found['from']} do its jobs ({how})" if jobs else ""


def _told(found: Mapping[str, Any]) -> str:
    through = f" through {', '.join(found['stops'])}" if found["stops"] else ""
    told = [f"from {found['from']} to {found['to']}{through}"] if found["steps"] else []
    if found.get("move"):
        told.append(f"of PostgreSQL from {found['move'][0]} to {found['move'][1]}")
    return " and ".join(told)


@rule("server")
def downgrade(case: Case) -> Found:
    found = way(case)
    if found["code"] == "downgrade":
        yield "lago_version", found["problem"]


@rule("server")
def no_way(case: Case) -> Found:
    found = way(case)
    if found["code"] not in ("", "downgrade"):
        yield "lago_version", f"{found['problem']} Until then set lago_version back."


@rule("server")
def other_postgres(case: Case) -> Found:
    image, left = case.text("lago_postgres_image"), walk(case.server)
    there = numbers(of_this_server(case).get("server_version") or "")
    _repository, tag, _digest = parts(image)
    wanted = numbers(tag)[0] if tag[:1].isdigit() else 0
    # One that was broken off may go on, or back.
    known = left["postgres"] if left.get("cluster") else []
    if there and wanted and wanted != there[0] and wanted not in known and not postgres_move(case.server, image):
        yield (
            "lago_postgres_image",
            f"lago_postgres_image is PostgreSQL {wanted}, which cannot read the data of PostgreSQL {there[0]} that is "
            f"there: set it back to {there[0]}. There is a way to a newer one only, for a database that Lago uses.",
        )


@rule("server")
def upgrade_not_over(case: Case) -> Found:
    last = _record(case.server)
    if last.get("phase") == "opened" and way(case)["steps"]:
        yield (
            "lago_version",
            f"The upgrade to {last['to']} was broken off where the edge was about to open: run once more with "
            f"lago_version {last['to']}, which opens it, and go on to {case.text('lago_api_version')} then.",
        )


@rule("server")
def half_done_upgrade(case: Case) -> Found:
    found = way(case)
    if not found["code"] and not found["steps"] and found.get("half_done"):
        yield (
            "lago_version",
            f"The database is of {found['from']} and holds migrations of a newer release besides: an upgrade was "
            "broken off, or a stop was passed over. Set lago_version to the newer release, to which it can be gone on "
            "from here, or restore a backup.",
        )


@rule("server")
def upgrade_elsewhere(case: Case) -> Found:
    found = way(case)
    if _too_far(case, found):
        first = found["stops"][0]
        how = f"set lago_version to {first} first"
        if (number(first) or FIRST_RELEASE) < FIRST_RELEASE:
            oldest = ".".join(map(str, FIRST_RELEASE))
            how = f"{first} first, by Lago's own upgrade guides until it is of v{oldest}, the oldest for lago_version"
        yield (
            "lago_version",
            f"The upgrade {_told(found)} is made in one run only where the database is the collection's own, since it "
            "begins with a backup and may have to lead back to it. With a PostgreSQL elsewhere go there release by "
            f"release: {how}.",
        )
    if walk(case.server) and not bundled(case):
        yield (
            "lago_postgres_host",
            f"An upgrade to {walk(case.server).get('to')} was broken off: let it be gone on with, or back, in the "
            "database that it began in, before lago_postgres_host or lago_postgres_url names another one.",
        )


@rule("server")
def upgrade_refused(case: Case) -> Found:
    found = way(case)
    if _asks(found) and case.text("lago_upgrade_path") == "refuse":
        yield (
            "lago_upgrade_path",
            f"lago_upgrade_path is refuse, and the way {_told(found)} is not gone unasked: set lago_version back, or "
            "lago_upgrade_path to ask.",
        )


@rule("server")
def upgrade_not_confirmed(case: Case) -> Found:
    found, mode = way(case), case.text("lago_upgrade_path")
    asked = _asks(found) and mode != "refuse" and (mode != "auto" or bool(found.get("by_hand")))
    if asked and not _too_far(case, found) and case.text("lago_upgrade_confirm") != found["to"]:
        half = (
            f"The database is of {found['from']} and on its way to a newer release: an upgrade was broken off, or a "
            "stop was passed over. From there it can be gone on with. "
            if _begun(found)
            else ""
        )
        what = (
            "does whatever each release wants done, with Lago closed meanwhile: look through the plan (--check)"
            if bundled(case)
            else f"is made without a backup, since PostgreSQL is elsewhere: take one{found['by_hand']}"
        )
        yield (
            "lago_upgrade_confirm",
            f"{half}The upgrade {_told(found)} {what}, then set lago_upgrade_confirm to {found['to']}.",
        )
