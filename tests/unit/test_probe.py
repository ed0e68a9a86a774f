# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""roles/stack/files/probe.rb in a real Ruby, towards services that are a few lines of Python."""

from __future__ import annotations

import base64
import json
import os
import shutil
import socketserver
import subprocess
import typing as t
from pathlib import Path

import pytest

PROBE = Path(__file__).parents[2] / "roles" / "stack" / "files" / "probe.rb"
CANARY = "canary-pä ss"
#: What relays took: envelopes and mails.
MAILS: list[str] = []

pytestmark = pytest.mark.skipif(shutil.which("ruby") is None, reason="there is no ruby here")


class Relay(socketserver.StreamRequestHandler):
    """Logs in who knows the password, by AUTH LOGIN, and keeps the mails."""

    def handle(self) -> None:
        self.say("220 relay")
        for line in self.rfile:
            word = line.split()[0].upper()
            if word == b"EHLO":
                self.say("250-relay", "250 AUTH LOGIN")
            elif word == b"AUTH":
                self.login()
            elif word == b"DATA":
                self.say("354 go on")
                MAILS.append(b"".join(iter(self.rfile.readline, b".\r\n")).decode())
                self.say("250 taken")
            elif word in (b"MAIL", b"RCPT"):
                MAILS.append(line.decode().strip())
                self.say("250 well")
            else:
                self.say("221 bye")
                return

    def login(self) -> None:
        given = []
        for question in ("VXNlcm5hbWU6", "UGFzc3dvcmQ6"):
            self.say(f"334 {question}")
            given.append(base64.b64decode(self.rfile.readline()).decode())
        self.say("235 welcome" if given == ["ada", CANARY] else "535 5.7.8 who are you")

    def say(self, *lines: str) -> None:
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())


class Cache(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        self.rfile.readline()
        self.wfile.write(b"VERSION 1.6.38\r\n")


class Renderer(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        while self.rfile.readline().strip():
            pass
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


@pytest.fixture
def serve(
    started: t.Callable[[socketserver.BaseServer], None],
) -> t.Callable[[type[socketserver.StreamRequestHandler]], int]:
    def start(handler: type[socketserver.StreamRequestHandler]) -> int:
        server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler)
        server.daemon_threads = True
        started(server)
        return int(server.server_address[1])

    return start


def probe(*names: str, **environment: t.Any) -> dict[str, t.Any]:
    told = {name: str(value) for name, value in environment.items()}
    done = subprocess.run(
        ["ruby", "-", *names],
        input=PROBE.read_text(encoding="utf-8"),
        env={"PATH": os.environ["PATH"], **told},
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(json.loads(done.stdout))


def test_what_lets_lago_in_says_nothing(serve: t.Any) -> None:
    relay = {"LAGO_SMTP_ADDRESS": "127.0.0.1", "LAGO_SMTP_PORT": serve(Relay), "LAGO_SMTP_USERNAME": "ada"}
    answers = probe(
        *("smtp", "memcached", "pdf"),
        **relay,
        LAGO_SMTP_PASSWORD=CANARY,
        LAGO_MEMCACHE_SERVERS=f"127.0.0.1:{serve(Cache)}",
        LAGO_PDF_URL=f"http://127.0.0.1:{serve(Renderer)}/",
    )
    assert answers == {name: {"said": None} for name in ("smtp", "memcached", "pdf")}


def test_what_does_not_is_told_in_its_own_words(serve: t.Any, closed_port: int) -> None:
    answers = probe(
        *("smtp", "memcached", "pdf"),
        LAGO_SMTP_ADDRESS="127.0.0.1",
        LAGO_SMTP_PORT=serve(Relay),
        LAGO_SMTP_USERNAME="ada",
        LAGO_SMTP_PASSWORD="canary-other",
        LAGO_MEMCACHE_SERVERS=f"127.0.0.1:{serve(Relay)}",
        LAGO_PDF_URL=f"http://127.0.0.1:{closed_port}",
    )
    assert answers["smtp"]["said"].startswith("535 5.7.8 who are you")
    assert "is no memcached: 220 relay" in answers["memcached"]["said"]
    assert "refused" in answers["pdf"]["said"].lower()
    assert "canary" not in json.dumps(answers)


def test_one_question_that_breaks_off_leaves_the_others_alone(serve: t.Any, tmp_path: Path) -> None:
    (tmp_path / "redis-client.rb").write_text("exit!(1)\n")
    answers = probe("queue", "memcached", RUBYLIB=tmp_path, LAGO_MEMCACHE_SERVERS=f"127.0.0.1:{serve(Cache)}")
    assert answers == {"queue": {"said": "the question broke off"}, "memcached": {"said": None}}


def test_a_mail_for_somebody(serve: t.Any) -> None:
    MAILS.clear()
    relay = {"LAGO_SMTP_ADDRESS": "127.0.0.1", "LAGO_SMTP_PORT": serve(Relay), "LAGO_SMTP_USERNAME": "ada"}
    front = {"LAGO_FROM_EMAIL": "Acme <billing@example.com>", "LAGO_FRONT_URL": "https://billing.example.com"}
    assert probe("smtp=bob@example.com", **relay, **front, LAGO_SMTP_PASSWORD=CANARY) == {"smtp": {"said": None}}
    sender, receiver, mail = MAILS
    assert sender.startswith("MAIL FROM:<billing@example.com>")
    assert receiver.startswith("RCPT TO:<bob@example.com>")
    assert "From: Acme <billing@example.com>\r\nTo: bob@example.com\r\nSubject: Test mail of https://billing" in mail


#: What takes the place of Ruby's own: a licence server that knows one licence.
LICENSES = """
require "uri"
module Net
  class HTTP
    Answer = Struct.new(:code)
    def self.start(host, port, **) = host == "license.getlago.com" && port == 443 ? yield(new) : raise(host)
    def get(path) = Answer.new(path == "/verify/canary-good" ? "200" : "404")
  end
end
"""


def test_a_licence_is_asked_about_as_lago_asks_before_it_starts(tmp_path: Path) -> None:
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "http.rb").write_text(LICENSES)
    said = {
        given: probe("license", RUBYLIB=tmp_path, LAGO_LICENSE=given)["license"]["said"]
        for given in ("canary-good", "canary-unknown", "canary with blanks")
    }
    assert said["canary-good"] is None
    assert said["canary-unknown"] == "license.getlago.com answers 404 to this licence"
    assert "such as a blank" in said["canary with blanks"]
    assert "canary" not in "".join(filter(None, said.values()))


def test_what_nobody_knows_is_left_out() -> None:
    assert probe("exit", "nonsense") == {}
