# SPDX-License-Identifier: GPL-3.0-or-later
"""The server's part of an explanation: the services that are not well, and no secret."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

#: A Docker whose API died with a secret on its lips.
DOCKER = r"""#!/bin/sh
case "$1 $2" in
  "ps -a") printf 'api0\ndb0\nmigrate0\n' ;;
  "container inspect") cat "$ANSWERS/inspect" ;;
  "logs --timestamps")
    test -e "$ANSWERS/log" && tail -n "$4" "$ANSWERS/log" && exit
    echo "2026-01-31T12:00:02Z second"
    echo "2026-01-31T12:00:01Z bad URI: postgresql://lago:s3cret%21@db" >&2 ;;
  *) echo "unexpected: $*" >&2; exit 64 ;;
esac
"""


def container(service: str, oneoff: bool = False, **state: Any) -> dict[str, Any]:
    labels = {"com.docker.compose.service": service, "com.docker.compose.oneoff": str(oneoff)}
    return {"Id": f"{service}0", "Name": f"/lago-{service}-1", "Config": {"Labels": labels}, "State": state}


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    docker = tmp_path / "bin" / "docker"
    docker.parent.mkdir()
    docker.write_text(DOCKER)
    docker.chmod(0o755)
    found = [
        container("api", Status="exited", ExitCode=1, Health={"Status": "unhealthy"}),
        container("db", Status="running", Health={"Status": "healthy"}),
        container("migrate", oneoff=True, Status="exited", ExitCode=0),
        container("worker", Status="exited", ExitCode=143),
    ]
    (tmp_path / "inspect").write_text(json.dumps(found))
    (tmp_path / "secrets.json").write_text(json.dumps({"secrets": {"postgres_password": "s3cret!"}, "file_key": "k"}))
    monkeypatch.setenv("PATH", f"{docker.parent}:/usr/bin:/bin")
    monkeypatch.setenv("ANSWERS", str(tmp_path))
    return tmp_path


def test_the_services_that_are_not_well_are_told_with_their_last_lines(run_module: Any, directory: Path) -> None:
    ran = run_module("explain_failure", {"directory": str(directory), "lines": 5, "hide": ["hunter22"]})
    told = [(one["service"], one["state"], one["exit_code"]) for one in ran["services"]]
    assert told == [("api", "exited", 1), ("worker", "exited", 143)]
    assert ran["services"][1]["lines"] == [], "it ended when it was asked to"
    lines = ran["services"][0]["lines"]
    assert lines == ["2026-01-31T12:00:01Z bad URI: postgresql://********@db", "2026-01-31T12:00:02Z second"]
    assert "s3cret" not in ran.text


#: What Ruby says when Lago cannot boot, as it is in the log of its container.
BACKTRACE = """\
=> Booting Puma
Exiting
/app/config/initializers/license.rb:7:in '<main>': it is not to be had (RuntimeError)
\tfrom /usr/local/bundle/gems/railties-8.0.5/lib/rails/engine.rb:688:in 'Kernel.load'
\tfrom /usr/local/bundle/gems/railties-8.0.5/lib/rails/engine.rb:688:in `block in load_config_initializer'
\t ... 12 levels...
bundler: failed to load command: sidekiq (/usr/local/bundle/bin/sidekiq)
/usr/local/bundle/gems/sidekiq-7.3.10/lib/sidekiq/cli.rb:41:in 'block (2 levels) in Sidekiq::CLI#run'
"""


def test_what_ruby_says_is_not_lost_behind_its_backtrace(run_module: Any, directory: Path) -> None:
    log = [f"2026-01-31T12:00:{number:02}Z {line}" for number, line in enumerate(BACKTRACE.splitlines())]
    (directory / "log").write_text("\n".join(log) + "\n")
    lines = run_module("explain_failure", {"directory": str(directory), "lines": 3})["services"][0]["lines"]
    assert [line.partition("Z ")[2] for line in lines] == [
        "Exiting",
        "/app/config/initializers/license.rb:7:in '<main>': it is not to be had (RuntimeError)",
        "bundler: failed to load command: sidekiq (/usr/local/bundle/bin/sidekiq)",
    ]


def test_the_texts_that_it_is_given_come_back_without_secrets(run_module: Any, directory: Path) -> None:
    args = {"directory": str(directory), "hide": ["hunter22"], "texts": ["a hunter22 b s3cret! c"], "lines": 0}
    ran = run_module("explain_failure", args)
    assert ran["texts"] == ["a ******** b ******** c"]
    assert ran["services"][0]["lines"] == []
