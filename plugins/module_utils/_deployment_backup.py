# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module util is PRIVATE to the collection: it may change at any time.

"""The last whole backup of a deployment, by the manifests on its server; the program of role C(stack) writes them."""

from __future__ import annotations

import calendar
import json
import os
import time
import typing as t


def last(directory: str, project: str) -> dict[str, t.Any] | None:
    """Return the last backup of a project all parts of which are there: C(name), C(age) in seconds, C(encrypted).

    :param directory: folder of the backups.
    """
    names = os.listdir(directory) if os.path.isdir(directory) else []
    found = (_whole(os.path.join(directory, name)) for name in names if not name.startswith("."))
    whole = [manifest for manifest in found if manifest and manifest["project"] == project]
    if not whole:
        return None
    newest = max(whole, key=lambda manifest: str(manifest["created"]))
    taken = calendar.timegm(time.strptime(newest["created"], "%Y%m%dT%H%M%SZ"))
    return {"name": newest["name"], "age": int(time.time() - taken), "encrypted": bool(newest["recipients"])}


def _whole(folder: str) -> dict[str, t.Any] | None:
    try:
        with open(os.path.join(folder, "manifest.json"), encoding="utf-8") as file:
            manifest = json.load(file)
        sizes = {part["file"]: part["bytes"] for part in manifest["parts"].values()}
        complete = all(os.path.getsize(os.path.join(folder, name)) == size for name, size in sizes.items())
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return None
    return t.cast("dict[str, t.Any]", manifest) if complete else None
