"""A subscribed track repairs losses, keeps order, marks what is missing, reads the clock."""

from collections.abc import Callable

import pytest
from livekit.protocol import models

from media.client.local import LocalTrack
from media.client.tracks import WAIT_S, InboundSection, MediaPacket, RemoteTrack
from media.core.codecs import Codec
from media.core.rtcp import Nack, PictureLossIndication, SenderReport
from media.core.rtp import RtpHeader, write_packet
from media.core.rtx import wrap

VP8 = Codec("video/vp8", 96, 90_000, 1, 97)
SSRC, RTX_SSRC = 1111, 2222


@pytest.fixture
def track() -> RemoteTrack:
    section = InboundSection("0", "video", "TR_1", {96: VP8}, SSRC, RTX_SSRC)
    info = models.TrackInfo(sid="TR_1", mime_type="video/VP8")
    return RemoteTrack(info, models.ParticipantInfo(identity="a", sid="PA_1"), section)


@pytest.fixture
def packets(track: RemoteTrack) -> list[MediaPacket]:
    found: list[MediaPacket] = []
    track.on_packet = found.append
    return found


def media(seq: int, payload: bytes = b"x", padding: int = 0) -> bytes:
    return write_packet(
        payload_type=96,
        seq=seq & 0xFFFF,
        timestamp=seq * 3000 & 0xFFFFFFFF,
        ssrc=SSRC,
        payload=payload,
        padding_bytes=padding,
    )


def resent(seq: int) -> bytes:
    return write_packet(
        payload_type=97,
        seq=seq + 7,
        timestamp=seq * 3000,
        ssrc=RTX_SSRC,
        payload=wrap(seq & 0xFFFF, b"x"),
    )


def give(track: RemoteTrack, data: bytes, now_s: float) -> None:
    track.receive(RtpHeader.parse(data), data, now_s)


def test_packets_pass_in_order_with_unwrapped_numbers(
    track: RemoteTrack, packets: list[MediaPacket]
) -> None:
    for step, seq in enumerate(range(65_530, 65_550)):
        give(track, media(seq), step * 0.01)
    numbers = [packet.ext_seq for packet in packets]
    assert numbers == list(range(numbers[0], numbers[0] + 20))
    times = [packet.timestamp for packet in packets]
    assert times == [times[0] + 3000 * n for n in range(20)]


def test_a_lost_packet_is_asked_for_and_its_repair_closes_the_gap(
    track: RemoteTrack, packets: list[MediaPacket]
) -> None:
    give(track, media(1), 0.0)
    give(track, media(3), 0.01)
    assert [p.lost_before for p in packets] == [0]
    [nack] = track.feedback(9, 0.05)
    assert nack == Nack(9, SSRC, (2,))
    give(track, resent(2), 0.06)
    assert [p.payload for p in packets] == [b"x"] * 3
    assert [p.lost_before for p in packets] == [0, 0, 0]
    assert track.stats.recovered == 1


def test_what_does_not_come_is_marked_on_the_next_packet(
    track: RemoteTrack, packets: list[MediaPacket]
) -> None:
    give(track, media(1), 0.0)
    give(track, media(5), 0.01)
    track.poll(0.01 + WAIT_S)
    assert [p.lost_before for p in packets] == [0, 3]
    assert packets[1].ext_seq - packets[0].ext_seq == 4
    assert track.stats.lost == 3


def test_padding_leaves_no_hole_in_the_numbers(
    track: RemoteTrack, packets: list[MediaPacket]
) -> None:
    give(track, media(1), 0.0)
    give(track, media(2, b"", padding=20), 0.01)
    give(track, media(3), 0.02)
    assert [p.ext_seq - packets[0].ext_seq for p in packets] == [0, 1]
    assert track.stats.lost == 0


def test_a_probe_on_the_repair_stream_is_no_packet(
    track: RemoteTrack, packets: list[MediaPacket]
) -> None:
    give(track, media(1), 0.0)
    give(
        track,
        write_packet(
            payload_type=97, seq=1, timestamp=0, ssrc=RTX_SSRC, payload=b"", padding_bytes=99
        ),
        0.01,
    )
    assert len(packets) == 1


