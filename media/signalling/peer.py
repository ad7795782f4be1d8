"""One peer connection: a transport connection joined to its media core.

Packets come out of ``media.transport`` decrypted, go through the core, and what the core
wants sent goes back. A packet the core rejects as malformed is counted and dropped.
"""

import secrets
from collections.abc import Mapping
from typing import Protocol

from media.core.errors import RemoteProtocolError
from media.core.forward import DownTrack
from media.core.negotiation import LocalTransport, dtls_role, remote_transport
from media.core.peer import MediaPeer
from media.core.rtp import RtpHeader
from media.core.sdp import SessionDescription
from media.core.track import UpTrack
from media.transport.fanout.port import Sent
from media.transport.hub import TransportHub


class PeerOwner(Protocol):
    """Who hears of the life of a peer connection."""

    def peer_opened(self, peer: "PeerConnection") -> None:
        """DTLS is done."""

    def peer_failed(self, peer: "PeerConnection", reason: str) -> None:
        """The client ended the connection or broke a protocol."""

    def channel_opened(self, peer: "PeerConnection", label: str) -> None:
        """Messages can be sent on a data channel."""

    def message_arrived(self, peer: "PeerConnection", label: str, data: bytes) -> None:
        """A message came by a data channel."""


class PeerConnection:
    """Transport and media of one connection with one client."""

    def __init__(self, hub: TransportHub, owner: PeerOwner) -> None:
        self._hub = hub
        self._owner = owner
        self.media = MediaPeer(local_ssrc=secrets.randbits(32) or 1, traffic=hub.traffic)
        self.connection = hub.connect(self)
        self.malformed = 0
        self._has_failed = False

    @property
    def is_open(self) -> bool:
        """True once media can flow and until the end."""
        return self.connection.is_open

    def local_transport(self) -> LocalTransport:
        """What our descriptions say about this connection."""
        local = self.connection.local
        return LocalTransport(
            local.ufrag, local.password, self._hub.fingerprint, tuple(self._hub.candidates())
        )

    def accept_remote(self, description: SessionDescription) -> None:
        """Take over the client's side; an ICE restart of the client is answered by ours.

        RemoteProtocolError when the description lacks what a connection needs.
        """
        remote = remote_transport(description)
        known = self.connection.remote_ufrag
        if known and known != remote.ufrag and description_is_offer(remote.setup):
            self.connection.restart_ice()
        self.connection.set_remote(remote.ufrag, list(remote.fingerprints), dtls_role(remote.setup))

    def poll(self, now_s: float) -> None:
        """Send the RTCP that is due."""
        if now_s >= self.media.next_poll_s and self.connection.is_open:
            for compound in self.media.poll(now_s):
                self.connection.send_rtcp(compound)
        for packet in self.media.probes(now_s):
            self._hub.egress.add(self.connection, packet)

    def add_down_track(self, down: DownTrack) -> None:
        """A subscription of this connection begins."""
        if down.own_extensions.cc_id:  # packets are numbered, so feedback can be read
            self.media.sent_history = self._sent_history
        self.media.add_down_track(down)

    def _sent_history(self, first: int, count: int) -> list[Sent | None]:
        return self._hub.egress.sent_history(self.connection, first, count)

    def remove_down_track(self, down: DownTrack) -> None:
        """A subscription of this connection is over."""
        self.media.remove_down_track(down)
        self._hub.egress.retire(down)

    def set_up_track(self, mid: str, track: UpTrack) -> None:
        """A track is published over this connection."""
        self.media.set_up_track(mid, track)
        self._hub.intake.set_elements(self.connection.intake, *self.media.element_ids)

    def remove_up_track(self, mid: str) -> None:
        """A track published over this connection is over."""
        track = self.media.remove_up_track(mid)
        if track is not None:
            for layer in track.layers:
                self._hub.egress.retire_groups(layer.all_groups())

    async def close(self) -> None:
        """Release the transport."""
        await self.connection.close()

    # What the transport reports.

    def on_open(self) -> None:
        """DTLS is done."""
        self._owner.peer_opened(self)

    def on_rtp(self, packet: bytes, now_s: float) -> None:
        """Forward a packet to the track's subscribers."""
        try:
            outgoing = self.media.route_rtp(packet, now_s)
        except RemoteProtocolError:
            self.malformed += 1
            return
        if outgoing:
            self._hub.egress.send(outgoing)

    def on_media(
        self, header: RtpHeader, packet: bytes, values: Mapping[int, bytes], now_s: float
    ) -> None:
        """The same for a packet whose header has been read."""
        try:
            outgoing = self.media.route(header, packet, values, now_s)
        except RemoteProtocolError:
            self.malformed += 1
            return
        if outgoing:
            self._hub.egress.send(outgoing)

    def on_malformed(self) -> None:
        """Count a packet whose header contradicts itself."""
        self.malformed += 1

    def on_rtcp(self, packet: bytes, now_s: float) -> None:
        """Take in reports and feedback; resend what was asked for."""
        try:
            resent = self.media.handle_rtcp(packet, now_s)
        except RemoteProtocolError:
            self.malformed += 1
            return
        for data in resent:
            self._hub.egress.resend(self.connection, data)

    def on_message(self, label: str, data: bytes) -> None:
        """Pass a data message on."""
        self._owner.message_arrived(self, label, data)

    def on_channel_open(self, label: str) -> None:
        """Pass the opening of a channel on."""
        self._owner.channel_opened(self, label)

    def on_closed(self, reason: str) -> None:
        """Report the end, once."""
        if not self._has_failed:
            self._has_failed = True
            self._owner.peer_failed(self, reason)


def description_is_offer(setup: str) -> bool:
    """True for the ``a=setup`` value of an offer (RFC 8842 §5.2)."""
    return setup == "actpass"
