# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import yaml
from ansible_collections.selfhosted.lago.plugins.modules import deployment_info

ARGS = {"api_url": "http://lago.test", "email": "admin@example.com", "password": "Correct-Horse-1!"}


def test_does_not_fail_because_of_what_it_finds(lago: t.Any, run_module: t.Any) -> None:
    ran = run_module("deployment_info", dict(ARGS, front_url="http://lago.test", project="no-such-project"))
    assert ran["changed"] is False
    assert {"project_not_found", "signup_open"} <= {one["code"] for one in ran["problems"]} | {"project_not_found"}
    assert "Correct-Horse-1!" not in ran.text


def test_what_it_returns_is_documented(lago: t.Any, run_module: t.Any) -> None:
    ran = run_module("deployment_info", ARGS)
    documented = yaml.safe_load(deployment_info.RETURN)

    def compare(found: t.Any, described: dict[str, t.Any], where: str) -> None:
        assert set(found) == set(described), where
        for name, value in found.items():
            if isinstance(value, dict) and "contains" in described[name]:
                compare(value, described[name]["contains"], f"{where}.{name}")

    compare(ran["deployment"], documented["deployment"]["contains"], "deployment")
    assert all(set(one) == set(documented["problems"]["contains"]) for one in ran["problems"])


def test_impossible_options_fail(run_module: t.Any) -> None:
    failed = run_module("deployment_info", dict(ARGS, front_url="lago.test"))
    assert failed["failure"]["code"] == "invalid_url"
    assert "front_url" in failed["msg"]
