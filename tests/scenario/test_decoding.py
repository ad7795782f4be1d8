"""Real VP8 through the forwarding core: what comes out decodes, to the right pictures.

Three libvpx encoders stand for simulcast layers. Every picture is one shade of grey that tells
its number, so a decoder that refers to a wrong picture shows a wrong shade.
"""

from fractions import Fraction

import av
import numpy as np
from aiortc.codecs.vpx import Vp8Encoder

from media.core.codecs import Codec
from media.core.forward import DownTrack
from media.core.rtp import RtpHeader, write_packet
from media.core.simulcast import Quality
from media.core.track import UpTrack
from media.core.vp8 import Vp8Descriptor

SIZES = ((160, 90), (320, 180), (640, 360))
FRAMES = 90
SWITCHES = {20: Quality.LOW, 40: Quality.MEDIUM, 50: None, 60: Quality.LOW, 70: Quality.HIGH}
VP8 = Codec("video/vp8", 96, 90000, rtx_payload_type=97)


def shade(number: int) -> int:
    return 30 + number * 2


class LayerEncoder:
    """One encoder and its RTP numbering."""

    def __init__(self, quality: Quality) -> None:
        self.size = SIZES[quality]
        self.ssrc = 10 + quality
        self.wants_keyframe = True
        self._encoder = Vp8Encoder()
        self._seq = 65500

    def packets(self, number: int) -> list[bytes]:
        width, height = self.size
        picture = np.full((height * 3 // 2, width), 128, dtype=np.uint8)
        picture[:height] = shade(number)
        frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
        frame.pts, frame.time_base = number * 3000, Fraction(1, 90000)
        payloads, _ = self._encoder.encode(frame, force_keyframe=self.wants_keyframe)
        self.wants_keyframe = False
        out = []
        for payload in payloads:
            out.append(
                write_packet(
                    payload_type=96,
                    seq=self._seq & 0xFFFF,
                    timestamp=number * 3000 + self.ssrc * 10**6,
                    ssrc=self.ssrc,
                    marker=payload is payloads[-1],
                    payload=payload,
                )
            )
            self._seq += 1
        return out


def decoded(packets: list[bytes]) -> list[av.VideoFrame]:
    decoder = av.CodecContext.create("vp8", "r")
    frames: list[av.VideoFrame] = []
    picture = b""
    for data in packets:
        header = RtpHeader.parse(data)
        payload = data[header.payload_start :]
        picture += payload[Vp8Descriptor.parse(payload).size :]
        if header.marker:
            frames += decoder.decode(av.Packet(picture))
            picture = b""
    return frames


def test_pictures_decode_rightly_across_switches_and_pauses() -> None:
    encoders = [LayerEncoder(quality) for quality in Quality]
    up = UpTrack(codec=VP8, extension_ids={})
    for quality, encoder in zip(Quality, encoders, strict=True):
        up.add_ssrc(encoder.ssrc, quality)
    down = DownTrack(ssrc=1, payload_type=96, extension_ids={}, cname="who")
    up.attach(down)
    sent: list[bytes] = []
    numbers: list[int] = []
    for number in range(FRAMES):
        now_s = number / 30
        if number in SWITCHES:
            down.set_wanted(SWITCHES[number])
        for encoder in encoders:
            for data in encoder.packets(number):
                out = [packet for _, packet in up.handle_rtp(data, now_s)]
                sent += out
                numbers += [number for packet in out if RtpHeader.parse(packet).marker]
        for request in up.feedback(9, now_s + 0.001):
            encoders[request.media_ssrc - 10].wants_keyframe = True  # type: ignore[union-attr]
    frames = decoded(sent)
    assert len(frames) == len(numbers)
    assert {frame.width for frame in frames} == {width for width, _ in SIZES}
    for number, frame in zip(numbers, frames, strict=True):
        luma = np.frombuffer(frame.planes[0], dtype=np.uint8)[: frame.width]
        assert abs(float(luma.mean()) - shade(number)) < 3, f"picture {number} shows another"
    assert len(set(numbers)) >= FRAMES - 12
