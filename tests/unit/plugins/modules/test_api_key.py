# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import stat
import typing as t
from pathlib import Path

import pytest
from ansible_collections.selfhosted.lago.plugins.module_utils._errors import LagoError

PASSWORD = "Correct-Horse-1!"
ARGS = {"api_url": "http://lago.test", "email": "admin@example.com", "password": PASSWORD}
LOOKED_UP = ["loginUser", "currentUser", "apiKeys", "apiKey", "/api/v1/organizations"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "api_key.json"


@pytest.fixture
def owner(lago: t.Any) -> str:
    """The id of the organization Acme, which has one key."""
    return str(lago.add_user("admin@example.com", PASSWORD, "Acme")[0])


@pytest.fixture
def api_key(lago: t.Any, run_module: t.Any) -> t.Any:
    def run(check: bool = False, diff: bool = False, **changes: t.Any) -> t.Any:
        lago.log.clear()
        ran = run_module("api_key", dict(ARGS, **changes), check=check, diff=diff)
        assert PASSWORD not in ran.text
        if not changes.get("reveal"):
            assert not [key["value"] for key in lago.keys if key["value"] in ran.text]
        return ran

    return run


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_fetches_keeps_and_then_needs_no_login(lago: t.Any, api_key: t.Any, owner: str, path: Path) -> None:
    key = lago.keys[0]
    first = api_key(path=str(path), organization="Acme", diff=True)
    assert first["changed"] is True and first["source"] == "fetched" and lago.log == LOOKED_UP
    assert first["api_key"] == {
        "id": key["id"],
        "name": None,
        "value": "••••••••" + key["value"][-3:],
        "organization_id": owner,
        "organization_name": "Acme",
    }
    assert first["diff"]["before"] == {} and first["diff"]["after"]["value"] == "••••••••" + key["value"][-3:]
    assert json.loads(path.read_text()) == {
        "api_key": key["value"],
        "id": key["id"],
        "name": None,
        "organization_id": owner,
        "organization_name": "Acme",
    }
    assert mode(path) == 0o600
    before = path.stat()
    second = api_key(path=str(path), organization="Acme", diff=True, password="changed in the user interface")
    assert second["changed"] is False and second["source"] == "stored" and lago.log == ["/api/v1/organizations"]
    assert second["api_key"] == first["api_key"] and second["diff"]["before"] == second["diff"]["after"]
    after = path.stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_check_mode_writes_nothing(lago: t.Any, api_key: t.Any, owner: str, path: Path) -> None:
    assert api_key(path=str(path), check=True)["changed"] is True and not path.exists()


def test_reveals_only_when_asked(lago: t.Any, api_key: t.Any, owner: str) -> None:
    ran = api_key(reveal=True, diff=True)
    assert ran["api_key"]["value"] == lago.keys[0]["value"] and ran["changed"] is False
    assert lago.keys[0]["value"] not in json.dumps(ran["diff"])


def test_a_key_from_elsewhere(lago: t.Any, api_key: t.Any, owner: str) -> None:
    ran = api_key(api_key=f" {lago.keys[0]['value']}\n", email=None, password=None)
    assert ran["source"] == "stored" and ran["changed"] is False and lago.log == ["/api/v1/organizations"]
    assert ran["api_key"]["id"] is None and ran["api_key"]["organization_name"] == "Acme"


def test_a_refused_key_is_looked_up_anew(lago: t.Any, api_key: t.Any, owner: str, path: Path) -> None:
    api_key(path=str(path))
    lago.keys[0]["expiresAt"] = "2020-01-01T00:00:00Z"
    new = lago.add_key(owner, None)
    ran = api_key(path=str(path), diff=True)
    assert ran["source"] == "fetched" and ran["changed"] is True and ran["api_key"]["id"] == new["id"]
    assert json.loads(path.read_text())["api_key"] == new["value"] and mode(path) == 0o600
    assert ran["diff"]["before"]["id"] != ran["diff"]["after"]["id"]
    assert lago.log == ["/api/v1/organizations", "loginUser", "currentUser", "apiKeys", "apiKeys", *LOOKED_UP[3:]]


@pytest.mark.parametrize("status", [500, 503])
def test_an_api_that_does_not_work_is_no_reason_to_log_in(
    lago: t.Any, api_key: t.Any, owner: str, path: Path, status: int
) -> None:
    api_key(path=str(path))
    lago.trouble = lambda operation: (status, {})
    failed = api_key(path=str(path))
    assert failed["failed"] and failed["failure"]["status"] == status and lago.log == ["/api/v1/organizations"]


def test_an_api_that_is_down_is_no_reason_to_log_in(lago: t.Any, api_key: t.Any, owner: str, path: Path) -> None:
    api_key(path=str(path))

    def down(operation: str) -> t.Any:
        raise LagoError("Refused.", "unreachable")

    lago.trouble = down
    assert api_key(path=str(path))["failure"]["code"] == "unreachable" and len(lago.log) == 1


@pytest.mark.parametrize(
    ("changes", "options"),
    [({"email": None, "password": None}, ["email", "password"]), ({"password": ""}, ["password"])],
)
def test_a_look_up_needs_credentials(api_key: t.Any, owner: str, changes: t.Any, options: list[str]) -> None:
    failed = api_key(**changes)
    assert failed["failure"]["code"] == "credentials_missing" and failed["failure"]["details"]["options"] == options
    assert "no kept API key" in failed["msg"]
    assert "refused" in api_key(api_key="wrong", **changes)["msg"]


def test_a_kept_key_of_another_organization(lago: t.Any, api_key: t.Any, owner: str, path: Path) -> None:
    api_key(path=str(path))
    failed = api_key(path=str(path), organization="Other")
    assert failed["failure"] == {
        "code": "api_key_of_other_organization",
        "status": None,
        "details": {"found": "Acme", "wanted": "Other"},
    }
    content = json.loads(path.read_text())
    path.write_text(json.dumps(dict(content, organization_id="another", organization_name="Another")))
    assert api_key(path=str(path))["failure"]["details"] == {"found": "Acme", "wanted": "Another"}
    path.write_text(
        json.dumps(dict(content, api_key="refused", organization_id="another", organization_name="Another"))
    )
    assert api_key(path=str(path))["failure"]["details"] == {"found": "Another", "wanted": "Acme"}


def test_several_organizations(lago: t.Any, api_key: t.Any) -> None:
    lago.add_user("admin@example.com", PASSWORD, "Acme", "Other")
    assert api_key()["failure"]["code"] == "ambiguous_organization"
    assert api_key(organization="Other")["api_key"]["organization_name"] == "Other"


class TestSeveralKeys:
    @pytest.fixture(autouse=True)
    def further(self, lago: t.Any, owner: str) -> None:
        lago.add_key(owner, "deploy")
        lago.add_key(owner, "gone", "2020-01-01T00:00:00Z")
        lago.add_key(owner, "later", "2999-01-01T00:00:00")

    def test_ambiguity_names_them(self, lago: t.Any, api_key: t.Any) -> None:
        failed = api_key()
        assert failed["failure"]["code"] == "ambiguous_api_key"
        assert [key["name"] for key in failed["failure"]["details"]["api_keys"]] == [None, "deploy", "later"]
        assert "unnamed (••••••••" in failed["msg"] and "deploy (••••••••" in failed["msg"]

    def test_name_selects(self, api_key: t.Any, path: Path) -> None:
        assert api_key(name="deploy", path=str(path))["api_key"]["name"] == "deploy"
        assert api_key(name="deploy", path=str(path))["source"] == "stored"

    def test_a_name_instead_of_the_unnamed_one(self, api_key: t.Any, path: Path, lago: t.Any, owner: str) -> None:
        path.write_text(json.dumps({"api_key": lago.keys[0]["value"], "id": lago.keys[0]["id"], "name": None}))
        path.chmod(0o600)
        assert api_key(path=str(path))["source"] == "stored"
        ran = api_key(name="deploy", path=str(path))
        assert ran["source"] == "fetched"
        assert json.loads(path.read_text())["name"] == "deploy"

    def test_a_name_for_a_key_from_elsewhere(self, api_key: t.Any, lago: t.Any) -> None:
        assert api_key(name="deploy", api_key=lago.keys[0]["value"])["source"] == "stored"

    def test_another_name_than_the_kept_one(self, api_key: t.Any, path: Path, lago: t.Any) -> None:
        api_key(name="deploy", path=str(path))
        lago.keys[3]["expiresAt"] = None
        ran = api_key(name="later", path=str(path))
        assert ran["source"] == "fetched" and ran["changed"] is True and ran["api_key"]["name"] == "later"

    def test_further_keys_need_a_licence(self, api_key: t.Any) -> None:
        failed = api_key(name="new")
        assert failed["failure"]["code"] == "feature_unavailable" and "premium" in failed["msg"]
        assert "one without a name, deploy, later" in failed["msg"]

    def test_an_expired_one_is_not_found(self, api_key: t.Any) -> None:
        assert api_key(name="gone")["failure"]["code"] == "feature_unavailable"

    def test_made_with_a_licence(self, lago: t.Any, api_key: t.Any, path: Path) -> None:
        lago.premium = True
        predicted = api_key(name="new", path=str(path), check=True, diff=True)
        assert predicted["changed"] is True and predicted["source"] == "created" and "createApiKey" not in lago.log
        assert predicted["api_key"]["value"] is None and predicted["diff"]["after"]["name"] == "new"
        ran = api_key(name="new", path=str(path))
        assert ran["changed"] is True and ran["source"] == "created" and ran["api_key"]["name"] == "new"
        assert api_key(name="new", path=str(path))["changed"] is False

    def test_other_failures_while_making(self, lago: t.Any, api_key: t.Any) -> None:
        lago.trouble = lambda operation: (500, {}) if operation == "createApiKey" else None
        assert api_key(name="new")["failure"]["code"] == "server_error"

    def test_rotates_the_kept_one(self, lago: t.Any, api_key: t.Any, path: Path) -> None:
        api_key(name="deploy", path=str(path))
        ran = api_key(state="rotated", path=str(path))
        assert ran["api_key"]["name"] == "deploy" and lago.keys[1]["expiresAt"]
        assert json.loads(path.read_text())["api_key"] == lago.keys[-1]["value"]

    def test_rotates_by_name(self, lago: t.Any, api_key: t.Any) -> None:
        assert api_key(state="rotated", name="deploy")["api_key"]["name"] == "deploy"
        assert api_key(state="rotated", name="none")["failure"]["code"] == "api_key_not_found"


def test_no_key_at_all(lago: t.Any, api_key: t.Any, owner: str) -> None:
    lago.keys[0]["expiresAt"] = "2020-01-01T00:00:00Z"
    failed = api_key()
    assert failed["failure"]["code"] == "api_key_not_found" and "there are: none" in failed["msg"]


def test_a_key_that_does_not_work(lago: t.Any, api_key: t.Any, owner: str) -> None:
    lago.trouble = lambda operation: (401, {"status": 401}) if operation.startswith("/api") else None
    assert api_key()["failure"]["code"] == "api_key_does_not_work"


def test_a_key_of_another_lago(lago: t.Any, api_key: t.Any, owner: str) -> None:
    other = (200, {"organization": {"lago_id": "other", "name": "Acme"}})
    lago.trouble = lambda operation: other if operation.startswith("/api") else None
    assert api_key()["failure"]["code"] == "api_key_does_not_work"


class TestRotated:
    def test_replaces_and_proves(self, lago: t.Any, api_key: t.Any, owner: str, path: Path) -> None:
        api_key(path=str(path))
        ran = api_key(path=str(path), state="rotated", diff=True)
        old, new = lago.keys
        assert ran["changed"] is True and ran["source"] == "rotated" and ran["api_key"]["id"] == new["id"]
        assert lago.log == [*LOOKED_UP[:4], "rotateApiKey", "/api/v1/organizations", "/api/v1/organizations"]
        assert json.loads(path.read_text())["api_key"] == new["value"] and old["expiresAt"]
        assert (ran["diff"]["before"]["id"], ran["diff"]["after"]["id"]) == (old["id"], new["id"])
        assert api_key(path=str(path), state="rotated")["changed"] is True
        assert api_key(path=str(path))["source"] == "stored"

    def test_check_mode(self, lago: t.Any, api_key: t.Any, owner: str, path: Path) -> None:
        api_key(path=str(path))
        content = path.read_text()
        ran = api_key(path=str(path), state="rotated", check=True, diff=True)
        assert ran["changed"] is True and ran["source"] == "rotated" and ran["api_key"]["value"] is None
        assert "rotateApiKey" not in lago.log and path.read_text() == content and len(lago.keys) == 1

    def test_the_file_has_the_new_key_before_anything_can_fail(
        self, lago: t.Any, api_key: t.Any, owner: str, path: Path
    ) -> None:
        def trouble(operation: str) -> t.Any:
            if operation.startswith("/api"):
                raise LagoError("Refused.", "unreachable")

        lago.trouble = trouble
        assert api_key(path=str(path), state="rotated")["failure"]["code"] == "unreachable"
        assert json.loads(path.read_text())["api_key"] == lago.keys[1]["value"]

    def test_an_old_key_that_lives_on(self, lago: t.Any, api_key: t.Any, owner: str) -> None:
        def revive(operation: str) -> None:
            lago.keys[0]["expiresAt"] = None

        lago.after = revive
        failed = api_key(state="rotated")
        assert failed["failure"]["code"] == "old_key_still_works" and lago.log.count("/api/v1/organizations") == 5

    @pytest.mark.parametrize(("status", "told"), [(502, True), (200, False)])
    def test_a_lost_answer(self, lago: t.Any, api_key: t.Any, owner: str, status: int, told: bool) -> None:
        refused = {"errors": [{"message": "forbidden", "extensions": {"status": "forbidden", "code": "forbidden"}}]}
        lago.trouble = lambda operation: (status, refused) if operation == "rotateApiKey" else None
        failed = api_key(state="rotated")
        assert lago.log.count("rotateApiKey") == 1 and ("state=present" in failed["msg"]) is told

    def test_a_file_that_cannot_be_written_is_noticed_before(
        self, lago: t.Any, api_key: t.Any, owner: str, tmp_path: Path
    ) -> None:
        failed = api_key(path=str(tmp_path / "missing" / "key.json"), state="rotated")
        assert failed["failure"]["code"] == "key_file_unusable" and "rotateApiKey" not in lago.log


class TestFile:
    def test_an_open_file_is_closed(self, lago: t.Any, api_key: t.Any, owner: str, path: Path) -> None:
        api_key(path=str(path))
        path.chmod(0o644)
        predicted = api_key(path=str(path), check=True, diff=True)
        assert predicted["changed"] is True and mode(path) == 0o644
        assert (predicted["diff"]["before"]["mode"], predicted["diff"]["after"]["mode"]) == ("0644", "0600")
        assert api_key(path=str(path))["changed"] is True and mode(path) == 0o600
        assert api_key(path=str(path))["changed"] is False

    @pytest.mark.parametrize("content", ["", "{", "[]", '{"api_key": ""}', '{"api_key": 1}'])
    def test_other_content_is_not_overwritten(self, lago: t.Any, api_key: t.Any, path: Path, content: str) -> None:
        path.write_text(content)
        assert api_key(path=str(path))["failure"]["code"] == "key_file_unusable"
        assert path.read_text() == content and lago.log == []

    def test_unreadable(self, api_key: t.Any, tmp_path: Path) -> None:
        assert api_key(path=str(tmp_path))["failure"]["code"] == "key_file_unusable"

    def test_nothing_readable_for_a_moment(
        self, lago: t.Any, api_key: t.Any, owner: str, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path.write_text(json.dumps({"api_key": "refused"}))
        path.chmod(0o644)
        modes = []
        real = os.replace

        def replace(source: t.Any, target: t.Any) -> None:
            modes.append(stat.S_IMODE(os.stat(source).st_mode))
            real(source, target)
            modes.append(stat.S_IMODE(os.stat(target).st_mode))

        monkeypatch.setattr(os, "replace", replace)
        assert api_key(path=str(path))["source"] == "fetched"
        path.unlink()
        assert api_key(path=str(path))["source"] == "fetched"
        assert modes == [0o600] * 4 and [entry.name for entry in path.parent.iterdir()] == ["api_key.json"]

    def test_no_directory(self, api_key: t.Any, owner: str, tmp_path: Path) -> None:
        failed = api_key(path=str(tmp_path / "missing" / "key.json"))
        assert failed["failure"]["code"] == "key_file_unusable" and "No such file" in failed["msg"]

    def test_a_failed_write_leaves_nothing(
        self, api_key: t.Any, owner: str, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(handle: int) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
        failed = api_key(path=str(path))
        assert "No space left" in failed["msg"] and list(path.parent.iterdir()) == []


def test_only_one_way_to_keep(api_key: t.Any) -> None:
    assert "mutually exclusive" in api_key(api_key="some-key", path="/nowhere")["msg"]
