"""Every parser that bytes of the network reach, as a function that must survive all bytes.

A target returns for any input, or raises one of ``ALLOWED``: the error that names the peer's
fault. Anything else, a hang, or memory that grows is a finding. ``seeds`` are valid inputs from
which mutations start.
"""

import base64
import gzip
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from aiohttp import WSMsgType
from aioice import stun
from aiortc import rtcsctptransport
from google_crc32c import value as crc32c
from livekit.protocol import models, rtc
from livekit.protocol import room as api

from media.api.twirp import TwirpError, read_binary, read_json
from media.core import av1, codecs, h264, red, rtcp, rtx, transport_cc, vp9
from media.core import data as packets
from media.core.data_tracks import handle_of, with_handle
from media.core.errors import RemoteProtocolError
from media.core.extensions import MID, RTP_STREAM_ID
from media.core.forward import DownTrack
from media.core.grants import Claims, VideoGrant
from media.core.joining import JoinRefusedError, read_join_request, read_query
from media.core.negotiation import LocalTransport, ReceivePlan, choose_codec, write_answer
from media.core.peer import MediaPeer
from media.core.rtp import RtpHeader
from media.core.sctp_guard import check_packet
from media.core.sdp import parse, write
from media.core.track import UpTrack
from media.core.vp8 import PictureNumbers, Vp8Descriptor
from media.signalling.sink import read_frame
from media.tokens import TokenError, issue_token, verify_token
from media.transport.ice import read_check
from tests.property.media_core.test_parsers import RTCP_SEEDS, RTP_SEEDS, STAP_A
from tests.property.media_core.test_sctp_guard import INIT_FIELDS, chunk, packet
from tests.property.media_node.test_parsers import HEAD
from tests.support.packets import rtp_packet, vp8_payload
from tests.unit.media_node.test_negotiation import AUDIO, DATA, FINGERPRINT, VIDEO

ALLOWED: Final = (RemoteProtocolError, JoinRefusedError, TwirpError, TokenError)

_GRANT: Final = VideoGrant(room="hall", room_join=True, can_update_own_metadata=True)
_CLAIMS: Final = Claims("key", "identity", _GRANT)
_LOCAL: Final = LocalTransport(
    "ufrag", "p" * 24, FINGERPRINT, ("1 1 udp 1 127.0.0.1 7882 typ host",)
)
_SECRET: Final = "a-secret-that-is-long-enough-for-hs256"


@dataclass(frozen=True, slots=True)
class Target:
    """One parser, or a short chain of them as the node has it."""

    run: Callable[[bytes], object]
    seeds: tuple[bytes, ...]


def _stun(data: bytes) -> None:
    check = read_check(data)
    if check is not None:
        check.is_authentic("p" * 24)


def _stun_seed() -> bytes:
    message = stun.Message(
        message_method=stun.Method.BINDING,
        message_class=stun.Class.REQUEST,
        attributes={"USERNAME": "ours:theirs", "USE-CANDIDATE": None, "PRIORITY": 1},
    )
    message.add_message_integrity(b"p" * 24)
    return bytes(message)


def _rtp(data: bytes) -> None:
    header = RtpHeader.parse(data)
    header.extensions(data)
    assert 12 <= header.payload_start <= header.payload_end <= len(data)


def _rtcp(data: bytes) -> None:
    for one in rtcp.parse(data):
        if isinstance(one, rtcp.TransportFeedback):
            transport_cc.parse_feedback(one.body)


def _vp8(data: bytes) -> None:
    descriptor = Vp8Descriptor.parse(data)
    PictureNumbers().descriptor(descriptor)


def _payloads(data: bytes) -> None:
    """All payload formats that have no header of their own worth a target."""
    for read in (
        h264.KeyframeFinder().starts_keyframe,
        vp9.starts_keyframe,
        vp9.layer_of,
        av1.starts_keyframe,
        red.blocks_of,
        rtx.unwrap,
    ):
        try:
            read(data)
        except RemoteProtocolError:
            continue


