# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import multiprocessing
import os
import stat
import subprocess
import sys
import threading
import time
import typing as t
from pathlib import Path
from unittest import mock

import pytest
from ansible_collections.selfhosted.lago.plugins.module_utils import _lease, _left_behind
from ansible_collections.selfhosted.lago.plugins.module_utils._errors import LagoError

US = {"owner": "ada@laptop", "machine": "m1", "boot_id": "b1", "pid_namespace": "n1", "pid": 10, "process_start": 100}
THEM = {**US, "owner": "bob@desk", "machine": "m2"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lago" / "lease.json"


@pytest.fixture
def lease(run_module: t.Any, path: Path) -> t.Any:
    def run(holder: dict[str, t.Any] = US, state: str = "held", check: bool = False, **options: t.Any) -> t.Any:
        ran = run_module("lease", {"path": str(path), "state": state, "holder": holder, **options}, check=check)
        assert not ran.get("changed"), "a lease is no state of the system"
        return ran

    return run


def test_is_taken_and_given_back(lease: t.Any, path: Path) -> None:
    ran = lease(ttl=60)
    kept = json.loads(path.read_text())
    assert ran["lease"] == kept
    assert kept["owner"] == "ada@laptop"
    assert 55 < kept["expires"] - time.time() <= 60
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert lease(state="released")["released"]
    assert list(path.parent.iterdir()) == []


def test_tells_when_another_run_was_there(lease: t.Any, path: Path) -> None:
    """So that what was read before it was taken is known to be true still, or not."""
    assert lease(check=True)["touched"] is None
    assert lease()["touched"] is None
    lease(state="released")
    read = path.parent.stat().st_mtime_ns
    assert lease(check=True)["touched"] == lease()["touched"] == read
    lease(state="released")
    lease(THEM)
    lease(THEM, state="released")
    assert lease()["touched"] > read


def test_is_refused_to_another_run_and_says_who_holds_it(lease: t.Any, path: Path) -> None:
    lease()
    before = path.read_text()
    ran = lease(THEM)
    assert ran["failure"]["code"] == "lease_held"
    assert ran["failure"]["details"]["holder"]["owner"] == "ada@laptop"
    assert "ada@laptop, process 10" in ran["msg"]
    assert "(0 minutes)" in ran["msg"]
    assert f"remove {path}" in ran["msg"]
    assert path.read_text() == before


@pytest.mark.parametrize("name", _lease.IDENTITY)
def test_every_part_of_the_identity_counts(lease: t.Any, name: str) -> None:
    lease()
    assert lease({**US, name: 99})["failure"]["code"] == "lease_held"


def test_is_renewed_by_the_same_run(lease: t.Any) -> None:
    first = lease(ttl=60)["lease"]
    second = lease(ttl=600)["lease"]
    assert (second["token"], second["acquired"]) == (first["token"], first["acquired"])
    assert second["expires"] > first["expires"] + 500


def test_tells_its_age(lease: t.Any) -> None:
    with mock.patch.object(_lease.time, "time", return_value=time.time() - 25 * 60):
        lease()
    assert "(25 minutes)" in lease(THEM)["msg"]


def test_is_taken_over_when_it_has_ended_by_time(lease: t.Any) -> None:
    with mock.patch.object(_lease.time, "time", return_value=time.time() - 100):
        first = lease(ttl=60)["lease"]
    second = lease(THEM)["lease"]
    assert second["owner"] == "bob@desk"
    assert second["token"] != first["token"]


def test_is_taken_over_by_its_token_only(lease: t.Any) -> None:
    first = lease()["lease"]
    assert lease(THEM, ended="of another lease")["failure"]["code"] == "lease_held"
    assert lease(THEM, ended=first["token"])["lease"]["owner"] == "bob@desk"
    assert lease({**US, "pid": 11}, ended=first["token"])["failure"]["code"] == "lease_held", "somebody was faster"


def test_tells_whether_it_was_another_runs(lease: t.Any) -> None:
    first = lease()
    assert (first["taken_over"], lease()["taken_over"]) == (False, False)
    assert lease(THEM, ended=first["lease"]["token"])["taken_over"]


def _working(path: Path, seconds: float) -> subprocess.Popen[bytes]:
    """Start what a module of a killed run would still be doing."""
    environment = {**os.environ, _left_behind.VARIABLE: str(path)}
    return subprocess.Popen(["sleep", str(seconds)], env=environment)


def test_what_an_ended_run_left_working_is_waited_for(lease: t.Any, path: Path) -> None:
    process = _working(path, 0.7)
    began = time.monotonic()
    reaper = threading.Thread(target=process.wait)
    reaper.start()
    assert lease()["waited"] == 1
    assert time.monotonic() - began > 0.6
    reaper.join()


def test_work_on_another_deployment_is_not(lease: t.Any, path: Path) -> None:
    process = _working(path.parent / "another.json", 60)
    try:
        assert lease()["waited"] == 0
    finally:
        process.kill()
        process.wait()


def test_work_that_does_not_end_is_named_and_the_lease_given_back(lease: t.Any, path: Path) -> None:
    process = _working(path, 60)
    try:
        ran = lease(settle=0)
        assert ran["failure"]["code"] == "work_left"
        assert f"sleep ({process.pid})" in ran["msg"]
        assert ran["failure"]["details"]["processes"] == [{"pid": process.pid, "name": "sleep"}]
        assert not path.exists()
        assert lease(settle=0, check=True)["waited"] == 0, "check mode changes nothing, so it need not wait"
    finally:
        process.kill()
        process.wait()


def test_a_run_that_holds_it_does_not_wait_for_itself(lease: t.Any, path: Path) -> None:
    with mock.patch.dict(os.environ, {_left_behind.VARIABLE: str(path)}):
        lease()
    process = _working(path, 60)
    try:
        assert lease(settle=0)["waited"] == 0
    finally:
        process.kill()
        process.wait()


def test_its_own_family_is_no_work_left(path: Path) -> None:
    program = (
        "import sys; sys.path[:0] = sys.argv[2:]\n"
        "from ansible_collections.selfhosted.lago.plugins.module_utils import _left_behind\n"
        "print(_left_behind.working(sys.argv[1]))"
    )
    environment = {**os.environ, _left_behind.VARIABLE: str(path)}
    command = ["sh", "-c", '"$@"; true', "sh", sys.executable, "-c", program, str(path), *sys.path]
    assert subprocess.check_output(command, env=environment, text=True).strip() == "{}"


def test_half_a_file_of_an_ended_run_is_removed_and_nothing_else(lease: t.Any, path: Path) -> None:
    (path.parent / "env").mkdir(parents=True)
    half = [path.parent / ".secrets.json.lago-new", path.parent / "env" / ".db.env.lago-new"]
    kept = [path.parent / ".hidden", path.parent / "env" / "db.env.lago-new"]
    for file in half + kept:
        file.write_text("x")
    lease()
    assert [file.exists() for file in half + kept] == [False, False, True, True]


def test_a_lease_of_another_run_is_not_given_back(lease: t.Any, path: Path) -> None:
    lease()
    assert not lease(THEM, state="released")["released"]
    assert path.exists()


def test_nothing_to_give_back(lease: t.Any, path: Path) -> None:
    assert not lease(state="released")["released"]
    assert not path.parent.exists()


def test_check_mode_refuses_likewise_and_writes_nothing(lease: t.Any, path: Path) -> None:
    assert lease(check=True)["lease"]["owner"] == "ada@laptop"
    assert not path.parent.exists()
    lease()
    before = path.read_text()
    assert lease(THEM, check=True)["failure"]["code"] == "lease_held"
    assert lease(state="released", check=True)["released"]
    assert path.read_text() == before


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"token": "x", "acquired": "soon", "expires": 1}'])
def test_one_that_cannot_be_read_is_never_replaced(lease: t.Any, path: Path, content: str) -> None:
    path.parent.mkdir()
    path.write_text(content)
    ran = lease()
    assert ran["failure"]["code"] == "lease_unreadable"
    assert f"{path}" in ran["msg"]
    assert path.read_text() == content


def _race(path: str, pid: int, start: t.Any, results: t.Any) -> None:
    module = mock.Mock(
        check_mode=False,
        params={
            "path": path,
            "state": "held",
            "ttl": 60,
            "settle": 5,
            "holder": {**US, "pid": pid},
            "ended": None,
        },
    )
    module.selinux_enabled.return_value = False
    start.wait()
    try:
        results.put(_lease.lease(module)["lease"]["pid"])
    except LagoError as error:
        results.put(error.code)


def test_of_many_at_once_one_gets_it(path: Path) -> None:
    context = multiprocessing.get_context("fork")
    start, results = context.Event(), context.Queue()
    racers = [context.Process(target=_race, args=(str(path), pid, start, results)) for pid in range(8)]
    for racer in racers:
        racer.start()
    start.set()
    told = [results.get(timeout=30) for dummy in racers]
    for racer in racers:
        racer.join()
    winners = [pid for pid in told if pid != "lease_held"]
    assert len(winners) == 1
    assert json.loads(path.read_text())["pid"] == winners[0]
