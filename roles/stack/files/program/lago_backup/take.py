# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes a backup: whole under its name, or not there at all."""

from __future__ import annotations

import errno
import json
import os
import shutil
import time
import typing as t

from lago_backup import archive, database, manifest
from lago_backup.tools import Refused, Settings, alone, folder, mountpoint, room, run, size_of, sync

#: The file of the deployment that is there while a restore is under way.
MARKER = "restoring.json"
#: Paths of the deployment's folder that are nobody's loss.
_LEFT_OUT = ("program", "lease.json")
#: How a copy of Redis' data begins, and how many bytes its checksum and the mark after it have.
_MAGIC = (b"REDIS", b"VALKE")
_CHECKSUM, _MARK, _HEX = 8, 40, b"0123456789abcdef"


def now() -> str:
    """Return the time as it stands in names."""
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())


def need(settings: Settings) -> int:
    """Return how many bytes a backup may take at most, beside what stays of it."""
    bytes_of = database.facts(settings, settings.postgres["database"])["bytes"]
    places = (mountpoint(volume) for volume in settings.volumes.values())
    parts = [bytes_of, *(size_of(one) for one in places if one)]
    # One part at a time is there plain and encrypted.
    return sum(parts) + (max(parts) if settings.recipients else 0)


def backup(settings: Settings, label: str = "") -> dict[str, t.Any]:
    """Take a backup and return what the program prints.

    :param label: tells it from the ordinary ones; each label has backups of its own number.
    :returns: C(name), C(path), C(bytes), C(seconds), the names of those C(removed), and its C(manifest).
    :raises Refused: and then nothing is left of it.
    """
    began = time.monotonic()
    if settings.recipients and not shutil.which("age"):
        raise Refused("There is no age on the server, with which the backup is to be encrypted: install its package.")
    if os.path.exists(os.path.join(settings.directory, MARKER)):
        raise Refused(
            f"A restore was broken off, and what is there is half of it: finish it first "
            f"({settings.directory}/{MARKER} names the backup). Nothing is backed up before."
        )
    with alone(settings):
        _clear(settings)
        room(settings.backups, need(settings), "A backup")
        created = now()
        name = manifest.name(settings, created, label)
        final = os.path.join(settings.backups, name)
        if os.path.lexists(final):
            raise Refused(f"{final} is there already: try again in a second.")
        unfinished = os.path.join(settings.backups, f".{name}{manifest.UNFINISHED}")
        os.mkdir(unfinished, 0o700)
        try:
            said = _fill(settings, unfinished, {"name": name, "label": label, "created": created})
            sync(unfinished)
            os.rename(unfinished, final)
        except BaseException as error:
            shutil.rmtree(unfinished)
            if isinstance(error, OSError) and error.errno == errno.ENOSPC:
                raise Refused(f"There is no room left in {settings.backups}: the backup is not kept.") from None
            raise
        sync(settings.backups)
        removed = _retire(settings)
    total = sum(part["bytes"] for part in said["parts"].values())
    seconds = round(time.monotonic() - began, 1)
    return {"name": name, "path": final, "bytes": total, "seconds": seconds, "removed": removed, "manifest": said}


def _clear(settings: Settings) -> None:
    """Remove what backups left that were killed."""
    for one in os.listdir(settings.backups):
        if one.startswith(".") and one.endswith(manifest.UNFINISHED):
            shutil.rmtree(os.path.join(settings.backups, one))


def _fill(settings: Settings, place: str, said: manifest.Manifest) -> manifest.Manifest:
    """Take all parts into a folder and return its manifest, which is there too."""
    path = {name: os.path.join(place, file) for name, file in manifest.FILES.items()}
    with database.moment(settings) as (snapshot, facts):
        # As close to the moment of the rows as can be: of one moment with them where nobody works.
        if settings.redis:
            _queue(settings, path["queue"])
        database.dump(settings, snapshot, facts["major"], path["database"])
    if settings.rehearse:
        database.rehearse(settings, path["database"], facts)
    # After the rows that name them.
    for name in ("storage", "proxy"):
        source = mountpoint(settings.volumes[name]) if name in settings.volumes else None
        if source:
            archive.pack(source, path[name])
    archive.pack(settings.directory, path["deployment"], _left_out)
    files = {name: file for name, file in manifest.FILES.items() if os.path.exists(path[name])}
    if settings.recipients:
        files = {name: os.path.basename(archive.encrypt(path[name], settings.recipients)) for name in files}
    for file in files.values():
        _sync_file(os.path.join(place, file))
    whole = {
        **said,
        "format": manifest.FORMAT,
        "project": settings.project,
        "finished": now(),
        "versions": settings.versions,
        "database": facts,
        "fingerprints": _fingerprints(settings),
        "recipients": settings.recipients,
        "parts": manifest.described(place, files),
    }
    manifest.save(place, whole)
    return whole


def _sync_file(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    sync(descriptor)
    os.close(descriptor)


def _queue(settings: Settings, path: str) -> None:
    with open(path, "xb") as file:
        run("The queue cannot be copied", [*settings.redis["client"], "redis-cli", "--rdb", "-"], stdout=file)
    _end(path)


def _end(path: str) -> None:
    """See that a copy of Redis' data is whole: from its name to the byte before its checksum, which ends it.

    What Redis sends without knowing its length has a mark after it, which redis-cli cuts off a file, not its output.
    """
    with open(path, "r+b") as file:
        magic = file.read(5)
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _MARK))
        if all(byte in _HEX for byte in file.read()):
            size = file.truncate(max(0, size - _MARK))
        file.seek(max(0, size - _CHECKSUM - 1))
        if magic not in _MAGIC or file.read(1) != b"\xff":
            raise Refused("Redis gave something else than all of its data: the backup is not kept.")


def _left_out(name: str) -> bool:
    return name in _LEFT_OUT or name.startswith("before-") or os.path.basename(name).endswith(manifest.UNFINISHED)


def _fingerprints(settings: Settings) -> dict[str, str]:
    """Return what tells whether a secret is the one that was in use; nothing else, without the file's own key."""
    try:
        with open(os.path.join(settings.directory, "secrets.json"), encoding="utf-8") as file:
            return dict(json.load(file)["fingerprints"])
    except FileNotFoundError:
        raise Refused(f"{settings.directory} has no secrets.json: there is no deployment to be backed up.") from None


def _retire(settings: Settings) -> list[str]:
    """Remove the oldest backups of each label beyond the number that stays, and never the last; return their names.

    Only whole ones count, and only such are removed.
    """
    there = [str(one["name"]) for one in manifest.listed(settings)]
    labels = {manifest.label_of(name) for name in there}
    kept = max(1, settings.keep)
    old = [name for label in labels for name in [one for one in there if manifest.label_of(one) == label][:-kept]]
    for name in sorted(old):
        place = os.path.join(settings.backups, name)
        gone = os.path.join(settings.backups, f".{name}{manifest.UNFINISHED}")
        os.rename(place, gone)  # never half a backup under its name
        shutil.rmtree(gone)
    return sorted(old)


def prepare(settings: Settings) -> None:
    """Make the folder of the backups."""
    folder(settings.backups)
