"""Data packets of one room: to whom each goes, and what is repeated after a broken line.

A packet that answers a call of the Server API ends here. Everything else is passed on as it came,
once for each receiver; the room's log keeps reliable packets for those who resume.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from livekit.protocol import models, rtc

from media.core import data as packets
from media.core.ids import ParticipantSid
from media.core.reliable import ReliableLog
from media.core.room import Participant, Room

if TYPE_CHECKING:
    from media.signalling.session import Session


class DataExchange:
    """Passes packets between the ``sessions`` of ``room``."""

    def __init__(
        self,
        room: Room,
        sessions: "Mapping[ParticipantSid, Session]",
        *,
        now_s: Callable[[], float],
        answer_rpc: "Callable[[Session, models.DataPacket], bool]",
    ) -> None:
        self._room = room
        self._sessions = sessions
        self._now_s = now_s
        self._answer_rpc = answer_rpc
        self._log = ReliableLog()
        self._nonces = packets.Nonces()

    def arrived(self, session: "Session", packet: models.DataPacket) -> None:
        """Pass on a packet of a participant, sender stamped."""
        if self._answer_rpc(session, packet):
            return
        if packet.WhichOneof("value") == "user" and not self._nonces.is_new(packet.user.nonce):
            return
        self.deliver(packet, session.participant)

    def send(self, packet: models.DataPacket) -> None:
        """Send a packet of the Server API; a nonce that was used is sent once."""
        if self._nonces.is_new(packet.user.nonce):
            self.deliver(packet, None)

    def deliver(self, packet: models.DataPacket, sender: Participant | None) -> None:
        """Send a packet to its receivers."""
        targets = packets.receivers(self._room, sender, packet)
        encoded = packet.SerializeToString()
        sids = [participant.sid for participant in targets]
        self._log.note(packet, encoded, sids, self._now_s())
        for sid in sids:
            session = self._sessions.get(sid)
            if session is not None:
                session.outbox.send(packet.kind, encoded)

    def repeat(self, session: "Session", states: Iterable[rtc.DataChannelReceiveState]) -> None:
        """Send a session again what it has not seen, then what waited behind it."""
        last_seen = {state.publisher_sid: state.last_seq for state in states}
        missing = self._log.missing(session.participant.sid, last_seen, self._now_s())
        session.outbox.release(missing)
