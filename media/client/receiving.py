"""What a client receives: the server's descriptions, and the tracks that come of them.

With two connections the server offers what it sends; with one it answers our offers, and its
answers say what it sends. A track exists when two things are known: the section that carries it
and its description in a participant's update. They come by different messages in either order.
"""

from collections.abc import Callable

from livekit.protocol import rtc

from media.client import descriptions
from media.client.events import Event, TrackSubscribed, TrackUnsubscribed
from media.client.peer import PeerLink
from media.client.roster import Roster
from media.client.tracks import InboundSection, RemoteTrack
from media.core import sdp


class Receiving:
    """The receiving side of one client, across all its sessions."""

    def __init__(
        self,
        roster: Roster,
        emit: Callable[[Event], None],
        open_peer: Callable[..., PeerLink],
        host: str,
    ) -> None:
        self._roster = roster
        self._emit = emit
        self._open_peer = open_peer
        self._host = host
        self._sections: dict[str, InboundSection] = {}  # by track sid, as last described
        self.peer: PeerLink | None = None
        self.tracks: dict[str, RemoteTrack] = {}
        self.answer: rtc.SessionDescription | None = None
        """The last answer, for the server to compare after a resume."""

    def ensure_peer(self) -> PeerLink:
        """The connection; opened if there is none."""
        if self.peer is None:
            self.peer = self._open_peer(is_offerer=False, channels=())
        return self.peer

    def take_offer(
        self, message: rtc.SessionDescription
    ) -> tuple[rtc.SessionDescription, descriptions.RemoteSide]:
        """The answer to send, and what to connect to once it is sent.

        Raises RemoteProtocolError for a malformed offer.
        """
        offer = sdp.parse(message.sdp)
        remote = descriptions.remote_side(offer)
        peer = self.ensure_peer()
        if peer.is_ice_restart(remote):
            peer.restart_ice()
        answer = descriptions.answer(offer, peer.local_side(self._host), max(1, message.id))
        self.answer = rtc.SessionDescription(type="answer", sdp=sdp.write(answer), id=message.id)
        # Tracks first: their packets may come as soon as the server has the answer.
        self._describe(offer, message)
        return self.answer, remote

    def take_answer(self, message: rtc.SessionDescription) -> None:
        """What the server sends on the single connection. Raises RemoteProtocolError."""
        self._describe(sdp.parse(message.sdp), message)

    def _describe(
        self, description: sdp.SessionDescription, message: rtc.SessionDescription
    ) -> None:
        sections = descriptions.inbound_sections(description, message.mid_to_track_id)
        self._sections = {section.track_sid: section for section in sections}
        self.match()

    def match(self) -> None:
        """Bring the tracks in line with what is described and what is known."""
        for sid in [sid for sid in self.tracks if sid not in self._sections]:
            self._emit(TrackUnsubscribed(self.tracks.pop(sid)))
        for sid, section in self._sections.items():
            found = self._roster.find_track(sid)
            track = self.tracks.get(sid)
            if track is not None:
                track.section = section
                if found is not None:
                    track.info = found[1]
            elif found is not None:
                participant, info = found
                self.tracks[sid] = RemoteTrack(info, participant, section)
                self._emit(TrackSubscribed(self.tracks[sid], participant))
        if self.peer is not None:
            self.peer.set_remote_tracks(self.tracks.values())

    def drop(self) -> None:
        """The session is over: every track ends."""
        self._sections.clear()
        self.match()

    def share_peer(self, peer: PeerLink) -> None:
        """Receive on the connection that is also sent on."""
        self.peer = peer

    async def close_peer(self) -> None:
        """End the connection."""
        peer, self.peer = self.peer, None
        if peer is not None:
            await peer.close()
