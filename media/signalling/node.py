"""The node: all rooms of this process, one transport, and the verbs of the Server API.

The node owns the rooms, their sessions and the UDP sockets. Its coroutines are the only
entry for ``media.api``; they take and return LiveKit's messages and raise
``media.core.refusals.RefusedError`` for anything the present state does not allow.
Events for webhooks go to ``on_event`` in the order in which they happened.

Everything runs on one event loop.
"""

import asyncio
import logging
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from aiohttp import web
from livekit.protocol import models, rtc
from livekit.protocol import room as api

from media.core.grants import Claims
from media.core.ids import Identity, RoomName, new_participant_sid, random_text
from media.core.joining import JoinParameters, check_grants
from media.core.refusals import InvalidRequestError, NodeFullError, RefusedError, RoomNotFoundError
from media.core.room import JOINED, Participant
from media.core.turn import turn_password
from media.signalling.administration import Administration
from media.signalling.handlers import signalling_routes
from media.signalling.live_room import LiveRoom
from media.signalling.requests import sync
from media.signalling.rooms import EventHook, NodeSettings
from media.signalling.session import Leave, ResumeFault, Session
from media.signalling.sink import SignalSink
from media.transport.hub import TransportHub
from media.transport.pace import next_look_s

log = logging.getLogger(__name__)

TICK_S: Final = 0.010
SWEEP_S: Final = 1.0
QUALITY_S: Final = 5.0
REFRESH_S: Final = 300.0
"""How often clients get a fresh token for a later reconnect."""

PING_INTERVAL_S: Final = 5
PING_TIMEOUT_S: Final = 15
SERVER_VERSION: Final = "1.9.0"
"""What clients gate features by; behaviour follows this LiveKit version."""
PROTOCOL_VERSION: Final = 16


