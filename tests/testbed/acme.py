# SPDX-License-Identifier: GPL-3.0-or-later
"""An ACME server: Pebble in a container of its own, with a DNS that a test fills in."""

from __future__ import annotations

import json
import ssl
import urllib.request
from typing import Any

from testbed import containers, images
from testbed.engine import client, wait_for

_CONFIG = {
    "listenAddress": "0.0.0.0:14000",
    "managementListenAddress": "0.0.0.0:15000",
    "certificate": "cert.pem",
    "privateKey": "key.pem",
    "httpPort": 80,
    "tlsPort": 443,
    "ocspResponderURL": "",
}


class AcmeServer:
    """One ACME server by its container's name."""

    def __init__(self, name: str) -> None:
        """Take the container that is there, or make one."""
        images.build_all((images.ACME,))
        if containers.find(name) is None:
            client().containers.run(images.ACME.alias, name=name, detach=True, labels=containers.labels("service"))
        self._container: Any = containers.find(name)
        wait_for("the ACME server's own certificate", lambda: bool(self._shell("cat", "ca.pem")), 30)

    @property
    def address(self) -> str:
        """Its address on the bridge."""
        self._container.reload()
        return str(self._container.attrs["NetworkSettings"]["IPAddress"])

    @property
    def directory(self) -> str:
        """The URL that clients are given."""
        return f"https://{self.address}:14000/dir"

    def start(self, life: int, customers: dict[str, str] | None = None) -> None:
        """Start Pebble anew, which forgets all accounts and makes a root of its own.

        :param life: seconds that a certificate is valid for.
        :param customers: key ids and their HMAC keys (base64url), to one of which an account must be bound.
        """
        self._shell("sh", "-c", "for pid in $(pidof pebble); do kill $pid; done")
        bound = {"externalAccountBindingRequired": bool(customers), "externalAccountMACKeys": customers or {}}
        config = json.dumps({"pebble": {**_CONFIG, **bound, "certificateValidityPeriod": life}})
        self._shell("sh", "-c", f"cat >config.json <<'END'\n{config}\nEND")
        self._container.exec_run(
            ["sh", "-c", "exec pebble -config config.json -dnsserver 127.0.0.1:8053 >>pebble.log 2>&1"],
            detach=True,
            environment={"PEBBLE_VA_NOSLEEP": "1"},
        )
        wait_for("Pebble to answer", self._answers, 30)

    def point(self, name: str, address: str) -> None:
        """Have the server's DNS say where a name is."""
        for what, said in (("clear-a", {"host": name}), ("add-a", {"host": name, "addresses": [address]})):
            body = json.dumps(said).encode()
            urllib.request.urlopen(f"http://{self.address}:8055/{what}", body, timeout=10).close()

    @property
    def roots(self) -> str:
        """Return what a client must trust, in PEM: of the server's own HTTPS, and of what it issues."""
        with self._ask(":15000/roots/0") as answer:
            return str(self._shell("cat", "ca.pem") + answer.read().decode())

    @property
    def orders(self) -> int:
        """Return how many orders this Pebble took since the container was made.

        Requests are not counted: Pebble refuses one nonce in twenty, and what was asked with it is asked again.
        """
        return int(self._shell("sh", "-c", "grep -c 'Added order' pebble.log || true") or 0)

    def remove(self) -> None:
        """Remove the container."""
        containers.remove(self._container.name)

    def _ask(self, what: str) -> Any:
        trusting = ssl.create_default_context(cadata=self._shell("cat", "ca.pem"))
        return urllib.request.urlopen(f"https://{self.address}{what}", timeout=10, context=trusting)

    def _answers(self) -> bool:
        try:
            self._ask(":14000/dir").close()
        except OSError:
            return False
        return True

    def _shell(self, *argv: str) -> str:
        code, said = containers.run(self._container.name, *argv)
        return "" if code else said.strip() + "\n"
