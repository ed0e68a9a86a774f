# SPDX-License-Identifier: GPL-3.0-or-later
"""A real Caddy that takes one configuration after the other, before a second one that is API and front to it."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from edge.configurations import Configuration
from outside.authority import Issued
from project import COLLECTIONS, ROOT
from testbed import containers, engine, images
from testbed.engine import client, wait_for
from testbed.settings import alone

HERE = Path(__file__).parent
IMAGE = "testbed/proxy:latest"
# Says who it is and what it was asked, in headers: a path may hold anything.
BEHIND = """
{
	admin off
	auto_https off
}
(told) {
	header X-Path {http.request.orig_uri}
	header X-Host {http.request.host}
	header X-For {http.request.header.X-Forwarded-For}
	header X-Proto {http.request.header.X-Forwarded-Proto}
	header Server whoever
}
http://:3000 {
	import told
	header X-Who api
	respond "{}"
}
http://:80 {
	import told
	header X-Who front
	header Cache-Control no-cache
	header Content-Security-Policy "frame-ancestors localhost;"
	header Content-Type text/html
	respond "<!doctype html><html>LONG</html>"
}
""".replace("LONG", "<p>As long as pages are.</p>" * 100)
START = "rm -rf /etc/caddy && ln -s /srv/first /etc/caddy && exec caddy run --config /srv/first/Caddyfile"
FIRST = "{\n\tadmin localhost:2019\n}\n"
LOAD = "ln -sfn /srv/$0/proxy /etc/caddy && exec caddy reload --config /etc/caddy/Caddyfile --adapter caddyfile"
ORDERED_FROM = "acme-v02.api.letsencrypt.org-directory"
SECRETS = ("secret_key_base", "rsa_private_key", "encryption_primary_key", "encryption_deterministic_key",
           "encryption_key_derivation_salt", "postgres_password", "redis_password", "redis_cache_password")  # fmt: skip


def build() -> None:
    """Build the proxy's image, unless it is there."""
    with alone():
        engine.start()
        images.build_base("13")
        images.build_all(tuple(image for image in images.REAL if image.name == "proxy"))


def write_all(configurations: list[Configuration], folder: Path) -> None:
    """Have the role write the files of every configuration, each to a folder of its name."""
    given = {
        # What a run knows by then of the server, and the secrets, of which none is in the edge's files.
        "__lago_server": {"server": {"proxy": None, "files": {}, "containers": {}, "volumes": []}},
        "__lago_secrets": {"file_key": "0" * 64, "secrets": dict.fromkeys(SECRETS, "none")},
        "ansible_connection": "local",
        "ansible_python_interpreter": sys.executable,
    }
    hosts = {one.name: {**one.variables, "lago_directory": str(folder / one.name)} for one in configurations}
    inventory = folder / "inventory.yml"
    inventory.write_text(yaml.safe_dump({"all": {"vars": given, "hosts": hosts}}))
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", str(inventory), str(HERE / "render.yml")]
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS), "ANSIBLE_FORKS": "4"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]


class Caddy:
    """Two containers and their network, for the length of a `with`."""

    def __init__(self, folder: Path) -> None:
        """`folder` holds a folder of each configuration's files; Caddy's own files are in `data` of it."""
        self._folder = folder
        self._mark = secrets.token_hex(3)
        self.data = folder / "data"
        self._containers: list[Any] = []
        for name, text in (("behind", BEHIND), ("first", FIRST)):
            (folder / name).mkdir()
            (folder / name / "Caddyfile").write_text(text)
        self._network = client().networks.create(f"edge-{self._mark}", labels=containers.labels("edge"))

    def __enter__(self) -> Caddy:
        try:
            self._run("behind", ["caddy", "run", "--config", "/srv/behind/Caddyfile"], ["api", "front"])
            self._proxy = self._run("proxy", ["sh", "-c", START], ["proxy"])
            self._proxy.reload()
            place = self._proxy.attrs["NetworkSettings"]["Networks"][self._network.name]
            self.address, self.own_address = place["IPAddress"], place["Gateway"]
            asked = ["wget", "-qO-", "http://localhost:2019/config/"]
            wait_for("Caddy", lambda: self._proxy.exec_run(asked).exit_code == 0, 20, every=0.1)
        except BaseException:
            self.__exit__()
            raise
        return self

    def _run(self, name: str, command: list[str], aliases: list[str]) -> Any:
        api = client().api
        endpoint = api.create_networking_config({self._network.name: api.create_endpoint_config(aliases=aliases)})
        host = api.create_host_config(binds=[f"{self._folder}:/srv:ro", f"{self.data}:/data"])
        made = api.create_container(
            IMAGE,
            command,
            name=f"edge-{self._mark}-{name}",
            labels=containers.labels("edge"),
            host_config=host,
            networking_config=endpoint,
        )
        container = client().containers.get(made["Id"])
        self._containers.append(container)
        container.start()
        return container

    def load(self, configuration: Configuration) -> None:
        """Have it run a configuration."""
        done = self._proxy.exec_run(["sh", "-c", LOAD, configuration.name])
        assert done.exit_code == 0, f"Caddy refuses {configuration.name}:\n{done.output.decode()}"

    def keep(self, issued: Issued, name: str) -> None:
        """Put a certificate where Caddy looks for those that it ordered, so that it orders none."""
        folder = self.data / "caddy" / "certificates" / ORDERED_FROM / name
        folder.mkdir(parents=True)
        (folder / f"{name}.crt").write_text(issued.chain)
        (folder / f"{name}.key").write_text(issued.key)
        (folder / f"{name}.json").write_text(json.dumps({"sans": [name], "issuer_data": {"url": "none"}}))

    @property
    def root(self) -> str:
        """The root certificate of Caddy's own authority, once it made one."""
        return (self.data / "caddy" / "pki" / "authorities" / "local" / "root.crt").read_text()

    def __exit__(self, *_error: object) -> None:
        for container in self._containers:
            container.remove(force=True, v=True)
        self._network.remove()
