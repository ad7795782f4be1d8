"""A room with its sessions: tell everybody what changed, in an order clients can follow.

The rule that matters: a ParticipantUpdate that names a track goes out before any description
that carries it, since clients drop a track of a participant they do not know. So a change
is broadcast first and subscriptions are reconciled after.
"""

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from livekit.protocol import models, rtc
from livekit.protocol.webhook import WebhookEvent

from media.core.ids import ParticipantSid, TrackSid
from media.core.layers import quality_states
from media.core.loudest import INTERVAL_S as CHOICE_INTERVAL_S
from media.core.loudest import Loudest, holds_floor
from media.core.room import ACTIVE, DISCONNECTED, Participant, Room
from media.core.wishes import not_found
from media.signalling.data_tracks import DataTrackRoom
from media.signalling.exchange import DataExchange
from media.signalling.publishing import LiveTrack
from media.signalling.reports import Reports
from media.signalling.session import Leave, Session


@dataclass(frozen=True, slots=True)
class RoomHooks:
    """The node as a room sees it."""

    notify: Callable[[WebhookEvent], None]
    ended: Callable[[Session], None]
    answer_rpc: Callable[[Session, models.DataPacket], bool]
    """Take the answer to a call of the Server API; False for any other packet."""

    send_token: Callable[[Session], None]


SIF_TRAILER_BYTES = 18


