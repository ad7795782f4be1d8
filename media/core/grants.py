"""What an access token allows: the claims of a LiveKit JWT as plain values.

A token is read in two steps. :mod:`media.tokens` checks signature and times; this
module turns the payload into :class:`Claims`, and refuses any field of the wrong JSON
type, so that no later code meets ``"roomJoin": "false"`` as a truthy string. Fields
left out of the ``video`` grant mean something (publishing is allowed unless denied):
they stay ``None`` here and are resolved by the ``may_*`` properties.

Claim names follow livekit-protocol ``auth/grants.go``; unknown claims are ignored.
Pure: no clock, no signature check.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from google.protobuf.json_format import MessageToDict, ParseDict, ParseError
from livekit.protocol.models import ParticipantInfo, ParticipantPermission, TrackSource
from livekit.protocol.room import RoomConfiguration

SOURCES: Final[Mapping[str, TrackSource]] = {
    "camera": TrackSource.CAMERA,
    "microphone": TrackSource.MICROPHONE,
    "screen_share": TrackSource.SCREEN_SHARE,
    "screen_share_audio": TrackSource.SCREEN_SHARE_AUDIO,
}
"""Names a token uses in ``canPublishSources``."""

KINDS: Final[Mapping[str, ParticipantInfo.Kind]] = {
    "standard": ParticipantInfo.STANDARD,
    "ingress": ParticipantInfo.INGRESS,
    "egress": ParticipantInfo.EGRESS,
    "sip": ParticipantInfo.SIP,
    "agent": ParticipantInfo.AGENT,
    "connector": ParticipantInfo.CONNECTOR,
    "bridge": ParticipantInfo.BRIDGE,
}
"""Names a token uses in ``kind``."""

KIND_DETAILS: Final[Mapping[str, ParticipantInfo.KindDetail]] = {
    "cloud_agent": ParticipantInfo.CLOUD_AGENT,
    "forwarded": ParticipantInfo.FORWARDED,
    "connector_whatsapp": ParticipantInfo.CONNECTOR_WHATSAPP,
    "connector_twilio": ParticipantInfo.CONNECTOR_TWILIO,
    "bridge_rtsp": ParticipantInfo.BRIDGE_RTSP,
    "simulation": ParticipantInfo.SIMULATION,
}
"""Names a token uses in ``kindDetails``."""


class ClaimsError(ValueError):
    """The payload is not a valid set of claims; the message names the field."""


@dataclass(frozen=True, slots=True)
class VideoGrant:
    """The ``video`` claim. ``None`` means: not stated in the token."""

    room: str = ""
    room_join: bool = False
    room_create: bool = False
    room_list: bool = False
    room_record: bool = False
    room_admin: bool = False
    can_publish: bool | None = None
    can_publish_sources: tuple[TrackSource, ...] = ()
    can_subscribe: bool | None = None
    can_publish_data: bool | None = None
    can_update_own_metadata: bool = False
    can_subscribe_metrics: bool = False
    can_manage_agent_session: bool = False
    hidden: bool = False
    recorder: bool = False
    agent: bool = False
    ingress_admin: bool = False
    destination_room: str = ""

    @property
    def may_publish(self) -> bool:
        """Whether any track may be published; unstated means yes."""
        return self.can_publish is not False

    @property
    def may_subscribe(self) -> bool:
        """Whether tracks of others may be received; unstated means yes."""
        return self.can_subscribe is not False

    @property
    def may_publish_data(self) -> bool:
        """Whether data packets may be sent; unstated follows ``may_publish``."""
        return self.may_publish if self.can_publish_data is None else self.can_publish_data

    def may_publish_source(self, source: TrackSource) -> bool:
        """Whether a track of this source may be published; an empty list allows all."""
        if not self.may_publish:
            return False
        return not self.can_publish_sources or source in self.can_publish_sources

    def permission(self) -> ParticipantPermission:
        """The grant as other participants and the SDK of this one see it."""
        return ParticipantPermission(
            can_subscribe=self.may_subscribe,
            can_publish=self.may_publish,
            can_publish_data=self.may_publish_data,
            can_publish_sources=list(self.can_publish_sources),
            hidden=self.hidden,
            recorder=self.recorder,
            can_update_metadata=self.can_update_own_metadata,
            agent=self.agent,
            can_subscribe_metrics=self.can_subscribe_metrics,
            can_manage_agent_session=self.can_manage_agent_session,
        )

    def with_permission(self, permission: ParticipantPermission) -> "VideoGrant":
        """The grant after the Server API's UpdateParticipant replaced the permission."""
        return replace(
            self,
            can_subscribe=permission.can_subscribe,
            can_publish=permission.can_publish,
            can_publish_data=permission.can_publish_data,
            can_publish_sources=tuple(permission.can_publish_sources),
            hidden=permission.hidden,
            recorder=permission.recorder,
            can_update_own_metadata=permission.can_update_metadata,
            agent=permission.agent,
            can_subscribe_metrics=permission.can_subscribe_metrics,
            can_manage_agent_session=permission.can_manage_agent_session,
        )


