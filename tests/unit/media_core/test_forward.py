"""What one subscription sends: numbers, extensions, retransmissions, pauses."""

import pytest

from media.core import extensions as ext
from media.core import rtcp
from media.core.codecs import Codec
from media.core.downstats import MAX_RESENDS
from media.core.errors import RemoteProtocolError
from media.core.forward import DownTrack
from media.core.peer import MediaPeer
from media.core.rtp import RtpHeader, write_packet
from media.core.simulcast import Quality
from media.core.speakers import AudioLevel
from media.core.track import MAX_STREAMS, UpTrack
from media.core.vp8 import Vp8Descriptor
from tests.support.packets import rtp_packet, vp8_payload

OPUS = Codec("audio/opus", 111, 48000, 2)
VP8 = Codec("video/vp8", 96, 90000, rtx_payload_type=97)
H264 = Codec("video/h264", 102, 90000, rtx_payload_type=103)


def subscription(**changes: object) -> DownTrack:
    values: dict[str, object] = {
        "ssrc": 500,
        "payload_type": 120,
        "rtx_ssrc": 501,
        "rtx_payload_type": 121,
        "extension_ids": {},
        "cname": "who",
        "first_seq": 1000,
        **changes,
    }
    return DownTrack(**values)  # type: ignore[arg-type]


def track(codec: Codec, *downs: DownTrack, ids: dict[str, int] | None = None) -> UpTrack:
    up = UpTrack(codec=codec, extension_ids=ids or {})
    up.add_ssrc(1, rtx_ssrc=2)
    for down in downs:
        up.attach(down)
    return up


def audio(seq: int, **fields: object) -> bytes:
    return rtp_packet(seq, b"sound", **{"payload_type": 111, "timestamp": seq * 960, **fields})


def video(seq: int, *, keyframe: bool = False, picture_id: int | None = None) -> bytes:
    payload = vp8_payload(
        picture_id=seq if picture_id is None else picture_id, tl0=seq, keyframe=keyframe
    )
    return rtp_packet(seq, payload, timestamp=seq * 3000, marker=True)


def headers(sent: list[tuple[DownTrack, bytes]]) -> list[RtpHeader]:
    return [RtpHeader.parse(data) for _, data in sent]


def test_audio_is_forwarded_at_once_under_the_subscribers_names() -> None:
    down = subscription()
    up = track(OPUS, down)
    ((to, data),) = up.handle_rtp(audio(7, marker=True), 0.0)
    header = RtpHeader.parse(data)
    assert to is down
    assert (header.ssrc, header.payload_type, header.seq) == (500, 120, 1000)
    assert (header.timestamp, header.marker) == (7 * 960, True)
    assert data[header.payload_start :] == b"sound"


def test_video_waits_for_a_keyframe_and_asks_for_it() -> None:
    down = subscription()
    up = track(VP8, down)
    assert up.handle_rtp(video(1), 0.0) == []
    assert up.feedback(9, 0.0) == [rtcp.PictureLossIndication(9, 1)]
    assert up.feedback(9, 0.4) == []
    assert up.feedback(9, 0.6) == [rtcp.PictureLossIndication(9, 1)]
    assert len(up.handle_rtp(video(2, keyframe=True), 0.7)) == 1
    assert up.feedback(9, 2.0) == []


def test_a_silent_publisher_is_not_asked_for_keyframes() -> None:
    down = subscription()
    up = track(VP8, down)
    up.handle_rtp(video(1), 0.0)
    assert up.feedback(9, 5.0) == []
    assert up.feedback_due_s > 5.0
    up.handle_rtp(video(2), 5.2)
    assert up.feedback(9, 5.6) == [rtcp.PictureLossIndication(9, 1)]


