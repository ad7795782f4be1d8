"""Sequence numbers: unwrap what arrives, close the gaps that withheld packets leave.

A 16-bit wire number (``seq``) is unwrapped to an unbounded integer (``ext_seq``) as in RFC 3550
appendix A.1, so that plain ``<`` works. A receiver reads a missing number as loss and asks for it
again (RFC 4585 §6.2.1); when the node itself withholds a packet it must therefore renumber every
later one.

Pure: no clock, no I/O. One owner; not thread-safe.
"""

from bisect import bisect_left
from typing import Final

WINDOW_PACKETS: Final = 1024
"""How far behind the newest packet a retransmission can still be renumbered."""


def unwrap(value: int, near: int, bits: int) -> int:
    """The integer equal to ``value`` modulo 2^bits that lies nearest to ``near``."""
    half = 1 << (bits - 1)
    return near + ((value - near + half) & ((1 << bits) - 1)) - half


class SeqRewriter:
    """Map incoming extended sequence numbers to outgoing ones without gaps."""

    __slots__ = ("_dropped", "_floor", "_forgotten", "_newest")

    def __init__(self) -> None:
        self._newest = -1  # highest ext_seq seen, forwarded or dropped
        self._floor = -1  # below it nothing can be renumbered any more
        self._forgotten = 0  # drops pruned from the window
        self._dropped: list[int] = []  # ext_seq, ascending, inside the window

    def drop(self, ext_seq: int) -> bool:
        """Withhold ``ext_seq``. False if later packets were already numbered."""
        if ext_seq <= self._newest:
            return False
        self._advance(ext_seq)
        self._dropped.append(ext_seq)
        return True

    def skip_to(self, ext_seq: int) -> None:
        """Withhold every number not seen yet below ``ext_seq``: the sender jumped ahead.

        Numbers of the time before the jump cannot be renumbered any more.
        """
        if ext_seq > self._newest + 1:
            self._forgotten += len(self._dropped) + ext_seq - self._newest - 1
            self._dropped.clear()
            self._newest = ext_seq - 1
            self._floor = ext_seq

    def forward(self, ext_seq: int) -> int | None:
        """Outgoing number for ``ext_seq``; None if dropped or out of the window."""
        if ext_seq > self._newest:
            self._advance(ext_seq)
        if not self._dropped and ext_seq >= self._floor:  # the steady path
            return ext_seq - self._forgotten
        if ext_seq < self._floor:
            return None
        index = bisect_left(self._dropped, ext_seq)
        if index < len(self._dropped) and self._dropped[index] == ext_seq:
            return None
        return ext_seq - self._forgotten - index

    def place(self, ext_seq: int) -> int:
        """Outgoing number of ``ext_seq``; if it is dropped, that of the next one not dropped.

        It must not be further behind than the window.
        """
        return ext_seq - self._forgotten - bisect_left(self._dropped, ext_seq)

    def _advance(self, ext_seq: int) -> None:
        self._newest = ext_seq
        oldest = ext_seq - WINDOW_PACKETS + 1
        if oldest > self._floor:
            self._floor = oldest
            if self._dropped and self._dropped[0] < oldest:
                stale = bisect_left(self._dropped, oldest)
                self._forgotten += stale
                del self._dropped[:stale]
