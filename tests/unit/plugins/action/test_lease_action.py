# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import typing as t
from unittest import mock

import pytest
from ansible_collections.selfhosted.lago.plugins.action.lease import ActionModule
from ansible_collections.selfhosted.lago.plugins.plugin_utils import _process

HELD = {
    "failed": True,
    "failure": {"code": "lease_held", "details": {"holder": {"token": "t1", "pid": 5}}},
    "msg": "held",
}
TAKEN = {"changed": False, "lease": {"token": "t2"}, "taken_over": True, "invocation": {}}


@pytest.fixture
def ask(run_action: t.Any) -> t.Any:
    """Return the action's result and the arguments of each start of the module."""

    def run(*answers: dict[str, t.Any], ended: bool = False) -> tuple[dict[str, t.Any], list[dict[str, t.Any]]]:
        module = mock.Mock(side_effect=answers)
        with mock.patch.object(_process, "has_ended", return_value=ended):
            result = run_action(ActionModule, {"path": "/opt/lago/lease.json"}, {}, module)
        assert [call.args for call in module.call_args_list] == [("selfhosted.lago.lease",)] * module.call_count
        return result, [call.kwargs["module_args"] for call in module.call_args_list]

    return run


def test_one_start_that_says_who_asks(ask: t.Any) -> None:
    result, starts = ask(TAKEN)
    assert result == {"changed": False, "lease": {"token": "t2"}, "taken_over": True}
    assert starts == [{"path": "/opt/lago/lease.json", "holder": _process.holder(os.getppid())}]


def test_another_run_that_lives_is_left_alone(ask: t.Any) -> None:
    result, starts = ask(HELD)
    assert result == HELD
    assert len(starts) == 1


def test_one_that_has_ended_is_taken_over_by_its_token(ask: t.Any) -> None:
    result, starts = ask(HELD, TAKEN, ended=True)
    assert result["taken_over"]
    assert [start.get("ended") for start in starts] == [None, "t1"]


def test_somebody_was_faster(ask: t.Any) -> None:
    result, starts = ask(HELD, HELD, ended=True)
    assert result == HELD
    assert len(starts) == 2


def test_another_failure_is_handed_on(ask: t.Any) -> None:
    failure = {"failed": True, "msg": "unreachable"}
    assert ask(failure) == (failure, [mock.ANY])
