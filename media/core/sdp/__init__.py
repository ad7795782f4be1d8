"""Session descriptions: read what an endpoint offers, write what is answered (RFC 8866).

Covers the attributes of WebRTC (RFC 8829, 8840, 8841, 8842, 9143, 8851, 8853, 8830, 5576, 8285,
4585). Attributes without a field of their own are kept in ``attributes`` and written back, so
nothing an endpoint said gets lost. ``parse(write(x)) == x`` for every ``x`` that ``parse`` made.

Not covered: timing, repeat times, keys (``k=``) and multicast; such lines are skipped.
"""

from media.core.sdp.model import (
    Direction,
    ExtMap,
    Fingerprint,
    Group,
    MediaSection,
    Msid,
    Origin,
    Rid,
    RtpMap,
    SessionDescription,
    SsrcGroup,
    TransportParameters,
)
from media.core.sdp.reader import MAX_DESCRIPTION_CHARS, MAX_SECTIONS, parse
from media.core.sdp.writer import write

__all__ = [
    "MAX_DESCRIPTION_CHARS",
    "MAX_SECTIONS",
    "Direction",
    "ExtMap",
    "Fingerprint",
    "Group",
    "MediaSection",
    "Msid",
    "Origin",
    "Rid",
    "RtpMap",
    "SessionDescription",
    "SsrcGroup",
    "TransportParameters",
    "parse",
    "write",
]
