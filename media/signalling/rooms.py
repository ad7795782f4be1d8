"""The rooms of a node: open, find, end; and the events they give rise to.

What the operator decides about rooms is in :class:`NodeSettings`. Sessions that ended are
closed in tasks of their own, which ``finish`` waits for.
"""

import asyncio
import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from livekit.protocol import models
from livekit.protocol import room as api
from livekit.protocol.webhook import WebhookEvent

from media.core.codecs import DEFAULT_CODECS
from media.core.ids import RoomName, new_room_sid, random_text
from media.core.refusals import InvalidRequestError, ParticipantNotFoundError, RoomNotFoundError
from media.core.room import DEPARTURE_TIMEOUT_S, EMPTY_TIMEOUT_S, Room
from media.signalling.live_room import LiveRoom, RoomHooks
from media.signalling.session import Leave, Session

log = logging.getLogger(__name__)

EventHook = Callable[[WebhookEvent], None]
"""Called on the loop, must not block: room_started, room_finished, participant_joined,
participant_left, participant_connection_aborted, track_published, track_unpublished.
``id`` and ``created_at`` are set."""


@dataclass(frozen=True, slots=True)
class NodeSettings:
    """What the operator decides about a node."""

    node_ips: tuple[str, ...] = ()
    """Addresses to advertise. A local one is the only one bound; a foreign one (1:1 NAT) is
    advertised for every bound address. Empty: every IPv4 address of this machine."""

    udp_port: int = 7882
    """0: any free port."""

    tcp_port: int = 0
    """Port for media over TCP; 0: none."""

    auto_create: bool = True
    empty_timeout_s: int = EMPTY_TIMEOUT_S
    departure_timeout_s: int = DEPARTURE_TIMEOUT_S
    max_participants: int = 0
    max_tracks: int = 0
    """Tracks published and subscriptions of the whole node beyond which joins are refused; 0:
    no limit."""

    enabled_codecs: tuple[str, ...] = DEFAULT_CODECS
    enable_remote_unmute: bool = False
    loudest: int = 0
    """How many microphones are forwarded when more are open; 0: all."""

    turn_urls: tuple[str, ...] = ()
    """TURN servers whose passwords are made from ``turn_secret`` for each client."""

    turn_secret: str = field(default="", repr=False)
    ice_servers: tuple[dict[str, object], ...] = ()
    """STUN and TURN servers told to the clients: {"urls": [...], "username", "credential"}."""

    region: str = ""


class RoomRegistry:
    """All rooms of one node, by name."""

    def __init__(
        self,
        settings: NodeSettings,
        *,
        now_s: Callable[[], float],
        on_event: EventHook | None,
        answer_rpc: Callable[[Session, models.DataPacket], bool],
        send_token: Callable[[Session], None],
    ) -> None:
        self.settings = settings
        self.rooms: dict[RoomName, LiveRoom] = {}
        self._now_s = now_s
        self._on_event = on_event
        self._hooks = RoomHooks(self.notify, self.session_ended, answer_rpc, send_token)
        self._closing: set[asyncio.Task[None]] = set()

    @property
    def closing_count(self) -> int:
        """Sessions being closed."""
        return len(self._closing)

    @property
    def track_count(self) -> int:
        """Tracks that come in, and subscriptions that go out."""
        return sum(
            len(room.tracks) + sum(len(s.subscribing.subscriptions) for s in room.sessions.values())
            for room in self.rooms.values()
        )

    async def finish(self) -> None:
        """Wait until every ended session is closed."""
        await asyncio.gather(*self._closing, return_exceptions=True)

    def open(self, request: api.CreateRoomRequest) -> LiveRoom:
        """Open a room with the request's settings over the node's. InvalidRequestError."""
        if request.room_preset:
            raise InvalidRequestError(f"unknown room preset: {request.room_preset}")
        settings = self.settings
        state = Room(
            sid=new_room_sid(secrets.token_bytes),
            name=RoomName(request.name),
            created_at_ms=int(time.time() * 1000),
            created_s=self._now_s(),
            empty_timeout_s=settings.empty_timeout_s,
            departure_timeout_s=settings.departure_timeout_s,
            max_participants=settings.max_participants,
            loudest=settings.loudest,
            enabled_codecs=settings.enabled_codecs,
        )
        apply_settings(state, request)
        room = LiveRoom(state, now_s=self._now_s, hooks=self._hooks)
        self.rooms[state.name] = room
        room.notify("room_started")
        return room

    def end(self, room: LiveRoom, reason: models.DisconnectReason, action: "Leave.Action") -> None:
        """Send everybody away and close the room."""
        room.is_ending = True
        for session in list(room.sessions.values()):
            session.send_leave(reason, action)
            room.leave(session, reason)
        if self.rooms.pop(room.room.name, None) is not None:
            room.notify("room_finished")

    def session_ended(self, session: Session) -> None:
        """Release what a session holds, in a task of its own."""
        task = asyncio.get_running_loop().create_task(session.close(), name="session close")
        self._closing.add(task)
        task.add_done_callback(self._close_done)

    def _close_done(self, task: "asyncio.Task[None]") -> None:
        self._closing.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("closing a session failed", exc_info=error)

    def get(self, name: str) -> LiveRoom:
        """Find a room. RoomNotFoundError when there is none."""
        room = self.rooms.get(RoomName(name))
        if room is None:
            raise RoomNotFoundError("requested room does not exist")
        return room

    def get_session(self, name: str, identity: str) -> tuple[LiveRoom, Session]:
        """Find a room and a session in it. ParticipantNotFoundError when either is missing."""
        room = self.rooms.get(RoomName(name))
        session = room.session_of(identity) if room is not None else None
        if room is None or session is None:
            raise ParticipantNotFoundError("participant does not exist")
        return room, session

    def notify(self, event: WebhookEvent) -> None:
        """Stamp an event and report it."""
        if self._on_event is None:
            return
        event.id = "EV_" + random_text(secrets.token_bytes)
        event.created_at = int(time.time())
        try:
            self._on_event(event)
        except Exception:
            log.exception("the hook for %s failed", event.event)


def apply_settings(room: Room, request: api.CreateRoomRequest) -> None:
    """Take over what the request sets; zero and empty mean unchanged."""
    room.empty_timeout_s = request.empty_timeout or room.empty_timeout_s
    room.departure_timeout_s = request.departure_timeout or room.departure_timeout_s
    room.max_participants = request.max_participants or room.max_participants
    room.metadata = request.metadata or room.metadata
