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
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Final

from aiohttp import web
from livekit.protocol import models, rtc
from livekit.protocol import room as api
from livekit.protocol.webhook import WebhookEvent

from media.core import data as packets
from media.core.grants import Claims
from media.core.ids import Identity, RoomName, new_participant_sid, new_room_sid, random_text
from media.core.joining import JoinParameters, check_grants
from media.core.refusals import (
    InvalidRequestError,
    NodeFullError,
    ParticipantNotFoundError,
    RefusedError,
    RoomNotFoundError,
    TrackNotFoundError,
    UnmuteRefusedError,
)
from media.core.room import (
    DEPARTURE_TIMEOUT_S,
    EMPTY_TIMEOUT_S,
    JOINED,
    Participant,
    Room,
)
from media.signalling.handlers import signalling_routes
from media.signalling.live_room import LiveRoom
from media.signalling.requests import apply_subscription, sids_of, update_identity_card
from media.signalling.session import Leave, Session
from media.signalling.sink import SignalSink
from media.transport.hub import TransportHub

log = logging.getLogger(__name__)

EventHook = Callable[[WebhookEvent], None]
"""Called on the loop, must not block: room_started, room_finished, participant_joined,
participant_left, participant_connection_aborted, track_published, track_unpublished.
``id`` and ``created_at`` are set."""

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
RPC_MAX_TIMEOUT_S: Final = 60.0
RPC_DEFAULT_TIMEOUT_S: Final = 10.0
NONCES_KEPT: Final = 1000


@dataclass(frozen=True, slots=True)
class NodeSettings:
    """What the operator decides about a node."""

    node_ips: tuple[str, ...] = ()
    """Addresses to advertise. A local one is the only one bound; a foreign one (1:1 NAT) is
    advertised for every bound address. Empty: every IPv4 address of this machine."""

    udp_port: int = 7882
    """0: any free port."""

    auto_create: bool = True
    empty_timeout_s: int = EMPTY_TIMEOUT_S
    departure_timeout_s: int = DEPARTURE_TIMEOUT_S
    max_participants: int = 0
    enabled_codecs: tuple[str, ...] = ("audio/opus", "video/vp8", "video/h264")
    enable_remote_unmute: bool = False
    ice_servers: tuple[dict[str, object], ...] = ()
    """STUN and TURN servers told to the clients: {"urls": [...], "username", "credential"}."""

    region: str = ""


