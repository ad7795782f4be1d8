"""One speaker, the node's real core, and one site behind a poor line, in virtual time.

The speaker sends three layers (about 0.13, 0.5 and 1.5 Mbit/s, frames of uneven size, three
temporal layers each) and sound (42 kbit/s); a line of 20 ms lies between the node and the site,
worsened by the case. What a person at the site would notice is measured second by second. The
cases are those of ``docs/poor-lines.md``.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from media.core.codecs import Codec
from media.core.extensions import MID, REPAIRED_RTP_STREAM_ID, RTP_STREAM_ID
from media.core.forward import DownTrack
from media.core.peer import MediaPeer
from media.core.rtp import write_packet
from media.core.sequence import unwrap
from media.core.simulcast import Quality
from media.core.track import UpTrack
from tests.support.endpoints import (
    MID_ID,
    REPAIRED_ID,
    RID_ID,
    RTX_TYPE,
    VP8_TYPE,
    Encoding,
    Publisher,
)
from tests.support.line import Line
from tests.support.viewer import Heard, Seen, Viewer

AUDIO_INTERVAL_S = 0.02
AUDIO_BYTES = 90
NODE_TICK_S = 0.01
SRTP_BYTES = 16 + 28
"""Tag, IP and UDP headers: what the line carries beside the RTP packet."""
WARM_UP_S = 1.0
"""Until the first picture has come; a join is judged elsewhere."""


@dataclass(frozen=True)
class Case:
    """A line and what may be expected of it."""

    name: str
    line: Mapping[str, Any]
    best: Quality
    """The best layer that such a line carries, after ``changes``."""
    changes: Sequence[tuple[float, Mapping[str, Any]]] = ()
    """Settings of the line from a time on."""
    duration_s: float = 60.0
    audio_in_time: float = 0.98
    longest_freeze_s: float = 3.0
    recovery_s: float = 10.0
    """After the last change (or the start), until ``best`` is shown again."""


CASES = (
    Case("2 Mbit/s", {"rate_bps": 2e6}, Quality.HIGH),
    Case("1 Mbit/s", {"rate_bps": 1e6}, Quality.MEDIUM),
    Case("400 kbit/s", {"rate_bps": 4e5}, Quality.LOW),
    Case("400 kbit/s, queue of 1 s", {"rate_bps": 4e5, "queue_s": 1.0}, Quality.LOW),
    Case("loss 2 %", {"loss": 0.02}, Quality.HIGH),
    Case("loss 10 %", {"loss": 0.10}, Quality.HIGH),
    Case("jitter 100 ms", {"jitter_s": 0.1}, Quality.HIGH, audio_in_time=0.95),
    Case(
        "4 → 0.5 → 4 Mbit/s",
        {"rate_bps": 4e6},
        Quality.HIGH,
        changes=((20.0, {"rate_bps": 5e5}), (40.0, {"rate_bps": 4e6})),
        duration_s=65.0,
        audio_in_time=0.95,
    ),
)


@dataclass
class Outcome:
    """What a person at the site noticed."""

    audio_in_time: float
    longest_freeze_s: float
    recovery_s: float | None
    """Until the best layer stayed for a second; None: never."""
    layer_s: Counter[int] = field(default_factory=Counter)
    """Seconds in each layer."""
    switches: int = 0
    frames_per_s: float = 0.0


class World:
    """The meeting."""

    def __init__(self, seed: int, line: Mapping[str, Any], *, temporal_layers: int = 3) -> None:
        self.now_s = 0.0
        self.publisher = Publisher(
            [
                Encoding(rid, index, packets, 10 + index, 100, 5000 * index, 7,
                         body_bytes=size, keyframe_size=4, temporal_layers=temporal_layers)
                for index, (rid, packets, size) in enumerate(
                    (("q", 1, 500), ("h", 2, 1000), ("f", 6, 1000))
                )
            ],
            swing=0.15,
            seed=seed,
        )  # fmt: skip
        self.from_speaker = MediaPeer(local_ssrc=1)
        ids = {MID: MID_ID, RTP_STREAM_ID: RID_ID, REPAIRED_RTP_STREAM_ID: REPAIRED_ID}
        codec = Codec("video/vp8", VP8_TYPE, 90000, rtx_payload_type=RTX_TYPE)
        self.video = UpTrack(codec=codec, extension_ids=ids)
        self.audio = UpTrack(codec=Codec("audio/opus", 111, 48000, 2), extension_ids={MID: MID_ID})
        self.audio.add_ssrc(500)
        self.from_speaker.set_up_track("1", self.video)
        self.from_speaker.set_up_track("2", self.audio)
        self.to_site = MediaPeer(local_ssrc=2)
        self.to_site.sent_history = self._history
        self.picture = DownTrack(
            ssrc=7000, payload_type=96, rtx_ssrc=7001, rtx_payload_type=97,
            extension_ids={}, cname="speaker",
        )  # fmt: skip
        self.sound = DownTrack(ssrc=7002, payload_type=111, extension_ids={}, cname="speaker")
        self.picture.set_wanted(Quality.HIGH)
        for up, down in ((self.video, self.picture), (self.audio, self.sound)):
            up.attach(down)
            self.to_site.add_down_track(down)
        self.viewer = Viewer(Heard(self.sound.ssrc), Seen(7000, 7001))
        self.down_line = Line(seed, **line)
        self.up_line = Line(seed + 1)
        self.spoken: list[float] = []
        self._sent: dict[int, tuple[int, float]] = {}
        self._number = 0
        self.sent_bytes = 0
        self._next_sound_s = 0.002 * (seed % 9) + 0.001
        self._next_tick_s = 0.0

    def run(self, end_s: float) -> None:
        while self.now_s < end_s:
            self._watch()
            if self.now_s > 0:
                self._speak()
            if self.now_s >= self._next_tick_s:
                self._next_tick_s += NODE_TICK_S
                self._tick()
            due_s = min(
                self._next_tick_s, self._next_sound_s, self.down_line.due_s, self.up_line.due_s
            )
            self.now_s = max(due_s, self.now_s + 1e-6)

    def _speak(self) -> None:
        now_s = self.now_s
        packets, reports = self.publisher.poll(now_s)
        if now_s >= self._next_sound_s:
            self._next_sound_s += AUDIO_INTERVAL_S
            packets.append(self._word())
        for data in packets:
            for _, packet in self.from_speaker.handle_rtp(data, now_s):
                self.send(packet)
        for data in reports:
            self.from_speaker.handle_rtcp(data, now_s)

    def _word(self) -> bytes:
        number = len(self.spoken)
        self.spoken.append(self.now_s)
        says = number.to_bytes(4, "big") + int(self.now_s * 1e6).to_bytes(8, "big")
        return write_packet(
            payload_type=111, seq=number & 0xFFFF, timestamp=number * 960 & 0xFFFFFFFF, ssrc=500,
            marker=False, payload=says.ljust(AUDIO_BYTES, b"\0"), extensions={},
        )  # fmt: skip

    def _tick(self) -> None:
        now_s = self.now_s
        if now_s >= self.from_speaker.next_poll_s:
            for data in self.from_speaker.poll(now_s):
                self.publisher.handle_rtcp(data)
        if now_s >= self.to_site.next_poll_s:
            self.to_site.poll(now_s)
        for data in self.to_site.probes(now_s):
            self.send(data)
        for data in self.viewer.poll(now_s):
            self.up_line.send(data, now_s)

    def _watch(self) -> None:
        for data in self.up_line.arrivals(self.now_s):
            for resent in self.to_site.handle_rtcp(data, self.now_s):
                self.send(resent)
        for data in self.down_line.arrivals(self.now_s):
            self.viewer.take(int.from_bytes(data[:2], "big"), data[SRTP_BYTES:], self.now_s)

    def send(self, data: bytes) -> None:
        """Number a packet and put it on the site's line, as the node's transport does."""
        number = self._number
        self._number += 1
        self.sent_bytes += len(data) + SRTP_BYTES
        self._sent[number] = (len(data) + SRTP_BYTES, self.now_s)
        self._sent.pop(number - 8000, None)
        head = (number & 0xFFFF).to_bytes(2, "big").ljust(SRTP_BYTES, b"\0")
        self.down_line.send(head + data, self.now_s)

    def _history(self, first: int, count: int) -> list[tuple[int, float] | None]:
        start = unwrap(first, self._number, 16)
        return [self._sent.get(start + index) for index in range(count)]


def run_case(case: Case, seed: int = 1) -> Outcome:
    """Hold the meeting; what was noticed."""
    world = World(seed, case.line)
    for at_s, settings in case.changes:
        world.run(at_s)
        for name, value in settings.items():
            setattr(world.down_line, name, value)
    world.run(case.duration_s)
    return judge(world, case)


def judge(world: World, case: Case) -> Outcome:
    """Measure what reached the site."""
    spoken, end_s = world.spoken, case.duration_s - 1.0
    last = sum(at_s < end_s for at_s in spoken)
    seen = world.viewer.seen
    changed_s = case.changes[-1][0] if case.changes else 0.0
    outcome = Outcome(
        audio_in_time=world.viewer.heard.share_in_time(0, last),
        longest_freeze_s=seen.longest_freeze_s(WARM_UP_S, end_s),
        recovery_s=_recovery_s(seen.shown, int(case.best), changed_s),
    )
    for (at_s, layer), (next_s, following) in pairwise(seen.shown):
        outcome.layer_s[layer] += next_s - at_s
        outcome.switches += layer != following
    outcome.frames_per_s = len(seen.shown) / case.duration_s
    return outcome


def _recovery_s(shown: Sequence[tuple[float, int]], best: int, since_s: float) -> float | None:
    """When ``best`` has come to stay for a second."""
    began_s: float | None = None
    for at_s, layer in shown:
        if at_s < since_s or layer != best:
            began_s = None
        elif began_s is None:
            began_s = at_s
        elif at_s - began_s >= 1.0:
            return began_s - since_s
    return None
