# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything is looked at before anything is replaced; what is replaced is set aside; what was broken off goes on."""

from __future__ import annotations

import io
import json
import os
import tarfile
from pathlib import Path
from typing import Any

import pytest
from lago_backup import manifest

from .conftest import FACTS, QUEUE, Server

OTHER = {**FACTS, "organizations": 7}


@pytest.fixture
def taken(server: Server, run: Any) -> str:
    """A backup, after which everything is made another."""
    name: str = run("backup").said["name"]
    server.database(OTHER)
    (server.volume("storage") / "ab" / "file").write_text("another")
    (server.volume("queue") / "old").write_text("old jobs")
    server.file("secrets.json").write_text(json.dumps({"fingerprints": {}}))
    return name


def state(server: Server) -> Any:
    """All that must not have changed."""
    roots = (server.here / "volumes", server.directory)
    paths = sorted(path for root in roots for path in root.rglob("*") if path.is_file())
    databases = {path.name: path.read_text() for path in (server.here / "databases").iterdir()}
    return {str(path): path.read_bytes() for path in paths if path.name != "backup.json"}, databases


def test_a_backup_is_brought_back_and_what_was_there_is_set_aside(server: Server, run: Any, taken: str) -> None:
    (server.here / "running").write_text("aaa api\nbbb worker-billing\nccc front\nddd db\n")
    (server.here / "users").write_text("eee\n")
    placed = run("secrets", taken)
    aside = Path(placed.said["set_aside"][0]).parent
    assert json.loads((aside / "secrets.json").read_text()) == {"fingerprints": {}}
    assert json.loads(server.file("secrets.json").read_text()) == {"fingerprints": {"secret_key_base": "f"}}
    assert json.loads(server.file("restoring.json").read_text())["whole"] is True
    done = run("restore", taken)
    assert done.code == 0, done.err
    since = aside.name.removeprefix("before-")
    assert server.database() == FACTS
    assert server.database(name=f"lago_before_{since}") == OTHER
    assert (server.volume("storage") / "ab" / "file").read_text() == "invoice"
    assert (server.volume("proxy") / "account").read_text() == "acme"
    queue = server.volume("queue") / "appendonlydir"
    assert (queue / "appendonly.aof.1.base.rdb").read_bytes() == QUEUE
    assert (queue / "appendonly.aof.manifest").read_text() == "file appendonly.aof.1.base.rdb seq 1 type b\n"
    before = {path for path in done.said["set_aside"] if path.startswith("/")}
    assert before == {f"{server.volume(part)}.before-{since}" for part in ("storage", "proxy", "queue")}
    assert (Path(f"{server.volume('queue')}.before-{since}") / "old").exists()
    assert "stop aaa bbb eee\n" in server.asked()
    assert not server.file("restoring.json").exists()
    assert not (server.backups / ".restoring").exists()


def test_an_empty_database_is_filled_as_it_is(server: Server, run: Any, taken: str) -> None:
    server.database({**OTHER, "tables": 0})
    done = run("restore", taken, "--part", "database")
    assert done.said == {"restored": ["database"], "set_aside": []}, done.err
    assert server.database() == FACTS
    assert (server.volume("storage") / "ab" / "file").read_text() == "another"


def test_one_that_was_broken_off_goes_on_and_sets_aside_what_was_first(server: Server, run: Any, taken: str) -> None:
    run("secrets", taken)
    (server.here / "users").write_text("eee\n")
    server.fails("stop")
    assert run("restore", taken).code == 1
    assert server.database() == OTHER
    (server.here / "fails" / "stop").unlink()
    since = json.loads(server.file("restoring.json").read_text())["since"]
    # Killed between the database and the volumes, and within a volume.
    server.database(OTHER, f"lago_before_{since}")
    server.database({**FACTS, "users": 9})
    os.rename(server.volume("storage"), f"{server.volume('storage')}.before-{since}")
    os.rename(server.volume("queue"), f"{server.volume('queue')}.before-{since}")
    server.volume("queue").mkdir()
    assert run("secrets", taken).said == {"set_aside": []}
    assert run("restore", taken).code == 0
    assert server.database() == FACTS
    assert server.database(name=f"lago_before_{since}") == OTHER
    assert server.database(name="lago_discarded") is None
    assert (Path(f"{server.volume('queue')}.before-{since}") / "old").exists()
    assert (server.volume("storage") / "ab" / "file").read_text() == "invoice"


def test_a_bare_server_has_nothing_to_set_aside(server: Server, run: Any, taken: str) -> None:
    for name in ("secrets.json", "api_key.json"):
        server.file(name).unlink()
    assert run("secrets", taken).said == {"set_aside": []}
    assert server.file("secrets.json").stat().st_mode & 0o777 == 0o600


