# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import typing as t
from pathlib import Path

import pytest
from ansible_collections.selfhosted.lago.plugins.module_utils import _certificate

#: A Docker whose `exec` runs the program itself, and a Caddy that says what the test wrote down.
DOCKER = """#!/bin/sh
case $1 in
  inspect) [ -e "$BED/gone" ] && exit 1; echo 0123abc ;;
  exec) shift 3; exec "$@" ;;
esac
"""
CADDY = """#!/bin/sh
case $1 in
  run) cat >>"$BED/config"; n=$(ls "$BED" | grep -c '^ran'); : >"$BED/ran$n"; cat "$BED/said$n" ;;
  stop) : >"$BED/stopped" ;;
esac
"""
OBTAINED = {"msg": "certificate obtained successfully", "identifier": "a.example.com"}
RENEWED = {"msg": "certificate renewed successfully", "identifier": "b.example.com"}
REFUSED = {
    "msg": "could not get certificate from issuer",
    "identifier": "b.example.com",
    "error": "rateLimited: too many",
}
AGAIN = {"msg": "will retry", "error": "rateLimited: too many"}
NO_ACCOUNT = {"msg": "ACME account does not exist on server; attempting to recreate"}


@pytest.fixture
def bed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in (("docker", DOCKER), ("caddy", CADDY)):
        program = tmp_path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(text)
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)
    monkeypatch.setenv("BED", str(tmp_path))
    monkeypatch.setattr(_certificate, "fetch", lambda name: "status 404")
    return tmp_path


@pytest.fixture
def order(run_module: t.Any, bed: Path) -> t.Any:
    def run(*said: list[dict[str, str]], seen: str = "0123abc", check: bool = False, own: bool = False) -> t.Any:
        names = ["a.example.com", "b.example.com"]
        for number, lines in enumerate(said):
            (bed / f"said{number}").write_text(
                "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)
            )
        args = {
            "container": "c",
            "names": names,
            "config": "the config",
            "seen": dict.fromkeys(names, seen),
            "own": own,
        }
        return run_module("certificate", args, check=check)

    return run


def test_what_is_ordered_is_there(order: t.Any, bed: Path) -> None:
    ran = order([OBTAINED, RENEWED])
    assert (ran["changed"], ran["obtained"]) == (True, ["a.example.com", "b.example.com"])
    assert (bed / "config").read_text().strip() == "the config"
    assert (bed / "stopped").exists()


def test_a_name_that_leads_elsewhere_spends_no_order(order: t.Any, bed: Path) -> None:
    ran = order(seen="another's page")
    assert ran["failure"]["code"] == "names_not_reached"
    assert ran["failure"]["details"]["a.example.com"] == {"controller": "another's page", "server": "status 404"}
    assert "DNS" in ran["msg"] and "port 80" in ran["msg"] and "another's page" in ran["msg"]
    assert not (bed / "config").exists()


def test_the_proxy_s_own_authority_asks_for_no_name(order: t.Any, bed: Path) -> None:
    assert order([OBTAINED, RENEWED], seen="another's page", own=True)["obtained"] == ["a.example.com", "b.example.com"]


def test_the_server_s_own_view_will_do(order: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_certificate, "fetch", lambda name: "0123abc")
    assert order([OBTAINED, RENEWED], seen="unreachable")["changed"]


def test_what_the_acme_server_said_is_told(order: t.Any, bed: Path) -> None:
    ran = order([OBTAINED, REFUSED, AGAIN])
    assert ran["failure"]["code"] == "order_failed"
    assert ran["failure"]["details"] == {
        "obtained": ["a.example.com"],
        "failed": {"b.example.com": "rateLimited: too many"},
    }
    assert "rateLimited: too many" in ran["msg"] and "lago_acme_email" in ran["msg"]
    assert (bed / "stopped").exists()


def test_an_account_that_the_acme_server_forgot_is_made_anew(order: t.Any) -> None:
    ran = order([OBTAINED, NO_ACCOUNT, REFUSED, AGAIN], [RENEWED])
    assert ran["obtained"] == ["a.example.com", "b.example.com"]


def test_no_answer_in_time(order: t.Any, bed: Path) -> None:
    (bed / "bin" / "caddy").write_text("#!/bin/sh\necho 'Error: the last words'\n")
    ran = order()
    assert ran["failure"]["code"] == "order_failed"
    assert "the last words" in ran["msg"]


def test_without_a_proxy(order: t.Any, bed: Path) -> None:
    (bed / "gone").touch()
    assert order()["failure"]["code"] == "container_not_running"


def test_check_mode_orders_nothing(order: t.Any, bed: Path) -> None:
    ran = order(check=True)
    assert (ran["changed"], ran["obtained"]) == (True, ["a.example.com", "b.example.com"])
    assert not (bed / "config").exists()
