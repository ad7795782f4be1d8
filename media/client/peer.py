"""One connection to the server: UDP socket, ICE, DTLS, SRTP, data channels, RTCP timing.

The owner gives it the server's transport parameters and candidates and hears of what
happens through :class:`PeerHandler`. ``Routes`` knows which packet belongs to which track.

Runs on one event loop. A single timer serves ICE, feedback and reports.
"""

import asyncio
import logging
import socket
import time
from collections.abc import Iterable
from typing import Any, Final, Protocol

from aiortc.rtcdatachannel import RTCDataChannel
from aiortc.rtcdtlstransport import RTCCertificate
from pylibsrtp import Error as SrtpError

from media.client.descriptions import LocalSide, RemoteSide, host_candidate
from media.client.ice import Address, IceAgent
from media.client.local import LocalTrack
from media.client.routes import Routes
from media.client.tracks import RemoteTrack
from media.core import rtcp
from media.core.errors import RemoteProtocolError
from media.transport.dtls import DtlsSession, sha256_fingerprint
from media.transport.udp import UdpPort, UdpSocket, local_addresses

log = logging.getLogger(__name__)

MIN_TICK_S: Final = 0.005
LOSSY_BACKLOG_BYTES: Final = 256 * 1024
MAX_CANDIDATES: Final = 8


class PeerHandler(Protocol):
    """Who a connection reports to; never called after ``close``."""

    def on_open(self, peer: "PeerLink") -> None:
        """DTLS is done: media flows."""

    def on_lost(self, peer: "PeerLink", reason: str) -> None:
        """No answer any more, or DTLS ended."""

    def on_message(self, label: str, data: bytes) -> None:
        """A message came on a data channel."""


