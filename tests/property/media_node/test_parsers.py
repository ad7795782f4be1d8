"""Whatever arrives, the node's parsers give a value or the error that names the peer's fault."""

import base64
import contextlib

from aiohttp import WSMsgType
from hypothesis import given
from hypothesis import strategies as st
from livekit.protocol import rtc

from media.core.codecs import H264, OPUS, VP8
from media.core.data import LOSSY, RELIABLE, read_packet
from media.core.errors import RemoteProtocolError
from media.core.grants import Claims, VideoGrant
from media.core.joining import JoinRefusedError, read_join_request, read_query
from media.core.negotiation import (
    LocalTransport,
    ReceivePlan,
    choose_codec,
    free_receive_mids,
    write_answer,
)
from media.core.sdp import parse, write
from media.signalling.sink import read_frame
from media.transport.ice import read_check
from tests.unit.media_node.test_negotiation import AUDIO, DATA, FINGERPRINT, VIDEO

CLAIMS = Claims("key", "identity", VideoGrant(room="hall", room_join=True))
LOCAL = LocalTransport("ufrag", "p" * 24, FINGERPRINT, ("1 1 udp 1 127.0.0.1 7882 typ host",))
HEAD = (
    "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=ice-ufrag:abcd\r\n"
    "a=ice-pwd:0123456789abcdefghijkl\r\n"
    f"a=fingerprint:sha-256 {FINGERPRINT}\r\na=setup:actpass\r\n"
)
DIRECTIONS = ("sendonly", "recvonly", "sendrecv", "inactive")


@given(st.binary(max_size=300))
def test_any_datagram_is_a_check_or_nothing(data: bytes) -> None:
    read_check(data)


@given(st.binary(max_size=120), st.integers(0, 255))
def test_any_attributes_are_a_check_or_nothing(attributes: bytes, kind: int) -> None:
    attributes = attributes[: len(attributes) // 4 * 4]
    header = bytes([0, kind]) + len(attributes).to_bytes(2, "big")
    read_check(header + b"\x21\x12\xa4\x42" + bytes(12) + attributes)


@given(st.text(max_size=200))
def test_any_join_request_is_parameters_or_a_refusal(text: str) -> None:
    with contextlib.suppress(JoinRefusedError):
        read_join_request(text, CLAIMS)


@given(st.binary(max_size=200), st.sampled_from([0, 1, 2]))
def test_any_wrapped_bytes_are_parameters_or_a_refusal(data: bytes, compression: int) -> None:
    wrapped = rtc.WrappedJoinRequest(compression=compression, join_request=data)  # type: ignore[arg-type]
    text = base64.urlsafe_b64encode(wrapped.SerializeToString()).decode()
    with contextlib.suppress(JoinRefusedError):
        read_join_request(text, CLAIMS)


NAMES = st.sampled_from(["sdk", "protocol", "capabilities", "attributes", "reconnect", "sid"])


@given(st.dictionaries(NAMES, st.text(max_size=30)))
def test_any_query_is_parameters_or_a_refusal(query: dict[str, str]) -> None:
    with contextlib.suppress(JoinRefusedError):
        assert not read_query(query, CLAIMS).is_single


@given(st.binary(max_size=300))
def test_any_binary_frame_is_a_request_or_the_peers_fault(data: bytes) -> None:
    with contextlib.suppress(RemoteProtocolError):
        read_frame(WSMsgType.BINARY, data)


@given(st.text(max_size=300))
def test_any_text_frame_is_a_request_or_the_peers_fault(text: str) -> None:
    with contextlib.suppress(RemoteProtocolError):
        read_frame(WSMsgType.TEXT, text)


@given(st.binary(max_size=300), st.sampled_from([RELIABLE, LOSSY]))
def test_any_data_message_is_a_packet_or_the_peers_fault(data: bytes, label: str) -> None:
    with contextlib.suppress(RemoteProtocolError):
        read_packet(data, label)


SECTIONS = st.lists(
    st.tuples(st.sampled_from([AUDIO, VIDEO, DATA]), st.sampled_from(DIRECTIONS)), max_size=12
)


@given(SECTIONS, st.data())
def test_every_offer_gets_an_answer_of_the_same_shape(
    sections: list[tuple[str, str]], data: st.DataObject
) -> None:
    text = HEAD + "".join(
        template.format(mid=index, direction=direction).replace("\n", "\r\n")
        for index, (template, direction) in enumerate(sections)
    )
    if data.draw(st.booleans()):  # damage a line
        lines = text.split("\r\n")
        at = data.draw(st.integers(0, len(lines) - 1))
        lines[at] = data.draw(st.text(max_size=40))
        text = "\r\n".join(lines)
    try:
        offer = parse(text)
        plans = {
            section.mid: ReceivePlan(codec)
            for section in offer.media
            if section.mid is not None
            and section.direction.sends
            and (codec := choose_codec(section, (OPUS, VP8, H264))) is not None
        }
        answer = write_answer(offer, LOCAL, plans, {}, version=1)
    except RemoteProtocolError:
        return
    free_receive_mids(offer, "video", [])
    again = parse(write(answer))
    assert [section.mid for section in again.media] == [section.mid for section in offer.media]
    assert [section.kind for section in again.media] == [section.kind for section in offer.media]
    for ours, theirs in zip(again.media, offer.media, strict=True):
        assert not (ours.direction.receives and not theirs.direction.sends) or ours.is_data
