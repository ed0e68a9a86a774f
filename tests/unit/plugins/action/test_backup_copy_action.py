# SPDX-License-Identifier: GPL-3.0-or-later
"""On the controller there is a whole copy under the backup's name, or none."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from ansible.errors import AnsibleActionFail
from ansible_collections.selfhosted.lago.plugins.action import backup_copy

DUMP = bytes(range(256)) * 9


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def backup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A backup of two parts, one of which is several pieces long and one exactly two."""
    monkeypatch.setattr(backup_copy, "PIECE", 1024)
    folder = tmp_path / "server" / "lago of ada's-20260101T000000Z"
    folder.mkdir(parents=True)
    (folder / "database.dump").write_bytes(DUMP)
    (folder / "queue.rdb").write_bytes(b"q" * 2048)
    parts = {name: {"file": name, "sha256": digest(folder / name)} for name in ("database.dump", "queue.rdb")}
    (folder / "manifest.json").write_text(json.dumps({"parts": parts}))
    (folder / "manifest.json.sha256").write_text(f"{digest(folder / 'manifest.json')}  manifest.json\n")
    return folder


@pytest.fixture
def copy(backup: Path, tmp_path: Path, run_action: Any) -> Any:
    def execute(_self: Any, command: str) -> dict[str, Any]:
        done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, check=False)
        # As over a terminal, which SSH gives a command that becomes another user.
        return {"rc": done.returncode, "stdout": done.stdout.replace("\n", "\r\n"), "stderr": done.stderr}

    def run(dest: str = str(tmp_path / "copies"), check_mode: bool = False) -> Any:
        action: Any = backup_copy.ActionModule
        with (
            mock.patch.object(action, "_low_level_execute_command", execute),
            mock.patch.object(action, "validate_argument_spec", lambda self, **_spec: (None, dict(self._task.args))),
            mock.patch.object(backup_copy, "_progress"),
        ):
            original = action.__init__

            def begin(self: Any, task: Any, **more: Any) -> None:
                task.check_mode = check_mode
                original(self, task=task, **more)

            with mock.patch.object(action, "__init__", begin):
                return run_action(action, {"path": f"{backup}/", "dest": dest}, {}, None)

    return run


def test_a_copy_is_whole_and_its_owner_s_alone(copy: Any, backup: Path, tmp_path: Path) -> None:
    target = tmp_path / "copies" / backup.name
    assert copy() == {"changed": True, "path": str(target)}
    assert {path.name: path.read_bytes() for path in target.iterdir()} == {
        path.name: path.read_bytes() for path in backup.iterdir()
    }
    assert {path.stat().st_mode & 0o777 for path in target.iterdir()} == {0o600}
    assert {path.stat().st_mode & 0o777 for path in (target, target.parent)} == {0o700}
    assert copy() == {"changed": False, "path": str(target)}
    assert [path.name for path in target.parent.iterdir()] == [backup.name]


def test_what_a_killed_run_left_is_done_anew(copy: Any, backup: Path, tmp_path: Path) -> None:
    (tmp_path / "copies" / f".{backup.name}.unfinished" / "left").mkdir(parents=True)
    assert copy()["changed"]
    assert [path.name for path in (tmp_path / "copies").iterdir()] == [backup.name]


def test_in_check_mode_nothing_is_copied(copy: Any, tmp_path: Path) -> None:
    assert copy(check_mode=True)["changed"]
    assert not (tmp_path / "copies").exists()


@pytest.mark.parametrize("file", ["manifest.json", "database.dump"])
def test_what_is_damaged_is_not_kept(copy: Any, backup: Path, tmp_path: Path, file: str) -> None:
    (backup / file).write_bytes(b"another content")
    with pytest.raises(AnsibleActionFail, match=f"{file} is not what its backup says"):
        copy()
    assert list((tmp_path / "copies").iterdir()) == []


def test_what_cannot_be_read_is_named(copy: Any, backup: Path, tmp_path: Path) -> None:
    (backup / "queue.rdb").unlink()
    with pytest.raises(AnsibleActionFail, match=r"queue\.rdb cannot be read on the server: 1"):
        copy()
    assert list((tmp_path / "copies").iterdir()) == []


def test_a_folder_that_cannot_be_written_is_named(copy: Any, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(AnsibleActionFail, match="lago_backup_fetch_to"):
        copy(str(tmp_path / "file" / "copies"))
