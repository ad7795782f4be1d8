"""Which packet of a connection belongs to which track, and what is due to be told the server.

An SSRC named in the description is known; an unknown one is bound by the ``mid`` its first
packets carry (RFC 9143 §9.2), else by a payload type only one track uses. Receiver reports
and REMB go out every second, requests for lost packets and keyframes as they fall due,
sender reports for what we publish every second.

In single connection mode media can overtake the answer that explains it, so the latest packets
nobody claims are kept for the tracks to come.

Sans I/O, the time is an argument.
"""

import secrets
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Final

from media.client.local import LocalTrack
from media.client.tracks import RemoteTrack
from media.core import rtcp
from media.core.extensions import MID
from media.core.rtp import RtpHeader

REPORT_INTERVAL_S: Final = 1.0
BITRATE_LIMIT_BPS: Final = 50_000_000
"""Told to the server as what this client can take (REMB); it does not estimate."""
MAX_BLOCKS: Final = 31
UNCLAIMED_PACKETS: Final = 128
"""Packets of unknown tracks kept: a keyframe and what follows it for a few tenths of a second."""


class Routes:
    """The tracks of one connection, both ways."""

    def __init__(self) -> None:
        self.local_ssrc = secrets.randbits(32)
        self._cname = secrets.token_hex(8)
        self._report_s = 0.0
        self._by_ssrc: dict[int, RemoteTrack] = {}
        self._unclaimed: deque[tuple[bytes, float]] = deque(maxlen=UNCLAIMED_PACKETS)
        self.remote: dict[str, RemoteTrack] = {}
        """Received tracks by sid."""
        self.local: dict[int, LocalTrack] = {}
        """Published tracks by SSRC."""

    def set_remote(self, tracks: Iterable[RemoteTrack]) -> None:
        """The tracks the server sends from now on."""
        known = set(self.remote.values())
        self.remote = {track.sid: track for track in tracks}
        self._by_ssrc = {
            ssrc: track
            for track in self.remote.values()
            for ssrc in (track.section.ssrc, track.section.rtx_ssrc)
            if ssrc is not None
        }
        if not known.issuperset(self.remote.values()):
            waiting = list(self._unclaimed)
            self._unclaimed.clear()
            for data, arrived_s in waiting:
                self.receive_rtp(data, arrived_s)

    def sid_of(self, ssrc: int) -> str | None:
        """The track that a media SSRC of the description belongs to."""
        track = self._by_ssrc.get(ssrc)
        return None if track is None else track.sid

    def receive_rtp(self, data: bytes, now_s: float) -> RemoteTrack | None:
        """Give a packet to its track; None if it has none. Raises RemoteProtocolError."""
        header = RtpHeader.parse(data)
        track = self._by_ssrc.get(header.ssrc) or self._learn(header, data)
        if track is None:
            self._unclaimed.append((data, now_s))
        else:
            track.receive(header, data, now_s)
        return track

    def receive_rtcp(self, data: bytes, now_s: float) -> None:
        """Apply a compound packet. Raises RemoteProtocolError."""
        for packet in rtcp.parse(data):
            match packet:
                case rtcp.SenderReport():
                    track = self._by_ssrc.get(packet.ssrc)
                    if track is not None:
                        track.handle_sender_report(packet, now_s)
                case rtcp.Nack():
                    if packet.media_ssrc in self.local:
                        self.local[packet.media_ssrc].resend(packet.seqs)
                case rtcp.PictureLossIndication():
                    self._keyframes_requested([packet.media_ssrc])
                case rtcp.FullIntraRequest():
                    self._keyframes_requested([ssrc for ssrc, _ in packet.requests])
                case _:
                    pass

    def due(self, now_s: float) -> Iterator[list[rtcp.RtcpPacket]]:
        """Compound packets to send now; also passes on packets that waited long enough."""
        feedback: list[rtcp.RtcpPacket] = []
        for track in list(self.remote.values()):
            if track.deadline_s <= now_s:
                track.poll(now_s)
                feedback += track.feedback(self.local_ssrc, now_s)
        if now_s >= self._report_s:
            self._report_s = now_s + REPORT_INTERVAL_S
            yield from self._reports(now_s)
        if feedback:
            yield [rtcp.ReceiverReport(self.local_ssrc), *feedback]

    def deadline_s(self, now_s: float) -> float:
        """When ``due`` has something to say again."""
        deadlines = [track.deadline_s for track in self.remote.values()]
        return min([now_s + REPORT_INTERVAL_S, *deadlines])

    def _learn(self, header: RtpHeader, data: bytes) -> RemoteTrack | None:
        values = header.extensions(data)
        fitting = []
        for track in self.remote.values():
            section = track.section
            mid = values.get(section.extension_ids.get(MID, 0))
            if mid is not None and mid.decode("ascii", "replace") == section.mid:
                fitting = [track]
                break
            is_known = header.payload_type in section.codecs or section.rtx_of(header.payload_type)
            if mid is None and is_known and section.ssrc is None:
                fitting.append(track)
        if len(fitting) != 1:
            return None
        self._by_ssrc[header.ssrc] = fitting[0]
        return fitting[0]

    def _keyframes_requested(self, ssrcs: list[int]) -> None:
        for ssrc in ssrcs:
            if ssrc in self.local:
                self.local[ssrc].keyframe_requested()

    def _reports(self, now_s: float) -> Iterator[list[rtcp.RtcpPacket]]:
        tracks = list(self.remote.values())
        blocks = [block for track in tracks if (block := track.report(now_s)) is not None]
        for start in range(0, len(blocks), MAX_BLOCKS):
            yield [rtcp.ReceiverReport(self.local_ssrc, tuple(blocks[start : start + MAX_BLOCKS]))]
        if blocks:
            limit = rtcp.ReceiverEstimatedMaximumBitrate(
                self.local_ssrc, BITRATE_LIMIT_BPS, tuple(block.ssrc for block in blocks[:255])
            )
            yield [rtcp.ReceiverReport(self.local_ssrc), limit]
        for local in self.local.values():
            report = local.report(self._cname)
            if report:
                yield report