def _peer(data: bytes) -> None:
    """A publisher's connection: packets of any shape, one after the other, and their RTCP.

    The input is cut into packets by a length byte each; a first byte from 192 up is RTCP. One of
    the subscribers changes its mind about the frame rate all the time.
    """
    peer = MediaPeer(local_ssrc=1)
    video = codecs.Codec(codecs.VP8, 96, 90000, rtx_payload_type=97)
    audio = codecs.Codec(codecs.OPUS, 111, 48000, 2, red_payload_type=63)
    for mid, codec in (("0", audio), ("1", video)):
        up = UpTrack(codec=codec, extension_ids={MID: 1, RTP_STREAM_ID: 2})
        peer.set_up_track(mid, up)
        down = DownTrack(ssrc=50 + int(mid), payload_type=98, extension_ids={}, cname="c")
        peer.add_down_track(down)
        up.attach(down)
    fickle = DownTrack(ssrc=60, payload_type=98, extension_ids={}, cname="c")
    peer.add_down_track(fickle)
    up.attach(fickle)
    now_s = 0.0
    while data:
        size, data = data[0] + 1, data[1:]
        one, data = data[:size], data[size:]
        now_s += 0.3
        fickle.set_temporal_limit((None, 0, 1, 2)[size // 4 + len(data) // 100 & 3])
        try:
            if len(one) > 1 and 192 <= one[1] <= 223:
                peer.handle_rtcp(one, now_s)
            else:
                peer.handle_rtp(one, now_s)
        except RemoteProtocolError:
            continue
        peer.poll(now_s)


def _peer_seed() -> bytes:
    sent = [rtp_packet(n, vp8_payload(picture_id=n, keyframe=n == 0)) for n in range(4)]
    for n in range(4, 24):  # three temporal layers
        payload = bytearray(vp8_payload(picture_id=n))
        payload[5] = (0, 0xA0, 0x60, 0x80)[n % 4]
        sent.append(rtp_packet(n, bytes(payload), timestamp=n * 3000, marker=True))
    sent += [
        rtp_packet(9, b"\x6fopus", payload_type=63, ssrc=2),
        rtp_packet(10, b"opus", payload_type=111, ssrc=2),
        rtp_packet(5, b"\0\1rtx", payload_type=97, ssrc=3),
        *RTCP_SEEDS,
    ]
    return b"".join(bytes((len(one) - 1,)) + one for one in sent if len(one) <= 256)


def _sdp(data: bytes) -> None:
    offer = parse(data.decode("utf-8", "replace"))
    plans = {
        section.mid: ReceivePlan(codec)
        for section in offer.media
        if section.mid is not None
        and section.direction.sends
        and (codec := choose_codec(section, codecs.DEFAULT_CODECS)) is not None
    }
    parse(write(write_answer(offer, _LOCAL, plans, {}, version=1)))


def _offer_seed() -> bytes:
    sections = [(AUDIO, "sendonly"), (VIDEO, "sendonly"), (VIDEO, "recvonly"), (DATA, "")]
    return (
        HEAD
        + "".join(
            template.format(mid=index, direction=direction).replace("\n", "\r\n")
            for index, (template, direction) in enumerate(sections)
        )
    ).encode()


def _frame(data: bytes) -> None:
    """A signalling frame, binary or text by its first byte."""
    if data[:1] == b"{":
        read_frame(WSMsgType.TEXT, data.decode("utf-8", "replace"))
    else:
        read_frame(WSMsgType.BINARY, data)


def _join(data: bytes) -> None:
    """A ``join_request``, or, after a zero byte, what is wrapped in one."""
    if data[:1] == b"\0":
        wrapped = rtc.WrappedJoinRequest(
            compression=data[1] % 3 if len(data) > 1 else 0,  # type: ignore[arg-type]
            join_request=data[2:],
        )
        data = base64.urlsafe_b64encode(wrapped.SerializeToString())
    read_join_request(data.decode("latin-1"), _CLAIMS)


def _query(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    names = ("attributes", "protocol", "capabilities", "sdk", "reconnect", "sid")
    read_query(dict(zip(names, text.split("&"), strict=False)), _CLAIMS)


def _data(data: bytes) -> None:
    """A message of a data channel."""
    packet = packets.read_packet(data, packets.RELIABLE)
    packet.SerializeToString()


def _data_track(data: bytes) -> None:
    assert handle_of(with_handle(data, handle_of(data) ^ 1)) == handle_of(data) ^ 1


def _sctp(data: bytes) -> None:
    """A packet that passes the guard must be one the parser behind it ends on."""
    check_packet(data)
    whole = data[:8] + bytes(4) + data[12:]
    whole = data[:8] + crc32c(whole).to_bytes(4, "little") + data[12:]
    try:
        _, _, _, chunks = rtcsctptransport.parse_packet(whole)
    except ValueError:
        return
    for one in chunks:
        bytes(one)


def _twirp(data: bytes) -> None:
    message = api.UpdateParticipantRequest()
    read_json(data, message) if data[:1] == b"{" else read_binary(data, message)


def _token(data: bytes) -> None:
    verify_token(data.decode("latin-1"), {"key": _SECRET}, 1e9)


def _join_seeds() -> tuple[bytes, ...]:
    request = rtc.JoinRequest(client_info=models.ClientInfo(protocol=16)).SerializeToString()
    plain = rtc.WrappedJoinRequest(join_request=request).SerializeToString()
    bomb = gzip.compress(bytes(1 << 21), mtime=0)
    return (
        base64.urlsafe_b64encode(plain),
        b"\0\0" + request,
        b"\0\1" + gzip.compress(request, mtime=0),
        b"\0\1" + bomb,
    )


def _signal_seeds() -> tuple[bytes, ...]:
    requests = (
        rtc.SignalRequest(offer=rtc.SessionDescription(type="offer", sdp="v=0", id=1)),
        rtc.SignalRequest(add_track=rtc.AddTrackRequest(cid="c", type="VIDEO")),
        rtc.SignalRequest(subscription=rtc.UpdateSubscription(track_sids=["TR_1"])),
    )
    return (*(one.SerializeToString() for one in requests), b'{"ping": "5", "addTrack": {}}')


TARGETS: Final[Mapping[str, Target]] = {
    "stun": Target(_stun, (_stun_seed(),)),
    "rtp": Target(_rtp, tuple(RTP_SEEDS)),
    "rtcp": Target(_rtcp, tuple(RTCP_SEEDS)),
    "vp8": Target(_vp8, (vp8_payload(picture_id=300, keyframe=True), b"\x90\x80\x05\x00")),
    "payloads": Target(_payloads, (STAP_A, b"\x7c\x85abc", b"\xef\x0f\x00\x03\x6fabcdef")),
    "peer": Target(_peer, (_peer_seed(),)),
    "sdp": Target(_sdp, (_offer_seed(),)),
    "signal": Target(_frame, _signal_seeds()),
    "join": Target(_join, _join_seeds()),
    "query": Target(_query, (base64.urlsafe_b64encode(b'{"a": "b"}') + b"&16&cap&js&1&PA_x",)),
    "data": Target(
        _data,
        (models.DataPacket(user=models.UserPacket(payload=b"x", topic="t")).SerializeToString(),),
    ),
    "data_track": Target(_data_track, (bytes(12) + b"payload",)),
    "sctp": Target(
        _sctp,
        (
            packet(chunk(1, INIT_FIELDS + b"\x00\x08\x00\x06ab\0\0")),
            packet(chunk(0, bytes(12) + b"data")),
            packet(chunk(3, bytes(12))),
            packet(chunk(130, b"\x00\x0d\x00\x10" + bytes(12))),
        ),
    ),
    "twirp": Target(
        _twirp,
        (
            api.UpdateParticipantRequest(room="r", identity="i").SerializeToString(),
            json.dumps({"room": "r", "permission": {"canPublish": True}}).encode(),
        ),
    ),
    "token": Target(_token, (issue_token(_CLAIMS, _SECRET, 1e9, 60).encode(),)),
}
"""By name; a folder of that name in ``corpus`` holds inputs worth keeping."""
