"""The client's descriptions against the node's own, and which packet goes to which track."""

import pytest
from livekit.protocol import models

from media.client import descriptions
from media.client.descriptions import CODECS, LocalSide, inbound_sections, remote_side
from media.client.local import LocalTrack
from media.client.routes import Routes
from media.client.tracks import RemoteTrack
from media.core import sdp
from media.core.errors import RemoteProtocolError
from media.core.extensions import MID, REPAIRED_RTP_STREAM_ID, RTP_STREAM_ID
from media.core.rtp import RtpHeader, write_packet
from media.core.sdp import Direction

LOCAL = LocalSide("ufrag", "p" * 22, "AA:" * 31 + "AA", ("1 1 udp 1 192.0.2.1 5 typ host",))

OFFER = """v=0
o=- 1 1 IN IP4 0.0.0.0
s=-
t=0 0
a=group:BUNDLE 0 1 2 3
a=ice-lite
a=fingerprint:sha-256 {print}
m=application 9 UDP/DTLS/SCTP webrtc-datachannel
c=IN IP4 0.0.0.0
a=mid:0
a=ice-ufrag:abcd
a=ice-pwd:{pwd}
a=setup:actpass
a=sctp-port:5000
a=candidate:1 1 udp 2130706431 192.0.2.9 7882 typ host
m=video 9 UDP/TLS/RTP/SAVPF 96 97
c=IN IP4 0.0.0.0
a=mid:1
a=sendonly
a=msid:PA_x|TR_video TR_video
a=rtpmap:96 VP8/90000
a=rtcp-fb:96 nack
a=rtcp-fb:96 nack pli
a=rtcp-fb:96 transport-cc
a=rtpmap:97 rtx/90000
a=fmtp:97 apt=96
a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid
a=extmap:5 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
a=ssrc-group:FID 11 22
a=ssrc:11 cname:x
a=ssrc:22 cname:x
m=audio 9 UDP/TLS/RTP/SAVPF 111
c=IN IP4 0.0.0.0
a=mid:2
a=sendonly
a=msid:PA_y|TR_other rid
a=rtpmap:111 opus/48000/2
a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid
m=audio 9 UDP/TLS/RTP/SAVPF 111
c=IN IP4 0.0.0.0
a=mid:3
a=inactive
a=rtpmap:111 opus/48000/2
""".format(print="BB:" * 31 + "BB", pwd="q" * 24).replace("\n", "\r\n")


@pytest.fixture
def offer() -> sdp.SessionDescription:
    return sdp.parse(OFFER)


def test_the_servers_side_is_read(offer: sdp.SessionDescription) -> None:
    remote = remote_side(offer)
    assert (remote.ufrag, remote.password) == ("abcd", "q" * 24)
    assert remote.is_lite
    assert remote.has_data
    assert remote.fingerprints == (("sha-256", "BB:" * 31 + "BB"),)
    assert remote.candidates == ("1 1 udp 2130706431 192.0.2.9 7882 typ host",)


def test_a_description_without_transport_is_refused(offer: sdp.SessionDescription) -> None:
    offer.media[0].transport.ice_pwd = None
    with pytest.raises(RemoteProtocolError):
        remote_side(offer)
    with pytest.raises(RemoteProtocolError):
        remote_side(sdp.parse("v=0\r\ns=-\r\n"))


def test_tracks_are_named_by_the_map_or_by_either_part_of_the_msid(
    offer: sdp.SessionDescription,
) -> None:
    video, audio = inbound_sections(offer, {})
    assert (video.track_sid, video.ssrc, video.rtx_ssrc) == ("TR_video", 11, 22)
    assert (audio.track_sid, audio.ssrc) == ("TR_other", None)
    assert video.codecs[96].rtx_payload_type == 97
    assert 97 not in video.codecs
    mapped, _ = inbound_sections(offer, {"1": "TR_mapped"})
    assert mapped.track_sid == "TR_mapped"


def test_the_answer_takes_all_that_is_sent_but_promises_no_transport_feedback(
    offer: sdp.SessionDescription,
) -> None:
    answer = sdp.parse(sdp.write(descriptions.answer(offer, LOCAL, 3)))
    assert [section.mid for section in answer.media] == ["0", "1", "2", "3"]
    assert [section.direction for section in answer.media[1:]] == [
        Direction.RECVONLY,
        Direction.RECVONLY,
        Direction.INACTIVE,
    ]
    video = answer.media[1]
    assert video.payload_types == [96, 97]
    assert video.rtcp_fb[96] == ["nack", "nack pli"]
    assert [one.uri for one in video.extmaps] == [MID]
    assert {section.transport.setup for section in answer.media} == {"active"}
    assert answer.bundled_mids() == ("0", "1", "2", "3")
    assert not answer.ice_lite


