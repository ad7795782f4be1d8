"""Who is in the room and what they publish: updates of the server turned into events.

A participant's ``version`` grows with each change, so an update older than what is known is
dropped. Pure.
"""

from collections.abc import Iterable

from livekit.protocol import models

from media.client.events import (
    Event,
    ParticipantJoined,
    ParticipantLeft,
    ParticipantUpdated,
    TrackMuted,
    TrackPublished,
    TrackUnpublished,
)

DISCONNECTED = models.ParticipantInfo.State.DISCONNECTED


class Roster:
    """The others in the room, by identity."""

    def __init__(self) -> None:
        self.participants: dict[str, models.ParticipantInfo] = {}

    def find_track(self, sid: str) -> tuple[models.ParticipantInfo, models.TrackInfo] | None:
        """A published track and its publisher."""
        for participant in self.participants.values():
            for track in participant.tracks:
                if track.sid == sid:
                    return participant, track
        return None

    def replace(self, others: Iterable[models.ParticipantInfo]) -> list[Event]:
        """Take a complete list, as after joining anew; events say what differs."""
        now = {other.identity: other for other in others}
        events: list[Event] = []
        for identity in list(self.participants):
            known = self.participants[identity]
            if identity not in now or now[identity].sid != known.sid:
                events += self._leave(known)
        for other in now.values():
            events += self.update(other)
        return events

    def update(self, participant: models.ParticipantInfo) -> list[Event]:
        """Take one participant's new description."""
        known = self.participants.get(participant.identity)
        if participant.state == DISCONNECTED:
            # A session that another one of the same identity replaced leaves late.
            is_current = known is not None and known.sid == participant.sid
            return self._leave(participant) if is_current else []
        events: list[Event] = []
        if known is not None and known.sid != participant.sid:
            events += self._leave(known)
            known = None
        if known is not None and participant.version < known.version:
            return []
        self.participants[participant.identity] = participant
        if known is None:
            events.append(ParticipantJoined(participant))
        elif known != participant:
            events.append(ParticipantUpdated(participant))
        return events + _track_events(known, participant)

    def _leave(self, participant: models.ParticipantInfo) -> list[Event]:
        known = self.participants.pop(participant.identity, participant)
        gone: list[Event] = [TrackUnpublished(track, participant) for track in known.tracks]
        return [*gone, ParticipantLeft(participant)]


def _track_events(
    known: models.ParticipantInfo | None, participant: models.ParticipantInfo
) -> list[Event]:
    before = {track.sid: track for track in known.tracks} if known is not None else {}
    now = {track.sid: track for track in participant.tracks}
    events: list[Event] = [
        TrackUnpublished(track, participant) for sid, track in before.items() if sid not in now
    ]
    for sid, track in now.items():
        if sid not in before:
            events.append(TrackPublished(track, participant))
        elif before[sid].muted != track.muted:
            events.append(TrackMuted(sid, participant.identity, track.muted))
    return events
