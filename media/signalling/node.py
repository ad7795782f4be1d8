"""The node: all rooms of this process, one transport, and the verbs of the Server API.

The node owns the rooms, their sessions and the UDP sockets. Its coroutines are the only
entry for ``media.api``; they take and return LiveKit's messages and raise
``media.core.refusals.RefusedError`` for anything the present state does not allow.
Events for webhooks go to ``on_event`` in the order in which they happened.

Everything runs on one event loop.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aiohttp import web
from livekit.protocol import models
from livekit.protocol import room as api
from livekit.protocol.webhook import WebhookEvent

from media.core.room import DEPARTURE_TIMEOUT_S, EMPTY_TIMEOUT_S

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

    ``authenticate(token) -> Claims`` raises on a token that is not valid now;
    ``refresh(claims) -> token`` signs a new token with the same grants.
    """

    def __init__(
        self,
        settings: NodeSettings,
        *,
        authenticate: Callable[[str], "object"],
        refresh: Callable[["object"], str],
        on_event: EventHook | None = None,
    ) -> None: ...

    async def start(self) -> None:
        """Bind the sockets and start the timers. OSError when a port is taken."""

    async def close(self) -> None:
        """Tell everybody SERVER_SHUTDOWN and release everything."""

    def routes(self) -> Sequence[web.RouteDef]:
        """Handlers of ``/rtc``, ``/rtc/v1``, ``/rtc/validate``, ``/rtc/v1/validate``.

        CORS headers are the application's; these answer plain text and WebSockets.
        """

    async def create_room(self, request: api.CreateRoomRequest) -> models.Room: ...

    async def list_rooms(self, request: api.ListRoomsRequest) -> api.ListRoomsResponse: ...

    async def delete_room(self, request: api.DeleteRoomRequest) -> api.DeleteRoomResponse: ...

    async def list_participants(
        self, request: api.ListParticipantsRequest
    ) -> api.ListParticipantsResponse: ...

    async def get_participant(
        self, request: api.RoomParticipantIdentity
    ) -> models.ParticipantInfo: ...

    async def remove_participant(
        self, request: api.RoomParticipantIdentity
    ) -> api.RemoveParticipantResponse: ...

    async def mute_track(self, request: api.MuteRoomTrackRequest) -> api.MuteRoomTrackResponse: ...

    async def update_participant(
        self, request: api.UpdateParticipantRequest
    ) -> models.ParticipantInfo: ...

    async def update_subscriptions(
        self, request: api.UpdateSubscriptionsRequest
    ) -> api.UpdateSubscriptionsResponse: ...

    async def send_data(self, request: api.SendDataRequest) -> api.SendDataResponse: ...

    async def update_room_metadata(self, request: api.UpdateRoomMetadataRequest) -> models.Room: ...

    async def perform_rpc(self, request: api.PerformRpcRequest) -> api.PerformRpcResponse: ...

    def figures(self) -> dict[str, float]:
        """Gauges and counters for ``/metrics``: name to value."""
