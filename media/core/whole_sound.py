"""A published sound for those who must have all of it, whatever the others are spared.

Of many open microphones the listeners get the loudest few (module ``loudest``), under numbers that
know no gap. A recording is a record of what was said, so a recorder follows a second numbering of
the same packets in which nothing is withheld. It exists while somebody follows it.

Pure; driven by ``track.UpTrack``.
"""

from collections.abc import Mapping

from media.core.codecs import Codec
from media.core.forward import DownTrack
from media.core.packet import MediaPacket
from media.core.rtcp import SenderReport
from media.core.rtp import RtpHeader
from media.core.simulcast import Layer, Layers


class WholeSound:
    """The second numbering of one track."""

    def __init__(self, codec: Codec) -> None:
        self.layers = Layers(are_video=False)
        self.listeners: dict[DownTrack, None] = {}
        """Who follows it."""
        self._codec = codec
        self._by_ssrc: dict[int, Layer] = {}

    def left(self, down: DownTrack) -> bool:
        """Somebody is gone; whether anybody remains."""
        self.listeners.pop(down, None)
        return bool(self.listeners)

    def accept(
        self,
        layer: Layer,
        header: RtpHeader,
        data: bytes,
        values: Mapping[int, bytes],
        now_s: float,
    ) -> tuple[Layer, MediaPacket | None]:
        """A packet that ``layer`` has taken, under the numbers of this side."""
        same = self._by_ssrc.get(header.ssrc)
        if same is None:
            same = Layer(layer.quality, header.ssrc, self._codec, wants_nack=False)
            replaced = self.layers.put(same)
            if replaced is not None:
                self._by_ssrc.pop(replaced.stream.ssrc, None)
            self._by_ssrc[header.ssrc] = same
            same.stream.clock = layer.stream.clock
        is_new = same.stream.highest < 0
        packet = same.accept(header, data, values, now_s, recovered=False)
        if is_new:
            for down in self.listeners:
                down.reselect()
        return same, packet

    def handle_sender_report(self, report: SenderReport, now_s: float) -> None:
        """Learn the publisher's clock."""
        same = self._by_ssrc.get(report.ssrc)
        if same is not None:
            same.stream.handle_sender_report(report, now_s)
