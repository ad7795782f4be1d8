"""Tell other systems what happens in rooms: signed notices, in order, retried.

Each notice is a POST of a LiveKit ``WebhookEvent`` in protobuf's JSON with an access
token in ``Authorization`` (without ``Bearer``) whose ``sha256`` claim is the digest of the
body, so that LiveKit's own ``WebhookReceiver`` accepts it.

Notices of one room to one address form a lane: the next is sent only when the one before
was delivered or given up, so a receiver never sees somebody leave before joining. Lanes
are independent; a receiver that is down for one hears of the others. A lost connection or
a 5xx is retried with growing pauses for :data:`GIVE_UP_AFTER_S`; a 4xx is final, for the
receiver has understood and refused. When :data:`MAX_WAITING` notices wait for an address,
further ones are dropped and counted: memory is bounded, the loss is visible in
``num_dropped`` of the next notice and in ``/metrics``.
"""

import asyncio
import base64
import hashlib
import logging
import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

import aiohttp
from google.protobuf.json_format import MessageToJson
from livekit.protocol.webhook import WebhookEvent

from media.core.grants import Claims
from media.tokens import issue_token

logger = logging.getLogger(__name__)

GIVE_UP_AFTER_S: Final = 300.0
"""How long one notice is tried; a receiver that restarts is back sooner."""
FIRST_PAUSE_S: Final = 0.5
LONGEST_PAUSE_S: Final = 30.0
MAX_WAITING: Final = 1000
"""Notices waiting for one address; LiveKit keeps 100."""
TOKEN_TTL_S: Final = 300.0
TIMEOUT_S: Final = 10.0
CONTENT_TYPE: Final = "application/webhook+json"

LaneKey = tuple[str, str]
"""Address and room name."""


def pauses_s() -> Iterator[float]:
    """Pauses between attempts: doubling, capped, ending when the notice is given up."""
    pause, waited = FIRST_PAUSE_S, 0.0
    while waited < GIVE_UP_AFTER_S:
        yield pause
        waited += pause
        pause = min(2 * pause, LONGEST_PAUSE_S)


class Webhooks:
    """Sender of notices to ``urls``, signed with one API key. One event loop owns it."""

    def __init__(self, urls: tuple[str, ...], api_key: str, secret: str) -> None:
        self._urls = urls
        self._api_key = api_key
        self._secret = secret
        self._lanes: dict[LaneKey, deque[WebhookEvent]] = {}
        self._workers: dict[LaneKey, asyncio.Task[None]] = {}
        self._waiting = dict.fromkeys(urls, 0)
        self._missed = dict.fromkeys(urls, 0)  # dropped since the last notice that got in
        self._session: aiohttp.ClientSession | None = None
        self._closed = False
        self.delivered = 0
        self.failed = 0
        self.dropped = 0

    @property
    def waiting(self) -> int:
        """Notices not yet delivered or given up."""
        return sum(self._waiting.values())

    def notify(self, event: WebhookEvent) -> None:
        """Queue ``event`` for every address. Never blocks, never raises."""
        for url in self._urls:
            if self._closed or self._waiting[url] >= MAX_WAITING:
                self._missed[url] += 1
                self.dropped += 1
                logger.warning("webhook %s dropped: %d wait for %s", event.event, MAX_WAITING, url)
                continue
            notice = WebhookEvent()
            notice.CopyFrom(event)
            notice.num_dropped = self._missed[url]
            self._missed[url] = 0
            self._waiting[url] += 1
            key = (url, event.room.name)
            self._lanes.setdefault(key, deque()).append(notice)
            if key not in self._workers:
                self._workers[key] = asyncio.create_task(self._drain(key), name=f"webhook {url}")

    async def close(self, grace_s: float) -> None:
        """Give waiting notices ``grace_s`` seconds to go out, then stop."""
        self._closed = True
        workers = list(self._workers.values())
        if workers:
            await asyncio.wait(workers, timeout=grace_s)
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
        if self.waiting:
            logger.warning("%d webhooks were not delivered before the node stopped", self.waiting)
        if self._session is not None:
            await self._session.close()

    async def _drain(self, key: LaneKey) -> None:
        url, _ = key
        lane = self._lanes[key]
        try:
            while lane:
                if await self._deliver(url, lane[0]):
                    self.delivered += 1
                else:
                    self.failed += 1
                lane.popleft()
                self._waiting[url] -= 1
        finally:
            del self._workers[key]
            if not lane:
                del self._lanes[key]

    async def _deliver(self, url: str, notice: WebhookEvent) -> bool:
        """Try until delivered, refused or given up; False unless delivered."""
        body = MessageToJson(notice, indent=None).encode()
        for pause_s in pauses_s():
            try:
                status = await self._post(url, body)
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                reason = str(error) or type(error).__name__
            else:
                if status < 300:
                    return True
                reason = f"HTTP {status}"
                if status < 500 and status not in (408, 429):
                    logger.warning("webhook %s refused by %s: %s", notice.event, url, reason)
                    return False
            logger.info("webhook %s to %s: %s; again in %g s", notice.event, url, reason, pause_s)
            await asyncio.sleep(pause_s)
        logger.warning("webhook %s to %s given up", notice.event, url)
        return False

    async def _post(self, url: str, body: bytes) -> int:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_S))
        headers = {"Content-Type": CONTENT_TYPE, "Authorization": self._token(body)}
        # A redirect could lead a signed notice to a host the operator never named.
        async with self._session.post(
            url, data=body, headers=headers, allow_redirects=False
        ) as response:
            with suppress(aiohttp.ClientError):
                await response.content.read(1024)
            return response.status

    def _token(self, body: bytes) -> str:
        digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
        claims = Claims(api_key=self._api_key, identity="", sha256=digest)
        return issue_token(claims, self._secret, time.time(), TOKEN_TTL_S)
