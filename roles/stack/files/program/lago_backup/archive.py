# SPDX-License-Identifier: GPL-3.0-or-later
"""Folders as tar files and back, and files encrypted with age and back."""

from __future__ import annotations

import contextlib
import os
import tarfile
import typing as t

from lago_backup.tools import Refused, run, sync


def pack(folder: str, path: str, leave_out: t.Callable[[str], bool] = lambda name: False) -> None:
    """Write the files of a folder into a tar file, owners as numbers. What vanishes meanwhile is left out.

    :param leave_out: asked for each path in the folder.
    """
    with open(path, "xb") as file, tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for place, folders, names in os.walk(folder):
            within = os.path.relpath(place, folder)
            folders[:] = sorted(name for name in folders if not leave_out(os.path.normpath(f"{within}/{name}")))
            wanted = sorted(name for name in names if not leave_out(os.path.normpath(f"{within}/{name}")))
            for name in ("", *wanted):
                with contextlib.suppress(FileNotFoundError):
                    _add(archive, os.path.join(place, name), os.path.normpath(f"{within}/{name}"))
        file.flush()
        sync(file.fileno())


def _add(archive: tarfile.TarFile, path: str, name: str) -> None:
    if os.path.islink(path) or not (os.path.isdir(path) or os.path.isfile(path)):
        return
    if os.path.isdir(path):
        archive.addfile(archive.gettarinfo(path, name))
        return
    with open(path, "rb") as file:
        entry = archive.gettarinfo(name, name, file)
        entry.type, entry.linkname = tarfile.REGTYPE, ""  # a second name of a file is a file
        entry.size = os.fstat(file.fileno()).st_size
        archive.addfile(entry, file)


def unpack(path: str, folder: str, only: t.Container[str] | None = None) -> None:
    """Bring the files of a tar file into a folder, with their owners and modes.

    :param only: names; None is all.
    :raises Refused: for anything that a backup has not: links, devices, names that lead out of the folder.
    """
    with tarfile.open(path, mode="r:") as archive:
        archive.extraction_filter = lambda member, folder: member  # judged here, and owners are kept
        for member in archive:
            if member.name.startswith("/") or ".." in member.name.split("/") or not (member.isfile() or member.isdir()):
                raise Refused(f"{path} holds {member.name!r}, which no backup has: it is not used.")
            if only is None or member.name in only:
                archive.extract(member, folder, numeric_owner=True)


def encrypt(path: str, recipients: list[str]) -> str:
    """Replace a file by what only the recipients can read; return its path."""
    argv = ["age", "--encrypt", "--output", f"{path}.age"]
    for recipient in recipients:
        argv += ["--recipient", recipient]
    run("The backup cannot be encrypted", [*argv, path])
    descriptor = os.open(f"{path}.age", os.O_RDONLY)
    sync(descriptor)
    os.close(descriptor)
    os.unlink(path)
    return f"{path}.age"


def decrypt(path: str, target: str, identity: bytes) -> None:
    """Write what an encrypted file holds; the identity is on no command line and in no file.

    :raises Refused: when it is another's.
    """
    if not identity.strip():
        raise Refused(f"{path} is encrypted: give the age identity of one of its recipients (lago_backup_identity).")
    run(f"{path} cannot be decrypted", ["age", "--decrypt", "--identity", "-", "--output", target, path], identity)