class PeerLink:
    """A PeerConnection's worth of transport, without its negotiation."""

    def __init__(
        self,
        handler: PeerHandler,
        certificate: RTCCertificate,
        *,
        is_offerer: bool,
        channels: tuple[str, ...] = (),
        read_every_s: float = 0.0,
    ) -> None:
        """``read_every_s``: intervals at which packets are looked for once connected; 0: always."""
        self._handler = handler
        self._read_every_s = read_every_s
        self._certificate = certificate
        self._is_offerer = is_offerer
        self._own_channels = channels
        self._loop = asyncio.get_running_loop()
        self.agent = IceAgent(is_controlling=is_offerer)
        self._ports: dict[int, UdpPort] = {}
        self._dtls: DtlsSession | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_s = float("inf")
        self._srtp_in: Any = None
        self._srtp_out: Any = None
        self.channels: dict[str, RTCDataChannel] = {}
        self.opened = asyncio.Event()
        self._path_found = asyncio.Event()
        self._is_closed = False
        self._is_lost = False
        self.routes = Routes()
        self.received = 0
        self.dropped = 0

    # Signalling

    def local_side(self, server: str) -> LocalSide:
        """Our parameters; the address used towards ``server`` is the first candidate.

        A lite server learns our address from our checks; a full one nominates a second
        sooner when it was told.
        """
        port = self._port(socket.AF_INET).sockets[0].port
        towards = _address_towards(server)
        addresses = dict.fromkeys([*([towards] if towards else []), *local_addresses()])
        candidates = tuple(
            host_candidate(address, port, index)
            for index, address in enumerate(list(addresses)[:MAX_CANDIDATES])
        )
        return LocalSide(
            ufrag=self.agent.local.ufrag,
            password=self.agent.local.password,
            sha256=sha256_fingerprint(self._certificate),
            candidates=candidates,
        )

    def set_remote(self, remote: RemoteSide) -> None:
        """Take the server's description; the handshake starts with the first path."""
        if remote.is_lite:
            self.agent.is_controlling = True
        self.agent.set_remote(remote.ufrag, remote.password)
        for candidate in remote.candidates:
            self.agent.add_candidate(candidate)
        if self._dtls is None:
            # An answer of "active" makes us the server; everything else makes us the client.
            role = "server" if self._is_offerer and remote.setup == "active" else "client"
            self._dtls = DtlsSession(self._certificate, role, self._send, self._dtls_ended)  # type: ignore[arg-type]
            self._spawn(self._run(self._dtls, list(remote.fingerprints), remote.has_data), "dtls")
        self._tick()

    def add_candidate(self, candidate: str) -> None:
        """Take a trickled candidate."""
        self.agent.add_candidate(candidate)
        self._tick()

    def restart_ice(self) -> None:
        """Draw new ICE credentials; DTLS and SRTP stay."""
        self.agent.restart()
        self._is_lost = False
        self._tick()

    def is_ice_restart(self, remote: RemoteSide) -> bool:
        """Whether a description of the server restarts ICE on this connection."""
        return self.agent.has_other_remote(remote.ufrag, remote.password)

    def forgive(self) -> None:
        """The session was resumed: give the connection time to answer again."""
        self._is_lost = False
        self.agent.renew_consent(self._loop.time())

    def has_channel(self, label: str) -> bool:
        """Whether messages can be sent on the data channel ``label``."""
        channel = self.channels.get(label)
        return channel is not None and channel.readyState == "open"

    async def wait_channel(self, label: str, timeout_s: float) -> bool:
        """Wait until messages can be sent on ``label``; False when it takes too long."""
        try:
            async with asyncio.timeout(timeout_s):
                await self.opened.wait()
                channel = self.channels.get(label)
                if channel is not None and channel.readyState == "connecting":
                    opened = asyncio.Event()
                    channel.once("open", opened.set)
                    await opened.wait()
        except TimeoutError:
            return False
        return self.has_channel(label)

    # Tracks

    def set_remote_tracks(self, tracks: Iterable[RemoteTrack]) -> None:
        """The tracks the server sends from now on."""
        self.routes.set_remote(tracks)
        for track in self.routes.remote.values():
            track.on_wish = self.request_feedback

    def add_local_track(self, track: LocalTrack) -> None:
        """Carry a published track."""
        for layer in track.layers:
            self.routes.local[layer.ssrc] = layer
            layer.attach(self.send_rtp, time.time)

    def remove_local_track(self, track: LocalTrack) -> None:
        """Stop carrying it."""
        for layer in track.layers:
            self.routes.local.pop(layer.ssrc, None)
            layer.detach()

    def request_feedback(self) -> None:
        """Something became due: look now rather than at the next tick."""
        self._arm(self._loop.time() + MIN_TICK_S)

    # Sending

    def send_rtp(self, packet: bytes) -> None:
        """Protect and send one RTP packet; dropped while there is no connection."""
        if self._srtp_out is not None:
            try:
                self._send(self._srtp_out.protect(packet))
            except (SrtpError, ValueError):
                self.dropped += 1

    def send_rtcp(self, packets: list[rtcp.RtcpPacket]) -> None:
        """Protect and send one compound."""
        if self._srtp_out is not None and packets:
            try:
                self._send(self._srtp_out.protect_rtcp(rtcp.write(packets)))
            except (SrtpError, ValueError):
                self.dropped += 1

    def send_message(self, label: str, data: bytes) -> bool:
        """Send on a data channel; False when it is not open or a lossy one is full."""
        if not self.has_channel(label):
            return False
        channel = self.channels[label]
        if label != "_reliable" and channel.bufferedAmount > LOSSY_BACKLOG_BYTES:
            return False
        channel.send(data)
        return True

    # Somebody else reads (media.client.drain)

    def stop_reading(self) -> list[socket.socket]:
        """Hand the sockets over: whoever has them gives back by ``feed`` what is not media."""
        return [sock for port in self._ports.values() for sock in port.stop_reading()]

    def feed(self, data: bytes) -> None:
        """Take a datagram from the selected address."""
        self._on_datagram(None, data, self.agent.selected or ("", 0))

    def unprotect(self, data: bytes) -> bytes | None:
        """The plain RTP packet; None if it is not authentic."""
        try:
            return bytes(self._srtp_in.unprotect(data))
        except (SrtpError, ValueError, AttributeError):
            return None

    # Inside: sockets

    def _port(self, family: int) -> UdpPort:
        port = self._ports.get(family)
        if port is None:
            port = self._ports[family] = UdpPort(self._on_datagram)
            # A client has one server: the kernel picks the source address it expects.
            port.open(["0.0.0.0" if family == socket.AF_INET else "::"], 0)  # noqa: S104
        return port

    def _send(self, data: bytes) -> None:
        if self.agent.selected is not None:
            self._send_to(data, self.agent.selected)

    def _send_to(self, data: bytes, address: Address) -> None:
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        try:
            self._port(family).sockets[0].send(data, address)
        except OSError:
            self.dropped += 1

    def _on_datagram(self, _socket: UdpSocket | None, data: bytes, source: Any) -> None:
        first = data[0] if data else 255
        if 128 <= first <= 191:
            self._receive_srtp(data)
        elif first <= 3:
            self.agent.handle(data, (source[0], source[1]), self._loop.time())
            if self.agent.selected is not None:
                self._path_found.set()
            self._tick()
        elif 20 <= first <= 63:
            if self._dtls is not None:
                self._dtls.pipe.feed(data)
        else:
            self.dropped += 1

    def _receive_srtp(self, data: bytes) -> None:
        if self._srtp_in is None:
            self.dropped += 1
            return
        now_s = self._loop.time()
        try:
            if rtcp.is_rtcp(data):
                self.routes.receive_rtcp(self._srtp_in.unprotect_rtcp(data), now_s)
            else:
                self._handle_rtp(self._srtp_in.unprotect(data), now_s)
        except (SrtpError, ValueError, RemoteProtocolError):
            self.dropped += 1

    def _handle_rtp(self, data: bytes, now_s: float) -> None:
        track = self.routes.receive_rtp(data, now_s)
        if track is None:
            self.dropped += 1
            return
        self.received += 1
        if track.deadline_s < self._timer_s:
            self._arm(track.deadline_s)

    # Inside: time

    def _arm(self, at_s: float) -> None:
        if self._is_closed or (self._timer is not None and self._timer_s <= at_s):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_s = max(at_s, self._loop.time() + MIN_TICK_S)
        self._timer = self._loop.call_at(self._timer_s, self._tick)

    def _tick(self) -> None:
        if self._is_closed:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer, self._timer_s = None, float("inf")
        now_s = self._loop.time()
        for datagram, address in self.agent.poll(now_s):
            self._send_to(datagram, address)
        if self.agent.is_lost(now_s):
            self._lost("the server does not answer")
        if self._srtp_out is not None:
            for compound in self.routes.due(now_s):
                self.send_rtcp(compound)
        self._arm(min(self.agent.deadline_s, self.routes.deadline_s(now_s)))

    # Inside: DTLS

    async def _run(
        self, dtls: DtlsSession, fingerprints: list[tuple[str, str]], has_data: bool
    ) -> None:
        await self._path_found.wait()
        if not await dtls.handshake(fingerprints):
            self._lost("the DTLS handshake failed")
            return
        self._srtp_in, self._srtp_out = dtls.srtp_in, dtls.srtp_out
        if has_data:
            await dtls.open_sctp(self._watch, self._lost)
            for label in self._own_channels:
                self._watch(dtls.open_channel(label, is_reliable=label == "_reliable"))
        if self._read_every_s:
            for port in self._ports.values():
                port.read_every(self._read_every_s)
        self.opened.set()
        self._handler.on_open(self)
        self._tick()

    def _watch(self, channel: RTCDataChannel) -> None:
        label = channel.label
        self.channels[label] = channel

        def receive(data: bytes | str) -> None:
            if not self._is_closed:
                self._handler.on_message(label, data.encode() if isinstance(data, str) else data)

        channel.on("message", receive)

    def _dtls_ended(self) -> None:
        if self.opened.is_set():
            self._lost("the server ended the connection")

    def _lost(self, reason: str) -> None:
        if not self._is_lost and not self._is_closed:
            self._is_lost = True
            self._handler.on_lost(self, reason)

    def _spawn(self, work: Any, name: str) -> None:
        task = self._loop.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._task_done)

    def _task_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("task %s failed", task.get_name(), exc_info=error)

    async def close(self) -> None:
        """Release everything; idempotent."""
        if self._is_closed:
            return
        self._is_closed = True
        if self._timer is not None:
            self._timer.cancel()
        for track in self.routes.local.values():
            track.detach()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._dtls is not None:
            await self._dtls.close()
        for port in self._ports.values():
            port.close()


def _address_towards(server: str) -> str | None:
    """The local IPv4 address packets to ``server`` leave from; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((server, 9))
        except OSError:
            return None
        return str(probe.getsockname()[0])
