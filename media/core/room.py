"""What a room is: who is in it, what they publish, who may see and receive what.

Pure state and decisions over LiveKit's own message types, which serve as plain data.
Nothing here sends; the shell (``media.signalling``) applies a change and then tells
everybody. ``version`` of a participant grows with each change that others can see, so that
a client can drop an update older than what it has.

One owner, the event loop of the node; no locks.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from livekit.protocol import models, rtc

from media.core.data_tracks import Blobs, DataTracks
from media.core.ids import Identity, ParticipantSid, RoomName, RoomSid, TrackSid
from media.core.refusals import RoomFullError

EMPTY_TIMEOUT_S: Final = 300
"""Seconds a room nobody has joined yet stays (LiveKit's default)."""

DEPARTURE_TIMEOUT_S: Final = 20
"""Seconds a room stays after the last participant left (LiveKit's default)."""

UNCOUNTED_KINDS: Final = frozenset(
    {models.ParticipantInfo.Kind.EGRESS, models.ParticipantInfo.Kind.AGENT}
)
"""Kinds that neither keep a room alive nor count against ``max_participants``."""

ACTIVE: Final = models.ParticipantInfo.State.ACTIVE
JOINED: Final = models.ParticipantInfo.State.JOINED
DISCONNECTED: Final = models.ParticipantInfo.State.DISCONNECTED


@dataclass(slots=True)
class PendingTrack:
    """A track that was announced by AddTrack and whose media section is still awaited."""

    request: rtc.AddTrackRequest
    info: models.TrackInfo


@dataclass(slots=True, eq=False)
class Participant:
    """One session of one identity in a room. A full reconnect makes a new one."""

    sid: ParticipantSid
    identity: Identity
    permission: models.ParticipantPermission
    name: str = ""
    metadata: str = ""
    attributes: dict[str, str] = field(default_factory=dict)
    kind: models.ParticipantInfo.Kind = models.ParticipantInfo.Kind.STANDARD
    kind_details: tuple[models.ParticipantInfo.KindDetail, ...] = ()
    client: models.ClientInfo = field(default_factory=models.ClientInfo)
    joined_at_ms: int = 0
    """Unix time of the join, milliseconds."""

    state: models.ParticipantInfo.State = models.ParticipantInfo.State.JOINING
    disconnect_reason: models.DisconnectReason = models.DisconnectReason.UNKNOWN_REASON
    version: int = 0
    tracks: dict[TrackSid, models.TrackInfo] = field(default_factory=dict)
    """Published tracks that others know of, in order of publication."""

    pending: list[PendingTrack] = field(default_factory=list)
    data_tracks: DataTracks = field(default_factory=DataTracks)
    blobs: Blobs = field(default_factory=Blobs)
    auto_subscribe: bool = True
    auto_subscribe_data: bool = False
    adaptive_stream: bool = False
    choices: dict[TrackSid, bool] = field(default_factory=dict)
    """Explicit (un)subscriptions; they outrank ``auto_subscribe``."""

    sought: dict[TrackSid, float] = field(default_factory=dict)
    """Tracks asked for that nobody publishes yet, and until when they are waited for."""

    settings: dict[TrackSid, rtc.UpdateTrackSettings] = field(default_factory=dict)
    """The last UpdateTrackSettings for each subscribed track."""

    audience: rtc.SubscriptionPermission | None = None
    """Who may subscribe to this participant's tracks; None: everybody."""

    @property
    def is_hidden(self) -> bool:
        """True when no other participant may learn of this one."""
        return self.permission.hidden

    @property
    def hears_all(self) -> bool:
        """True for recorders: every open microphone is theirs, not just the loudest few."""
        return self.permission.recorder or self.kind == models.ParticipantInfo.Kind.EGRESS

    @property
    def is_counted(self) -> bool:
        """True when it keeps the room alive and counts against ``max_participants``."""
        return self.kind not in UNCOUNTED_KINDS

    def changed(self) -> None:
        """Note a change that others can see."""
        self.version += 1

    def may_publish(self, source: models.TrackSource) -> bool:
        """True when the permission allows a track from ``source``."""
        if not self.permission.can_publish:
            return False
        allowed = self.permission.can_publish_sources
        return not allowed or source in allowed

    def wants(self, track_sid: TrackSid) -> bool:
        """True when this participant wishes to receive the track."""
        return self.choices.get(track_sid, self.auto_subscribe)

    def admits(self, subscriber: "Participant", track_sid: TrackSid) -> bool:
        """True when this publisher lets ``subscriber`` receive its track.

        A recorder is exempt from the publisher's wishes, as with LiveKit.
        """
        audience = self.audience
        if audience is None or audience.all_participants or subscriber.permission.recorder:
            return True
        return any(
            (entry.participant_sid == subscriber.sid or
             entry.participant_identity == subscriber.identity)
            and (entry.all_tracks or track_sid in entry.track_sids)
            for entry in audience.track_permissions
        )  # fmt: skip

    def to_info(self) -> models.ParticipantInfo:
        """Describe the participant as others see it."""
        return models.ParticipantInfo(
            sid=self.sid,
            identity=self.identity,
            state=self.state,
            tracks=self.tracks.values(),
            metadata=self.metadata,
            joined_at=self.joined_at_ms // 1000,
            joined_at_ms=self.joined_at_ms,
            name=self.name,
            version=self.version,
            permission=self.permission,
            is_publisher=bool(self.tracks),
            kind=self.kind,
            kind_details=self.kind_details,
            attributes=self.attributes,
            disconnect_reason=self.disconnect_reason,
            data_tracks=self.data_tracks.infos(),
            client_protocol=self.client.client_protocol,
            capabilities=self.client.capabilities,
        )


@dataclass(slots=True, eq=False)
class Room:
    """A room and everybody in it, keyed by identity (unique in a room)."""

    sid: RoomSid
    name: RoomName
    created_at_ms: int
    created_s: float
    """Monotonic time of the creation."""

    empty_timeout_s: int = EMPTY_TIMEOUT_S
    departure_timeout_s: int = DEPARTURE_TIMEOUT_S
    max_participants: int = 0
    """Most participants at a time; 0: no limit."""

    loudest: int = 0
    """How many microphones are forwarded when more are open; 0: all."""

    metadata: str = ""
    enabled_codecs: tuple[str, ...] = ()
    """MIME types a publisher may use, the preferred first."""

    participants: dict[Identity, Participant] = field(default_factory=dict)
    version: int = 0
    _left_s: float | None = None  # when the last counted participant left
    _was_joined: bool = False

    def join(self, participant: Participant) -> Participant | None:
        """Add ``participant``; the result is the session of the same identity it replaces.

        RoomFullError when ``max_participants`` others are in the room.
        """
        self.check_space(participant.identity, is_counted=participant.is_counted)
        previous = self.participants.get(participant.identity)
        self.participants.pop(participant.identity, None)
        self.participants[participant.identity] = participant
        if participant.is_counted:
            self._was_joined = True
            self._left_s = None
        self.version += 1
        return previous

    def check_space(self, identity: Identity, *, is_counted: bool) -> None:
        """RoomFullError when a session of ``identity`` would be one too many."""
        if not is_counted or not self.max_participants:
            return
        others = sum(
            1
            for other in self.participants.values()
            if other.is_counted and other.identity != identity
        )
        if others >= self.max_participants:
            raise RoomFullError("room is full")

    def leave(self, participant: Participant, now_s: float) -> bool:
        """Remove the session; False when another one of the identity has taken its place."""
        if self.participants.get(participant.identity) is not participant:
            return False
        del self.participants[participant.identity]
        if participant.is_counted and not any(p.is_counted for p in self.participants.values()):
            self._left_s = now_s
        self.version += 1
        return True

    def closes_at_s(self) -> float | None:
        """Monotonic time at which the room closes by itself; None while somebody is in it."""
        if any(p.is_counted for p in self.participants.values()):
            return None
        if not self._was_joined:
            return self.created_s + self.empty_timeout_s
        return (self._left_s or self.created_s) + self.departure_timeout_s

    def by_sid(self, sid: str) -> Participant | None:
        """Find the session with this participant sid."""
        return next((p for p in self.participants.values() if p.sid == sid), None)

    def find_track(self, track_sid: str) -> tuple[Participant, models.TrackInfo] | None:
        """Find a published track and its publisher."""
        for participant in self.participants.values():
            info = participant.tracks.get(TrackSid(track_sid))
            if info is not None:
                return participant, info
        return None

    def others_for(self, viewer: Participant) -> list[Participant]:
        """List the participants ``viewer`` may know of, in order of their joining."""
        return [p for p in self.participants.values() if p is not viewer and not p.is_hidden]

    def viewers_of(self, participant: Participant) -> list[Participant]:
        """List who has to hear of a change of ``participant``, itself not included."""
        if participant.is_hidden:
            return []
        return [p for p in self.participants.values() if p is not participant]

    def subscriptions_for(
        self, subscriber: Participant
    ) -> Iterator[tuple[Participant, models.TrackInfo]]:
        """Yield the tracks ``subscriber`` shall receive, in order of joining and publication."""
        if not subscriber.permission.can_subscribe:
            return
        for publisher in self.participants.values():
            for track_sid, info in publisher.tracks.items():
                if self.shall_receive(subscriber, publisher, track_sid):
                    yield publisher, info

    def shall_receive(
        self, subscriber: Participant, publisher: Participant, track_sid: TrackSid
    ) -> bool:
        """True when ``subscriber`` may and wants to receive this track."""
        return (
            publisher is not subscriber
            and not publisher.is_hidden
            and subscriber.permission.can_subscribe
            and subscriber.wants(track_sid)
            and publisher.admits(subscriber, track_sid)
        )

    def denied_to(self, subscriber: Participant) -> dict[TrackSid, Participant]:
        """Tracks whose publishers do not let ``subscriber`` receive them, and the publishers."""
        return {
            sid: publisher
            for publisher in self.participants.values()
            if publisher is not subscriber and publisher.audience and not publisher.is_hidden
            for sid in publisher.tracks
            if not publisher.admits(subscriber, sid)
        }

    def to_info(self) -> models.Room:
        """Describe the room; hidden participants are not counted."""
        visible = [p for p in self.participants.values() if not p.is_hidden]
        return models.Room(
            sid=self.sid,
            name=self.name,
            empty_timeout=self.empty_timeout_s,
            departure_timeout=self.departure_timeout_s,
            max_participants=self.max_participants,
            creation_time=self.created_at_ms // 1000,
            creation_time_ms=self.created_at_ms,
            enabled_codecs=[models.Codec(mime=mime) for mime in self.enabled_codecs],
            metadata=self.metadata,
            num_participants=len(visible),
            num_publishers=sum(1 for p in visible if p.tracks),
            active_recording=any(p.permission.recorder for p in self.participants.values()),
        )
