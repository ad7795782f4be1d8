"""What a client may ask of its session, request by request.

``handle`` looks the request's kind up in a table. A request the node does not serve is
refused by a RequestResponse and never ignored; a malformed one raises RemoteProtocolError,
which costs the client its session and nobody else anything.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from livekit.protocol import models, rtc

from media.core.ids import TrackSid
from media.core.wishes import note_choice
from media.signalling.live_room import LiveRoom
from media.signalling.session import Session
from media.signalling.simulation import simulate

MAX_METADATA_BYTES: Final = 512 * 1024
MAX_ATTRIBUTES_BYTES: Final = 64 * 1024
MAX_NAME_CHARS: Final = 256
MAX_FEATURES: Final = 32
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
    """Deprecated hints change nothing."""


def _add_track(_room: LiveRoom, session: Session, request: rtc.AddTrackRequest) -> None:
    session.publishing.add_track(request)


def _trickle(_room: LiveRoom, session: Session, request: rtc.TrickleRequest) -> None:
    """A candidate must make sense, but an ICE-lite node does not need it."""
    try:
        candidate = json.loads(request.candidateInit or "{}")
    except (ValueError, RecursionError):
        candidate = None
    if not isinstance(candidate, dict):
        response = rtc.RequestResponse(
            reason=Reason.UNCLASSIFIED_ERROR,
            message="the candidate is not a JSON object",
            trickle=request,
        )
        _respond(session, response)


def _mute(room: LiveRoom, session: Session, request: rtc.MuteTrackRequest) -> None:
    if not room.mute(session, request.sid, is_muted=request.muted):
        _respond(session, rtc.RequestResponse(reason=Reason.NOT_FOUND, mute=request))


def _subscription(room: LiveRoom, session: Session, request: rtc.UpdateSubscription) -> None:
    apply_subscription(room, session, request)
    room.reconcile(session)


def apply_subscription(room: LiveRoom, session: Session, request: rtc.UpdateSubscription) -> None:
    """Note which tracks a participant does or does not want."""
    for sid in sids_of(request.track_sids, request.participant_tracks):
        note_choice(
            session.participant,
            TrackSid(sid),
            is_wanted=request.subscribe,
            published=room.tracks,
            now_s=room.now_s(),
        )


def sids_of(
    track_sids: Iterable[str], participant_tracks: Iterable[models.ParticipantTracks]
) -> list[str]:
    """List the track sids of both forms of a request, bounded."""
    sids = [*track_sids, *(sid for tracks in participant_tracks for sid in tracks.track_sids)]
    return sids[:MAX_SIDS]


def _track_setting(room: LiveRoom, session: Session, request: rtc.UpdateTrackSettings) -> None:
    for sid in list(request.track_sids)[:MAX_SIDS]:
        if TrackSid(sid) in room.tracks:
            session.participant.settings[TrackSid(sid)] = request
            session.subscribing.apply_settings(TrackSid(sid))
            room.wishes_changed(room.tracks[TrackSid(sid)])


def _leave(room: LiveRoom, session: Session, _request: rtc.LeaveRequest) -> None:
    room.leave(session, models.DisconnectReason.CLIENT_INITIATED)


def _subscription_permission(
    room: LiveRoom, session: Session, request: rtc.SubscriptionPermission
) -> None:
    session.participant.audience = request
    room.reconcile_all()


def _sync_state(room: LiveRoom, session: Session, state: rtc.SyncState) -> None:
    sync(room, session, state)


def sync(room: LiveRoom, session: Session, state: rtc.SyncState) -> None:
    """Take over what a client that resumes believes; what contradicts it makes it join anew."""
    published = [track.track.sid for track in state.publish_tracks]
    if any(session.publishing.find_info(sid) is None for sid in published):
        room.session_failed(session, models.DisconnectReason.STATE_MISMATCH)
        return
    apply_subscription(room, session, state.subscription)
    for sid in list(state.track_sids_disabled)[:MAX_SIDS]:
        setting = rtc.UpdateTrackSettings()
        known = session.participant.settings.get(TrackSid(sid))
        if known is not None:
            setting.CopyFrom(known)
        setting.track_sids[:] = [sid]
        setting.disabled = True
        _track_setting(room, session, setting)
    room.reconcile(session)
    room.data_tracks.update(session, state.data_subscription)
    room.data.repeat(session, state.datachannel_receive_states)


def _update_metadata(
    room: LiveRoom, session: Session, request: rtc.UpdateParticipantMetadata
) -> None:
    participant = session.participant
    reason = _refuse_metadata(session, request)
    if reason is None:
        update_identity_card(session, request.name, request.metadata, request.attributes)
        participant.changed()
        room.broadcast(participant, include_self=True)
        room.send_token(session)
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
    session.apply_attributes()


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
    info.audio_features[:] = list(dict.fromkeys(request.features))[:MAX_FEATURES]
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
    if not simulate(room, session, scenario):
        _refuse_unsupported(room, session, scenario)


def _refuse_unsupported(_room: LiveRoom, session: Session, value: Any) -> None:
    response = rtc.RequestResponse(
        request_id=getattr(value, "request_id", 0),
        reason=Reason.UNSUPPORTED_TYPE,
        message="this server does not offer this",
    )
    _respond(session, response)


def _publish_data(room: LiveRoom, session: Session, request: rtc.PublishDataTrackRequest) -> None:
    room.data_tracks.publish(session, request)


def _unpublish_data(
    room: LiveRoom, session: Session, request: rtc.UnpublishDataTrackRequest
) -> None:
    room.data_tracks.unpublish(session, request)


def _subscribe_data(room: LiveRoom, session: Session, request: rtc.UpdateDataSubscription) -> None:
    room.data_tracks.update(session, request)


def _store_blob(room: LiveRoom, session: Session, request: rtc.StoreDataBlobRequest) -> None:
    room.data_tracks.store_blob(session, request)


def _get_blob(room: LiveRoom, session: Session, request: rtc.GetDataBlobRequest) -> None:
    room.data_tracks.get_blob(session, request)


def _respond(session: Session, response: rtc.RequestResponse) -> None:
    session.send(rtc.SignalResponse(request_response=response))


_HANDLERS: Final[Mapping[str, Callable[[LiveRoom, Session, Any], None]]] = {
    "offer": _offer,
    "answer": _answer,
    "trickle": _trickle,
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
    "publish_data_track_request": _publish_data,
    "unpublish_data_track_request": _unpublish_data,
    "update_data_subscription": _subscribe_data,
    "store_data_blob_request": _store_blob,
    "get_data_blob_request": _get_blob,
}
