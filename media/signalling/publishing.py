"""What one participant publishes: AddTrack, its offers, and the tracks that result.

A client's offer is read section by section. A section it sends in is a published track as
soon as an AddTrack for it is known, whichever came first; a section it no longer sends in
ends its track. The answer itself is written by the session, which also knows what the node
sends in the same description (v1).
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from livekit.protocol import models, rtc

from media.core import publication
from media.core.codecs import Codec
from media.core.ids import TrackSid
from media.core.layers import Dynacast
from media.core.negotiation import ReceivePlan, choose_codec, forwarded_extensions
from media.core.room import Participant, PendingTrack
from media.core.sdp import MediaSection, SessionDescription
from media.core.speakers import AudioLevel
from media.core.track import UpTrack
from media.signalling.peer import PeerConnection

REFUSALS: Final[Mapping[int, str]] = {
    publication.Reason.NOT_ALLOWED: "the token does not allow publishing this",
    publication.Reason.UNSUPPORTED_TYPE: "only one codec for each track, audio or video, is taken",
    publication.Reason.NOT_FOUND: "there is no such track to add a codec to",
    publication.Reason.LIMIT_EXCEEDED: "too many tracks",
    publication.Reason.QUEUED: "waits until the track of the same name has ended",
}
"""What a client is told, by reason."""


@dataclass(slots=True, eq=False)
class LiveTrack:
    """A published track with its media."""

    info: models.TrackInfo
    request: rtc.AddTrackRequest
    publisher: Participant
    up: UpTrack
    mid: str
    msid: str
    """What the client called the track in its description."""

    level: AudioLevel | None = None
    dynacast: Dynacast = field(default_factory=Dynacast)
    has_been_subscribed: bool = False

    @property
    def sid(self) -> TrackSid:
        """The track's sid."""
        return TrackSid(self.info.sid)

    @property
    def codec(self) -> Codec:
        """What the publisher sends."""
        return self.up.codec


@dataclass(slots=True)
class _OpenSection:
    """A section the client sends in that no AddTrack has claimed yet."""

    section: MediaSection
    plan: ReceivePlan


