# SPDX-License-Identifier: GPL-3.0-or-later
"""Action Cable, as far as a browser and a proxy see it: welcome, pings, confirmed subscriptions."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time

import redis
from aiohttp import WSMsgType, web  # type: ignore[import-not-found, unused-ignore]

from standin import crypto, sidekiq
from standin.failures import RubyError

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
    except (redis.RedisError, RubyError) as error:
        print(f"There was an exception - {error}", file=sys.stderr, flush=True)
        await wire.close()
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
        await asyncio.to_thread(_subscribe)
        await wire.send_json({"identifier": asked.get("identifier"), "type": "confirm_subscription"})


def _subscribe() -> None:
    """What is sent to the browser comes through Redis: without it there is no subscription."""
    with sidekiq.cable() as connection:
        connection.ping()
