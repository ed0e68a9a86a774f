# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person reads when something failed."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from ansible_collections.selfhosted.lago.plugins.action import explain_failure

API = {
    "service": "api", "name": "lago-api-1", "state": "exited", "health": "unhealthy", "exit_code": 1, "restarts": 3,
    "lines": ["12:00 cannot boot"],
}  # fmt: skip


@pytest.fixture
def role(tmp_path: Path) -> Path:
    folder = tmp_path / "stack" / "tasks"
    folder.mkdir(parents=True)
    for verb, task in {"preflight": "Looked at", "up": "Started", "migrate_run": "Migrated", "key": "Key"}.items():
        (folder / f"{verb}.yml").write_text(f"- name: Known\n- name: {task}\n  module:\n")
    (folder / "upgrade_step.yml").write_text('- name: "Walked to {{ release }}"\n')
    return tmp_path / "stack"


@pytest.fixture
def explain(run_action: Any, role: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return the action's result and the block that it showed."""

    def run(task: str, result: dict[str, Any], seen: Any = None, **more: Any) -> tuple[dict[str, Any], str]:
        shown: list[str] = []
        monkeypatch.setattr(explain_failure, "Display", lambda: mock.Mock(display=shown.append))
        variables = {
            "inventory_hostname": "billing",
            "ansible_role_name": "selfhosted.lago.stack",
            "role_path": str(role),
            "ansible_failed_task": {"name": task, "action": "m"},
            "ansible_failed_result": {"failed": True, **result},
            **more,
        }
        module = mock.Mock(side_effect=lambda _name, module_args, **_more: seen or {"services": [], **module_args})
        return run_action(explain_failure.ActionModule, {"project": "lago"}, variables, module), "\n".join(shown)

    return run


def test_what_where_the_service_and_what_to_do(explain: Any) -> None:
    seen = {"services": [API], "texts": ["lago-api-1 is unhealthy\nmore of it"]}
    result, block = explain(
        "Started", {"msg": "raw"}, seen, __lago_render={"files": {"compose.yml": {"changed": True}}}
    )
    assert result["failed"]
    assert result["msg"] == "up on billing: Started: lago-api-1 is unhealthy"
    assert (result["failure"]["verb"], result["failure"]["explained"]) == ("up", True)
    assert "What     lago-api-1 is unhealthy\n         more of it\n" in block
    assert "Where    billing, up (role stack): Started\n" in block
    assert "Service  api (exited, exit code 1, restarted 3 times): docker logs lago-api-1\n" in block
    assert "           | 12:00 cannot boot\n" in block
    assert "Changed  Written: compose.yml.\n" in block
    assert "Not      The data is untouched." in block
    assert "Do       Mend" in block


def test_a_name_that_is_told_with_what_it_is_about_belongs_to_its_verb_too(explain: Any) -> None:
    _result, block = explain("Walked to v1.48.0", {"msg": "no"})
    assert "Where    billing, upgrade (role stack): Walked to v1.48.0\n" in block


def test_a_verb_before_anything_says_that_nothing_was_changed(explain: Any) -> None:
    _result, block = explain("Looked at", {"msg": ["two", "lines"]})
    assert "What     two\n         lines\n" in block
    assert "Changed  Nothing.\nNot      Nothing was changed.\n         Not reached: the secrets, the files," in block


def test_what_was_done_is_told_by_what_the_tasks_returned(explain: Any) -> None:
    done = {"__lago_secrets": {"changed": True}, "__lago_pull": {"changed": True}, "__lago_migrate": {"changed": True}}
    _result, block = explain("Started", {"msg": "x"}, **done)
    for said in ("secrets that were missing were made", "Images were pulled.", "The database was migrated."):
        assert said in block
    rotated = {"changed": True, "changed_secrets": ["redis_password", "postgres_password"]}
    _result, block = explain("Started", {"msg": "x"}, __lago_secrets=rotated)
    assert "Changed  Secrets that are others than before: redis_password, postgres_password." in block
    _result, block = explain("Migrated", {"msg": "x"}, **done)
    assert "The database was migrated." not in block
    _result, block = explain("Migrated", {"msg": "x"}, **done, ansible_check_mode=True)
    assert "Nothing: this is check mode." in block


def test_a_running_service_is_told_by_its_health(explain: Any) -> None:
    unwell = {**API, "state": "running", "restarts": 0}
    _result, block = explain("Started", {"msg": "x"}, {"services": [unwell], "texts": ["x"]})
    assert "Service  api (running, unhealthy): docker logs" in block


def test_what_only_starts_slowly_is_told_with_the_variable_that_gives_it_time(explain: Any) -> None:
    slow = {**API, "state": "running", "health": "starting", "restarts": 0}
    said = "General error: application not healthy after 5m0s"
    _result, block = explain("Started", {"msg": said}, {"services": [slow], "texts": [said]})
    assert "raise lago_start_timeout" in " ".join(block.split())
    _result, block = explain("Started", {"msg": said}, {"services": [API], "texts": [said]})
    assert "lago_start_timeout" not in block


def test_what_a_command_said_on_its_errors_is_the_message(explain: Any) -> None:
    failed = {"msg": "Task failed: A 'failed_when' expression evaluated to 'True'.", "stderr": "cannot do that"}
    assert "What     cannot do that\n" in explain("Started", failed)[1]
    assert "What     no\n" in explain("Started", {"msg": "no", "stderr": "cannot do that"})[1]
    assert "exit code 3" in explain("Started", {"rc": 3})[1]
    assert "exit code 3" in explain("Started", {"rc": 3, "msg": "non-zero return code"})[1]


def test_a_registry_that_lets_nobody_in_is_told_with_the_variables_of_its_login(explain: Any, role: Path) -> None:
    (role / "tasks" / "pull_missing.yml").write_text("- name: Pulled\n")
    said = 'Head "https://registry.example.com/v2/getlago/api/manifests/v1.51.0": unauthorized: authentication required'
    _result, block = explain("Pulled", {"msg": said})
    assert "lago_registry_username and lago_registry_password" in " ".join(block.split())
    assert "lago_registry" not in explain("Pulled", {"msg": "no route to host"})[1]
    assert "lago_registry" not in explain("Started", {"msg": said})[1]


def test_of_a_loop_what_failed_first_is_the_message(explain: Any) -> None:
    first = {"failed": True, "msg": "no such image", "item": "lago:1"}
    failed = {
        "msg": "One or more items failed",
        "results": [{"msg": "done"}, first, {"failed": True, "msg": "another"}],
    }
    assert "What     lago:1: no such image\n" in explain("Started", failed)[1]


def test_of_a_long_message_the_beginning_and_the_end_are_told(explain: Any) -> None:
    _result, block = explain("Started", {"msg": "\n".join(f"line {number}" for number in range(100))})
    assert "line 14\n         ...\n         line 85\n" in block


def test_a_failure_of_our_own_keeps_its_code(explain: Any) -> None:
    failure: dict[str, Any] = {"code": "lease_held", "status": None, "details": {"holder": {}}}
    result, block = explain("The lease", {"msg": "Grace works on it.", "failure": failure})
    assert result["failure"]["code"] == "lease_held"
    assert "Where    billing, lease (role stack)" in block


@pytest.mark.parametrize(("failure", "told"), [({"code": "x"}, "in the open"), ({}, "The message is hidden")])
def test_without_somebody_who_knows_the_secrets_only_our_own_messages_are_told(
    explain: Any, failure: dict[str, Any], told: str
) -> None:
    seen = {"failed": True, "msg": "unreachable"}
    _result, block = explain("Started", {"msg": "in the open", "failure": failure}, seen)
    assert told in block


def test_what_preflight_says_is_our_own_message(explain: Any, tmp_path: Path) -> None:
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks" / "preflight.yml").write_text("    - name: Everything is fit\n")
    seen = {"failed": True, "msg": "no such directory"}
    result, block = explain("Everything is fit", {"msg": "lago_directory is no path"}, seen, role_path=str(tmp_path))
    assert result["failure"]["verb"] == "preflight"
    assert "What     lago_directory is no path" in block


def test_what_was_explained_is_not_explained_again(explain: Any) -> None:
    first, _block = explain("Started", {"msg": "x"})
    second, block = explain("Told", first)
    assert (second["msg"], second["failure"]) == (first["msg"], first["failure"])
    assert block == ""


def test_tasks_of_elsewhere_have_a_place_too(explain: Any, tmp_path: Path) -> None:
    (tmp_path / "bootstrap").mkdir()
    assert explain("Unknown", {"msg": "x"})[0]["failure"]["verb"] == "run"
    assert explain("Unknown", {"msg": "x"}, role_path=str(tmp_path / "bootstrap"))[0]["failure"]["verb"] == "key"


def test_an_upgrade_says_itself_what_is_so_now(explain: Any, tmp_path: Path) -> None:
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks" / "upgrade_walk.yml").write_text("    - name: What is so now is said\n")
    failure = {"msg": "v1.50.0 runs again", "failure": {"code": "x"}}
    result, block = explain("What is so now is said", failure, role_path=str(tmp_path))
    assert result["failure"]["verb"] == "upgrade"
    assert "images of the way that were pulled are kept" in block and "Not reached" not in block


UPGRADE = {"from": "v1.50.0", "to": "v1.51.0", "backup": "lago-1"}


@pytest.mark.parametrize(
    "told",
    [
        {"__lago_upgraded": UPGRADE, "__lago_upgrade_record": {}},
        {"__lago_upgrade_record": {**UPGRADE, "phase": "opened"}},
        # Begun by a run before this one.
        {"__lago_server": {"server": {"files": {"upgrade": {**UPGRADE, "phase": "opened"}}}}},
    ],
)
def test_after_an_upgrade_the_way_back_is_named_with_what_it_loses(explain: Any, told: dict[str, Any]) -> None:
    _result, block = explain("Started", {"msg": "x"}, **told)
    assert "Back     Lago was upgraded from v1.50.0 to v1.51.0, and stays so" in block
    assert "selfhosted.lago.restore" in block and "-e lago_version=v1.50.0 -e lago_restore_backup=lago-1" in block


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"__lago_upgrade_record": {"phase": "walking", "backup": "lago-1"}},
        {"__lago_upgraded": {"from": "v1.50.0", "to": "v1.50.0", "backup": "lago-1"}},
    ],
)
def test_before_that_there_is_none_to_name(explain: Any, told: dict[str, Any]) -> None:
    assert "Back " not in explain("Started", {"msg": "x"}, **told)[1]


def test_a_verb_that_leads_back_first_tells_in_the_end(explain: Any) -> None:
    seen = {"services": [API], "texts": ["whole\nmessage"]}
    first, block = explain("Started", {"msg": "raw"}, seen, __lago_tells_later=True)
    assert block == ""
    assert (first["failure"]["text"], first["failure"]["services"]) == ("whole\nmessage", [API])
    again, _block = explain("Told", first, __lago_tells_later=True)
    assert again["failure"] == first["failure"]


def test_what_failed_is_not_for_the_server_s_journal(run_action: Any, role: Path) -> None:
    """It may hold a secret; the module's log of its own arguments knows none."""
    variables = {"inventory_hostname": "billing", "role_path": str(role), "ansible_failed_result": {"msg": "canary"}}
    module = mock.Mock(return_value={"services": [], "texts": ["hidden"]})
    run_action(explain_failure.ActionModule, {}, variables, module)
    assert module.call_args.kwargs["module_args"]["texts"] == ["canary"]
    assert module.call_args.kwargs["task_vars"]["ansible_no_target_syslog"] is True
