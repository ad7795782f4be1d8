"""Data tracks of one room: publish, subscribe, forward; and the blobs beside them.

Publishing needs the right to publish data, receiving the right to subscribe. A client hears of a
new handle before the first packet under it: signalling and data channel are two ways, and a
client that gets a packet too early drops it.
"""

import secrets
from collections.abc import Callable, Mapping

from livekit.protocol import rtc

from media.core import data_tracks as core
from media.core.data_tracks import DataTrack, Reason
from media.core.ids import Identity, ParticipantSid
from media.core.room import Participant, Room
from media.signalling.session import Session


class DataTrackRoom:
    """The data tracks among the ``sessions`` of ``room``; ``changed`` tells the others of one."""

    def __init__(
        self,
        room: Room,
        sessions: Mapping[ParticipantSid, Session],
        changed: Callable[[Participant], None],
    ) -> None:
        self._room = room
        self._sessions = sessions
        self._changed = changed

    def publish(self, session: Session, request: rtc.PublishDataTrackRequest) -> None:
        """Answer a client that wants to publish a data track."""
        participant = session.participant
        reason = participant.data_tracks.refuse(request)
        if not participant.permission.can_publish_data:
            reason = Reason.NOT_ALLOWED
        if reason is not None:
            refusal = rtc.RequestResponse(
                reason=reason,
                message="the data track cannot be published",
                publish_data_track=request,
            )
            session.send(rtc.SignalResponse(request_response=refusal))
            return
        info = participant.data_tracks.publish(request, secrets.token_bytes)
        response = rtc.PublishDataTrackResponse(info=info)
        session.send(rtc.SignalResponse(publish_data_track_response=response))
        self._changed(participant)
        track = participant.data_tracks.by_handle[request.pub_handle]
        for other in self._sessions.values():
            if other.participant.auto_subscribe_data:
                self._subscribe(other, participant, track)

    def unpublish(self, session: Session, request: rtc.UnpublishDataTrackRequest) -> None:
        """Answer a client that ends its data track."""
        track = session.participant.data_tracks.by_handle.pop(request.pub_handle, None)
        if track is None:
            refusal = rtc.RequestResponse(
                reason=Reason.INVALID_HANDLE, unpublish_data_track=request
            )
            session.send(rtc.SignalResponse(request_response=refusal))
            return
        response = rtc.UnpublishDataTrackResponse(info=track.info)
        session.send(rtc.SignalResponse(unpublish_data_track_response=response))
        self._changed(session.participant)
        self._end(track)

    def update(self, session: Session, request: rtc.UpdateDataSubscription) -> None:
        """Subscribe a client to data tracks or unsubscribe it; unknown ones are not found."""
        for update in request.updates:
            found = self._find(update.track_sid)
            if found is None:
                response = rtc.SubscriptionResponse(
                    track_sid=update.track_sid, err="SE_TRACK_NOTFOUND"
                )
                session.send(rtc.SignalResponse(subscription_response=response))
            elif update.subscribe:
                self._subscribe(session, *found)
            else:
                self._unsubscribe(session, found[1])

    def enter(self, session: Session) -> None:
        """Subscribe a newcomer that wants everything."""
        if session.participant.auto_subscribe_data:
            for publisher in list(self._room.participants.values()):
                for track in list(publisher.data_tracks.by_handle.values()):
                    self._subscribe(session, publisher, track)

    def leave(self, session: Session) -> None:
        """End what a leaving participant publishes and receives."""
        for track in session.participant.data_tracks.by_handle.values():
            self._end(track)
        session.participant.data_tracks.by_handle.clear()
        for publisher in self._room.participants.values():
            for track in publisher.data_tracks.by_handle.values():
                track.subscribers.pop(session.participant.sid, None)

    def forward(self, session: Session, data: bytes) -> None:
        """Pass a packet on. RemoteProtocolError when it has no header."""
        track = session.participant.data_tracks.by_handle.get(core.handle_of(data))
        if track is None or not session.participant.permission.can_publish_data:
            return
        for sid, handle in track.subscribers.items():
            other = self._sessions.get(sid)
            if other is not None:
                other.outbox.send_frame(core.with_handle(data, handle))

    def store_blob(self, session: Session, request: rtc.StoreDataBlobRequest) -> None:
        """Keep a document a client leaves for others."""
        reason: Reason | None = Reason.NOT_ALLOWED
        if session.participant.permission.can_publish_data:
            reason = session.participant.blobs.store(request.blob)
        if reason is not None:
            refusal = rtc.RequestResponse(request_id=request.request_id, reason=reason)
            session.send(rtc.SignalResponse(request_response=refusal))
            return
        stored = rtc.StoreDataBlobResponse(request_id=request.request_id, key=request.blob.key)
        session.send(rtc.SignalResponse(store_data_blob_response=stored))

    def get_blob(self, session: Session, request: rtc.GetDataBlobRequest) -> None:
        """Hand out a document another participant has left."""
        owner = self._room.participants.get(Identity(request.participant_identity))
        is_visible = owner is not None and (owner is session.participant or not owner.is_hidden)
        blob = owner.blobs.get(request.key) if owner is not None and is_visible else None
        if blob is None:
            refusal = rtc.RequestResponse(request_id=request.request_id, reason=Reason.NOT_FOUND)
            session.send(rtc.SignalResponse(request_response=refusal))
            return
        found = rtc.GetDataBlobResponse(request_id=request.request_id, blob=blob)
        session.send(rtc.SignalResponse(get_data_blob_response=found))

    def _find(self, sid: str) -> tuple[Participant, DataTrack] | None:
        for publisher in self._room.participants.values():
            track = publisher.data_tracks.find(sid)
            if track is not None and not publisher.is_hidden:
                return publisher, track
        return None

    def _subscribe(self, session: Session, publisher: Participant, track: DataTrack) -> None:
        receiver = session.participant
        is_known = receiver.sid in track.subscribers
        if is_known or publisher is receiver or publisher.is_hidden:
            return
        if not receiver.permission.can_subscribe:
            return
        handle = session.handles.assign(publisher.sid, publisher.identity, track.info.sid)
        session.send_handles()
        track.subscribers[receiver.sid] = handle

    def _unsubscribe(self, session: Session, track: DataTrack) -> None:
        handle = track.subscribers.pop(session.participant.sid, None)
        if handle is not None:
            session.handles.release(handle)
            session.send_handles()

    def _end(self, track: DataTrack) -> None:
        for sid in list(track.subscribers):
            other = self._sessions.get(sid)
            if other is not None:
                self._unsubscribe(other, track)
        track.subscribers.clear()
