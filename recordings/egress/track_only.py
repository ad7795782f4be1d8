"""A room of which only one track is recorded."""

from recordings.capture.port import EncodedFrame, Room, Sink, Track


class OneTrackRoom:
    """`recordings.capture.port.Room` that passes on the track ``sid`` and nothing else."""

    def __init__(self, room: Room, sid: str) -> None:
        self._room = room
        self._sid = sid

    async def run(self, sink: Sink) -> None:
        """Stay in the room."""
        await self._room.run(_OneTrack(sink, self._sid))

    def request_keyframe(self, sid: str) -> None:
        """Ask the sender for a keyframe."""
        self._room.request_keyframe(sid)


class _OneTrack:
    """A `Sink` before another one."""

    def __init__(self, sink: Sink, sid: str) -> None:
        self._sink = sink
        self._sid = sid

    def track_opened(self, track: Track) -> None:
        if track.sid == self._sid:
            self._sink.track_opened(track)

    def track_refused(self, sid: str, identity: str, name: str, what: str) -> None:
        if sid == self._sid:
            self._sink.track_refused(sid, identity, name, what)

    def track_closed(self, sid: str) -> None:
        if sid == self._sid:
            self._sink.track_closed(sid)

    def frame(self, sid: str, frame: EncodedFrame) -> None:
        if sid == self._sid:
            self._sink.frame(sid, frame)

    def clock_read(self, sid: str, ticks: int, ntp_s: float) -> None:
        if sid == self._sid:
            self._sink.clock_read(sid, ticks, ntp_s)

    def muted(self, sid: str, identity: str, is_muted: bool) -> None:
        if sid == self._sid:
            self._sink.muted(sid, identity, is_muted)

    def speakers(self, identities: tuple[str, ...]) -> None:
        self._sink.speakers(identities)

    def interrupted(self, reason: str) -> None:
        self._sink.interrupted(reason)
