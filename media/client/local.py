"""A published track: encoded frames in, RTP out, lost packets sent again.

Sans I/O except for the two callables it is given: ``send`` takes a plain RTP packet,
``clock`` gives the Unix time for sender reports.
"""

import secrets
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from livekit.protocol import models

from media.client.packetize import Packetizer
from media.core.codecs import Codec
from media.core.extensions import (
    ABSOLUTE_SEND_TIME,
    AUDIO_LEVEL,
    MID,
    REPAIRED_RTP_STREAM_ID,
    RTP_STREAM_ID,
)
from media.core.rtcp import RtcpPacket, SenderReport, SourceDescription
from media.core.rtp import write_packet
from media.core.rtx import wrap

RESEND_PACKETS: Final = 1024
"""Sent packets kept for retransmission."""
NTP_EPOCH_S: Final = 2_208_988_800
EXTENSIONS: Final[Mapping[str, Mapping[str, int]]] = {
    "audio": {MID: 1, AUDIO_LEVEL: 2},
    "video": {MID: 1, ABSOLUTE_SEND_TIME: 4, RTP_STREAM_ID: 10, REPAIRED_RTP_STREAM_ID: 11},
}
"""Numbers of the header extensions this client offers, by kind of track."""


class LocalTrack:
    """One published track, or one layer of a simulcast."""

    def __init__(
        self, cid: str, kind: str, codec: Codec, info: models.TrackInfo, rid: str | None = None
    ) -> None:
        self.cid = cid
        """Our name for the track, also the second token of its ``a=msid``."""
        self.kind = kind
        self.codec = codec
        self.info = info
        """LiveKit's description; ``info.sid`` changes after a full reconnect."""
        self.rid = rid
        """Name of the layer in a simulcast (RFC 8851); None without simulcast."""
        self.layers: list[LocalTrack] = [self]
        """All layers, this one first; each is sent by itself."""
        self.ssrc = secrets.randbits(32)
        self.rtx_ssrc = secrets.randbits(32)
        self.mid: str | None = None
        self.on_keyframe_request: Callable[[], object] | None = None
        """Called when a subscriber needs a keyframe."""
        self.is_muted = False
        self.packets = 0
        self.octets = 0
        self.is_published = True
        self._packetizer = Packetizer(codec.mime_type, secrets.randbits(15))
        self._seq = secrets.randbits(15)
        self._rtx_seq = secrets.randbits(15)
        self._offset_rtp = secrets.randbits(31)
        self._sent: OrderedDict[int, tuple[int, bool, bytes]] = OrderedDict()
        self._last: tuple[int, float] | None = None  # timestamp on the wire, Unix time
        self._send: Callable[[bytes], None] | None = None
        self._clock: Callable[[], float] | None = None

    @property
    def sid(self) -> str:
        """The track's sid, ``TR_…``."""
        return self.info.sid

    def add_layer(self, rid: str) -> "LocalTrack":
        """A further layer of the simulcast this one is the first of."""
        layer = LocalTrack(self.cid, self.kind, self.codec, self.info, rid)
        self.layers.append(layer)
        return layer

    def set_muted(self, is_muted: bool) -> None:
        """Drop frames of all layers from now on, or send them again."""
        for layer in self.layers:
            layer.is_muted = is_muted

    def set_mid(self, mid: str) -> None:
        """The section that carries all layers."""
        for layer in self.layers:
            layer.mid = mid

    def attach(self, send: Callable[[bytes], None], clock: Callable[[], float]) -> None:
        """Send through a connection from now on."""
        self._send, self._clock = send, clock

    def detach(self) -> None:
        """The connection is gone; frames are dropped until the next ``attach``."""
        self._send = None

    def send(
        self,
        frame: bytes,
        timestamp: int,
        extensions: dict[int, bytes] | None = None,
        *,
        temporal_id: int | None = None,
    ) -> int:
        """Send one encoded frame; the result is the number of packets.

        ``timestamp`` counts ticks of the codec's clock from any start. Nothing is sent while
        the track is muted or the connection is down.
        """
        if self._send is None or self._clock is None or self.is_muted:
            return 0
        wire_timestamp = timestamp + self._offset_rtp & 0xFFFFFFFF
        payloads = self._packetizer.payloads(frame, temporal_id)
        for index, payload in enumerate(payloads, start=1):
            marker = self.kind == "video" and index == len(payloads)
            self._send(self._packet(wire_timestamp, payload, extensions, marker=marker))
        self._last = (wire_timestamp, self._clock())
        return len(payloads)

    def _packet(
        self, timestamp: int, payload: bytes, extensions: dict[int, bytes] | None, *, marker: bool
    ) -> bytes:
        seq = self._seq
        self._seq = seq + 1 & 0xFFFF
        if self.codec.rtx_payload_type is not None:
            self._sent[seq] = (timestamp, marker, payload)
            if len(self._sent) > RESEND_PACKETS:
                self._sent.popitem(last=False)
        self.packets += 1
        self.octets += len(payload)
        return write_packet(
            payload_type=self.codec.payload_type,
            seq=seq,
            timestamp=timestamp,
            ssrc=self.ssrc,
            payload=payload,
            marker=marker,
            extensions=self._named(extensions, RTP_STREAM_ID),
        )

    def _named(self, extensions: dict[int, bytes] | None, uri: str) -> dict[int, bytes] | None:
        """With the layer's name, by which the server knows its SSRC (RFC 8852)."""
        if self.rid is None or self.mid is None:
            return extensions
        ids = EXTENSIONS[self.kind]
        names = {ids[MID]: self.mid.encode(), ids[uri]: self.rid.encode()}
        return names | (extensions or {})

    def resend(self, seqs: Iterable[int]) -> None:
        """Answer a NACK by retransmissions on their own SSRC (RFC 4588)."""
        if self.codec.rtx_payload_type is None or self._send is None:
            return
        for seq in seqs:
            found = self._sent.get(seq)
            if found is None:
                continue
            timestamp, marker, payload = found
            self._send(
                write_packet(
                    payload_type=self.codec.rtx_payload_type,
                    seq=self._rtx_seq,
                    timestamp=timestamp,
                    ssrc=self.rtx_ssrc,
                    payload=wrap(seq, payload),
                    marker=marker,
                    extensions=self._named(None, REPAIRED_RTP_STREAM_ID),
                )
            )
            self._rtx_seq = self._rtx_seq + 1 & 0xFFFF

    def keyframe_requested(self) -> None:
        """A subscriber cannot go on without a keyframe."""
        if self.on_keyframe_request is not None:
            self.on_keyframe_request()

    def report(self, cname: str) -> list[RtcpPacket]:
        """Sender report and name; nothing before the first packet."""
        if self._last is None or self._clock is None:
            return []
        timestamp, sent_s = self._last
        now_s = self._clock()
        elapsed_rtp = round((now_s - sent_s) * self.codec.clock_rate)
        ntp = int((now_s + NTP_EPOCH_S) * 2**32)
        return [
            SenderReport(
                self.ssrc,
                ntp & 0xFFFFFFFFFFFFFFFF,
                timestamp + elapsed_rtp & 0xFFFFFFFF,
                self.packets & 0xFFFFFFFF,
                self.octets & 0xFFFFFFFF,
            ),
            SourceDescription(((self.ssrc, cname),)),
        ]