@dataclass(frozen=True, slots=True)
class Claims:
    """Everything a verified token says. ``video`` is None without a video grant."""

    api_key: str
    identity: str
    video: VideoGrant | None = None
    name: str = ""
    metadata: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    kind: ParticipantInfo.Kind = ParticipantInfo.STANDARD
    kind_details: tuple[str, ...] = ()
    sha256: str = ""
    room_config: RoomConfiguration | None = None
    room_preset: str = ""
    expires_at_s: float = 0.0
    """Expiry, seconds since the Unix epoch."""

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> "Claims":
        """Read a JWT payload. Raises :class:`ClaimsError` on a field of the wrong type."""
        video = payload.get("video")
        return cls(
            api_key=_text(payload, "iss"),
            identity=_text(payload, "sub") or _text(payload, "jti"),
            video=None if video is None else _video_grant(video),
            name=_text(payload, "name"),
            metadata=_text(payload, "metadata"),
            attributes=_text_map(payload, "attributes"),
            kind=_kind(_text(payload, "kind")),
            kind_details=_texts(payload, "kindDetails"),
            sha256=_text(payload, "sha256"),
            room_config=_room_config(payload.get("roomConfig")),
            room_preset=_text(payload, "roomPreset"),
            expires_at_s=_seconds(payload, "exp"),
        )

    def details(self) -> tuple[ParticipantInfo.KindDetail, ...]:
        """The known ones among ``kind_details``."""
        return tuple(KIND_DETAILS[name] for name in self.kind_details if name in KIND_DETAILS)

    def to_payload(self) -> dict[str, Any]:
        """The payload without the times; what is unset is left out."""
        payload: dict[str, Any] = {
            "iss": self.api_key,
            "sub": self.identity,
            "name": self.name,
            "metadata": self.metadata,
            "attributes": dict(self.attributes),
            "kind": ParticipantInfo.Kind.Name(self.kind).lower(),
            "kindDetails": list(self.kind_details),
            "sha256": self.sha256,
            "roomPreset": self.room_preset,
            "video": None if self.video is None else _video_payload(self.video),
            "roomConfig": None if self.room_config is None else MessageToDict(self.room_config),
        }
        if self.kind == ParticipantInfo.STANDARD:
            del payload["kind"]
        return {name: value for name, value in payload.items() if value not in ("", None, {}, [])}


_BOOLEANS: Final = {
    "roomJoin": "room_join",
    "roomCreate": "room_create",
    "roomList": "room_list",
    "roomRecord": "room_record",
    "roomAdmin": "room_admin",
    "canUpdateOwnMetadata": "can_update_own_metadata",
    "canSubscribeMetrics": "can_subscribe_metrics",
    "canManageAgentSession": "can_manage_agent_session",
    "hidden": "hidden",
    "recorder": "recorder",
    "agent": "agent",
    "ingressAdmin": "ingress_admin",
}
_OPTIONAL_BOOLEANS: Final = {
    "canPublish": "can_publish",
    "canSubscribe": "can_subscribe",
    "canPublishData": "can_publish_data",
}


def _video_grant(value: object) -> VideoGrant:
    if not isinstance(value, dict):
        raise ClaimsError("video is not an object")
    fields: dict[str, Any] = {
        attribute: _boolean(value, name) or False for name, attribute in _BOOLEANS.items()
    }
    fields |= {attribute: _boolean(value, name) for name, attribute in _OPTIONAL_BOOLEANS.items()}
    return VideoGrant(
        room=_text(value, "room"),
        destination_room=_text(value, "destinationRoom"),
        can_publish_sources=tuple(
            SOURCES.get(name.lower(), TrackSource.UNKNOWN)
            for name in _texts(value, "canPublishSources")
        ),
        **fields,
    )


def _video_payload(grant: VideoGrant) -> dict[str, Any]:
    source_names = {source: name for name, source in SOURCES.items()}
    payload: dict[str, Any] = {
        name: True for name, attribute in _BOOLEANS.items() if getattr(grant, attribute)
    }
    payload |= {
        name: getattr(grant, attribute)
        for name, attribute in _OPTIONAL_BOOLEANS.items()
        if getattr(grant, attribute) is not None
    }
    if grant.can_publish_sources:
        payload["canPublishSources"] = [
            source_names.get(source, "unknown") for source in grant.can_publish_sources
        ]
    if grant.room:
        payload["room"] = grant.room
    if grant.destination_room:
        payload["destinationRoom"] = grant.destination_room
    return payload


def _room_config(value: object) -> RoomConfiguration | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise ClaimsError("roomConfig is not an object")
    try:
        return ParseDict(value, RoomConfiguration(), ignore_unknown_fields=True)
    except (ParseError, RecursionError) as error:
        raise ClaimsError("roomConfig is malformed") from error


def _kind(name: str) -> ParticipantInfo.Kind:
    return KINDS.get(name.lower(), ParticipantInfo.STANDARD)


def _boolean(values: Mapping[str, Any], name: str) -> bool | None:
    value = values.get(name)
    if value is not None and not isinstance(value, bool):
        raise ClaimsError(f"{name} is not a boolean")
    return value


def _text(values: Mapping[str, Any], name: str) -> str:
    value = values.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ClaimsError(f"{name} is not a string")
    return value


def _texts(values: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = values.get(name)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ClaimsError(f"{name} is not a list of strings")
    return tuple(value)


def _text_map(values: Mapping[str, Any], name: str) -> dict[str, str]:
    value = values.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
        raise ClaimsError(f"{name} is not an object of strings")
    return dict(value)


def _seconds(values: Mapping[str, Any], name: str) -> float:
    value = values.get(name, 0)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ClaimsError(f"{name} is not a number")
    return float(value)