class Node:
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
        self.settings = settings
        self.authenticate = authenticate
        self.rooms: dict[RoomName, LiveRoom] = {}
        self._refresh = refresh
        self._on_event = on_event
        self._hub = TransportHub(settings.node_ips, settings.udp_port)
        self._node_id = "ND_" + random_text(secrets.token_bytes)
        self._ticker: asyncio.Task[None] | None = None
        self._closing: set[asyncio.Task[None]] = set()
        self._is_closing = False
        self._rpcs: dict[tuple[str, str], asyncio.Future[models.DataPacket]] = {}
        self._nonces: dict[bytes, None] = {}
        self._joins = 0

    @property
    def udp_port(self) -> int:
        """The media port in use."""
        return self._hub.port

    async def start(self) -> None:
        """Bind the sockets and start the timers. OSError when a port is taken."""
        self._hub.start()
        self._ticker = asyncio.create_task(self._run(), name="node ticker")

    async def close(self) -> None:
        """Tell everybody SERVER_SHUTDOWN and release everything."""
        self._is_closing = True
        for room in list(self.rooms.values()):
            self._end_room(room, models.DisconnectReason.SERVER_SHUTDOWN, Leave.Action.RECONNECT)
        if self._ticker is not None:
            self._ticker.cancel()
            with suppress(asyncio.CancelledError):
                await self._ticker
        await asyncio.gather(*self._closing, return_exceptions=True)
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
            "transport_tasks": self._hub.open_tasks + len(self._closing),
            "joins_total": self._joins,
            "datagrams_received_total": self._hub.received,
            "packets_forwarded_total": self._hub.egress.sent,
            "packets_unsent_total": self._hub.egress.dropped,
            "packets_rejected_total": sum(self._hub.drops.values()),
        }

    # Joining (media.signalling.handlers)

    def check_join(self, claims: Claims, parameters: JoinParameters) -> None:
        """Raise RefusedError when the join could not succeed now."""
        if self._is_closing:
            raise NodeFullError("the server is shutting down")
        name, identity = check_grants(claims)
        room = self.rooms.get(name)
        if room is None:
            if not self.settings.auto_create and not parameters.is_reconnect:
                raise RoomNotFoundError("requested room does not exist")
            return
        room.room.check_space(identity, is_counted=_is_counted(claims))

    def join(
        self, claims: Claims, parameters: JoinParameters, sink: SignalSink
    ) -> tuple[LiveRoom, Session]:
        """Join, sending the first frames to ``sink``. RefusedError, RemoteProtocolError."""
        self.check_join(claims, parameters)
        name, identity = check_grants(claims)
        room = self.rooms.get(name) or self._open_room(_room_request(name, claims))
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
            self._session_ended(session)
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
        reconnect = rtc.ReconnectResponse(
            ice_servers=self._ice_servers(),
            server_info=self._server_info(),
            last_message_seq=session.reliable.last,
        )
        session.send(rtc.SignalResponse(reconnect=reconnect))
        everybody = [session.participant, *room.room.others_for(session.participant)]
        update = rtc.ParticipantUpdate(participants=[p.to_info() for p in everybody])
        session.send(rtc.SignalResponse(update=update))
        session.send(rtc.SignalResponse(room_update=rtc.RoomUpdate(room=room.room.to_info())))
        session.resume()
        if parameters.offer is not None:
            session.take_offer(parameters.offer)
        return room, session

    # Server API

    async def create_room(self, request: api.CreateRoomRequest) -> models.Room:
        """Create the room, or apply non-zero settings to the one that exists."""
        if self._is_closing:
            raise NodeFullError("the server is shutting down")
        room = self.rooms.get(RoomName(request.name))
        if room is None:
            room = self._open_room(request)
        else:
            _apply_settings(room.room, request)
        return room.room.to_info()

    async def list_rooms(self, request: api.ListRoomsRequest) -> api.ListRoomsResponse:
        """List the rooms, or those of the given names."""
        names = set(request.names)
        infos = [
            room.room.to_info() for name, room in self.rooms.items() if not names or name in names
        ]
        return api.ListRoomsResponse(rooms=infos)

    async def delete_room(self, request: api.DeleteRoomRequest) -> api.DeleteRoomResponse:
        """Close the room and disconnect everybody in it."""
        room = self._room(request.room)
        self._end_room(room, models.DisconnectReason.ROOM_DELETED, Leave.Action.DISCONNECT)
        return api.DeleteRoomResponse()

    async def list_participants(
        self, request: api.ListParticipantsRequest
    ) -> api.ListParticipantsResponse:
        """List everybody in the room, hidden ones too; an absent room is empty."""
        room = self.rooms.get(RoomName(request.room))
        participants = room.room.participants.values() if room is not None else ()
        return api.ListParticipantsResponse(participants=[p.to_info() for p in participants])

    async def get_participant(self, request: api.RoomParticipantIdentity) -> models.ParticipantInfo:
        """Describe one participant."""
        _, session = self._session(request.room, request.identity)
        return session.participant.to_info()

    async def remove_participant(
        self, request: api.RoomParticipantIdentity
    ) -> api.RemoveParticipantResponse:
        """Disconnect one participant."""
        room, session = self._session(request.room, request.identity)
        reason = models.DisconnectReason.PARTICIPANT_REMOVED
        session.send_leave(reason, Leave.Action.DISCONNECT)
        room.leave(session, reason)
        return api.RemoveParticipantResponse()

    async def mute_track(self, request: api.MuteRoomTrackRequest) -> api.MuteRoomTrackResponse:
        """Mute a track; unmuting is the publisher's, unless the node allows it."""
        room, session = self._session(request.room, request.identity)
        info = session.publishing.find_info(request.track_sid)
        if info is None:
            raise TrackNotFoundError("track not found")
        if info.muted and not request.muted and not self.settings.enable_remote_unmute:
            raise UnmuteRefusedError("remote unmute not enabled")
        if info.muted != request.muted:
            mute = rtc.MuteTrackRequest(sid=request.track_sid, muted=request.muted)
            session.send(rtc.SignalResponse(mute=mute))
            room.mute(session, request.track_sid, is_muted=request.muted)
        return api.MuteRoomTrackResponse(track=info)

    async def update_participant(
        self, request: api.UpdateParticipantRequest
    ) -> models.ParticipantInfo:
        """Change name, metadata, attributes or permission; what is no longer allowed ends."""
        room, session = self._session(request.room, request.identity)
        participant = session.participant
        update_identity_card(session, request.name, request.metadata, request.attributes)
        if request.HasField("permission"):
            self._apply_permission(room, session, request.permission)
        participant.changed()
        room.broadcast(participant, include_self=True)
        room.reconcile(session)
        self._send_token(session)
        return participant.to_info()

    async def update_subscriptions(
        self, request: api.UpdateSubscriptionsRequest
    ) -> api.UpdateSubscriptionsResponse:
        """Subscribe a participant to tracks, or unsubscribe it."""
        room, session = self._session(request.room, request.identity)
        apply_subscription(
            session,
            rtc.UpdateSubscription(
                track_sids=sids_of(request.track_sids, request.participant_tracks),
                subscribe=request.subscribe,
            ),
        )
        room.reconcile(session)
        return api.UpdateSubscriptionsResponse()

    async def send_data(self, request: api.SendDataRequest) -> api.SendDataResponse:
        """Send a data packet that has no sender; a repeated nonce is sent once."""
        room = self._room(request.room)
        if request.nonce:
            if request.nonce in self._nonces:
                return api.SendDataResponse()
            self._nonces[request.nonce] = None
            if len(self._nonces) > NONCES_KEPT:
                del self._nonces[next(iter(self._nonces))]
        packet = packets.server_packet(
            request.data,
            request.kind,
            topic=request.topic if request.HasField("topic") else None,
            identities=request.destination_identities,
            sids=request.destination_sids,
        )
        room.deliver(packet, None)
        return api.SendDataResponse()

    async def update_room_metadata(self, request: api.UpdateRoomMetadataRequest) -> models.Room:
        """Replace the room's metadata and tell everybody."""
        room = self._room(request.room)
        room.room.metadata = request.metadata
        room.broadcast_room()
        return room.room.to_info()

    async def perform_rpc(self, request: api.PerformRpcRequest) -> api.PerformRpcResponse:
        """Call a method a participant has registered and wait for its answer."""
        room, session = self._session(request.room, request.destination_identity)
        timeout_s = min(request.response_timeout_ms / 1000, RPC_MAX_TIMEOUT_S)
        timeout_s = timeout_s or RPC_DEFAULT_TIMEOUT_S
        request_id = str(uuid.uuid4())
        call = models.DataPacket(
            kind=models.DataPacket.Kind.RELIABLE,
            destination_identities=[request.destination_identity],
            rpc_request=models.RpcRequest(
                id=request_id,
                method=request.method,
                payload=request.payload,
                response_timeout_ms=int(timeout_s * 1000),
                version=1,
            ),
        )
        key = (session.participant.sid, request_id)
        answer: asyncio.Future[models.DataPacket] = asyncio.get_running_loop().create_future()
        self._rpcs[key] = answer
        try:
            room.deliver(call, None)
            async with asyncio.timeout(timeout_s):
                response = (await answer).rpc_response
        except TimeoutError:
            raise InvalidRequestError("the participant did not answer in time") from None
        finally:
            del self._rpcs[key]
        if response.HasField("error"):
            raise InvalidRequestError(response.error.message)
        return api.PerformRpcResponse(payload=response.payload)

    # Inside

    def _answer_rpc(self, session: Session, packet: models.DataPacket) -> bool:
        """Take the answer to a call of the Server API; False for any other packet."""
        kind = packet.WhichOneof("value")
        if kind not in {"rpc_ack", "rpc_response"}:
            return False
        answered = packet.rpc_ack if kind == "rpc_ack" else packet.rpc_response
        future = self._rpcs.get((session.participant.sid, answered.request_id))
        if future is None:
            return False
        if kind == "rpc_response" and not future.done():
            future.set_result(packet)
        return True

    def _apply_permission(
        self, room: LiveRoom, session: Session, permission: models.ParticipantPermission
    ) -> None:
        participant = session.participant
        was_hidden = participant.is_hidden
        participant.permission = permission
        video = session.claims.video
        if video is not None:
            session.claims = replace(session.claims, video=video.with_permission(permission))
        for info in [*participant.tracks.values(), *(p.info for p in participant.pending)]:
            if not participant.may_publish(info.source):
                session.publishing.unpublish(info.sid, tell_publisher=True)
        if was_hidden != participant.is_hidden:
            room.broadcast_room()

    def _open_room(self, request: api.CreateRoomRequest) -> LiveRoom:
        settings = self.settings
        state = Room(
            sid=new_room_sid(secrets.token_bytes),
            name=RoomName(request.name),
            created_at_ms=int(time.time() * 1000),
            created_s=self.now_s(),
            empty_timeout_s=settings.empty_timeout_s,
            departure_timeout_s=settings.departure_timeout_s,
            max_participants=settings.max_participants,
            enabled_codecs=settings.enabled_codecs,
        )
        _apply_settings(state, request)
        room = LiveRoom(
            state,
            now_s=self.now_s,
            notify=self._notify,
            ended=self._session_ended,
            answer_rpc=self._answer_rpc,
        )
        self.rooms[state.name] = room
        room.notify("room_started")
        return room

    def _end_room(
        self, room: LiveRoom, reason: models.DisconnectReason, action: "Leave.Action"
    ) -> None:
        for session in list(room.sessions.values()):
            session.send_leave(reason, action)
            room.leave(session, reason)
        if self.rooms.pop(room.room.name, None) is not None:
            room.notify("room_finished")

    def _session_ended(self, session: Session) -> None:
        task = asyncio.get_running_loop().create_task(session.close(), name="session close")
        self._closing.add(task)
        task.add_done_callback(self._close_done)

    def _close_done(self, task: "asyncio.Task[None]") -> None:
        self._closing.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("closing a session failed", exc_info=error)

    def _room(self, name: str) -> LiveRoom:
        room = self.rooms.get(RoomName(name))
        if room is None:
            raise RoomNotFoundError("requested room does not exist")
        return room

    def _session(self, name: str, identity: str) -> tuple[LiveRoom, Session]:
        room = self.rooms.get(RoomName(name))
        session = room.session_of(identity) if room is not None else None
        if room is None or session is None:
            raise ParticipantNotFoundError("participant does not exist")
        return room, session

    def _notify(self, event: WebhookEvent) -> None:
        if self._on_event is None:
            return
        event.id = "EV_" + random_text(secrets.token_bytes)
        event.created_at = int(time.time())
        try:
            self._on_event(event)
        except Exception:
            log.exception("the hook for %s failed", event.event)

    def _send_token(self, session: Session) -> None:
        session.send(rtc.SignalResponse(refresh_token=self._refresh(session.claims)))

    async def _run(self) -> None:
        next_sweep_s = next_quality_s = next_refresh_s = self.now_s()
        while True:
            await asyncio.sleep(TICK_S)
            now_s = self.now_s()
            for room in list(self.rooms.values()):
                self._guarded(room.tick, now_s)
            if now_s >= next_sweep_s:
                next_sweep_s = now_s + SWEEP_S
                self._guarded(self._sweep, now_s)
            if now_s >= next_quality_s:
                next_quality_s = now_s + QUALITY_S
                for room in list(self.rooms.values()):
                    self._guarded(room.report_quality)
            if now_s >= next_refresh_s + REFRESH_S:
                next_refresh_s = now_s
                for room in list(self.rooms.values()):
                    for session in room.sessions.values():
                        self._guarded(self._send_token, session)
            self._hub.egress.flush()

    def _guarded(self, work: Callable[..., None], *arguments: Any) -> None:
        try:
            work(*arguments)
        except Exception:
            # The ticker serves every room: a fault in one is logged and the others go on.
            log.exception("%s failed", work)

    def _sweep(self, now_s: float) -> None:
        for room in list(self.rooms.values()):
            self._guarded(room.sweep, now_s)
            closes_at_s = room.room.closes_at_s()
            if closes_at_s is not None and now_s >= closes_at_s:
                self._end_room(room, models.DisconnectReason.ROOM_CLOSED, Leave.Action.DISCONNECT)

    def _join_response(self, room: LiveRoom, session: Session) -> rtc.JoinResponse:
        participant = session.participant
        enabled = room.room.enabled_codecs
        return rtc.JoinResponse(
            room=room.room.to_info(),
            participant=participant.to_info(),
            other_participants=[p.to_info() for p in room.room.others_for(participant)],
            server_version=SERVER_VERSION,
            ice_servers=self._ice_servers(),
            subscriber_primary=session.is_subscriber_primary,
            client_configuration=models.ClientConfiguration(
                resume_connection=models.ClientConfigSetting.ENABLED
            ),
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

    def _ice_servers(self) -> list[rtc.ICEServer]:
        return [_ice_server(server) for server in self.settings.ice_servers]


def _ice_server(server: Mapping[str, object]) -> rtc.ICEServer:
    urls = server.get("urls", ())
    return rtc.ICEServer(
        urls=[urls] if isinstance(urls, str) else [str(url) for url in urls],  # type: ignore[attr-defined]
        username=str(server.get("username", "")),
        credential=str(server.get("credential", "")),
    )


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
        client=parameters.client,
        joined_at_ms=int(time.time() * 1000),
        auto_subscribe=parameters.auto_subscribe,
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


def _apply_settings(room: Room, request: api.CreateRoomRequest) -> None:
    room.empty_timeout_s = request.empty_timeout or room.empty_timeout_s
    room.departure_timeout_s = request.departure_timeout or room.departure_timeout_s
    room.max_participants = request.max_participants or room.max_participants
    room.metadata = request.metadata or room.metadata
