"""A microphone that is not forwarded: no gap for those who hear it again, its level still known."""

from media.core.codecs import Codec
from media.core.extensions import AUDIO_LEVEL
from media.core.forward import DownTrack
from media.core.rtcp import SenderReport
from media.core.rtp import RtpHeader, write_packet
from media.core.speakers import AudioLevel
from media.core.track import UpTrack


def test_a_withheld_microphone_leaves_no_gap_and_is_still_measured() -> None:
    level = AudioLevel()
    up = UpTrack(
        codec=Codec("audio/opus", 111, 48000, 2),
        extension_ids={AUDIO_LEVEL: 1},
        audio_level=level,
    )
    up.add_ssrc(5)
    down = DownTrack(ssrc=9, payload_type=111, extension_ids={}, cname="x")
    up.attach(down)
    numbers = []
    for index in range(60):
        up.set_withheld(20 <= index < 40)
        loud = 10 if index < 30 else 90
        data = write_packet(
            payload_type=111, seq=65_500 + index & 0xFFFF, timestamp=index * 960, ssrc=5,
            marker=False, payload=b"sound", extensions={1: bytes((loud,))},
        )  # fmt: skip
        for _, packet in up.handle_rtp(data, index * 0.02):
            numbers.append(RtpHeader.parse(packet).seq)
        if index == 29:
            assert level.power > 0.05, "its level is not measured while it is withheld"
    assert len(numbers) == 40
    assert numbers == list(range(numbers[0], numbers[0] + 40)) or numbers == [
        number & 0xFFFF for number in range(numbers[0], numbers[0] + 40)
    ]
    assert level.power < 0.001


def test_a_recorder_hears_a_microphone_that_is_withheld_from_the_others() -> None:
    up = UpTrack(codec=Codec("audio/opus", 111, 48000, 2), extension_ids={})
    up.add_ssrc(5)
    listener = DownTrack(ssrc=9, payload_type=111, extension_ids={}, cname="x")
    recorder = DownTrack(ssrc=10, payload_type=111, extension_ids={}, cname="x")
    up.attach(listener)
    got: dict[DownTrack, list[tuple[int, int]]] = {listener: [], recorder: []}
    for index in range(90):
        if index == 10:
            up.attach(recorder, is_whole=True)
            up.handle_sender_report(SenderReport(5, 1 << 32, index * 960, 0, 0), 0.2)
        if index == 80:
            up.detach(recorder)
        up.set_withheld(20 <= index < 60)
        if index == 50:
            continue  # lost on the way in
        data = write_packet(
            payload_type=111, seq=65_530 + index & 0xFFFF, timestamp=index * 960, ssrc=5,
            payload=index.to_bytes(2, "big"),
        )  # fmt: skip
        for down, packet in up.handle_rtp(data, index * 0.02):
            header = RtpHeader.parse(packet)
            number = int.from_bytes(packet[header.payload_start : header.payload_end], "big")
            got[down].append((header.seq, number))
    heard, recorded = got[listener], got[recorder]
    assert [number for _, number in heard] == [*range(20), *range(60, 90)]
    assert [number for _, number in recorded] == [*range(10, 50), *range(51, 80)]
    first = recorded[0][0]
    steps = [(seq - first) & 0xFFFF for seq, _ in recorded]
    assert steps == [number - 10 for _, number in recorded], "only the lost packet leaves a gap"
    assert recorder.sender_report(1.0) is None, "it has left"
    assert up.down_tracks == [listener]
