# SPDX-License-Identifier: GPL-3.0-or-later
"""All the places of a server in which a run could leave a secret."""

from __future__ import annotations

import base64
import json
import subprocess
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import IO, Any

from ansible_collections.selfhosted.lago.plugins.module_utils._kept_secrets import READERS
from leaks.canaries import Canary, inside_rsa

from outside.deployment import Deployment

HERE = Path(__file__).resolve().parent
SEEN = "/root/processes-seen"
# Where Docker itself keeps the environment of running containers, and the journal, which is asked in words
NOT_OURS = ("run/containerd", "run/docker", "run/log", "run/systemd", "run/udev")
LEFT = ("tmp", "var/tmp", "root", "run", "dev/shm", "opt/lago")
LOOKED_AT = ("container", "network", "volume")


class Server(Deployment):
    """A server with a deployment on it, searched by its owner."""

    def watch(self) -> None:
        """Begin to note command lines."""
        source = (HERE / "sampler.py").read_text()
        self.shell("rm", "-f", SEEN, f"{SEEN}.stop")
        self._container.exec_run(["python3", "-c", source, SEEN, "0.05"], detach=True)

    def write(self, path: str, text: str) -> None:
        """Write a file of root's, without naming its content in a command line."""
        command = ["docker", "exec", "-i", self.server, "sh", "-c", 'umask 077; cat > "$0"', path]
        subprocess.run(command, input=text.encode(), check=True)

    def build(self, image: str, dockerfile: str) -> None:
        """Make an image on the server."""
        command = ["docker", "exec", "-i", self.server, "docker", "build", "-q", "-t", image, "-"]
        subprocess.run(command, input=dockerfile.encode(), stdout=subprocess.DEVNULL, check=True)

    def left(self) -> dict[str, bytes]:
        """End the watch; return all that could hold a secret, by where it is."""
        self.shell("touch", f"{SEEN}.stop")
        time.sleep(0.2)
        return {
            "journal": self.shell("journalctl", "-o", "export", "--no-pager").encode(),
            "docker inspect": self._inspected(),
            "logs of containers": self._logs(),
            **{f"file /{name}": content for name, content in self._files()},
        }

    def _inspected(self) -> bytes:
        found: list[dict[str, Any]] = []
        for kind in LOOKED_AT:
            listing = ["docker", kind, "ls", "-q"] + (["-a"] if kind == "container" else [])
            names = self.shell(*listing).split()
            found += json.loads(self.shell("docker", kind, "inspect", *names)) if names else []
        for entry in found:
            entry.get("Config", {}).pop("Env", None)
        return json.dumps(found, ensure_ascii=False).encode()

    def _logs(self) -> bytes:
        ids = self.shell("docker", "ps", "-aq").split()
        return "".join(self.shell("docker", "logs", one) for one in ids).encode()

    def _files(self) -> Iterator[tuple[str, bytes]]:
        # Where secrets are kept on purpose, for root alone, is looked at elsewhere
        kept = [f"--exclude=opt/lago/{pattern}" for pattern in READERS] + [f"--exclude={path}" for path in NOT_OURS]
        for entry, content in self._packed(*kept, *LEFT):
            # The name counts too
            yield entry.name, entry.name.encode() + b"\n" + content

    def kept(self) -> dict[str, tuple[int, bytes]]:
        """Return the modes and the texts of the files in which secrets belong, by name."""
        found = ((entry.name.removeprefix("opt/lago/"), entry, content) for entry, content in self._packed("opt/lago"))
        return {
            name: (entry.mode, content)
            for name, entry, content in found
            if entry.isfile() and any(PurePath(name).match(pattern) for pattern in READERS)
        }

    def _packed(self, *arguments: str) -> Iterator[tuple[tarfile.TarInfo, bytes]]:
        command = ["docker", "exec", self.server, "tar", "-C", "/", "-c", "--ignore-failed-read", *arguments]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as packing:
            stream: IO[bytes] | None = packing.stdout
            with tarfile.open(fileobj=stream, mode="r|") as archive:
                for entry in archive:
                    content = archive.extractfile(entry) if entry.isfile() else None
                    yield entry, content.read() if content else b""

    def secrets(self) -> list[Canary]:
        """Return what was made here: by the role, and by Lago."""
        kept = json.loads(self.read(f"{self.directory}/secrets.json"))
        made = [Canary(name, value) for name, value in kept["secrets"].items()]
        made += [Canary("file_key", kept["file_key"])]
        if "rsa_private_key" in kept["secrets"]:
            made += [inside_rsa("rsa_private_key", base64.b64decode(kept["secrets"]["rsa_private_key"]).decode())]
        # Where a Lago was taken over there is none yet
        return [*made, *([Canary("api_key", self.key)] if self.exists(f"{self.directory}/api_key.json") else [])]
