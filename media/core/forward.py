"""One subscription: turn a publisher's packets into one gapless stream for one subscriber.

The subscriber sees a single SSRC whose sequence numbers never skip, whatever is withheld: layers
not chosen, pauses, padding. It is built of *runs* (module ``run``). A new one begins at a keyframe
when the layer changes or a pause ends; until that keyframe comes the old run goes on, so a picture
never freezes for a switch. Closed runs are remembered for packets that arrive late and for
retransmissions, which are made again from the layer's cache and sent on an SSRC of their own
(RFC 4588).

Which layer it follows is decided by ``selection``; those that follow the same are gathered in a
group (``legs``).

Pure; driven by ``track.UpTrack`` and ``peer.MediaPeer``.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from struct import Struct
from typing import Any, Final

from media.core.downstats import DownStats, Resends, SentReports
from media.core.extensions import ExtensionMap, OwnExtensions
from media.core.legs import LegGroup
from media.core.packet import MediaPacket
from media.core.rtcp import ReportBlock, SenderReport
from media.core.rtx import OSN_BYTES
from media.core.run import Run
from media.core.selection import Selection, may_cross
from media.core.sequence import unwrap
from media.core.simulcast import Layer, Layers, Quality
from media.core.temporal import Followed, Place, Standing
from media.core.vp8 import PictureNumbers

REMEMBERED_RUNS: Final = 8
CROSSING_PATIENCE_S: Final = 2.0
"""How long a change of frame rate waits for a picture that allows it."""
RESEND_INTERVAL_S: Final = 0.020
"""Two requests for one packet within this time are one request."""

_PADDING: Final = bytes(254) + b"\xff"
_HEADER: Final = Struct("!BBHII")
_FIRST_CYCLE: Final = 1 << 16


class DownTrack:
    """One track on its way to one subscriber.

    ``ssrc`` and ``rtx_ssrc`` must be new for every subscription: reusing one under the same SRTP
    key would reuse nonces (RFC 7714 §8.1). For the same reason a packet that is sent again under
    the media SSRC, as audio without ``rtx_ssrc`` is, has the very bytes of the first time; the
    SRTP session must allow that repetition. ``sink`` and ``handle`` belong to the caller and are
    never touched here.
    """

    __slots__ = (
        "_clock_rate",
        "_crossed",
        "_first",
        "_group",
        "_group_octets",
        "_group_packets",
        "_highest_out",
        "_layers",
        "_map",
        "_newest",
        "_next_rtx_seq",
        "_payload_types",
        "_picture_shift",
        "_reports",
        "_resent",
        "_run",
        "_runs",
        "_selection",
        "_seq_shift",
        "_stats",
        "_timestamp_shift",
        "_waiting_since_s",
        "cname",
        "extension_ids",
        "handle",
        "last_report_s",
        "layer",
        "mid",
        "own_extensions",
        "payload_type",
        "rank",
        "rtx_payload_type",
        "rtx_ssrc",
        "sink",
        "ssrc",
        "target",
    )

    def __init__(
        self,
        *,
        ssrc: int,
        payload_type: int,
        rtx_ssrc: int | None = None,
        rtx_payload_type: int | None = None,
        extension_ids: Mapping[str, int],
        mid: str | None = None,
        cname: str,
        first_seq: int = 0,
        sink: Any = None,
    ) -> None:
        self.ssrc = ssrc
        self.payload_type = payload_type
        self.rtx_ssrc = rtx_ssrc
        self.rtx_payload_type = rtx_payload_type
        self.extension_ids = extension_ids
        self.mid = mid
        self.cname = cname
        self.sink = sink
        self.handle: Any = None
        self.own_extensions = OwnExtensions(extension_ids, mid)
        self._stats = DownStats()
        self.layer: Followed | None = None
        """The layer being forwarded; None while paused or before the first keyframe."""
        self.target: Followed | None = None
        """The layer to change to at its next keyframe, or as soon as its pictures allow."""
        self.last_report_s = float("-inf")
        self._selection = Selection()
        self._waiting_since_s: float | None = None
        self._crossed: Standing | None = None  # between ``depart`` and ``switch``
        self.rank: tuple[int, int, int] = (1, 0, 0)
        """How soon it is served on a narrow line, see ``allocation.Rank``."""
        self._layers: Layers | None = None
        self._clock_rate = 90000
        self._map = ExtensionMap({}, {})
        self._payload_types = (payload_type, payload_type | 0x80)
        self._highest_out = _FIRST_CYCLE + first_seq - 1
        self._newest: MediaPacket | None = None
        self._run: Run | None = None
        self._runs: deque[Run] = deque(maxlen=REMEMBERED_RUNS)
        self._group: LegGroup | None = None
        self._group_packets = self._group_octets = 0  # of the group, as far as accounted for
        # Fields of the run in progress, here for the steady path.
        self._first = 0
        self._seq_shift = 0
        self._timestamp_shift = 0
        self._picture_shift: PictureNumbers | None = None  # None: descriptors pass untouched
        self._next_rtx_seq = first_seq
        self._resent = Resends()
        self._reports = SentReports()

    # What the subscriber wants.

    @property
    def wanted(self) -> Quality | None:
        """Wanted quality; None while paused."""
        return self._selection.wanted

    @property
    def limit(self) -> Quality | None:
        """What the subscriber's line allows at most; None while it allows what is wanted."""
        return self._selection.limit

    @property
    def is_withheld(self) -> bool:
        """Whether the subscriber's line does not even carry the smallest layer."""
        return self._selection.is_withheld

    @property
    def is_video(self) -> bool:
        """Whether the track has pictures, whose layers can be chosen."""
        return self._layers is not None and self._layers.are_video

    def live_layers(self) -> list[Layer]:
        """Layers of the track whose packets come at present, ascending by quality."""
        return self._layers.live() if self._layers is not None else []

    @property
    def is_attached(self) -> bool:
        """Whether it belongs to a published track."""
        return self._layers is not None

    def join(self, layers: Layers, clock_rate: int, extension_map: ExtensionMap) -> None:
        """Begin to follow a published track; called by ``UpTrack.attach``."""
        self._layers = layers
        self._clock_rate = clock_rate
        self._map = extension_map
        self.reselect()

    def leave(self) -> None:
        """Stop following; called by ``UpTrack.detach``."""
        self._close_run()
        self._aim(None)
        self._layers = None

    def set_wanted(self, quality: Quality | None) -> None:
        """Choose the quality to receive, or None to pause. Takes effect at the next keyframe."""
        self._selection.wanted = quality
        self.reselect()

    def set_limit(self, quality: Quality | None) -> None:
        """Give no more than ``quality`` whatever is wanted; None lifts the limit."""
        if quality is not self._selection.limit:
            self._selection.limit = quality
            self.reselect()

    def set_frame_rate(self, fps: float) -> None:
        """Give no more pictures a second than that takes; 0: as many as there are."""
        if fps != self._selection.fps:
            self._selection.fps = fps
            self.reselect()

    @property
    def frame_rate(self) -> float:
        """Pictures a second wanted at most; 0: as many as there are."""
        return self._selection.fps

    @property
    def temporal_limit(self) -> int | None:
        """What the subscriber's line allows at most; None while it allows all."""
        return self._selection.temporal_limit

    def set_temporal_limit(self, temporal_id: int | None) -> None:
        """Give no temporal layer above that one, whatever is wanted; None lifts the limit."""
        if temporal_id != self._selection.temporal_limit:
            self._selection.temporal_limit = temporal_id
            self.reselect()

    def set_withheld(self, is_withheld: bool) -> None:
        """Send nothing for want of bandwidth, or go on with a keyframe."""
        if is_withheld != self._selection.is_withheld:
            self._selection.is_withheld = is_withheld
            self.reselect()

    def reselect(self) -> None:
        """Compare the wish with the layers that are live now."""
        selection = self._selection
        if self._layers is None or selection.wanted is None or selection.is_withheld:
            self._close_run()
            self._aim(None)
            return
        best = selection.best(self._layers)
        aim = selection.next_step(best, self.layer) if best is not None else None
        if aim is self.layer:
            self._aim(None)
        elif aim is not self.target and aim is not None:
            self._aim(aim)
            if not self.is_crossing:
                aim.request_keyframe()

    def aim_at_once(self) -> None:
        """A keyframe has come: everything wanted can be had from it on."""
        best = self._selection.best(self._layers) if self._layers and self.is_crossing else None
        if best is not None and self.layer is not None and best.stream is self.layer.stream:
            self._aim(self._selection.final(best))

    @property
    def is_crossing(self) -> bool:
        """Whether what it waits for are the same pictures at another rate."""
        here, target = self.layer, self.target
        return here is not None and target is not None and here.stream is target.stream

    def may_cross(self, packet: MediaPacket, place: Place) -> bool:
        """Whether the rate can change with this packet of the publisher's, the next in order."""
        here, target = self.layer, self.target
        if here is None or target is None or here.stream is not target.stream:
            return False
        return may_cross(here, target, packet, place)

    def review(self, now_s: float) -> None:
        """About every second: follow a publisher that changes its frame rate.

        One that never says where more pictures can be had is asked for a keyframe.
        """
        if self._selection.is_rate_limited or self.is_crossing:
            self.reselect()
        if not self.is_crossing:
            self._waiting_since_s = None
        elif self._waiting_since_s is None:
            self._waiting_since_s = now_s
        elif now_s - self._waiting_since_s >= CROSSING_PATIENCE_S:
            self._waiting_since_s = None
            self.request_keyframe()

    def _aim(self, target: Followed | None) -> None:
        """Change to that layer at its next keyframe, or stay."""
        if self.target is not None:
            self.target.waiting.pop(self, None)
        self.target = target
        if target is not None:
            target.waiting[self] = None

    def request_keyframe(self) -> None:
        """The subscriber lost the picture: ask for a keyframe of what it sees or waits for."""
        self._stats.keyframe_requests += 1
        layer = self.target or self.layer
        if layer is not None:
            layer.request_keyframe()

    # Packets.

    @property
    def stats(self) -> DownStats:
        """What was sent and reported so far."""
        self._settle()
        return self._stats

    @property
    def shifts(self) -> tuple[int, int, PictureNumbers | None]:
        """What to add to the layer's numbers, to its timestamps, and to VP8 picture numbers.

        None: payload descriptors pass untouched. Valid while it is in a group.
        """
        return self._seq_shift, self._timestamp_shift, self._picture_shift

    @property
    def group(self) -> LegGroup | None:
        """The group it is part of; None while nothing is forwarded."""
        return self._group

    def _settle(self) -> None:
        """Account for what the group as a whole was sent."""
        group = self._group
        if group is None or group.packets == self._group_packets or group.newest is None:
            return
        self._stats.packets_sent += group.packets - self._group_packets
        self._stats.octets_sent += group.octets - self._group_octets
        self._group_packets, self._group_octets = group.packets, group.octets
        out = group.newest.number + self._seq_shift
        if out > self._highest_out:
            self._highest_out, self._newest = out, group.newest

    def wire(self, packet: MediaPacket) -> bytes:
        """A packet of the present run as the subscriber gets it."""
        assert self._run is not None, "only subscriptions that follow a layer send"
        return self._assembled(packet, self._run, packet.number + self._seq_shift)

    def forward(self, packet: MediaPacket) -> bytes | None:
        """The packet of the current layer as the subscriber gets it; None if it must not."""
        number = packet.number
        if number < self._first:
            return self.forward_late(packet, self.layer)
        self._settle()
        out = number + self._seq_shift
        if out > self._highest_out:
            self._highest_out = out
            self._newest = packet
        self._stats.packets_sent += 1
        self._stats.octets_sent += len(packet.payload)
        return self.wire(packet)

    def forward_late(self, packet: MediaPacket, layer: Followed | None) -> bytes | None:
        """A packet of a run that is over, if it belongs to one."""
        for run in reversed(self._runs):
            if run.layer is layer and run is not self._run and run.holds(packet.number):
                self._stats.packets_sent += 1
                self._stats.octets_sent += len(packet.payload)
                return self._assembled(packet, run, packet.number + run.seq_shift)
        return None

    def depart(self, packet: MediaPacket) -> None:
        """End the run before this packet of the publisher's; ``switch`` goes on with the target.

        What was lost before it keeps its places in the run that ends, and is late from now on.
        """
        assert self.layer is not None, "only who follows can depart"
        assert self._run is not None, "who follows has a run"
        self._settle()
        self._crossed = self.layer.standing(packet)
        self.layer.newest = max(self.layer.newest, self._crossed.number)
        self._highest_out = self._crossed.number - 1 + self._seq_shift
        self._close_run()

    def switch(self, packet: MediaPacket) -> Iterator[bytes]:
        """Begin a run of the target layer at ``packet``; it and those already here behind it."""
        layer = self.target
        assert layer is not None, "a switch needs a target"
        self._settle()
        run = Run.starting(layer, packet, self._highest_out + 1)
        crossed, self._crossed = self._crossed, None
        if crossed is not None:
            run.cross(self._runs[-1], crossed, packet)
        elif self._runs and self._newest is not None:
            run.follow(self._runs[-1], self._newest, packet, self._clock_rate)
        self._close_run()
        self._run = run
        self._runs.append(run)
        self.layer = layer
        self._aim(None)
        self._first = packet.number
        self._seq_shift = run.seq_shift
        self._timestamp_shift = run.timestamp_shift
        self._picture_shift = run.picture_shift if run.rewrites else None
        for number in range(packet.number, layer.newest + 1):
            waiting = layer.cache.get(number)
            if waiting is not None:
                sent = self.forward(waiting)
                assert sent is not None, "numbers from the start of a run belong to it"
                yield sent
        self._enter_group(layer)
        if crossed is not None:
            self.reselect()

    def _enter_group(self, layer: Followed) -> None:
        """Follow the layer together with others from now on."""
        group = layer.groups.get(self._map)
        if group is None:
            group = LegGroup(self._map, is_urgent=not layer.needs_keyframe)
            layer.groups[self._map] = group
        self._group = group
        self._group_packets, self._group_octets = group.packets, group.octets
        group.add(self)

    def _leave_group(self) -> None:
        if self._group is not None:
            self._settle()
            self._group.remove(self)
            self._group = None

    def _close_run(self) -> None:
        self._leave_group()
        if self._run is not None:
            self._run.last = self._highest_out - self._run.seq_shift
            self._run = None
        self.layer = None

    def _assembled(self, packet: MediaPacket, run: Run, out: int) -> bytes:
        """A packet of a run under the media SSRC: the same bytes each time."""
        block = self._block_of(packet, packet.arrival_s)
        header = _HEADER.pack(
            0x90 if block else 0x80,
            self._payload_types[packet.marker],
            out & 0xFFFF,
            packet.timestamp + run.timestamp_shift & 0xFFFFFFFF,
            self.ssrc,
        )
        return b"".join((header, block, run.payload(packet)))

    def _block_of(self, packet: MediaPacket, now_s: float) -> bytes:
        if self._map.has_long(packet.values):
            return self.own_extensions.long_block(self._map.long_elements(packet.values, now_s))
        shared = (
            packet.elements(self._map)
            if now_s == packet.arrival_s
            else self._map.elements(packet.values, now_s)
        )
        return self.own_extensions.block(shared)

    # Retransmission.

    def handle_nack(
        self, seqs: Iterable[int], now_s: float, wait_s: float = RESEND_INTERVAL_S
    ) -> list[bytes]:
        """Retransmissions of packets the subscriber misses, as far as they are still here.

        A packet that was resent less than ``wait_s`` ago is taken to be on its way.
        """
        has_rtx = self.rtx_ssrc is not None and self.rtx_payload_type is not None
        packets = []
        self._settle()
        for seq in seqs:
            out = unwrap(seq, self._highest_out, 16)
            found = self._sent_as(out)
            if found is not None and self._resent.may_resend(out, self._highest_out, now_s, wait_s):
                packet, run = found
                packets.append(
                    self._retransmission(packet, run, out, now_s)
                    if has_rtx
                    else self._assembled(packet, run, out)
                )
        self._stats.packets_resent += len(packets)
        return packets

    def _sent_as(self, out: int) -> tuple[MediaPacket, Run] | None:
        for run in reversed(self._runs):
            number = out - run.seq_shift
            if run.holds(number):
                packet = run.layer.cache.get(number)
                return None if packet is None else (packet, run)
        return None

    def _retransmission(self, packet: MediaPacket, run: Run, out: int, now_s: float) -> bytes:
        assert self.rtx_ssrc is not None
        assert self.rtx_payload_type is not None
        block = self._block_of(packet, now_s)
        header = _HEADER.pack(
            0x90 if block else 0x80,
            self.rtx_payload_type | (0x80 if packet.marker else 0),
            self._next_rtx_seq,
            packet.timestamp + run.timestamp_shift & 0xFFFFFFFF,
            self.rtx_ssrc,
        )
        self._next_rtx_seq = self._next_rtx_seq + 1 & 0xFFFF
        osn = (out & 0xFFFF).to_bytes(OSN_BYTES, "big")
        return b"".join((header, block, osn, run.payload(packet)))

    def padding(self, now_s: float) -> bytes | None:
        """A packet without content that probes the line; None where there is no RTX stream.

        It belongs to the RTX stream, whose gaps nobody asks for (RFC 4588 §7).
        """
        self._settle()
        if self.rtx_ssrc is None or self.rtx_payload_type is None or self._newest is None:
            return None
        block = self.own_extensions.block(self._map.elements({}, now_s))
        header = _HEADER.pack(
            0xB0 if block else 0xA0,
            self.rtx_payload_type,
            self._next_rtx_seq,
            self._newest.timestamp + self._timestamp_shift & 0xFFFFFFFF,
            self.rtx_ssrc,
        )
        self._next_rtx_seq = self._next_rtx_seq + 1 & 0xFFFF
        return b"".join((header, block, _PADDING))

    # Reports.

    def sender_report(self, now_s: float) -> SenderReport | None:
        """The publisher's clock in this subscription's timestamps; None while it is unknown.

        All tracks of a publisher keep its clock, so a subscriber can play them in step.
        """
        clock = self.layer.stream.clock if self.layer is not None else None
        if clock is None:
            return None
        self.last_report_s = now_s
        return self._reports.sender_report(
            clock, self.ssrc, self._timestamp_shift, self.stats, now_s
        )

    def handle_report(self, block: ReportBlock, now_s: float) -> None:
        """What the subscriber says about its reception (RFC 3550 §6.4.1)."""
        self._reports.handle(block, self.stats, self._clock_rate, now_s)
