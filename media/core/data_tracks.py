"""Data tracks: named streams of small frames beside sound and picture, and data blobs.

A publisher announces a track under a handle of its own and sends packets that begin with a header
of twelve bytes; the handle stands in bytes 2 and 3. Each subscriber knows the track by a handle
the node has given it, so a forwarded packet differs in these two bytes only. What follows the
handle (sequence, frame, timestamp, extensions, payload) is opaque. A blob is a small document,
such as the schema of a track, that a participant leaves with the node for others to fetch.

Pure: who may publish or receive is decided by ``media.signalling.data_tracks``.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from livekit.protocol import models, rtc

from media.core.errors import RemoteProtocolError
from media.core.ids import ParticipantSid, RandomBytes, random_text

HEADER_BYTES: Final = 12
_HANDLE: Final = slice(2, 4)
MAX_HANDLE: Final = 0xFFFF
MAX_NAME_CHARS: Final = 256
MAX_TRACKS: Final = 64
"""Data tracks of one participant."""

MAX_BLOBS: Final = 32
MAX_BLOB_BYTES: Final = 64 * 1024

Reason = rtc.RequestResponse.Reason


def handle_of(packet: bytes) -> int:
    """Read the publisher's handle of a packet. RemoteProtocolError when there is no header."""
    if len(packet) < HEADER_BYTES:
        raise RemoteProtocolError("data track packet without a header")
    return int.from_bytes(packet[_HANDLE], "big")


def with_handle(packet: bytes, handle: int) -> bytes:
    """The packet as the subscriber that knows the track by ``handle`` gets it."""
    return packet[: _HANDLE.start] + handle.to_bytes(2, "big") + packet[_HANDLE.stop :]


@dataclass(slots=True, eq=False)
class DataTrack:
    """A published data track; ``subscribers`` maps a session's sid to its handle."""

    info: models.DataTrackInfo
    subscribers: dict[ParticipantSid, int] = field(default_factory=dict)


class DataTracks:
    """The data tracks one participant publishes, by its handles."""

    def __init__(self) -> None:
        self.by_handle: dict[int, DataTrack] = {}

    def refuse(self, request: rtc.PublishDataTrackRequest) -> "Reason | None":
        """Say why a track may not be published; None when it may."""
        if not 0 < request.pub_handle <= MAX_HANDLE:
            return Reason.INVALID_HANDLE
        if not 0 < len(request.name) <= MAX_NAME_CHARS:
            return Reason.INVALID_NAME
        if request.pub_handle in self.by_handle:
            return Reason.DUPLICATE_HANDLE
        if any(track.info.name == request.name for track in self.by_handle.values()):
            return Reason.DUPLICATE_NAME
        return Reason.LIMIT_EXCEEDED if len(self.by_handle) >= MAX_TRACKS else None

    def publish(
        self, request: rtc.PublishDataTrackRequest, random_bytes: RandomBytes
    ) -> models.DataTrackInfo:
        """Take over a request that was not refused."""
        info = models.DataTrackInfo(
            pub_handle=request.pub_handle,
            sid="DTR_" + random_text(random_bytes),
            name=request.name,
            encryption=request.encryption,
        )
        if request.HasField("frame_encoding"):
            info.frame_encoding.CopyFrom(request.frame_encoding)
        if request.HasField("schema"):
            info.schema.CopyFrom(request.schema)
        self.by_handle[request.pub_handle] = DataTrack(info)
        return info

    def find(self, sid: str) -> DataTrack | None:
        """The track with that sid."""
        return next((t for t in self.by_handle.values() if t.info.sid == sid), None)

    def infos(self) -> Iterator[models.DataTrackInfo]:
        """What others know of the tracks."""
        return (track.info for track in self.by_handle.values())


class ReceiveHandles:
    """The handles under which one participant receives data tracks."""

    def __init__(self) -> None:
        self._tracks: dict[int, rtc.DataTrackSubscriberHandles.PublishedDataTrack] = {}
        self._last = 0

    def assign(self, publisher_sid: str, publisher_identity: str, track_sid: str) -> int:
        """Give a track a handle that was not in use lately."""
        while True:
            self._last = self._last % MAX_HANDLE + 1
            if self._last not in self._tracks:
                break
        self._tracks[self._last] = rtc.DataTrackSubscriberHandles.PublishedDataTrack(
            publisher_identity=publisher_identity, publisher_sid=publisher_sid, track_sid=track_sid
        )
        return self._last

    def release(self, handle: int) -> None:
        """Forget a handle."""
        self._tracks.pop(handle, None)

    def to_message(self) -> rtc.DataTrackSubscriberHandles:
        """All handles in use, as the client is told them."""
        return rtc.DataTrackSubscriberHandles(sub_handles=self._tracks)


class Blobs:
    """What one participant has left for others to fetch."""

    def __init__(self) -> None:
        self._contents: dict[bytes, models.DataBlob] = {}

    def store(self, blob: models.DataBlob) -> "Reason | None":
        """Keep a blob under its key, replacing a former one; the reason why not."""
        key = blob.key.SerializeToString(deterministic=True)
        if not key:
            return Reason.INVALID_REQUEST
        is_new = key not in self._contents
        if len(key) + len(blob.contents) > MAX_BLOB_BYTES:
            return Reason.LIMIT_EXCEEDED
        if is_new and len(self._contents) >= MAX_BLOBS:
            return Reason.LIMIT_EXCEEDED
        self._contents[key] = blob
        return None

    def get(self, key: models.DataBlobKey) -> models.DataBlob | None:
        """The blob stored under that key."""
        return self._contents.get(key.SerializeToString(deterministic=True))