def test_an_overtaken_keyframe_start_brings_the_packets_that_overtook_it() -> None:
    down = subscription()
    up = track(VP8, down)
    up.handle_rtp(video(1), 0.0)
    rest = vp8_payload(picture_id=2, start=False)
    assert up.handle_rtp(rtp_packet(3, rest, timestamp=6000), 0.1) == []
    sent = up.handle_rtp(video(2, keyframe=True), 0.2)
    assert [header.seq for header in headers(sent)] == [1000, 1001]


def test_padding_leaves_no_gap() -> None:
    down = subscription()
    up = track(OPUS, down)
    sent = up.handle_rtp(audio(1), 0.0)
    assert up.handle_rtp(rtp_packet(2, b"", payload_type=111, padding_bytes=200), 0.0) == []
    sent += up.handle_rtp(audio(3), 0.0)
    assert [header.seq for header in headers(sent)] == [1000, 1001]


def test_padding_that_was_overtaken_is_forwarded_empty() -> None:
    down = subscription()
    up = track(OPUS, down)
    sent = up.handle_rtp(audio(1), 0.0) + up.handle_rtp(audio(3), 0.0)
    sent += up.handle_rtp(rtp_packet(2, b"", payload_type=111, padding_bytes=200), 0.0)
    assert [header.seq for header in headers(sent)] == [1000, 1002, 1001]
    assert headers(sent)[-1].payload_size == 0


def test_duplicates_are_forwarded_once() -> None:
    down = subscription()
    up = track(OPUS, down)
    assert len(up.handle_rtp(audio(1), 0.0)) == 1
    assert up.handle_rtp(audio(1), 0.0) == []


def test_a_pause_is_invisible_in_the_numbers() -> None:
    down = subscription()
    up = track(OPUS, down)
    sent = up.handle_rtp(audio(1), 0.0)
    down.set_wanted(None)
    assert up.handle_rtp(audio(2), 0.0) == []
    assert up.max_wanted() is None
    down.set_wanted(Quality.HIGH)
    sent += up.handle_rtp(audio(3), 0.0)
    assert [(header.seq, header.timestamp) for header in headers(sent)] == [
        (1000, 960),
        (1001, 3 * 960),
    ]


def test_short_picture_ids_are_written_long() -> None:
    down = subscription()
    up = track(VP8, down)
    payload = b"\x90\x80\x05\x00" + bytes(10)
    ((_, data),) = up.handle_rtp(rtp_packet(1, payload), 0.0)
    header = RtpHeader.parse(data)
    descriptor = Vp8Descriptor.parse(data[header.payload_start :])
    assert (descriptor.picture_id, descriptor.picture_id_bits, descriptor.size) == (5, 15, 4)


def test_extensions_keep_their_value_under_the_subscribers_ids() -> None:
    publisher_ids = {ext.VIDEO_ORIENTATION: 3, ext.MID: 4, ext.TRANSPORT_WIDE_CC: 5}
    down = subscription(
        extension_ids={
            ext.VIDEO_ORIENTATION: 7,
            ext.MID: 8,
            ext.TRANSPORT_WIDE_CC: 9,
            ext.ABSOLUTE_SEND_TIME: 10,
        },
        mid="12",
    )
    up = track(OPUS, down, ids=publisher_ids)
    incoming = audio(1, extensions={3: b"\x01", 4: b"0", 5: b"\0\1"})
    ((_, data),) = up.handle_rtp(incoming, 2.5)
    assert RtpHeader.parse(data).extensions(data) == {
        7: b"\x01",
        8: b"12",
        9: bytes(2),
        10: ext.absolute_send_time(2.5),
    }


def test_subscribers_with_equal_ids_share_one_block() -> None:
    downs = [subscription(ssrc=500 + n, extension_ids={ext.AUDIO_LEVEL: 2}) for n in range(3)]
    up = track(OPUS, *downs, ids={ext.AUDIO_LEVEL: 1})
    sent = up.handle_rtp(audio(1, extensions={1: b"\x80"}), 0.0)
    assert len({data[12:] for _, data in sent}) == 1
    assert {header.ssrc for header in headers(sent)} == {500, 501, 502}