def test_the_offer_carries_each_track_with_its_msid_and_repair_source() -> None:
    track = LocalTrack("cam", "video", CODECS["video/vp8"], models.TrackInfo())
    gone = LocalTrack("mic", "audio", CODECS["audio/opus"], models.TrackInfo())
    gone.is_published = False
    written = sdp.write(descriptions.offer([("0", "video", track), ("1", "audio", gone)], LOCAL, 1))
    data, video, audio = sdp.parse(written).media
    assert data.is_data
    assert video.direction is Direction.SENDONLY
    assert [msid.track for msid in video.msids] == ["cam"]
    assert video.rtx_ssrc_of(track.ssrc) == track.rtx_ssrc
    assert audio.direction is Direction.INACTIVE


def test_a_simulcast_is_offered_by_the_names_of_its_layers() -> None:
    track = LocalTrack("cam", "video", CODECS["video/vp8"], models.TrackInfo(), "q")
    layers = [track, track.add_layer("h"), track.add_layer("f")]
    written = sdp.write(descriptions.offer([("0", "video", track)], LOCAL, 1))
    _, video = sdp.parse(written).media
    assert video.simulcast_send == ["q", "h", "f"]
    assert [(rid.id, rid.direction) for rid in video.rids] == [
        ("q", "send"), ("h", "send"), ("f", "send"),
    ]  # fmt: skip
    assert not video.ssrcs, "SSRCs are learned from the packets"
    track.set_mid("0")
    sent: list[bytes] = []
    ids = video.extension_ids()
    for layer in layers:
        layer.attach(sent.append, lambda: 0.0)
        layer.send(b"\x10abc", 0)
        layer.resend([RtpHeader.parse(sent[-1]).seq])
        for data, name in zip(sent[-2:], (RTP_STREAM_ID, REPAIRED_RTP_STREAM_ID), strict=True):
            values = RtpHeader.parse(data).extensions(data)
            assert values[ids[MID]] == b"0"
            assert values[ids[name]].decode() == layer.rid
    track.set_muted(True)
    assert not any(layer.send(b"\x10abc", 3000) for layer in layers)


def routed(offer: sdp.SessionDescription) -> tuple[Routes, dict[str, RemoteTrack]]:
    routes = Routes()
    someone = models.ParticipantInfo(identity="a", sid="PA_x")
    routes.set_remote(
        RemoteTrack(models.TrackInfo(sid=section.track_sid), someone, section)
        for section in inbound_sections(offer, {})
    )
    return routes, routes.remote


def packet(payload_type: int, ssrc: int, mid: str | None = None) -> bytes:
    extensions = {1: mid.encode()} if mid is not None else None
    return write_packet(
        payload_type=payload_type,
        seq=1,
        timestamp=0,
        ssrc=ssrc,
        payload=b"x",
        extensions=extensions,
    )


def test_packets_find_their_track_by_source_by_mid_or_by_the_only_fitting_codec(
    offer: sdp.SessionDescription,
) -> None:
    routes, tracks = routed(offer)
    assert routes.receive_rtp(packet(96, 11), 0.0) is tracks["TR_video"]
    assert routes.receive_rtp(packet(111, 900), 0.0) is tracks["TR_other"]
    routes, tracks = routed(offer)
    assert routes.receive_rtp(packet(111, 901, mid="2"), 0.0) is tracks["TR_other"]
    assert routes.receive_rtp(packet(111, 901), 0.0) is tracks["TR_other"]


def test_packets_of_nobody_are_dropped(offer: sdp.SessionDescription) -> None:
    routes, _ = routed(offer)
    assert routes.receive_rtp(packet(96, 12), 0.0) is None
    assert routes.receive_rtp(packet(111, 900, mid="9"), 0.0) is None
    with pytest.raises(RemoteProtocolError):
        routes.receive_rtp(b"\x80", 0.0)
    with pytest.raises(RemoteProtocolError):
        routes.receive_rtcp(b"\x80\xc8\x00\xff", 0.0)


def test_media_that_overtakes_its_description_reaches_its_track(
    offer: sdp.SessionDescription,
) -> None:
    routes, tracks = routed(offer)
    all_tracks = list(tracks.values())
    routes.set_remote([])
    assert routes.receive_rtp(packet(96, 11), 0.0) is None
    assert routes.receive_rtp(packet(96, 12), 0.0) is None
    routes.set_remote(all_tracks)
    passed: list[object] = []
    tracks["TR_video"].on_packet = passed.append
    assert len(passed) == 1