class LiveRoom:
    """State, sessions and tracks of one room. Implements ``SessionHost``."""

    def __init__(
        self,
        room: Room,
        *,
        now_s: Callable[[], float],
        hooks: RoomHooks,
    ) -> None:
        self.room = room
        self.sessions: dict[ParticipantSid, Session] = {}
        self.is_ending = False
        self.tracks: dict[TrackSid, LiveTrack] = {}
        self.sif_trailer = secrets.token_bytes(SIF_TRAILER_BYTES)
        self.reports = Reports(self.sessions, now_s)
        self.data = DataExchange(room, self.sessions, now_s=now_s, answer_rpc=hooks.answer_rpc)
        self.data_tracks = DataTrackRoom(room, self.sessions, self._changed)
        self.now_s = now_s
        self.send_token = hooks.send_token
        self._hooks = hooks
        self._told = room.to_info()
        self._loudest = Loudest(room.loudest)
        self._next_choice_s = float("-inf")

    # Coming and going

    def session_of(self, identity: str) -> Session | None:
        """The session of an identity."""
        return next((s for s in self.sessions.values() if s.participant.identity == identity), None)

    def enter(self, session: Session) -> None:
        """Add a session; one of the same identity makes room. RoomFullError when full."""
        participant = session.participant
        previous = self.room.join(participant)
        old = self.sessions.get(previous.sid) if previous is not None else None
        if old is not None:
            old.send_leave(models.DisconnectReason.DUPLICATE_IDENTITY, Leave.Action.DISCONNECT)
            self._withdraw(old, models.DisconnectReason.DUPLICATE_IDENTITY)
        self.sessions[participant.sid] = session

    def leave(self, session: Session, reason: models.DisconnectReason) -> None:
        """Remove a session and tell the others; unknown ones are ignored."""
        if self.sessions.get(session.participant.sid) is not session:
            return
        self.room.leave(session.participant, self.now_s())
        self._withdraw(session, reason)

    def _withdraw(self, session: Session, reason: models.DisconnectReason) -> None:
        participant = session.participant
        was_active = participant.state == ACTIVE
        session.log.info("left: %s", models.DisconnectReason.Name(reason))
        del self.sessions[participant.sid]
        participant.state = DISCONNECTED
        participant.disconnect_reason = reason
        session.publishing.unpublish_all()
        self.data_tracks.leave(session)
        self.reports.speakers.remove(participant.sid)
        participant.changed()
        self.broadcast(participant)
        if participant.permission.recorder:
            self.broadcast_room()
        event = "participant_left" if was_active else "participant_connection_aborted"
        self.notify(event, participant=participant.to_info())
        self._hooks.ended(session)

    def activated(self, session: Session) -> None:
        """The participant is connected: show it, and let it receive."""
        session.log.info("connected")
        session.participant.state = ACTIVE
        session.participant.changed()
        self.broadcast(session.participant, include_self=not session.participant.is_hidden)
        if session.participant.permission.recorder:
            self.broadcast_room()
        self.notify("participant_joined", participant=session.participant.to_info())
        self.reconcile(session)
        self.data_tracks.enter(session)
        self.reports.greet(session)

    def session_failed(self, session: Session, reason: models.DisconnectReason) -> None:
        """Ask the client to join anew and let the session go."""
        session.send_leave(reason, Leave.Action.RECONNECT)
        self.leave(session, reason)

    # Tracks

    def track_published(self, session: Session, track: LiveTrack) -> None:
        """Announce a track, then offer it to everybody who wants it."""
        self.tracks[track.sid] = track
        session.log.info("publishes %s", track.codec.mime_type, extra={"track": track.sid})
        if track.level is not None:
            self.reports.speakers.add(session.participant.sid, track.level)
        session.participant.changed()
        self.broadcast(session.participant, include_self=True)
        self.notify("track_published", participant=session.participant, track=track.info)
        for other in self.sessions.values():
            if self.room.shall_receive(other.participant, session.participant, track.sid):
                other.subscribing.add(track)
            self._tell_admission(other)

    def track_unpublished(self, session: Session, track: LiveTrack) -> None:
        """Withdraw a track everywhere."""
        self.tracks.pop(track.sid, None)
        session.log.info("ends a track", extra={"track": track.sid})
        if track.level is not None:
            self.reports.speakers.remove(session.participant.sid, track.level)
        session.participant.changed()
        if session.participant.state != DISCONNECTED:
            self.broadcast(session.participant, include_self=True)
        self.notify("track_unpublished", participant=session.participant, track=track.info)
        for other in self.sessions.values():
            other.participant.choices.pop(track.sid, None)
            other.participant.settings.pop(track.sid, None)
            other.subscribing.remove(track)
            other.denied.discard(track.sid)

    def track_subscribed(self, track: LiveTrack) -> None:
        """Tell the publisher that somebody receives its track."""
        if not track.has_been_subscribed:
            track.has_been_subscribed = True
            publisher = self.sessions.get(track.publisher.sid)
            if publisher is not None:
                notice = rtc.TrackSubscribed(track_sid=track.sid)
                publisher.send(rtc.SignalResponse(track_subscribed=notice))
        self.wishes_changed(track)

    def wishes_changed(self, track: LiveTrack) -> None:
        """Somebody wants another layer: a publisher that has stopped it begins again at once."""
        if track.codec.is_video and len(track.info.layers) > 1:
            self._update_dynacast(track, self.now_s())

    def mute(self, session: Session, track_sid: str, *, is_muted: bool) -> bool:
        """Note a mute by the publisher or by an administrator; False for an unknown track."""
        info = session.publishing.find_info(track_sid)
        if info is None:
            return False
        if info.muted != is_muted:
            info.muted = is_muted
            self._changed(session.participant)
        return True

    def reconcile(self, session: Session) -> None:
        """Bring one session's subscriptions in line with the room."""
        if session.is_closed or (session.sink is None and session.participant.state != ACTIVE):
            return
        wanted = [
            track
            for _, info in self.room.subscriptions_for(session.participant)
            if (track := self.tracks.get(TrackSid(info.sid))) is not None
        ]
        session.subscribing.reconcile(wanted)
        self._tell_admission(session)

    def reconcile_all(self) -> None:
        """Bring every session's subscriptions in line with the room."""
        for session in list(self.sessions.values()):
            self.reconcile(session)

    def _tell_admission(self, session: Session) -> None:
        """Tell a client which tracks it may not receive, and which again."""
        denied = self.room.denied_to(session.participant)
        allowed = session.denied - denied.keys()
        news = [(sid, publisher.sid, False) for sid, publisher in denied.items()]
        news = [one for one in news if one[0] not in session.denied]
        news += [(sid, self.tracks[sid].publisher.sid, True) for sid in sorted(allowed)]
        session.denied = set(denied)
        for sid, publisher_sid, is_allowed in news:
            update = rtc.SubscriptionPermissionUpdate(
                participant_sid=publisher_sid, track_sid=sid, allowed=is_allowed
            )
            session.send(rtc.SignalResponse(subscription_permission_update=update))

    # Telling

    def broadcast(self, participant: Participant, *, include_self: bool = False) -> None:
        """Send a participant's present state to everybody who may know of it."""
        if self.is_ending:
            return  # everybody goes, and has been told so
        update = rtc.SignalResponse(
            update=rtc.ParticipantUpdate(participants=[participant.to_info()])
        )
        self._send_to((p.sid for p in self.room.viewers_of(participant)), update)
        own = self.sessions.get(participant.sid)
        if include_self and own is not None:
            own.send(update)

    def _changed(self, participant: Participant) -> None:
        participant.changed()
        self.broadcast(participant, include_self=True)

    def vanish(self, participant: Participant) -> None:
        """Take a participant that became hidden out of everybody's sight."""
        info = participant.to_info()
        info.state = DISCONNECTED
        update = rtc.SignalResponse(update=rtc.ParticipantUpdate(participants=[info]))
        self._send_to([sid for sid in self.sessions if sid != participant.sid], update)

    def broadcast_room(self) -> None:
        """Send the room's present state to everybody."""
        self._told = self.room.to_info()
        update = rtc.SignalResponse(room_update=rtc.RoomUpdate(room=self._told))
        self._send_to(list(self.sessions), update)

    def data_arrived(self, session: Session, packet: models.DataPacket) -> None:
        """Pass a data packet on to whom it is for."""
        self.data.arrived(session, packet)

    def frame_arrived(self, session: Session, data: bytes) -> None:
        """Pass a packet of a data track on."""
        self.data_tracks.forward(session, data)

    def notify(
        self,
        event: str,
        *,
        participant: Participant | models.ParticipantInfo | None = None,
        track: models.TrackInfo | None = None,
    ) -> None:
        """Report an event to the webhooks."""
        if isinstance(participant, Participant):
            participant = models.ParticipantInfo(sid=participant.sid, identity=participant.identity)
        self._hooks.notify(
            WebhookEvent(
                event=event, room=self.room.to_info(), participant=participant, track=track
            )
        )

    # Timers

    def tick(self, now_s: float) -> None:
        """Every few ms: reports due, offers due, speakers."""
        for session in list(self.sessions.values()):
            try:
                session.tick(now_s)
            except Exception:
                # One session's fault must not take the others' reports and offers with it.
                session.log.exception("serving it failed")
                self.session_failed(session, models.DisconnectReason.MEDIA_FAILURE)
        self.reports.tell_speakers(now_s)
        self._choose_heard(now_s)

    def _choose_heard(self, now_s: float) -> None:
        """Forward the loudest few of the open microphones, and the floor holder's."""
        if not self._loudest.limit or now_s < self._next_choice_s:
            return
        self._next_choice_s = now_s + CHOICE_INTERVAL_S
        microphones = {
            track.sid: track
            for track in self.tracks.values()
            if track.level is not None and track.info.source == models.TrackSource.MICROPHONE
        }
        open_now = {
            str(sid): track.level.power
            for sid, track in microphones.items()
            if track.level is not None and not track.info.muted
        }
        always = [sid for sid, track in microphones.items() if holds_floor(track.publisher)]
        heard = self._loudest.choose(open_now, now_s, always)
        for sid, track in microphones.items():
            track.up.set_withheld(not track.info.muted and sid not in heard)

    def sweep(self, now_s: float) -> None:
        """Every second: sessions whose time is over, layers nobody wants."""
        for session in list(self.sessions.values()):
            reason = session.overdue_reason()
            if reason is not None:
                session.log.info("ending: %s", models.DisconnectReason.Name(reason))
                self.session_failed(session, reason)
            self._tell_not_found(session, now_s)
        for track in self.tracks.values():
            self.wishes_changed(track)
        self.reports.sample()
        if self.room.to_info() != self._told:
            self.broadcast_room()

    def _tell_not_found(self, session: Session, now_s: float) -> None:
        for sid in not_found(session.participant, self.tracks, now_s):
            response = rtc.SubscriptionResponse(
                track_sid=sid, err=models.SubscriptionError.SE_TRACK_NOTFOUND
            )
            session.send(rtc.SignalResponse(subscription_response=response))

    def _update_dynacast(self, track: LiveTrack, now_s: float) -> None:
        maximum = track.up.max_wanted()
        publisher = self.sessions.get(track.publisher.sid)
        if publisher is None or not track.dynacast.update(maximum, now_s):
            return
        states = quality_states(maximum)
        codec = rtc.SubscribedCodec(codec=track.codec.mime_type.partition("/")[2], qualities=states)
        update = rtc.SubscribedQualityUpdate(
            track_sid=track.sid, subscribed_qualities=states, subscribed_codecs=[codec]
        )
        publisher.send(rtc.SignalResponse(subscribed_quality_update=update))

    def _send_to(self, sids: Iterable[ParticipantSid], response: rtc.SignalResponse) -> None:
        for sid in sids:
            session = self.sessions.get(sid)
            if session is not None:
                session.send(response)
