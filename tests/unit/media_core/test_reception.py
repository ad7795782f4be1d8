"""Received streams, lost packets, layers, codecs, speakers."""

from itertools import pairwise

import pytest

from media.core import h264, sdp
from media.core.codecs import Codec, offered_codecs
from media.core.nack import MAX_AGE_S, MAX_MISSING, MAX_TRIES, REORDER_WAIT_S, NackGenerator
from media.core.receive import UpStream
from media.core.rtcp import SenderReport
from media.core.rtp import RtpHeader
from media.core.simulcast import STALE_AFTER_S, Layer, Layers, Quality, quality_of_rid
from media.core.speakers import AudioLevel, SpeakerChange, SpeakerDetector
from tests.support.packets import rtp_packet, vp8_payload

VP8 = Codec("video/vp8", 96, 90000)


def receive(stream: UpStream, *seqs: int) -> list[int | None]:
    return [stream.receive(seq, 0, 100, 0.0) for seq in seqs]


def test_numbers_are_unwrapped_in_order_and_out_of_order() -> None:
    stream = UpStream(1, 90000, wants_nack=True)
    first, late, wrapped = receive(stream, 65535, 65534, 0)
    assert first is not None
    assert (late, wrapped) == (first - 1, first + 1)


def test_duplicates_and_ancient_packets_are_refused() -> None:
    stream = UpStream(1, 90000, wants_nack=True)
    assert receive(stream, 2000, 2000, 100) == [65536 + 2000, None, None]
    assert stream.duplicates == 1


def test_one_wild_number_does_not_move_the_window() -> None:
    stream = UpStream(1, 90000, wants_nack=True)
    receive(stream, 10, 30000)
    assert stream.highest == 65536 + 10
    assert receive(stream, 11) == [65536 + 11]


def test_retransmissions_do_not_hide_the_loss() -> None:
    stream = UpStream(1, 90000, wants_nack=True)
    receive(stream, 1, 2, 4)
    assert stream.receive(3, 0, 100, 0.1, recovered=True) == 65536 + 3
    block = stream.report(1.0)
    assert block is not None
    assert (block.packets_lost, block.fraction_lost) == (1, 64)
    later = stream.report(2.0)
    assert later is not None
    assert (later.packets_lost, later.fraction_lost) == (1, 0)


def test_the_report_echoes_the_senders_report() -> None:
    stream = UpStream(1, 90000, wants_nack=True)
    receive(stream, 1)
    stream.handle_sender_report(SenderReport(1, 0x0000_0001_8000_0000, 5, 0, 0), 10.0)
    block = stream.report(10.5)
    assert block is not None
    assert (block.last_sr, block.delay_since_last_sr) == (0x0001_8000, 32768)


def test_jitter_is_measured_in_clock_ticks() -> None:
    stream = UpStream(1, 8000, wants_nack=False)
    for index in range(200):
        late_s = 0.010 if index % 2 else 0.0
        stream.receive(index, index * 160, 100, index * 0.020 + late_s)
    block = stream.report(5.0)
    assert block is not None
    assert block.jitter_rtp == pytest.approx(80, abs=2)


def test_bitrate_is_that_of_the_interval() -> None:
    stream = UpStream(1, 90000, wants_nack=False)
    for index in range(11):
        stream.receive(index, 0, 1250, index * 0.1)
    assert stream.measure_bitrate(1.0) == pytest.approx(110_000)
    assert stream.measure_bitrate(2.0) == 0


def test_lost_packets_are_asked_for_with_growing_pauses() -> None:
    nacks = NackGenerator()
    nacks.add(5, 8, 0.0)
    assert nacks.due(0.0) == []
    nacks.arrived(6)
    now_s, asked = REORDER_WAIT_S, []
    while len(nacks):
        now_s = max(now_s, nacks.next_due_s)
        if due := nacks.due(now_s):
            asked.append((round(now_s, 3), due))
    assert [due for _, due in asked] == [[5, 7]] * len(asked)
    assert 5 <= len(asked) <= MAX_TRIES
    pauses = [round(after[0] - before[0], 6) for before, after in pairwise(asked)]
    assert pauses == sorted(pauses)
    assert asked[-1][0] <= MAX_AGE_S
    assert nacks.given_up == 2


def test_a_gap_too_wide_is_given_up() -> None:
    nacks = NackGenerator()
    assert not nacks.add(0, MAX_MISSING + 1, 0.0)
    assert nacks.due(1.0) == []


def layers(*arrivals: tuple[Quality, float]) -> Layers:
    made = Layers(are_video=True)
    for quality, at in arrivals:
        layer = Layer(quality, int(quality), VP8, wants_nack=True)
        data = rtp_packet(1, vp8_payload(picture_id=1))
        layer.accept(RtpHeader.parse(data), data, {}, at, recovered=False)
        made.put(layer)
    return made


