# SPDX-License-Identifier: GPL-3.0-or-later
"""Somebody who asks over HTTP/3, as a browser does that was told of it."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from typing import Any, cast

from aioquic.asyncio.client import connect
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import DataReceived, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import ConnectionTerminated, QuicEvent

from outside.lago_user import Answer
from testbed.engine import wait_for

PATIENCE = 10  # seconds


class _Client(QuicConnectionProtocol):
    """One question over one connection."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._http = H3Connection(self._quic)
        self._headers: dict[str, str] = {}
        self._body = b""
        self._answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()

    async def get(self, authority: str, path: str) -> Answer:
        asked = {":method": "GET", ":scheme": "https", ":authority": authority, ":path": path}
        headers = [(name.encode(), value.encode()) for name, value in asked.items()]
        self._http.send_headers(self._quic.get_next_available_stream_id(), headers, end_stream=True)
        self.transmit()
        return await asyncio.wait_for(self._answer, PATIENCE)

    def quic_event_received(self, event: QuicEvent) -> None:
        if isinstance(event, ConnectionTerminated) and not self._answer.done():
            self._answer.set_exception(ConnectionError(event.reason_phrase))
        for told in self._http.handle_event(event):
            if isinstance(told, HeadersReceived):
                self._headers |= {name.decode(): value.decode() for name, value in told.headers}
            elif isinstance(told, DataReceived):
                self._body += told.data
            if isinstance(told, HeadersReceived | DataReceived) and told.stream_ended:
                status = int(self._headers.pop(":status"))
                self._answer.set_result(Answer(status, self._headers, self._body.decode()))


def get(address: str, host: str, port: int, root: str, path: str) -> Answer:
    """Ask for a path of a host at an address, over HTTP/3 and nothing else, trusting one root certificate (PEM)."""

    async def asked() -> Answer:
        configuration = QuicConfiguration(
            is_client=True, alpn_protocols=H3_ALPN, server_name=host, cadata=root.encode(), idle_timeout=PATIENCE
        )
        async with connect(address, port, configuration=configuration, create_protocol=_Client) as client:
            return await cast(_Client, client).get(host if port == 443 else f"{host}:{port}", path)

    return asyncio.run(asked())


def shut(address: str, port: int) -> None:
    """Wait until nobody takes UDP at a port, as its kernel says."""
    wait_for(f"UDP port {port} to be shut", lambda: _refused(address, port), PATIENCE)


def _refused(address: str, port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(0.5)
        sock.connect((address, port))
        sock.send(b"?")
        with suppress(TimeoutError):
            try:
                sock.recv(1)
            except ConnectionRefusedError:
                return True
    return False
