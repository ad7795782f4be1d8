"""One connection between the node and a client: path, DTLS, SRTP and data channels.

A connection begins with credentials only. A check that knows the password validates the
5-tuple it came from; only then are DTLS records from there accepted, and only a check that
nominates moves the address packets are sent to. Once the remote fingerprint is known too,
the handshake runs. ICE restarts swap the credentials and leave DTLS and SRTP alone.

The handler is told of what arrives; it must not block and is never called after ``close``.
"""

import asyncio
import logging
from collections.abc import Coroutine, Mapping
from functools import partial
from typing import Any, Final, Protocol

from aiortc import RTCCertificate
from aiortc.rtcdatachannel import RTCDataChannel
from pylibsrtp import Error as SrtpError

from media.core.rtp import RtpHeader
from media.core.traffic import Traffic
from media.transport.dtls import HANDSHAKE_MAX_BYTES, DtlsRole, DtlsSession
from media.transport.egress import Egress
from media.transport.ice import Credentials
from media.transport.intake.port import Intake
from media.transport.tcp import Path
from media.transport.udp import UdpSocket

log = logging.getLogger(__name__)

MAX_PATHS: Final = 16
"""Validated 5-tuples kept for one client; the oldest makes room."""

EARLY_RECORDS: Final = 4
"""DTLS records kept until the peer's fingerprint is known."""

LOSSY_BACKLOG_BYTES: Final = 256 * 1024
RELIABLE_BACKLOG_BYTES: Final = 8 * 1024 * 1024


CLOSED_BY_PEER: Final = "closed by the peer"
"""Reason of an orderly end, as told to ``on_closed``."""


class ConnectionHandler(Protocol):
    """Who a connection reports to."""

    def on_open(self) -> None:
        """DTLS is done; RTP can flow both ways."""

    def on_rtp(self, packet: bytes, now_s: float) -> None:
        """A plain RTP packet arrived."""

    def on_media(
        self, header: RtpHeader, packet: bytes, values: Mapping[int, bytes], now_s: float
    ) -> None:
        """The same, its header read; ``header`` is used again for the next packet."""

    def on_malformed(self) -> None:
        """An authentic packet arrived whose header contradicts itself."""

    def on_rtcp(self, packet: bytes, now_s: float) -> None:
        """A plain compound RTCP packet arrived."""

    def on_message(self, label: str, data: bytes) -> None:
        """A message arrived on the data channel ``label``."""

    def on_channel_open(self, label: str) -> None:
        """The data channel ``label`` can be sent on."""

    def on_closed(self, reason: str) -> None:
        """The peer ended the connection or broke a protocol."""


class Hub(Protocol):
    """What a connection needs of the node's transport (``media.transport.hub``)."""

    certificate: RTCCertificate
    egress: Egress
    intake: Intake
    traffic: Traffic
    connections: "set[Connection]"

    def now_s(self) -> float:
        """Monotonic time."""

    def register(self, ufrag: str, connection: "Connection") -> None:
        """Let checks for ``ufrag`` reach the connection."""

    def unregister(self, ufrag: str) -> None:
        """Forget a ufrag."""

    def spawn(self, work: Coroutine[Any, Any, None], name: str) -> "asyncio.Task[None]":
        """Run a task of the connection."""


