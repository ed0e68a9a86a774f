# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings a backup back. Everything is looked at before anything is replaced, and what is replaced is set aside."""

from __future__ import annotations

import json
import os
import shutil
import typing as t

from lago_backup import archive, database, manifest, take
from lago_backup.tools import MARGIN, Refused, Settings, alone, label, mountpoint, room, run, size_of, sync, write

SECRETS = ("secrets.json", "api_key.json")
_STAGE = ".restoring"
_AOF = "appendonlydir"
_AOF_BASE = "appendonly.aof.1.base.rdb"


class Checked(t.NamedTuple):
    """A backup that was found to be whole, readable and fit.

    :param files: of its parts, plain.
    """

    folder: str
    manifest: manifest.Manifest
    files: dict[str, str]


def check(settings: Settings, backup: str, parts: list[str], identity: bytes, any_release: bool = False) -> Checked:
    """See that a backup can be restored here, and lay its parts out plain.

    :param parts: none are all that it has.
    :param any_release: whether another release than the one to be deployed will do.
    :raises Refused: when it cannot; nothing was replaced.
    """
    folder = manifest.place(settings, backup)
    said = manifest.read(folder)
    wanted = parts or list(said["parts"])
    deployed, taken = settings.versions["api"], said["versions"]["api"]
    if taken != deployed and not any_release:
        raise Refused(
            f"{folder} is of Lago {taken}, and {deployed} is to be deployed: restore it with lago_version: {taken}, "
            "and upgrade then. Nothing was changed."
        )
    manifest.check(folder, said, wanted)
    _room(settings, said, wanted)
    _postgres(settings, said)
    if "database" in wanted and settings.postgres["external"]:
        database.fit(settings, said["database"]["major"])
    try:
        files = _plain(settings, folder, said, wanted, identity)
    except BaseException:
        _unstage(settings)
        raise
    return Checked(folder, said, files)


def _plain(
    settings: Settings, folder: str, said: manifest.Manifest, parts: list[str], identity: bytes
) -> dict[str, str]:
    """Return the files of these parts, plain, seen to be readable; what had to be decrypted is in the stage."""
    stage = _stage(settings)
    files = {}
    for name in parts:
        path = os.path.join(folder, said["parts"][name]["file"])
        files[name] = path
        if said["recipients"]:
            files[name] = os.path.join(stage, manifest.FILES[name])
            archive.decrypt(path, files[name], identity)
    if "database" in files:
        with open(files["database"], "rb") as file:
            argv = [*_once(settings, "--interactive"), "pg_restore", "--list"]
            database.listed(run("The dump cannot be read", argv, file))
    if "deployment" in files:
        archive.unpack(files["deployment"], stage, SECRETS)
    return files


def need(settings: Settings, taken: int) -> dict[str, t.Any]:
    """Return how much room the way back of database and queue may take, and how much there is.

    :param taken: bytes that a backup takes before.
    :returns: C(need) and C(free), in bytes, and the C(directory).
    """
    root = _root()
    rows = 0 if settings.postgres["external"] else database.facts(settings, settings.postgres["database"])["bytes"]
    queue = mountpoint(settings.volumes["queue"]) if "queue" in settings.volumes else None
    here = os.stat(root).st_dev == os.stat(settings.backups).st_dev
    return {
        "need": 3 * rows + (size_of(queue) if queue else 0) + MARGIN + (taken if here else 0),
        "free": shutil.disk_usage(root).free,
        "directory": root,
    }


def _root() -> str:
    return run("Docker does not answer", ["docker", "info", "--format", "{{.DockerRootDir}}"]).strip()


def _room(settings: Settings, said: manifest.Manifest, parts: list[str]) -> None:
    sizes = {name: said["parts"][name]["bytes"] for name in parts}
    # Rows take their room twice: as rows and in the log of the database.
    rows = 2 * said["database"]["bytes"] if "database" in parts and not settings.postgres["external"] else 0
    room(_root(), sum(sizes.values()) + rows, "The restore")
    if said["recipients"]:
        room(settings.backups, sum(sizes.values()), "The restore of an encrypted backup")


def _once(settings: Settings, *options: str) -> list[str]:
    """Return the beginning of a command in a container of PostgreSQL's image that reaches nothing."""
    return ["docker", "run", "--rm", *options, "--network", "none", "--entrypoint", "", settings.postgres["image"]]


def _postgres(settings: Settings, said: manifest.Manifest) -> None:
    ours = database.major("PostgreSQL's image cannot be had", [*_once(settings), "pg_restore"])
    theirs = said["database"]["major"]
    if ours < theirs:
        raise Refused(
            f"The backup is of PostgreSQL {theirs}, and {settings.postgres['image']} is PostgreSQL {ours}: set "
            f"lago_postgres_image to one of PostgreSQL {theirs} or newer. Nothing was changed."
        )


def _stage(settings: Settings) -> str:
    """Return an empty folder for what is laid out plain."""
    stage = os.path.join(settings.backups, _STAGE)
    shutil.rmtree(stage, ignore_errors=True)
    os.mkdir(stage, 0o700)
    return stage


def checked(settings: Settings, backup: str, parts: list[str], identity: bytes, any_release: bool) -> dict[str, t.Any]:
    """See that a backup can be restored and return what the program prints.

    :returns: C(path), C(manifest), C(secrets), the path of a copy of its secrets, and C(left), the parts that have no
        place here: the queue where Redis is the operator's own.
    """
    with alone(settings):
        found = check(settings, backup, parts, identity, any_release)
        stage = os.path.join(settings.backups, _STAGE)
        for name in set(found.files) - {"deployment"}:
            if found.files[name].startswith(f"{stage}/"):
                os.unlink(found.files[name])
    return {
        "path": found.folder,
        "manifest": found.manifest,
        "secrets": os.path.join(stage, SECRETS[0]),
        "left": sorted(set(found.files) - {"database", "deployment", *settings.volumes}),
    }


