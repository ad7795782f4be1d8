"""What the recorder needs of a room, whoever carries it: frames as they were encoded, and facts.

`Room` is the port. `recordings.capture.livekit_room` implements it on `media.client`;
tests have a room that plays canned frames. All calls happen on one event loop, and nothing that
a `Sink` does may block it.
"""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Track:
    """A subscribed track."""

    sid: str
    identity: str
    name: str
    source: str
    """camera, microphone, screen_share or screen_share_audio."""
    codec: str
    """opus, vp8, vp9 or h264."""
    clock_rate: int
    """Ticks a second of its RTP timestamps."""

    @property
    def is_video(self) -> bool:
        """True for pictures."""
        return self.codec != "opus"


@dataclass(frozen=True, slots=True)
class EncodedFrame:
    """One whole frame, or one Opus packet. H.264 is in Annex B form."""

    data: bytes
    ticks: int
    """RTP timestamp, unwrapped."""
    is_keyframe: bool
    follows_gap: bool = False
    """Something between the frame before and this one is missing for good."""


class Sink(Protocol):
    """Takes what happens in the room."""

    def track_opened(self, track: Track) -> None:
        """Frames of ``track`` follow."""

    def track_refused(self, sid: str, identity: str, name: str, what: str) -> None:
        """A track that cannot be recorded; ``what`` names its codec, or that it is encrypted."""

    def track_closed(self, sid: str) -> None:
        """No more frames of it."""

    def frame(self, sid: str, frame: EncodedFrame) -> None:
        """The next frame of a track."""

    def clock_read(self, sid: str, ticks: int, ntp_s: float) -> None:
        """A sender report: ``ticks`` were taken at the sender's time ``ntp_s`` (epoch seconds)."""

    def muted(self, sid: str, identity: str, is_muted: bool) -> None:
        """A track was muted or unmuted."""

    def speakers(self, identities: tuple[str, ...]) -> None:
        """Who speaks now, loudest first."""

    def interrupted(self, reason: str) -> None:
        """The connection broke; if it comes back, every track is opened anew."""


class RoomClosedError(Exception):
    """The room is closed to the recorder: deleted, or the recorder was put out."""


class Room(Protocol):
    """A hidden stay in a meeting's room."""

    async def run(self, sink: Sink) -> None:
        """Join and feed ``sink`` until cancelled; comes back by itself after interruptions.

        Raises RoomClosedError when coming back makes no sense, OSError when joining fails.
        """

    def request_keyframe(self, sid: str) -> None:
        """Ask the sender of a video track for a frame at which a decoder can start."""
