# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import io
import json
import typing as t
from unittest import mock

import pytest
from ansible.module_utils.basic import AnsibleModule
from ansible_collections.selfhosted.lago.plugins.module_utils import _resource
from ansible_collections.selfhosted.lago.plugins.module_utils._errors import LagoError

CANARY = "canary-4711"

Function = t.Callable[[AnsibleModule], dict[str, t.Any]]
End = t.Callable[[Function], tuple[dict[str, t.Any], str]]


@pytest.fixture
def end(module_args: t.Any) -> End:
    def run(function: Function) -> tuple[dict[str, t.Any], str]:
        output = io.StringIO()
        with module_args({"password": CANARY}), mock.patch("sys.stdout", output), pytest.raises(SystemExit):
            _resource.run(AnsibleModule({"password": {"type": "str", "no_log": True}}), function)
        return json.loads(output.getvalue()), output.getvalue()

    return run


def test_run_returns_the_result(end: End) -> None:
    result, _text = end(lambda module: {"changed": True, "thing": {"id": 1}})
    assert result["changed"] is True and result["thing"] == {"id": 1}
    assert "failed" not in result


def test_run_maps_our_errors(end: End) -> None:
    def fail(module: AnsibleModule) -> dict[str, t.Any]:
        raise LagoError("Set password.", "incorrect_login_or_password", 422, {"base": ["x"]})

    result, _text = end(fail)
    assert result["failed"] is True and result["msg"] == "Set password."
    assert result["failure"] == {"code": "incorrect_login_or_password", "status": 422, "details": {"base": ["x"]}}


def test_run_hides_the_text_of_what_nobody_foresaw(end: End) -> None:
    def fail(module: AnsibleModule) -> dict[str, t.Any]:
        # a part of the password only: what no_log cannot recognize
        raise ValueError("cannot parse " + module.params["password"][:9])

    result, text = end(fail)
    assert result["failed"] is True and result["failure"]["code"] == "unexpected"
    assert "ValueError" in result["msg"] and "test_resource.py:" in result["msg"]
    assert result["failure"]["details"]["type"] == "ValueError"
    assert CANARY[:9] not in text


def a_module(diff: bool = True) -> t.Any:
    return mock.Mock(_diff=diff, argument_spec={"password": {"no_log": True}, "name": {}})


def test_outcome_compares() -> None:
    assert _resource.outcome(a_module(False), {"a": 1}, {"a": 1}, x=2) == {"changed": False, "x": 2}
    assert _resource.outcome(a_module(False), {}, {"a": 1}) == {"changed": True}
    assert _resource.outcome(a_module(False), {}, {}, changed=True) == {"changed": True}


def test_outcome_scrubs_the_diff() -> None:
    before = {"name": "a", "password": "old", "keys": [{"value": "one"}, {"value": None}]}
    after = {"name": "b", "password": "new", "keys": [{"value": "one"}, {"value": "two"}, {"value": "three"}]}
    diff = _resource.outcome(a_module(), before, after, secrets=["value"])["diff"]
    assert diff["before"] == {"name": "a", "password": "********", "keys": [{"value": "********"}, {"value": None}]}
    assert diff["after"] == {
        "name": "b",
        "password": "******** (changed)",
        "keys": [{"value": "********"}, {"value": "******** (changed)"}, {"value": "******** (changed)"}],
    }
    assert not any(word in json.dumps(diff) for word in ("old", "new", "one", "two", "three"))


def test_outcome_scrubs_what_has_no_counterpart() -> None:
    diff = _resource.outcome(a_module(), {}, {"keys": [{"password": "x"}], "deep": {"password": "y"}})["diff"]
    assert diff["before"] == {}
    assert diff["after"] == {"keys": [{"password": "******** (changed)"}], "deep": {"password": "******** (changed)"}}


def test_mask() -> None:
    assert _resource.mask("1992f28e-74a1-4e23-912e-70acebde06b1") == "••••••••6b1"
    assert _resource.mask(None) is None


def test_secret_is_registered_where_that_can_be_done() -> None:
    with mock.patch.object(_resource, "register_secret", None):
        assert _resource.secret("x") == "x"
    with mock.patch.object(_resource, "register_secret") as register:
        assert _resource.secret("x") == "x"
    register.assert_called_once_with("x")
