"""Send packets to many receivers: protect each one and hand it to the kernel.

The interface is a batch on purpose: everything that one wake-up of the loop produced is
added first and leaves in one ``flush``. Order is kept per receiver. A kernel that takes no
more (EAGAIN) loses the packet, as a full router queue would; the receiver asks again.

Owner: the loop of the node. Not thread-safe.
"""

from typing import Any, Protocol

from pylibsrtp import Error as SrtpError

from media.transport.tcp import Path


class Receiver(Protocol):
    """Where a packet goes: an open SRTP session and a validated path."""

    srtp_out: Any
    """pylibsrtp session for the way out; None before DTLS is done."""

    udp: Path | None
    address: Any


class Egress:
    """Collect packets and send them in one go."""

    def __init__(self) -> None:
        self.sent = 0
        self.dropped = 0
        self._batch: list[tuple[Receiver, bytes]] = []

    def add(self, receiver: Receiver, packet: bytes) -> None:
        """Queue one plain RTP packet for the next flush."""
        self._batch.append((receiver, packet))

    def flush(self) -> None:
        """Protect and send everything queued."""
        batch = self._batch
        if not batch:
            return
        self._batch = []
        sent = 0
        for receiver, packet in batch:
            session, udp = receiver.srtp_out, receiver.udp
            if session is None or udp is None:
                continue
            try:
                sent += udp.send(session.protect(packet), receiver.address)
            except (SrtpError, ValueError):
                continue
        self.sent += sent
        self.dropped += len(batch) - sent

    def send_rtcp(self, receiver: Receiver, packet: bytes) -> None:
        """Protect and send one compound RTCP packet at once."""
        session, udp = receiver.srtp_out, receiver.udp
        if session is None or udp is None:
            return
        try:
            self.dropped += not udp.send(session.protect_rtcp(packet), receiver.address)
        except (SrtpError, ValueError):
            self.dropped += 1