class Publishing:
    """The published tracks of one participant. ``media`` is its publisher connection's core."""

    def __init__(
        self,
        participant: Participant,
        peer: PeerConnection,
        enabled: Sequence[str],
        *,
        send: Callable[[rtc.SignalResponse], None],
        published: Callable[[LiveTrack], None],
        unpublished: Callable[[LiveTrack], None],
    ) -> None:
        self._participant = participant
        self._peer = peer
        self._enabled = enabled
        self._send = send
        self._published = published
        self._unpublished = unpublished
        self._plans: dict[str, ReceivePlan] = {}
        self._open: dict[str, _OpenSection] = {}
        self._queued: list[rtc.AddTrackRequest] = []
        self.by_mid: dict[str, LiveTrack] = {}

    def add_track(self, request: rtc.AddTrackRequest) -> None:
        """Answer AddTrack; the track goes live with its section.

        A second track of the same client name waits for the end of the first.
        """
        reason = publication.refuse_track(self._participant, request)
        if reason is None and not request.sid and self._is_namesake(request):
            reason = self._queue(request)
        if reason is not None:
            refusal = rtc.RequestResponse(
                reason=reason, message=REFUSALS.get(reason, ""), add_track=request
            )
            self._send(rtc.SignalResponse(request_response=refusal))
            return
        self._announce(request)

    def _is_namesake(self, request: rtc.AddTrackRequest) -> bool:
        live = [track.request for track in self.by_mid.values()]
        pending = [track.request for track in self._participant.pending]
        return publication.is_namesake(request, live + pending)

    def _queue(self, request: rtc.AddTrackRequest) -> "publication.Reason":
        waiting = [other for other in self._queued if other.cid == request.cid]
        if len(waiting) >= publication.MAX_QUEUED:
            return publication.Reason.LIMIT_EXCEEDED
        if len(self._queued) >= publication.MAX_PENDING:
            return publication.Reason.LIMIT_EXCEEDED
        self._queued.append(request)
        return publication.Reason.QUEUED

    def _announce(self, request: rtc.AddTrackRequest) -> None:
        info = publication.announce(self._participant, request, secrets.token_bytes)
        answer = rtc.TrackPublishedResponse(cid=request.cid, track=info)
        self._send(rtc.SignalResponse(track_published=answer))
        self._claim_open_sections()

    def take_offer(self, offer: SessionDescription) -> dict[str, ReceivePlan]:
        """Follow the client's offer; how to answer the sections it sends in, by mid.

        Tracks that ended are unpublished now; ``claim`` publishes the new ones, after the
        answer has been sent.
        """
        sending = {
            section.mid: section
            for section in offer.media
            if section.mid is not None
            and section.kind in {"audio", "video"}
            and not section.is_rejected
            and section.direction.sends
        }
        for mid, track in list(self.by_mid.items()):
            section = sending.get(mid)
            if section is None or _msid(section) != track.msid:
                self._end(mid)
        for mid in [mid for mid in self._plans if mid not in sending]:
            del self._plans[mid]
            self._open.pop(mid, None)
        for mid, section in sending.items():
            self._plan(mid, section)
        return dict(self._plans)

    def claim(self) -> None:
        """Publish the sections an AddTrack is known for."""
        self._claim_open_sections()

    def unpublish(self, track_sid: str, *, tell_publisher: bool) -> bool:
        """End a track by its sid, also one that is only announced; False when unknown."""
        pending = next((p for p in self._participant.pending if p.info.sid == track_sid), None)
        mid = next((mid for mid, track in self.by_mid.items() if track.sid == track_sid), None)
        if pending is not None:
            self._participant.pending.remove(pending)
            self._announce_queued(pending.request.cid)
        elif mid is not None:
            self._end(mid)
        else:
            return False
        if tell_publisher:
            # Also for a track that is only announced: its publisher takes it for published.
            notice = rtc.TrackUnpublishedResponse(track_sid=track_sid)
            self._send(rtc.SignalResponse(track_unpublished=notice))
        return True

    def unpublish_all(self) -> None:
        """End everything."""
        self._queued.clear()
        self._participant.pending.clear()
        for mid in list(self.by_mid):
            self._end(mid)

    def find_info(self, track_sid: str) -> models.TrackInfo | None:
        """The info of a track, published or announced."""
        published = self._participant.tracks.get(TrackSid(track_sid))
        if published is not None:
            return published
        return next((p.info for p in self._participant.pending if p.info.sid == track_sid), None)

    def _plan(self, mid: str, section: MediaSection) -> None:
        if mid in self.by_mid:
            return
        pending = publication.match(section, self._participant.pending)
        preferred = publication.preferred_codec(pending.request) if pending else ""
        codec = choose_codec(section, self._enabled, preferred)
        if codec is None:
            self._plans.pop(mid, None)
            return
        if pending and pending.request.disable_red:
            codec = replace(codec, red_payload_type=None)
        plan = ReceivePlan(
            codec,
            has_dtx=not (pending and pending.request.disable_dtx),
            is_stereo=bool(pending and pending.request.stereo),
        )
        self._plans[mid] = plan
        self._open[mid] = _OpenSection(section, plan)

    def _claim_open_sections(self) -> None:
        pending = self._participant.pending
        # Sections named by their msid first: order alone must not give a name away.
        for exact in (True, False):
            for mid, opened in list(self._open.items()):
                if exact and not publication.names(opened.section, pending):
                    continue
                match = publication.match(opened.section, pending)
                if match is not None:
                    self._start(mid, opened, match)

    def _start(self, mid: str, opened: _OpenSection, match: PendingTrack) -> None:
        del self._open[mid]
        self._participant.pending.remove(match)
        section, codec = opened.section, opened.plan.codec
        publication.bind(match.info, match.request, mid, codec)
        level = None if codec.is_video else AudioLevel()
        up = UpTrack(
            codec=codec,
            extension_ids=forwarded_extensions(section, codec),
            audio_level=level,
            wants_nack=True,
        )
        publication.add_listed_streams(up, section)
        track = LiveTrack(
            match.info, match.request, self._participant, up, mid, _msid(section), level
        )
        self.by_mid[mid] = track
        self._peer.set_up_track(mid, up)
        self._participant.tracks[track.sid] = track.info
        self._published(track)

    def _end(self, mid: str) -> None:
        track = self.by_mid.pop(mid)
        self._plans.pop(mid, None)
        self._peer.remove_up_track(mid)
        self._participant.tracks.pop(track.sid, None)
        self._unpublished(track)
        self._announce_queued(track.request.cid)

    def _announce_queued(self, cid: str) -> None:
        """The name is free again: the track that has waited longest for it may come."""
        request = next((one for one in self._queued if one.cid == cid), None)
        if request is not None:
            self._queued.remove(request)
            self.add_track(request)


def _msid(section: MediaSection) -> str:
    return section.msids[0].track if section.msids else ""
