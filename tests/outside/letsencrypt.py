# SPDX-License-Identifier: GPL-3.0-or-later
"""A deployment with certificates of an ACME server, and a client that asks it all the while."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from outside.authority import Issued
from outside.deployment import CACHE, ROOT, Deployment, Run
from outside.lago_user import Answer, LagoUser
from testbed import servers
from testbed.acme import AcmeServer

SERVER = "testbed-tls-letsencrypt"
NAME = "billing.example.com"


class Edge(Deployment):
    """A deployment with certificates of an ACME server, which a test may move, break and put right."""

    def __init__(self, acme: AcmeServer) -> None:
        super().__init__(SERVER, ROOT / "molecule" / "tls_letsencrypt" / "inventory.yml")
        self.acme = acme
        self.roots = CACHE / f"{SERVER}-roots.pem"
        self.variables: dict[str, Any] = {
            "lago_acme_directory": acme.directory,
            "lago_acme_trusted_roots": str(self.roots),
            "lago_acme_email": "ops@example.com",
        }

    def run(self, *arguments: str, playbook: str = "selfhosted.lago.site", **variables: Any) -> Run:
        return super().run(*arguments, playbook=playbook, **{**self.variables, **variables})

    def stack(self, *verbs: str, **variables: Any) -> Run:
        playbook = str(ROOT / "molecule" / "lifecycle" / "stack.yml")
        return self.run(playbook=playbook, verbs=list(verbs), **variables)

    def know(self, *names: str) -> None:
        """Have names lead to the server, for itself and for the ACME server."""
        for name in names:
            self.acme.point(name, self.address)
            self.shell("sh", "-c", f"echo 127.0.0.1 {name} >>/etc/hosts")

    def trust(self, root: str | None = None) -> None:
        """Trust another root certificate: of what the ACME server issues now, if none is given."""
        self.roots.write_text(self.roots.read_text() + (root or self.acme.roots))

    def proxy(self, script: str) -> str:
        return self.shell("docker", "exec", "lago-proxy-1", "sh", "-c", script)

    def ask(self, url: str = f"https://{NAME}", path: str = "/health") -> Answer:
        """Ask as a client that trusts the ACME server's roots."""
        return LagoUser(url, connect_to=self.address, cafile=str(self.roots)).request("GET", path)

    def serial(self, name: str = NAME) -> str:
        """Return the serial number of the certificate that answers to a name, whoever signed it."""
        context = ssl.create_default_context(cafile=str(self.roots))
        plain = socket.create_connection((self.address, 443), timeout=10)
        with context.wrap_socket(plain, server_hostname=name) as sock:
            return str((sock.getpeercert() or {})["serialNumber"])

    @contextmanager
    def acme_down(self) -> Iterator[None]:
        """No way from the server to its ACME server."""
        rule = ["FORWARD", "-p", "tcp", "-d", self.acme.address, "--dport", "14000"]
        rule += ["-j", "REJECT", "--reject-with", "tcp-reset"]
        self.shell("iptables", "-I", *rule)
        try:
            yield
        finally:
            self.shell("iptables", "-D", *rule)

    def restart(self) -> None:
        """Start the proxy anew, which then looks at every certificate that it has."""
        self.shell("docker", "restart", "lago-proxy-1")
        wait_until(lambda: self.ask().status == 200)

    def reboot(self) -> None:
        """Restart the server; what its /etc/hosts knew is forgotten."""
        self._container.restart(timeout=90)
        servers.create(self.server, "docker")
        wait_until(lambda: self.ask().status == 200, 120)

    def store(self, name: str, issued: Issued) -> None:
        """Have the proxy find a certificate where it keeps the one that it ordered for a name."""
        for suffix, text in (("crt", issued.chain), ("key", issued.key)):
            place = f"$(echo /data/caddy/certificates/*/{name}/{name}.{suffix})"
            self.proxy(f"cat >{place} <<'END'\n{text}END")

    def hurry(self) -> None:
        """Make the proxy take every certificate for one that is about to end, and look every second."""
        file = f"{self.directory}/proxy/Caddyfile"
        self.shell("sed", "-i", "-e", "3s/{/{\\n\trenew_interval 1s/", file)
        self.shell("sed", "-i", "-e", "s/^\ttls {/\ttls {\\n\t\trenewal_window_ratio 0.9999/", file)
        self.restart()


def wait_until(condition: Any, seconds: float = 60) -> None:
    """Ask until the answer is yes; a connection that is refused is no answer."""
    end = time.monotonic() + seconds
    while True:
        with suppress(ConnectionError):
            if condition():
                return
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.2)
