"""What a client asks for when it opens its signalling socket, in both forms of the protocol.

v0 puts every option into the query string; v1 packs them into one ``join_request``:
base64url of a WrappedJoinRequest around a JoinRequest, optionally compressed. The inflated
size is bounded while inflating, so that a compressed bomb costs what the bound allows.

Both end as the same :class:`JoinParameters`. Anything malformed raises JoinRefusedError with
the HTTP status to answer.
"""

import base64
import binascii
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from google.protobuf.message import DecodeError
from livekit.protocol import models, rtc

from media.core.grants import Claims
from media.core.ids import Identity, RoomName

MAX_JOIN_REQUEST_BYTES: Final = 1 << 20
MAX_NAME_CHARS: Final = 256
"""Longest room name and identity (LiveKit's default limits)."""

MAX_METADATA_BYTES: Final = 512 * 1024
MAX_ATTRIBUTES_BYTES: Final = 64 * 1024
SUBSCRIBER_PRIMARY_PROTOCOL: Final = 3
"""Client protocol from which the subscriber connection may be the primary one."""

_GZIP: Final = 16 + zlib.MAX_WBITS


class JoinRefusedError(Exception):
    """The join is refused before the upgrade; ``status`` is the HTTP status."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


@dataclass(slots=True)
class JoinParameters:
    """The options of one join or resume."""

    is_single: bool
    """One peer connection, offered by the client (v1)."""

    client: models.ClientInfo = field(default_factory=models.ClientInfo)
    auto_subscribe: bool = True
    auto_subscribe_data: bool = False
    """Subscribe to data tracks without being asked."""

    adaptive_stream: bool = False
    allows_pause: bool = False
    """The client copes with pictures that are paused for want of bandwidth."""

    is_reconnect: bool = False
    participant_sid: str = ""
    """The session to resume."""

    wants_publish: bool = False
    metadata: str = ""
    attributes: dict[str, str] = field(default_factory=dict)
    add_tracks: list[rtc.AddTrackRequest] = field(default_factory=list)
    offer: rtc.SessionDescription | None = None
    sync_state: rtc.SyncState | None = None


def check_grants(claims: Claims) -> tuple[RoomName, Identity]:
    """Name the room and identity a token admits. JoinRefusedError when it admits to none."""
    video = claims.video
    if video is None or not video.room_join:
        raise JoinRefusedError(401, "the token does not allow joining a room")
    if not video.room:
        raise JoinRefusedError(400, "no room name")
    if not claims.identity:
        raise JoinRefusedError(400, "identity cannot be empty")
    if max(len(video.room), len(claims.identity), len(claims.name)) > MAX_NAME_CHARS:
        raise JoinRefusedError(400, f"names are limited to {MAX_NAME_CHARS} characters")
    return RoomName(video.room), Identity(claims.identity)


def read_query(query: Mapping[str, str], claims: Claims) -> JoinParameters:
    """Read the options of a v0 join."""
    attributes = _attributes(query.get("attributes", ""))
    parameters = JoinParameters(
        is_single=False,
        client=_client_info(query),
        auto_subscribe=_flag(query, "auto_subscribe", default=True),
        auto_subscribe_data=_flag(query, "auto_subscribe_data_track", default=False),
        adaptive_stream=_flag(query, "adaptive_stream", default=False),
        allows_pause=_flag(query, "subscriber_allow_pause", default=False),
        is_reconnect=_flag(query, "reconnect", default=False),
        participant_sid=query.get("sid", ""),
        wants_publish=bool(query.get("publish", "")),
        attributes=attributes,
    )
    _check_wishes(parameters, claims)
    return parameters


def read_join_request(text: str, claims: Claims) -> JoinParameters:
    """Read the options of a v1 join."""
    if not text:
        raise JoinRefusedError(400, "join_request is missing")
    try:
        wrapped = rtc.WrappedJoinRequest.FromString(_base64(text))
        request = rtc.JoinRequest.FromString(_unpacked(wrapped))
    except (DecodeError, ValueError, zlib.error) as error:
        raise JoinRefusedError(400, "join_request is malformed") from error
    settings = request.connection_settings
    parameters = JoinParameters(
        is_single=True,
        client=request.client_info,
        auto_subscribe=settings.auto_subscribe,
        auto_subscribe_data=settings.auto_subscribe_data_track,
        adaptive_stream=settings.adaptive_stream,
        allows_pause=settings.subscriber_allow_pause,
        is_reconnect=request.reconnect,
        participant_sid=request.participant_sid,
        metadata=request.metadata,
        attributes=dict(request.participant_attributes),
        add_tracks=list(request.add_track_requests),
        offer=request.publisher_offer if request.HasField("publisher_offer") else None,
        sync_state=request.sync_state if request.HasField("sync_state") else None,
    )
    _check_wishes(parameters, claims)
    return parameters


def _check_wishes(parameters: JoinParameters, claims: Claims) -> None:
    video = claims.video
    assert video is not None, "check_grants comes first"
    if parameters.wants_publish and not video.may_publish:
        raise JoinRefusedError(401, "the token does not allow publishing")
    changes_self = bool(parameters.metadata or parameters.attributes)
    if changes_self and not video.can_update_own_metadata:
        raise JoinRefusedError(401, "the token does not allow changing one's own metadata")
    _check_card(
        parameters.metadata or claims.metadata, {**claims.attributes, **parameters.attributes}
    )


def _check_card(metadata: str, attributes: Mapping[str, str]) -> None:
    if len(metadata.encode("utf-8", "replace")) > MAX_METADATA_BYTES:
        raise JoinRefusedError(400, f"metadata exceeds {MAX_METADATA_BYTES} bytes")
    size = sum(len(text.encode("utf-8", "replace")) for item in attributes.items() for text in item)
    if size > MAX_ATTRIBUTES_BYTES:
        raise JoinRefusedError(400, f"attributes exceed {MAX_ATTRIBUTES_BYTES} bytes")


def _unpacked(wrapped: rtc.WrappedJoinRequest) -> bytes:
    packed = wrapped.join_request
    if wrapped.compression == rtc.WrappedJoinRequest.Compression.NONE:
        data = packed
    elif wrapped.compression == rtc.WrappedJoinRequest.Compression.GZIP:
        inflater = zlib.decompressobj(wbits=_GZIP)
        data = inflater.decompress(packed, MAX_JOIN_REQUEST_BYTES + 1)
        if len(data) <= MAX_JOIN_REQUEST_BYTES and not inflater.eof:
            raise ValueError("gzip data cut off")
    else:
        raise ValueError("unknown compression")
    if len(data) > MAX_JOIN_REQUEST_BYTES:
        raise ValueError("join_request is too long")
    return data


def _base64(text: str) -> bytes:
    """Decode base64 of either alphabet, padded or not."""
    plain = text.rstrip("=").replace("-", "+").replace("_", "/").replace(" ", "+")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except binascii.Error as error:
        raise ValueError("not base64") from error


def _attributes(text: str) -> dict[str, str]:
    if not text:
        return {}
    try:
        value = json.loads(_base64(text))
    except (ValueError, RecursionError) as error:
        raise JoinRefusedError(400, "attributes are malformed") from error
    if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
        raise JoinRefusedError(400, "attributes are malformed")
    return value


def _client_info(query: Mapping[str, str]) -> models.ClientInfo:
    sdk = query.get("sdk", "").upper()
    names = models.ClientInfo.SDK.keys()
    capabilities = models.ClientInfo.Capability.keys()
    wanted = [name.strip().upper() for name in query.get("capabilities", "").split(",")]
    return models.ClientInfo(
        sdk=sdk if sdk in names else "UNKNOWN",
        version=query.get("version", ""),
        protocol=_number(query, "protocol"),
        client_protocol=_number(query, "client_protocol"),
        os=query.get("os", ""),
        os_version=query.get("os_version", ""),
        device_model=query.get("device_model", ""),
        browser=query.get("browser", ""),
        browser_version=query.get("browser_version", ""),
        network=query.get("network", ""),
        capabilities=[name for name in wanted if name in capabilities],
    )


def _flag(query: Mapping[str, str], name: str, *, default: bool) -> bool:
    value = query.get(name, "")
    return value in {"1", "true"} if value else default


def _number(query: Mapping[str, str], name: str) -> int:
    value = query.get(name, "")
    return int(value) if value.isascii() and value.isdecimal() and len(value) <= 6 else 0
