"""One stay in a room: what the room gives goes to cutters, and from there to the writer.

A session has a folder of its own with a journal and media files. It never waits: everything that
touches the disk is handed to the writer's thread.
"""

from collections.abc import Callable
from pathlib import Path

from recordings.capture.cutting import Cut, Cutter
from recordings.capture.port import EncodedFrame, Track
from recordings.capture.writer import Close, Open, Progress, Write, Writer
from recordings.journal import (
    ClockRead,
    KeyframeRequested,
    MediaLost,
    Muted,
    SessionStarted,
    SessionStopped,
    Speakers,
    TrackRefused,
    TrackStarted,
)


class _Recorded:
    """A track, its cutter and the name of the file being written."""

    def __init__(self, track: Track) -> None:
        self.track = track
        self.cutter = Cutter(track)
        self.file = ""


class CaptureSession:
    """A `Sink` that writes. Owned by one event loop."""

    def __init__(
        self,
        folder: Path,
        clock: Callable[[], float],
        *,
        room: str,
        worker: str,
        request_keyframe: Callable[[str], None] = lambda _sid: None,
    ) -> None:
        """``clock`` gives wall time that only goes forward, in seconds since the epoch."""
        self._clock = clock
        self._writer = Writer(folder, clock)
        self._recorded: dict[str, _Recorded] = {}
        self._muted: set[str] = set()
        self._frame_s = clock()
        self._files = 0
        self.request_keyframe = request_keyframe
        self.frames_dropped = 0
        self._writer.offer(SessionStarted(clock(), room, worker))

    @property
    def progress(self) -> Progress:
        """What is on disk."""
        return self._writer.progress

    @property
    def track_count(self) -> int:
        """Tracks that are open now."""
        return len(self._recorded)

    def is_starved(self, after_s: float) -> bool:
        """True if unmuted tracks are open and none gave a frame for ``after_s`` seconds."""
        expects = any(sid not in self._muted for sid in self._recorded)
        return expects and self._clock() - self._frame_s > after_s

    def track_opened(self, track: Track) -> None:
        """Frames of ``track`` follow."""
        self.track_closed(track.sid)
        if all(sid in self._muted for sid in self._recorded):
            self._frame_s = self._clock()
        self._recorded[track.sid] = _Recorded(track)
        if track.is_video:
            self._ask(track.sid)

    def track_refused(self, sid: str, identity: str, name: str, what: str) -> None:
        """A track that cannot be recorded is named in the journal."""
        self._writer.offer(TrackRefused(self._clock(), sid, identity, name, what))

    def track_closed(self, sid: str) -> None:
        """No more frames of it."""
        recorded = self._recorded.pop(sid, None)
        if recorded is not None:
            self._close(recorded, "unpublished")

    def frame(self, sid: str, frame: EncodedFrame) -> None:
        """The next frame of a track; frames of an unknown track are dropped."""
        recorded = self._recorded.get(sid)
        if recorded is None:
            return
        now_s = self._frame_s = self._clock()
        cut = recorded.cutter.take(frame, now_s)
        if cut.closes:
            self._writer.offer(Close(recorded.file, cut.closes))
            recorded.file = ""
        if cut.opens:
            self._open(recorded, frame, now_s)
        self._write(recorded, frame, cut, now_s)
        if cut.wants_keyframe:
            self._ask(sid)

    def clock_read(self, sid: str, ticks: int, ntp_s: float) -> None:
        """A sender report arrived."""
        recorded = self._recorded.get(sid)
        if recorded is None or not recorded.file:
            return
        pts_s = recorded.cutter.pts_s(ticks)
        if pts_s is not None:
            self._writer.offer(ClockRead(self._clock(), recorded.file, pts_s, ntp_s))

    def muted(self, sid: str, identity: str, is_muted: bool) -> None:
        """A track was muted or unmuted."""
        self._frame_s = self._clock()
        if is_muted:
            self._muted.add(sid)
        else:
            self._muted.discard(sid)
        self._writer.offer(Muted(self._clock(), sid, identity, is_muted))

    def speakers(self, identities: tuple[str, ...]) -> None:
        """Who speaks now."""
        self._writer.offer(Speakers(self._clock(), identities))

    def interrupted(self, reason: str) -> None:
        """The connection broke: every file ends here."""
        for recorded in self._recorded.values():
            self._close(recorded, reason)
        self._recorded.clear()

    def close(self, reason: str, timeout_s: float) -> bool:
        """Complete all files; False if the disk took longer than ``timeout_s``. Blocks."""
        self.interrupted(reason)
        self._writer.offer(SessionStopped(self._clock(), reason))
        return self._writer.stop(timeout_s)

    def _open(self, recorded: _Recorded, frame: EncodedFrame, now_s: float) -> None:
        self._files += 1
        track = recorded.track
        recorded.file = f"{self._files:04d}-{track.source.replace('_', '-')}.mkv"
        self._writer.offer(Open(recorded.file, track.codec, frame.data))
        self._writer.offer(
            TrackStarted(
                now_s, recorded.file, track.sid, track.identity, track.name, track.source,
                track.codec,
            )
        )  # fmt: skip

    def _write(self, recorded: _Recorded, frame: EncodedFrame, cut: Cut, now_s: float) -> None:
        if cut.pts_ms is None:
            return
        if cut.lost_ms is not None:
            from_s, to_s = (edge / 1000 for edge in cut.lost_ms)
            self._writer.offer(MediaLost(now_s, recorded.file, from_s, to_s, "loss"))
        write = Write(recorded.file, frame.data, cut.pts_ms, frame.is_keyframe)
        if not self._writer.offer(write):
            self.frames_dropped += 1
            recorded.cutter.tear()

    def _close(self, recorded: _Recorded, reason: str) -> None:
        if recorded.cutter.end() and recorded.file:
            self._writer.offer(Close(recorded.file, reason))
        recorded.file = ""

    def _ask(self, sid: str) -> None:
        self.request_keyframe(sid)
        self._writer.offer(KeyframeRequested(self._clock(), sid))
