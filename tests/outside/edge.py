# SPDX-License-Identifier: GPL-3.0-or-later
"""A deployment whose edge changes: its operator's files, users who trust it in every mode, another proxy before it."""

from __future__ import annotations

import json
import re
import socket
import ssl
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from outside.authority import Authority, Issued
from outside.lago_user import Answer, LagoUser
from outside.lifecycle import Lifecycle, done
from outside.poller import Asked, polled
from testbed.engine import address

DOMAIN, API_DOMAIN = "billing.example.com", "api.example.com"
ROOT = Path(__file__).resolve().parents[2]
GAPS = ROOT / ".cache" / "molecule" / "tls_modes_gaps.json"
NGINX = "/etc/ssl/billing"
"""Where the documented configuration of nginx has its certificate."""
WAITS = ("client_header", "client_body", "proxy_connect", "proxy_send", "proxy_read", "send")
"""What nginx has a limit of a minute for, unless it is told otherwise."""
HURRY = 15
MINUTE = 60 // HURRY  # seconds
"""The minute of an nginx whose time passes fifteen times as fast."""
LOCKED = "FROM pg_locks WHERE relation = 'customers'::regclass AND mode = 'AccessExclusiveLock' AND granted"


class Edge(Lifecycle):
    """:param files: The operator's own folder."""

    def __init__(self, scenario: Path, authority: Authority, files: Path) -> None:
        super().__init__("testbed-tls-modes", scenario, "v1.51.0")
        self.authority, self.files = authority, files
        self.cafile = files / "trusted.pem"
        self.cafile.write_text(authority.root)
        self.variables |= {"lago_tls_ca_file": str(files / "ca.crt")}
        self.use(authority.issue(DOMAIN, API_DOMAIN))

    def use(self, issued: Issued, chain: str | None = None) -> None:
        """Lay a certificate where the operator's variables say."""
        self.used = issued
        (self.files / "chain.pem").write_text(chain or issued.chain)
        (self.files / "key.pem").write_text(issued.key)

    @property
    def gateway(self) -> str:
        """The address of the users, as the server sees them."""
        return address()

    @property
    def provided(self) -> dict[str, str]:
        """The variables of an operator with a certificate."""
        return {
            "lago_tls_mode": "provided",
            "lago_tls_certificate": str(self.files / "chain.pem"),
            "lago_tls_certificate_key": str(self.files / "key.pem"),
        }

    def becomes(self, **variables: Any) -> None:
        """The operator changes these variables for good, and runs the role."""
        self.variables |= variables
        done(self.stack())

    def at(self, url: str, timeout: float = 60) -> LagoUser:
        """Somebody who trusts the authority of certificates and the deployment's own."""
        own = self.files / "ca.crt"
        if own.exists():
            self.cafile.write_text(self.authority.root + own.read_text())
        return LagoUser(url, connect_to=self.address, cafile=str(self.cafile), timeout=timeout)

    @staticmethod
    def event(**properties: object) -> dict[str, dict[str, object]]:
        """An event that was never sent before."""
        known = {"external_subscription_id": "s", "code": "c"}
        return {"event": {"transaction_id": uuid.uuid4().hex, "properties": properties, **known}}

    def known_address(self, url: str, pretending: str, **properties: object) -> str:
        """The address that Lago keeps of somebody who sends an event, and who pretends to ask for another."""
        event = self.event(**properties)
        headers = {"Authorization": f"Bearer {self.key}", "X-Forwarded-For": pretending}
        assert self.at(url).request("POST", "/api/v1/events", event, headers).status == 200
        identity = event["event"]["transaction_id"]
        return self.sql(f"SELECT metadata->>'ip_address' FROM events WHERE transaction_id = '{identity}'")

    @contextmanager
    def long_request(self, url: str) -> Iterator[LongRequest]:
        """A request that Lago answers when it is let."""
        asked = LongRequest(self, url)
        try:
            yield asked
        finally:
            asked.answer()

    @contextmanager
    def watched(self, *origins: tuple[str, str]) -> Iterator[dict[str, Asked]]:
        """Users who ask for health and page ten times a second, each at whichever of these (front, API) is there."""
        pairs = [(self.at(front, 5), self.at(api, 5)) for front, api in origins]
        fronts, apis = [front for front, _ in pairs], [api for _, api in pairs]
        with polled(front=any_of(fronts, "/", "env-config.js"), health=any_of(apis, "/health", "v1.51.0")) as seen:
            yield seen

    def remember(self, switch: str, seen: dict[str, Asked]) -> None:
        """Keep the gaps of a switch, seconds, where the docs' figures come from."""
        kept = json.loads(GAPS.read_text()) if GAPS.exists() else {}
        GAPS.write_text(json.dumps({**kept, switch: {name: round(one.gap, 1) for name, one in seen.items()}}, indent=1))

    def serial(self, host: str = DOMAIN) -> int:
        """The serial number of the certificate that is served."""
        return int(peer(self.address, host, str(self.cafile))["serialNumber"], 16)

    def started(self) -> dict[str, str]:
        """When each container was last started, by service."""
        return {service: one["State"]["StartedAt"] for service, one in self.containers().items()}

    def nginx(self, *names: str) -> None:
        """Another proxy on the server, with the configuration that the docs have for it, for each of these names.

        It waits for its ports. Time passes for it faster, so that what outlasts its minute need not take one.
        """
        text = (ROOT / "docs" / "tls.md").read_text()
        shared, servers = re.findall(r"^```nginx\n(.*?\n)\n(server .*?)^```", text, re.MULTILINE | re.DOTALL)[0]
        hurried = re.sub(r"_timeout (\d+)s", lambda waits: f"_timeout {int(waits[1]) // HURRY}s", servers)
        all_servers = "".join(hurried.replace(DOMAIN, name) for name in names)
        minutes = "".join(f"{what}_timeout {MINUTE}s;\n" for what in WAITS)
        issued = self.authority.issue(*names)
        files = {
            "/etc/nginx/nginx.conf": f"events {{}}\nhttp {{\n{minutes}{shared}{all_servers}}}\n",
            f"{NGINX}/fullchain.pem": issued.chain,
            f"{NGINX}/privkey.pem": issued.key,
        }
        for path, text in files.items():
            self.write(f"/srv/nginx{path}", text)
        self.no_nginx()
        mounts = [
            "-v",
            "/srv/nginx/etc/nginx/nginx.conf:/etc/nginx/nginx.conf:ro",
            "-v",
            f"/srv/nginx{NGINX}:{NGINX}:ro",
        ]
        again = ["sh", "-c", "until nginx -g 'daemon off;'; do :; done"]
        run = ["run", "-d", "--name", "nginx", "--network", "host", *mounts, "--entrypoint", again[0]]
        self.docker(*run, "getlago/front:v1.51.0", *again[1:])

    def no_nginx(self) -> None:
        self.docker("rm", "-f", "nginx", check=False)

    def write(self, path: str, text: str) -> None:
        self.shell("mkdir", "-p", path.rsplit("/", 1)[0])
        self.shell("sh", "-c", f"cat > {path} <<'END OF FILE'\n{text}\nEND OF FILE")


