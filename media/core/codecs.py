"""Codecs a node forwards, as negotiated: payload types, clock rate, retransmission pairing.

Only what forwarding depends on is known here; ``fmtp`` passes between publisher and subscriber as
text. H.264 variants differ by packetisation mode and profile (RFC 6184 §8.1) and are compared on
these two.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from media.core.sdp.model import MediaSection

OPUS: Final = "audio/opus"
VP8: Final = "video/vp8"
H264: Final = "video/h264"
VP9: Final = "video/vp9"
AV1: Final = "video/av1"
RED: Final = "audio/red"
FORWARDED: Final = frozenset({OPUS, VP8, H264, VP9, AV1})
"""MIME types whose keyframes the node recognises, or that have none."""

ACCEPTED: Final = FORWARDED | {RED}
"""What a room may be set to accept; redundant audio is taken and handed on as Opus."""

DEFAULT_CODECS: Final = (OPUS, RED, VP8, H264, VP9, AV1)
"""What a room accepts unless it is set otherwise, the preferred first."""

_PROFILE: Final = {VP9: "profile-id", AV1: "profile"}


@dataclass(slots=True, frozen=True)
class Codec:
    """One codec of one connection."""

    mime_type: str
    """Lower case, e.g. ``video/vp8``."""
    payload_type: int
    clock_rate: int
    channels: int = 1
    rtx_payload_type: int | None = None
    """Payload type of its retransmissions (RFC 4588); None without."""
    fmtp: str = ""
    red_payload_type: int | None = None
    """Payload type of its redundant form (RFC 2198); None without. Audio only."""

    @property
    def is_video(self) -> bool:
        """Whether it needs keyframes."""
        return self.mime_type.startswith("video/")

    def matches(self, other: "Codec") -> bool:
        """Whether a stream of one can be forwarded as the other, payload type apart."""
        if (self.mime_type, self.clock_rate, self.channels) != (
            other.mime_type,
            other.clock_rate,
            other.channels,
        ):
            return False
        return self.mime_type != H264 or _h264_variant(self.fmtp) == _h264_variant(other.fmtp)

    @property
    def profile(self) -> str:
        """Profile of VP9 and AV1; a decoder plays no other. Empty for the rest."""
        name = _PROFILE.get(self.mime_type)
        return format_parameters(self.fmtp).get(name, "0") if name else ""


def _h264_variant(fmtp: str) -> tuple[str, str]:
    parameters = format_parameters(fmtp)
    profile = parameters.get("profile-level-id", "42e01f").lower()
    return parameters.get("packetization-mode", "0"), profile[:4]  # the level may differ


def format_parameters(fmtp: str) -> dict[str, str]:
    """``key=value`` pairs of a format parameter line; keys lower case, flags with empty value."""
    parameters = {}
    for item in fmtp.split(";"):
        key, _, value = item.strip().partition("=")
        if key:
            parameters[key.lower()] = value.strip()
    return parameters


def offered_codecs(section: MediaSection) -> list[Codec]:
    """Codecs of a section in its order of preference.

    Retransmission and redundancy are folded into the codec they carry.
    """
    rtx = _carried_by(section, "rtx", _retransmitted)
    red = _carried_by(section, "red", _repeated)
    codecs = []
    for payload_type in section.payload_types:
        rtpmap = section.rtpmaps.get(payload_type)
        if rtpmap is None or rtpmap.encoding.lower() in {"rtx", "red"}:
            continue
        codecs.append(
            Codec(
                mime_type=f"{section.kind}/{rtpmap.encoding}".lower(),
                payload_type=payload_type,
                clock_rate=rtpmap.clock_rate,
                channels=rtpmap.channels,
                rtx_payload_type=rtx.get(payload_type),
                red_payload_type=red.get(payload_type) if section.kind == "audio" else None,
                fmtp=section.fmtp.get(payload_type, ""),
            )
        )
    return codecs


def _carried_by(
    section: MediaSection, encoding: str, carried: Callable[[str], str]
) -> dict[int, int]:
    """Payload type of a codec to that of its repetition in another format."""
    found: dict[int, int] = {}
    for payload_type in section.payload_types:
        rtpmap = section.rtpmaps.get(payload_type)
        if rtpmap is None or rtpmap.encoding.lower() != encoding:
            continue
        number = carried(section.fmtp.get(payload_type, ""))
        if number.isascii() and number.isdigit() and len(number) <= 3:
            found.setdefault(int(number), payload_type)
    return found


def _retransmitted(fmtp: str) -> str:
    return format_parameters(fmtp).get("apt", "")


def _repeated(fmtp: str) -> str:
    """``111/111``: primary and redundant encodings (RFC 2198 §5); only one codec may be named."""
    numbers = {number.strip() for number in fmtp.split("/")}
    return numbers.pop() if len(numbers) == 1 else ""
