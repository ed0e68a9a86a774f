# Copyright (c) The selfhosted.lago maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.selfhosted.lago.plugins.module_utils import _certificate


def test_a_name_is_asked_without_a_proxy_of_the_environment(serve: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    server = serve()
    server.script = lambda handler, body: handler.answer(200, b" 0123abc\n")
    monkeypatch.setattr(_certificate, "PORT", server.server_port)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert _certificate.fetch("127.0.0.1") == "0123abc"
    assert server.seen[0][1] == "/.well-known/acme-challenge/selfhosted-lago"


def test_another_answer_is_told_by_its_status(serve: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    server = serve()
    server.script = lambda handler, body: handler.answer(404, b"0123abc")
    monkeypatch.setattr(_certificate, "PORT", server.server_port)
    assert _certificate.fetch("127.0.0.1") == "status 404"


def test_no_answer_is_told_by_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_certificate, "PORT", 1)
    assert "refused" in _certificate.fetch("127.0.0.1")
