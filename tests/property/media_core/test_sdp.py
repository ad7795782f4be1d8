"""Descriptions: any text is read or refused, and what was read is written without change."""

import contextlib

from hypothesis import example, given
from hypothesis import strategies as st

from media.core import sdp
from media.core.codecs import offered_codecs
from media.core.errors import RemoteProtocolError

FINGERPRINT = ":".join(["AB"] * 32)
BROWSER = "\r\n".join(
    [
        "v=0",
        "o=- 4611731400430051336 2 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "a=group:BUNDLE 0 1 2",
        "a=extmap-allow-mixed",
        "a=msid-semantic: WMS",
        "m=audio 9 UDP/TLS/RTP/SAVPF 111 63",
        "c=IN IP4 0.0.0.0",
        "a=rtcp:9 IN IP4 0.0.0.0",
        "a=candidate:1 1 udp 2122 10.0.0.1 50000 typ host generation 0",
        "a=ice-ufrag:abcd",
        "a=ice-pwd:0123456789012345678901",
        "a=ice-options:trickle",
        f"a=fingerprint:sha-256 {FINGERPRINT}",
        "a=setup:actpass",
        "a=mid:0",
        "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level",
        "a=extmap:4/sendonly urn:ietf:params:rtp-hdrext:sdes:mid some attributes",
        "a=sendonly",
        "a=msid:stream track",
        "a=rtcp-mux",
        "a=rtcp-rsize",
        "a=rtpmap:111 opus/48000/2",
        "a=rtcp-fb:111 transport-cc",
        "a=fmtp:111 minptime=10;useinbandfec=1",
        "a=rtpmap:63 red/48000/2",
        "a=fmtp:63 111/111",
        "a=ssrc:3735928559 cname:who",
        "a=ssrc:3735928559 msid:stream track",
        "m=video 9 UDP/TLS/RTP/SAVPF 96 97",
        "c=IN IP4 0.0.0.0",
        "b=AS:2500",
        "a=mid:1",
        "a=sendonly",
        "a=rtcp-mux",
        "a=rtpmap:96 VP8/90000",
        "a=rtcp-fb:96 nack",
        "a=rtcp-fb:96 nack pli",
        "a=rtcp-fb:* ccm fir",
        "a=rtpmap:97 rtx/90000",
        "a=fmtp:97 apt=96",
        "a=rid:q send",
        "a=rid:h send max-width=640;max-height=360",
        "a=rid:f send",
        "a=simulcast:send q;h,~x;f",
        "a=ssrc-group:FID 1 2",
        "a=ssrc:1 cname:who",
        "a=ssrc:2 flag",
        "m=application 0 UDP/DTLS/SCTP webrtc-datachannel",
        "c=IN IP4 0.0.0.0",
        "a=bundle-only",
        "a=setup:holdconn",
        "a=mid:2",
        "a=sctp-port:5000",
        "a=max-message-size:262144",
        "",
    ]
)
LINES = sorted(set(BROWSER.split("\r\n")) - {""})


def test_a_browsers_offer_is_understood() -> None:
    description = sdp.parse(BROWSER)
    audio, video, data = description.media
    assert description.bundled_mids() == ("0", "1", "2")
    assert audio.direction is sdp.Direction.SENDONLY
    assert audio.msids == [sdp.Msid("stream", "track")]
    assert audio.extension_ids()["urn:ietf:params:rtp-hdrext:sdes:mid"] == 4
    assert audio.ssrcs[3735928559]["cname"] == "who"
    (opus,) = offered_codecs(audio)
    assert (opus.mime_type, opus.red_payload_type) == ("audio/opus", 63)
    (vp8,) = offered_codecs(video)
    assert (vp8.mime_type, vp8.payload_type, vp8.rtx_payload_type) == ("video/vp8", 96, 97)
    assert video.feedback_for(96) == ["nack", "nack pli", "ccm fir"]
    assert video.simulcast_send == ["q", "h,~x", "f"]
    assert video.rtx_ssrc_of(1) == 2
    assert video.bandwidths == {"AS": 2500}
    assert (data.sctp_port, data.is_data, data.is_rejected) == (5000, True, False)
    assert description.transport_of(video).ice_ufrag is None
    assert description.transport_of(data).setup == "holdconn"


def test_what_was_read_is_written_without_loss() -> None:
    written = sdp.write(sdp.parse(BROWSER))
    assert set(LINES) <= set(written.split("\r\n"))
    assert sdp.parse(written) == sdp.parse(BROWSER)


def check(text: str) -> None:
    with contextlib.suppress(RemoteProtocolError):
        description = sdp.parse(text)
        for section in description.media:
            offered_codecs(section)
            description.transport_of(section)
        written = sdp.write(description)
        assert sdp.parse(written) == description
        assert sdp.write(sdp.parse(written)) == written


@given(st.text())
@example("")
@example("v=0\r\n" + "m=audio 9 RTP/AVP\r\n" * 301)
@example("v=0\r\nm=audio 9 RTP/AVP 0\r\na=ssrc:5\r\na=ssrc:5 x\r\na=ssrc:5 x:\r\n")
@example("v=0\na=inactive\nm=audio 9 RTP/AVP 0\na=simulcast:send a recv b\n")
@example("v=0\nm=x 1 y\na=sendonly\na=mid:é\x85z\n")
def test_any_text_is_read_or_refused(text: str) -> None:
    check(text)
    check("v=0\n" + text)


@st.composite
def mutated_descriptions(draw: st.DrawFn) -> str:
    lines = draw(st.lists(st.sampled_from(LINES), max_size=40))
    for _ in range(draw(st.integers(0, 4))):
        if lines:
            at = draw(st.integers(0, len(lines) - 1))
            line = lines[at]
            cut = draw(st.integers(0, len(line)))
            noise = draw(st.text(alphabet=" :;/=~,*\r\0\x1f\u2028\x8559ab", max_size=4))
            lines[at] = line[:cut] + noise + line[cut + draw(st.integers(0, 3)) :]
    return "\n".join(["v=0", *lines])


@given(mutated_descriptions())
def test_shuffled_and_damaged_lines_are_read_or_refused(text: str) -> None:
    check(text)


@given(st.text(max_size=40))
def test_fingerprints_are_hexadecimal_or_refused(value: str) -> None:
    with contextlib.suppress(RemoteProtocolError):
        description = sdp.parse(f"v=0\na=fingerprint:sha-256 {value}\n")
        for fingerprint in description.transport.fingerprints:
            bytes.fromhex(fingerprint.value.replace(":", ""))
