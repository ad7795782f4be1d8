"""A webhook endpoint that checks every notice with LiveKit's own verification."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from livekit.api import TokenVerifier, WebhookReceiver
from livekit.protocol.webhook import WebhookEvent

KEY = "devkey"
SECRET = "a-secret-that-is-long-enough-for-hs256"


class Receiver:
    """A webhook endpoint that fails the first ``failures`` requests with ``status``."""

    def __init__(self, failures: int = 0, status: int = 503) -> None:
        self.events: list[WebhookEvent] = []
        self.requests = 0
        self.failures = failures
        self.status = status
        self.gate = asyncio.Event()
        self.gate.set()
        self.arrived = asyncio.Condition()
        self._receiver = WebhookReceiver(TokenVerifier(KEY, SECRET))

    async def handle(self, request: web.Request) -> web.Response:
        await self.gate.wait()
        self.requests += 1
        assert request.content_type == "application/webhook+json"
        event = self._receiver.receive(await request.text(), request.headers["Authorization"])
        failed = self.requests <= self.failures
        async with self.arrived:
            if not failed:
                self.events.append(event)
            self.arrived.notify_all()
        headers = {"Location": "/elsewhere"} if self.status == 302 else {}
        return web.Response(status=self.status if failed else 200, headers=headers)

    async def wait_for(self, events: int) -> None:
        async with asyncio.timeout(10), self.arrived:
            await self.arrived.wait_for(lambda: len(self.events) >= events)


@asynccontextmanager
async def serving(receiver: Receiver) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_post("/hook", receiver.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    finally:
        await runner.cleanup()
