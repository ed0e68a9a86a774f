# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands of the API's image end as the real ones ended, and say the same when they refuse."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from contract.standin_bed import NEWEST, SUPERUSER, Bed

STEPS = json.loads((Path(__file__).with_name("recorded") / "commands.json").read_text())["steps"]

# What of the recordings is asked again, by name: what needs a server without pg_partman 5 is not.
ON_MIGRATED = [
    "create the database again",
    "migrate again, nothing to do",
    "seed roles",
    "seed roles again",
    "version",
    "diagnostics",
    "seed organization",
    "seed organization again",
    "seed organization, other password",
    "seed organization, missing password",
    "seed organization after it was renamed",
    "verify upgrade",
    "create the database as an owner who may not create databases",
    *(step["name"] for step in STEPS if re.match(r"migrate with(out| a| no| an) ", step["name"])),
]


def step_of(name: str) -> dict[str, Any]:
    return next(step for step in STEPS if step["name"] == name)


def telling(text: str) -> list[str]:
    """The lines of a recorded text up to where it was cut, without what only a debugger wants."""
    lines = [line.strip() for line in text.partition("…")[0].splitlines()]
    lines = [line for line in lines if line and not re.search(r"^/usr/local/bundle|^LINE \d|rb:\d+:in", line)]
    return [line for line in lines if not any(line in other for other in lines if other != line)]  # libpq tried twice


@pytest.fixture(scope="module")
def shell(bed: Bed) -> Any:
    """A container of the API's image beside the database, so that the recorded addresses hold."""
    bed.copy("commands", f"bare-{NEWEST}")
    bed.sql("CREATE ROLE app LOGIN PASSWORD 'apppw'", "postgres")
    more = {"network_mode": f"container:{bed.db.id}", "read_only": True, "tmpfs": {"/tmp": ""}}
    more |= {"cap_drop": ["ALL"], "init": True}
    return bed.run(f"testbed/api:{NEWEST}", "shell", ["sleep", "infinity"], bed.environment, **more)


def run(bed: Bed, shell: Any, step: dict[str, Any], database: str) -> tuple[int, str]:
    """The exit status of a recorded command and all it said."""
    given = {"DATABASE_URL": SUPERUSER.format(host="127.0.0.1", database=database), **step["environment"]}
    absent = [part for name, value in given.items() if value is None for part in ("-u", name)]
    present = {name: value for name, value in given.items() if value is not None}
    done = shell.exec_run(["env", *absent, "bundle", "exec", *step["command"].split()], environment=present)
    return done.exit_code, done.output.decode()


@pytest.mark.parametrize("name", ON_MIGRATED)
def test_command(bed: Bed, shell: Any, name: str) -> None:
    step = step_of(name)
    if name.endswith("after it was renamed"):
        bed.sql("UPDATE organizations SET name = 'Renamed' WHERE name = 'Seeded'", "commands")
    status, said = run(bed, shell, step, "commands")
    assert status == step["exit_status"], said
    lines = [line.strip().replace("'commands'", "'lago'") for line in said.splitlines()]
    if name != "diagnostics":
        missing = [line for line in telling(step["stderr"]) + telling(step["stdout"]) if line not in lines]
        assert missing == [], said
    if name.endswith("after it was renamed"):
        assert bed.sql("SELECT count(*) FROM organizations WHERE name = 'Seeded'", "commands") == "1", (
            "it makes a second one"
        )


@pytest.mark.parametrize("there", [False, True])
def test_another_schema_is_refused(bed: Bed, shell: Any, there: bool) -> None:
    database = bed.prepare(f"schema-{there}")
    bed.sql("DROP TABLE schema_migrations" + ("; CREATE SCHEMA billing" if there else ""), database)
    name = "migrate with POSTGRES_SCHEMA=billing" + (", the schema exists" if there else "")
    status, said = run(bed, shell, step_of(name), database)
    assert status == 1
    assert step_of(name)["stderr"].splitlines()[0] in said


def test_diagnostics_show_no_secret(bed: Bed, shell: Any) -> None:
    planted = {"LAGO_SMTP_PASSWORD": "canary-smtp", "SECRET_KEY_BASE": "canary-base"}
    planted["REDIS_URL"] = "redis://:canary-redis@127.0.0.1:6379"
    planted["LAGO_REDIS_CACHE_URL"] = "redis://:canary-cache@127.0.0.1:6379"
    status, said = run(bed, shell, {"command": "rails lago:diagnostics", "environment": planted}, "commands")
    assert status == 0
    assert "== Database" in said
    assert "canary" not in said
    assert "lagopw" not in said


def test_nothing_of_python_is_to_be_seen(shell: Any) -> None:
    assert shell.exec_run(["which", "ruby", "psql", "curl", "timeout", "bash", "bundle"]).exit_code == 0
    assert shell.exec_run(["which", "python3", "python"]).exit_code == 1
    assert shell.exec_run(["ruby", "-rjson", "-rnet/http", "-e", "puts 1"]).output == b"1\n"


def test_unknown_commands_are_refused(shell: Any) -> None:
    for command in (["rails", "runner", "puts 1"], ["rails", "no:such:task"], ["no-such-command"]):
        assert shell.exec_run(["bundle", "exec", *command]).exit_code != 0
