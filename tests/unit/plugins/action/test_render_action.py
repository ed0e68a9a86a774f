# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
from pathlib import Path
from unittest import mock

import pytest
from ansible.parsing.vault import VaultLib, VaultSecret
from ansible_collections.selfhosted.lago.plugins.action.render import ActionModule
from ansible_collections.selfhosted.lago.plugins.module_utils._files_render import decode

try:  # since ansible-core 2.19
    from ansible.template import trust_as_template
except ImportError:

    def trust_as_template(value: str) -> str:
        return value


CANARY = "canary-51d0"
VARIABLES = {
    "secret": CANARY,
    "items": {"known": 1},
    "name": "Ada",
    "nested": trust_as_template("{{ name }}!"),
    "hollow": trust_as_template(CANARY + " {{ nowhere }}"),
}


@pytest.fixture
def templates(tmp_path: Path) -> Path:
    folder = tmp_path / "role" / "templates"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def render(run_action: t.Any) -> t.Any:
    """Return the action's result, with the contents that the module got."""

    def run(*files: t.Any, **args: t.Any) -> t.Any:
        module = mock.Mock(return_value={"changed": True, "invocation": {"module_args": CANARY}})
        result = run_action(ActionModule, {"directory": "/opt/lago", "files": list(files), **args}, VARIABLES, module)
        if result.get("failed"):
            assert not module.called
            return result
        assert module.call_count == 1, "one module for all files"
        assert module.call_args[0] == ("selfhosted.lago.render",)
        given = module.call_args[1]["module_args"]
        assert not [file for file in given["files"] if {"template", "content"} & set(file)]
        contents = decode(given["payload"])
        return {**result, "given": given, "contents": [content.decode() for content in contents]}

    return run


def test_renders_as_template_does(render: t.Any, templates: Path) -> None:
    source = "# {{ nested }}\n{% for at in range(2) %}\n  - {{ at }}\n{% endfor %}\nraw \\n {{ 'b\\\\s' }}\n\n"
    (templates / "a.j2").write_text(source)
    assert render({"dest": "a", "template": "a.j2"})["contents"] == ["# Ada!\n  - 0\n  - 1\nraw \\n b\\s\n\n"]


def test_includes_and_folders(render: t.Any, templates: Path) -> None:
    (templates / "env").mkdir()
    (templates / "env" / "a.env.j2").write_text('A={% include "env/part.j2" %}\n')
    (templates / "env" / "part.j2").write_text("{{ name }}")
    assert render({"dest": "a", "template": "env/a.env.j2"})["contents"] == ["A=Ada\n"]


def test_an_empty_template(render: t.Any, templates: Path) -> None:
    (templates / "a.j2").write_text("")
    assert render({"dest": "a", "template": "a.j2"})["contents"] == [""]


def test_a_template_that_makes_a_list_makes_text(render: t.Any, templates: Path) -> None:
    (templates / "a.j2").write_text("{{ [1, 2] }}")
    assert render({"dest": "a", "template": "a.j2"})["contents"] == ["[1, 2]"]


def test_contents(render: t.Any) -> None:
    ran = render(
        {"dest": "a", "content": "text\n"},
        {"dest": "b", "content": {"b": 1, "a": [True, None]}},
        {"dest": "c", "content": ""},
        {"dest": "d", "content": 5},
    )
    json_text = '{\n    "a": [\n        true,\n        null\n    ],\n    "b": 1\n}'
    assert ran["contents"] == ["text\n", json_text, "", "5"]


def test_hands_everything_else_on_and_tells_nothing_of_it(render: t.Any) -> None:
    file = {"dest": "a", "owner": "999", "mode": "0400", "secret": True}
    ran = render({**file, "content": CANARY}, prune=["env/*"])
    assert ran["given"]["files"] == [file]
    assert ran["given"]["prune"] == ["env/*"]
    assert CANARY not in str(ran["given"])
    assert "invocation" not in ran


def test_a_vaulted_template(render: t.Any, templates: Path) -> None:
    (templates / "a.j2").write_bytes(VaultLib().encrypt("{{ name }}", VaultSecret(b"of the vault")))
    assert render({"dest": "a", "template": "a.j2"})["contents"] == ["Ada"]


@pytest.mark.parametrize(
    ("source", "code", "says"),
    [
        ("{{ secret }}{{ nowhere }}", "undefined_variable", "'nowhere' is undefined"),
        ("{{ secret }}{{ items.unknown }}", "undefined_variable", "has no attribute 'unknown'"),
        ("{{ hollow }}", "undefined_variable", "'nowhere' is undefined"),
        ("{{ secret | to_nothing }}", "template_failed", ""),
        ("{{ secret | from_json }}", "template_failed", "may hold a secret"),
        ("{{ items[secret] }}", "template_failed", "may hold a secret"),
        ("{{ secret }}{{ undef(hint=secret) }}", "template_failed", "may hold a secret"),
        ("{{ secret }}{% if %}", "template_failed", "may hold a secret"),
    ],
)
def test_a_failure_names_the_template_and_no_value(
    render: t.Any, templates: Path, capfd: pytest.CaptureFixture[str], source: str, code: str, says: str
) -> None:
    (templates / "bad.j2").write_text(source)
    ran = render({"dest": "a", "template": "bad.j2"})
    assert ran["failure"]["code"] == code
    assert "In template bad.j2: " in ran["msg"]
    assert says in ran["msg"]
    assert CANARY not in str(ran)
    assert CANARY not in "".join(capfd.readouterr())


def test_a_missing_filter_is_named(render: t.Any, templates: Path) -> None:
    (templates / "bad.j2").write_text("{{ secret | to_nothing }}")
    assert "to_nothing" in render({"dest": "a", "template": "bad.j2"})["msg"]


def test_a_missing_template(render: t.Any) -> None:
    ran = render({"dest": "a", "template": "nowhere.j2"})
    assert ran["failure"] == {"code": "template_missing", "status": None, "details": {"template": "nowhere.j2"}}


def test_a_template_that_is_no_text(render: t.Any, templates: Path) -> None:
    (templates / "a.j2").write_bytes(b"\xff\xfe")
    ran = render({"dest": "a", "template": "a.j2"})
    assert ran["failure"]["code"] == "template_failed"
    assert "UTF-8" in ran["msg"]


@pytest.mark.parametrize(
    "files",
    [[{"dest": "a"}], [{"dest": "a", "content": "x", "template": "y"}], ["a"], [{"dest": "a", "content": None}]],
)
def test_what_is_no_file(render: t.Any, files: t.Any) -> None:
    assert render(*files)["failure"]["code"] == "invalid_files"


def test_no_list_of_files(run_action: t.Any) -> None:
    for files in (None, {"dest": "a"}, "a"):
        result = run_action(ActionModule, {"directory": "/opt/lago", "files": files}, {}, mock.Mock())
        assert result["failure"]["code"] == "invalid_files"
