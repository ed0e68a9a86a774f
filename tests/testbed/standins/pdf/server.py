# SPDX-License-Identifier: GPL-3.0-or-later
"""A stand-in for Gotenberg: it says that it is healthy, and answers every document with the same tiny PDF."""

from __future__ import annotations

import json
import signal
import sys
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PORT = 3000


def pdf(text: str = "This is a stand-in's PDF.") -> bytes:
    """A valid PDF of one page with one line."""
    content = f"BT /F1 18 Tf 72 720 Td ({text}) Tj ET".encode()
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    out = b"%PDF-1.4\n"
    places = []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    head = b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(objects) + 1, table)
    return out + head + b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, len(out))


class Handler(BaseHTTPRequestHandler):
    """Gotenberg's paths, as far as Lago uses them."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path != "/health":
            return self._answer(404, "text/plain", b"Not Found")
        part = {"status": "up", "timestamp": datetime.now(UTC).isoformat()}
        return self._answer(
            200, "application/json", json.dumps({"status": "up", "details": {"chromium": part}}).encode()
        )

    def do_POST(self) -> None:
        given = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path != "/forms/chromium/convert/html":
            return self._answer(404, "text/plain", b"Not Found")
        if b"index.html" not in given:
            return self._answer(400, "text/plain", b"Invalid form data: form file 'index.html' is required")
        return self._answer(200, "application/pdf", pdf())

    def _answer(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """Nothing: it is asked every few seconds."""


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_ignored: sys.exit(0))
    print("selfhosted.lago test bed: this is a STAND-IN for Gotenberg, for tests only.", flush=True)
    ThreadingHTTPServer(("0.0.0.0", PORT), Handler).serve_forever()
