# SPDX-License-Identifier: GPL-3.0-or-later
"""A machine that runs playbooks and keeps all that they say and leave behind."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from leaks.sampler import __file__ as SAMPLER

from older_core import VENV
from project import COLLECTIONS

HERE = Path(__file__).resolve().parent
ARGUMENTS = ("-vvv", "--diff")
CORES = {"oldest": VENV / "bin", "newest": Path(sys.executable).parent}


@dataclass
class Run:
    """One run: its exit code and everything that it said, by where."""

    code: int
    said: dict[str, bytes] = field(default_factory=dict)

    @property
    def output(self) -> str:
        return self.said["output"].decode(errors="replace")


class Controller:
    """A home, a working directory and a log of its own in one place."""

    def __init__(self, place: Path, server: str) -> None:
        self.place = place
        for name in ("home", "work", "tmp", "facts", "said"):
            (place / name).mkdir(parents=True)
        # What an operator writes, which is not searched: the inventory, and the secrets in a file of their own
        self.given = place.parent / f"{place.name}-given"
        self.given.mkdir()
        host = {"ansible_connection": "community.docker.docker", "ansible_python_interpreter": "/usr/bin/python3"}
        self.inventory = Path(self._write("inventory.yml", {"lago": {"hosts": {server: host}}}))
        self._sampler: subprocess.Popen[bytes] | None = None

    def _write(self, name: str, content: Any) -> str:
        path = self.given / name
        path.write_text(yaml.safe_dump(content, allow_unicode=True))
        return str(path)

    def run(
        self, name: str, core: str, playbook: str, secrets: dict[str, Any], *arguments: str, **variables: Any
    ) -> Run:
        """Run a playbook of this folder, or of the collection, on one of the supported ansible-cores."""
        own = HERE / "plays" / f"{playbook}.yml"
        log, record = (self.place / "said" / f"{name}.{kind}" for kind in ("log", "json"))
        command = [str(CORES[core] / "ansible-playbook"), str(own) if own.exists() else playbook]
        command += ["-i", str(self.inventory), *ARGUMENTS, *arguments]
        for file, content in (("secrets.yml", secrets), ("variables.yml", variables)):
            command += ["-e", f"@{self._write(file, content)}"]
        done = subprocess.run(
            command,
            cwd=self.place / "work",
            env=self._environment(log, record),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        said = {
            "output": done.stdout,
            "log": log.read_bytes(),
            "callback": record.read_bytes() if record.exists() else b"",
        }
        return Run(done.returncode, said)

    def _environment(self, log: Path, record: Path) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
        return {
            **inherited,
            "HOME": str(self.place / "home"),
            "TMPDIR": str(self.place / "tmp"),
            # The oldest ansible-core brings no collections along: it uses those of the newest
            "ANSIBLE_COLLECTIONS_PATH": f"{COLLECTIONS}:{sysconfig.get_path('purelib')}",
            "ANSIBLE_PIPELINING": "true",
            "ANSIBLE_NOCOLOR": "true",
            "ANSIBLE_LOG_PATH": str(log),
            "ANSIBLE_CALLBACK_PLUGINS": str(HERE / "callback"),
            "ANSIBLE_CALLBACKS_ENABLED": "record",
            "RECORD_TO": str(record),
            "ANSIBLE_CACHE_PLUGIN": "ansible.builtin.jsonfile",
            "ANSIBLE_CACHE_PLUGIN_CONNECTION": str(self.place / "facts"),
        }

    def watch(self) -> None:
        """Begin to note command lines."""
        command = [sys.executable, SAMPLER, str(self.place / "processes"), "0.05"]
        self._sampler = subprocess.Popen(command)

    def left(self) -> dict[str, bytes]:
        """End the watch; return what there is now besides what the runs said."""
        (self.place / "processes.stop").touch()
        if self._sampler:
            self._sampler.wait(timeout=20)
        said = self.place / "said"
        files = (path for path in self.place.rglob("*") if path.is_file() and said not in path.parents)
        found = {f"controller: {path.relative_to(self.place)}": path.read_bytes() for path in files}
        return {**found, **dict(self._packed())}

    def bundles(self) -> list[Path]:
        """Return the support bundles, which are written where one works."""
        return sorted((self.place / "work").glob("lago-support-*.tar.gz"))

    def _packed(self) -> Iterator[tuple[str, bytes]]:
        for path in self.bundles():
            with tarfile.open(path) as archive:
                for entry in archive:
                    content = archive.extractfile(entry)
                    yield f"controller: {path.name} {entry.name}", content.read() if content else b""
