# SPDX-License-Identifier: GPL-3.0-or-later
"""A bucket of S3: backups are sent to it and had from it by a container of the API's image, which holds the SDK."""

from __future__ import annotations

import os
import shutil

from lago_backup import manifest
from lago_backup.tools import Refused, Settings, alone, room, run, sync

_SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bucket.rb")
#: In this order half a backup has no manifest.
_FIRST = (manifest.MANIFEST, f"{manifest.MANIFEST}.sha256")


def _move(settings: Settings, what: str, direction: str, folder: str, backup: str, files: list[str]) -> None:
    """Move files between a folder of the server and the bucket. The keys are in a file that root alone reads."""
    access = ":ro" if direction == "put" else ""
    argv = ["docker", "run", "--rm", "--interactive", "--user", "0:0", "--read-only"]
    # The authority's file is another user's.
    argv += ["--cap-drop", "ALL", "--cap-add", "DAC_OVERRIDE"]
    # No folder of the server is given another label for it.
    argv += ["--security-opt", "no-new-privileges", "--security-opt", "label=disable"]
    argv += ["--env-file", f"{settings.directory}/program/s3.env", "--volume", f"{folder}:/backup{access}"]
    if settings.s3["ca"]:
        argv += ["--volume", f"{settings.directory}/mounts/ca.crt:/run/lago/ca.crt:ro"]
    argv += ["--entrypoint", "ruby", settings.s3["image"], "-", direction]
    argv += [settings.s3["bucket"], _prefix(settings, backup), *files]
    with open(_SCRIPT, "rb") as script:
        run(what, argv, script)


def _prefix(settings: Settings, backup: str) -> str:
    return f"{settings.s3['prefix'].strip('/')}/{backup}".lstrip("/")


def send(settings: Settings, backup: str) -> str:
    """Send a backup to the bucket and return where it is.

    :param backup: its name, or its path.
    :raises Refused: also for one that is encrypted to nobody, unless that is allowed.
    """
    if not settings.s3:
        raise Refused("No bucket is given to send backups to: set lago_backup_s3_bucket.")
    with alone(settings):
        folder = manifest.place(settings, backup)
        said = manifest.read(folder)
        if not said["recipients"] and not settings.unencrypted:
            raise Refused(
                f"{folder} is encrypted to nobody and stays on the server: set lago_backup_recipients, or say "
                "lago_backup_unencrypted: true if others may read it."
            )
        files = [part["file"] for part in said["parts"].values()]
        what = f"The backup {folder} is whole, and could not be sent to the bucket"
        _move(settings, what, "put", folder, said["name"], [*files, *_FIRST])
    return f"s3://{settings.s3['bucket']}/{_prefix(settings, said['name'])}"


def obtain(settings: Settings, backup: str) -> str:
    """Bring a backup from the bucket to the others, whole or not at all, and return where it is.

    :param backup: its name. One that is there already is left as it is.
    """
    if not settings.s3:
        raise Refused("No bucket is given to have backups from: set lago_backup_s3_bucket.")
    if not manifest.is_name(backup):
        raise Refused(f"{backup!r} is no name of a backup, such as {settings.project}-20260131T120000Z.")
    final = os.path.join(settings.backups, backup)
    what = f"The backup {backup} cannot be had from the bucket"
    with alone(settings):
        if os.path.lexists(final):
            return final
        unfinished = os.path.join(settings.backups, f".{backup}{manifest.UNFINISHED}")
        shutil.rmtree(unfinished, ignore_errors=True)
        os.mkdir(unfinished, 0o700)
        try:
            _move(settings, what, "get", unfinished, backup, list(_FIRST))
            said = manifest.read(unfinished)
            room(settings.backups, sum(part["bytes"] for part in said["parts"].values()), f"The backup {backup}")
            _move(settings, what, "get", unfinished, backup, [part["file"] for part in said["parts"].values()])
            manifest.check(unfinished, said, list(said["parts"]))
            os.rename(unfinished, final)
        except BaseException:
            shutil.rmtree(unfinished)
            raise
        sync(settings.backups)
    return final
