"""Subscriptions that get the same packets at the moment, gathered so that a packet is sent once.

Those that follow one layer with the same extension ids form a ``LegGroup``. A packet in order goes
to the group as a whole, whatever its size; what each member gets is the packet with its own
numbers (``Leg.wire``), which ``media.transport`` writes without asking each of them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from media.core.extensions import ExtensionMap, OwnExtensions
from media.core.packet import MediaPacket
from media.core.vp8 import PictureNumbers


class Leg(Protocol):
    """A subscription as groups and ``media.transport`` see it (``forward.DownTrack``).

    ``sink`` and ``handle`` belong to the transport.
    """

    ssrc: int
    rtx_ssrc: int | None
    payload_type: int
    own_extensions: OwnExtensions
    sink: Any
    handle: Any

    @property
    def is_video(self) -> bool:
        """Whether the track has pictures."""

    @property
    def group(self) -> "LegGroup | None":
        """The group it is part of; None while nothing is forwarded."""

    @property
    def shifts(self) -> tuple[int, int, PictureNumbers | None]:
        """What to add to the layer's numbers, to its timestamps, and to VP8 picture numbers."""

    def forward(self, packet: MediaPacket) -> bytes | None:
        """A packet of the present run; None if it must not be sent."""

    def wire(self, packet: MediaPacket) -> bytes:
        """A packet of the present run as the subscriber gets it."""


class LegGroup:
    """Subscriptions that get the same packets at the moment, each under its own numbers.

    ``handle`` belongs to the caller. ``changed`` are those that came, went or whose distances
    moved since the caller last looked; the caller clears it.
    """

    __slots__ = (
        "_coming",
        "changed",
        "extension_map",
        "handle",
        "is_urgent",
        "legs",
        "newest",
        "octets",
        "packets",
    )

    def __init__(self, extension_map: ExtensionMap, *, is_urgent: bool) -> None:
        self.extension_map = extension_map
        self.is_urgent = is_urgent
        """Sound, which leaves before pictures."""
        self.legs: dict[Leg, None] = {}
        self._coming: dict[Leg, None] = {}
        self.changed: dict[Leg, None] = {}
        self.newest: MediaPacket | None = None
        self.packets = 0
        """Sent to the group as a whole."""
        self.octets = 0
        self.handle: Any = None

    @property
    def is_followed(self) -> bool:
        """Whether it has members, or will have with the next packet."""
        return bool(self.legs or self._coming)

    def add(self, down: "Leg") -> None:
        """A subscription follows from the next packet on."""
        self._coming[down] = None

    def remove(self, down: "Leg") -> None:
        """A subscription ends to follow."""
        self.legs.pop(down, None)
        self._coming.pop(down, None)
        self.changed[down] = None

    def send(self, packet: MediaPacket) -> "list[Outgoing]":
        """Send the layer's newest packet to all."""
        if self._coming:
            self.legs |= self._coming
            self.changed |= self._coming
            self._coming = {}
        if not self.legs:
            return []
        is_short = packet.vp8 is not None and packet.vp8.picture_id_bits == 7
        if is_short or self.extension_map.has_long(packet.values):
            # A short picture id grows where it is rewritten, so lengths differ among members; and
            # a long header extension needs a form of its own.
            return [(down, sent) for down in self.legs if (sent := down.forward(packet))]
        self.newest = packet
        self.packets += 1
        self.octets += len(packet.payload)
        return [Multicast(self, packet)]


@dataclass(slots=True)
class Multicast:
    """A packet for all of a group."""

    group: LegGroup
    packet: MediaPacket

    def spelled_out(self) -> "list[Forwarded]":
        """What each member gets."""
        return [(down, down.wire(self.packet)) for down in self.group.legs]


Forwarded = tuple[Leg, bytes]
"""A packet and the subscription that sends it."""

Outgoing = Multicast | Forwarded


def spelled_out(outgoing: Iterable[Outgoing]) -> list[Forwarded]:
    """Every single packet; for tests and for whoever sends one by one."""
    packets: list[Forwarded] = []
    for one in outgoing:
        packets += one.spelled_out() if isinstance(one, Multicast) else [one]
    return packets