def test_packets_before_the_owner_listens_are_kept(track: RemoteTrack) -> None:
    for seq in range(5):
        give(track, media(seq + 1), 0.0)
    found: list[MediaPacket] = []
    track.on_packet = found.append
    assert len(found) == 5


def test_a_keyframe_is_asked_for_until_it_comes_and_not_too_often(track: RemoteTrack) -> None:
    wishes: list[bool] = []
    track.on_wish = lambda: wishes.append(True)
    track.request_keyframe()
    assert wishes
    assert track.feedback(9, 0.0) == []
    give(track, media(1, b"\x10\x01abc"), 0.0)
    assert track.feedback(9, 0.0) == [PictureLossIndication(9, SSRC)]
    assert track.feedback(9, 0.1) == []
    assert track.deadline_s == pytest.approx(0.5)
    give(track, media(2, b"\x10\x01abc"), 0.2)
    assert track.feedback(9, 0.5) == [PictureLossIndication(9, SSRC)]
    give(track, media(3, b"\x10\x00abc"), 0.6)
    assert track.feedback(9, 2.0) == []


def test_sender_reports_give_wall_time(track: RemoteTrack) -> None:
    give(track, media(1), 0.0)
    assert track.wall_time_s(3000) is None
    unix_s = 1_800_000_000.25
    ntp = int((unix_s + 2_208_988_800) * 2**32)
    track.handle_sender_report(SenderReport(SSRC, ntp, 3000, 1, 1), 0.1)
    assert track.wall_time_s(3000 + 90_000) == pytest.approx(unix_s + 1, abs=1e-6)


def test_a_new_source_starts_over_without_an_error(
    track: RemoteTrack, packets: list[MediaPacket]
) -> None:
    give(track, media(1), 0.0)
    other = write_packet(payload_type=96, seq=900, timestamp=7, ssrc=777, payload=b"y")
    give(track, other, 0.1)
    assert [p.payload for p in packets] == [b"x", b"y"]


def published() -> tuple[LocalTrack, list[bytes], Callable[[float], None]]:
    track = LocalTrack("c1", "video", VP8, models.TrackInfo(sid="TR_9"))
    sent: list[bytes] = []
    now = [1_800_000_000.0]

    def set_time(value: float) -> None:
        now[0] = value

    track.attach(sent.append, lambda: now[0])
    return track, sent, set_time


def test_a_published_frame_arrives_and_a_lost_packet_is_resent(
    track: RemoteTrack, packets: list[MediaPacket]
) -> None:
    local, sent, _ = published()
    local.send(b"\x10" + bytes(3000), 0)
    assert len(sent) == 3
    lost = RtpHeader.parse(sent[1])
    local.resend([lost.seq])
    repair = RtpHeader.parse(sent[3])
    assert repair.ssrc == local.rtx_ssrc
    assert repair.payload_type == 97
    assert sent[3][repair.payload_start + 2 :] == sent[1][lost.payload_start :]
    assert [RtpHeader.parse(data).marker for data in sent[:3]] == [False, False, True]


def test_sender_reports_extrapolate_the_clock() -> None:
    local, sent, set_time = published()
    assert local.report("me") == []
    local.send(b"\x10abc", 90_000)
    first = RtpHeader.parse(sent[0])
    set_time(1_800_000_002.0)
    report = local.report("me")[0]
    assert isinstance(report, SenderReport)
    assert report.timestamp == first.timestamp + 180_000 & 0xFFFFFFFF
    assert report.packets == 1


def test_a_muted_or_detached_track_sends_nothing() -> None:
    local, sent, _ = published()
    local.is_muted = True
    assert local.send(b"\x10abc", 0) == 0
    local.is_muted = False
    local.detach()
    assert local.send(b"\x10abc", 0) == 0
    assert sent == []