def test_lost_packets_are_sent_again_on_the_retransmission_ssrc() -> None:
    down = subscription()
    up = track(VP8, down)
    ((_, first),) = up.handle_rtp(video(1, keyframe=True), 0.0)
    up.handle_rtp(video(2), 0.0)
    (resent,) = down.handle_nack([1000], 0.1)
    header, original = RtpHeader.parse(resent), RtpHeader.parse(first)
    assert (header.ssrc, header.payload_type, header.timestamp) == (501, 121, original.timestamp)
    assert resent[header.payload_start :] == b"\x03\xe8" + first[original.payload_start :]


def test_a_packet_is_sent_again_only_so_often() -> None:
    down = subscription()
    up = track(VP8, down)
    up.handle_rtp(video(1, keyframe=True), 0.0)
    assert len(down.handle_nack([1000, 1000, 1000], 0.1)) == 1
    assert down.handle_nack([1000], 0.11) == []
    times = sum(len(down.handle_nack([1000], 0.2 + n / 10)) for n in range(20))
    assert times == MAX_RESENDS - 1


def test_unknown_packets_are_not_sent_again() -> None:
    down = subscription()
    up = track(VP8, down)
    up.handle_rtp(video(1, keyframe=True), 0.0)
    assert down.handle_nack([999, 1001, 40000], 0.1) == []


@pytest.mark.parametrize("moved", [False, True])
def test_without_retransmission_ssrc_the_very_same_bytes_are_sent_again(moved: bool) -> None:
    down = subscription(rtx_ssrc=None, extension_ids={ext.ABSOLUTE_SEND_TIME: 3})
    up = track(VP8, down)
    sent = up.handle_rtp(video(1, keyframe=True), 0.0)
    if moved:
        down.set_wanted(None)
        down.set_wanted(Quality.HIGH)
        sent += up.handle_rtp(video(5, keyframe=True), 0.5)
    seqs = [header.seq for header in headers(sent)]
    assert down.handle_nack(seqs, 9.0) == [data for _, data in sent]


def test_a_stream_that_does_not_say_its_layer_replaces_none() -> None:
    up = UpTrack(codec=VP8, extension_ids={})
    assert up.learn(10, 96, "f", None)
    assert not up.learn(11, 96, None, None)
    assert not up.learn(12, 97, None, None)
    assert up.learn(12, 97, None, "f")
    assert up.learn(11, 96, "q", None)


def test_a_publishers_retransmission_fills_the_gap() -> None:
    down = subscription()
    up = track(VP8, down)
    sent = up.handle_rtp(video(1, keyframe=True), 0.0) + up.handle_rtp(video(3), 0.0)
    assert up.feedback_due_s < 0.1
    lost = video(2)
    header = RtpHeader.parse(lost)
    wrapped = rtp_packet(
        70,
        b"\0\2" + lost[header.payload_start :],
        payload_type=97,
        ssrc=2,
        timestamp=6000,
        marker=True,
    )
    sent += up.handle_rtp(wrapped, 0.1)
    assert [header.seq for header in headers(sent)] == [1000, 1002, 1001]
    assert all(not isinstance(packet, rtcp.Nack) for packet in up.feedback(9, 0.2))


def test_probes_on_the_retransmission_ssrc_are_dropped() -> None:
    up = track(VP8, subscription())
    up.handle_rtp(video(1, keyframe=True), 0.0)
    probe = write_packet(
        payload_type=97, seq=1, timestamp=0, ssrc=2, payload=b"", padding_bytes=200
    )
    assert up.handle_rtp(probe, 0.0) == []


def test_h264_begins_with_its_parameter_sets() -> None:
    down = subscription()
    up = track(H264, down)
    sps, idr, delta = b"\x67\x42", b"\x65\x88", b"\x61\x00"
    payloads = [delta, sps, b"\x68\x01", idr, delta]
    sent = []
    for seq, payload in enumerate(payloads):
        sent += up.handle_rtp(rtp_packet(seq, payload, payload_type=102), 0.0)
    assert [data[-2:] for _, data in sent] == payloads[1:]


