# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
from unittest import mock

import pytest
from ansible_collections.selfhosted.lago.plugins.action.certificate import ActionModule
from ansible_collections.selfhosted.lago.plugins.module_utils import _certificate

DONE = {"changed": True, "obtained": ["a.example.com"], "invocation": {}}


@pytest.fixture
def order(run_action: t.Any, monkeypatch: pytest.MonkeyPatch) -> t.Any:
    """Return the action's result and what the module was given."""
    monkeypatch.setattr(_certificate, "fetch", lambda name: f"answer of {name}")

    def run(directory: str, **more: t.Any) -> tuple[dict[str, t.Any], dict[str, t.Any]]:
        module = mock.Mock(return_value=dict(DONE))
        args = {"container": "c", "names": ["a.example.com"], "config": f"dir {directory}", **more}
        result = run_action(ActionModule, args, {}, module)
        return result, module.call_args.kwargs["module_args"]

    return run


def test_the_controller_asks_before_the_server_does(order: t.Any) -> None:
    result, given = order("https://ca.example.com/dir")
    assert result == {"changed": True, "obtained": ["a.example.com"]}
    assert given["seen"] == {"a.example.com": "answer of a.example.com"}


def test_nobody_asks_for_the_proxy_s_own(order: t.Any) -> None:
    _result, given = order("none", own=True)
    assert given["seen"] == {}


def test_certificates_that_nobody_trusts_are_warned_of(order: t.Any) -> None:
    result, _given = order("https://acme-staging-v02.api.letsencrypt.org/directory")
    assert "no browser" in result["warnings"][0]
