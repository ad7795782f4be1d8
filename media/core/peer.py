"""Everything one peer connection sends and receives: routing, reports, feedback.

Incoming RTP goes by SSRC to the published track it belongs to; an unknown SSRC is bound by the
``mid`` its first packets carry (RFC 9143 §9.2), else by a payload type that only one track uses.
Incoming RTCP goes to published tracks (sender reports) and to subscriptions (everything else).
``poll`` gathers what is due into few compound packets: receiver reports every second, NACKs and
keyframe requests as they fall due, sender reports for subscriptions every three seconds, and the
bandwidth feedback that lets a publisher send all its layers: transport-wide feedback if that
extension was negotiated, REMB otherwise.

Pure: after each ``handle_…`` the caller re-reads ``next_poll_s``.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from media.core.downlink import Downlink
from media.core.extensions import (
    AUDIO_LEVEL,
    MID,
    REPAIRED_RTP_STREAM_ID,
    RTP_STREAM_ID,
    TRANSPORT_WIDE_CC,
)
from media.core.forward import DownTrack
from media.core.legs import Forwarded, Outgoing, spelled_out
from media.core.rtcp import (
    MAX_REPORT_BLOCKS,
    FullIntraRequest,
    Nack,
    PictureLossIndication,
    ReceiverEstimatedMaximumBitrate,
    ReceiverReport,
    ReportBlock,
    RtcpPacket,
    SenderReport,
    SourceDescription,
    TransportFeedback,
    parse,
    write,
)
from media.core.rtp import RtpHeader
from media.core.track import UpTrack
from media.core.traffic import Traffic
from media.core.transport_cc import TICK_S, FeedbackRecorder, parse_feedback

SentHistory = Callable[[int, int], Sequence[tuple[int, float] | None]]
"""For so many packets from a transport-wide number on: size in bytes and time of sending; None for
packets not known (any more)."""

REPORT_INTERVAL_S: Final = 1.0
SENDER_REPORT_INTERVAL_S: Final = 3.0
FAST_REMB_INTERVAL_S: Final = 0.25
"""libwebrtc takes a REMB over at once only in the first two seconds of sending."""
FAST_REMB_PERIOD_S: Final = 5.0
UPLINK_LIMIT_BPS: Final = 10_000_000
"""Announced by REMB: three simulcast layers and a screen fit in; a flood does not."""
MAX_EARLY_REPORTS: Final = 32
"""Sender reports kept for streams whose first packet has not come yet."""
MAX_COMPOUND_BYTES: Final = 1200
LATEST_SOUND_S: Final = 0.25
"""Queueing delay beyond which lost sound is not worth resending."""
MAX_RESENT_PER_PACKET: Final = 256
"""Retransmissions given out for one incoming RTCP packet."""


class MediaPeer:
    """The media side of one peer connection. ``local_ssrc`` is whom our RTCP names as sender."""

    def __init__(self, *, local_ssrc: int, traffic: Traffic | None = None) -> None:
        self.local_ssrc = local_ssrc
        self.traffic = traffic or Traffic()
        """What this peer's packets are counted in; shared by all peers of a node."""
        self.estimated_bps: int | None = None
        """What the remote side last said by REMB that the path to it carries."""
        self.unrouted_packets = 0
        """RTP packets no track could be found for."""
        self._up_by_mid: dict[str, UpTrack] = {}
        self._up_by_ssrc: dict[int, UpTrack] = {}
        self._down_by_ssrc: dict[int, DownTrack] = {}
        self._mid_id = self._rid_id = self._repaired_id = 0
        self._level_id = self._transport_cc_id = 0
        self.downlink = Downlink()
        """How much the line to this peer carries."""
        self.sent_history: SentHistory | None = None
        """What was sent under which transport-wide number; None where packets are not numbered."""
        self._feedback_recorder = FeedbackRecorder()
        self._next_report_s = float("-inf")
        self._next_remb_s = float("-inf")
        self._first_packet_s: float | None = None
        self._early_reports: dict[int, tuple[SenderReport, float]] = {}

    # Tracks.

    def set_up_track(self, mid: str, track: UpTrack) -> None:
        """Packets of section ``mid`` belong to ``track``. Replaces a former track of that mid."""
        self.remove_up_track(mid)
        self._up_by_mid[mid] = track
        track.traffic = self.traffic
        ids = track.extension_ids  # in a bundle an id means the same in every section
        self._mid_id = ids.get(MID, self._mid_id)
        self._rid_id = ids.get(RTP_STREAM_ID, self._rid_id)
        self._repaired_id = ids.get(REPAIRED_RTP_STREAM_ID, self._repaired_id)
        self._level_id = ids.get(AUDIO_LEVEL, self._level_id)
        self._transport_cc_id = ids.get(TRANSPORT_WIDE_CC, self._transport_cc_id)

    @property
    def element_ids(self) -> tuple[int, int]:
        """Ids of the elements looked at in every packet: audio level, running number; 0: none."""
        return self._level_id, self._transport_cc_id

    def remove_up_track(self, mid: str) -> UpTrack | None:
        """Forget the track of a section; it is returned."""
        track = self._up_by_mid.pop(mid, None)
        if track is not None:
            self._up_by_ssrc = {
                ssrc: other for ssrc, other in self._up_by_ssrc.items() if other is not track
            }
        return track

    @property
    def up_tracks(self) -> list[UpTrack]:
        """Tracks this peer publishes."""
        return list(self._up_by_mid.values())

    def add_down_track(self, down: DownTrack) -> None:
        """Route this peer's feedback about ``down`` to it."""
        self._down_by_ssrc[down.ssrc] = down
        self.downlink.expects_feedback = self.sent_history is not None
        self.downlink.begin()

    def remove_down_track(self, down: DownTrack) -> None:
        """Stop routing; unknown ones are ignored."""
        self._down_by_ssrc.pop(down.ssrc, None)
        self.downlink.forget(down)

    @property
    def down_tracks(self) -> list[DownTrack]:
        """Subscriptions this peer has."""
        return list(self._down_by_ssrc.values())

    # Incoming.

    def handle_rtp(self, data: bytes, now_s: float) -> list[Forwarded]:
        """Take a decrypted packet; every packet to send. Raises RemoteProtocolError."""
        return spelled_out(self.route_rtp(data, now_s))

    def route_rtp(self, data: bytes, now_s: float) -> list[Outgoing]:
        """Take a decrypted packet; what to send to whom. Raises RemoteProtocolError."""
        header = RtpHeader.parse(data)
        values = header.extensions(data)
        header.note_elements(values, *self.element_ids)
        return self.route(header, data, values, now_s)

    def route(
        self, header: RtpHeader, data: bytes, values: Mapping[int, bytes], now_s: float
    ) -> list[Outgoing]:
        """The same for a packet whose header has been read, ``element_ids`` noted.

        ``header`` may be changed and is not kept.
        """
        traffic = self.traffic
        traffic.packets_in += 1
        traffic.octets_in += len(data)
        if header.cc >= 0:
            self._feedback_recorder.record(header.cc, header.ssrc, now_s)
        track = self._up_by_ssrc.get(header.ssrc)
        if track is None:
            track = self._learn(header, values)
            if track is None:
                self.unrouted_packets += 1
                return []
        if self._first_packet_s is None:
            self._first_packet_s = self._next_remb_s = now_s
        return track.receive(header, data, values, now_s)

    def _learn(self, header: RtpHeader, values: Mapping[int, bytes]) -> UpTrack | None:
        mid = _text(values, self._mid_id)
        track = self._up_by_mid.get(mid) if mid is not None else self._guess(header)
        if track is None:
            return None
        rid, repaired = _text(values, self._rid_id), _text(values, self._repaired_id)
        if not track.learn(header.ssrc, header.payload_type, rid, repaired):
            return None
        self._up_by_ssrc[header.ssrc] = track
        if header.ssrc in self._early_reports:
            track.handle_sender_report(*self._early_reports.pop(header.ssrc))
        return track

    def _guess(self, header: RtpHeader) -> UpTrack | None:
        """The track that listed the SSRC, else the only one with that payload type."""
        for track in self._up_by_mid.values():
            if track.knows(header.ssrc):
                return track
        fitting = [track for track in self.up_tracks if track.accepts(header.payload_type)]
        return fitting[0] if len(fitting) == 1 else None

    def handle_rtcp(self, data: bytes, now_s: float) -> list[bytes]:
        """Take a decrypted compound; retransmissions to send to this peer as RTP.

        Raises RemoteProtocolError if it is malformed; nothing of it has then been applied.
        """
        resent: list[bytes] = []
        for packet in parse(data):
            match packet:
                case SenderReport() | ReceiverReport():
                    self._handle_report(packet, now_s)
                case Nack():
                    self.traffic.nacked_in += len(packet.seqs)
                    down = self._down_by_ssrc.get(packet.media_ssrc)
                    room = MAX_RESENT_PER_PACKET - len(resent)
                    if down is not None:
                        resent += self._repaired(down, packet.seqs[:room], now_s)
                case PictureLossIndication():
                    self._handle_keyframe_requests([packet.media_ssrc])
                case FullIntraRequest():
                    self._handle_keyframe_requests(ssrc for ssrc, _ in packet.requests)
                case ReceiverEstimatedMaximumBitrate():
                    self.estimated_bps = packet.bitrate_bps
                case TransportFeedback():
                    self._handle_transport_feedback(packet, now_s)
                case _:
                    pass
        self.traffic.resent += len(resent)
        return resent

    def _handle_transport_feedback(self, packet: TransportFeedback, now_s: float) -> None:
        if self.sent_history is None:
            return
        arrivals = parse_feedback(packet.body)
        sent = self.sent_history(arrivals.base_seq, len(arrivals.ticks))
        fates = [
            (one[0], one[1], None if tick is None else tick * TICK_S)
            for one, tick in zip(sent, arrivals.ticks, strict=True)
            if one is not None
        ]
        if fates:
            self.downlink.handle_feedback(fates, now_s)

    def _repaired(self, down: DownTrack, seqs: tuple[int, ...], now_s: float) -> list[bytes]:
        if not down.is_video:
            if self.downlink.estimate.queue_s > LATEST_SOUND_S:
                return []  # it would come too late, and make what follows late too
            return down.handle_nack(seqs, now_s, self.downlink.repair_wait_s)
        room = self.downlink.repair_room(now_s)
        if room <= 0:
            return []
        resent = down.handle_nack(seqs[:room], now_s, self.downlink.repair_wait_s)
        self.downlink.note_repairs(sum(map(len, resent)))
        return resent

    def _handle_report(self, report: SenderReport | ReceiverReport, now_s: float) -> None:
        if isinstance(report, SenderReport):
            track = self._up_by_ssrc.get(report.ssrc)
            if track is not None:
                track.handle_sender_report(report, now_s)
            elif len(self._early_reports) < MAX_EARLY_REPORTS:
                self._early_reports[report.ssrc] = (report, now_s)
        for block in report.blocks:
            down = self._down_by_ssrc.get(block.ssrc)
            if down is not None:
                down.handle_report(block, now_s)
                self.downlink.note(down, block)

    def _handle_keyframe_requests(self, ssrcs: Iterable[int]) -> None:
        for ssrc in ssrcs:
            self.traffic.keyframes_asked_in += 1
            down = self._down_by_ssrc.get(ssrc)
            if down is not None:
                down.request_keyframe()

    # Outgoing.

    @property
    def next_poll_s(self) -> float:
        """When ``poll`` has something to say; may be early, never late."""
        if not self._up_by_mid and not self._down_by_ssrc:
            return float("inf")
        due_s = min(self._next_report_s, self._feedback_recorder.due_s, self.downlink.due_s)
        if self._first_packet_s is not None and not self._transport_cc_id:
            due_s = min(due_s, self._next_remb_s)
        for track in self._up_by_mid.values():
            due_s = min(due_s, track.feedback_due_s)
        return due_s

    def is_pressing(self, now_s: float) -> bool:
        """Whether something cannot wait for the next round of reports.

        That is loss, a keyframe somebody needs, arrival times, or a line being measured.
        """
        downlink = self.downlink
        if self._down_by_ssrc and (now_s >= downlink.due_s or downlink.is_probing(now_s)):
            return True
        if now_s >= self._feedback_recorder.due_s:
            return True
        return any(now_s >= track.feedback_due_s for track in self._up_by_mid.values())

    def poll(self, now_s: float) -> list[bytes]:
        """RTCP compound packets to send to this peer now."""
        packets: list[RtcpPacket] = []
        blocks: list[ReportBlock] = []
        if now_s >= self._next_report_s:
            self._next_report_s = now_s + REPORT_INTERVAL_S
            for track in self._up_by_mid.values():
                blocks += track.report_blocks(now_s)
            packets += self._sender_reports(now_s)
        if now_s >= self.downlink.due_s:
            self.downlink.update(self._down_by_ssrc.values(), now_s)
        for track in self._up_by_mid.values():
            packets += track.feedback(self.local_ssrc, now_s)
        packets += self._bandwidth_feedback(now_s)
        return self._compounds(blocks, packets)

    def probes(self, now_s: float) -> list[bytes]:
        """RTP padding to send to this peer now, to learn what its line carries."""
        return self.downlink.probes(self._down_by_ssrc.values(), now_s)

    def _sender_reports(self, now_s: float) -> list[RtcpPacket]:
        reports: list[RtcpPacket] = []
        for down in self._down_by_ssrc.values():
            if now_s - down.last_report_s >= SENDER_REPORT_INTERVAL_S - REPORT_INTERVAL_S / 2:
                report = down.sender_report(now_s)
                if report is not None:
                    reports += [report, SourceDescription(((down.ssrc, down.cname),))]
        return reports

    def _bandwidth_feedback(self, now_s: float) -> list[RtcpPacket]:
        if self._transport_cc_id:
            return list(self._feedback_recorder.take(self.local_ssrc, now_s))
        if self._first_packet_s is None or now_s < self._next_remb_s:
            return []
        is_starting = now_s - self._first_packet_s < FAST_REMB_PERIOD_S
        self._next_remb_s = now_s + (FAST_REMB_INTERVAL_S if is_starting else REPORT_INTERVAL_S)
        ssrcs = tuple(ssrc for track in self._up_by_mid.values() for ssrc in track.ssrcs())
        return [ReceiverEstimatedMaximumBitrate(self.local_ssrc, UPLINK_LIMIT_BPS, ssrcs[:255])]

    def _compounds(self, blocks: list[ReportBlock], packets: list[RtcpPacket]) -> list[bytes]:
        """Datagrams that each start with a report, as RFC 3550 §6.1 wants it."""
        empty_report = write([ReceiverReport(self.local_ssrc)])
        compounds: list[bytes] = []
        current = b""
        for start in range(0, len(blocks), MAX_REPORT_BLOCKS):
            report = ReceiverReport(
                self.local_ssrc, tuple(blocks[start : start + MAX_REPORT_BLOCKS])
            )
            if current:
                compounds.append(current)
            current = write([report])
        for packet in packets:
            piece = write([packet])
            if current and len(current) + len(piece) > MAX_COMPOUND_BYTES:
                compounds.append(current)
                current = b""
            if not current and not isinstance(packet, SenderReport):
                current = empty_report
            current += piece
        return [*compounds, current] if current else compounds


def _text(values: Mapping[int, bytes], identifier: int) -> str | None:
    value = values.get(identifier) if identifier else None
    return value.decode("ascii", "replace") if value else None
