# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change at any time.

"""The file that keeps what was made, and the fingerprints of everything in use."""

from __future__ import annotations

import json
import os
import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.selfhosted.lago.plugins.module_utils import _files
from ansible_collections.selfhosted.lago.plugins.module_utils._errors import LagoError

VERSION = 1
MODE = 0o600


class Kept(t.NamedTuple):
    """The content of the file.

    :param secrets: the secrets that were made, by name; given ones are not kept.
    :param fingerprints: of all values in use, by name.
    :param file_key: the key of the fingerprints.
    :param given: the names of those that were given.
    """

    secrets: dict[str, str]
    fingerprints: dict[str, str]
    file_key: str
    given: list[str]


def load(path: str) -> Kept | None:
    """Return what is kept, None when there is no file.

    :raises LagoError: C(secrets_unreadable) for a file that is not as it was written. It is never replaced.
    """
    if os.path.islink(path):
        raise LagoError(f"{path} is a symbolic link: put the file itself there.", "secrets_unreadable")
    try:
        content = _files.read(path)
    except OSError as error:
        raise LagoError(f"The secrets in {path} cannot be read: {error.strerror}.", "secrets_unreadable") from None
    if content is None:
        return None
    try:
        return _kept(json.loads(content.decode("utf-8")))
    except (ValueError, LookupError, TypeError, AttributeError):
        raise LagoError(
            f"{path} does not hold the secrets that were written to it. They are not made anew, since a database may "
            "need exactly these: put the file back from a backup.",
            "secrets_unreadable",
        ) from None


def _kept(data: dict[str, t.Any]) -> Kept:
    kept = Kept(data["secrets"], data["fingerprints"], data["file_key"], data["given"])
    texts = [kept.file_key, *kept.secrets.values(), *kept.fingerprints.values(), *kept.given]
    if data["version"] != VERSION or not kept.file_key or not all(isinstance(text, str) for text in texts):
        raise ValueError
    return kept


def as_it_shall_be(path: str, kept: Kept) -> bool:
    """Return whether the file holds exactly this, and is its owner's alone."""
    wanted = _files.Attributes(MODE, _files.user_id(None), _files.group_id(None))
    return _files.read(path) == _text(kept) and _files.attributes(path) == wanted


def save(module: AnsibleModule, path: str, kept: Kept) -> None:
    """Replace the file."""
    wanted = _files.Attributes(MODE, _files.user_id(None), _files.group_id(None))
    _files.write(module, path, _text(kept), wanted)


def _text(kept: Kept) -> bytes:
    return (json.dumps({"version": VERSION, **kept._asdict()}, indent=2, sort_keys=True) + "\n").encode("utf-8")
