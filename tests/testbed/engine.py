# SPDX-License-Identifier: GPL-3.0-or-later
"""The Docker Engine that hosts the test bed: used as it is where one runs, else Debian's, started by hand."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import docker
import requests
from docker.errors import DockerException

from testbed.settings import CACHE, TestbedError, say

PACKAGES = {"dockerd": "docker.io", "mmdebstrap": "mmdebstrap", "iptables": "iptables"}
"""Commands that the host needs, and Debian's packages that bring them."""

PID_FILE = CACHE / "dockerd.pid"
LOG_FILE = CACHE / "dockerd.log"
_APT = threading.Lock()  # base images are made two at a time, and apt-get runs once at a time
SYSTEM_PID_FILES = {"dockerd": Path("/var/run/docker.pid"), "containerd": Path("/run/docker/containerd/containerd.pid")}
"""Where the engine's processes say that they run; after a power cut or a SIGKILL they go on saying so."""


def wait_for(what: str, condition: Callable[[], Any], seconds: float, every: float = 0.2) -> Any:
    """Ask until `condition` returns something true and return that; raise when it took too long."""
    end = time.monotonic() + seconds
    while not (answer := condition()):
        if time.monotonic() > end:
            raise TestbedError(f"Waited {seconds:.0f} s in vain for {what}.")
        time.sleep(every)
    return answer


def http_answers(url: str) -> bool:
    """Tell whether a GET of this URL is answered with success."""
    try:
        return requests.get(url, timeout=2).ok
    except requests.RequestException:
        return False


def answers() -> bool:
    """Tell whether an engine answers on the socket of this machine's environment."""
    try:
        api = docker.from_env(timeout=5)
        try:
            return bool(api.ping())
        finally:
            api.close()
    except (DockerException, OSError):
        return False


@lru_cache(maxsize=1)
def client() -> Any:
    """Return the connection to the engine (a long limit: builds and pushes are silent for minutes)."""
    try:
        return docker.from_env(timeout=900)
    except DockerException as error:
        raise TestbedError("No Docker Engine answers: run `up` first.") from error


def apt_get(*arguments: str) -> None:
    """Run apt-get on this machine; its output is shown only when it fails."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    command = ["apt-get", "-q", "-o", "DPkg::Lock::Timeout=300", *arguments]
    with _APT:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise TestbedError(f"apt-get {arguments[0]} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


def install(packages: dict[str, str] = PACKAGES) -> None:
    """Install what the host lacks of these commands with apt-get, from the sources the machine already has."""
    missing = [package for command, package in packages.items() if not shutil.which(command)]
    if not missing:
        return
    say(f"installing {', '.join(missing)}")
    apt_get("update")
    apt_get("install", "-y", "--no-install-recommends", *missing)


def _alive(process: str) -> bool:
    """Tell whether the engine's process runs. A file that names a process of another kind is stale, and is removed:
    the engine would take whoever has the number now for itself and not start."""
    pid_file = SYSTEM_PID_FILES[process]
    try:
        pid = int(pid_file.read_text())
        if Path(f"/proc/{pid}/comm").read_text().strip() == process:
            return True
    except (OSError, ValueError):
        pass
    pid_file.unlink(missing_ok=True)
    return False


def start() -> None:
    """Make sure that an engine answers; where none runs, start dockerd in a session of its own."""
    if answers():
        return
    if os.environ.get("DOCKER_HOST"):
        raise TestbedError("DOCKER_HOST is set but nothing answers there.")
    install()
    _alive("containerd")
    if not _alive("dockerd"):
        CACHE.mkdir(parents=True, exist_ok=True)
        say(f"starting dockerd (log: {LOG_FILE})")
        with LOG_FILE.open("ab") as log:
            process = subprocess.Popen(
                ["dockerd"], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        PID_FILE.write_text(str(process.pid))
    try:
        wait_for("dockerd to answer", answers, 60)
    except TestbedError as error:
        tail = LOG_FILE.read_text(errors="replace")[-2000:] if LOG_FILE.exists() else ""
        raise TestbedError(f"{error}\n{tail}") from error


def stop() -> None:
    """Stop the engine if `start` started it; one that was there before is left alone."""
    try:
        pid = int(PID_FILE.read_text())
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError):
        return
    if command.split(b"\0")[0].endswith(b"dockerd"):
        os.kill(pid, signal.SIGTERM)
        wait_for("dockerd to stop", lambda: not Path(f"/proc/{pid}/root").exists() or not answers(), 60)
    PID_FILE.unlink()
    client.cache_clear()


def address() -> str:
    """Return the engine's address on its default bridge: where containers and this machine both reach it."""
    network = client().networks.get("bridge").attrs
    return str(network["IPAM"]["Config"][0].get("Gateway") or "172.17.0.1")
