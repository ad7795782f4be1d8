"""A microphone that is not forwarded: no gap for those who hear it again, its level still known."""

from media.core.codecs import Codec
from media.core.extensions import AUDIO_LEVEL
from media.core.forward import DownTrack
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
