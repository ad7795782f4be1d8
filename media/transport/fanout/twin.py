"""The fan-out in Python, for machines without a compiler: the same bytes as ``kernel.c``.

Protection is libsrtp's (pylibsrtp); the index of a packet and what may be protected are decided
here, by the kernel's rules, since libsrtp would protect a repeated index again. Each packet is
sent by itself.
"""

import errno
import socket
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from struct import Struct
from typing import Any, Final

from pylibsrtp import Error as SrtpError
from pylibsrtp import Policy, Session

from media.transport.fanout.port import (
    HISTORY,
    KEPT,
    KEPT_BYTES,
    WINDOW,
    BeforeSend,
    Counters,
    MasterKey,
    PictureFields,
    PictureShift,
    Sent,
)

HEADER_BYTES: Final = 12
_HEADER: Final = Struct("!BBHII")
_WORDS: Final = Struct("!HH")
_ONE_BYTE_PROFILE: Final = 0xBEDE
_CC_ELEMENT_BYTES: Final = 3
MAX_QUEUED: Final = 4096
"""Packets, each for a group or for one, between two flushes."""
MAX_PACKET_BYTES: Final = 65535
_SEEN_MASK: Final = (1 << WINDOW) - 1


class _Stream:
    """What was protected under one SSRC."""

    __slots__ = ("highest", "kept", "seen", "ssrc")

    def __init__(self, ssrc: int) -> None:
        self.ssrc = ssrc
        self.highest = -1
        self.seen = 0  # bit n: index highest - n was protected
        self.kept: dict[int, tuple[int, bytes]] | None = None

    def place(self, seq: int) -> bool:
        """Note an index; False if it was protected before, or may have been (RFC 3711 §3.3.1)."""
        if self.highest < 0:
            self.highest, self.seen = seq, 1
            return True
        ahead = (seq - self.highest + 0x8000 & 0xFFFF) - 0x8000
        if ahead > 0:
            self.highest += ahead
            self.seen = (self.seen << ahead | 1) & _SEEN_MASK
            return True
        bit = 1 << -ahead
        if self.highest + ahead < 0 or -ahead >= WINDOW or self.seen & bit:
            return False
        self.seen |= bit
        return True

    def keep(self, seq: int, packet: bytes) -> None:
        """Store a ciphertext for ``resend``."""
        assert self.kept is not None, "only streams that are resent keep packets"
        self.kept[seq % KEPT] = (seq, packet if len(packet) <= KEPT_BYTES else b"")


@dataclass(slots=True, eq=False)
class _Receiver:
    """One session."""

    protect: Callable[[bytes], bytes] | None = None
    sock: socket.socket | None = None
    address: Any = None
    relay: Callable[[bytes], object] | None = None
    streams: dict[int, _Stream] = field(default_factory=dict)
    retired: set[int] = field(default_factory=set)
    cc_id: int = 0
    cc_next: int = 0
    history: dict[int, tuple[int, Sent]] = field(default_factory=dict)

    def stream(self, ssrc: int) -> _Stream | None:
        """The stream of an SSRC, new if need be; None if it was retired."""
        found = self.streams.get(ssrc)
        if found is None and ssrc not in self.retired:
            found = self.streams[ssrc] = _Stream(ssrc)
        return found


@dataclass(slots=True, eq=False)
class _Leg:
    session: int
    receiver: _Receiver
    stream: _Stream
    payload_types: tuple[int, int]
    own: bytes
    has_cc: bool
    group: int | None = None
    seq_shift: int = 0
    timestamp_shift: int = 0
    pictures: PictureShift | None = None


@dataclass(slots=True)
class _Multicast:
    group: int
    seq: int
    timestamp: int
    payload: bytes
    marker: bool
    elements: bytes
    pictures: PictureFields | None


