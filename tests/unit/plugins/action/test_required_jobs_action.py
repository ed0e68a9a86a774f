# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs are waited for as long as something may come of them, and no longer."""

from __future__ import annotations

from typing import Any
from unittest import mock

import pytest
from ansible_collections.selfhosted.lago.plugins.action import required_jobs

LOOK = {"running": True, "exit_code": 0, "left": None, "worker": True, "said": "the last line"}


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    lines: list[str] = []
    monkeypatch.setattr(required_jobs, "Display", lambda: mock.Mock(display=lines.append))
    return lines


class Server:
    """Gives one answer after the other, and the last one for ever."""

    def __init__(self, *looks: dict[str, Any]) -> None:
        self.looks = [{**LOOK, **look} for look in looks]
        self.asked: list[str] = []

    def __call__(self, module_name: str, module_args: dict[str, Any], task_vars: Any) -> dict[str, Any]:
        self.asked.append(module_args.get("state", "looked"))
        return self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]


def run(run_action: Any, server: Server, **more: Any) -> dict[str, Any]:
    args = {"directory": "/opt/lago", "jobs": ["a:b"], "every": 0, **more}
    return dict(run_action(required_jobs.ActionModule, args, {}, server))


def test_they_are_done_when_they_end_well_and_the_database_cannot_tell(run_action: Any, shown: list[str]) -> None:
    server = Server({}, {}, {"running": False})
    assert "failed" not in run(run_action, server)
    assert server.asked == ["looked"] * 3 + ["absent"]
    assert len(shown) == 3
    assert shown[-1] == "They said last:\n\nthe last line"


def test_they_are_done_when_the_database_says_so_though_they_never_end(run_action: Any, shown: list[str]) -> None:
    result = run(run_action, Server({"left": 2}, {"left": 1}, {"left": 0}))
    assert result["changed"] and "failed" not in result
    assert [line.split(":")[1].split(",")[0] for line in shown] == [" 2 rows left", " 1 rows left"]


@pytest.mark.parametrize(
    ("looks", "says"),
    [
        ([{"running": False, "exit_code": 3}], "ended with exit code 3"),
        ([{"worker": False}], "does not run"),
        ([{"running": False, "left": 2}], "have ended, and 2 rows are still to be done"),
    ],
)
def test_they_fail(run_action: Any, shown: list[str], looks: list[dict[str, Any]], says: str) -> None:
    server = Server(*looks)
    result = run(run_action, server)
    assert result["failed"] and says in result["msg"] and "the last line" in result["msg"]
    assert server.asked[-1] == "absent"


def test_a_worker_that_is_away_for_a_moment_is_no_failure(run_action: Any, shown: list[str]) -> None:
    away = [{"worker": False}] * 4
    assert "failed" not in run(run_action, Server(*away, {}, *away, {"running": False}))


def test_what_goes_on_after_they_ended_is_waited_for(run_action: Any, shown: list[str]) -> None:
    going = [{"running": False, "left": left} for left in range(60, -1, -1)]
    assert "failed" not in run(run_action, Server(*going))


def test_what_said_nothing_is_not_quoted(run_action: Any, shown: list[str]) -> None:
    assert "failed" not in run(run_action, Server({"running": False, "said": ""}))
    assert shown == []


def test_after_the_time_limit_they_have_failed(run_action: Any, shown: list[str]) -> None:
    result = run(run_action, Server({"said": ""}), time_limit=0)
    assert result["msg"] == "The jobs a:b are not done. They were not done within 0 s."


def test_a_server_that_cannot_be_asked_is_not_asked_for_ever(run_action: Any, shown: list[str]) -> None:
    assert run(run_action, Server({"failed": True, "msg": "gone"}))["msg"] == "gone"
