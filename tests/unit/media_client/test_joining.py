"""Both forms of a join request say the same to the node's own readers."""

import pytest
from livekit.protocol import rtc

from media.client import joining
from media.core.grants import Claims, VideoGrant
from media.core.joining import JoinParameters, read_join_request, read_query

CLAIMS = Claims("devkey", identity="a", video=VideoGrant(room="r", room_join=True))


def read(query: dict[str, str], *, is_single: bool) -> JoinParameters:
    if is_single:
        return read_join_request(query["join_request"], CLAIMS)
    return read_query(query, CLAIMS)


@pytest.mark.parametrize("is_single", [True, False], ids=["v1", "v0"])
@pytest.mark.parametrize("subscribes", [True, False])
def test_a_join_says_what_is_wished(is_single: bool, subscribes: bool) -> None:
    query = joining.query(
        auto_subscribe=subscribes, adaptive_stream=not subscribes, is_single=is_single
    )
    read_back = read(query, is_single=is_single)
    assert read_back.auto_subscribe == subscribes
    assert read_back.adaptive_stream != subscribes
    assert read_back.client.protocol == joining.PROTOCOL
    assert not read_back.is_reconnect


@pytest.mark.parametrize("is_single", [True, False], ids=["v1", "v0"])
def test_a_resume_names_its_session(is_single: bool) -> None:
    query = joining.query(
        auto_subscribe=True, adaptive_stream=False, is_single=is_single, resumed_sid="PA_x"
    )
    read_back = read(query, is_single=is_single)
    assert read_back.is_reconnect
    assert read_back.participant_sid == "PA_x"


def test_the_offer_of_v1_travels_in_the_address_and_fits_common_limits() -> None:
    sections = "a=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\na=rtpmap:96 VP8/90000\r\n" * 150
    offer = rtc.SessionDescription(type="offer", sdp=sections, id=7)
    query = joining.query(auto_subscribe=True, adaptive_stream=False, is_single=True, offer=offer)
    assert read(query, is_single=True).offer == offer
    assert len(query["join_request"]) < 4096
