# SPDX-License-Identifier: GPL-3.0-or-later
"""A server in a folder: its volumes, its deployment, and a Docker and an age that do as they are told."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from lago_backup import __main__ as program

FACTS: dict[str, Any] = {
    "major": 15,
    "tables": 2,
    "bytes": 4096,
    "extensions": {"plpgsql": "1.0"},
    "migrations": 3,
    "last_migration": "20260101000000",
    "organizations": 1,
    "users": 1,
}
#: Redis sends a mark after it, as long as it does not know the length beforehand.
QUEUE = b"REDIS0011" + b"a job" * 9 + b"\xff" + b"checksum"
DOCKER = r"""#!/bin/sh
# A database is a file in $HERE/databases that holds its facts, and a dump of it is a copy.
echo "$*" >> "$HERE/log"
known() { test ! -e "$HERE/fails/$1" || { cat "$HERE/fails/$1" >&2; exit 1; }; }
previous=; base=; last=
for word in "$@"; do test "$previous" != --dbname || base=$word; previous=$word last=$word; done
cd "$HERE/databases" || exit
case "$*" in
  "volume inspect "*) test -d "$HERE/volumes/$last" || exit 1; echo "$HERE/volumes/$last/_data" ;;
  "info "*) echo "$HERE" ;;
  "ps "*volume=*) cat "$HERE/users" ;;
  "ps "*) cat "$HERE/running" ;;
  "stop "*) known stop ;;
  *"--entrypoint ruby "*)
    known s3; cat > "$HERE/script"
    for word in "$@"; do case $word in *:/backup*) folder=${word%%:/backup*} ;; esac; done
    set -- $(echo "$*" | sed 's/.* - //')
    way=$1 place=$HERE/s3/$2/$3; shift 3; mkdir -p "$place"
    for file in "$@"; do
      case $way in put) cp "$folder/$file" "$place/$file" ;; get) cp "$place/$file" "$folder/$file" || exit 1 ;; esac
    done ;;
  *"--version") known version; echo "program (PostgreSQL) $(cat "$HERE/client")" ;;
  *"--list") known list; cat "$HERE/list" ;;
  *" redis-cli "*) cat "$HERE/queue" ;;
  *" pg_dump "*) known dump; cat "$base" ;;
  *" pg_restore "*) known fill; cat > "$base" ;;
  *" psql "*)
    known psql
    while IFS= read -r line; do
      first=${line#*[\"\']} first=${first%%[\"\']*}
      case $line in
        *pg_export_snapshot*) echo 00000003-1 ;;
        *json_build_object*) cat "$base" ;;
        *rolcreatedb*) cat "$HERE/createdb" ;;
        *"FROM pg_database"*) find . -name "$first" | wc -l ;;
        "DROP DATABASE"*) rm -f "$first" ;;
        "ALTER DATABASE"*) to=${line%\"*}; mv "$first" "${to##*\"}" ;;
      esac
    done ;;
esac
"""
AGE = r"""#!/bin/sh
# An encrypted file begins with its recipient.
case $1 in
  --encrypt) { echo "$5"; cat "$6"; } > "$3" ;;
  --decrypt)
    read -r identity
    test "$identity" = "$(head -n 1 "$6")" || { echo "age: no identity matched" >&2; exit 1; }
    tail -n +2 "$6" > "$5" ;;
esac
"""


class Server:
    """What a test sees of the server, and can change."""

    def __init__(self, here: Path) -> None:
        self.here = here
        self.directory = here / "opt"
        self.backups = here / "backups"
        self.settings: dict[str, Any] = {
            "project": "lago",
            "directory": str(self.directory),
            "backups": str(self.backups),
            "keep": 2,
            "recipients": [],
            "rehearse": False,
            "versions": {"api": "v1.51.0", "front": "v1.51.0"},
            "postgres": {
                "client": ["docker", "exec", "-i", "db"],
                "image": "pg:15",
                "user": "lago",
                "database": "lago",
                "volume": "lago_db-data",
                "external": False,
            },
            "redis": {"client": ["docker", "exec", "-i", "redis"], "uid": os.getuid()},
            "volumes": {"queue": "lago_redis-data", "storage": "lago_storage", "proxy": "lago_proxy-data"},
            "s3": {},
            "unencrypted": False,
        }
        for name in ("databases", "fails", "bin"):
            (here / name).mkdir()
        for name in ("lago_redis-data", "lago_storage", "lago_proxy-data", "lago_db-data"):
            (here / "volumes" / name / "_data").mkdir(parents=True)
        for name, text in (("docker", DOCKER), ("age", AGE)):
            (here / "bin" / name).write_text(text)
            (here / "bin" / name).chmod(0o755)
        (here / "client").write_text("15.4")
        (here / "createdb").write_text("f\n")
        (here / "list").write_text("1; 0 1 TABLE DATA public users lago\n")
        (here / "queue").write_bytes(QUEUE + b"0123456789" * 4)
        for name in ("users", "running"):
            (here / name).touch()
        self.directory.mkdir()
        self.file("secrets.json").write_text(json.dumps({"fingerprints": {"secret_key_base": "f"}}))
        self.file("api_key.json").write_text("{}")
        self.database(FACTS)
        (self.volume("storage") / "ab").mkdir(mode=0o750)
        (self.volume("storage") / "ab" / "file").write_text("invoice")
        (self.volume("proxy") / "account").write_text("acme")

    def file(self, name: str) -> Path:
        return self.directory / name

    def volume(self, part: str) -> Path:
        return self.here / "volumes" / self.settings["volumes"][part] / "_data"

    def database(self, facts: dict[str, Any] | None = None, name: str = "lago") -> dict[str, Any] | None:
        """What is in a database, after putting something there."""
        path = self.here / "databases" / name
        if facts is not None:
            path.write_text(json.dumps(facts) + "\n")
        return json.loads(path.read_text()) if path.exists() else None

    def fails(self, what: str, says: str = "it broke") -> None:
        (self.here / "fails" / what).write_text(says)

    def asked(self) -> str:
        """The command lines of all that was started."""
        return (self.here / "log").read_text()

    def names(self) -> list[str]:
        return sorted(path.name for path in self.backups.iterdir())


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Server:
    made = Server(tmp_path)
    monkeypatch.setenv("HERE", str(tmp_path))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    ticks = iter(range(100))
    monkeypatch.setattr("lago_backup.take.now", lambda: f"20260101T0000{next(ticks):02}Z")
    return made


class Ran:
    """How a run of the program ended."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.err = code, err.strip()
        self.said: dict[str, Any] = json.loads(out) if out else {}


@pytest.fixture
def run(server: Server, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs the program as its command line does."""

    class Stdin:
        def __init__(self, text: bytes) -> None:
            self.buffer = self
            self.text = text

        def read(self) -> bytes:
            return self.text

    def start(*arguments: str, identity: bytes = b"") -> Ran:
        path = server.file("backup.json")
        path.write_text(json.dumps(server.settings))
        monkeypatch.setattr("sys.stdin", Stdin(identity))
        code = program.main(["--settings", str(path), *arguments])
        return Ran(code, *capsys.readouterr())

    return start


def sha256sum(path: Path) -> int:
    """What the program of this name says of a file with checksums."""
    return subprocess.run(["sha256sum", "--check", "--quiet", path.name], cwd=path.parent, check=False).returncode
