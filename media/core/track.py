"""A published track: learn its streams, repair them, hand packets to its subscriptions.

Streams are either listed in the publisher's description (``add_ssrc``) or learned from the first
packets, whose header extensions name the stream (RFC 8852); those extensions stop once the
publisher knows that it has been understood, so what was learned is kept. Retransmissions are
unwrapped and take the place of the packet that was lost.

A microphone that is not among the loudest few is withheld from those who listen; for those who
must have everything, as a recording must, the same stream is numbered a second time, whole.

Pure; driven by ``peer.MediaPeer``.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from media.core import red, rtx
from media.core.codecs import Codec
from media.core.extensions import AUDIO_LEVEL, ExtensionMap
from media.core.forward import DownTrack
from media.core.legs import Forwarded, Outgoing, spelled_out
from media.core.packet import MediaPacket
from media.core.rtcp import (
    Nack,
    PictureLossIndication,
    ReportBlock,
    RtcpPacket,
    SenderReport,
)
from media.core.rtp import RtpHeader
from media.core.sequence import unwrap
from media.core.simulcast import Layer, Layers, Quality, quality_of_rid
from media.core.speakers import AudioLevel
from media.core.temporal import Followed
from media.core.traffic import Traffic
from media.core.whole_sound import WholeSound

LIVENESS_INTERVAL_S: Final = 0.25
MAX_STREAMS: Final = 8
"""SSRCs learned for one track, replaced ones included, before further ones are refused."""
MAX_AUDIO_PACKET_MS: Final = 120.0
_DEFAULT_AUDIO_PACKET_MS: Final = 20.0


class UpTrack:
    """One track that a participant publishes.

    ``extension_ids`` are the ids negotiated with the publisher, by URI. ``audio_level`` is told
    the level of each audio packet. ``wants_nack`` is whether lost packets are asked for; by
    default those of video are.
    """

    def __init__(
        self,
        *,
        codec: Codec,
        extension_ids: Mapping[str, int],
        audio_level: AudioLevel | None = None,
        wants_nack: bool | None = None,
    ) -> None:
        self.codec = codec
        self.extension_ids = extension_ids
        self.layers = Layers(are_video=codec.is_video)
        self.down_tracks: list[DownTrack] = []
        self.ignored_packets = 0
        """Packets of payload types or streams that were not negotiated."""
        self.traffic = Traffic()
        """What is counted of it; a peer gives its own."""
        self._wants_nack = codec.is_video if wants_nack is None else wants_nack
        self._uses_rids = False
        self._is_withheld = False
        self._whole: WholeSound | None = None
        self._audio_level = audio_level
        self._audio_level_id = extension_ids.get(AUDIO_LEVEL, 0)
        self._last_audio: tuple[int, int] | None = None  # ext_seq-like number, timestamp
        self._by_ssrc: dict[int, Layer] = {}
        self._by_rtx_ssrc: dict[int, Layer] = {}
        self._learned = 0
        self._live: list[Layer] = []
        self._next_liveness_s = float("-inf")
        self._maps: dict[tuple[object, ...], ExtensionMap] = {}

    # Streams.

    def add_ssrc(
        self, ssrc: int, quality: Quality = Quality.HIGH, rtx_ssrc: int | None = None
    ) -> None:
        """A stream that the publisher's description lists."""
        layer = Layer(quality, ssrc, self.codec, wants_nack=self._wants_nack)
        replaced = self.layers.put(layer)
        if replaced is not None:
            self._by_ssrc.pop(replaced.stream.ssrc, None)
        self._by_ssrc[ssrc] = layer
        if rtx_ssrc is not None:
            self._by_rtx_ssrc[rtx_ssrc] = layer

    def accepts(self, payload_type: int) -> bool:
        """Whether packets of that payload type belong to this track."""
        codec = self.codec
        return payload_type in {
            codec.payload_type,
            codec.rtx_payload_type,
            codec.red_payload_type,
        } - {None}

    def learn(self, ssrc: int, payload_type: int, rid: str | None, repaired: str | None) -> bool:
        """Bind an unknown SSRC of this track. False if the packet does not tell enough."""
        if self.knows(ssrc):
            return True
        if self._learned >= MAX_STREAMS or not self.accepts(payload_type):
            return False
        if payload_type == self.codec.rtx_payload_type:
            return self._learn_rtx(ssrc, repaired or rid)
        if rid is None and self._uses_rids:
            return False  # simulcast: this packet does not say which layer
        quality = Quality.HIGH if rid is None else quality_of_rid(rid)
        if quality is None:
            return False
        self._learned += 1
        self._uses_rids = rid is not None
        self.add_ssrc(ssrc, quality)
        return True

    def _learn_rtx(self, ssrc: int, repaired: str | None) -> bool:
        layer = None
        if repaired is not None:
            quality = quality_of_rid(repaired)
            layer = self.layers.get(quality) if quality is not None else None
        elif len(self.layers) == 1 and not self._uses_rids:
            layer = next(iter(self.layers))
        if layer is None:
            return False
        self._learned += 1
        self._by_rtx_ssrc[ssrc] = layer
        return True

    def knows(self, ssrc: int) -> bool:
        """Whether the SSRC is one of this track's streams or their retransmissions."""
        return ssrc in self._by_ssrc or ssrc in self._by_rtx_ssrc

    # Subscriptions.

    def attach(self, down: DownTrack, *, is_whole: bool = False) -> None:
        """Let a subscription follow this track; a whole one of sound even while it is withheld."""
        extension_map = ExtensionMap(self.extension_ids, down.extension_ids)
        extension_map = self._maps.setdefault(extension_map.key, extension_map)
        self.down_tracks.append(down)
        layers = self.layers
        if is_whole and not self.codec.is_video:
            self._whole = self._whole or WholeSound(self.codec)
            self._whole.listeners[down] = None
            layers = self._whole.layers
        down.join(layers, self.codec.clock_rate, extension_map)

    def detach(self, down: DownTrack) -> None:
        """End a subscription; unknown ones are ignored."""
        if down in self.down_tracks:
            self.down_tracks.remove(down)
            down.leave()
            if self._whole is not None and not self._whole.left(down):
                self._whole = None

    @property
    def is_withheld(self) -> bool:
        """Whether nothing is handed on at the moment."""
        return self._is_withheld

    def set_withheld(self, is_withheld: bool) -> None:
        """Hand nothing on but to whole subscriptions, or go on; its level is still measured."""
        if is_withheld != self._is_withheld:
            self._is_withheld = is_withheld
            for layer in self.layers:
                layer.is_withheld = is_withheld

    def max_wanted(self) -> Quality | None:
        """Highest quality any subscriber wants; None if all have paused or there is none."""
        return max(
            (down.wanted for down in self.down_tracks if down.wanted is not None), default=None
        )

    # Packets.

    def handle_rtp(self, data: bytes, now_s: float) -> list[Forwarded]:
        """Take one decrypted packet of a known stream; every packet to send, spelled out.

        Raises RemoteProtocolError if it is malformed.
        """
        header = RtpHeader.parse(data)
        values = header.extensions(data)
        header.note_elements(values, self._audio_level_id, 0)
        return spelled_out(self.receive(header, data, values, now_s))

    def receive(
        self, header: RtpHeader, data: bytes, values: Mapping[int, bytes], now_s: float
    ) -> list[Outgoing]:
        """Take one parsed packet; what to send to whom."""
        layer = self._by_ssrc.get(header.ssrc)
        recovered = False
        if layer is None:
            layer = self._unwrap(header, data)
            recovered = True
        elif header.payload_type == self.codec.red_payload_type:
            return self._receive_redundant(layer, header, data, values, now_s)
        elif header.payload_type != self.codec.payload_type:
            layer = None
        if layer is None:
            self.ignored_packets += 1
            return []
        return self._accept(layer, header, data, values, now_s, recovered=recovered)

    def _receive_redundant(
        self,
        layer: Layer,
        header: RtpHeader,
        data: bytes,
        values: Mapping[int, bytes],
        now_s: float,
    ) -> list[Outgoing]:
        """Take the frames of a redundant packet that are still missing, then its own."""
        blocks = red.blocks_of(data[header.payload_start : header.payload_end])
        start, number, stamp = header.payload_start, header.seq, header.timestamp
        level = header.level
        out: list[Outgoing] = []
        for back, block in zip(range(len(blocks) - 1, -1, -1), blocks, strict=True):
            if block.payload_type != self.codec.payload_type:
                continue
            seq = number - back & 0xFFFF
            if back and (block.start == block.end or not layer.stream.lacks(seq)):
                continue
            header.seq = seq
            header.timestamp = stamp - block.age_rtp & 0xFFFFFFFF
            header.payload_start, header.payload_end = start + block.start, start + block.end
            header.level = -1 if back else level
            out += self._accept(
                layer, header, data, values if not back else {}, now_s, recovered=bool(back)
            )
        return out

    def _accept(
        self,
        layer: Layer,
        header: RtpHeader,
        data: bytes,
        values: Mapping[int, bytes],
        now_s: float,
        *,
        recovered: bool,
    ) -> list[Outgoing]:
        is_new = layer.stream.highest < 0
        packet = layer.accept(header, data, values, now_s, recovered=recovered)
        if is_new:
            layer.is_withheld = self._is_withheld
            self._reselect()
        if header.level >= 0 and (packet is not None or layer.is_withheld):
            self._note_audio_level(header, now_s)
        out = [] if packet is None else self._fan_out(layer, packet)
        if self._whole is not None:
            same, packet = self._whole.accept(layer, header, data, values, now_s)
            out += [] if packet is None else self._fan_out(same, packet)
        return out

    def _unwrap(self, header: RtpHeader, data: bytes) -> Layer | None:
        layer = self._by_rtx_ssrc.get(header.ssrc)
        if layer is None or header.payload_type != self.codec.rtx_payload_type:
            return None
        original = rtx.unwrap(data[header.payload_start : header.payload_end])
        if original is None or layer.stream.highest < 0:
            return None
        rtx.restore(
            header, original[0], ssrc=layer.stream.ssrc, payload_type=self.codec.payload_type
        )
        return layer

    def _fan_out(self, layer: Layer, packet: MediaPacket) -> list[Outgoing]:
        if not layer.thinned:
            return self._hand_on(layer, packet)
        if packet.starts_keyframe:
            for down in self.down_tracks:
                down.aim_at_once()
        packets = layer.thin(packet)
        crossing = self._depart(layer, packet) if packet.number == layer.newest else {}
        out: list[Outgoing] = []
        for source, moved in packets:
            out += self._hand_on(source, moved, crossing)
        return out

    def _hand_on(
        self, source: Followed, packet: MediaPacket, crossing: Collection[DownTrack] = ()
    ) -> list[Outgoing]:
        if packet.number < source.newest:
            return self._hand_on_late(source, packet)
        out: list[Outgoing] = []
        for group in source.groups.values():
            out += group.send(packet)
        if source.waiting and (packet.starts_keyframe or crossing):
            for down in list(source.waiting):
                if down in crossing or (packet.starts_keyframe and not down.is_crossing):
                    self.traffic.layer_switches += down.layer is not None
                    out += [(down, sent) for sent in down.switch(packet)]
        return out

    def _depart(self, layer: Layer, packet: MediaPacket) -> dict[DownTrack, None]:
        """End the runs of those that get another frame rate of this layer from the packet on."""
        place = layer.place(packet)
        if not (place.starts_picture or packet.starts_keyframe):
            return {}
        sources: list[Followed] = [layer, *layer.thinned.values()]
        waiting = [down for source in sources for down in source.waiting]
        leaving = [down for down in waiting if down.may_cross(packet, place)]
        for down in leaving:
            down.depart(packet)
        return dict.fromkeys(leaving)

    def _hand_on_late(self, source: Followed, packet: MediaPacket) -> list[Outgoing]:
        """A packet that was overtaken: who has which place for it differs."""
        out: list[Outgoing] = []
        for down in self.down_tracks:
            if down.layer is source:
                sent = down.forward(packet)
                out += [(down, sent)] if sent is not None else []
            elif packet.starts_keyframe and down.target is source and not down.is_crossing:
                self.traffic.layer_switches += down.layer is not None
                out += [(down, one) for one in down.switch(packet)]
            else:
                sent = down.forward_late(packet, source)
                out += [(down, sent)] if sent is not None else []
        return out

    def _note_audio_level(self, header: RtpHeader, now_s: float) -> None:
        if self._audio_level is None:
            return
        duration_ms = _DEFAULT_AUDIO_PACKET_MS
        if self._last_audio is not None and header.seq == self._last_audio[0] + 1 & 0xFFFF:
            elapsed_rtp = unwrap(header.timestamp - self._last_audio[1], 0, 32)
            elapsed_ms = elapsed_rtp * 1000 / self.codec.clock_rate
            if 0 < elapsed_ms <= MAX_AUDIO_PACKET_MS:
                duration_ms = elapsed_ms
        self._last_audio = (header.seq, header.timestamp)
        self._audio_level.observe(header.level & 0x7F, duration_ms, now_s)

    # Feedback.

    def handle_sender_report(self, report: SenderReport, now_s: float) -> None:
        """Learn a stream's clock; reports about unknown streams are ignored."""
        layer = self._by_ssrc.get(report.ssrc)
        if layer is not None:
            layer.stream.handle_sender_report(report, now_s)
            if self._whole is not None:
                self._whole.handle_sender_report(report, now_s)

    @property
    def feedback_due_s(self) -> float:
        """When ``feedback`` has something to say; may be early."""
        due_s = float("inf")
        for layer in self.layers:
            nacks = layer.stream.nacks
            if nacks is not None and nacks.next_due_s < due_s:
                due_s = nacks.next_due_s
            due_s = min(due_s, layer.keyframe_due_s)
        return due_s

    def feedback(self, local_ssrc: int, now_s: float) -> list[RtcpPacket]:
        """NACKs and keyframe requests due now."""
        self._check_liveness(now_s)
        packets: list[RtcpPacket] = []
        for layer in self.layers:
            ssrc = layer.stream.ssrc
            missing = layer.stream.nacks.due(now_s) if layer.stream.nacks is not None else []
            if missing:
                seqs = tuple(ext_seq & 0xFFFF for ext_seq in missing)
                packets.append(Nack(local_ssrc, ssrc, seqs))
                self.traffic.nacked_out += len(seqs)
            if layer.take_keyframe_request(now_s):
                packets.append(PictureLossIndication(local_ssrc, ssrc))
                self.traffic.keyframes_asked_out += 1
        return packets

    def report_blocks(self, now_s: float) -> list[ReportBlock]:
        """One block per stream that has sent something, since the previous call."""
        self._check_liveness(now_s)
        blocks = []
        for layer in self.layers:
            layer.stream.measure_bitrate(now_s)
            layer.rates.measure(now_s)
            block = layer.stream.report(now_s)
            if block is not None:
                blocks.append(block)
        for down in self.down_tracks:
            down.review(now_s)
        return blocks

    def ssrcs(self) -> Sequence[int]:
        """Media SSRCs of all layers."""
        return [layer.stream.ssrc for layer in self.layers]

    def _check_liveness(self, now_s: float) -> None:
        if now_s >= self._next_liveness_s:
            self._next_liveness_s = now_s + LIVENESS_INTERVAL_S
            if self.layers.live() != self._live:
                self._reselect()

    def _reselect(self) -> None:
        self._live = self.layers.live()
        for down in self.down_tracks:
            down.reselect()