class TwinFanout:
    """See ``port.Fanout``."""

    name = "python"

    def __init__(self) -> None:
        self.counters = Counters()
        self._receivers: dict[int, _Receiver] = {}
        self._legs: dict[int, _Leg] = {}
        self._groups: dict[int, dict[int, _Leg]] = {}
        self._next_id = 0
        self._queues: tuple[list[Callable[[], None]], ...] = ([], [])
        self._urgent, self._later = self._queues
        self._ready: deque[tuple[_Receiver, bytes]] = deque()
        self._hook: BeforeSend | None = None
        self._now_s = 0.0

    def before_send(self, hook: BeforeSend) -> None:
        """Tests only: see ``port.BeforeSend``."""
        self._hook = hook

    def _new_id(self) -> int:
        self._next_id += 1
        return self._next_id

    # Sessions, groups, legs

    def open_session(self) -> int:
        """See ``port.Fanout``."""
        session = self._new_id()
        self._receivers[session] = _Receiver()
        return session

    def set_keys(self, session: int, master: MasterKey) -> None:
        """See ``port.Fanout``."""
        receiver = self._receivers[session]
        if receiver.protect is not None:
            raise ValueError("keys are set once")
        policy = Policy(
            key=master.key + master.salt,
            ssrc_type=Policy.SSRC_ANY_OUTBOUND,
            srtp_profile=master.profile,
        )
        policy.allow_repeat_tx = True
        policy.window_size = WINDOW
        receiver.protect = Session(policy).protect

    def set_route(self, session: int, sock: socket.socket | None, address: Any) -> None:
        """See ``port.Fanout``."""
        receiver = self._receivers[session]
        receiver.relay = None
        receiver.sock, receiver.address = sock, address

    def set_relay(self, session: int, send: Callable[[bytes], object]) -> None:
        """See ``port.Fanout``."""
        self.set_route(session, None, None)
        self._receivers[session].relay = send

    def set_transport_cc(self, session: int, extension_id: int) -> None:
        """See ``port.Fanout``."""
        self._receivers[session].cc_id = extension_id

    def close_session(self, session: int) -> None:
        """See ``port.Fanout``."""
        if self._receivers.pop(session, None) is not None:
            for leg in [number for number, leg in self._legs.items() if leg.session == session]:
                self._drop_leg(leg)

    def open_group(self) -> int:
        """See ``port.Fanout``."""
        group = self._new_id()
        self._groups[group] = {}
        return group

    def close_group(self, group: int) -> None:
        """See ``port.Fanout``."""
        for leg in self._groups.pop(group, {}).values():
            leg.group = None

    def open_leg(
        self,
        session: int,
        ssrc: int,
        payload_type: int,
        own_elements: bytes = b"",
        *,
        has_cc: bool = False,
        keeps: bool = False,
    ) -> int:
        """See ``port.Fanout``."""
        receiver = self._receivers[session]
        stream = receiver.stream(ssrc)
        if stream is None:
            raise ValueError("EEXIST")
        if keeps and stream.kept is None:
            stream.kept = {}
        leg = self._new_id()
        self._legs[leg] = _Leg(
            session, receiver, stream, (payload_type, payload_type | 0x80), own_elements, has_cc
        )
        return leg

    def _drop_leg(self, number: int) -> None:
        leg = self._legs.pop(number)
        if leg.group is not None:
            self._groups[leg.group].pop(number, None)

    def move_leg(
        self,
        leg: int,
        group: int | None,
        seq_shift: int = 0,
        timestamp_shift: int = 0,
        pictures: PictureShift | None = None,
    ) -> None:
        """See ``port.Fanout``."""
        found = self._legs[leg]
        if found.group != group:
            if found.group is not None:
                self._groups[found.group].pop(leg, None)
            if group is not None:
                self._groups[group][leg] = found
            found.group = group
        found.seq_shift, found.timestamp_shift = seq_shift, timestamp_shift
        found.pictures = pictures

    def retire(self, session: int, ssrc: int) -> None:
        """See ``port.Fanout``."""
        receiver = self._receivers.get(session)
        if receiver is None:
            return
        stream = receiver.streams.pop(ssrc, None)
        if stream is not None:
            receiver.retired.add(ssrc)
            for leg in [number for number, leg in self._legs.items() if leg.stream is stream]:
                self._drop_leg(leg)

    # Packets

    def multicast(
        self,
        group: int,
        seq: int,
        timestamp: int,
        payload: bytes,
        *,
        marker: bool = False,
        elements: bytes = b"",
        pictures: PictureFields | None = None,
        urgent: bool = False,
    ) -> None:
        """See ``port.Fanout``."""
        packet = _Multicast(group, seq, timestamp, payload, marker, elements, pictures)
        (self._urgent if urgent else self._later).append(lambda: self._fan_out(packet))

    def unicast(self, session: int, packet: bytes, *, urgent: bool = False) -> None:
        """See ``port.Fanout``."""
        queue = self._urgent if urgent else self._later
        queue.append(lambda: self._copy(session, packet))

    def resend(self, leg: int, seq: int) -> None:
        """See ``port.Fanout``."""
        self._urgent.append(lambda: self._send_again(leg, seq & 0xFFFF))

    def has_room(self, size: int) -> bool:
        """See ``port.Fanout``."""
        return size <= MAX_PACKET_BYTES and sum(map(len, self._queues)) < MAX_QUEUED

    def flush(self) -> bool:
        """See ``port.Fanout``."""
        if self._ready:
            return False
        self._now_s = time.monotonic()
        for queue in self._queues:
            waiting = queue.copy()
            queue.clear()
            for build in waiting:
                build()
            if not self._send_ready():
                return False
        return True

    def resume(self) -> bool:
        """See ``port.Fanout``."""
        return self._send_ready() and self.flush()

    def discard(self) -> None:
        """See ``port.Fanout``."""
        self.counters.failed += len(self._ready)
        self._ready.clear()

    def history(self, session: int, first: int, count: int) -> list[Sent | None]:
        """See ``port.Fanout``."""
        receiver = self._receivers[session]
        found: list[Sent | None] = []
        for wanted in range(first, first + count):
            number = receiver.cc_next - 1 - (receiver.cc_next - 1 - wanted & 0xFFFF)
            at, sent = receiver.history.get(number % HISTORY, (-1, None))
            found.append(sent if at == number else None)
        return found

    # Building

    def _fan_out(self, packet: _Multicast) -> None:
        for leg in self._groups.get(packet.group, {}).values():
            receiver = leg.receiver
            if not self._is_ready(receiver):
                continue
            elements = packet.elements + leg.own
            has_cc = leg.has_cc and receiver.cc_id != 0
            block = extension_block(elements, receiver.cc_id if has_cc else 0)
            seq = packet.seq + leg.seq_shift & 0xFFFF
            header = _HEADER.pack(
                0x90 if block else 0x80,
                leg.payload_types[packet.marker],
                seq,
                packet.timestamp + leg.timestamp_shift & 0xFFFFFFFF,
                leg.stream.ssrc,
            )
            payload = packet.payload
            if leg.pictures is not None and packet.pictures is not None:
                payload = move_pictures(payload, packet.pictures, leg.pictures)
            cc_at = HEADER_BYTES + 4 + len(elements) + 1 if has_cc else 0
            self._finish(receiver, leg.stream, seq, header + block + payload, cc_at)

    def _copy(self, session: int, packet: bytes) -> None:
        receiver = self._receivers.get(session)
        if not self._is_ready(receiver) or receiver is None or len(packet) < HEADER_BYTES:
            return
        cc_at = running_number_at(packet, receiver.cc_id)
        _, _, seq, _, ssrc = _HEADER.unpack_from(packet)
        stream = receiver.stream(ssrc) if cc_at is not None else None
        if stream is None or cc_at is None:
            self.counters.refused += 1
            return
        self._finish(receiver, stream, seq, packet, cc_at)

    def _send_again(self, number: int, seq: int) -> None:
        leg = self._legs.get(number)
        if leg is None or leg.stream.kept is None or not self._is_ready(leg.receiver):
            return
        kept_seq, packet = leg.stream.kept.get(seq % KEPT, (-1, b""))
        if kept_seq != seq or not packet:
            self.counters.refused += 1
            return
        self._ready.append((leg.receiver, packet))

    def _is_ready(self, receiver: _Receiver | None) -> bool:
        if receiver is None or receiver.protect is None:
            self.counters.no_keys += 1
            return False
        if receiver.sock is None and receiver.relay is None:
            self.counters.no_route += 1
            return False
        return True

    def _finish(
        self, receiver: _Receiver, stream: _Stream, seq: int, packet: bytes, cc_at: int
    ) -> None:
        """Protect a packet and queue it."""
        if not stream.place(seq):
            self.counters.refused += 1
            return
        if cc_at:
            number = (receiver.cc_next & 0xFFFF).to_bytes(2, "big")
            packet = packet[:cc_at] + number + packet[cc_at + 2 :]
        assert receiver.protect is not None, "only ready receivers come here"
        try:
            protected = receiver.protect(packet)
        except (SrtpError, ValueError):
            self.counters.failed += 1
            return
        if cc_at:
            number_sent = receiver.cc_next
            sent = Sent(len(protected), self._now_s)
            receiver.history[number_sent % HISTORY] = (number_sent, sent)
            receiver.cc_next += 1
        if stream.kept is not None:
            stream.keep(seq, protected)
        self._ready.append((receiver, protected))

    # Sending

    def _send_ready(self) -> bool:
        ready, counters = self._ready, self.counters
        while ready:
            receiver, packet = ready[0]
            if receiver.relay is not None:
                receiver.relay(packet)
            elif receiver.sock is None:
                counters.failed += 1
            else:
                try:
                    self._hand_over(receiver, packet)
                except OSError as error:
                    if error.errno in {errno.EAGAIN, errno.ENOBUFS}:
                        counters.blocked += 1
                        return False
                    counters.failed += 1
                else:
                    counters.sent += 1
                    counters.octets += len(packet)
            ready.popleft()
        return True

    def _hand_over(self, receiver: _Receiver, packet: bytes) -> None:
        assert receiver.sock is not None, "looked at before"
        if self._hook is not None:
            taken = self._hook(receiver.sock.fileno(), 1)
            if taken <= 0:
                raise OSError(-taken, "as the test wants it")
        if receiver.address is None:
            receiver.sock.send(packet, socket.MSG_DONTWAIT)
        else:
            receiver.sock.sendto(packet, socket.MSG_DONTWAIT, receiver.address)


