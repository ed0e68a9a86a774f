# SPDX-License-Identifier: GPL-3.0-or-later
"""What an operator may ask of the edge, combined.

Every mode with one origin and with two, and with each choice of extra paths; the rest is dealt out so that each of its
values meets every mode.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from typing import Any

DOMAIN = "billing.example.com"
API_DOMAIN = "api.example.com"
REDIRECTED = "www.example.com"
NAMES = (DOMAIN, API_DOMAIN, REDIRECTED)
USER, PASSWORD = "ops", "Correct-Horse-1!"

MODES = ("none", "selfsigned", "letsencrypt", "provided", "existing")
ORIGINS: dict[str, dict[str, Any]] = {"one": {}, "two": {"lago_api_domain": API_DOMAIN}}
PATHS: dict[str, dict[str, Any]] = {
    "closed": {},
    "metrics": {"lago_extra_paths": ["metrics", "ready"]},
    "password": {
        "lago_extra_paths": ["sidekiq", "admin"],
        "lago_extra_paths_user": USER,
        "lago_extra_paths_password": PASSWORD,
    },
    "allowed": {
        "lago_extra_paths": ["admin", "data_api", "graphiql", "karafka", "metrics", "ready", "sidekiq"],
        "lago_extra_paths_allow": ["172.16.0.0/12", "10.0.0.0/8", "192.168.0.0/16"],
    },
    "not_allowed": {"lago_extra_paths": ["sidekiq", "metrics"], "lago_extra_paths_allow": ["203.0.113.0/24"]},
}
OTHERS: tuple[dict[str, Any], ...] = (
    {},
    {"lago_http_port": 8080, "lago_https_port": 8443},
    {"lago_http3": False, "lago_redirect_domains": [REDIRECTED]},
    {"lago_trusted_proxies": ["203.0.113.0/24"], "lago_https_port": 8443},
)
CERTIFIED = ("selfsigned", "letsencrypt", "provided")


@dataclass(frozen=True)
class Configuration:
    """One set of an operator's variables, and what follows from it."""

    name: str
    variables: dict[str, Any] = field(repr=False)

    def _get(self, name: str, default: Any) -> Any:
        return self.variables.get(f"lago_{name}", default)

    @property
    def mode(self) -> str:
        return str(self.variables["lago_tls_mode"])

    @property
    def tls(self) -> bool:
        """Whether this proxy does TLS itself."""
        return self.mode in CERTIFIED

    @property
    def two_origins(self) -> bool:
        return "lago_api_domain" in self.variables

    @property
    def api_host(self) -> str:
        return API_DOMAIN if self.two_origins else DOMAIN

    @property
    def http_port(self) -> int:
        return int(self._get("http_port", 80))

    @property
    def https_port(self) -> int:
        return int(self._get("https_port", 443))

    def origin(self, host: str) -> str:
        """What people have for a host in their browsers."""
        secure = self.mode != "none"
        port = self.https_port if secure else self.http_port
        return f"http{'s' * secure}://{host}" + ("" if port == (443 if secure else 80) else f":{port}")

    @property
    def redirected(self) -> list[str]:
        return list(self._get("redirect_domains", []))

    @property
    def extra(self) -> list[str]:
        return list(self._get("extra_paths", []))

    @property
    def password(self) -> bool:
        return "lago_extra_paths_password" in self.variables

    @property
    def refused(self) -> bool:
        """Whether those who test are not among those who may ask for extra paths."""
        return self._get("extra_paths_allow", [])[:1] == ["203.0.113.0/24"]

    @property
    def http3(self) -> bool:
        return self.tls and bool(self._get("http3", True))


def all_of_them() -> list[Configuration]:
    """Return every configuration. The operator's own files lie beside the inventory."""
    made = []
    for mode_at, origin_at, paths_at in product(range(len(MODES)), range(len(ORIGINS)), range(len(PATHS))):
        mode, origin, paths = MODES[mode_at], list(ORIGINS)[origin_at], list(PATHS)[paths_at]
        other = OTHERS[(mode_at + 2 * origin_at + paths_at) % len(OTHERS)]
        variables = {"lago_domain": DOMAIN, "lago_tls_mode": mode, **ORIGINS[origin], **PATHS[paths], **other}
        if mode == "provided":
            kind = ("ecdsa", "rsa")[paths_at % 2]
            variables["lago_tls_certificate"] = f"{{{{ inventory_dir }}}}/{kind}.pem"
            variables["lago_tls_certificate_key"] = f"{{{{ inventory_dir }}}}/{kind}.key"
        made.append(Configuration(f"{mode}-{origin}-{paths}", variables))
    return made


CONFIGURATIONS = all_of_them()
BY_NAME = {one.name: one for one in CONFIGURATIONS}
UPGRADING = [
    Configuration(f"upgrading-{name}", {**BY_NAME[name].variables, "edge_closed": True})
    for name in ("none-one-closed", "none-two-password", "selfsigned-one-allowed", "existing-two-metrics")
]
"""Likewise while an upgrade is under way, when nobody gets through."""
SCANNED = {
    "selfsigned": BY_NAME["selfsigned-one-closed"],
    "provided, ECDSA": BY_NAME["provided-one-closed"],
    "provided, RSA": BY_NAME["provided-one-metrics"],
}
"""What sslyze looks at, by the name that the docs have for it."""
