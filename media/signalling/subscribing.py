"""What one participant receives: its subscriptions and the sections that carry them.

With two peer connections (v0) the node offers the subscriber's sections itself. With one (v1)
the client is always the offerer: tracks go onto its free recvonly sections, and the node asks
for an offer, with more sections when there are too few. Either way one negotiation is under
way at a time, and changes that come close together share one: a description grows with the
room, and so does the time it waits. A subscription forwards once its section is agreed.
"""

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from livekit.protocol import models, rtc

from media.core.codecs import Codec
from media.core.extensions import MID
from media.core.forward import DownTrack
from media.core.ids import TrackSid
from media.core.layers import rank, wanted_quality
from media.core.negotiation import (
    OFFERED_EXTENSIONS,
    OwnSection,
    SendSlot,
    find_codec,
    free_receive_mids,
    mid_to_track_id,
    own_codec,
    sending_extensions,
    write_offer,
)
from media.core.room import Participant
from media.core.sdp import SessionDescription, write
from media.core.simulcast import Quality
from media.signalling.peer import PeerConnection
from media.signalling.publishing import LiveTrack

DATA_MID: Final = "0"
ANSWER_TIMEOUT_S: Final = 15.0

OFFER_TIMEOUT_S: Final = 3.0
"""After which a client that was asked for an offer is asked again."""

COALESCE_S: Final = 0.02
COALESCE_PER_TRACK_S: Final = 0.004
COALESCE_MAX_S: Final = 0.5
"""How long changes are collected: longer the more sections a description has."""

KINDS: Final = ("audio", "video")


@dataclass(slots=True, eq=False)
class Subscription:
    """One track on its way to one subscriber."""

    track: LiveTrack
    mid: str = ""
    slot: SendSlot | None = None
    down: DownTrack | None = None
    is_told_paused: bool = False
    """What the client last heard of the track's stream state."""

    is_agreed: bool = False
    """True once the client knows the section; it forwards as soon as the connection is open."""
    is_unplayable: bool = False
    """True when the client has no decoder for the track."""

    @property
    def is_waiting(self) -> bool:
        """True while a section is looked for."""
        return not self.mid and not self.is_unplayable

    @property
    def kind(self) -> str:
        """``audio`` or ``video``."""
        return "video" if self.track.codec.is_video else "audio"


