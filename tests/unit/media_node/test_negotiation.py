"""media.core.negotiation: what the node answers and offers."""

from media.core.codecs import H264, OPUS, VP8, Codec
from media.core.extensions import AUDIO_LEVEL, REPAIRED_RTP_STREAM_ID, RTP_STREAM_ID
from media.core.negotiation import (
    LocalTransport,
    OwnSection,
    ReceivePlan,
    SendSlot,
    choose_codec,
    dtls_role,
    find_codec,
    free_receive_mids,
    own_codec,
    write_answer,
    write_offer,
)
from media.core.sdp import Direction, SessionDescription, parse, write

FINGERPRINT = ":".join(["AB"] * 32)
LOCAL = LocalTransport("ufrag", "p" * 24, FINGERPRINT, ("1 1 udp 1 127.0.0.1 7882 typ host",))
VIDEO = """m=video 9 UDP/TLS/RTP/SAVPF 96 97 103 104 107
c=IN IP4 0.0.0.0
a=mid:{mid}
a={direction}
a=rtcp-mux
a=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id
a=extmap:11 urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id
a=rtpmap:96 VP8/90000
a=rtcp-fb:96 nack
a=rtcp-fb:96 nack pli
a=rtcp-fb:96 transport-cc
a=rtpmap:97 rtx/90000
a=fmtp:97 apt=96
a=rtpmap:103 H264/90000
a=fmtp:103 packetization-mode=0;profile-level-id=42e01f
a=rtpmap:104 H264/90000
a=fmtp:104 packetization-mode=1;profile-level-id=42e01f
a=rtpmap:107 H264/90000
a=fmtp:107 packetization-mode=1;profile-level-id=640c1f
"""
AUDIO = """m=audio 9 UDP/TLS/RTP/SAVPF 111 63
c=IN IP4 0.0.0.0
a=mid:{mid}
a={direction}
a=rtcp-mux
a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
a=rtpmap:111 opus/48000/2
a=fmtp:111 minptime=10;useinbandfec=1
a=rtpmap:63 red/48000/2
"""
DATA = """m=application 9 UDP/DTLS/SCTP webrtc-datachannel
c=IN IP4 0.0.0.0
a=mid:{mid}
a=sctp-port:5000
"""


def offer(*sections: str, setup: str = "actpass") -> SessionDescription:
    head = (
        "v=0\no=- 1 2 IN IP4 127.0.0.1\ns=-\nt=0 0\na=ice-ufrag:abcd\n"
        "a=ice-pwd:0123456789abcdefghijkl\n"
        f"a=fingerprint:sha-256 {FINGERPRINT}\na=setup:{setup}\n"
    )
    return parse((head + "".join(sections)).replace("\n", "\r\n"))


def section(template: str, mid: str, direction: str = "sendonly", extra: str = "") -> str:
    return template.format(mid=mid, direction=direction) + extra


def slot(codec: Codec) -> SendSlot:
    return SendSlot("TR_1", "PA_1|TR_1", "video", codec, 1111, 2222, "PA_1")


def test_a_sent_section_is_answered_with_one_codec_and_its_retransmissions() -> None:
    offered = offer(section(VIDEO, "0"))
    codec = choose_codec(offered.media[0], (OPUS, VP8, H264))
    assert codec is not None
    answer = write_answer(offered, LOCAL, {"0": ReceivePlan(codec)}, {}, version=1)
    media = parse(write(answer)).media[0]
    assert media.payload_types == [96, 97]
    assert media.direction is Direction.RECVONLY
    assert media.rtcp_fb[96] == ["nack", "nack pli", "transport-cc"]


def test_lost_sound_may_be_asked_for_though_browsers_do_not_offer_it() -> None:
    offered = offer(
        section(AUDIO, "0", extra="a=rtcp-fb:111 transport-cc\n"), section(AUDIO, "1", "recvonly")
    )
    opus = choose_codec(offered.media[0], (OPUS,))
    assert opus is not None
    plans = {"0": ReceivePlan(opus)}
    slots = {"1": SendSlot("TR_1", "PA_1|TR_1", "audio", opus, 1111, 2222, "PA_1")}
    answer = parse(write(write_answer(offered, LOCAL, plans, slots, version=1)))
    sent, received = answer.media
    assert sent.rtcp_fb[111] == ["transport-cc", "nack"]
    assert received.rtcp_fb[111] == ["nack"]


