"""What a fan-out does, whichever way it is made.

Vocabulary: a *session* is one receiver with its SRTP keys and its way out; a *leg* is one stream
(SSRC) to one receiver; a *group* is the legs that get the same packets at the moment. Packets are
queued with ``multicast``, ``unicast`` and ``resend``, and leave with ``flush``, urgent ones first;
order is kept for each receiver within its class.

A stream remembers its last 1,024 packet indices and protects none of them twice, so that no nonce
is ever used for two texts (RFC 7714 §8.1); what ``resend`` sends is the ciphertext of the first
time. An SSRC that was retired never comes back within its session.

One owner, the loop of the node.
"""

import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol

WINDOW: Final = 1024
"""Packet indices a stream remembers."""
KEPT: Final = 64
"""Packets kept of a stream that is sent again under its own SSRC."""
KEPT_BYTES: Final = 1500
"""Longer packets are not kept."""
HISTORY: Final = 4096
"""Sent packets remembered for transport-wide feedback, for each session."""

PROFILE_CM: Final = 1
"""SRTP_AES128_CM_HMAC_SHA1_80 (RFC 5764 §4.1.2)."""
PROFILE_GCM: Final = 7
"""SRTP_AEAD_AES_128_GCM (RFC 7714 §14.2)."""


class MasterKey(NamedTuple):
    """What DTLS agreed for one direction."""

    profile: int
    key: bytes
    """16 bytes."""
    salt: bytes
    """14 bytes for CM, 12 for GCM."""


class PictureShift(NamedTuple):
    """How far a leg's VP8 picture numbers are ahead of the publisher's."""

    picture_id: int = 0
    tl0_index: int = 0
    key_index: int = 0


class PictureFields(NamedTuple):
    """Where a VP8 payload has its picture numbers: offsets, 0 for what is absent."""

    reserved: int = 0
    """The byte of presence bits, whose low four bits are reserved and sent as zero."""
    picture_id: int = 0
    """Of 15 bits."""
    tl0_index: int = 0
    key_index: int = 0


class Sent(NamedTuple):
    """One packet that left, as congestion control wants to know it."""

    size_bytes: int
    sent_s: float
    """Monotonic."""


@dataclass(slots=True)
class Counters:
    """Since the start."""

    sent: int = 0
    """Packets the system took."""
    octets: int = 0
    calls: int = 0
    """System calls that sent them."""
    messages: int = 0
    segmented: int = 0
    """Messages of several packets (UDP_SEGMENT)."""
    no_route: int = 0
    """Packets for a receiver without a validated path."""
    no_keys: int = 0
    """Packets for a receiver whose handshake is not done."""
    refused: int = 0
    """Packets whose index was protected before, or which are malformed."""
    failed: int = 0
    """Packets the system refused for good."""
    blocked: int = 0
    """How often the system took no more."""

    @property
    def dropped(self) -> int:
        """Packets queued that never left."""
        return self.no_route + self.no_keys + self.refused + self.failed


BeforeSend = Callable[[int, int], int]
"""Tests only: called with descriptor and number of messages before each call of the system; the
number it shall take, or a negative errno instead of the call."""


class Fanout(Protocol):
    """Build, protect and send packets; see the module's text."""

    name: str
    """``kernel`` or ``python``."""

    @property
    def counters(self) -> Counters:
        """What was done so far."""

    def open_session(self) -> int:
        """A receiver without keys and way out; its identifier."""

    def set_keys(self, session: int, master: MasterKey) -> None:
        """Keys of a session, once."""

    def set_route(self, session: int, sock: socket.socket | None, address: Any) -> None:
        """Send to an address from a socket (connected, if ``address`` is None); None: nowhere."""

    def set_relay(self, session: int, send: Callable[[bytes], object]) -> None:
        """Give the session's protected packets to a function instead of a socket."""

    def set_transport_cc(self, session: int, extension_id: int) -> None:
        """Write running numbers (transport-wide congestion control); 0: none."""

    def close_session(self, session: int) -> None:
        """Forget a receiver, its legs and its keys."""

    def open_group(self) -> int:
        """An empty group; its identifier."""

    def close_group(self, group: int) -> None:
        """Forget a group; its legs stay."""

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
        """A stream to a receiver.

        ``own_elements`` are header extension elements of this receiver only. ``keeps``: what was
        sent can be sent again with ``resend``. ValueError for an SSRC that was retired.
        """

    def move_leg(
        self,
        leg: int,
        group: int | None,
        seq_shift: int = 0,
        timestamp_shift: int = 0,
        pictures: PictureShift | None = None,
    ) -> None:
        """Put a leg into a group, or none, with the distances of its run."""

    def retire(self, session: int, ssrc: int) -> None:
        """Forget a stream and its leg; the SSRC is never taken again."""

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
        """Queue a packet for every leg of a group. ``elements``: shared header extensions."""

    def unicast(self, session: int, packet: bytes, *, urgent: bool = False) -> None:
        """Queue one plain RTP packet; its running number, if it has a place for it, is set."""

    def resend(self, leg: int, seq: int) -> None:
        """Queue the stored ciphertext of an outgoing sequence number, if it is still kept."""

    def has_room(self, size: int) -> bool:
        """Whether a packet of ``size`` bytes, elements included, can be queued before a flush."""

    def flush(self) -> bool:
        """Send everything queued. False: some waits for the system; call ``resume`` soon."""

    def resume(self) -> bool:
        """Go on sending. False: still some waits."""

    def discard(self) -> None:
        """Give up what waits for the system."""

    def history(self, session: int, first: int, count: int) -> list[Sent | None]:
        """What left under the running numbers from ``first``; None where it is not known."""