class Subscribing:
    """The subscriptions of one participant over ``peer``."""

    def __init__(
        self,
        participant: Participant,
        peer: PeerConnection,
        *,
        is_single: bool,
        send: Callable[[rtc.SignalResponse], None],
        subscribed: Callable[[LiveTrack], None],
        now_s: Callable[[], float],
    ) -> None:
        self._participant = participant
        self._peer = peer
        self._is_single = is_single
        self._send = send
        self._subscribed = subscribed
        self._now_s = now_s
        self._sections: list[OwnSection] = []
        self._version = 0
        self._offer_id = 0
        # The first offer of v0 carries the data section at least, and is due at once.
        self._dirty_s: float | None = None if is_single else float("-inf")
        self._offered_s: float | None = None  # v0: an offer of ours waits for its answer
        self._asked_s: float | None = None  # v1: the client was asked for an offer
        self._was_offered = False  # v1: the client's first offer has come
        self._free = dict.fromkeys(KINDS, 0)  # v1: sections its next offer has free
        self._resting: set[str] = set()  # v1: mids that were sent in and end with the next answer
        self.subscriptions: dict[TrackSid, Subscription] = {}

    def reconcile(self, wanted: Iterable[LiveTrack]) -> None:
        """Make the subscriptions exactly ``wanted``; the client hears of it."""
        tracks = {track.sid: track for track in wanted}
        for sid, subscription in list(self.subscriptions.items()):
            if tracks.get(sid) is not subscription.track:
                self.remove(subscription.track)
        for track in tracks.values():
            self.add(track)

    def add(self, track: LiveTrack) -> None:
        """Subscribe to a track; nothing happens when it is subscribed to already."""
        if track.sid not in self.subscriptions:
            self.subscriptions[track.sid] = Subscription(track)
            self._mark_dirty()

    def remove(self, track: LiveTrack) -> None:
        """End the subscription to a track, if there is one."""
        subscription = self.subscriptions.get(track.sid)
        if subscription is not None and subscription.track is track:
            self._end(subscription)
            self._mark_dirty()

    @property
    def is_pending(self) -> bool:
        """Whether something is to be negotiated, now or soon."""
        return self._dirty_s is not None

    def negotiate_if_due(self) -> None:
        """Start the negotiation of what changed, unless one is under way."""
        if self._dirty_s is None:
            return
        tracks = len(self.subscriptions)
        wait_s = min(COALESCE_MAX_S, COALESCE_S + COALESCE_PER_TRACK_S * tracks)
        if self._now_s() - self._dirty_s < wait_s:
            return
        if self._is_single:
            self._ask_for_offer()
        elif self._offered_s is None:
            self._offer()

    def apply_settings(self, track_sid: TrackSid) -> None:
        """Choose the layer anew after UpdateTrackSettings or a change of the track."""
        subscription = self.subscriptions.get(track_sid)
        if subscription is not None and subscription.down is not None:
            subscription.down.rank = self._rank(subscription.track)
            subscription.down.set_wanted(self._wanted(subscription.track))
            subscription.down.set_frame_rate(self._frame_rate(subscription.track))
            self._peer.media.downlink.begin()

    def tell_stream_states(self) -> None:
        """Say which pictures the line does not carry, and which it carries again."""
        downlink = self._peer.media.downlink
        if not downlink.has_news:
            return
        downlink.has_news = False
        changed = []
        for subscription in self.subscriptions.values():
            is_withheld = subscription.down is not None and subscription.down.is_withheld
            if is_withheld != subscription.is_told_paused:
                subscription.is_told_paused = is_withheld
                state = rtc.StreamState.PAUSED if is_withheld else rtc.StreamState.ACTIVE
                track = subscription.track
                changed.append(
                    rtc.StreamStateInfo(
                        participant_sid=track.publisher.sid, track_sid=track.sid, state=state
                    )
                )
        if changed:
            update = rtc.StreamStateUpdate(stream_states=changed)
            self._send(rtc.SignalResponse(stream_state_update=update))

    def close(self) -> None:
        """End every subscription."""
        for subscription in list(self.subscriptions.values()):
            self._end(subscription)

    # Two connections: the node offers.

    def _offer(self) -> None:
        self._dirty_s = None
        self._offered_s = self._now_s()
        self._place_in_own_sections()
        self._version += 1
        self._offer_id += 1
        description = write_offer(
            self._sections,
            self._peer.local_transport(),
            version=self._version,
            data_mid=DATA_MID,
        )
        for section in self._sections:
            section.was_sending = section.slot is not None
        offer = rtc.SessionDescription(
            type="offer",
            sdp=write(description),
            id=self._offer_id,
            mid_to_track_id=mid_to_track_id(self._slots()),
        )
        self._send(rtc.SignalResponse(offer=offer))

    def offer_again(self) -> None:
        """Offer anew whatever is outstanding, after a resume."""
        self._offered_s = self._asked_s = None
        if not self._is_single:
            self._dirty_s = float("-inf")

    def take_answer(self, answer: SessionDescription, offer_id: int) -> None:
        """The client has agreed to the last offer."""
        if self._offered_s is None or (offer_id and offer_id != self._offer_id):
            return
        self._offered_s = None
        agreed = {
            section.mid: section
            for section in answer.media
            if section.direction.receives and not section.is_rejected
        }
        refused = {section.mid for section in answer.media if section.is_rejected}
        for subscription in self.subscriptions.values():
            section = agreed.get(subscription.mid)
            if section is not None:
                subscription.is_agreed = True
                if subscription.slot is not None:
                    subscription.slot.keep_extensions(section)
            elif subscription.mid in refused:
                self._stop(subscription)
                self._refuse(subscription)
        self.start_agreed()

    def answer_is_overdue(self) -> bool:
        """True when the client has left an offer unanswered for too long."""
        return self._offered_s is not None and self._now_s() - self._offered_s > ANSWER_TIMEOUT_S

    # One connection: the client offers.

    def take_offer(self, offer: SessionDescription) -> dict[str, SendSlot]:
        """Put subscriptions onto the client's free sections; the slots of all, by mid."""
        self._was_offered = True
        sections = {section.mid: section for section in offer.media}
        for subscription in self.subscriptions.values():
            section = sections.get(subscription.mid)
            if subscription.mid and (section is None or not section.direction.receives):
                self._stop(subscription)
        resting, self._resting = self._resting, set()
        for kind in KINDS:
            used = [s.mid for s in self.subscriptions.values() if s.mid]
            every = free_receive_mids(offer, kind, used)
            # A section that went on with the same track would not tell the client of its end.
            free = [mid for mid in every if mid not in resting]
            waiting = [s for s in self.subscriptions.values() if s.kind == kind and s.is_waiting]
            for subscription in waiting:
                if free and not self._place(subscription, offer, free):
                    self._refuse(subscription)
            self._free[kind] = len(free) + len(resting.intersection(every))
        self._asked_s = None
        return self._slots()

    def offer_answered(self) -> None:
        """The answer is on its way: start forwarding, ask for sections still missing."""
        for subscription in self.subscriptions.values():
            subscription.is_agreed = bool(subscription.mid)
        self.start_agreed()
        is_waiting = any(s.is_waiting for s in self.subscriptions.values())
        self._dirty_s = self._now_s() if is_waiting else None

    def _ask_for_offer(self) -> None:
        now_s = self._now_s()
        if not self._was_offered:
            return
        if self._asked_s is not None and now_s - self._asked_s < OFFER_TIMEOUT_S:
            return
        self._asked_s = now_s
        waiting = [s.kind for s in self.subscriptions.values() if s.is_waiting]
        requirement = rtc.MediaSectionsRequirement(
            num_audios=max(0, waiting.count("audio") - self._free["audio"]),
            num_videos=max(0, waiting.count("video") - self._free["video"]),
        )
        self._send(rtc.SignalResponse(media_sections_requirement=requirement))

    def _mark_dirty(self) -> None:
        if self._dirty_s is None:
            self._dirty_s = self._now_s()

    def _place(
        self, subscription: Subscription, offer: SessionDescription, free: list[str]
    ) -> bool:
        """Give the subscription a free section that can play it; False when none can."""
        for mid in free:
            section = offer.section(mid)
            codec = find_codec(section, subscription.track.codec) if section else None
            if section is not None and codec is not None:
                free.remove(mid)
                subscription.mid = mid
                ids = sending_extensions(section, codec.payload_type)
                subscription.slot = self._slot(subscription, codec, ids)
                return True
        return False

    def _refuse(self, subscription: Subscription) -> None:
        subscription.is_unplayable = True
        refusal = rtc.SubscriptionResponse(
            track_sid=subscription.track.sid, err=models.SubscriptionError.SE_CODEC_UNSUPPORTED
        )
        self._send(rtc.SignalResponse(subscription_response=refusal))

    def _place_in_own_sections(self) -> None:
        live = {s.mid for s in self.subscriptions.values() if s.mid}
        for section in self._sections:
            if section.mid not in live:
                section.slot = None
        for subscription in self.subscriptions.values():
            if subscription.mid:
                continue
            section = self._free_section(subscription.kind)
            subscription.mid = section.mid
            codec = own_codec(subscription.track.codec)
            ids = {uri: number for number, uri in OFFERED_EXTENSIONS[subscription.kind]}
            subscription.slot = section.slot = self._slot(subscription, codec, ids)

    def _free_section(self, kind: str) -> OwnSection:
        for section in self._sections:
            if section.kind == kind and section.slot is None and not section.was_sending:
                return section
        section = OwnSection(mid=str(len(self._sections) + 1), kind=kind)
        self._sections.append(section)
        return section

    # Both.

    def _slots(self) -> dict[str, SendSlot]:
        return {s.mid: s.slot for s in self.subscriptions.values() if s.mid and s.slot}

    def _slot(self, subscription: Subscription, codec: Codec, ids: dict[str, int]) -> SendSlot:
        track = subscription.track
        ssrc = secrets.randbits(31) or 1
        return SendSlot(
            track_sid=track.sid,
            stream_id=f"{track.publisher.sid}|{track.sid}",
            kind=subscription.kind,
            codec=codec,
            ssrc=ssrc,
            rtx_ssrc=ssrc ^ 0x80000000,
            cname=track.publisher.sid,
            extensions={uri: number for uri, number in ids.items() if uri != MID},
        )

    def start_agreed(self) -> None:
        """Forward what the client knows of, if the connection is open.

        Not before: a keyframe asked for during the handshake would come too early to be sent,
        and the subscriber would wait for the next one.
        """
        if self._peer.is_open:
            for subscription in self.subscriptions.values():
                if subscription.is_agreed:
                    self._start(subscription)

    def _start(self, subscription: Subscription) -> None:
        slot = subscription.slot
        if slot is None or subscription.down is not None:
            return
        has_rtx = slot.codec.rtx_payload_type is not None
        down = DownTrack(
            ssrc=slot.ssrc,
            payload_type=slot.codec.payload_type,
            rtx_ssrc=slot.rtx_ssrc if has_rtx else None,
            rtx_payload_type=slot.codec.rtx_payload_type,
            extension_ids=slot.extensions,
            mid=None,
            cname=slot.cname,
            first_seq=secrets.randbits(15),
            sink=self._peer.connection,
        )
        subscription.down = down
        down.rank = self._rank(subscription.track)
        down.set_wanted(self._wanted(subscription.track))
        down.set_frame_rate(self._frame_rate(subscription.track))
        self._peer.add_down_track(down)
        subscription.track.up.attach(down, is_whole=self._participant.hears_all)
        self._subscribed(subscription.track)

    def _wanted(self, track: LiveTrack) -> Quality | None:
        return wanted_quality(
            self._participant.settings.get(track.sid),
            track.info,
            is_adaptive=self._participant.adaptive_stream,
        )

    def _frame_rate(self, track: LiveTrack) -> int:
        settings = self._participant.settings.get(track.sid)
        return settings.fps if settings is not None else 0

    def _rank(self, track: LiveTrack) -> tuple[int, int, int]:
        return rank(self._participant.settings.get(track.sid), track.info)

    def _stop(self, subscription: Subscription) -> None:
        if subscription.down is not None:
            subscription.track.up.detach(subscription.down)
            self._peer.remove_down_track(subscription.down)
        if self._is_single and subscription.mid:
            self._resting.add(subscription.mid)
            self._free[subscription.kind] += 1
        subscription.down = subscription.slot = None
        subscription.mid = ""
        subscription.is_agreed = False

    def _end(self, subscription: Subscription) -> None:
        self._stop(subscription)
        del self.subscriptions[subscription.track.sid]
