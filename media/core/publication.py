"""Publish tracks: answer AddTrack, and find out which media section carries which track.

A client announces a track by AddTrack and offers a section for it, in either order. The
section's ``a=msid`` names the track by the announced ``cid`` with most clients; browsers may
rename it, then kind and order decide. Nothing is sent from here.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from livekit.protocol import models, rtc

from media.core.codecs import Codec
from media.core.ids import RandomBytes, TrackSid, new_track_sid
from media.core.room import Participant, PendingTrack
from media.core.sdp import MediaSection
from media.core.simulcast import Quality, quality_of_rid
from media.core.track import UpTrack

MAX_PENDING: Final = 20
"""Tracks announced and not yet offered, per participant (LiveKit's limit)."""

MAX_QUEUED: Final = 3
"""Tracks of one client name that wait for the one before to end (LiveKit's limit)."""

MAX_TRACKS: Final = 64
"""Tracks one participant may publish at a time."""

MAX_TEXT: Final = 256
NODE_CLOCK_KIND: Final = {models.TrackType.AUDIO: "audio", models.TrackType.VIDEO: "video"}

Reason = rtc.RequestResponse.Reason


def refuse_track(participant: Participant, request: rtc.AddTrackRequest) -> "Reason | None":
    """Say why a track may not be published; None when it may."""
    if request.type not in NODE_CLOCK_KIND or not request.cid:
        return Reason.UNSUPPORTED_TYPE
    if not participant.may_publish(request.source):
        return Reason.NOT_ALLOWED
    if request.sid:  # a second codec for a published track: none beyond the first is accepted
        known = TrackSid(request.sid) in participant.tracks
        return Reason.UNSUPPORTED_TYPE if known else Reason.NOT_FOUND
    is_full = len(participant.pending) >= MAX_PENDING or len(participant.tracks) >= MAX_TRACKS
    return Reason.LIMIT_EXCEEDED if is_full else None


def is_namesake(request: rtc.AddTrackRequest, others: Iterable[rtc.AddTrackRequest]) -> bool:
    """True when a track of the same client name exists; the new one has to wait for its end."""
    return any(request.cid == other.cid for other in others)


def announce(
    participant: Participant, request: rtc.AddTrackRequest, random_bytes: RandomBytes
) -> models.TrackInfo:
    """Take over an AddTrack that was not refused; the info is the answer to it."""
    info = models.TrackInfo(
        sid=new_track_sid(random_bytes, request.type, request.source),
        type=request.type,
        name=request.name[:MAX_TEXT],
        muted=request.muted,
        width=request.width,
        height=request.height,
        disable_dtx=request.disable_dtx,
        source=request.source,
        layers=request.layers,
        stereo=request.stereo,
        disable_red=request.disable_red,
        encryption=request.encryption,
        stream=request.stream[:MAX_TEXT],
        backup_codec_policy=request.backup_codec_policy,
        audio_features=request.audio_features,
        packet_trailer_features=request.packet_trailer_features,
    )
    for codec in request.simulcast_codecs[:1]:
        layers = codec.layers or request.layers
        mime = f"{NODE_CLOCK_KIND[request.type]}/{codec.codec.lower()}"
        info.codecs.add(mime_type=mime, cid=codec.cid, layers=layers)
        info.mime_type = mime
        if not info.layers:
            info.layers.extend(layers)
    info.simulcast = len(info.layers) > 1
    participant.pending.append(PendingTrack(request, info))
    return info


def match(section: MediaSection, pending: Iterable[PendingTrack]) -> PendingTrack | None:
    """Find the announced track a section is for: by msid, else the first of its kind."""
    msid = section.msids[0].track if section.msids else ""
    same_kind = [track for track in pending if NODE_CLOCK_KIND.get(track.info.type) == section.kind]
    named = [track for track in same_kind if msid and msid in cids_of(track.request)]
    return next(iter(named or same_kind), None)


def names(section: MediaSection, pending: Iterable[PendingTrack]) -> bool:
    """True when the section's msid is the cid of one of the announced tracks."""
    msid = section.msids[0].track if section.msids else ""
    return any(msid in cids_of(track.request) for track in pending)


def cids_of(request: rtc.AddTrackRequest) -> set[str]:
    """List the client's names for a track."""
    return {request.cid, *(codec.cid for codec in request.simulcast_codecs)} - {""}


def preferred_codec(request: rtc.AddTrackRequest) -> str:
    """Name the codec the client would like to send; empty when it does not say."""
    return request.simulcast_codecs[0].codec if request.simulcast_codecs else ""


def bind(info: models.TrackInfo, request: rtc.AddTrackRequest, mid: str, codec: Codec) -> None:
    """Write what the negotiation has shown into the track's info."""
    info.mid = mid
    info.disable_red = codec.red_payload_type is None
    info.mime_type = codec.mime_type
    layers = list(info.layers)
    del info.codecs[:]
    info.codecs.add(mime_type=codec.mime_type, mid=mid, cid=request.cid, layers=layers)


def add_listed_streams(track: UpTrack, section: MediaSection) -> None:
    """Tell the track of the SSRCs its section lists; with rids they are learned instead.

    A ``SIM`` group lists the layers from the smallest to the largest (RFC 5576 practice of
    older clients).
    """
    if section.rids or section.simulcast_send:
        return
    simulcast = next((g.ssrcs for g in section.ssrc_groups if g.semantics == "SIM"), None)
    if simulcast:
        for quality, ssrc in zip(_qualities(len(simulcast)), simulcast, strict=False):
            track.add_ssrc(ssrc, quality, section.rtx_ssrc_of(ssrc))
        return
    repair = {group.ssrcs[1] for group in section.ssrc_groups if len(group.ssrcs) == 2}
    media = [ssrc for ssrc in section.ssrcs if ssrc not in repair]
    if media:
        track.add_ssrc(media[0], Quality.HIGH, section.rtx_ssrc_of(media[0]))


def layer_count(section: MediaSection) -> int:
    """Count the simulcast layers a section announces; 1 without simulcast."""
    return max(1, sum(1 for rid in section.rids if quality_of_rid(rid.id) is not None))


def _qualities(count: int) -> Sequence[Quality]:
    return (Quality.LOW, Quality.MEDIUM, Quality.HIGH)[3 - min(3, count) :]
