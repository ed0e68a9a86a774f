# SPDX-License-Identifier: GPL-3.0-or-later
"""The edge with one configuration after the other, and who asks it."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edge.asker import Asker
from edge.caddy import Caddy, build, write_all
from edge.configurations import CONFIGURATIONS, DOMAIN, NAMES, Configuration
from outside.authority import Authority
from testbed.engine import wait_for


class Edge:
    """A configuration that runs, and who asks it."""

    def __init__(self, caddy: Caddy, authority: Authority) -> None:
        self.caddy = caddy
        self._authority = authority
        self.runs = CONFIGURATIONS[0]

    def load(self, configuration: Configuration) -> None:
        self.caddy.load(configuration)
        self.runs = configuration
        if configuration.mode == "selfsigned":
            wait_for("certificates of Caddy's own", self._shakes_hands, 20, every=0.05)

    def _shakes_hands(self) -> bool:
        try:
            for host in {DOMAIN, self.runs.api_host, *self.runs.redirected}:
                asker = self.asker(host)
                asker.connect()
                asker.close()
        except OSError:
            return False
        return True

    @property
    def root(self) -> str:
        """The root certificate that clients of this mode know."""
        return self.caddy.root if self.runs.mode == "selfsigned" else self._authority.root

    def trust(self) -> ssl.SSLContext:
        """What a client trusts who knows this root and no other."""
        return ssl.create_default_context(cadata=self.root)

    def asker(self, host: str, secure: bool | None = None) -> Asker:
        """Somebody who asks a host in the way that the mode is made for, or over TLS, or plainly."""
        secure = self.runs.tls if secure is None else secure
        port = self.runs.https_port if secure else self.runs.http_port
        return Asker(self.caddy.address, host, port, self.trust() if secure else None)


@contextmanager
def edge(folder: Path, configurations: list[Configuration]) -> Iterator[Edge]:
    """Have the role write these configurations to an empty folder, and run a Caddy that can load them."""
    authority = Authority()
    for kind in ("ecdsa", "rsa"):
        issued = authority.issue(*NAMES, kind=kind)
        (folder / f"{kind}.pem").write_text(issued.chain)
        (folder / f"{kind}.key").write_text(issued.key)
    build()
    write_all(configurations, folder)
    with Caddy(folder) as caddy:
        for name in NAMES:
            caddy.keep(authority.issue(name), name)
        yield Edge(caddy, authority)
