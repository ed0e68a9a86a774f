# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change at any time.

"""The file that keeps an API key: JSON, for its owner's eyes only, replaced as a whole."""

from __future__ import annotations

import json
import os
import stat
import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.selfhosted.lago.plugins.module_utils import _files
from ansible_collections.selfhosted.lago.plugins.module_utils._errors import LagoError

MODE = 0o600
FIELDS = ("api_key", "id", "name", "organization_id", "organization_name")

StoredKey = dict[str, t.Optional[str]]


def read(path: str) -> StoredKey | None:
    """Return what L(write) wrote, None when there is no file.

    :raises LagoError: C(key_file_unusable).
    """
    try:
        with open(path, encoding="utf-8") as file:
            content = json.load(file)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise LagoError(f"path {path} cannot be read: {error.strerror}.", "key_file_unusable") from None
    except ValueError:
        content = None
    if not isinstance(content, dict) or not isinstance(content.get("api_key"), str) or not content["api_key"]:
        raise LagoError(
            f"path {path} holds no API key as this collection writes it: remove the file, then the key is"
            " fetched anew.",
            "key_file_unusable",
        )
    return {field: content.get(field) for field in FIELDS}


def mode(path: str) -> str | None:
    """Return the permissions of the file, for instance C(0600), None when there is no file."""
    try:
        return f"{stat.S_IMODE(os.stat(path).st_mode):04o}"
    except FileNotFoundError:
        return None


def require_writable(path: str) -> None:
    """Refuse what could not be written before there is something that would be lost.

    :raises LagoError: C(key_file_unusable).
    """
    place = os.path.dirname(path) or "."
    if not os.access(place, os.W_OK | os.X_OK):
        raise LagoError(f"path {path} cannot be written: make {place} a writable directory.", "key_file_unusable")


def write(module: AnsibleModule, path: str, key: StoredKey) -> None:
    """Replace the file, so that there is always either the old or the new one and never a readable one.

    :raises LagoError: C(key_file_unusable).
    """
    text = json.dumps({field: key.get(field) for field in FIELDS}, indent=2, ensure_ascii=False) + "\n"
    place = os.path.abspath(path)
    before = _files.attributes(place) or _files.Attributes(0, _files.user_id(None), _files.group_id(None))
    try:
        _files.write(module, place, text.encode("utf-8"), before._replace(mode=MODE))
    except OSError as error:
        raise LagoError(f"path {path} cannot be written: {error.strerror}.", "key_file_unusable") from None


def make_private(module: AnsibleModule, path: str) -> None:
    """Take the file from everybody but its owner."""
    module.set_mode_if_different(path, MODE, False)
