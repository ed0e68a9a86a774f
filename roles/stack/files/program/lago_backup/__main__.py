# SPDX-License-Identifier: GPL-3.0-or-later
"""C(python3 -B -m lago_backup): prints one JSON object, or says on standard error why not and ends with 1."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import time
import typing as t

from lago_backup import bucket, cluster, give, manifest, take
from lago_backup.tools import MARGIN, Refused, Settings, load

#: How a run ends for which it was not the time, since somebody else works on the deployment: it is tried again.
BUSY = 75


def parsed(argv: list[str]) -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(prog="lago_backup", description="Backup and restore of a deployment of Lago.")
    default = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "backup.json")
    parser.add_argument("--settings", default=default, help="the file of the deployment's settings (%(default)s)")
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("backup", help="take a backup")
    command.add_argument("--label", default="", help="a word that tells it from the ordinary ones")
    command.add_argument("--plain", action="store_true", help="not encrypted, whoever the recipients are")
    command.add_argument("--scheduled", action="store_true", help="not while somebody else works on the deployment")
    commands.add_parser("list", help="name the whole backups, the oldest first")
    commands.add_parser("need", help="say how much room a backup and its way back may take, and how much there is")
    command = commands.add_parser("cluster", help="set the data of the bundled database server aside, or put it back")
    command.add_argument("way", choices=["aside", "back"])
    command.add_argument("since", help="what it is called while it is set aside")
    for name, text in (
        ("send", "send a backup to the bucket"),
        ("obtain", "bring a backup from the bucket to the others"),
    ):
        commands.add_parser(name, help=text).add_argument("backup", help="its name")
    for name, text in (
        ("check", "see that a backup can be restored here; an age identity is read from standard input"),
        ("secrets", "put a backup's secrets in place"),
        ("restore", "bring a backup back"),
    ):
        command = commands.add_parser(name, help=text)
        command.add_argument("backup", help="its name, or its path")
        command.add_argument("--part", action="append", default=[], choices=list(manifest.FILES), help="only this one")
        command.add_argument("--any-release", action="store_true", help="also one of another release of Lago")
    return parser.parse_args(argv)


def answer(asked: argparse.Namespace, settings: Settings) -> dict[str, t.Any]:
    """Do what is asked for and return what is printed."""
    if asked.command == "backup":
        # The one that is plain whoever the recipients are never leaves the server.
        taken = take.backup(settings._replace(recipients=[]) if asked.plain else settings, asked.label)
        return {**taken, "sent": bucket.send(settings, taken["name"]) if settings.s3 and not asked.plain else None}
    if asked.command in ("send", "obtain"):
        return {"path": (bucket.send if asked.command == "send" else bucket.obtain)(settings, asked.backup)}
    if asked.command == "list":
        return {"backups": manifest.listed(settings)}
    if asked.command == "need":
        take.prepare(settings)
        need, free = take.need(settings) + MARGIN, shutil.disk_usage(settings.backups).free
        return {"need": need, "free": free, "directory": settings.backups, "back": give.need(settings, need)}
    return moved(asked, settings) if asked.command == "cluster" else given(asked, settings)


def moved(asked: argparse.Namespace, settings: Settings) -> dict[str, t.Any]:
    """Set the database server's data aside, or put it back."""
    return (cluster.aside if asked.way == "aside" else cluster.back)(settings, asked.since)


def given(asked: argparse.Namespace, settings: Settings) -> dict[str, t.Any]:
    """Do what brings a backup back."""
    identity = sys.stdin.buffer.read()
    if asked.command == "secrets":
        return give.secrets(settings, asked.backup, identity)
    do = give.checked if asked.command == "check" else give.restore
    return do(settings, asked.backup, asked.part, identity, asked.any_release)


def busy(settings: Settings) -> bool:
    """Return whether a run of Ansible holds the deployment's lease."""
    try:
        with open(os.path.join(settings.directory, "lease.json"), encoding="utf-8") as file:
            return float(json.load(file)["expires"]) > time.time()
    except (FileNotFoundError, ValueError, LookupError):
        return False


def main(argv: list[str]) -> int:
    """Return the exit code."""
    os.umask(0o077)
    asked = parsed(argv)
    try:
        settings = load(asked.settings)
        if asked.command == "backup" and asked.scheduled and busy(settings):
            print("Somebody else works on the deployment: tried again later.", file=sys.stderr)
            return BUSY
        print(json.dumps(answer(asked, settings), sort_keys=True))
    except Refused as refusal:
        print(refusal, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{error.filename or asked.command}: {error.strerror}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