def secrets(settings: Settings, backup: str, identity: bytes) -> dict[str, t.Any]:
    """Put a backup's secrets in the place of those that are there, which are set aside.

    From now on the restore must come to its end.

    :returns: what the program prints: C(set_aside).
    """
    with alone(settings):
        found = check(settings, backup, ["deployment"], identity)
        os.makedirs(settings.directory, mode=0o700, exist_ok=True)
        since = _begin(settings, found.folder, whole=True)
        aside = os.path.join(settings.directory, f"before-{since}")
        moved = []
        for name in SECRETS:
            there, new = (os.path.join(folder, name) for folder in (settings.directory, _staged(settings)))
            if not os.path.exists(os.path.join(aside, name)) and os.path.exists(there):
                os.makedirs(aside, mode=0o700, exist_ok=True)
                shutil.copy2(there, os.path.join(aside, name))
                sync(aside)
                moved.append(os.path.join(aside, name))
            if os.path.exists(new):
                with open(new, encoding="utf-8") as file:
                    write(there, file.read())
        _unstage(settings)
    return {"set_aside": moved}


def _staged(settings: Settings) -> str:
    return os.path.join(settings.backups, _STAGE)


def _unstage(settings: Settings) -> None:
    shutil.rmtree(_staged(settings), ignore_errors=True)


def _begin(settings: Settings, folder: str, whole: bool) -> str:
    """Leave the mark of a restore under way, and return when it began: before a run that was killed, maybe.

    :param whole: whether it replaces the secrets too.
    """
    path = os.path.join(settings.directory, take.MARKER)
    try:
        with open(path, encoding="utf-8") as file:
            known = json.load(file)
    except FileNotFoundError:
        known = {}
    if known.get("backup") == folder:
        return str(known["since"])
    since = take.now().lower()
    write(path, json.dumps({"backup": folder, "since": since, "whole": whole}) + "\n")
    return since


def restore(settings: Settings, backup: str, parts: list[str], identity: bytes, any_release: bool) -> dict[str, t.Any]:
    """Bring parts of a backup back, and return what the program prints: C(restored) and C(set_aside).

    The database server must run. What uses the data is stopped and stays so.
    """
    with alone(settings):
        found = check(settings, backup, parts, identity, any_release)
        since = _begin(settings, found.folder, whole=False)
        volumes = {name: settings.volumes[name] for name in found.files if name in settings.volumes}
        restored = sorted({*found.files} & {"database", "deployment", *volumes})
        beside = {name: _lay(settings, name, volume, found.files[name]) for name, volume in volumes.items()}
        _stop(settings, list(volumes.values()))
        aside = []
        if "database" in found.files:
            aside.append(database.bring(settings, found.files["database"], found.manifest["database"], since))
        aside += [_swap(place, since) for place in beside.values()]
        _unstage(settings)
        os.unlink(os.path.join(settings.directory, take.MARKER))
    return {"restored": restored, "set_aside": [one for one in aside if one]}


def _lay(settings: Settings, name: str, volume: str, path: str) -> str:
    """Lay a part out beside the volume's present content; return the path of that."""
    place = mountpoint(volume)
    if place is None:
        raise Refused(f"There is no volume {volume} on the server: run the verbs render and up first.")
    beside = f"{place}.restored"
    shutil.rmtree(beside, ignore_errors=True)
    os.mkdir(beside)
    label(beside, place)
    if name == "queue":
        _append_only(settings, beside, path)
    else:
        archive.unpack(path, beside)
    return place


def _append_only(settings: Settings, place: str, path: str) -> None:
    """Make a copy of the queue's data the base of its append-only file: with one, Redis reads nothing else."""
    folder, uid = os.path.join(place, _AOF), settings.redis["uid"]
    os.mkdir(folder)
    shutil.copyfile(path, os.path.join(folder, _AOF_BASE))
    with open(os.path.join(folder, "appendonly.aof.manifest"), "w", encoding="utf-8") as file:
        file.write(f"file {_AOF_BASE} seq 1 type b\n")
    for one in (place, folder, *(os.path.join(folder, name) for name in os.listdir(folder))):
        os.chown(one, uid, uid)


def _stop(settings: Settings, volumes: list[str]) -> None:
    """Stop, gently, what uses the volumes and what works on the database."""
    project = f"label=com.docker.compose.project={settings.project}"
    row = '{{.ID}} {{.Label "com.docker.compose.service"}}'
    found = run("Docker does not answer", ["docker", "ps", "--filter", project, "--format", row]).splitlines()
    ids = [
        one.split()[0] for one in found if one.split()[1].startswith(("api", "worker", "clock", "migrate", "register"))
    ]
    for volume in volumes:
        argv = ["docker", "ps", "--quiet", "--filter", f"volume={volume}"]
        ids += run("Docker does not answer", argv).split()
    if ids:
        run("What uses the data cannot be stopped", ["docker", "stop", *sorted(set(ids))])


def _swap(place: str, since: str) -> str:
    """Put what lies beside a folder in its place, and return where the former content is."""
    aside = f"{place}.before-{since}"
    if os.path.exists(place):
        if os.path.exists(aside):  # a second try: what is in the place is the first one's
            shutil.rmtree(place)
        else:
            os.rename(place, aside)
    os.rename(f"{place}.restored", place)
    sync(os.path.dirname(place))
    return aside
