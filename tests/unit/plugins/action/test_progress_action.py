# SPDX-License-Identifier: GPL-3.0-or-later
"""A module that takes long is known to work on."""

from __future__ import annotations

import time
from typing import Any
from unittest import mock

import pytest
from ansible_collections.selfhosted.lago.plugins.action import progress
from ansible_collections.selfhosted.lago.plugins.plugin_utils import _progress


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    lines: list[str] = []
    monkeypatch.setattr(_progress, "Display", lambda: mock.Mock(display=lines.append))
    return lines


def run(run_action: Any, module: Any, every: float) -> dict[str, Any]:
    args = {"module": "ansible.builtin.command", "options": {"argv": ["true"]}}
    validated = (None, {**args, "every": every})
    with mock.patch.object(progress.ActionModule, "validate_argument_spec", return_value=validated):
        return dict(run_action(progress.ActionModule, args, {"inventory_hostname": "billing"}, module))


def test_the_result_is_the_modules_own(run_action: Any, shown: list[str]) -> None:
    module = mock.Mock(return_value={"changed": True, "rc": 0})
    assert run(run_action, module, 10) == {"changed": True, "rc": 0}
    assert module.call_args.kwargs["module_name"] == "ansible.builtin.command"
    assert module.call_args.kwargs["module_args"] == {"argv": ["true"]}
    assert shown == []


def slow(**_args: Any) -> dict[str, Any]:
    time.sleep(0.35)
    return {}


def test_while_it_works_it_is_said_again_and_again_and_no_longer(run_action: Any, shown: list[str]) -> None:
    run(run_action, mock.Mock(side_effect=slow), 0.1)
    told = len(shown)
    assert told >= 2
    assert shown[0].startswith("... billing: ")
    time.sleep(0.15)
    assert len(shown) == told


def test_a_failure_ends_it_too(run_action: Any, shown: list[str]) -> None:
    with pytest.raises(RuntimeError):
        run(run_action, mock.Mock(side_effect=RuntimeError), 0.05)
    time.sleep(0.1)
    assert shown == []