def test_a_new_ssrc_of_the_track_takes_over() -> None:
    down = subscription()
    up = track(OPUS, down)
    sent = up.handle_rtp(audio(1), 0.0)
    assert up.learn(77, 111, None, None)
    sent += up.handle_rtp(audio(40000, ssrc=77, timestamp=5), 0.02)
    assert [header.seq for header in headers(sent)] == [1000, 1001]
    assert headers(sent)[1].timestamp == pytest.approx(960 + 960, abs=100)


def test_a_restart_of_the_senders_numbering_is_closed() -> None:
    down = subscription()
    up = track(OPUS, down)
    sent = []
    for seq in (1, 2, 30000, 30001, 30002):
        sent += up.handle_rtp(audio(seq), 0.0)
    assert [header.seq for header in headers(sent)] == [1000, 1001, 1002, 1003]


def test_strange_streams_cannot_fill_the_memory() -> None:
    up = UpTrack(codec=VP8, extension_ids={})
    learned = [ssrc for ssrc in range(100, 200) if up.learn(ssrc, 96, "f", None)]
    assert len(learned) == MAX_STREAMS
    assert not up.learn(300, 55, None, None)


def test_audio_levels_reach_the_speaker_meter() -> None:
    level = AudioLevel()
    up = UpTrack(codec=OPUS, extension_ids={ext.AUDIO_LEVEL: 1}, audio_level=level)
    up.add_ssrc(1)
    for seq in range(30):
        up.handle_rtp(audio(seq, extensions={1: b"\x8a"}), seq * 0.02)
    assert level.level(0.6) > 0


def test_a_payload_that_is_cut_off_costs_only_itself() -> None:
    down = subscription()
    up = track(VP8, down)
    up.handle_rtp(video(1, keyframe=True), 0.0)
    with pytest.raises(RemoteProtocolError):
        up.handle_rtp(rtp_packet(2, b"\x80"), 0.0)
    assert len(up.handle_rtp(video(3), 0.0)) == 1


# The peer around it.


def test_streams_are_found_by_their_mid_and_then_by_ssrc() -> None:
    ids = {ext.MID: 4}
    ups = {mid: UpTrack(codec=OPUS, extension_ids=ids) for mid in ("0", "1")}
    peer = MediaPeer(local_ssrc=9)
    for mid, up in ups.items():
        peer.set_up_track(mid, up)
    down = subscription()
    ups["1"].attach(down)
    assert peer.handle_rtp(audio(1, ssrc=33), 0.0) == []
    assert peer.unrouted_packets == 1
    assert len(peer.handle_rtp(audio(2, ssrc=33, extensions={4: b"1"}), 0.0)) == 1
    assert len(peer.handle_rtp(audio(3, ssrc=33), 0.0)) == 1
    peer.remove_up_track("1")
    assert peer.handle_rtp(audio(4, ssrc=33), 0.0) == []


def test_reports_name_what_was_received() -> None:
    up = track(OPUS)
    peer = MediaPeer(local_ssrc=9)
    peer.set_up_track("0", up)
    for seq in (1, 2, 4):
        peer.handle_rtp(audio(seq), 0.0)
    packets = [packet for data in peer.poll(1.0) for packet in rtcp.parse(data)]
    report = packets[0]
    assert isinstance(report, rtcp.ReceiverReport)
    (block,) = report.blocks
    assert (block.ssrc, block.packets_lost, block.highest_seq) == (1, 1, 4)
    assert block.fraction_lost == 64
    assert any(isinstance(packet, rtcp.ReceiverEstimatedMaximumBitrate) for packet in packets)


