# SPDX-License-Identifier: GPL-3.0-or-later
"""What everything here is made of: settings, other programs, files that are whole or not there."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import typing as t

CHUNK = 1 << 20
#: Bytes that are left free beside what is needed.
MARGIN = 64 << 20


class Refused(Exception):  # noqa: N818 - what is raised is a refusal
    """Why it cannot be done: a sentence for a person, with the next step and without a secret."""


class Settings(t.NamedTuple):
    """What backup.json says; the role writes it.

    :param directory: of the deployment.
    :param backups: folder of the backups.
    :param keep: how many backups of each label stay.
    :param recipients: of age; none means plain.
    :param versions: C(api) and C(front), as deployed.
    :param postgres: C(client), the beginning of the command that runs a program of PostgreSQL,
        C(image), C(user), C(database), C(volume), and C(external), whether the server is the operator's own.
    :param redis: C(client) likewise and C(uid), the owner of its files.
    :param volumes: of Docker, by part: C(queue), C(storage), C(proxy).
    :param s3: C(bucket), C(prefix), C(image) of the API, and C(ca), whether an authority of one's own is trusted; or
        nothing. What else there is to it is in program/s3.env.
    :param unencrypted: whether a backup that is encrypted to nobody may leave the server.
    """

    project: str
    directory: str
    backups: str
    keep: int
    recipients: list[str]
    rehearse: bool
    versions: dict[str, str]
    postgres: dict[str, t.Any]
    redis: dict[str, t.Any]
    volumes: dict[str, str]
    s3: dict[str, t.Any]
    unencrypted: bool


def load(path: str) -> Settings:
    """Return the settings of the file."""
    with open(path, encoding="utf-8") as file:
        return Settings(**json.load(file))


def run(what: str, argv: list[str], stdin: t.Any = subprocess.DEVNULL, stdout: t.Any = subprocess.PIPE) -> str:
    """Run a program to its end and return what it printed.

    :param what: said of it when it fails.
    :raises Refused: with the last that it said.
    """
    text = {"input": stdin} if isinstance(stdin, bytes) else {"stdin": stdin}
    try:
        done = subprocess.run(argv, stdout=stdout, stderr=subprocess.PIPE, check=False, **text)
    except FileNotFoundError:
        raise Refused(f"{what}: there is no {argv[0]} on the server; install it.") from None
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()[-5:]
        raise Refused(f"{what}: {' '.join(said) or f'{argv[0]} ended with {done.returncode}'}")
    return (done.stdout or b"").decode("utf-8", "replace")


def mountpoint(volume: str) -> str | None:
    """Return the folder of a volume of Docker, None when there is no such volume."""
    try:
        return run("", ["docker", "volume", "inspect", "--format", "{{.Mountpoint}}", volume]).strip()
    except Refused:
        return None


def label(folder: str, like: str) -> None:
    """Give a new folder the label that SELinux wants of a volume, where it does."""
    if os.path.exists("/sys/fs/selinux/enforce"):
        run("The volume cannot be labelled", ["chcon", "--reference", like, folder])


def size_of(folder: str) -> int:
    """Return how many bytes the files of a folder have; those that vanish meanwhile have none."""
    total = 0
    for place, _folders, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                total += os.lstat(os.path.join(place, name)).st_size
    return total


def room(folder: str, need: int, what: str) -> None:
    """See that there is room.

    :raises Refused: with the bytes that are missing.
    """
    free = shutil.disk_usage(folder).free
    if free < need + MARGIN:
        raise Refused(
            f"{what} needs {need + MARGIN} bytes on the file system of {folder}, and {free} are free: make room for "
            f"{need + MARGIN - free} more. Nothing was changed."
        )


def digest(path: str) -> str:
    """Return the sha256 of a file, in hexadecimal."""
    found = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(CHUNK), b""):
            found.update(block)
    return found.hexdigest()


def write(path: str, content: str) -> None:
    """Replace a file as a whole, so that it outlives a power failure, readable by its owner alone."""
    temporary = f"{path}.unfinished"
    with open(temporary, "w", encoding="utf-8", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(content)
        sync(file.fileno())
    os.replace(temporary, path)
    sync(os.path.dirname(path))


def sync(target: str | int) -> None:
    """Make sure that a file or a folder is on the disk."""
    descriptor = os.open(target, os.O_RDONLY) if isinstance(target, str) else target
    try:
        os.fsync(descriptor)
    finally:
        if descriptor is not target:
            os.close(descriptor)


def folder(path: str) -> None:
    """Make a folder that is its owner's alone, and those above it."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with contextlib.suppress(FileExistsError):
        os.mkdir(path, 0o700)


@contextlib.contextmanager
def alone(settings: Settings) -> t.Iterator[None]:
    """Let no other backup or restore of the deployment work meanwhile. One that is killed holds nobody up.

    :raises Refused: when another one does.
    """
    folder(settings.backups)
    descriptor = os.open(settings.backups, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise Refused(f"Another backup or restore works in {settings.backups}: wait until it ends.") from None
    try:
        yield
    finally:
        os.close(descriptor)