class LongRequest:
    """A customer that is made while the table of customers is locked."""

    def __init__(self, lago: Edge, url: str) -> None:
        lock = ["psql", "-U", "lago", "-d", "lago", "-c", "BEGIN; LOCK TABLE customers; SELECT pg_sleep(1800)"]
        customer = {"customer": {"external_id": "patient", "name": "Patient", "currency": "EUR"}}
        self._lago, pool = lago, ThreadPoolExecutor(max_workers=2)
        pool.submit(lago.docker, "exec", "lago-db-1", *lock, check=False)
        lago.until(f"SELECT EXISTS (SELECT {LOCKED})")
        self._asked = pool.submit(lago.at(url, 1800).rest, "POST", "customers", lago.key, customer)
        self._since = time.monotonic()
        pool.shutdown(wait=False)

    @property
    def waits(self) -> bool:
        """Whether it was not answered yet."""
        return not self._asked.done()

    def answer(self, after: float = 0) -> Answer:
        """Let Lago answer, when so many seconds have passed since it was asked."""
        time.sleep(max(0.0, self._since + after - time.monotonic()))
        self._lago.sql(f"SELECT pg_terminate_backend(pid) {LOCKED}")
        return self._asked.result()


def any_of(users: list[LagoUser], path: str, expected: str) -> Callable[[], None]:
    """A question that is answered when one of them gets what is expected; fails as it did with the last."""

    def ask() -> None:
        for user in users[:-1]:
            try:
                return one(user)
            except (OSError, AssertionError):
                pass
        return one(users[-1])

    def one(user: LagoUser) -> None:
        answer = user.request("GET", path)
        assert answer.status == 200 and expected in answer.text, f"{user.url}{path}: {answer.status}"

    return ask


def peer(address: str, host: str, cafile: str, port: int = 443) -> dict[str, Any]:
    """The certificate that is served for a host, as Python tells it, with the protocol that was chosen as `alpn`."""
    context = ssl.create_default_context(cafile=cafile)
    context.set_alpn_protocols(["h2", "http/1.1"])
    with (
        socket.create_connection((address, port), timeout=20) as plain,
        context.wrap_socket(plain, server_hostname=host) as wire,
    ):
        return {**(wire.getpeercert() or {}), "alpn": wire.selected_alpn_protocol()}
