# SPDX-License-Identifier: GPL-3.0-or-later
"""Where runs are killed, and what else is: before each task that does something, and within the long ones."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

KILL = "the run is killed"
ORPHAN = "the run is killed, its task goes on"
ENGINE = "the engine is killed"
POWER = "the server loses its power"
RESTART = "the server is restarted"
STRIKES = (KILL, ORPHAN, ENGINE, POWER, RESTART)


@dataclass(frozen=True)
class Place:
    """A task, by how often its name was met before, and how long after its beginning what is struck."""

    task: str
    after: float = 0.0
    strike: str = KILL
    nth: int = 0

    def __str__(self) -> str:
        where = f"{self.after:.2f} s into" if self.after else "before"
        return f"{self.strike} {where} {self.task}" + (f" ({self.nth + 1})" if self.nth else "")


@dataclass(frozen=True)
class WayBack(Place):
    """A task of the way back, and what the newer release is broken by."""

    fault: str = ""

    def __str__(self) -> str:
        return f"{self.fault}, and {super().__str__()}"


PULL = "Every image of the deployment is on the server"
STORES = "The stores run"
MIGRATE = "The migrations and the predefined roles of the release are in the database"
UP = "Every service runs as declared and is healthy"
OPEN = "A container that only itself can reach has sign-up open, for five minutes at most"
REGISTER = "The organization is registered"
KEY = "A key that works is at hand"

#: What a first converge does, in its order. One that is never reached fails its test.
FIRST = tuple(
    Place(task, nth=nth)
    for task, nth in (
        ("What the server has of Docker is known", 0),
        ("This run holds the deployment's lease", 1),
        ("The secrets are made once, and those given are remembered by their fingerprints", 0),
        ("Every file of the deployment is as declared", 0),
        (PULL, 0),
        (STORES, 0),
        ("What a killed run left migrating has come to its end", 0),
        ("The files that Lago stores belong to its processes", 0),
        ("The database is there and knows that it is to be migrated step by step", 0),
        (MIGRATE, 0),
        ("What was migrated, by which image and in which database is on record", 0),
        (UP, 0),
        ("The proxy's own certificate authority is known", 0),
        ("The root certificate of the deployment lies beside it", 0),
        (KEY, 0),
        ("Nothing of a run that was killed can register any more", 0),
        ("Who is registered is asked of the database", 0),
        (OPEN, 0),
        (REGISTER, 0),
        ("Nothing with an open sign-up is left", 0),
        (KEY, 1),
        ("What the deployment does is seen as its users see it", 0),
        ("The deployment's lease is given back", 0),
    )
)
CHANGE = tuple(
    Place(task)
    for task in (
        "The secrets are made once, and those given are remembered by their fingerprints",
        "Every file of the deployment is as declared",
        UP,
        "The proxy runs the configuration that is there",
        KEY,
        "What the deployment does is seen as its users see it",
        "The deployment's lease is given back",
    )
)
#: Between which releases upgrades are struck.
FROM, TO = "v1.50.0", "v1.51.0"
#: What a release may be broken by: which release, and what is said of it.
BROKEN = {
    "migration_fails": (TO, "what_nobody_made"),
    "migration_fails_half": (TO, "what_nobody_made"),
    "migration_hangs": (TO, "lago_upgrade_timeout"),
    "migration_dies": (TO, "exit code 137"),
    "unhealthy": (TO, '"path": "/health", "status": 500'),
    "keys_fail": (TO, "does not work on the migrated database"),
    "worker_dies": (TO, "does not work on the migrated database"),
    "jobs_hang": (FROM, "are not done"),
}
#: What is found out before anything stops, and what may go wrong later: tests/chaos/test_broken_upgrades.py says what
#: each is.
EARLY = ("image_missing", "registry_gone", "disk_too_small")
LATE = (*BROKEN, "disk_full", "database_restarted")
FAULTS = (*EARLY, *LATE, "left_to_be_looked_at")
#: What an upgrade from a release to the next one does, up to where it is over.
UPGRADE = tuple(
    Place(task, nth=nth)
    for task, nth in (
        ("Every image of the way is on the server", 0),
        ("The files of before the upgrade are kept", 0),
        ("How far the upgrade is, is on record", 0),
        ("Every file of the deployment is as declared", 0),
        ("The proxy runs the configuration that is there", 0),
        ("Nothing new is triggered", 0),
        ("What is queued is done, as far as there is time", 0),
        ("Nothing of another release works on the database", 0),
        ("A backup is taken", 0),
        ("How far the upgrade is, is on record", 1),
        (STORES, 1),
        ("What is to be done before the release is left is done: v1.50.0", 0),
        ("The database is there and knows that it is to be migrated step by step", 0),
        (MIGRATE, 0),
        ("The release runs behind the closed edge: v1.51.0", 0),
        ("What the release does with the data is known", 1),
        ("What was migrated, by which image and in which database is on record", 0),
        ("How far the upgrade is, is on record", 2),
        ("Every file of the deployment is as declared", 3),
        ("The proxy runs the configuration that is there", 1),
        (UP, 0),
        ("Nothing is left of the upgrade but its backup", 0),
    )
)
#: What the way back does that a broken release makes necessary.
RETURN = tuple(
    Place(task, nth=nth)
    for task, nth in (
        ("How far the upgrade is, is on record", 2),
        ("What was backed up is there again", 0),
        ("How far the upgrade is, is on record", 3),
        ("The files of before the upgrade are back", 0),
        ("What ran before the upgrade runs again", 0),
        ("How far the upgrade is, is on record", 4),
        ("The proxy's files of before the upgrade are back", 0),
        ("The proxy runs the configuration that is there", 1),
        ("The database that was on its way is gone", 0),
        ("Nothing is left of the upgrade but its backup", 0),
    )
)
#: What a rotation does, in its order.
ROTATION = tuple(
    Place(task)
    for task in (
        "The secrets are made once, and those given are remembered by their fingerprints",
        "Every file of the deployment is as declared",
        "Nothing of another release works on the database",
        STORES,
        "The database takes the password that the container was given",
        UP,
        "The organization has another key, and the former one is refused",
        "The key is known to the tasks that follow",
    )
)
#: Tasks that take long, with the seconds within which they are struck.
LONG_FIRST = {PULL: 8.0, STORES: 2.5, MIGRATE: 6.0, UP: 4.0, OPEN: 0.8, REGISTER: 1.2}
LONG_UPGRADE = {
    "A backup is taken": 2.0,
    MIGRATE: 4.0,
    "The release runs behind the closed edge: v1.51.0": 8.0,
    UP: 8.0,
}
LONG_RETURN = {"What was backed up is there again": 3.0, "What ran before the upgrade runs again": 8.0}
LONG_ROTATION = {STORES: 2.5, UP: 12.0, "The organization has another key, and the former one is refused": 0.3}
LONG_CHANGE = {"Every file of the deployment is as declared": 0.5, UP: 12.0, KEY: 0.5}


def _moments(chance: Random, long: dict[str, float], every: bool) -> list[Place]:
    found = [
        Place(task, round(chance.uniform(0.1, longest), 2), strike)
        for task, longest in long.items()
        for strike in STRIKES
    ]
    return found if every else [chance.choice(found)]


def first(chance: Random, every: bool) -> list[Place]:
    """Return where first converges are struck."""
    return [*(FIRST if every else [chance.choice(FIRST)]), *_moments(chance, LONG_FIRST, every)]


def half(chance: Random, every: bool) -> list[Place]:
    """Return where first converges are struck that nobody finishes: by the end of the run alone."""
    found = [place for place in first(chance, True) if place.strike in (KILL, ORPHAN)]
    return found if every else [chance.choice(found)]


def change(chance: Random, every: bool) -> list[Place]:
    """Return where changes of a deployment are struck."""
    return [*(CHANGE if every else [chance.choice(CHANGE)]), *_moments(chance, LONG_CHANGE, every)]


def faults(chance: Random, every: bool) -> tuple[list[str], list[Place], list[WayBack]]:
    """Return what goes wrong on the way of an upgrade, where upgrades are struck, and where on their way back.

    Where not every one is wanted, four of all these: a fault that is found out early, which takes seconds, a later
    one, and one strike on either way.
    """
    there = [*UPGRADE, *_moments(chance, LONG_UPGRADE, True)]
    back = [
        WayBack(place.task, place.after, place.strike, place.nth, chance.choice(list(BROKEN)))
        for place in (*RETURN, *_moments(chance, LONG_RETURN, True))
    ]
    if every:
        return list(FAULTS), there, back
    return [chance.choice(EARLY), chance.choice(LATE)], [chance.choice(there)], [chance.choice(back)]


def rotation(chance: Random, every: bool) -> list[Place]:
    """Return where rotations are struck."""
    found = [*ROTATION, *_moments(chance, LONG_ROTATION, True)]
    return found if every else [chance.choice(found)]


def held(chance: Random) -> list[Place]:
    """Return where a run ends whose lease another controller meets."""
    return [chance.choice(CHANGE)]
