"""The verbs of the Server API, over the rooms of a node.

Each takes and returns LiveKit's messages and raises ``media.core.refusals.RefusedError`` for
anything the present state does not allow. Who may call is decided by ``media.api``.
"""

import asyncio
import uuid
from collections.abc import Callable
from typing import Final

from livekit.protocol import models, rtc
from livekit.protocol import room as api

from media.core import data as packets
from media.core.ids import RoomName
from media.core.refusals import (
    RpcFailedError,
    RpcTimeoutError,
    TrackNotFoundError,
    UnmuteRefusedError,
)
from media.signalling.live_room import LiveRoom
from media.signalling.recording import Recordings
from media.signalling.requests import apply_subscription, sids_of, update_identity_card
from media.signalling.rooms import EventHook, NodeSettings, RoomRegistry, apply_settings
from media.signalling.session import Leave, Session

RPC_MAX_TIMEOUT_S: Final = 60.0
RPC_DEFAULT_TIMEOUT_S: Final = 10.0


class Administration:
    """The Server API's side of a node."""

    def __init__(
        self, settings: NodeSettings, *, now_s: Callable[[], float], on_event: EventHook | None
    ) -> None:
        self.settings = settings
        self.registry = RoomRegistry(
            settings,
            now_s=now_s,
            on_event=on_event,
            answer_rpc=self._answer_rpc,
            send_token=self.send_token,
        )
        self.recordings = Recordings(self.registry, now_s=now_s, notify=self.registry.notify)
        self._rpcs: dict[tuple[str, str], asyncio.Future[models.DataPacket]] = {}

    @property
    def rooms(self) -> dict[RoomName, LiveRoom]:
        """The rooms, by name."""
        return self.registry.rooms

    def send_token(self, session: Session) -> None:
        """Give a client a token that reflects its present permission."""
        raise NotImplementedError

    def check_open(self) -> None:
        """Raise NodeFullError when no room may be opened."""
        raise NotImplementedError

    async def create_room(self, request: api.CreateRoomRequest) -> models.Room:
        """Create the room, or apply non-zero settings to the one that exists."""
        self.check_open()
        room = self.rooms.get(RoomName(request.name))
        if room is None:
            room = self.registry.open(request)
        else:
            apply_settings(room.room, request)
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
        room = self.registry.get(request.room)
        self.registry.end(room, models.DisconnectReason.ROOM_DELETED, Leave.Action.DISCONNECT)
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
        _, session = self.registry.get_session(request.room, request.identity)
        return session.participant.to_info()

    async def remove_participant(
        self, request: api.RoomParticipantIdentity
    ) -> api.RemoveParticipantResponse:
        """Disconnect one participant."""
        room, session = self.registry.get_session(request.room, request.identity)
        reason = models.DisconnectReason.PARTICIPANT_REMOVED
        session.send_leave(reason, Leave.Action.DISCONNECT)
        room.leave(session, reason)
        return api.RemoveParticipantResponse()

    async def mute_track(self, request: api.MuteRoomTrackRequest) -> api.MuteRoomTrackResponse:
        """Mute a track; unmuting is the publisher's, unless the node allows it."""
        room, session = self.registry.get_session(request.room, request.identity)
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
        room, session = self.registry.get_session(request.room, request.identity)
        participant = session.participant
        update_identity_card(session, request.name, request.metadata, request.attributes)
        if request.HasField("permission"):
            self._apply_permission(room, session, request.permission)
        participant.changed()
        room.broadcast(participant, include_self=True)
        room.reconcile(session)
        self.send_token(session)
        return participant.to_info()

    async def update_subscriptions(
        self, request: api.UpdateSubscriptionsRequest
    ) -> api.UpdateSubscriptionsResponse:
        """Subscribe a participant to tracks, or unsubscribe it."""
        room, session = self.registry.get_session(request.room, request.identity)
        apply_subscription(
            room,
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
        room = self.registry.get(request.room)
        packet = packets.server_packet(
            request.data,
            request.kind,
            topic=request.topic if request.HasField("topic") else None,
            identities=request.destination_identities,
            sids=request.destination_sids,
            nonce=request.nonce,
        )
        room.data.send(packet)
        return api.SendDataResponse()

    async def update_room_metadata(self, request: api.UpdateRoomMetadataRequest) -> models.Room:
        """Replace the room's metadata and tell everybody."""
        room = self.registry.get(request.room)
        room.room.metadata = request.metadata
        room.broadcast_room()
        return room.room.to_info()

    async def perform_rpc(self, request: api.PerformRpcRequest) -> api.PerformRpcResponse:
        """Call a method a participant has registered and wait for its answer."""
        room, session = self.registry.get_session(request.room, request.destination_identity)
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
            room.data.deliver(call, None)
            async with asyncio.timeout(timeout_s):
                response = (await answer).rpc_response
        except TimeoutError:
            raise RpcTimeoutError("the participant did not answer in time") from None
        finally:
            del self._rpcs[key]
        if response.HasField("error"):
            raise RpcFailedError(response.error.code, response.error.message)
        return api.PerformRpcResponse(payload=response.payload)

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
        for info in [*participant.tracks.values(), *(p.info for p in participant.pending)]:
            if not participant.may_publish(info.source):
                session.publishing.unpublish(info.sid, tell_publisher=True)
        if was_hidden != participant.is_hidden:
            if participant.is_hidden:
                room.vanish(participant)
            room.reconcile_all()
