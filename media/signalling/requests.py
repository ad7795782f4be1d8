"""What a client may ask of its session, request by request.

``handle`` looks the request's kind up in a table. A request the node does not serve is
refused by a RequestResponse and never ignored; a malformed one raises RemoteProtocolError,
which costs the client its session and nobody else anything.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from livekit.protocol import models, rtc

from media.core.ids import TrackSid
from media.signalling.live_room import LiveRoom
from media.signalling.session import Leave, Session

MAX_METADATA_BYTES: Final = 512 * 1024
MAX_ATTRIBUTES_BYTES: Final = 64 * 1024
MAX_NAME_CHARS: Final = 256
MAX_SIDS: Final = 2000
"""Track sids taken from one request."""

Reason = rtc.RequestResponse.Reason


def handle(room: LiveRoom, session: Session, request: rtc.SignalRequest, now_ms: int) -> None:
    """Serve one request; ``now_ms`` is Unix time in milliseconds, for the pings."""
    kind = request.WhichOneof("message")
    if kind is None:
        return
    value = getattr(request, kind)
    if kind == "ping":
        session.send(rtc.SignalResponse(pong=now_ms))
    elif kind == "ping_req":
        pong = rtc.Pong(last_ping_timestamp=value.timestamp, timestamp=now_ms)
        session.send(rtc.SignalResponse(pong_resp=pong))
    else:
        _HANDLERS.get(kind, _refuse_unsupported)(room, session, value)


def _offer(_room: LiveRoom, session: Session, offer: rtc.SessionDescription) -> None:
    session.take_offer(offer)


def _answer(_room: LiveRoom, session: Session, answer: rtc.SessionDescription) -> None:
    session.take_answer(answer)


def _nothing(_room: LiveRoom, _session: Session, _value: Any) -> None:
    """Candidates are not needed by ICE-lite; deprecated hints change nothing."""


def _add_track(_room: LiveRoom, session: Session, request: rtc.AddTrackRequest) -> None:
    session.publishing.add_track(request)


def _mute(room: LiveRoom, session: Session, request: rtc.MuteTrackRequest) -> None:
    if not room.mute(session, request.sid, is_muted=request.muted):
        _respond(session, rtc.RequestResponse(reason=Reason.NOT_FOUND, mute=request))


def _subscription(room: LiveRoom, session: Session, request: rtc.UpdateSubscription) -> None:
    apply_subscription(session, request)
    room.reconcile(session)


def apply_subscription(session: Session, request: rtc.UpdateSubscription) -> None:
    """Note which tracks a participant does or does not want."""
    for sid in sids_of(request.track_sids, request.participant_tracks):
        session.participant.choices[TrackSid(sid)] = request.subscribe


def sids_of(
    track_sids: Iterable[str], participant_tracks: Iterable[models.ParticipantTracks]
) -> list[str]:
    """List the track sids of both forms of a request, bounded."""
    sids = [*track_sids, *(sid for tracks in participant_tracks for sid in tracks.track_sids)]
    return sids[:MAX_SIDS]


def _track_setting(_room: LiveRoom, session: Session, request: rtc.UpdateTrackSettings) -> None:
    for sid in list(request.track_sids)[:MAX_SIDS]:
        if TrackSid(sid) in session.subscribing.subscriptions:
            session.participant.settings[TrackSid(sid)] = request
            session.subscribing.apply_settings(TrackSid(sid))


def _leave(room: LiveRoom, session: Session, _request: rtc.LeaveRequest) -> None:
    room.leave(session, models.DisconnectReason.CLIENT_INITIATED)


def _subscription_permission(
    room: LiveRoom, session: Session, request: rtc.SubscriptionPermission
) -> None:
    publisher = session.participant
    before = {
        (other.participant.sid, sid)
        for other in room.sessions.values()
        for sid in publisher.tracks
        if other is not session and publisher.admits(other.participant, sid)
    }
    publisher.audience = request
    for other in room.sessions.values():
        for sid in publisher.tracks:
            allowed = publisher.admits(other.participant, sid)
            if other is session or allowed == ((other.participant.sid, sid) in before):
                continue
            update = rtc.SubscriptionPermissionUpdate(
                participant_sid=publisher.sid, track_sid=sid, allowed=allowed
            )
            other.send(rtc.SignalResponse(subscription_permission_update=update))
    room.reconcile_all()


def _sync_state(room: LiveRoom, session: Session, state: rtc.SyncState) -> None:
    published = [track.track.sid for track in state.publish_tracks]
    if any(session.publishing.find_info(sid) is None for sid in published):
        room.session_failed(session, models.DisconnectReason.STATE_MISMATCH)
        return
    apply_subscription(session, state.subscription)
    for sid in list(state.track_sids_disabled)[:MAX_SIDS]:
        disabled = rtc.UpdateTrackSettings(track_sids=[sid], disabled=True)
        _track_setting(room, session, disabled)
    room.reconcile(session)


def _update_metadata(
    room: LiveRoom, session: Session, request: rtc.UpdateParticipantMetadata
) -> None:
    participant = session.participant
    reason = _refuse_metadata(session, request)
    if reason is None:
        update_identity_card(session, request.name, request.metadata, request.attributes)
        participant.changed()
        room.broadcast(participant, include_self=True)
    if reason is not None or session.participant.client.protocol >= 15:
        response = rtc.RequestResponse(
            request_id=request.request_id,
            reason=Reason.OK if reason is None else reason,
            update_metadata=request,
        )
        _respond(session, response)


def update_identity_card(
    session: Session, name: str, metadata: str, attributes: Mapping[str, str]
) -> None:
    """Change name, metadata and attributes; empty means unchanged, an empty value deletes."""
    participant = session.participant
    participant.name = name or participant.name
    participant.metadata = metadata or participant.metadata
    merged = participant.attributes | dict(attributes)
    participant.attributes = {key: value for key, value in merged.items() if value}


def _refuse_metadata(session: Session, request: rtc.UpdateParticipantMetadata) -> "Reason | None":
    if not session.participant.permission.can_update_metadata:
        return Reason.NOT_ALLOWED
    merged = session.participant.attributes | dict(request.attributes)
    size = sum(len(key.encode()) + len(value.encode()) for key, value in merged.items())
    too_long = (
        len(request.name) > MAX_NAME_CHARS
        or len(request.metadata.encode()) > MAX_METADATA_BYTES
        or size > MAX_ATTRIBUTES_BYTES
    )
    return Reason.LIMIT_EXCEEDED if too_long else None


def _update_audio_track(
    room: LiveRoom, session: Session, request: rtc.UpdateLocalAudioTrack
) -> None:
    info = session.publishing.find_info(request.track_sid)
    if info is None:
        response = rtc.RequestResponse(reason=Reason.NOT_FOUND, update_audio_track=request)
        _respond(session, response)
        return
    del info.audio_features[:]
    info.audio_features.extend(request.features)
    session.participant.changed()
    room.broadcast(session.participant)


def _update_video_track(
    room: LiveRoom, session: Session, request: rtc.UpdateLocalVideoTrack
) -> None:
    info = session.publishing.find_info(request.track_sid)
    if info is None:
        response = rtc.RequestResponse(reason=Reason.NOT_FOUND, update_video_track=request)
        _respond(session, response)
        return
    info.width, info.height = request.width, request.height
    session.participant.changed()
    room.broadcast(session.participant)


def _simulate(room: LiveRoom, session: Session, scenario: rtc.SimulateScenario) -> None:
    match scenario.WhichOneof("scenario"):
        case "speaker_update":
            speaker = models.SpeakerInfo(sid=session.participant.sid, level=0.9, active=True)
            changed = rtc.SpeakersChanged(speakers=[speaker])
            session.send(rtc.SignalResponse(speakers_changed=changed))
        case "server_leave":
            session.send_leave(models.DisconnectReason.SERVER_SHUTDOWN, Leave.Action.DISCONNECT)
            room.leave(session, models.DisconnectReason.SERVER_SHUTDOWN)
        case "node_failure" | "migration" | "leave_request_full_reconnect":
            room.session_failed(session, models.DisconnectReason.STATE_MISMATCH)
        case "disconnect_signal_on_resume" | "disconnect_signal_on_resume_no_messages":
            if session.sink is not None:
                session.sink.close()
        case _:
            _refuse_unsupported(room, session, scenario)


def _refuse_unsupported(_room: LiveRoom, session: Session, _value: Any) -> None:
    response = rtc.RequestResponse(
        reason=Reason.UNSUPPORTED_TYPE, message="this server does not offer this"
    )
    _respond(session, response)


def _data_track(_room: LiveRoom, session: Session, value: rtc.PublishDataTrackRequest) -> None:
    response = rtc.RequestResponse(
        reason=Reason.UNSUPPORTED_TYPE,
        message="data tracks are not offered",
        publish_data_track=value,
    )
    _respond(session, response)


def _respond(session: Session, response: rtc.RequestResponse) -> None:
    session.send(rtc.SignalResponse(request_response=response))


_HANDLERS: Final[Mapping[str, Callable[[LiveRoom, Session, Any], None]]] = {
    "offer": _offer,
    "answer": _answer,
    "trickle": _nothing,
    "add_track": _add_track,
    "mute": _mute,
    "subscription": _subscription,
    "track_setting": _track_setting,
    "leave": _leave,
    "update_layers": _nothing,
    "subscription_permission": _subscription_permission,
    "sync_state": _sync_state,
    "simulate": _simulate,
    "update_metadata": _update_metadata,
    "update_audio_track": _update_audio_track,
    "update_video_track": _update_video_track,
    "publish_data_track_request": _data_track,
}
