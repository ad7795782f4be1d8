"""``livekit.RoomService``: which grant each call needs and which verb of the node it is.

A call without the needed grant is *unauthenticated* (401), as LiveKit answers it: the
token, not the person, lacks the right. Sizes are checked here, before the node sees the
request; states (no such room, no such track) are the node's to refuse.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Protocol

from google.protobuf.message import Message
from livekit.protocol import models
from livekit.protocol import room as api

from media.api.twirp import Method, TwirpError, TwirpService
from media.core.grants import Claims, VideoGrant

SERVICE: Final = "livekit.RoomService"
MAX_NAME_CHARS: Final = 256
"""Longest room name, identity and participant name (LiveKit 1.13 ``limit`` defaults)."""
MAX_METADATA_BYTES: Final = 512 * 1024
MAX_ATTRIBUTES_BYTES: Final = 64 * 1024
NONCE_BYTES: Final = 16
"""Length of ``SendDataRequest.nonce`` when it is present."""


class RoomVerbs(Protocol):
    """What the service asks of a node; each raises ``RefusedError`` when the state forbids it."""

    async def create_room(self, request: api.CreateRoomRequest) -> models.Room:
        """Create the room, or update and return the one that exists."""

    async def list_rooms(self, request: api.ListRoomsRequest) -> api.ListRoomsResponse:
        """The rooms, or those of the given names."""

    async def delete_room(self, request: api.DeleteRoomRequest) -> api.DeleteRoomResponse:
        """Close the room and disconnect everybody in it."""

    async def list_participants(
        self, request: api.ListParticipantsRequest
    ) -> api.ListParticipantsResponse:
        """Everybody in the room; an absent room is empty."""

    async def get_participant(self, request: api.RoomParticipantIdentity) -> models.ParticipantInfo:
        """One participant."""

    async def remove_participant(
        self, request: api.RoomParticipantIdentity
    ) -> api.RemoveParticipantResponse:
        """Disconnect one participant."""

    async def mute_track(self, request: api.MuteRoomTrackRequest) -> api.MuteRoomTrackResponse:
        """Mute or unmute a published track."""

    async def update_participant(
        self, request: api.UpdateParticipantRequest
    ) -> models.ParticipantInfo:
        """Change name, metadata, attributes or permission."""

    async def update_subscriptions(
        self, request: api.UpdateSubscriptionsRequest
    ) -> api.UpdateSubscriptionsResponse:
        """Subscribe a participant to tracks, or unsubscribe it."""

    async def send_data(self, request: api.SendDataRequest) -> api.SendDataResponse:
        """Send a data packet that has no sender."""

    async def update_room_metadata(self, request: api.UpdateRoomMetadataRequest) -> models.Room:
        """Replace the room's metadata and tell everybody."""

    async def perform_rpc(self, request: api.PerformRpcRequest) -> api.PerformRpcResponse:
        """Call a method a participant has registered and wait for its answer."""


def room_service(node: RoomVerbs, authenticate: Callable[[str], Claims]) -> TwirpService:
    """The service over ``node``."""
    return TwirpService(SERVICE, _methods(node), authenticate)


def _methods(node: RoomVerbs) -> Mapping[str, Method]:
    def admin(
        request: type[Message],
        call: Callable[[Any], Awaitable[Message]],
        check: Callable[[Any], None] = lambda _: None,
    ) -> Method:
        return Method(request, _allowing(_is_room_admin, check), call)

    return {
        "CreateRoom": Method(
            api.CreateRoomRequest, _allowing(_may_create, _check_creation), node.create_room
        ),
        "ListRooms": Method(
            api.ListRoomsRequest, _allowing(lambda grant, _: grant.room_list), node.list_rooms
        ),
        "DeleteRoom": Method(api.DeleteRoomRequest, _allowing(_may_create), node.delete_room),
        "ListParticipants": admin(api.ListParticipantsRequest, node.list_participants),
        "GetParticipant": admin(api.RoomParticipantIdentity, node.get_participant),
        "RemoveParticipant": admin(api.RoomParticipantIdentity, node.remove_participant),
        "MutePublishedTrack": admin(api.MuteRoomTrackRequest, node.mute_track),
        "UpdateParticipant": admin(
            api.UpdateParticipantRequest, node.update_participant, _check_participant
        ),
        "UpdateSubscriptions": admin(api.UpdateSubscriptionsRequest, node.update_subscriptions),
        "SendData": admin(api.SendDataRequest, node.send_data, _check_data),
        "UpdateRoomMetadata": admin(
            api.UpdateRoomMetadataRequest, node.update_room_metadata, _check_metadata
        ),
        "PerformRpc": admin(api.PerformRpcRequest, node.perform_rpc),
        "MoveParticipant": Method(
            api.MoveParticipantRequest, _allowing(_may_move), _only_between_nodes
        ),
        "ForwardParticipant": Method(
            api.ForwardParticipantRequest, _allowing(_may_move), _only_between_nodes
        ),
    }


def _allowing(
    permits: Callable[[VideoGrant, Any], bool], check: Callable[[Any], None] = lambda _: None
) -> Callable[[Claims, Any], None]:
    def allow(claims: Claims, request: Any) -> None:
        if claims.video is None or not permits(claims.video, request):
            raise TwirpError("unauthenticated", "the token does not grant this")
        check(request)

    return allow


def _may_create(grant: VideoGrant, _request: object) -> bool:
    return grant.room_create


def _is_room_admin(grant: VideoGrant, request: Any) -> bool:
    return grant.room_admin and bool(request.room) and grant.room == request.room


def _may_move(grant: VideoGrant, request: Any) -> bool:
    return _is_room_admin(grant, request) and grant.destination_room == request.destination_room


async def _only_between_nodes(_request: object) -> Message:
    raise TwirpError("unimplemented", "participants are not moved or forwarded between rooms")


def _check_creation(request: api.CreateRoomRequest) -> None:
    if not request.name:
        raise TwirpError("invalid_argument", "no room name", argument="name")
    _check_length("name", request.name)
    _check_metadata(request)


def _check_participant(request: api.UpdateParticipantRequest) -> None:
    _check_length("name", request.name)
    _check_metadata(request)
    size = sum(len(name.encode()) + len(text.encode()) for name, text in request.attributes.items())
    if size > MAX_ATTRIBUTES_BYTES:
        raise TwirpError("invalid_argument", f"attributes exceed {MAX_ATTRIBUTES_BYTES} bytes")


def _check_metadata(request: Any) -> None:
    if len(request.metadata.encode()) > MAX_METADATA_BYTES:
        raise TwirpError("invalid_argument", f"metadata exceeds {MAX_METADATA_BYTES} bytes")


def _check_data(request: api.SendDataRequest) -> None:
    if len(request.nonce) not in (0, NONCE_BYTES):
        raise TwirpError("invalid_argument", f"a nonce has {NONCE_BYTES} bytes", argument="nonce")


def _check_length(name: str, text: str) -> None:
    if len(text) > MAX_NAME_CHARS:
        raise TwirpError(
            "invalid_argument", f"{name} is longer than {MAX_NAME_CHARS} characters", argument=name
        )
