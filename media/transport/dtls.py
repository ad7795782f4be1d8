"""DTLS, SRTP keys and SCTP from aiortc, and the only place that touches its private names.

``RTCDtlsTransport`` is used without its peer connection. It wants an ICE transport: it
gets :class:`DatagramPipe`, fed by the demultiplexer with DTLS records only (RFC 7983).
SRTP is taken from the session it keyed and never passes through its task.

Private names of aiortc 1.16.0 in use, checked by ``tests/unit/media_transport``:
``RTCDtlsTransport._set_role/_rx_srtp/_tx_srtp/_srtp_profiles/_ssl``,
``RTCCertificate._create_ssl_context`` (always with ``SRTP_PROFILES``),
``RTCSctpTransport._handle_data/_send_chunk/_advertised_rwnd/_data_channels``,
``rtcdtlstransport.SRTP_AEAD_AES_128_GCM/SRTP_AES128_CM_SHA1_80``.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Final, Literal

from aiortc import rtcdtlstransport
from aiortc.rtcdatachannel import RTCDataChannel, RTCDataChannelParameters
from aiortc.rtcdtlstransport import (
    RTCCertificate,
    RTCDtlsFingerprint,
    RTCDtlsParameters,
    RTCDtlsTransport,
)
from aiortc.rtcsctptransport import RTCSctpCapabilities, RTCSctpTransport
from OpenSSL import SSL

from media.core.sctp_guard import check_packet
from media.transport.fanout.port import MasterKey

log = logging.getLogger(__name__)

DtlsRole = Literal["server", "client"]

HANDSHAKE_TIMEOUT_S: Final = 20.0
"""Enough for five retransmissions of a flight (1, 2, 4, 8 s) on a lossy line."""

HANDSHAKE_MAX_BYTES: Final = 64 * 1024
PIPE_PACKETS: Final = 512
"""DTLS records waiting for the task; one SCTP window of 64 kB messages fits."""

SCTP_PORT: Final = 5000
MAX_MESSAGE_BYTES: Final = 65536
MAX_CHANNELS: Final = 16
MAX_PAUSE_S: Final = 1.0
"""A longer wait would look like a dead peer to the other side (RFC 9260 §8.1)."""

SRTP_PROFILES: Final = [
    rtcdtlstransport.SRTP_AEAD_AES_128_GCM,
    rtcdtlstransport.SRTP_AES128_CM_SHA1_80,
]
"""The cheaper GCM first; CM for clients without GCM (RFC 7714, RFC 5764)."""


class SharedCertificate(RTCCertificate):
    """A certificate whose TLS context is made once and used for every connection.

    Making one reads key and certificate anew, which costs more than the rest of a handshake's
    beginning when a whole province joins within seconds.
    """

    _context: SSL.Context | None = None

    def _create_ssl_context(self, srtp_profiles: list[Any]) -> SSL.Context:
        if self._context is None:
            self._context = super()._create_ssl_context(srtp_profiles)
            self._context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
        return self._context


def new_certificate() -> RTCCertificate:
    """Generate the key and certificate the node shows to every peer of this run."""
    return SharedCertificate.generateCertificate()


def sha256_fingerprint(certificate: RTCCertificate) -> str:
    """Fingerprint for ``a=fingerprint:sha-256`` (RFC 8122)."""
    return next(f.value for f in certificate.getFingerprints() if f.algorithm == "sha-256")


class DatagramPipe:
    """The ICE transport as ``RTCDtlsTransport`` sees it: a queue in, a function out."""

    role = "controlled"

    def __init__(self, send: Callable[[bytes], None]) -> None:
        self._send_datagram = send
        self._queue: asyncio.Queue[bytes | None] = asyncio.Queue(PIPE_PACKETS)
        self._is_closed = False
        self.received_bytes = 0
        self.dropped = 0

    def feed(self, data: bytes) -> None:
        """Take one datagram from the network; a full queue loses it."""
        if self._is_closed:
            return
        self.received_bytes += len(data)
        try:
            self._queue.put_nowait(data)
        except asyncio.QueueFull:
            self.dropped += 1

    def close(self) -> None:
        """End the stream: the reader gets ConnectionError."""
        self._is_closed = True
        if self._queue.full():
            self._queue.get_nowait()
        self._queue.put_nowait(None)

    async def _recv(self) -> bytes:
        data = await self._queue.get()
        if data is None:
            self._queue.put_nowait(None)
            raise ConnectionError("closed")
        return data

    async def _send(self, data: bytes) -> None:
        if self._is_closed:
            raise ConnectionError("closed")
        self._send_datagram(data)


class GuardedSctp(RTCSctpTransport):
    """SCTP that checks every packet first, and whose faults end this peer only."""

    on_fault: Callable[[str], None] | None = None
    pause_s = 0.0
    """How long the next packet waits; set by who finds that the peer sends too much."""

    async def _handle_data(self, data: bytes) -> None:
        if self.pause_s > 0:
            # Records behind this one wait in a bounded queue; what it cannot hold is lost, and
            # SCTP's congestion control makes the peer slow down.
            pause_s, self.pause_s = min(self.pause_s, MAX_PAUSE_S), 0.0
            await asyncio.sleep(pause_s)
        try:
            check_packet(data)
            await super()._handle_data(data)
        except ConnectionError:
            raise
        except Exception as error:
            # aiortc asserts on what a peer sends; the blame is the peer's.
            log.info("closing a peer for malformed SCTP: %r", error)
            self._report("malformed SCTP")
        if self._advertised_rwnd < 0 or len(self._data_channels) > MAX_CHANNELS:
            self._report("the peer ignores the limits of its data channels")

    def _report(self, fault: str) -> None:
        if self.on_fault is not None:
            self.on_fault(fault)

    async def _send_chunk(self, chunk: Any) -> None:
        # Timers of aiortc send from bare tasks: after the peer is gone there is nobody to
        # tell, and the packet is simply lost.
        try:
            await super()._send_chunk(chunk)
        except (ConnectionError, SSL.Error):
            return


class DtlsSession:
    """One DTLS association: handshake, SRTP sessions and, if wanted, SCTP."""

    def __init__(
        self,
        certificate: RTCCertificate,
        role: DtlsRole,
        send: Callable[[bytes], None],
        on_ended: Callable[[], None],
    ) -> None:
        self._on_ended = on_ended
        self._role = role
        self.pipe = DatagramPipe(send)
        self._dtls = RTCDtlsTransport(self.pipe, [certificate])  # type: ignore[arg-type]
        self._dtls._set_role(role)
        self._dtls._srtp_profiles = SRTP_PROFILES
        self._dtls.on("statechange", self._state_changed)
        self._sctp: GuardedSctp | None = None

    @property
    def srtp_in(self) -> Any:
        """The pylibsrtp session for received packets; None before the handshake."""
        return self._dtls._rx_srtp

    @property
    def srtp_out(self) -> Any:
        """The pylibsrtp session for sent packets; None before the handshake."""
        return self._dtls._tx_srtp

    def key_out(self) -> MasterKey:
        """Master key of what is sent, after the handshake (RFC 5764 §4.2)."""
        ssl = self._dtls._ssl
        assert ssl is not None, "the handshake comes first"
        agreed = ssl.get_selected_srtp_profile()
        profile = next(one for one in SRTP_PROFILES if one.openssl_profile == agreed)
        sizes = profile.key_length, profile.salt_length
        material = ssl.export_keying_material(b"EXTRACTOR-dtls_srtp", 2 * sum(sizes))
        both = profile.get_key_and_salt(material, 1 if self._role == "server" else 0)
        return MasterKey(profile.libsrtp_profile, both[: sizes[0]], both[sizes[0] :])

    @property
    def is_open(self) -> bool:
        """True between a finished handshake and the end of the association."""
        return self._dtls.state == "connected"

    async def handshake(self, fingerprints: list[tuple[str, str]]) -> bool:
        """Run the handshake; False when it fails, is too slow or shows another certificate.

        ``fingerprints`` are ``(algorithm, value)`` pairs of the remote SDP.
        """
        parameters = RTCDtlsParameters([RTCDtlsFingerprint(a, v) for a, v in fingerprints])
        try:
            async with asyncio.timeout(HANDSHAKE_TIMEOUT_S):
                await self._dtls.start(parameters)
        except (TimeoutError, ConnectionError, SSL.Error):
            return False
        return self.is_open

    async def open_sctp(
        self,
        on_channel: Callable[[RTCDataChannel], None],
        on_fault: Callable[[str], None],
        max_message_bytes: int = MAX_MESSAGE_BYTES,
    ) -> None:
        """Start SCTP on the open association (RFC 8841); ``on_channel`` gets the peer's."""
        self._sctp = GuardedSctp(self._dtls, SCTP_PORT)
        self._sctp.on_fault = on_fault
        self._sctp.on("datachannel", on_channel)
        await self._sctp.start(RTCSctpCapabilities(max_message_bytes), SCTP_PORT)

    def open_channel(self, label: str, *, is_reliable: bool) -> RTCDataChannel:
        """Open a data channel from our side: ordered, or unordered without resending."""
        assert self._sctp is not None, "open_sctp comes first"
        parameters = RTCDataChannelParameters(
            label=label, ordered=is_reliable, maxRetransmits=None if is_reliable else 0
        )
        return RTCDataChannel(self._sctp, parameters)

    def pause_data(self, seconds: float) -> None:
        """Let the peer's next SCTP packet wait."""
        if self._sctp is not None:
            self._sctp.pause_s = seconds

    def _state_changed(self) -> None:
        if self._dtls.state == "closed":
            self._on_ended()

    async def close(self) -> None:
        """End SCTP, then DTLS: the other order leaves errors nobody retrieves."""
        if self._sctp is not None:
            await self._sctp.stop()
        await self._dtls.stop()
        self.pipe.close()
