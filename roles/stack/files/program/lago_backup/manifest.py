# SPDX-License-Identifier: GPL-3.0-or-later
"""What a backup says of itself: a folder with a file for each part and a manifest, which is written last."""

from __future__ import annotations

import json
import os
import re
import typing as t

from lago_backup.tools import Refused, Settings, digest, write

FORMAT = 1
MANIFEST = "manifest.json"
UNFINISHED = ".unfinished"
#: The file of each part, in the order in which they are taken.
FILES = {
    "queue": "queue.rdb",
    "database": "database.dump",
    "storage": "storage.tar",
    "proxy": "proxy.tar",
    "deployment": "deployment.tar",
}
_NAME = re.compile(r"(?P<project>.+)-(?P<time>\d{8}T\d{6}Z)(-(?P<label>[a-z0-9]+))?")

Manifest = t.Dict[str, t.Any]  # noqa: UP006 - Python 3.9


def name(settings: Settings, time: str, label: str) -> str:
    """Return the name of a backup that is begun at a time."""
    return f"{settings.project}-{time}{f'-{label}' if label else ''}"


def label_of(backup: str) -> str:
    """Return the label in a name, blank when it has none."""
    match = _NAME.fullmatch(backup)
    return (match["label"] or "") if match else ""


def is_name(text: str) -> bool:
    """Return whether a text is the name of a backup, and no path."""
    return bool(_NAME.fullmatch(text)) and "/" not in text


def place(settings: Settings, backup: str) -> str:
    """Return the folder of a backup that is given by its name, or by its path."""
    return os.path.normpath(os.path.join(settings.backups, backup))


def save(folder: str, manifest: Manifest) -> None:
    """Write the manifest and its checksum, in the format of C(sha256sum)."""
    path = os.path.join(folder, MANIFEST)
    write(path, json.dumps(manifest, indent=2, sort_keys=True) + "\n")
    write(f"{path}.sha256", f"{digest(path)}  {MANIFEST}\n")


def read(folder: str) -> Manifest:
    """Return the manifest of a backup.

    :raises Refused: when it is not there, or not as it was written.
    """
    path = os.path.join(folder, MANIFEST)
    try:
        with open(f"{path}.sha256", encoding="utf-8") as file:
            known = file.read().split()
        if known[:1] != [digest(path)]:
            raise Refused(f"{path} is not what was written: this backup is damaged; take another one.")
        with open(path, encoding="utf-8") as file:
            manifest = json.load(file)
    except FileNotFoundError:
        raise Refused(f"{folder} is no backup: it has no {MANIFEST} with its checksum.") from None
    if manifest["format"] != FORMAT:
        raise Refused(
            f"{folder} is a backup of format {manifest['format']}, and this release of the collection reads format "
            f"{FORMAT}: restore it with the release that took it or a newer one."
        )
    possible = {(name, f"{file}{end}") for name, file in FILES.items() for end in ("", ".age")}
    if not {(name, part["file"]) for name, part in manifest["parts"].items()} <= possible:
        raise Refused(f"{folder} names files that no backup has: it is not used.")
    return t.cast("Manifest", manifest)


def whole(folder: str) -> Manifest | None:
    """Return the manifest of a backup all parts of which are there in their size, None of any other folder."""
    try:
        manifest = read(folder)
    except (Refused, OSError, ValueError, LookupError, TypeError):
        return None
    return None if any(_short(folder, part) for part in manifest["parts"].values()) else manifest


def _short(folder: str, part: dict[str, t.Any]) -> str:
    path = os.path.join(folder, part["file"])
    if not os.path.isfile(path):
        return f"{path} is missing"
    size = os.path.getsize(path)
    return "" if size == part["bytes"] else f"{path} has {size} bytes instead of {part['bytes']}"


def check(folder: str, manifest: Manifest, parts: list[str]) -> None:
    """See that these parts of a backup are what was written.

    :raises Refused: naming everything that is not.
    """
    wrong = [f"it has no part {name}" for name in parts if name not in manifest["parts"]]
    for part in (manifest["parts"][name] for name in parts if name in manifest["parts"]):
        path = os.path.join(folder, part["file"])
        short = _short(folder, part)
        wrong += [short] if short else [] if digest(path) == part["sha256"] else [f"{path} has another content"]
    if wrong:
        raise Refused(f"The backup {folder} is damaged: {'; '.join(wrong)}. Nothing was changed; take another backup.")


def described(folder: str, files: dict[str, str]) -> dict[str, dict[str, t.Any]]:
    """Return the parts of a manifest.

    :param files: names in the folder, by part.
    """
    paths = {name: os.path.join(folder, file) for name, file in files.items()}
    return {
        name: {"file": files[name], "bytes": os.path.getsize(path), "sha256": digest(path)}
        for name, path in paths.items()
    }


def listed(settings: Settings) -> list[Manifest]:
    """Return the manifests of all whole backups of the project, the oldest first."""
    names = sorted(os.listdir(settings.backups)) if os.path.isdir(settings.backups) else []
    found = (whole(os.path.join(settings.backups, one)) for one in names if _NAME.fullmatch(one))
    return sorted(
        (manifest for manifest in found if manifest and manifest["project"] == settings.project),
        key=lambda manifest: str(manifest["created"]),
    )