class Node(Administration):
    """One SFU process.

    ``authenticate(token)`` raises media.core.grants.ClaimsError, or a subclass, on a token
    that is not valid now (the handlers answer 401 with its text);
    ``refresh(claims) -> token`` signs a new token with the same grants.
    """

    def __init__(
        self,
        settings: NodeSettings,
        *,
        authenticate: Callable[[str], Claims],
        refresh: Callable[[Claims], str],
        on_event: EventHook | None = None,
    ) -> None:
        self._hub = TransportHub(settings.node_ips, settings.udp_port)
        super().__init__(settings, now_s=self._hub.now_s, on_event=on_event)
        self.authenticate = authenticate
        self._refresh = refresh
        self._node_id = "ND_" + random_text(secrets.token_bytes)
        self._ticker: asyncio.Task[None] | None = None
        self._is_closing = False
        self._joins = 0

    @property
    def udp_port(self) -> int:
        """The media port in use."""
        return self._hub.port

    async def start(self) -> None:
        """Bind the sockets and start the timers. OSError when a port is taken."""
        self._hub.start()
        if self.settings.tcp_port:
            await self._hub.listen(self.settings.tcp_port)
        self._ticker = asyncio.create_task(self._run(), name="node ticker")

    async def close(self) -> None:
        """Tell everybody SERVER_SHUTDOWN and release everything."""
        self._is_closing = True
        for room in list(self.rooms.values()):
            self.registry.end(room, models.DisconnectReason.SERVER_SHUTDOWN, Leave.Action.RECONNECT)
        if self._ticker is not None:
            self._ticker.cancel()
            with suppress(asyncio.CancelledError):
                await self._ticker
        await self.registry.finish()
        await self._hub.close()

    def routes(self) -> Sequence[web.RouteDef]:
        """Handlers of ``/rtc``, ``/rtc/v1``, ``/rtc/validate``, ``/rtc/v1/validate``.

        CORS headers are the application's; these answer plain text and WebSockets.
        """
        return signalling_routes(self)

    def now_s(self) -> float:
        """Monotonic time."""
        return self._hub.now_s()

    def figures(self) -> dict[str, float]:
        """Gauges and counters for ``/metrics``: name to value."""
        sessions = [session for room in self.rooms.values() for session in room.sessions.values()]
        return {
            "rooms": len(self.rooms),
            "participants": len(sessions),
            "tracks": sum(len(room.tracks) for room in self.rooms.values()),
            "subscriptions": sum(len(s.subscribing.subscriptions) for s in sessions),
            "connections": len(self._hub.connections),
            "tcp_connections": self._hub.tcp_connections,
            "transport_tasks": self._hub.open_tasks + self.registry.closing_count,
            "joins_total": self._joins,
            "packets_forwarded_total": self._hub.egress.sent,
            "packets_unsent_total": self._hub.egress.dropped,
            "egresses": sum(job.is_running for job in self.recordings.book.jobs.values()),
            **self._hub.figures(),
            **self._hub.egress.figures(),
        }

    def fault(self) -> str:
        """Why the node is not healthy; empty when it is."""
        if self._is_closing:
            return "shutting down"
        if self._ticker is None or self._ticker.done():
            return "the timers do not run"
        return ""

    # Joining (media.signalling.handlers)

    def check_join(self, claims: Claims, parameters: JoinParameters) -> None:
        """Raise RefusedError when the join could not succeed now."""
        self.check_open()
        limit = self.settings.max_tracks
        if limit and not parameters.is_reconnect and self.registry.track_count >= limit:
            raise NodeFullError("the node carries as many tracks as it is allowed to")
        name, identity = check_grants(claims)
        room = self.rooms.get(name)
        if room is None:
            if not self.settings.auto_create and not parameters.is_reconnect:
                raise RoomNotFoundError("requested room does not exist")
            if claims.room_preset:
                raise InvalidRequestError(f"unknown room preset: {claims.room_preset}")
            return
        room.room.check_space(identity, is_counted=_is_counted(claims))

    def join(
        self, claims: Claims, parameters: JoinParameters, sink: SignalSink
    ) -> tuple[LiveRoom, Session]:
        """Join, sending the first frames to ``sink``. RefusedError, RemoteProtocolError."""
        self.check_join(claims, parameters)
        name, identity = check_grants(claims)
        room = self.rooms.get(name) or self.registry.open(_room_request(name, claims))
        participant = _participant(claims, identity, parameters)
        session = Session(
            participant,
            claims,
            self._hub,
            room,
            is_single=parameters.is_single,
            enabled_codecs=room.room.enabled_codecs,
        )
        try:
            room.enter(session)
        except RefusedError:
            self.registry.session_ended(session)
            raise
        self._joins += 1
        session.attach(sink)
        participant.state = JOINED
        session.send(rtc.SignalResponse(join=self._join_response(room, session)))
        session.send(rtc.SignalResponse(refresh_token=self._refresh(claims)))
        try:
            for request in parameters.add_tracks:
                session.publishing.add_track(request)
            room.reconcile(session)
            if parameters.offer is not None:
                session.take_offer(parameters.offer)
        except Exception:
            room.leave(session, models.DisconnectReason.JOIN_FAILURE)
            raise
        session.subscribing.negotiate_if_due()
        return room, session

    def resume(
        self, claims: Claims, parameters: JoinParameters, sink: SignalSink
    ) -> tuple[LiveRoom, Session] | None:
        """Resume a session with a new socket; None when it is not there any more."""
        name, identity = check_grants(claims)
        room = self.rooms.get(name)
        session = room.session_of(identity) if room is not None else None
        if room is None or session is None or session.is_closed:
            return None
        if parameters.participant_sid not in {"", session.participant.sid}:
            return None
        if session.is_single != parameters.is_single:
            return None
        session.attach(sink)
        if session.fault is ResumeFault.BEFORE_MESSAGES:
            sink.close()
            return room, session
        reconnect = rtc.ReconnectResponse(
            ice_servers=self._ice_servers(identity),
            client_configuration=_client_configuration(),
            server_info=self._server_info(),
            last_message_seq=session.reliable.last,
        )
        session.send(rtc.SignalResponse(reconnect=reconnect))
        everybody = [session.participant, *room.room.others_for(session.participant)]
        update = rtc.ParticipantUpdate(participants=[p.to_info() for p in everybody])
        session.send(rtc.SignalResponse(update=update))
        session.send(rtc.SignalResponse(room_update=rtc.RoomUpdate(room=room.room.to_info())))
        session.resume()
        for request in parameters.add_tracks:
            session.publishing.add_track(request)
        if parameters.offer is not None:
            session.take_offer(parameters.offer)
        if parameters.sync_state is not None:
            sync(room, session, parameters.sync_state)
        if session.fault is ResumeFault.AFTER_MESSAGES:
            sink.close()
        return room, session

    # Inside

    def check_open(self) -> None:
        """Raise NodeFullError while the node closes."""
        if self._is_closing:
            raise NodeFullError("the server is shutting down")

    def send_token(self, session: Session) -> None:
        """Give a client a token that reflects its present permission."""
        session.send(rtc.SignalResponse(refresh_token=self._refresh(session.present_claims)))

    async def _run(self) -> None:
        next_sweep_s = next_quality_s = next_refresh_s = self.now_s()
        while True:
            # On multiples of the tick, where other timers of the node fall as well.
            await asyncio.sleep(next_look_s(self.now_s(), TICK_S) - self.now_s())
            now_s = self.now_s()
            for room in list(self.rooms.values()):
                self._guarded(room.tick, now_s)
            if now_s >= next_sweep_s:
                next_sweep_s = now_s + SWEEP_S
                self._guarded(self._sweep, now_s)
            if now_s >= next_quality_s:
                next_quality_s = now_s + QUALITY_S
                for room in list(self.rooms.values()):
                    self._guarded(room.reports.tell_quality, now_s)
            if now_s >= next_refresh_s + REFRESH_S:
                next_refresh_s = now_s
                for room in list(self.rooms.values()):
                    for session in room.sessions.values():
                        self._guarded(self.send_token, session)
            self._hub.egress.flush()

    def _guarded(self, work: Callable[..., None], *arguments: Any) -> None:
        try:
            work(*arguments)
        except Exception:
            # The ticker serves every room: a fault in one is logged and the others go on.
            log.exception("%s failed", work)

    def _sweep(self, now_s: float) -> None:
        self._guarded(self.recordings.sweep)
        for room in list(self.rooms.values()):
            self._guarded(room.sweep, now_s)
            closes_at_s = room.room.closes_at_s()
            if closes_at_s is not None and now_s >= closes_at_s:
                self.registry.end(
                    room, models.DisconnectReason.ROOM_CLOSED, Leave.Action.DISCONNECT
                )

    def _join_response(self, room: LiveRoom, session: Session) -> rtc.JoinResponse:
        participant = session.participant
        enabled = room.room.enabled_codecs
        return rtc.JoinResponse(
            room=room.room.to_info(),
            participant=participant.to_info(),
            other_participants=[p.to_info() for p in room.room.others_for(participant)],
            server_version=SERVER_VERSION,
            ice_servers=self._ice_servers(participant.identity),
            subscriber_primary=session.is_subscriber_primary,
            client_configuration=_client_configuration(),
            server_region=self.settings.region,
            ping_timeout=PING_TIMEOUT_S,
            ping_interval=PING_INTERVAL_S,
            server_info=self._server_info(),
            sif_trailer=room.sif_trailer,
            enabled_publish_codecs=[models.Codec(mime=mime) for mime in enabled],
            fast_publish=participant.permission.can_publish,
        )

    def _server_info(self) -> models.ServerInfo:
        return models.ServerInfo(
            edition=models.ServerInfo.Edition.Standard,
            version=SERVER_VERSION,
            protocol=PROTOCOL_VERSION,
            region=self.settings.region,
            node_id=self._node_id,
        )

    def _ice_servers(self, identity: Identity) -> list[rtc.ICEServer]:
        servers = [_ice_server(server) for server in self.settings.ice_servers]
        if self.settings.turn_urls:
            password = turn_password(self.settings.turn_secret, identity, time.time())
            relay = rtc.ICEServer(
                urls=self.settings.turn_urls,
                username=password.username,
                credential=password.credential,
            )
            servers.append(relay)
        return servers


