# SPDX-License-Identifier: GPL-3.0-or-later
"""What sslyze says of an edge, and the table of it in the docs."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sslyze_venv

from edge.bed import Edge
from edge.configurations import DOMAIN, Configuration

PROTOCOLS = {"ssl_2_0": "SSL 2.0", "ssl_3_0": "SSL 3.0", "tls_1_0": "TLS 1.0", "tls_1_1": "TLS 1.1",
             "tls_1_2": "TLS 1.2", "tls_1_3": "TLS 1.3"}  # fmt: skip


@dataclass(frozen=True)
class Scan:
    """One server's: whether Mozilla's intermediate profile is met, what sslyze printed, and its results by command."""

    complies: bool
    printed: str
    results: dict[str, Any]

    def result(self, command: str) -> Any:
        return self.results[command]["result"]

    def accepted(self, protocol: str) -> list[str]:
        """The cipher suites that are accepted with a protocol."""
        found = self.result(f"{protocol}_cipher_suites")["accepted_cipher_suites"]
        return sorted(one["cipher_suite"]["name"] for one in found)

    @property
    def vulnerabilities(self) -> dict[str, str]:
        """What is looked for, and what was found: "no" where the server is not vulnerable."""
        renegotiation = self.result("session_renegotiation")
        safe = {
            "Heartbleed": not self.result("heartbleed")["is_vulnerable_to_heartbleed"],
            "ROBOT": self.result("robot")["robot_result"].startswith("NOT_VULNERABLE"),
            "CCS injection": not self.result("openssl_ccs_injection")["is_vulnerable_to_ccs_injection"],
            "Compression (CRIME)": not self.result("tls_compression")["supports_compression"],
            "Downgrade (no TLS_FALLBACK_SCSV)": self.result("tls_fallback_scsv")["supports_fallback_scsv"],
            "Insecure renegotiation": renegotiation["supports_secure_renegotiation"],
            "Renegotiation by the client (denial of service)": not renegotiation[
                "is_vulnerable_to_client_renegotiation_dos"
            ],
            "No extended master secret": self.result("tls_extended_master_secret")["supports_ems_extension"],
        }
        return {name: "no" if one else "**yes**" for name, one in safe.items()}

    @property
    def key(self) -> str:
        """The kind of key that the certificate has, as "EllipticCurve 256"."""
        leaf = self.result("certificate_info")["certificate_deployments"][0]["received_certificate_chain"][0]
        kind = leaf["public_key"]["algorithm"].strip("_").removesuffix("PublicKey")
        return f"{kind} {leaf['public_key']['key_size']}"

    @property
    def curves(self) -> list[str]:
        return sorted(curve["name"] for curve in self.result("elliptic_curves")["supported_curves"])


def scan(edge: Edge, configuration: Configuration, folder: Path) -> Scan:
    """Have sslyze look at an edge with this configuration."""
    edge.load(configuration)
    root, found = folder / "root.pem", folder / "found.json"
    root.write_text(edge.root)
    target = f"{DOMAIN}:{configuration.https_port}{{{edge.caddy.address}}}"
    options = ["--mozilla_config=intermediate", f"--certinfo_ca_file={root}", f"--json_out={found}"]
    command = [str(sslyze_venv.make()), "-m", "sslyze", *options, target]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    results = json.loads(found.read_text())["server_scan_results"][0]["scan_result"]
    return Scan(done.returncode == 0, done.stdout, results)


def table(scans: dict[str, Scan]) -> str:
    """The page of the docs."""
    ones = list(scans.values())

    def row(name: str, cells: list[str]) -> str:
        return f"| {name} | {' | '.join(cells)} |"

    rows = [row("", list(scans)), row("---", ["---"] * len(ones))]
    rows.append(row("Key of the certificate", [one.key for one in ones]))
    met = ["met" if one.complies else "**not met**" for one in ones]
    rows.append(row('Mozilla\'s profile "intermediate"', met))
    for protocol, name in PROTOCOLS.items():
        cells = ["<br>".join(one.accepted(protocol)) or "refused" for one in ones]
        rows.append(row(name, cells))
    rows.append(row("Curves", [", ".join(one.curves) for one in ones]))
    for name in ones[0].vulnerabilities:
        rows.append(row(f"Vulnerable: {name}", [one.vulnerabilities[name] for one in ones]))
    return "\n".join(rows)
