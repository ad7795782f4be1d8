"""Data packets between participants: who may send, what is stamped on, who receives.

The sender's identity and sid are always the node's own knowledge, never the packet's; a
hidden sender stays anonymous. Payloads are opaque. Numbers of reliable packets are the business
of ``media.core.reliable``.
"""

from collections.abc import Collection, Iterable
from typing import Final

from google.protobuf.message import DecodeError
from livekit.protocol import models

from media.core.errors import RemoteProtocolError
from media.core.room import ACTIVE, JOINED, Participant, Room

RELIABLE: Final = "_reliable"
LOSSY: Final = "_lossy"
DATA_TRACK: Final = "_data_track"
CHANNELS: Final = (RELIABLE, LOSSY, DATA_TRACK)

MAX_PACKET_BYTES: Final = 65536
NONCES_KEPT: Final = 1000

_PRESENT: Final = frozenset({JOINED, ACTIVE})
"""States in which data is for a participant; while it joins, its session keeps the data."""

_FORWARDED: Final = frozenset(
    {
        "user",
        "sip_dtmf",
        "chat_message",
        "rpc_request",
        "rpc_ack",
        "rpc_response",
        "stream_header",
        "stream_chunk",
        "stream_trailer",
        "encrypted_packet",
    }
)
_OF_AGENTS: Final = "transcription"


def read_packet(data: bytes, label: str) -> models.DataPacket:
    """Parse a message of a data channel; its kind is that of the channel it came by."""
    if len(data) > MAX_PACKET_BYTES:
        raise RemoteProtocolError("data packet too long")
    try:
        packet = models.DataPacket.FromString(data)
    except DecodeError as error:
        raise RemoteProtocolError("not a data packet") from error
    packet.kind = (
        models.DataPacket.Kind.RELIABLE if label == RELIABLE else models.DataPacket.Kind.LOSSY
    )
    return packet


def may_send(sender: Participant, packet: models.DataPacket) -> bool:
    """True when ``sender`` may send this kind of packet to others."""
    if not sender.permission.can_publish_data:
        return False
    value = packet.WhichOneof("value")
    if value == _OF_AGENTS:
        return sender.kind == models.ParticipantInfo.Kind.AGENT
    return value in _FORWARDED


def stamp(sender: Participant, packet: models.DataPacket) -> None:
    """Overwrite whatever the packet claims about its sender."""
    sid, identity = ("", "") if sender.is_hidden else (sender.sid, sender.identity)
    packet.participant_sid = sid
    packet.participant_identity = identity
    if packet.WhichOneof("value") == "user":
        packet.user.participant_sid = sid
        packet.user.participant_identity = identity


def receivers(
    room: Room, sender: Participant | None, packet: models.DataPacket
) -> list[Participant]:
    """List who gets the packet: the named destinations, or everybody else."""
    identities = set(packet.destination_identities)
    sids: set[str] = set()
    if packet.WhichOneof("value") == "user":
        identities.update(packet.user.destination_identities)
        sids.update(packet.user.destination_sids)
    return [
        participant
        for participant in room.participants.values()
        if participant is not sender
        and participant.state in _PRESENT
        and _is_addressed(participant, identities, sids)
    ]


def server_packet(
    payload: bytes,
    kind: models.DataPacket.Kind,
    *,
    topic: str | None,
    identities: Iterable[str],
    sids: Iterable[str],
    nonce: bytes = b"",
) -> models.DataPacket:
    """Build a packet of the Server API: it has no sender and no sequence."""
    user = models.UserPacket(
        payload=payload, destination_identities=identities, destination_sids=sids, nonce=nonce
    )
    if topic is not None:
        user.topic = topic
    return models.DataPacket(
        kind=kind, user=user, destination_identities=user.destination_identities
    )


class Nonces:
    """The nonces of user packets in one room: a packet sent twice is delivered once."""

    def __init__(self) -> None:
        self._seen: dict[bytes, None] = {}

    def is_new(self, nonce: bytes) -> bool:
        """True for a nonce not seen lately, and for none at all."""
        if not nonce:
            return True
        if nonce in self._seen:
            return False
        self._seen[nonce] = None
        if len(self._seen) > NONCES_KEPT:
            del self._seen[next(iter(self._seen))]
        return True


def _is_addressed(
    participant: Participant, identities: Collection[str], sids: Collection[str]
) -> bool:
    if not identities and not sids:
        return True
    return participant.identity in identities or participant.sid in sids
