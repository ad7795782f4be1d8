"""Runs: stretches of one layer that a subscriber gets with fixed distances to the original.

Where a run begins, sequence number, timestamp and VP8 picture numbers are set so that they go on
from the run before; inside a run they are only moved. A closed run still says under which numbers
its packets were sent, for repairs that come late.
"""

from dataclasses import dataclass, field, replace
from typing import Final

from media.core.packet import MediaPacket
from media.core.sequence import unwrap
from media.core.temporal import PICTURE_ID_BITS, Followed, Standing
from media.core.vp8 import PictureNumbers

MAX_CLOCK_DISAGREEMENT_S: Final = 1.0
"""Sender reports of two layers that disagree more with arrival times are not believed."""


@dataclass(slots=True)
class Run:
    """Packets ``first`` to ``last`` of a layer and how far they are moved."""

    layer: Followed
    first: int
    seq_shift: int
    timestamp_shift: int = 0
    ahead_rtp: int = 0
    """How far timestamps run ahead of the publisher's clock, see ``follow``."""
    picture_shift: PictureNumbers = field(default_factory=PictureNumbers)
    rewrites: bool = False
    """Whether payload descriptors differ from the publisher's."""
    last: int | None = None
    """None while the run goes on."""

    def holds(self, number: int) -> bool:
        """Whether the layer's packet with that number is part of this run."""
        return self.first <= number and (self.last is None or number <= self.last)

    def payload(self, packet: MediaPacket) -> bytes:
        """The payload as the subscriber gets it."""
        if packet.vp8 is None or not self.rewrites:
            return packet.payload
        return self.picture_shift.descriptor(packet.vp8) + packet.payload[packet.vp8.size :]

    @classmethod
    def starting(cls, layer: Followed, packet: MediaPacket, out: int) -> "Run":
        """The run that begins with ``packet``, sent as number ``out``."""
        has_short_id = packet.vp8 is not None and packet.vp8.picture_id_bits == 7
        return cls(layer, packet.number, out - packet.number, rewrites=has_short_id)

    def follow(self, before: "Run", newest: MediaPacket, first: MediaPacket, rate: int) -> None:
        """Go on where the run ``before`` stands, whose newest packet was ``newest``.

        ``first`` is this run's first packet, ``rate`` the clock rate. It may have been captured
        together with ``newest`` or even earlier, but needs a later time. It is then placed a
        millisecond behind, and the next run takes that back.
        """
        if newest.vp8 is not None and first.vp8 is not None:
            self.picture_shift = PictureNumbers.following(
                newest.vp8, before.picture_shift, first.vp8
            )
            self.rewrites = self.rewrites or not self.picture_shift.is_identity
        if before.layer.stream is self.layer.stream:
            self.timestamp_shift, self.ahead_rtp = before.timestamp_shift, before.ahead_rtp
            return
        last = newest.timestamp + before.timestamp_shift
        elapsed_s = first.arrival_s - newest.arrival_s
        expected = last + round(elapsed_s * rate)
        expected += self._clock_correction(before, first, expected, rate) - before.ahead_rtp
        placed = max(expected, last + rate // 1000)
        self.timestamp_shift = placed - first.timestamp
        self.ahead_rtp = placed - expected

    def cross(self, before: "Run", standing: Standing, first: MediaPacket) -> None:
        """Go on with the same pictures at another rate.

        ``standing`` are the numbers ``first`` would have had in the run ``before``.
        """
        self.timestamp_shift, self.ahead_rtp = before.timestamp_shift, before.ahead_rtp
        self.picture_shift = before.picture_shift
        if first.vp8 is not None:
            here, there = first.vp8.picture_id, standing.picture_id
            if here is not None and there is not None:
                moved = there + before.picture_shift.picture_id - here
                mask = (1 << PICTURE_ID_BITS) - 1
                self.picture_shift = replace(before.picture_shift, picture_id=moved & mask)
        self.rewrites = self.rewrites or not self.picture_shift.is_identity

    def _clock_correction(
        self, before: "Run", first: MediaPacket, by_arrival: int, rate: int
    ) -> int:
        """What sender reports of both layers add to an estimate made from arrival times."""
        old_clock, new_clock = before.layer.stream.clock, self.layer.stream.clock
        if old_clock is None or new_clock is None:
            return 0
        capture_s = new_clock.capture_s(first.timestamp)
        by_clock = old_clock.timestamp_at(capture_s) + before.timestamp_shift
        distance = unwrap(by_clock - by_arrival, 0, 32)
        return distance if abs(distance) < MAX_CLOCK_DISAGREEMENT_S * rate else 0
