"""Transport-wide congestion feedback: tell a publisher when each of its packets arrived.

Format: draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1. The publisher estimates its
bandwidth from this by itself, so a node only has to keep arrival times and report them every
50 ms. Arrival times of packets that come late are reported together with those around them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf
from typing import Final

from media.core.errors import RemoteProtocolError
from media.core.rtcp import TransportFeedback
from media.core.sequence import unwrap

INTERVAL_S: Final = 0.05
HISTORY_S: Final = 0.5
"""How long an arrival can be reported again for the sake of a late neighbour."""
MAX_PACKETS: Final = 512
"""Covered by one message; keeps it well within a datagram."""
TICK_S: Final = 0.00025
"""Unit of arrival times."""
_REFERENCE_TICKS: Final = 256  # 64 ms
_NOT_RECEIVED, _SMALL, _LARGE = 0, 1, 2


@dataclass(slots=True, frozen=True)
class Arrivals:
    """One message: packet ``base_seq + n`` arrived at ``ticks[n]``, or did not."""

    base_seq: int
    count: int
    """Number of the message, modulo 256."""
    ticks: tuple[int | None, ...]
    """Arrival times in units of 250 µs since an arbitrary start."""


class FeedbackRecorder:
    """Arrival times not reported yet, of all packets of one connection."""

    __slots__ = ("_arrivals", "_count", "_first_new", "_highest", "_next_base", "_ssrc", "due_s")

    def __init__(self) -> None:
        self._arrivals: dict[int, float] = {}
        self._highest: int | None = None
        self._first_new: int | None = None
        self._next_base: int | None = None  # behind the last number reported
        self._ssrc = 0
        self._count = 0
        self.due_s = inf
        """When to report; infinite while there is nothing new."""

    def record(self, seq: int, ssrc: int, now_s: float) -> None:
        """A packet of ``ssrc`` arrived whose transport-wide number is ``seq``."""
        number = (1 << 16) + seq if self._highest is None else unwrap(seq, self._highest, 16)
        if number in self._arrivals:
            return
        self._highest = number if self._highest is None else max(number, self._highest)
        self._first_new = number if self._first_new is None else min(number, self._first_new)
        self._arrivals[number] = now_s
        self._ssrc = ssrc
        if self.due_s == inf:
            self.due_s = now_s + INTERVAL_S

    def take(self, local_ssrc: int, now_s: float) -> Iterator[TransportFeedback]:
        """Messages due now."""
        if now_s < self.due_s or self._first_new is None:
            return
        last = max(self._arrivals)
        start = self._first_new if self._next_base is None else self._next_base
        number = max(min(start, self._first_new), last - 8 * MAX_PACKETS)
        while number <= last:
            arrivals, number = self._message(number, last)
            if any(tick is not None for tick in arrivals.ticks):
                yield TransportFeedback(local_ssrc, self._ssrc, write_body(arrivals))
        self._next_base = last + 1
        self._first_new = None
        self.due_s = inf
        oldest_s = now_s - HISTORY_S
        self._arrivals = {key: at for key, at in self._arrivals.items() if at >= oldest_s}

    def _message(self, number: int, end: int) -> tuple[Arrivals, int]:
        """Fates from ``number`` to at most ``end``, and the number to go on from."""
        base, ticks, last = number, list[int | None](), None
        while number <= end and len(ticks) < MAX_PACKETS:
            arrival_s = self._arrivals.get(number)
            tick = None if arrival_s is None else int(arrival_s / TICK_S)
            if tick is not None:
                if last is not None and not -0x8000 <= tick - last <= 0x7FFF:
                    break
                last = tick
            ticks.append(tick)
            number += 1
        self._count = self._count + 1 & 0xFF
        return Arrivals(base & 0xFFFF, self._count, tuple(ticks)), number


def write_body(arrivals: Arrivals) -> bytes:
    """The message behind the two SSRCs, padded to whole words with zero bytes.

    At least one packet must have arrived; neighbouring arrivals are at most 8 s apart.
    """
    first = next(tick for tick in arrivals.ticks if tick is not None)
    reference = first // _REFERENCE_TICKS
    last = reference * _REFERENCE_TICKS
    symbols, deltas = [], bytearray()
    for tick in arrivals.ticks:
        if tick is None:
            symbols.append(_NOT_RECEIVED)
            continue
        delta, last = tick - last, tick
        if 0 <= delta <= 255:
            symbols.append(_SMALL)
            deltas.append(delta)
        else:
            symbols.append(_LARGE)
            deltas += delta.to_bytes(2, "big", signed=True)
    body = (
        arrivals.base_seq.to_bytes(2, "big")
        + len(symbols).to_bytes(2, "big")
        + (reference & 0xFFFFFF).to_bytes(3, "big")
        + bytes((arrivals.count,))
        + b"".join(_chunks(symbols))
        + deltas
    )
    return body + bytes(-len(body) % 4)


def _chunks(symbols: list[int]) -> Iterator[bytes]:
    """Run-length chunks for long runs, chunks of seven two-bit symbols for the rest."""
    position = 0
    while position < len(symbols):
        end = position
        while end < len(symbols) and symbols[end] == symbols[position]:
            end += 1
        run = end - position
        if run >= 7:
            yield (symbols[position] << 13 | run).to_bytes(2, "big")
            position = end
            continue
        packed = 0
        for symbol in [*symbols[position : position + 7], *([0] * 7)][:7]:
            packed = packed << 2 | symbol
        yield (0xC000 | packed).to_bytes(2, "big")
        position += 7


def parse_feedback(body: bytes) -> Arrivals:
    """Read a message. Raises RemoteProtocolError if it contradicts itself."""
    if len(body) < 8:
        raise RemoteProtocolError("transport feedback cut off")
    base_seq, total = int.from_bytes(body[:2], "big"), int.from_bytes(body[2:4], "big")
    symbols: list[int] = []
    position = 8
    while len(symbols) < total:
        if position + 2 > len(body):
            raise RemoteProtocolError("transport feedback with too few chunks")
        symbols += _read_chunk(int.from_bytes(body[position : position + 2], "big"))
        position += 2
    tick = int.from_bytes(body[4:7], "big", signed=True) * _REFERENCE_TICKS
    ticks: list[int | None] = []
    for symbol in symbols[:total]:
        if symbol not in {_SMALL, _LARGE}:
            ticks.append(None)
            continue
        end = position + symbol
        if end > len(body):
            raise RemoteProtocolError("transport feedback with too few arrival times")
        tick += int.from_bytes(body[position:end], "big", signed=symbol == _LARGE)
        ticks.append(tick)
        position = end
    return Arrivals(base_seq, body[7], tuple(ticks))


def _read_chunk(chunk: int) -> list[int]:
    if not chunk & 0x8000:
        return [chunk >> 13] * (chunk & 0x1FFF)
    if chunk & 0x4000:
        return [chunk >> shift & 3 for shift in range(12, -1, -2)]
    return [chunk >> shift & 1 for shift in range(13, -1, -1)]
