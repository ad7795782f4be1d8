"""Which frame goes into which file at which time."""

import pytest

from recordings.capture.cutting import (
    AUDIO_FILE_S,
    KEYFRAME_EVERY_S,
    VIDEO_FILE_S,
    Cutter,
    h264_parameters,
    vp8_size,
)
from recordings.capture.port import EncodedFrame, Track

CAMERA = Track("TR_v", "site:1", "Đăk Pxi", "camera", "vp8", 90_000)
MICROPHONE = Track("TR_a", "site:1", "Đăk Pxi", "microphone", "opus", 48_000)


def vp8(at_s: float, *, size: tuple[int, int] | None = None, gap: bool = False) -> EncodedFrame:
    """A frame of the camera; with a size it is a keyframe."""
    data = b"\x01\x00\x00" + b"\x00" * 8
    if size is not None:
        sides = b"".join(side.to_bytes(2, "little") for side in size)
        data = b"\x00\x00\x00\x9d\x01\x2a" + sides + b"\x00"
    return EncodedFrame(data, 7_000 + round(at_s * 90_000), size is not None, gap)


def opus(at_s: float) -> EncodedFrame:
    return EncodedFrame(b"\xfc\x00", round(at_s * 48_000), True)


HD, SD = (1280, 720), (640, 360)


def test_pictures_wait_for_a_keyframe_and_ask_for_it_once_a_second() -> None:
    cutter = Cutter(CAMERA)
    asked = [cutter.take(vp8(n / 25), n / 25).wants_keyframe for n in range(50)]
    assert asked.count(True) == 2
    cut = cutter.take(vp8(2, size=HD), 2.0)
    assert (cut.opens, cut.pts_ms) == (True, 0)
    assert cutter.take(vp8(2.04), 2.04).pts_ms == 40


def test_a_new_size_begins_a_new_file_at_its_keyframe() -> None:
    cutter = Cutter(CAMERA)
    cutter.take(vp8(0, size=HD), 0.0)
    assert not cutter.take(vp8(0.5, size=HD), 0.5).opens
    cut = cutter.take(vp8(1, size=SD), 1.0)
    assert (cut.closes, cut.opens, cut.pts_ms) == ("format", True, 0)


def test_after_a_loss_nothing_is_written_until_a_keyframe_and_the_hole_is_known() -> None:
    cutter = Cutter(CAMERA)
    cutter.take(vp8(0, size=HD), 0.0)
    cutter.take(vp8(0.04), 0.04)
    torn = cutter.take(vp8(0.12, gap=True), 0.12)
    assert torn.pts_ms is None
    assert torn.wants_keyframe
    assert cutter.take(vp8(0.16), 0.16).pts_ms is None
    healed = cutter.take(vp8(0.6, size=HD), 0.6)
    assert healed.pts_ms == 600
    assert healed.lost_ms == (40, 600)
    assert cutter.take(vp8(0.64), 0.64).lost_ms is None


def test_a_frame_that_could_not_be_stored_tears_pictures_but_not_sound() -> None:
    camera, microphone = Cutter(CAMERA), Cutter(MICROPHONE)
    camera.take(vp8(0, size=HD), 0.0)
    microphone.take(opus(0), 0.0)
    camera.tear()
    microphone.tear()
    assert camera.take(vp8(0.04), 0.04).pts_ms is None
    assert microphone.take(opus(0.02), 0.02).pts_ms == 20


def test_a_clock_that_jumps_begins_a_new_file() -> None:
    cutter = Cutter(MICROPHONE)
    cutter.take(opus(0), 0.0)
    cut = cutter.take(opus(3600), 0.02)
    assert (cut.closes, cut.opens, cut.pts_ms) == ("clock", True, 0)


def test_a_silence_that_time_stamps_follow_stays_in_the_file() -> None:
    cutter = Cutter(MICROPHONE)
    cutter.take(opus(0), 0.0)
    assert cutter.take(opus(300), 300.1).pts_ms == 300_000


@pytest.mark.parametrize("limit_s", [VIDEO_FILE_S, AUDIO_FILE_S])
def test_files_do_not_grow_for_ever(limit_s: float) -> None:
    is_video = limit_s == VIDEO_FILE_S
    cutter = Cutter(CAMERA if is_video else MICROPHONE)
    make = (lambda at: vp8(at, size=HD)) if is_video else opus
    cutter.take(make(0), 0.0)
    assert cutter.take(make(limit_s - 1), limit_s - 1).closes == ""
    assert cutter.take(make(limit_s), limit_s).closes == "length"


def test_a_keyframe_is_asked_for_now_and_then_so_that_scenes_open_quickly() -> None:
    cutter = Cutter(CAMERA)
    cutter.take(vp8(0, size=HD), 0.0)
    steps = [n / 2 for n in range(1, round(KEYFRAME_EVERY_S * 2) + 1)]
    asked = [at for at in steps if cutter.take(vp8(at), at).wants_keyframe]
    assert asked == [KEYFRAME_EVERY_S]


def test_presentation_times_ascend_even_if_time_stamps_do_not() -> None:
    cutter = Cutter(MICROPHONE)
    times = [cutter.take(opus(at), at).pts_ms for at in (0, 0.02, 0.02, 0.01, 0.04)]
    assert times == [0, 20, 21, 22, 40]


@pytest.mark.parametrize("data", [b"", b"\x00" * 9, b"\x00" * 20, b"\x01\x00\x00\x9d\x01\x2a" * 2])
def test_no_size_is_read_from_what_is_no_keyframe(data: bytes) -> None:
    assert vp8_size(data) is None


def test_parameter_sets_are_found_before_the_picture() -> None:
    sps, pps, idr = b"\x67\x42\x01", b"\x68\xce\x02", b"\x65\x88"
    frame = b"".join(b"\x00\x00\x00\x01" + unit for unit in (sps, pps, idr))
    assert h264_parameters(frame) == sps + pps
    assert h264_parameters(b"\x00\x00\x00\x01" + idr) == b""
