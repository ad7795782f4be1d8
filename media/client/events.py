"""What a client tells its owner; values of ``Client.events()``, in the order of happening."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from livekit.protocol import models

if TYPE_CHECKING:
    from media.client.tracks import RemoteTrack


@dataclass(frozen=True, slots=True)
class ParticipantJoined:
    """Somebody entered the room, or was there when the client came."""

    participant: models.ParticipantInfo


@dataclass(frozen=True, slots=True)
class ParticipantUpdated:
    """Name, metadata, attributes, permission, state or tracks of somebody changed."""

    participant: models.ParticipantInfo


@dataclass(frozen=True, slots=True)
class ParticipantLeft:
    """Somebody left; ``participant.disconnect_reason`` may say why."""

    participant: models.ParticipantInfo


@dataclass(frozen=True, slots=True)
class TrackPublished:
    """A track exists, whether or not the client is subscribed to it."""

    track: models.TrackInfo
    participant: models.ParticipantInfo


@dataclass(frozen=True, slots=True)
class TrackUnpublished:
    """A track no longer exists."""

    track: models.TrackInfo
    participant: models.ParticipantInfo


@dataclass(frozen=True, slots=True)
class TrackSubscribed:
    """Packets of a track will arrive; set ``track.on_packet`` now."""

    track: "RemoteTrack"
    participant: models.ParticipantInfo


@dataclass(frozen=True, slots=True)
class TrackUnsubscribed:
    """No more packets of this track will arrive; ``track`` is the object given before."""

    track: "RemoteTrack"


@dataclass(frozen=True, slots=True)
class TrackMuted:
    """A track was muted or unmuted by its publisher or by the Server API."""

    track_sid: str
    identity: str
    is_muted: bool


@dataclass(frozen=True, slots=True)
class SpeakersChanged:
    """Who speaks now: only those whose state changed; ``active`` False: has stopped."""

    speakers: tuple[models.SpeakerInfo, ...]


@dataclass(frozen=True, slots=True)
class RoomUpdated:
    """Metadata, recording flag or head-counts of the room changed."""

    room: models.Room


@dataclass(frozen=True, slots=True)
class DataReceived:
    """A data packet arrived; sender and value are inside."""

    packet: models.DataPacket
    is_reliable: bool


@dataclass(frozen=True, slots=True)
class Reconnecting:
    """The connection broke; the client tries to come back. Tracks stay as they are."""

    reason: str


@dataclass(frozen=True, slots=True)
class Reconnected:
    """The connection is back.

    ``is_resumed``: same session, same tracks. Otherwise the client joined anew: every track
    was unsubscribed before this event and is subscribed again after it, with a new object.
    """

    is_resumed: bool


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The last event: the client left, was removed, or gave up coming back."""

    reason: models.DisconnectReason
    detail: str


Event = (
    ParticipantJoined
    | ParticipantUpdated
    | ParticipantLeft
    | TrackPublished
    | TrackUnpublished
    | TrackSubscribed
    | TrackUnsubscribed
    | TrackMuted
    | SpeakersChanged
    | RoomUpdated
    | DataReceived
    | Reconnecting
    | Reconnected
    | Disconnected
)
