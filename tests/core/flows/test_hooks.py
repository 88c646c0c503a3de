"""Addresses that flows ask: signed, bounded, and only what was declared is taken."""

from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web
from asgiref.sync import sync_to_async
from standardwebhooks import Webhook

from jilink.core.flows import actions, hooks
from jilink.core.flows.rules import effects as e
from jilink.core.parties import access
from jilink.core.webhooks.rules import networks
from jilink.kernel.clock import utc_now
from tests.core.world import World

EFFECT = e.CallHook(turn=3, hook="prices", sends={"crop": "玉米"}, takes={"low": "price.0.low", "none": "a.b"}, timeout_s=5)


@pytest.mark.once
async def test_an_address_is_asked_signed_and_only_what_was_declared_is_taken(lasting_world: World, settings: Any) -> None:
    settings.JILINK = replace(settings.JILINK, webhooks_allow="127.0.0.0/8")
    asked: list[tuple[bytes, dict[str, str]]] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append((await request.read(), {key.lower(): value for key, value in request.headers.items()}))
        return web.json_response({"price": [{"low": 2.31}], "more": "secret"})

    app = web.Application()
    app.router.add_post("/prices", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/prices"
    by = await sync_to_async(access.system)("test")
    secret = await sync_to_async(actions.add_hook)(organisation=lasting_world.north, key="prices", url=url, by=by)
    north = int(lasting_world.north)
    came = await hooks.call(EFFECT, organisation=north, message="1-3", now=utc_now(), allowed=networks("127.0.0.0/8"))
    assert came == e.HookAnswered(turn=3, values={"low": "2.31", "none": ""})
    assert Webhook(secret).verify(asked[0][0].decode(), asked[0][1]) == {"crop": "玉米"}
    walled = await hooks.call(EFFECT, organisation=north, message="1-3", now=utc_now())
    elsewhere = await hooks.call(EFFECT, organisation=int(lasting_world.south), message="1-3", now=utc_now())
    assert walled == elsewhere == e.Came(turn=3, outcome="failed") and len(asked) == 1
    await runner.cleanup()
