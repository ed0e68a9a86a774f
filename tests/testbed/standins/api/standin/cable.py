# SPDX-License-Identifier: GPL-3.0-or-later
"""Action Cable, as far as a browser and a proxy see it: welcome, pings, confirmed subscriptions."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time

from aiohttp import WSMsgType, web  # type: ignore[import-not-found, unused-ignore]

from standin import crypto

PROTOCOL = "actioncable-v1-json"
PING_SECONDS = 3


async def connect(incoming: web.Request) -> web.WebSocketResponse:
    """A session whose token is good is welcomed; any other is sent away for good."""
    wire = web.WebSocketResponse(protocols=[PROTOCOL])
    await wire.prepare(incoming)
    claims = crypto.claims_of(incoming.query.get("token", "")) or {}
    if int(claims.get("exp", 0)) < time.time():
        await wire.send_json({"type": "disconnect", "reason": "unauthorized", "reconnect": False})
        await wire.close()
        return wire
    await wire.send_json({"type": "welcome"})
    pings = asyncio.create_task(_ping(wire))
    try:
        async for message in wire:
            if message.type == WSMsgType.TEXT:
                await _obey(wire, message.data)
    finally:
        pings.cancel()
    return wire


async def _ping(wire: web.WebSocketResponse) -> None:
    with contextlib.suppress(ConnectionError):
        while not wire.closed:
            await wire.send_json({"type": "ping", "message": int(time.time())})
            await asyncio.sleep(PING_SECONDS)


async def _obey(wire: web.WebSocketResponse, text: str) -> None:
    try:
        asked = json.loads(text)
    except ValueError:
        return
    if isinstance(asked, dict) and asked.get("command") == "subscribe":
        await wire.send_json({"identifier": asked.get("identifier"), "type": "confirm_subscription"})
