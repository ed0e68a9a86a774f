# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import getpass
import os
import socket
import subprocess
import sys
import typing as t
from pathlib import Path
from unittest import mock

import pytest
from ansible_collections.selfhosted.lago.plugins.plugin_utils import _process

ME = os.getpid()


@pytest.fixture
def ended() -> dict[str, t.Any]:
    """What was known of a process that is no more."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        known = _process.holder(child.pid)
        assert not _process.has_ended(known), "it still runs"
        child.communicate(b"\n")
    return known


def test_names_this_process() -> None:
    holder = _process.holder(ME)
    assert holder["pid"] == ME
    assert holder["owner"] == f"{getpass.getuser()}@{socket.gethostname()}"
    assert isinstance(holder["process_start"], int)
    machine_id = _process.MACHINE_ID
    assert not machine_id.exists() or machine_id.read_text().strip() not in str(holder)


def test_one_that_runs_has_not_ended() -> None:
    assert not _process.has_ended(_process.holder(ME))


def test_one_that_is_no_more_has_ended(ended: dict[str, t.Any]) -> None:
    assert _process.has_ended(ended)


def test_one_that_nobody_waited_for_has_ended() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        known = _process.holder(child.pid)
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert Path(f"/proc/{child.pid}/stat").exists()
        assert _process.has_ended(known)


def test_an_id_used_again_is_not_the_same_process() -> None:
    holder = _process.holder(ME)
    assert _process.has_ended({**holder, "process_start": holder["process_start"] - 1})


@pytest.mark.parametrize(
    "other",
    [{"machine": "other"}, {"pid_namespace": "pid:[1]"}, {"pid": None}, {"process_start": None}, {"machine": None}],
)
def test_whoever_may_live_elsewhere_has_not_ended(ended: dict[str, t.Any], other: dict[str, t.Any]) -> None:
    assert not _process.has_ended({**ended, **other})


def test_nothing_is_known_of_an_empty_lease() -> None:
    assert not _process.has_ended({})


def test_a_restart_ended_everything_but_only_where_no_container_is() -> None:
    namespace = _process._FIRST_NAMESPACE
    known = {**_process.holder(ME), "boot_id": "before", "pid_namespace": namespace}
    with mock.patch.object(_process, "pid_namespace", return_value=namespace):
        assert _process.has_ended(known)
        assert not _process.has_ended({**known, "boot_id": None})
    with mock.patch.object(_process, "pid_namespace", return_value="pid:[7]"):
        assert not _process.has_ended({**known, "pid_namespace": "pid:[7]"})


def test_a_controller_without_proc_never_says_that_one_has_ended(ended: dict[str, t.Any], tmp_path: Path) -> None:
    with mock.patch.object(_process, "PROC", tmp_path):
        holder = _process.holder(ME)
        assert (holder["boot_id"], holder["pid_namespace"], holder["process_start"]) == (None, None, None)
        assert not _process.has_ended(ended)


def test_a_program_may_have_any_name(tmp_path: Path) -> None:
    (tmp_path / "7").mkdir()
    fields = " ".join(["S", *(str(number) for number in range(4, 53))])
    (tmp_path / "7" / "stat").write_text(f"7 (a) Z (b) {fields}\n")
    with mock.patch.object(_process, "PROC", tmp_path):
        assert _process.process_start(7) == 22


def test_a_user_without_a_name() -> None:
    with mock.patch.object(getpass, "getuser", side_effect=KeyError):
        assert _process.holder(ME)["owner"].startswith(f"{os.getuid()}@")
