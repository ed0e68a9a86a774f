# SPDX-License-Identifier: GPL-3.0-or-later
"""The first action of a run, which imports the filters once for all."""

from __future__ import annotations

from typing import Any
from unittest import mock

from ansible_collections.selfhosted.lago.plugins.action import server_info

from project import ROOT


def test_the_result_is_the_modules_own(run_action: Any) -> None:
    module = mock.Mock(return_value={"changed": False, "server": {}})
    assert run_action(server_info.ActionModule, {"directory": "/opt/lago"}, {}, module)["server"] == {}
    assert module.call_count == 1


def test_every_filter_is_imported_with_it() -> None:
    there = {path.stem for path in (ROOT / "plugins" / "filter").glob("*.py")}
    assert there - set(vars(server_info)) == set()