def _ice_server(server: Mapping[str, object]) -> rtc.ICEServer:
    urls = server.get("urls", ())
    return rtc.ICEServer(
        urls=[urls] if isinstance(urls, str) else [str(url) for url in urls],  # type: ignore[attr-defined]
        username=str(server.get("username", "")),
        credential=str(server.get("credential", "")),
    )


def _client_configuration() -> models.ClientConfiguration:
    return models.ClientConfiguration(resume_connection=models.ClientConfigSetting.ENABLED)


def _is_counted(claims: Claims) -> bool:
    return claims.kind not in {
        models.ParticipantInfo.Kind.EGRESS,
        models.ParticipantInfo.Kind.AGENT,
    }


def _participant(claims: Claims, identity: Identity, parameters: JoinParameters) -> Participant:
    video = claims.video
    assert video is not None, "check_grants comes first"
    attributes = dict(claims.attributes) | parameters.attributes
    return Participant(
        sid=new_participant_sid(secrets.token_bytes),
        identity=identity,
        permission=video.permission(),
        name=claims.name,
        metadata=parameters.metadata or claims.metadata,
        attributes={key: value for key, value in attributes.items() if value},
        kind=claims.kind,
        kind_details=claims.details(),
        client=parameters.client,
        joined_at_ms=int(time.time() * 1000),
        auto_subscribe=parameters.auto_subscribe,
        auto_subscribe_data=parameters.auto_subscribe_data,
        adaptive_stream=parameters.adaptive_stream,
    )


def _room_request(name: RoomName, claims: Claims) -> api.CreateRoomRequest:
    """Settings of a room that a join creates: those of the token."""
    request = api.CreateRoomRequest(name=name)
    config = claims.room_config
    if config is not None:
        request.empty_timeout = config.empty_timeout
        request.departure_timeout = config.departure_timeout
        request.max_participants = config.max_participants
        request.metadata = config.metadata
    return request
