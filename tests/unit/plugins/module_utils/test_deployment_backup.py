# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import time
from pathlib import Path

from ansible_collections.selfhosted.lago.plugins.module_utils import _deployment_backup


def backup(place: Path, name: str, created: str, project: str = "lago", size: int = 4) -> Path:
    (place / name).mkdir(parents=True)
    (place / name / "queue.rdb").write_text("jobs")
    parts = {"queue": {"file": "queue.rdb", "bytes": size}}
    manifest = {"name": name, "created": created, "project": project, "recipients": [], "parts": parts}
    (place / name / "manifest.json").write_text(json.dumps(manifest))
    return place / name


def test_the_last_one_that_is_whole_and_ours(tmp_path: Path) -> None:
    assert _deployment_backup.last(str(tmp_path / "none"), "lago") is None
    hour = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(time.time() - 3600))
    backup(tmp_path, "lago-1", "20260101T000000Z")
    backup(tmp_path, "lago-2", hour)
    backup(tmp_path, "lago-3", "20990101T000000Z", size=5)
    backup(tmp_path, "other-1", "20990101T000000Z", project="other")
    backup(tmp_path, ".lago-4.unfinished", "20990101T000000Z")
    (backup(tmp_path, "lago-5", "20990101T000000Z") / "queue.rdb").unlink()
    (backup(tmp_path, "lago-6", "20990101T000000Z") / "manifest.json").write_text("[]")
    found = _deployment_backup.last(str(tmp_path), "lago")
    assert found is not None
    assert (found["name"], found["encrypted"]) == ("lago-2", False)
    assert 3600 <= found["age"] < 3660
