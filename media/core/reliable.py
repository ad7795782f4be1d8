"""Reliable data across a broken line: what was sent twice, and what did not arrive.

Every reliable packet carries a number of its sender. The node remembers the last one of each
sender, drops what it has seen, and names it when the sender resumes, so that the sender repeats
what is missing. The other way round a client that resumes names the last packet it has of every
sender (``SyncState.datachannel_receive_states``), and the room repeats what came after.

Receivers drop numbers they have passed, so a repetition must come before anything newer: a
session holds its new packets back until the client has said what it has.
"""

from collections import deque
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from livekit.protocol import models

from media.core.ids import ParticipantSid

KEPT_BYTES: Final = 1 << 20
KEPT_S: Final = 60.0
"""A client that was away longer than this has been dropped (``liveness.SIGNAL_GRACE_S``)."""


class ReliableSequence:
    """The last reliable packet of one sender, to drop those it sends again."""

    def __init__(self) -> None:
        self.last = 0

    def is_new(self, packet: models.DataPacket) -> bool:
        """True for a packet not seen yet; packets without a number are always new."""
        if packet.kind != models.DataPacket.Kind.RELIABLE or packet.sequence == 0:
            return True
        if packet.sequence <= self.last:
            return False
        self.last = packet.sequence
        return True


@dataclass(frozen=True, slots=True)
class Sent:
    """A reliable packet as it left the node."""

    at_s: float
    sender: str
    """Participant sid as the receivers see it; empty for a hidden sender."""

    sequence: int
    receivers: frozenset[ParticipantSid]
    encoded: bytes


class ReliableLog:
    """The reliable packets of one room, as far back as bytes and time allow."""

    def __init__(self) -> None:
        self._sent: deque[Sent] = deque()
        self._bytes = 0

    @property
    def size_bytes(self) -> int:
        """Bytes of packets kept."""
        return self._bytes

    def note(
        self,
        packet: models.DataPacket,
        encoded: bytes,
        receivers: Collection[ParticipantSid],
        now_s: float,
    ) -> None:
        """Remember a packet; one without a number cannot be asked for again."""
        if packet.kind != models.DataPacket.Kind.RELIABLE or packet.sequence == 0:
            return
        self._sent.append(
            Sent(now_s, packet.participant_sid, packet.sequence, frozenset(receivers), encoded)
        )
        self._bytes += len(encoded)
        self._forget(now_s)

    def missing(
        self, receiver: ParticipantSid, last_seen: Mapping[str, int], now_s: float
    ) -> Iterator[bytes]:
        """Yield, oldest first, what ``receiver`` was sent and has not seen.

        ``last_seen`` maps a sender's sid to the last number the receiver has of it.
        """
        self._forget(now_s)
        for one in list(self._sent):
            if receiver in one.receivers and one.sequence > last_seen.get(one.sender, 0):
                yield one.encoded

    def _forget(self, now_s: float) -> None:
        while self._sent and (self._bytes > KEPT_BYTES or now_s - self._sent[0].at_s > KEPT_S):
            self._bytes -= len(self._sent.popleft().encoded)