@pytest.mark.parametrize(
    ("wanted", "present", "expected"),
    [
        (Quality.HIGH, "qhf", Quality.HIGH),
        (Quality.HIGH, "qh", Quality.MEDIUM),
        (Quality.MEDIUM, "qf", Quality.LOW),
        (Quality.LOW, "hf", Quality.MEDIUM),
        (Quality.LOW, "f", Quality.HIGH),
    ],
)
def test_the_best_layer_not_above_the_wish(
    wanted: Quality, present: str, expected: Quality
) -> None:
    made = layers(*((quality_of_rid(rid) or Quality.LOW, 0.0) for rid in present))
    best = made.best(wanted)
    assert best is not None
    assert best.quality is expected


def test_a_layer_that_fell_silent_is_not_chosen() -> None:
    made = layers((Quality.LOW, STALE_AFTER_S + 0.1), (Quality.HIGH, 0.0))
    best = made.best(Quality.HIGH)
    assert best is not None
    assert best.quality is Quality.LOW


def test_layers_silent_together_stay_chosen() -> None:
    made = layers((Quality.LOW, 1.0), (Quality.HIGH, 0.0))
    best = made.best(Quality.HIGH)
    assert best is not None
    assert best.quality is Quality.HIGH


def test_rids_count_by_letter() -> None:
    assert [quality_of_rid(rid) for rid in "qhfx"] == [0, 1, 2, None]


@pytest.mark.parametrize(
    ("payload", "types"),
    [
        (b"\x67\x01", [7]),
        (b"\x7c\x85", [5]),
        (b"\x7c\x05", []),
        (bytes((24, 0, 1, 0x67, 0, 2, 0x65, 0)), [7, 5]),
    ],
)
def test_nal_units_that_begin_in_a_payload(payload: bytes, types: list[int]) -> None:
    assert h264.nal_types(payload) == types


def test_without_parameter_sets_in_band_a_keyframe_begins_at_its_picture() -> None:
    finder = h264.KeyframeFinder()
    assert finder.starts_keyframe(b"\x65\x00")
    assert finder.starts_keyframe(b"\x67\x00")
    assert not finder.starts_keyframe(b"\x65\x00")


def test_h264_variants_are_told_apart_but_not_by_level() -> None:
    section = sdp.parse(
        "v=0\nm=video 9 UDP/TLS/RTP/SAVPF 1 2 3 4\n"
        "a=rtpmap:1 H264/90000\na=fmtp:1 packetization-mode=1;profile-level-id=42e01f\n"
        "a=rtpmap:2 H264/90000\na=fmtp:2 packetization-mode=1;profile-level-id=42E034\n"
        "a=rtpmap:3 H264/90000\na=fmtp:3 packetization-mode=0;profile-level-id=42e01f\n"
        "a=rtpmap:4 rtx/90000\na=fmtp:4 apt=\n"
    ).media[0]
    one, two, three = offered_codecs(section)
    assert one.matches(two)
    assert not one.matches(three)
    assert one.rtx_payload_type is None


def speak(level: AudioLevel, dbov: int, start_s: float, packets: int) -> None:
    for index in range(packets):
        level.observe(dbov, 20, start_s + index * 0.02)


def test_a_speaker_is_reported_once_per_change_and_once_when_silent() -> None:
    detector, level = SpeakerDetector(), AudioLevel()
    detector.add("PA_a", level)
    detector.add("PA_b", AudioLevel())
    assert detector.poll(0.0) == []
    speak(level, 10, 0.0, 200)
    (change,) = detector.poll(4.0)
    assert (change.key, change.is_active) == ("PA_a", True)
    assert change.level in {n / 8 for n in range(1, 9)}
    assert detector.poll(4.1) == []
    speak(level, 10, 4.0, 20)
    assert detector.poll(4.5) == []
    assert detector.poll(6.0) == [SpeakerChange("PA_a", 0.0, is_active=False)]
    assert detector.poll(7.0) == []


def test_a_cough_is_not_speech() -> None:
    level = AudioLevel()
    speak(level, 5, 0.0, 7)
    speak(level, 127, 0.14, 13)
    assert level.level(0.4) == 0


def test_a_room_full_of_noise_below_the_threshold_is_silent() -> None:
    level = AudioLevel()
    speak(level, 36, 0.0, 100)
    assert level.level(2.0) == 0


def test_the_loudest_comes_first() -> None:
    detector, quiet, loud = SpeakerDetector(), AudioLevel(), AudioLevel()
    detector.add("quiet", quiet)
    detector.add("loud", loud)
    speak(quiet, 20, 0.0, 60)
    speak(loud, 3, 0.0, 60)
    assert [change.key for change in detector.poll(1.2)] == ["loud", "quiet"]
    assert list(detector.speaking()) == ["loud", "quiet"]
    detector.remove("loud")
    assert SpeakerChange("loud", 0.0, is_active=False) in detector.poll(2.0)