def test_simulcast_is_accepted_with_every_rid_of_the_offer() -> None:
    rids = "a=rid:q send\na=rid:h send\na=rid:f send\na=simulcast:send q;h;f\n"
    offered = offer(section(VIDEO, "0", extra=rids))
    plan = ReceivePlan(Codec(VP8, 96, 90000, rtx_payload_type=97))
    media = write_answer(offered, LOCAL, {"0": plan}, {}, version=1).media[0]
    assert [(rid.id, rid.direction) for rid in media.rids] == [
        ("q", "recv"), ("h", "recv"), ("f", "recv"),
    ]  # fmt: skip
    assert media.simulcast_recv == ["q", "h", "f"]


def test_unused_sections_stay_usable_with_codecs_and_rid_extensions() -> None:
    offered = offer(section(VIDEO, "0", "recvonly"), section(AUDIO, "1", "recvonly"))
    video, audio = write_answer(offered, LOCAL, {}, {}, version=1).media
    assert video.direction is audio.direction is Direction.INACTIVE
    assert video.port != 0
    assert {RTP_STREAM_ID, REPAIRED_RTP_STREAM_ID} <= video.extension_ids().keys()
    assert AUDIO_LEVEL in audio.extension_ids()


def test_a_forwarded_track_is_named_by_msid_and_ssrcs() -> None:
    offered = offer(section(VIDEO, "0", "recvonly"))
    codec = find_codec(offered.media[0], Codec(VP8, 120, 90000))
    assert codec is not None
    media = write_answer(offered, LOCAL, {}, {"0": slot(codec)}, version=1).media[0]
    assert media.direction is Direction.SENDONLY
    assert media.msids[0].stream == "PA_1|TR_1"
    assert media.rtx_ssrc_of(1111) == 2222


def test_candidates_stand_in_the_first_section_and_all_are_bundled() -> None:
    offered = offer(section(AUDIO, "a", "recvonly"), section(VIDEO, "v"), section(DATA, "d"))
    answer = write_answer(offered, LOCAL, {}, {}, version=1)
    assert answer.ice_lite
    assert answer.bundled_mids() == ("a", "v", "d")
    assert [bool(media.candidates) for media in answer.media] == [True, False, False]


def test_a_section_of_unknown_kind_is_rejected_and_left_out_of_the_bundle() -> None:
    text = "m=text 9 UDP/TLS/RTP/SAVPF 98\na=mid:t\na=rtpmap:98 t140/1000\n"
    answer = write_answer(offer(text, section(AUDIO, "a")), LOCAL, {}, {}, version=1)
    assert answer.media[0].port == 0
    assert answer.bundled_mids() == ("a",)


def test_the_preferred_codec_wins_over_the_order_of_the_offer() -> None:
    media = offer(section(VIDEO, "0")).media[0]
    preferred = choose_codec(media, (VP8, H264), "h264")
    assert preferred is not None
    assert (preferred.mime_type, preferred.payload_type) == (H264, 104)
    assert choose_codec(media, ("video/av1",)) is None


def test_h264_goes_to_the_payload_type_of_its_profile() -> None:
    media = offer(section(VIDEO, "0", "recvonly")).media[0]
    high = Codec(H264, 99, 90000, fmtp="packetization-mode=1;profile-level-id=640c1f")
    found = find_codec(media, high)
    assert found is not None
    assert found.payload_type == 107


def test_an_own_offer_begins_with_the_data_section_and_keeps_its_order() -> None:
    codec = own_codec(Codec(VP8, 120, 90000))
    sections = [OwnSection("1", "video", slot(codec)), OwnSection("2", "audio")]
    description = write_offer(sections, LOCAL, version=1, data_mid="0")
    assert [media.mid for media in description.media] == ["0", "1", "2"]
    assert description.media[0].is_data
    assert description.media[1].direction is Direction.SENDONLY
    assert description.media[2].direction is Direction.INACTIVE
    assert {media.transport.setup for media in description.media} == {"actpass"}


def test_only_free_sections_the_client_receives_in_take_a_track() -> None:
    offered = offer(
        section(VIDEO, "0", "recvonly"), section(VIDEO, "1", "sendonly"),
        section(VIDEO, "2", "recvonly"), section(AUDIO, "3", "recvonly"),
    )  # fmt: skip
    assert free_receive_mids(offered, "video", ["0"]) == ["2"]


def test_the_dtls_role_follows_the_peers_setup() -> None:
    assert [dtls_role(setup) for setup in ("actpass", "active", "passive")] == [
        "server", "server", "client",
    ]  # fmt: skip