def extension_block(elements: bytes, cc_id: int) -> bytes:
    """Header extension with profile and length, an empty running number last; may be empty."""
    if cc_id:
        elements += bytes((cc_id << 4 | 1, 0, 0))
    if not elements:
        return b""
    words = (len(elements) + 3) // 4
    return _WORDS.pack(_ONE_BYTE_PROFILE, words) + elements.ljust(4 * words, b"\0")


def move_pictures(payload: bytes, at: PictureFields, shift: PictureShift) -> bytes:
    """A VP8 payload with its picture numbers moved on (RFC 7741 §4.2)."""
    moved = bytearray(payload)
    if at.reserved:
        moved[at.reserved] &= 0xF0
    if at.picture_id:
        first = at.picture_id
        number = int.from_bytes(moved[first : first + 2], "big") + shift.picture_id
        moved[first : first + 2] = (number & 0x7FFF | 0x8000).to_bytes(2, "big")
    if at.tl0_index:
        moved[at.tl0_index] = moved[at.tl0_index] + shift.tl0_index & 0xFF
    if at.key_index:
        packed = moved[at.key_index]
        moved[at.key_index] = packed & 0xE0 | packed + shift.key_index & 0x1F
    return bytes(moved)


def running_number_at(packet: bytes, cc_id: int) -> int | None:
    """Where a packet has room for the running number, 0 if nowhere; None if it is malformed."""
    start = HEADER_BYTES + 4 * (packet[0] & 15)
    if not packet[0] & 0x10:
        return 0 if start <= len(packet) else None
    if start + 4 > len(packet):
        return None
    profile, words = _WORDS.unpack_from(packet, start)
    at, end = start + 4, start + 4 + 4 * words
    if end > len(packet):
        return None
    found = 0
    while profile == _ONE_BYTE_PROFILE and cc_id and at < end:
        if not packet[at]:
            at += 1
            continue
        identifier, length = packet[at] >> 4, (packet[at] & 15) + 1
        if identifier == 15 or at + 1 + length > end:
            break
        if identifier == cc_id and length == 2:
            found = at + 1
        at += 1 + length
    return found
