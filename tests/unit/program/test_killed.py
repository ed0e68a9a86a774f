# SPDX-License-Identifier: GPL-3.0-or-later
"""Killed before any of its steps, it leaves what is there whole, and the next run comes to the end."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lago_backup import __file__ as program

from .conftest import FACTS, QUEUE, Server

OTHER = {**FACTS, "organizations": 7}
#: In the program's own process: the step of this number is not done any more.
KILLER = """
import os, sys
left = int(os.environ["KILL_BEFORE"])
steps = {"os.rename", "os.remove", "os.mkdir", "subprocess.Popen"}
def step(event, arguments):
    global left
    if event in steps:
        left -= 1
        if left == 0:
            os.kill(os.getpid(), 9)
sys.addaudithook(step)
"""


def killed(server: Server, *arguments: str) -> Iterator[int]:
    """Run the program from the present state again and again, each time killed a step later, until it is not killed."""
    path, beside = server.file("backup.json"), server.here.with_name(f"{server.here.name}-{arguments[0]}")
    path.write_text(json.dumps(server.settings))
    shutil.copytree(server.here, beside / "kept")
    (beside / "sitecustomize.py").write_text(KILLER)
    argv = [sys.executable, "-B", "-m", "lago_backup", "--settings", str(path), *arguments]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(beside), str(Path(program).parents[1])))}
    number = 1
    while True:
        environment["KILL_BEFORE"] = str(number)
        done = subprocess.run(argv, env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=False)
        if done.returncode != -signal.SIGKILL:
            assert done.returncode == 0, done.stderr
            assert number > 5
            return
        yield number
        shutil.rmtree(server.here)
        shutil.copytree(beside / "kept", server.here)
        number += 1


def test_a_backup(server: Server, run: Any) -> None:
    first = run("backup").said["name"]
    for step in killed(server, "backup"):
        whole = [one["name"] for one in run("list").said["backups"]]
        assert whole[0] == first, step
        assert [name for name in server.names() if not name.startswith(".")] == whole, step
        done = run("backup", "--label", "next")
        assert done.code == 0, done.err
        assert [name for name in server.names() if name.startswith(".")] == [], step


def restored(server: Server) -> bool:
    """Whether everything is what was backed up."""
    return (
        server.database() == FACTS
        and (server.volume("storage") / "ab" / "file").read_text() == "invoice"
        and (server.volume("queue") / "appendonlydir" / "appendonly.aof.1.base.rdb").read_bytes() == QUEUE
        and json.loads(server.file("secrets.json").read_text()) == {"fingerprints": {"secret_key_base": "f"}}
        and not server.file("restoring.json").exists()
    )


def set_aside(server: Server) -> list[str]:
    """What was there before the restore, wherever that is; and nothing else is beside it."""
    lago, before = sorted((server.here / "databases").iterdir())
    (storage,) = server.volume("storage").parent.glob("_data.*")
    (queue,) = server.volume("queue").parent.glob("_data.*")
    (secrets,) = server.directory.glob("before-*/secrets.json")
    assert lago.name == "lago" and before.name.startswith("lago_before_")
    return [path.read_text() for path in (before, storage / "ab" / "file", queue / "old", secrets)]


def test_a_restore(server: Server, run: Any) -> None:
    name = run("backup").said["name"]
    server.database(OTHER)
    (server.volume("storage") / "ab" / "file").write_text("another")
    (server.volume("queue") / "old").write_text("old jobs")
    server.file("secrets.json").write_text("{}")
    for command in ("secrets", "restore"):
        for step in killed(server, command, name):
            assert run("secrets", name).code == 0, step
            done = run("restore", name)
            assert done.code == 0, done.err
            assert restored(server), step
            assert set_aside(server) == [json.dumps(OTHER) + "\n", "another", "old jobs", "{}"], step


def test_what_comes_from_a_bucket(server: Server, run: Any) -> None:
    server.settings["s3"] = {"bucket": "backups", "prefix": "lago", "image": "getlago/api:v1.51.0", "ca": False}
    server.settings["unencrypted"] = True
    name = run("backup").said["name"]
    shutil.rmtree(server.backups)
    for step in killed(server, "obtain", name):
        assert [one["name"] for one in run("list").said["backups"]] in ([], [name]), step
        assert run("obtain", name).code == 0, step
        assert server.names() == [name], step
        assert run("check", name).code == 0, step
