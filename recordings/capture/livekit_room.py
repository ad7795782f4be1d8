"""A hidden stay in a LiveKit room, of our node or of any LiveKit server, on `media.client`.

Packets come in order with losses marked; depayloaders make whole frames of them; nothing is
decoded. Short interruptions are the client's matter: tracks stay open and go on. When it gives up
or is put out, `LiveKitRoom.run` ends with an error and the caller decides.
"""

import logging
from collections.abc import Callable
from typing import Final

from livekit.protocol import models

from media.client import (
    Client,
    ConnectError,
    Disconnected,
    Event,
    MediaPacket,
    RemoteTrack,
    SpeakersChanged,
    TrackMuted,
    TrackSubscribed,
    TrackUnsubscribed,
    depayloader_for,
)
from media.core.errors import RemoteProtocolError
from recordings.capture.port import EncodedFrame, RoomClosedError, Sink, Track

log = logging.getLogger(__name__)

CLOCK_EVERY_S: Final = 5.0
"""How often the sender's clock is noted in the journal."""

READ_EVERY_S: Final = 0.03
"""A file is in no hurry; a keyframe's packets fit into the socket's buffer meanwhile."""

_CODECS: Final = {
    "audio/opus": "opus",
    "video/vp8": "vp8",
    "video/vp9": "vp9",
    "video/h264": "h264",
}
_SOURCES: Final = {
    models.TrackSource.CAMERA: "camera",
    models.TrackSource.MICROPHONE: "microphone",
    models.TrackSource.SCREEN_SHARE: "screen_share",
    models.TrackSource.SCREEN_SHARE_AUDIO: "screen_share_audio",
}
_FINAL: Final = {
    models.DisconnectReason.ROOM_DELETED,
    models.DisconnectReason.ROOM_CLOSED,
    models.DisconnectReason.PARTICIPANT_REMOVED,
    models.DisconnectReason.DUPLICATE_IDENTITY,
}


class LiveKitRoom:
    """`recordings.capture.port.Room` on a LiveKit server."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url
        self._token = token
        self._tracks: dict[str, RemoteTrack] = {}
        self._levels: dict[str, float] = {}

    async def run(self, sink: Sink) -> None:
        """Join and feed ``sink`` until cancelled or put out. Raises RoomClosedError, OSError."""
        try:
            client = await Client.connect(self._url, self._token, read_every_s=READ_EVERY_S)
        except ConnectError as error:
            raise OSError(f"cannot join: {error}") from error
        async with client:
            async for event in client.events():
                self._handle(event, client, sink)
        raise OSError("the connection ended")

    def request_keyframe(self, sid: str) -> None:
        """Ask the sender of a video track for a keyframe."""
        track = self._tracks.get(sid)
        if track is not None:
            track.request_keyframe()

    def _handle(self, event: Event, client: Client, sink: Sink) -> None:
        match event:
            case TrackSubscribed(track=track, participant=participant):
                self._open(track, participant.name or participant.identity, sink)
            case TrackUnsubscribed(track=track):
                if self._tracks.pop(track.sid, None) is not None:
                    sink.track_closed(track.sid)
            case TrackMuted(track_sid=sid, identity=identity, is_muted=is_muted):
                sink.muted(sid, identity, is_muted)
            case SpeakersChanged(speakers=speakers):
                self._hear(speakers, client, sink)
            case Disconnected(reason=reason, detail=detail):
                text = detail or models.DisconnectReason.Name(reason)
                raise RoomClosedError(text) if reason in _FINAL else OSError(text)

    def _open(self, remote: RemoteTrack, name: str, sink: Sink) -> None:
        codec = _CODECS.get(remote.mime.lower())
        source = _SOURCES.get(remote.source)
        if source is None:  # a sender that does not say: by kind
            source = "microphone" if codec == "opus" else "camera"
        is_sealed = remote.info.encryption != models.Encryption.NONE
        if codec is None or is_sealed:
            what = "end-to-end encrypted" if is_sealed else remote.mime
            log.warning("track %s of %s: %s is not recorded", remote.sid, name, what)
            sink.track_refused(remote.sid, remote.identity, name, what)
            return
        self._tracks[remote.sid] = remote
        sink.track_opened(
            Track(remote.sid, remote.identity, name, source, codec, remote.clock_rate)
        )
        if remote.is_muted:
            sink.muted(remote.sid, remote.identity, is_muted=True)
        remote.on_packet = _packet_handler(remote, sink)

    def _hear(self, speakers: tuple[models.SpeakerInfo, ...], client: Client, sink: Sink) -> None:
        identities = {one.sid: identity for identity, one in client.participants.items()}
        for speaker in speakers:
            identity = identities.get(speaker.sid)
            if identity is None:
                continue
            if speaker.active:
                self._levels[identity] = speaker.level
            else:
                self._levels.pop(identity, None)
        loudest = sorted(self._levels, key=lambda identity: -self._levels[identity])
        sink.speakers(tuple(loudest))


def _packet_handler(remote: RemoteTrack, sink: Sink) -> Callable[[MediaPacket], None]:
    frames = depayloader_for(remote.mime)
    clock_due_s = 0.0

    def take(packet: MediaPacket) -> None:
        nonlocal clock_due_s
        try:
            frame = frames.push(packet)
        except RemoteProtocolError as error:
            log.debug("track %s: %s", remote.sid, error)
            return
        if frame is None:
            return
        sink.frame(
            remote.sid,
            EncodedFrame(frame.data, frame.timestamp, frame.is_keyframe, frame.follows_gap),
        )
        if packet.arrived_s >= clock_due_s:
            ntp_s = remote.wall_time_s(frame.timestamp)
            if ntp_s is not None:
                clock_due_s = packet.arrived_s + CLOCK_EVERY_S
                sink.clock_read(remote.sid, frame.timestamp, ntp_s)

    return take
