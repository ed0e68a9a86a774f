# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""tests/refusals/table.yml: each row is refused by its rule and by no other, and by nothing once that rule is gone."""

from __future__ import annotations

import re
import typing as t
from datetime import datetime
from pathlib import Path

import pytest
import yaml
from ansible_collections.selfhosted.lago.plugins.plugin_utils import _problems, _problems_rules, _problems_specs

from outside import certificates

TABLE = yaml.safe_load((Path(__file__).parents[3] / "refusals" / "table.yml").read_text(encoding="utf-8"))
ROWS: list[dict[str, t.Any]] = TABLE["rows"]
IDS = [f"{row['rule']}-{number}" for number, row in enumerate(ROWS)]
NOW = datetime.fromisoformat(TABLE["now"])
FILES = certificates.files(NOW)


@pytest.fixture(autouse=True)
def _at_the_table_s_time(monkeypatch: pytest.MonkeyPatch) -> None:
    case = _problems_rules.Case
    monkeypatch.setattr(_problems, "Case", lambda **more: case(**more, now=NOW))


def found(row: dict[str, t.Any]) -> list[_problems.Problem]:
    """What the filters of the role's preflight say, asked as the role asks."""
    given = {**TABLE["good"], **row.get("set", {})}
    given = {name: value for name, value in given.items() if name not in row.get("unset", [])}
    settings = {name: given[name] for name in _problems.known_names(list(given))}
    files = {name: FILES[content] for name, content in row.get("files", {}).items()}
    server = {**TABLE["fit"], **row.get("server", {})}
    answers = {**TABLE["answers"], **row.get("answers", {})}
    database = {**TABLE["own_database"], **row.get("database", {})}
    return [
        *_problems.name_problems(list(given)),
        *_problems.setting_problems(settings, row.get("roles", ["stack"]), files),
        *_problems.setting_warnings(settings),
        *_problems.server_problems(server, settings),
        *_problems.database_problems({**server, "database": database}, settings),
        *_problems.outside_problems(answers, settings),
        *_problems.outside_warnings(answers, settings),
    ]


def named(row: dict[str, t.Any]) -> list[str]:
    return row["variable"] if isinstance(row["variable"], list) else [row["variable"]]


def test_good_variables_and_a_fit_server_have_no_problem() -> None:
    assert found({"roles": ["docker", "git", "stack", "bootstrap"]}) == []


def test_the_good_variables_are_all_that_there_are() -> None:
    # Instead of others that are given
    instead = {"lago_redis_password", "lago_redis_cache_url", "lago_postgres_url", "lago_postgres_pooler_url"}
    assert set(_problems_specs.options()) - set(TABLE["good"]) == instead


def test_every_rule_has_a_row_and_there_are_enough_of_them() -> None:
    assert {row["rule"] for row in ROWS} == set(_problems.RULES)
    assert len(_problems.RULES) >= 40


def test_the_secrets_of_a_backup_are_those_of_a_database_that_was_not_made_from_this_server() -> None:
    server = {"files": {}, "database": {**TABLE["own_database"], "organizations": 3}}
    assert [one["code"] for one in _problems.database_problems(server, {})] == ["foreign_database"]
    assert _problems.database_problems(server, {}, restoring=True) == []


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_a_row_is_refused_with_the_variable_and_the_way_out(row: dict[str, t.Any]) -> None:
    problems = found(row)
    assert [(one["code"], one["variable"]) for one in problems] == [(row["rule"], name) for name in named(row)]
    for problem in problems:
        assert row["says"] in problem["message"]
        assert problem["variable"] in problem["message"] or not problem["variable"].startswith("lago_")
        assert problem["message"].isprintable() and re.search(r"[:,;.] ", problem["message"])


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_without_its_rule_a_row_is_not_refused(row: dict[str, t.Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(_problems.RULES, row["rule"])
    assert found(row) == []


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_no_message_repeats_a_secret(row: dict[str, t.Any]) -> None:
    told = " ".join(problem["message"] for problem in found(row)).lower()
    assert "canary" not in told
    secrets = [str(value) for name, value in row.get("set", {}).items() if name in _problems_specs.secrets()]
    assert [value for value in secrets if len(value.strip()) > 2 and value != "True" and value.lower() in told] == []


def test_all_mistakes_are_named_at_once() -> None:
    """Every row that changes variables alone, and nothing that another row changes, in one run."""
    mixed: dict[str, t.Any] = {"set": {}, "server": {}, "roles": ["stack", "bootstrap"]}
    expected = set()
    for row in ROWS:
        if set(row) <= {"rule", "set", "variable", "says"} and not set(row["set"]) & set(mixed["set"]):
            mixed["set"].update(row["set"])
            expected.add((row["rule"], row["variable"]))
    told = {(one["code"], one["variable"]) for one in found(mixed)}
    # What depends on a variable that is itself wrong is said once that one is right.
    silent = {code for code, _variable in expected - told}
    assert silent <= {
        "not_yet_known",
        "worker_not_yet_known",
        "maxmemory_beyond_limit",
        "short_lease",
        "checkout_over_deployment",
        "no_ipv6",
    }
    assert len(told) >= 30
