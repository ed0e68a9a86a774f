# SPDX-License-Identifier: GPL-3.0-or-later
"""A backup is whole under its name, or not there at all."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import runpy
import stat
import sys
import tarfile
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest
from lago_backup import archive, database, manifest, take, tools

from .conftest import FACTS, QUEUE, Server, sha256sum

NOW = take.now  # the fixture puts another in its place


def modes(path: Path) -> set[int]:
    return {stat.S_IMODE(one.stat().st_mode) for one in path.iterdir()}


def test_a_backup_has_every_part_and_says_what_it_is(server: Server, run: Any) -> None:
    (server.directory / "before-20250101t000000z").mkdir()
    server.file("lease.json").write_text("{}")
    done = run("backup")
    assert done.code == 0, done.err
    folder = server.backups / "lago-20260101T000000Z"
    assert done.said["path"] == str(folder)
    parts = {"database.dump", "queue.rdb", "storage.tar", "proxy.tar", "deployment.tar"}
    assert {path.name for path in folder.iterdir()} == parts | {"manifest.json", "manifest.json.sha256"}
    said = json.loads((folder / "manifest.json").read_text())
    assert said == done.said["manifest"]
    assert said["database"] == FACTS
    assert said["versions"] == {"api": "v1.51.0", "front": "v1.51.0"}
    assert said["fingerprints"] == {"secret_key_base": "f"}
    assert (folder / "queue.rdb").read_bytes() == QUEUE
    assert sha256sum(folder / "manifest.json.sha256") == 0
    assert modes(folder) == {0o600} and stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(server.backups.stat().st_mode) == 0o700
    with tarfile.open(folder / "deployment.tar") as packed:
        assert sorted(packed.getnames()) == [".", "api_key.json", "backup.json", "secrets.json"]
    assert "--snapshot=00000003-1" in server.asked()


@pytest.mark.parametrize("what", ["psql", "dump", "list", "version"])
def test_what_fails_leaves_nothing_and_is_told(server: Server, run: Any, what: str) -> None:
    server.fails(what, "pg says: no")
    done = run("backup")
    assert done.code == 1
    assert "pg says: no" in done.err
    assert server.names() == []


def test_a_session_that_breaks_off_is_told(server: Server) -> None:
    server.fails("psql", "the server is\nstarting up")
    with (
        pytest.raises(tools.Refused, match="the server is starting up"),
        database.moment(tools.Settings(**server.settings)),
    ):
        raise AssertionError


@pytest.mark.parametrize(
    ("file", "content", "says"),
    [
        ("list", "; an empty dump\n", "holds no table"),
        ("queue", "-NOAUTH", "something else than all of its data"),
        ("queue", "REDIS0011 but not to its end, for which there is no sign of it", "something else than all"),
        ("queue", "", "something else"),
        ("client", "14.1", "lago_postgres_image"),
        ("client", "of our own", "tells no version"),
    ],
)
def test_what_is_not_as_it_should_be_is_not_kept(server: Server, run: Any, file: str, content: str, says: str) -> None:
    (server.here / file).write_text(content)
    done = run("backup")
    assert done.code == 1 and says in done.err
    assert server.names() == []


def test_a_queue_of_known_length_has_no_mark_after_it(server: Server, run: Any) -> None:
    (server.here / "queue").write_bytes(QUEUE)
    assert (Path(run("backup").said["path"]) / "queue.rdb").read_bytes() == QUEUE


def test_without_a_deployment_there_is_nothing_to_back_up(server: Server, run: Any) -> None:
    server.file("secrets.json").unlink()
    assert "no secrets.json" in run("backup").err
    assert server.names() == []


def test_half_a_restore_is_not_backed_up(server: Server, run: Any) -> None:
    server.file("restoring.json").write_text("{}")
    assert "finish it first" in run("backup", "--scheduled").err
    assert not server.backups.exists()


def test_an_external_queue_and_a_missing_volume_are_left_out(server: Server, run: Any) -> None:
    server.settings["redis"] = {}
    server.settings["volumes"] = {"proxy": "lago_gone"}
    assert set(run("backup").said["manifest"]["parts"]) == {"database", "deployment"}


def test_a_recipient_is_the_only_one_who_can_read_it(server: Server, run: Any) -> None:
    server.settings["recipients"] = ["age1ada"]
    said = run("backup").said
    folder = Path(said["path"])
    assert {path.name for path in folder.iterdir() if path.suffix != ".age"} == {
        "manifest.json",
        "manifest.json.sha256",
    }
    assert all(path.read_bytes().startswith(b"age1ada\n") for path in folder.glob("*.age"))
    assert said["manifest"]["parts"]["database"]["file"] == "database.dump.age"
    assert run("backup", "--plain").said["manifest"]["recipients"] == []


def test_without_age_nothing_is_begun(server: Server, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    server.settings["recipients"] = ["age1ada"]
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert "install its package" in run("backup").err
    assert not server.backups.exists()


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(tools.Refused, match="there is no no-such-program"):
        tools.run("It cannot be done", ["no-such-program"])


def test_a_full_disk_is_seen_before(server: Server, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    need = run("need").said
    assert need["need"] >= FACTS["bytes"] and need["free"] > 0
    assert need["directory"] == str(server.backups)
    # On one file system, where the way back has to fit in beside the backup.
    assert need["back"]["need"] > need["need"] + 3 * FACTS["bytes"] and need["back"]["free"] > 0
    server.settings["recipients"] = ["age1ada"]
    assert run("need").said["need"] > need["need"]
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=1000))
    done = run("backup")
    assert done.code == 1 and "1000 are free" in done.err
    assert server.names() == []


def test_a_disk_that_is_full_meanwhile_is_told_and_nothing_is_left(
    server: Server, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "pack", mock.Mock(side_effect=OSError(errno.ENOSPC, "No space left on device")))
    done = run("backup")
    assert done.code == 1 and f"There is no room left in {server.backups}: the backup is not kept." in done.err
    assert server.names() == [] and os.listdir(server.backups) == []


def test_each_label_keeps_its_own_number_and_what_is_damaged_does_not_count(server: Server, run: Any) -> None:
    first = run("backup", "--label", "upgrade").said["name"]
    names = [run("backup").said["name"] for _ in range(3)]
    assert server.names() == sorted([first, *names[1:]])
    (server.backups / names[1] / "queue.rdb").unlink()
    (server.backups / names[2] / "queue.rdb").write_text("longer than it was")
    (server.backups / "lago-20250101T000000Z").mkdir()
    server.settings["keep"] = 0
    last = run("backup").said
    assert last["removed"] == []
    assert [one["name"] for one in run("list").said["backups"]] == [first, last["name"]]
    assert (server.backups / names[1]).exists()


def test_nothing_is_listed_where_nothing_is(server: Server, run: Any) -> None:
    assert run("list").said == {"backups": []}
    assert manifest.label_of("something") == ""


def test_what_a_killed_one_left_is_cleared_and_its_name_is_free(server: Server, run: Any) -> None:
    left = server.backups / ".lago-20250101T000000Z.unfinished"
    left.mkdir(parents=True)
    run("backup")
    assert not left.exists()


def test_no_name_is_used_twice(server: Server, run: Any) -> None:
    (server.backups / "lago-20260101T000000Z").mkdir(parents=True)
    assert "there already" in run("backup").err


def test_one_at_a_time(server: Server, run: Any) -> None:
    server.backups.mkdir()
    descriptor = os.open(server.backups, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    assert "wait until it ends" in run("backup").err
    os.close(descriptor)
    assert run("backup").code == 0


@pytest.mark.parametrize(("expires", "code"), [(time.time() + 1000, 75), (time.time() - 1, 0), ("soon", 0)])
def test_the_timer_waits_for_a_run_of_ansible(server: Server, run: Any, expires: Any, code: int) -> None:
    server.file("lease.json").write_text(json.dumps({"expires": expires}))
    assert run("backup", "--scheduled").code == code
    assert run("backup").code == 0


def test_without_a_lease_the_timer_works(server: Server, run: Any) -> None:
    assert run("backup", "--scheduled").code == 0


def test_a_rehearsal_restores_compares_and_removes(server: Server, run: Any) -> None:
    server.settings["rehearse"] = True
    assert run("backup").code == 0
    assert server.database(name="lago_rehearsal") is None
    assert "CREATE" not in server.asked() and "pg_restore --username lago --dbname lago_rehearsal" in server.asked()
    server.fails("fill", "no such type")
    done = run("backup")
    assert done.code == 1 and "no such type" in done.err
    assert len(server.names()) == 1


def test_settings_that_are_not_there_are_named(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    from lago_backup import __main__ as program

    assert program.main(["--settings", str(server.here / "none.json"), "list"]) == 1
    assert "none.json" in capsys.readouterr().err


def test_only_files_and_folders_are_packed_and_what_vanishes_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "source"
    (source / "a").mkdir(parents=True)
    for name in ("one", "two", "gone"):
        (source / "a" / name).write_text(name)
    (source / "link").symlink_to("a")
    (source / "pointer").symlink_to("a/one")
    os.mkfifo(source / "pipe")
    add = archive._add
    monkeypatch.setattr(archive, "_add", lambda packed, path, name: add(packed, path.replace("gone", "away"), name))
    archive.pack(str(source), str(tmp_path / "it.tar"))
    target = tmp_path / "target"
    archive.unpack(str(tmp_path / "it.tar"), str(target))
    assert sorted(str(path.relative_to(target)) for path in target.rglob("*")) == ["a", "a/one", "a/two"]


def test_sizes_count_what_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "one").write_text("four")
    monkeypatch.setattr("os.walk", lambda path: [(str(tmp_path), [], ["one", "gone"])])
    assert tools.size_of(str(tmp_path)) == 4


def test_it_runs_as_a_program(server: Server, run: Any, capsys: pytest.CaptureFixture[str], monkeypatch: Any) -> None:
    run("need")
    monkeypatch.delitem(sys.modules, "lago_backup.__main__")
    monkeypatch.setattr("sys.argv", ["lago_backup", "--settings", str(server.file("backup.json")), "list"])
    with pytest.raises(SystemExit, match="0"):
        runpy.run_module("lago_backup", run_name="__main__")
    assert json.loads(capsys.readouterr().out) == {"backups": []}


def test_the_time_stands_in_names_as_everywhere() -> None:
    assert manifest.label_of(f"lago-{NOW()}-upgrade") == "upgrade"
