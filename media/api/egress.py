"""``livekit.Egress``: recordings that a caller asks for and a recorder of ours carries out.

Served are a room as one picture (StartRoomCompositeEgress) and a track as it was sent
(StartTrackEgress), each into a file; StopEgress and ListEgress. Everything else is answered with
*unimplemented* and what is missing. Without a recorder a start is *unavailable*.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Protocol

from google.protobuf.message import Message
from livekit.protocol import egress as api

from media.api.twirp import Method, TwirpError, TwirpService
from media.core.grants import Claims

SERVICE: Final = "livekit.Egress"
MAX_PATH_CHARS: Final = 500


class EgressVerbs(Protocol):
    """What the service asks of a node; each raises ``RefusedError`` when the state forbids it."""

    async def start_room_egress(self, request: api.RoomCompositeEgressRequest) -> api.EgressInfo:
        """Record a room as one picture."""

    async def start_track_egress(self, request: api.TrackEgressRequest) -> api.EgressInfo:
        """Record a track as it is sent."""

    async def stop_egress(self, request: api.StopEgressRequest) -> api.EgressInfo:
        """End a recording."""

    async def list_egress(self, request: api.ListEgressRequest) -> api.ListEgressResponse:
        """The recordings of this node, ended ones for a while too."""


def egress_service(node: EgressVerbs, authenticate: Callable[[str], Claims]) -> TwirpService:
    """The service over ``node``."""
    methods: Mapping[str, Method] = {
        "StartRoomCompositeEgress": _method(
            api.RoomCompositeEgressRequest, node.start_room_egress, _check_room
        ),
        "StartTrackEgress": _method(api.TrackEgressRequest, node.start_track_egress, _check_track),
        "StopEgress": _method(api.StopEgressRequest, node.stop_egress),
        "ListEgress": _method(api.ListEgressRequest, node.list_egress),
        "StartEgress": _unserved(
            api.StartEgressRequest, "ask by StartRoomCompositeEgress or StartTrackEgress"
        ),
        "StartTrackCompositeEgress": _unserved(
            api.TrackCompositeEgressRequest, "one track or a whole room can be recorded"
        ),
        "StartParticipantEgress": _unserved(
            api.ParticipantEgressRequest, "one track or a whole room can be recorded"
        ),
        "StartWebEgress": _unserved(api.WebEgressRequest, "web pages are not recorded"),
        "UpdateLayout": _unserved(
            api.UpdateLayoutRequest, "who is large follows the screen, the floor and the speaker"
        ),
        "UpdateStream": _unserved(api.UpdateStreamRequest, "recordings go to files only"),
    }
    return TwirpService(SERVICE, methods, authenticate)


def allow_recording(claims: Claims, _request: object = None) -> None:
    """Refuse a token without the right to record."""
    if claims.video is None or not claims.video.room_record:
        raise TwirpError("unauthenticated", "the token does not grant this")


def _method(
    request: type[Message],
    call: Callable[[Any], Awaitable[Message]],
    check: Callable[[Any], None] = lambda _: None,
) -> Method:
    def allow(claims: Claims, message: Any) -> None:
        allow_recording(claims)
        check(message)

    return Method(request, allow, call)


def _unserved(request: type[Message], reason: str) -> Method:
    async def refuse(_request: object) -> Message:
        raise TwirpError("unimplemented", reason)

    return Method(request, allow_recording, refuse)


def _check_room(request: api.RoomCompositeEgressRequest) -> None:
    if not request.room_name:
        raise TwirpError("invalid_argument", "no room name", argument="room_name")
    others = ("stream", "segments", "stream_outputs", "segment_outputs", "image_outputs")
    if any(_is_set(request, name) for name in others):
        raise TwirpError("unimplemented", "recordings go to files only")
    if request.custom_base_url or request.webhooks:
        raise TwirpError("unimplemented", "custom pages and webhooks of one egress are not served")
    if request.audio_only and request.video_only:
        raise TwirpError("invalid_argument", "audio only and video only exclude each other")
    files = [*request.file_outputs, *([request.file] if request.HasField("file") else [])]
    if len(files) != 1:
        raise TwirpError("invalid_argument", "exactly one file output is needed")
    if files[0].file_type == api.EncodedFileType.MP3:
        raise TwirpError("unimplemented", "files are MP4 or OGG")
    _check_file(files[0])


def _check_track(request: api.TrackEgressRequest) -> None:
    if not request.room_name or not request.track_id:
        raise TwirpError("invalid_argument", "room name and track are needed")
    if request.websocket_url:
        raise TwirpError("unimplemented", "recordings go to files only")
    if not request.HasField("file"):
        raise TwirpError("invalid_argument", "a file output is needed", argument="file")
    _check_file(request.file)


def _check_file(output: Any) -> None:
    if any(output.HasField(name) for name in ("s3", "gcp", "azure", "aliOSS")):
        raise TwirpError("unimplemented", "files stay on the recorder's machine")
    if len(output.filepath) > MAX_PATH_CHARS:
        raise TwirpError("invalid_argument", "the file path is too long", argument="filepath")


def _is_set(request: Message, name: str) -> bool:
    return any(field.name == name for field, _ in request.ListFields())
