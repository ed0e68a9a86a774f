# SPDX-License-Identifier: GPL-3.0-or-later
"""A backup goes to a bucket and comes back from it, whole and encrypted, or not at all."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from lago_backup import manifest

from .conftest import Server

PARTS = {"database.dump.age", "queue.rdb.age", "storage.tar.age", "proxy.tar.age", "deployment.tar.age"}


@pytest.fixture(autouse=True)
def bucket(server: Server) -> Path:
    """The folder that stands for the deployment's place in a bucket."""
    server.settings["s3"] = {"bucket": "backups", "prefix": "/lago/", "image": "getlago/api:v1.51.0", "ca": False}
    server.settings["recipients"] = ["age1ada"]
    return server.here / "s3" / "backups" / "lago"


def test_what_is_taken_is_sent_the_manifest_last(server: Server, run: Any, bucket: Path) -> None:
    done = run("backup")
    assert done.code == 0, done.err
    assert done.said["sent"] == f"s3://backups/lago/{done.said['name']}"
    assert {path.name for path in (bucket / done.said["name"]).iterdir()} == PARTS | {
        "manifest.json",
        "manifest.json.sha256",
    }
    (asked,) = (line for line in server.asked().splitlines() if "--entrypoint ruby" in line)
    assert asked.endswith("manifest.json manifest.json.sha256")
    assert f"--env-file {server.directory}/program/s3.env" in asked and "/run/lago/ca.crt" not in asked
    assert f"{done.said['path']}:/backup:ro" in asked
    assert 'require "aws-sdk-s3"' in (server.here / "script").read_text()


def test_an_authority_of_one_s_own_is_trusted_there_too(server: Server, run: Any) -> None:
    server.settings["s3"]["ca"] = True
    server.settings["s3"]["prefix"] = ""
    assert run("backup").said["sent"].startswith("s3://backups/lago-2026")
    assert f"{server.directory}/mounts/ca.crt:/run/lago/ca.crt:ro" in server.asked()


def test_the_way_back_of_an_upgrade_is_not_sent(server: Server, run: Any, bucket: Path) -> None:
    assert run("backup", "--plain", "--label", "upgrade").said["sent"] is None
    assert not bucket.exists()


def test_what_cannot_be_sent_stays_and_can_be_sent_later(server: Server, run: Any, bucket: Path) -> None:
    server.fails("s3", "no such bucket")
    done = run("backup")
    assert done.code == 1 and "no such bucket" in done.err and "is whole, and could not be sent" in done.err
    (name,) = server.names()
    (server.here / "fails" / "s3").unlink()
    assert run("send", name).said == {"path": f"s3://backups/lago/{name}"}
    assert (bucket / name / "manifest.json").exists()


def test_nothing_leaves_that_everybody_can_read(server: Server, run: Any, bucket: Path) -> None:
    server.settings["recipients"] = []
    assert "lago_backup_recipients" in run("backup").err
    assert not bucket.exists()
    server.settings["unencrypted"] = True
    assert run("backup").code == 0
    assert len(list(bucket.iterdir())) == 1


@pytest.fixture
def sent(server: Server, run: Any) -> str:
    """A backup that is in the bucket, and nowhere else any more."""
    name: str = run("backup").said["name"]
    shutil.rmtree(server.backups)
    return name


def test_it_comes_back_to_a_bare_server(server: Server, run: Any, sent: str) -> None:
    (server.backups / f".{sent}.unfinished" / "left").mkdir(parents=True)
    done = run("obtain", sent)
    assert done.said == {"path": str(server.backups / sent)}, done.err
    assert server.names() == [sent]
    assert run("check", sent, identity=b"age1ada\n").code == 0
    asked = server.asked()
    assert run("obtain", sent).said == done.said
    assert server.asked() == asked


def test_what_is_damaged_or_unknown_there_is_not_kept(server: Server, run: Any, sent: str, bucket: Path) -> None:
    (bucket / sent / "queue.rdb.age").write_text("age1ada\nanother content")
    assert "queue.rdb.age" in run("obtain", sent).err
    assert "cannot be had from the bucket" in run("obtain", "lago-20250101T000000Z").err
    assert "no name of a backup" in run("obtain", "../lago-20250101T000000Z").err
    assert server.names() == []


def test_a_manifest_that_leads_elsewhere_is_not_followed(server: Server, run: Any, sent: str, bucket: Path) -> None:
    folder = bucket / sent
    said = json.loads((folder / "manifest.json").read_text())
    said["parts"]["queue"]["file"] = "../../secret"
    manifest.save(str(folder), said)
    assert "names files that no backup has" in run("obtain", sent).err
    assert "secret" not in server.asked()


def test_where_there_is_no_room_nothing_is_had(server: Server, run: Any, sent: str, monkeypatch: Any) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 1000}))
    assert "1000 are free" in run("obtain", sent).err
    assert server.names() == []


def test_without_a_bucket_it_is_said(server: Server, run: Any) -> None:
    server.settings["s3"] = {}
    assert "lago_backup_s3_bucket" in run("send", "lago-20250101T000000Z").err
    assert "lago_backup_s3_bucket" in run("obtain", "lago-20250101T000000Z").err
    assert run("backup").said["sent"] is None
