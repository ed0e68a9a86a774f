# SPDX-License-Identifier: GPL-3.0-or-later
"""`make tls-report`: writes docs/tls-report.md anew."""

from __future__ import annotations

import tempfile
from pathlib import Path

from edge import bed
from edge.configurations import SCANNED
from edge.scan import scan, table
from project import ROOT

PAGE = ROOT / "docs" / "tls-report.md"
ABOUT = """# What sslyze says of the edge

Written by `make tls-report`; `make edge` fails when one of these does not meet Mozilla's profile "intermediate", or is
vulnerable. What was scanned is the test bed's Caddy with configurations as the role writes them. Mode `letsencrypt`
differs from `provided` in where the certificate comes from; in `none` and `existing` this proxy does no TLS.

"""


def main() -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "bed").mkdir()
        with bed.edge(folder / "bed", list(SCANNED.values())) as edge:
            scans = {name: scan(edge, one, folder) for name, one in SCANNED.items()}
    PAGE.write_text(f"{ABOUT}{table(scans)}\n")
    print(f"written: {PAGE.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