class Connection:
    """One client's connection; made by ``TransportHub.connect``."""

    def __init__(self, hub: Hub, handler: ConnectionHandler) -> None:
        self._hub = hub
        self.handler = handler
        self.local = Credentials.draw()
        self._passwords = {self.local.ufrag: self.local.password}
        self._remote_fingerprints: list[tuple[str, str]] = []
        self._remote_ufrag = ""
        self._dtls: DtlsSession | None = None
        self._early_dtls: list[bytes] = []
        self._role: DtlsRole = "server"
        self._paths: dict[tuple[Path, Any], None] = {}
        self._channels: dict[str, RTCDataChannel] = {}
        self._own_labels: tuple[str, ...] = ()
        self._wants_data = False
        self._max_message_bytes = 65536
        self._has_sctp = False
        self._handshake: asyncio.Task[None] | None = None
        self.session = hub.egress.fanout.open_session()
        """The fan-out's name for this receiver."""
        self.intake = hub.intake.open(self)
        """The intake's name for it."""
        self.srtp_in: Any = None
        self.srtp_out: Any = None
        self.udp: Path | None = None
        self.address: Any = None
        self.is_open = False
        self.is_closed = False
        self.heard_s = hub.now_s()
        """When the peer last proved to be there."""
        self._unauthentic = 0

    @property
    def unauthentic(self) -> int:
        """Packets that came from the peer's address and were not its own."""
        return self._unauthentic + self._hub.intake.unauthentic(self.intake)

    # Signalling

    @property
    def remote_ufrag(self) -> str:
        """The ufrag of the peer's last description; a new one asks for an ICE restart."""
        return self._remote_ufrag

    def set_remote(
        self, ufrag: str, fingerprints: list[tuple[str, str]], dtls_role: DtlsRole
    ) -> None:
        """Take over the peer's description; the handshake starts with the first valid path."""
        self._remote_ufrag = ufrag
        if not self._remote_fingerprints:
            self._remote_fingerprints = fingerprints
            self._role = dtls_role
        self._maybe_start()

    def restart_ice(self) -> Credentials:
        """Draw new credentials; checks with the old ones stay valid until a new one arrives."""
        self.local = Credentials.draw()
        self._passwords[self.local.ufrag] = self.local.password
        self._hub.register(self.local.ufrag, self)
        return self.local

    def enable_data(self, own_labels: tuple[str, ...] = (), max_message_bytes: int = 65536) -> None:
        """Start SCTP as soon as DTLS is open, opening ``own_labels`` from our side."""
        if self._wants_data:
            return
        self._wants_data = True
        self._own_labels = own_labels
        self._max_message_bytes = max_message_bytes
        if self.is_open:
            self._hub.spawn(self._start_sctp(), "sctp")

    # Packets in

    def password_of(self, ufrag: str) -> str | None:
        """The password a check for ``ufrag`` has to know."""
        return self._passwords.get(ufrag)

    def path_validated(self, udp: Path, address: Any, ufrag: str, *, nominates: bool) -> None:
        """Note an authentic check from ``address``."""
        self.heard_s = self._hub.now_s()
        path = (udp, address)
        if path not in self._paths:
            self._paths[path] = None
            previous = udp.connections.get(address)
            if previous is not None and previous is not self:
                previous.forget_path(udp, address)
            udp.connections[address] = self
            self._hub.intake.add_path(udp, address, self.intake)
            if len(self._paths) > MAX_PATHS:
                self._drop_oldest_path()
        if self.udp is None or nominates:
            self._route(udp, address)
        if ufrag == self.local.ufrag and len(self._passwords) > 1:
            for old in [old for old in self._passwords if old != ufrag]:
                del self._passwords[old]
                self._hub.unregister(old)
        self._maybe_start()

    def forget_path(self, udp: Path, address: Any) -> None:
        """The address now belongs to another connection."""
        self._paths.pop((udp, address), None)
        if self.udp is udp and self.address == address:
            self._route(None, None)

    def _route(self, path: Path | None, address: Any) -> None:
        """Send to that address from now on; None: nowhere."""
        if (path, address) == (self.udp, self.address):
            return
        self.udp, self.address = path, address
        egress = self._hub.egress
        if path is None or isinstance(path, UdpSocket):
            egress.fanout.set_route(self.session, path.sock if path else None, address)
        else:
            egress.fanout.set_relay(self.session, partial(egress.relay, path, address))

    def receive_dtls(self, data: bytes) -> None:
        """Take a DTLS record from a validated path."""
        if self._dtls is None:
            # The path is validated, but the description is still on its way by WebSocket; a
            # ClientHello lost here would cost the client a second (RFC 6347 §4.2.4.1).
            if len(self._early_dtls) < EARLY_RECORDS:
                self._early_dtls.append(data)
            return
        self._dtls.pipe.feed(data)
        if not self.is_open and self._dtls.pipe.received_bytes > HANDSHAKE_MAX_BYTES:
            self.fail("DTLS handshake too long")

    def receive_srtp(self, data: bytes, now_s: float) -> None:
        """Take an SRTP or SRTCP packet from a validated path (RFC 5761 §4 tells them apart)."""
        session = self.srtp_in
        if session is None or len(data) < 8:
            return
        if not self._hub.intake.take(self.intake, now_s):
            self._hub.traffic.flooded += 1
            return
        is_rtcp = 192 <= data[1] <= 223
        try:
            plain = session.unprotect_rtcp(data) if is_rtcp else session.unprotect(data)
        except (SrtpError, ValueError):
            self._unauthentic += 1
            return
        self.heard_s = now_s
        if is_rtcp:
            self.handler.on_rtcp(plain, now_s)
        else:
            self.handler.on_rtp(plain, now_s)

    # Packets out

    def send_rtcp(self, packet: bytes) -> None:
        """Send a compound RTCP packet now."""
        self._hub.egress.send_rtcp(self, packet)

    def send_message(self, label: str, data: bytes, *, is_reliable: bool) -> bool:
        """Send on a data channel; False when it is not open.

        A lossy message is dropped when the peer is slow. A reliable backlog beyond
        ``RELIABLE_BACKLOG_BYTES`` fails the connection: silence would break the promise.
        """
        channel = self._channels.get(label)
        if channel is None or channel.readyState != "open":
            return False
        if not is_reliable and channel.bufferedAmount > LOSSY_BACKLOG_BYTES:
            return True
        if is_reliable and channel.bufferedAmount > RELIABLE_BACKLOG_BYTES:
            self.fail("the peer does not take its reliable data")
            return False
        try:
            channel.send(data)
        except ValueError:  # longer than the peer announced to accept
            return True
        return True

    def pause_data(self, seconds: float) -> None:
        """Read the peer's next data that much later: its own flow control slows it down."""
        if self._dtls is not None:
            self._dtls.pause_data(seconds)

    def has_channel(self, label: str) -> bool:
        """True when messages can be sent on ``label``."""
        channel = self._channels.get(label)
        return channel is not None and channel.readyState == "open"

    # End

    def fail(self, reason: str) -> None:
        """Give the peer up: tell the handler once; it closes the connection."""
        if not self.is_closed:
            self.handler.on_closed(reason)

    async def close(self) -> None:
        """Release everything; idempotent."""
        if self.is_closed:
            return
        self.is_closed = True
        self.is_open = False
        self._hub.intake.close(self.intake)
        for ufrag in self._passwords:
            self._hub.unregister(ufrag)
        if self._handshake is not None and self._handshake is not asyncio.current_task():
            self._handshake.cancel()
            await asyncio.gather(self._handshake, return_exceptions=True)
        if self._dtls is not None:
            await self._dtls.close()
        for udp, address in list(self._paths):
            self._disown(udp, address)
        self._paths.clear()
        self._channels.clear()
        self.srtp_in = self.srtp_out = self.udp = self.address = None
        self._hub.egress.fanout.close_session(self.session)
        self._hub.connections.discard(self)

    def _drop_oldest_path(self) -> None:
        for path in self._paths:
            if path != (self.udp, self.address):
                udp, address = path
                del self._paths[path]
                self._disown(udp, address)
                return

    def _disown(self, udp: Path, address: Any) -> None:
        if udp.connections.get(address) is self:
            del udp.connections[address]
            self._hub.intake.drop_path(udp, address)

    def _maybe_start(self) -> None:
        if self._dtls is None and self.udp is not None and self._remote_fingerprints:
            self._dtls = DtlsSession(
                self._hub.certificate, self._role, self._send_datagram, self._dtls_ended
            )
            for data in self._early_dtls:
                self._dtls.pipe.feed(data)
            self._early_dtls.clear()
            self._handshake = self._hub.spawn(self._run_handshake(self._dtls), "dtls")

    def _send_datagram(self, data: bytes) -> None:
        if self.udp is not None:
            self.udp.send(data, self.address)

    async def _run_handshake(self, dtls: DtlsSession) -> None:
        if not await dtls.handshake(self._remote_fingerprints):
            self.fail("DTLS handshake failed")
            return
        self.srtp_in, self.srtp_out = dtls.srtp_in, dtls.srtp_out
        self._hub.egress.fanout.set_keys(self.session, dtls.key_out())
        self._hub.intake.set_srtp(self.intake, dtls.srtp_in)
        self.is_open = True
        self.handler.on_open()
        if self._wants_data:
            await self._start_sctp()

    def _dtls_ended(self) -> None:
        if self.is_open:
            self.is_open = False
            self.fail(CLOSED_BY_PEER)

    async def _start_sctp(self) -> None:
        if self._has_sctp or self._dtls is None or self.is_closed:
            return
        self._has_sctp = True
        await self._dtls.open_sctp(self._channel_arrived, self.fail, self._max_message_bytes)
        for label in self._own_labels:
            channel = self._dtls.open_channel(label, is_reliable=label == "_reliable")
            self._watch_channel(channel)

    def _channel_arrived(self, channel: RTCDataChannel) -> None:
        self._watch_channel(channel)
        self._channel_ready(channel.label)

    def _watch_channel(self, channel: RTCDataChannel) -> None:
        label = channel.label
        self._channels[label] = channel

        def receive(data: bytes | str) -> None:
            if not self.is_closed:
                self.handler.on_message(label, data.encode() if isinstance(data, str) else data)

        channel.on("message", receive)
        channel.on("open", lambda: self._channel_ready(label))

    def _channel_ready(self, label: str) -> None:
        if not self.is_closed:
            self.handler.on_channel_open(label)