def test_transport_feedback_replaces_remb_when_negotiated() -> None:
    up = track(OPUS, ids={ext.TRANSPORT_WIDE_CC: 5})
    peer = MediaPeer(local_ssrc=9)
    peer.set_up_track("0", up)
    peer.handle_rtp(audio(1, extensions={5: b"\0\7"}), 0.0)
    kinds = [type(packet) for data in peer.poll(0.06) for packet in rtcp.parse(data)]
    assert rtcp.TransportFeedback in kinds
    assert rtcp.ReceiverEstimatedMaximumBitrate not in kinds


def test_a_subscribers_requests_reach_its_subscription() -> None:
    down = subscription()
    up = track(VP8, down)
    peer = MediaPeer(local_ssrc=9)
    peer.add_down_track(down)
    up.handle_rtp(video(1, keyframe=True), 0.0)
    asked = rtcp.write(
        [
            rtcp.ReceiverReport(3, (rtcp.ReportBlock(500, 128, 5, 0, 0, 0, 0),)),
            rtcp.Nack(3, 500, (1000,)),
            rtcp.FullIntraRequest(3, ((500, 1),)),
            rtcp.ReceiverEstimatedMaximumBitrate(3, 100_000),
        ]
    )
    assert len(peer.handle_rtcp(asked, 0.5)) == 1
    assert down.stats.fraction_lost == 0.5
    assert up.feedback(9, 1.0) == [rtcp.PictureLossIndication(9, 1)]
    assert peer.estimated_bps is not None


def test_round_trip_time_is_measured_on_own_reports() -> None:
    down = subscription()
    up = track(OPUS, down)
    up.handle_rtp(audio(1), 0.0)
    up.handle_sender_report(rtcp.SenderReport(1, 5 << 32, 960, 1, 1), 0.0)
    report = down.sender_report(1.0)
    assert report is not None
    assert (report.ntp >> 32, report.timestamp) == (6, 960 + 48000)
    middle = report.ntp >> 16 & 0xFFFFFFFF
    down.handle_report(rtcp.ReportBlock(500, 0, 0, 0, 0, middle, 32768), 1.7)
    assert down.stats.rtt_s == pytest.approx(0.2)


def test_loss_and_wanted_keyframes_are_pressing_and_nothing_else_is() -> None:
    up = track(VP8)
    peer = MediaPeer(local_ssrc=9)
    peer.set_up_track("0", up)
    peer.handle_rtp(video(1, keyframe=True), 0.0)
    assert not peer.is_pressing(5.0)
    peer.handle_rtp(video(3), 5.0)
    assert not peer.is_pressing(5.0), "it may only be out of order"
    assert peer.is_pressing(5.05)
    peer.poll(5.05)
    assert not peer.is_pressing(5.05), "it has just been asked for"
    next(iter(up.layers)).request_keyframe()
    assert peer.is_pressing(5.05)


def test_a_peer_without_tracks_sleeps() -> None:
    peer = MediaPeer(local_ssrc=9)
    assert peer.next_poll_s == float("inf")
    assert peer.poll(5.0) == []


def test_many_reports_are_split_into_datagrams() -> None:
    peer = MediaPeer(local_ssrc=9)
    for number in range(60):
        up = UpTrack(codec=OPUS, extension_ids={ext.MID: 4})
        up.add_ssrc(number + 1)
        peer.set_up_track(str(number), up)
        peer.handle_rtp(audio(1, ssrc=number + 1), 0.0)
        down = subscription(ssrc=5000 + number)
        up.attach(down)
        peer.add_down_track(down)
        up.handle_rtp(audio(2, ssrc=number + 1), 0.0)
        up.handle_sender_report(rtcp.SenderReport(number + 1, 5 << 32, 960, 1, 1), 0.0)
    compounds = peer.poll(1.0)
    assert all(len(data) <= 1200 for data in compounds)
    packets = [packet for data in compounds for packet in rtcp.parse(data)]
    reports = [packet for packet in packets if isinstance(packet, rtcp.SenderReport)]
    assert len({report.ssrc for report in reports}) == 60
    assert sum(len(one.blocks) for one in packets if isinstance(one, rtcp.ReceiverReport)) == 60
