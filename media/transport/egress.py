"""Send packets to many receivers: what one wake-up of the loop produced leaves in one flush.

The core says which group gets a packet, or which subscription gets which bytes; here both become
calls of a ``fanout.Fanout``, which builds, protects and sends. Groups keep the identifiers of
their fan-out groups and are brought in line when they changed, never for each packet.

What the system does not take at once (EAGAIN, ENOBUFS) waits, in order, and is tried again every
millisecond; new packets queue behind it. What waits longer than ``MAX_WAIT_S`` is given up, as a
full router queue would: receivers ask again, and late media is of no use.

Owner: the loop of the node. Not thread-safe.
"""

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, Protocol

from pylibsrtp import Error as SrtpError

from media.core.legs import Leg, LegGroup, Multicast, Outgoing
from media.core.packet import MediaPacket
from media.core.vp8 import Vp8Descriptor
from media.transport.fanout import Fanout, open_fanout
from media.transport.fanout.port import PictureFields, PictureShift, Sent
from media.transport.tcp import Path

RETRY_S: Final = 0.001
MAX_WAIT_S: Final = 0.1
MAX_LOAD: Final = 1000
"""Packets to send after which the loop gets its turn: about three milliseconds of work."""

_NO_FIELDS: Final = PictureFields()


class Receiver(Protocol):
    """Where a packet goes: an open SRTP session and a validated path."""

    srtp_out: Any
    """pylibsrtp session for RTCP on the way out; None before DTLS is done."""

    udp: Path | None
    address: Any
    session: int
    """Its session of the fan-out."""


@dataclass(slots=True)
class _Leg:
    """What the fan-out knows of a subscription; kept as its ``handle``."""

    number: int
    group: LegGroup | None = None


