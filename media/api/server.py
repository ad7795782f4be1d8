"""A whole media node as one object: HTTP port, UDP port, webhooks; start it, close it.

Used by ``python -m media`` and by tests. Closing is orderly and bounded: stop accepting,
tell every client that the server shuts down, give waiting webhooks a moment, release the
ports; all of it within :data:`CLOSE_WITHIN_S`.
"""

import asyncio
import logging
import os
import time
from contextlib import suppress
from typing import Final

from aiohttp import web

from media.api.app import MAX_LINE_BYTES, build_app
from media.api.metrics import Metrics
from media.api.webhooks import Webhooks
from media.core.grants import Claims
from media.settings import Settings
from media.signalling.node import Node
from media.signalling.rooms import NodeSettings
from media.tokens import issue_token, verify_token

logger = logging.getLogger(__name__)

CLOSE_WITHIN_S: Final = 5.0
WEBHOOK_GRACE_S: Final = 1.5
"""How long closing waits for webhooks, such as room_finished, to go out."""
CONNECTION_GRACE_S: Final = 0.5
MIN_REFRESHED_TTL_S: Final = 600.0
"""Least life of a refreshed token (LiveKit 1.13: ten minutes)."""


class PortTakenError(OSError):
    """A port the node needs is in use or may not be opened; the text names it."""


class MediaServer:
    """One node with its HTTP server. ``start`` once, ``close`` once."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        secret = settings.keys.get(settings.webhook_key, "")
        self._webhooks = Webhooks(settings.webhook.urls, settings.webhook_key, secret)
        self.node = Node(
            node_settings(settings),
            authenticate=self._authenticate,
            refresh=self._refresh,
            on_event=self._webhooks.notify,
        )
        self._metrics = Metrics(self.node.figures, self._webhooks)
        self._runner: web.AppRunner | None = None
        self._watch: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Open the ports. Raises :class:`PortTakenError` when one is not free."""
        settings = self.settings
        try:
            await self.node.start()
        except OSError as error:
            await self.node.close()
            rtc = settings.rtc
            ports = f"UDP port {rtc.udp_port}"
            if rtc.tcp_port:
                ports += f" or TCP port {rtc.tcp_port}"
            raise _port_taken(ports, error) from error
        app = build_app(self.node, self._authenticate, self._metrics)
        self._runner = web.AppRunner(
            app,
            access_log=None,
            handle_signals=False,
            shutdown_timeout=CONNECTION_GRACE_S,
            max_line_size=MAX_LINE_BYTES,
        )
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, settings.host, settings.port).start()
        except OSError as error:
            await self.close()
            raise _port_taken(f"TCP port {settings.port} on {settings.host}", error) from error
        self._watch = asyncio.create_task(self._metrics.watch_loop(), name="loop lag")

    @property
    def port(self) -> int:
        """The HTTP port in use, also when the settings left it open."""
        assert self._runner is not None, "not started"
        return int(self._runner.addresses[0][1])

    async def close(self) -> None:
        """Close everything; what is not done in time is logged and abandoned."""
        if self._watch is not None:
            self._watch.cancel()
            with suppress(asyncio.CancelledError):
                await self._watch
        try:
            async with asyncio.timeout(CLOSE_WITHIN_S):
                await self._close()
        except TimeoutError:
            logger.warning("closing took longer than %g s; the rest is abandoned", CLOSE_WITHIN_S)

    async def _close(self) -> None:
        if self._runner is not None:
            for site in list(self._runner.sites):
                await site.stop()
        await self.node.close()
        await self._webhooks.close(WEBHOOK_GRACE_S)
        if self._runner is not None:
            await self._runner.cleanup()

    def _authenticate(self, token: str) -> Claims:
        return verify_token(token, self.settings.keys, time.time())

    def _refresh(self, claims: Claims) -> str:
        now_s = time.time()
        ttl_s = max(MIN_REFRESHED_TTL_S, claims.expires_at_s - now_s)
        return issue_token(claims, self.settings.keys[claims.api_key], now_s, ttl_s)


def node_settings(settings: Settings) -> NodeSettings:
    """The part of the settings that the node itself needs."""
    return NodeSettings(
        node_ips=settings.rtc.node_ip,
        udp_port=settings.rtc.udp_port,
        tcp_port=settings.rtc.tcp_port,
        turn_urls=settings.rtc.turn_urls,
        turn_secret=settings.rtc.turn_secret,
        auto_create=settings.room.auto_create,
        empty_timeout_s=settings.room.empty_timeout,
        departure_timeout_s=settings.room.departure_timeout,
        max_tracks=settings.limit.num_tracks,
        max_participants=settings.room.max_participants,
        enabled_codecs=settings.room.enabled_codecs,
        loudest=settings.room.loudest,
        enable_remote_unmute=settings.room.enable_remote_unmute,
        ice_servers=tuple(dict(server) for server in settings.rtc.ice_servers),
        region=settings.region,
    )


def _port_taken(port: str, error: OSError) -> PortTakenError:
    # asyncio writes a sentence of its own into ``strerror``.
    return PortTakenError(f"{port}: {os.strerror(error.errno) if error.errno else error}")
