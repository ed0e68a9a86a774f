# Copyright: (c) 2026, The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about backups: where they are kept, and who can read them. PRIVATE to the collection."""

from __future__ import annotations

import posixpath
import re

from ansible_collections.selfhosted.lago.plugins.plugin_utils._problems_rules import Case, Found, rule
from ansible_collections.selfhosted.lago.plugins.plugin_utils._problems_values import blank, shown

_RECIPIENT = re.compile(r"age1[0-9a-z]+|ssh-(ed25519|rsa) [0-9A-Za-z+/=]+( .*)?")
_IDENTITY = re.compile(r"AGE-(SECRET-KEY|PLUGIN)-", re.IGNORECASE)
#: Emptied when the server restarts, or by whoever tidies up.
_PASSING = re.compile(r"/(tmp|var/tmp|run|var/run|dev/shm)(/.*)?")
#: What says where a backup is beside the server, by the word for that.
_ELSEWHERE = {"controller": "lago_backup_fetch_to", "s3": "lago_backup_s3_bucket"}


@rule("settings")
def bad_backup_directory(case: Case) -> Found:
    path = case.text("lago_backup_directory")
    plain, own = posixpath.normpath(path), posixpath.normpath(case.text("lago_directory"))
    if not path:
        return
    if not path.startswith("/") or plain == "/":
        yield (
            "lago_backup_directory",
            f"lago_backup_directory {shown(path)} must be the absolute path of a folder of its own, such as "
            "/var/backups/lago.",
        )
    elif _PASSING.fullmatch(plain):
        yield (
            "lago_backup_directory",
            f"lago_backup_directory {path} is emptied when the server restarts: choose a folder that stays.",
        )
    elif f"{plain}/".startswith(f"{own}/") or f"{own}/".startswith(f"{plain}/"):
        yield (
            "lago_backup_directory",
            f"lago_backup_directory {path} and the deployment's own lago_directory lie within each other: choose a "
            "folder beside it.",
        )


@rule("settings")
def bad_backup_recipient(case: Case) -> Found:
    for recipient in case.values.get("lago_backup_recipients", []):
        if _IDENTITY.match(str(recipient).strip()):
            yield (
                "lago_backup_recipients",
                "lago_backup_recipients holds an identity, which is secret and reads every backup: give its public "
                "part, which `age-keygen -y` prints, and make a new identity if others saw this one.",
            )
        elif not _RECIPIENT.fullmatch(str(recipient)):
            yield (
                "lago_backup_recipients",
                f"lago_backup_recipients holds {shown(str(recipient))}, which is no recipient of age: give a public "
                "key that begins with age1, ssh-ed25519 or ssh-rsa.",
            )


@rule("settings")
def bad_backup_identity(case: Case) -> Found:
    identity = case.text("lago_backup_identity")
    if identity and not _IDENTITY.search(identity) and "PRIVATE KEY-----" not in identity:
        yield (
            "lago_backup_identity",
            "lago_backup_identity is no identity of age: give the content of the file that age-keygen wrote, from "
            "AGE-SECRET-KEY-1 on.",
        )


@rule("settings")
def bad_fetch_to(case: Case) -> Found:
    path = case.text("lago_backup_fetch_to")
    if path and not path.startswith(("/", "~")):
        yield (
            "lago_backup_fetch_to",
            f"lago_backup_fetch_to {shown(path)} must be an absolute path of the controller, such as "
            "~/backups-of-lago.",
        )


@rule("settings")
def backup_leaves_unencrypted(case: Case) -> Found:
    if case.values.get("lago_backup_recipients") or case.values.get("lago_backup_unencrypted"):
        return
    for name in _ELSEWHERE.values():
        if case.text(name):
            yield (
                name,
                f"{name} takes backups off the server, with every secret in them, and they are encrypted to nobody: "
                "set lago_backup_recipients to a public key that age-keygen prints, or say lago_backup_unencrypted: "
                "true if others may read them.",
            )


@rule("settings")
def restored_from_nowhere(case: Case) -> Found:
    name = _ELSEWHERE.get(case.text("lago_restore_from"))
    if name and not case.text(name):
        yield name, f"Set {name}: lago_restore_from is {case.text('lago_restore_from')}, and it says where that is."


@rule("settings")
def restored_by_path(case: Case) -> Found:
    backup = case.text("lago_restore_backup")
    if case.text("lago_restore_from") in _ELSEWHERE and "/" in backup:
        yield (
            "lago_restore_backup",
            f"lago_restore_backup {shown(backup)} is a path, and lago_restore_from is "
            f"{case.text('lago_restore_from')}: give the backup's name alone.",
        )


@rule("settings")
def keys_without_bucket(case: Case) -> Found:
    for name in ("lago_backup_s3_endpoint", "lago_backup_s3_access_key_id", "lago_backup_s3_secret_access_key"):
        if not case.text("lago_backup_s3_bucket") and not blank(case.given.get(name)):
            yield name, f"{name} is given and no bucket: set lago_backup_s3_bucket, or remove it."