class Egress:
    """Collect packets and send them in one go."""

    def __init__(self, fanout: Fanout | None = None) -> None:
        self.fanout = fanout or open_fanout()
        self.load = 0
        """Packets queued since the last flush."""
        self.unsent = 0
        """Packets refused where they are sent one by one: RTCP, and media over TCP."""
        self.relayed = 0
        """Media packets sent over TCP."""
        self.sending_s = 0.0
        """Time spent protecting packets and handing them to the system."""
        self.overflowed = 0
        """Packets that found no room behind those that wait for the system."""
        self._by_ssrc: dict[tuple[int, int], Leg] = {}  # those resent under their own SSRC
        self._blocked_s: float | None = None

    @property
    def sent(self) -> int:
        """RTP packets the system took."""
        return self.fanout.counters.sent + self.relayed

    @property
    def dropped(self) -> int:
        """Packets that were to be sent and never left."""
        return self.fanout.counters.dropped + self.unsent + self.overflowed

    def figures(self) -> dict[str, float]:
        """How packets left, for the metrics."""
        counters = self.fanout.counters
        return {
            "fanout_kernel": float(self.fanout.name == "kernel"),
            "bytes_sent_total": counters.octets,
            "egress_microseconds_total": self.sending_s * 1e6,
            "fanout_calls_total": counters.calls,
            "fanout_messages_total": counters.messages,
            "fanout_blocked_total": counters.blocked,
            "fanout_refused_total": counters.refused,
        }

    # Media

    def send(self, outgoing: Iterable[Outgoing]) -> None:
        """Queue what the core wants sent."""
        for one in outgoing:
            if isinstance(one, Multicast):
                self._multicast(one.group, one.packet)
            else:
                down, data = one
                self._leg_of(down)
                self._unicast(down.sink.session, data, urgent=not down.is_video)

    def add(self, receiver: Receiver, packet: bytes) -> None:
        """Queue one plain RTP packet for the next flush."""
        self._unicast(receiver.session, packet, urgent=False)

    def resend(self, receiver: Receiver, packet: bytes) -> None:
        """Send a packet that its receiver missed: a retransmission made by the core.

        One under the media SSRC itself was protected before and leaves as it was stored.
        """
        ssrc = int.from_bytes(packet[8:12], "big")
        down = self._by_ssrc.get((receiver.session, ssrc))
        if down is None:
            self.add(receiver, packet)
        else:
            self.fanout.resend(self._leg_of(down).number, int.from_bytes(packet[2:4], "big"))
            self.load += 1

    def _multicast(self, group: LegGroup, packet: MediaPacket) -> None:
        fanout = self.fanout
        if group.changed:
            self._bring_in_line(group)
        elements = packet.elements(group.extension_map)
        if not self._has_room(len(elements) + len(packet.payload)):
            self.overflowed += len(group.legs)
            return
        fanout.multicast(
            group.handle,
            packet.number & 0xFFFF,
            packet.timestamp,
            packet.payload,
            marker=packet.marker,
            elements=elements,
            pictures=None if packet.vp8 is None else picture_fields(packet.vp8),
            urgent=group.is_urgent,
        )
        self.load += len(group.legs)

    def _unicast(self, session: int, packet: bytes, *, urgent: bool) -> None:
        if not self._has_room(len(packet)):
            self.overflowed += 1
            return
        self.fanout.unicast(session, packet, urgent=urgent)
        self.load += 1

    def _has_room(self, size: int) -> bool:
        if self.fanout.has_room(size):
            return True
        self.flush()
        return self.fanout.has_room(size)

    def _bring_in_line(self, group: LegGroup) -> None:
        if group.handle is None:
            group.handle = self.fanout.open_group()
        self._empty()  # what is queued is for the members of before
        changed, group.changed = group.changed, {}
        for down in changed:
            if down.group is group:
                leg = self._leg_of(down)
                seq, timestamp, pictures = down.shifts
                shift = None
                if pictures is not None:
                    shift = PictureShift(
                        pictures.picture_id, pictures.tl0_picture_index, pictures.key_index
                    )
                self.fanout.move_leg(leg.number, group.handle, seq, timestamp, shift)
                leg.group = group
            elif down.handle is not None and down.handle.group is group:
                self.fanout.move_leg(down.handle.number, None)
                down.handle.group = None

    def _leg_of(self, down: Leg) -> _Leg:
        leg = down.handle
        if leg is None:
            own = down.own_extensions
            session = down.sink.session
            if own.cc_id:
                self.fanout.set_transport_cc(session, own.cc_id)
            keeps = down.rtx_ssrc is None
            number = self.fanout.open_leg(
                session,
                down.ssrc,
                down.payload_type,
                own.elements,
                has_cc=own.cc_id != 0,
                keeps=keeps,
            )
            leg = down.handle = _Leg(number)
            if keeps:
                self._by_ssrc[session, down.ssrc] = down
        return leg  # type: ignore[no-any-return]

    # Ends

    def retire(self, down: Leg) -> None:
        """A subscription is over; its SSRCs are never used again."""
        if down.handle is None:
            return
        down.handle = None
        session = down.sink.session
        self._by_ssrc.pop((session, down.ssrc), None)
        self.fanout.retire(session, down.ssrc)
        if down.rtx_ssrc is not None:
            self.fanout.retire(session, down.rtx_ssrc)

    def retire_groups(self, groups: Iterable[LegGroup]) -> None:
        """A published track is over."""
        for group in groups:
            if group.handle is not None:
                self.fanout.close_group(group.handle)
                group.handle = None

    def sent_history(self, receiver: Receiver, first: int, count: int) -> list[Sent | None]:
        """Size and time of packets by their transport-wide numbers; None where it is not known."""
        return self.fanout.history(receiver.session, first, count)

    # Sending

    def flush(self) -> None:
        """Send everything queued."""
        self.load = 0
        if self._blocked_s is not None:
            return
        begun_s = time.perf_counter()
        is_done = self.fanout.flush()
        self.sending_s += time.perf_counter() - begun_s
        if not is_done:
            loop = asyncio.get_running_loop()
            self._blocked_s = loop.time()
            loop.call_later(RETRY_S, self._retry)

    def _empty(self) -> None:
        """Leave nothing in the queue, not even what the system does not take now."""
        if self.load:
            self.flush()
        if self._blocked_s is not None:
            self.fanout.discard()
            self.fanout.resume()

    def _retry(self) -> None:
        loop = asyncio.get_running_loop()
        assert self._blocked_s is not None, "nothing else retries"
        if loop.time() - self._blocked_s > MAX_WAIT_S:
            self.fanout.discard()
            self._blocked_s = loop.time()
        if self.fanout.resume():
            self._blocked_s = None
        else:
            loop.call_later(RETRY_S, self._retry)

    def relay(self, path: Path, address: Any, packet: bytes) -> None:
        """Send a protected packet on a path that is no socket of ours to the system."""
        if path.send(packet, address):
            self.relayed += 1
        else:
            self.unsent += 1

    def send_rtcp(self, receiver: Receiver, packet: bytes) -> None:
        """Protect and send one compound RTCP packet at once."""
        session, udp = receiver.srtp_out, receiver.udp
        if session is None or udp is None:
            return
        try:
            protected = session.protect_rtcp(packet)
        except (SrtpError, ValueError):
            self.unsent += 1
            return
        if not udp.send(protected, receiver.address):
            self.unsent += 1


def picture_fields(vp8: Vp8Descriptor) -> PictureFields:
    """Where a payload has its picture numbers; a picture id only if it is of 15 bits."""
    if not vp8.first & 0x80:
        return _NO_FIELDS
    at = 2 + {0: 0, 7: 1, 15: 2}[vp8.picture_id_bits]
    tl0_at = at if vp8.tl0_picture_index is not None else 0
    key_at = at + (tl0_at != 0) if vp8.has_key_index else 0
    return PictureFields(1, 2 if vp8.picture_id_bits == 15 else 0, tl0_at, key_at)