def corrupted(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


@pytest.mark.parametrize("file", ["database.dump", "queue.rdb", "storage.tar", "deployment.tar", "manifest.json"])
@pytest.mark.parametrize("damage", [corrupted, truncated, Path.unlink])
@pytest.mark.parametrize("command", ["check", "restore"])
def test_a_damaged_backup_is_refused_before_anything_is_touched(
    server: Server, run: Any, taken: str, file: str, damage: Any, command: str
) -> None:
    damage(server.backups / taken / file)
    before = state(server)
    done = run(command, taken)
    assert done.code == 1
    assert taken in done.err and (file in done.err)
    assert state(server) == before


def rewritten(folder: Path, **changed: Any) -> None:
    said = json.loads((folder / manifest.MANIFEST).read_text())
    manifest.save(str(folder), {**said, **changed})


def test_what_is_not_fit_is_refused(server: Server, run: Any, taken: str) -> None:
    folder, before = server.backups / taken, state(server)
    rewritten(folder, versions={"api": "v1.50.0"})
    assert "lago_version: v1.50.0" in run("check", taken).err
    assert run("check", taken, "--any-release").code == 0
    rewritten(folder, versions={"api": "v1.51.0"}, database={**FACTS, "major": 17})
    assert "PostgreSQL 17" in run("check", taken).err
    rewritten(folder, database=FACTS, format=2)
    assert "format 2" in run("check", taken).err
    rewritten(folder, format=1)
    (server.here / "list").write_text("nothing")
    assert "no table" in run("restore", taken).err
    said = json.loads((folder / manifest.MANIFEST).read_text())
    del said["parts"]["queue"]
    manifest.save(str(folder), said)
    assert "no part queue" in run("restore", taken, "--part", "queue").err
    assert "is no backup" in run("check", "nothing").err
    assert state(server) == before


def test_a_restored_database_that_is_another_is_not_used(server: Server, run: Any, taken: str) -> None:
    rewritten(server.backups / taken, database={**FACTS, "organizations": 5})
    assert "organizations 1 instead of 5" in run("restore", taken).err
    assert server.database() == OTHER
    assert server.database(name="lago_restored") is None


def test_an_encrypted_backup_wants_its_own_identity(server: Server, run: Any) -> None:
    server.settings["recipients"] = ["age1ada"]
    name = run("backup").said["name"]
    server.database(OTHER)
    before = state(server)
    assert "lago_backup_identity" in run("restore", name).err
    assert "no identity matched" in run("restore", name, identity=b"age1eve\n").err
    (server.here / "fails" / "list").write_text("unreadable")
    assert "unreadable" in run("check", name, identity=b"age1ada\n").err
    (server.here / "fails" / "list").unlink()
    assert state(server) == before
    assert not (server.backups / ".restoring").exists(), "nothing stays in plain"
    checked = run("check", name, identity=b"age1ada\n").said
    assert json.loads(Path(checked["secrets"]).read_text())["fingerprints"]
    assert sorted(path.name for path in (server.backups / ".restoring").iterdir()) == [
        "api_key.json",
        "deployment.tar",
        "secrets.json",
    ]
    assert run("restore", name, identity=b"age1ada\n").code == 0
    assert server.database() == FACTS
    assert "AGE" not in server.asked() and "age1ada" not in server.asked()


@pytest.mark.parametrize(("name", "kind"), [("../x", tarfile.REGTYPE), ("/x", tarfile.REGTYPE), ("x", tarfile.SYMTYPE)])
def test_nothing_leads_out_of_its_folder(server: Server, run: Any, taken: str, name: str, kind: bytes) -> None:
    folder = server.backups / taken
    with tarfile.open(folder / "storage.tar", "w") as packed:
        entry = tarfile.TarInfo(name)
        entry.type, entry.linkname = kind, "/etc"
        packed.addfile(entry, io.BytesIO())
    said = json.loads((folder / manifest.MANIFEST).read_text())
    rewritten(folder, parts={**said["parts"], **manifest.described(str(folder), {"storage": "storage.tar"})})
    assert "which no backup has" in run("restore", taken, "--part", "storage").err
    assert (server.volume("storage") / "ab" / "file").read_text() == "another"


def test_a_volume_that_is_missing_is_named(server: Server, run: Any, taken: str) -> None:
    server.settings["volumes"]["storage"] = "lago_none"
    assert "no volume lago_none" in run("restore", taken).err


def test_a_volume_is_labelled_where_that_matters(
    server: Server, run: Any, taken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    exists = os.path.exists
    monkeypatch.setattr("os.path.exists", lambda path: path == "/sys/fs/selinux/enforce" or exists(path))
    (server.here / "bin" / "chcon").write_text('#!/bin/sh\necho "chcon $*" >> "$HERE/log"\n')
    (server.here / "bin" / "chcon").chmod(0o755)
    assert run("restore", taken, "--part", "proxy").code == 0
    place = server.volume("proxy")
    assert f"chcon --reference {place} {place}.restored\n" in server.asked()


@pytest.fixture
def external(server: Server, taken: str) -> str:
    """The backup, where database and queue are now the operator's own."""
    client = ["docker", "run", "--rm", "--interactive", "--env-file", "/opt/lago/program/postgres.env", "pg:15"]
    server.settings["postgres"].update(client=client, external=True)
    server.settings["redis"] = {}
    del server.settings["volumes"]["queue"]
    return taken


def test_a_server_of_one_s_own_is_asked_before_anything_is_replaced(server: Server, run: Any, external: str) -> None:
    before = state(server)
    done = run("restore", external)
    assert done.code == 1 and 'ALTER ROLE "lago" CREATEDB' in done.err
    server.database({**OTHER, "major": 14})
    assert "your own server is PostgreSQL 14" in run("check", external).err
    server.database(OTHER)
    server.fails("psql", "no pg_hba.conf entry")
    assert "no pg_hba.conf entry" in run("check", external).err
    assert state(server) == before


@pytest.mark.parametrize(("found", "createdb"), [(OTHER, "t"), ({**OTHER, "tables": 0}, "f")])
def test_a_database_of_one_s_own_comes_back(
    server: Server, run: Any, external: str, found: dict[str, Any], createdb: str
) -> None:
    """Beside what is there, or into an empty one, for which no right is needed."""
    (server.here / "createdb").write_text(createdb)
    server.database(found)
    assert run("check", external).said["left"] == ["queue"]
    done = run("restore", external)
    assert done.said["restored"] == ["database", "deployment", "proxy", "storage"], done.err
    assert server.database() == FACTS
    assert any(one.startswith("lago_before_") for one in done.said["set_aside"]) is bool(found["tables"])
    assert (server.volume("storage") / "ab" / "file").read_text() == "invoice"
