"""Put a measured load on a LiveKit server: rooms with publishers and subscribers.

Publishers send synthetic tracks whose packets look like the real thing to a forwarder (Opus
at 50 packets/s; VP8 at 25 frames/s with keyframes on request); subscribers count. The
figures are what arrived, not what a decoder would show.
"""

import asyncio
import os
import resource
import statistics
import time
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from aiortc.rtcdtlstransport import RTCCertificate

from media.client.client import Client
from media.client.events import TrackSubscribed
from media.client.local import LocalTrack
from media.client.signal import ConnectError
from media.client.tracks import MediaPacket, RemoteTrack
from media.core.grants import Claims, VideoGrant
from media.tokens import issue_token
from media.transport.dtls import new_certificate

AUDIO_INTERVAL_S: Final = 0.02
OPUS_TICKS: Final = 960
OPUS_BYTES: Final = 80
"""32 kb/s at 50 packets a second."""
VIDEO_EVERY: Final = 2
"""Video frames come at every second audio packet: 25 a second."""
VP8_TICKS: Final = 3600
WIDTH: Final = 640
HEIGHT: Final = 360
KEYFRAME_FACTOR: Final = 4
"""How much larger a keyframe is."""
TOKEN_TTL_S: Final = 3600.0
PARALLEL_JOINS: Final = 10


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """What to do."""

    url: str
    api_key: str
    secret: str
    rooms: int = 1
    publishers: int = 1
    """For each room."""
    subscribers: int = 1
    """For each room."""
    duration_s: float = 10.0
    audio: bool = True
    video_bps: int = 500_000
    """0: no video."""
    room_prefix: str = "load"
    server_pid: int | None = None

    @property
    def tracks(self) -> int:
        """Tracks of one publisher."""
        return int(self.audio) + int(self.video_bps > 0)


@dataclass(slots=True)
class LoadResult:
    """What came of it."""

    join_s: list[float] = field(default_factory=list)
    """Time each client took to connect."""
    first_packet_s: list[float] = field(default_factory=list)
    """Time from the beginning of a subscriber's connect to its first media packet."""
    failures: list[str] = field(default_factory=list)
    """Why subscribers could not join."""
    tracks_expected: int = 0
    tracks_received: int = 0
    packets_sent: int = 0
    """By all publishers, in the measured time."""
    packets: int = 0
    """By all subscribers, in the measured time."""
    octets: int = 0
    lost: int = 0
    recovered: int = 0
    duration_s: float = 0.0
    client_cpu_s: float = 0.0
    server_cpu_s: float | None = None

    @property
    def server_us_per_packet(self) -> float | None:
        """CPU time of the server for each packet a subscriber got."""
        if self.server_cpu_s is None or not self.packets:
            return None
        return self.server_cpu_s / self.packets * 1e6

    def rows(self) -> Iterator[tuple[str, str]]:
        """Name and value of each figure, for people."""
        yield "clients joined", f"{len(self.join_s)}"
        if self.failures:
            yield "joins failed", f"{len(self.failures)}, the first: {self.failures[0]}"
        if self.join_s:
            yield (
                "join",
                f"median {statistics.median(self.join_s):.3f} s, max {max(self.join_s):.3f} s",
            )
        if self.first_packet_s:
            median, longest = statistics.median(self.first_packet_s), max(self.first_packet_s)
            yield "first packet", f"median {median:.3f} s, max {longest:.3f} s"
        yield "tracks received", f"{self.tracks_received} of {self.tracks_expected}"
        yield "packets sent / received", f"{self.packets_sent} / {self.packets}"
        total = self.packets + self.lost
        share = self.lost / total if total else 0.0
        yield "lost for good", f"{self.lost} ({share:.3%}), {self.recovered} repaired"
        yield "received", f"{self.octets * 8 / self.duration_s / 1e6:.2f} Mb/s"
        yield "client CPU", f"{self.client_cpu_s / self.duration_s:.1%} of a core"
        if self.server_cpu_s is not None:
            yield "server CPU", f"{self.server_cpu_s / self.duration_s:.1%} of a core"
        if self.server_us_per_packet is not None:
            yield "server CPU per packet", f"{self.server_us_per_packet:.1f} µs"


class Publisher:
    """One synthetic publisher."""

    def __init__(self, client: Client, plan: LoadPlan) -> None:
        self._client = client
        self._plan = plan
        self._audio: LocalTrack | None = None
        self._video: LocalTrack | None = None
        self._wants_keyframe = True
        self._number = 0
        self.sent = 0

    async def start(self) -> None:
        """Publish the tracks."""
        if self._plan.audio:
            self._audio = await self._client.publish_audio()
        if self._plan.video_bps:
            self._video = await self._client.publish_video(width=WIDTH, height=HEIGHT)
            self._video.on_keyframe_request = self._keyframe_wanted

    async def run(self) -> None:
        """Send at the pace of real media until cancelled."""
        loop = asyncio.get_running_loop()
        due_s = loop.time()
        while True:
            self._send_tick()
            due_s += AUDIO_INTERVAL_S
            await asyncio.sleep(max(0.0, due_s - loop.time()))

    def _send_tick(self) -> None:
        number = self._number
        self._number += 1
        if self._audio is not None:
            frame = b"\xf8" + bytes(OPUS_BYTES - 1)
            self.sent += self._audio.send(frame, number * OPUS_TICKS)
        if self._video is not None and number % VIDEO_EVERY == 0:
            is_key, self._wants_keyframe = self._wants_keyframe, False
            size = int(self._plan.video_bps * AUDIO_INTERVAL_S * VIDEO_EVERY / 8)
            frame = vp8_frame(size * (KEYFRAME_FACTOR if is_key else 1), is_key=is_key)
            self.sent += self._video.send(frame, number // VIDEO_EVERY * VP8_TICKS)

    def _keyframe_wanted(self) -> None:
        self._wants_keyframe = True


class Subscriber:
    """Counts what arrives."""

    def __init__(self, client: Client, started_s: float) -> None:
        self.client = client
        self._started_s = started_s
        self.first_packet_s: float | None = None
        """From the beginning of the connect to the first packet."""
        self.tracks: set[str] = set()

    async def run(self) -> None:
        """Listen until the client is disconnected."""
        async for event in self.client.events():
            if isinstance(event, TrackSubscribed):
                event.track.on_packet = self._counter(event.track)

    def _counter(self, track: RemoteTrack) -> "PacketCounter":
        return PacketCounter(self, track.sid)

    def note_first(self, sid: str, now_s: float) -> None:
        """The first packet of a track came."""
        self.tracks.add(sid)
        if self.first_packet_s is None:
            self.first_packet_s = now_s - self._started_s

    def totals(self) -> "Totals":
        """Counters so far."""
        sums = Totals()
        for track in self.client.tracks.values():
            sums.packets += track.stats.packets
            sums.octets += track.stats.octets
            sums.lost += track.stats.lost
            sums.recovered += track.stats.recovered
        return sums


class PacketCounter:
    """Notes the first packet of a track; the others are counted by the track itself."""

    __slots__ = ("_is_first", "_sid", "_subscriber")

    def __init__(self, subscriber: Subscriber, sid: str) -> None:
        self._subscriber = subscriber
        self._sid = sid
        self._is_first = True

    def __call__(self, packet: MediaPacket) -> None:
        """Take one packet."""
        if self._is_first:
            self._is_first = False
            self._subscriber.note_first(self._sid, packet.arrived_s)


@dataclass(slots=True)
class Totals:
    """Counters of one or many subscribers."""

    packets: int = 0
    octets: int = 0
    lost: int = 0
    recovered: int = 0


async def run_load(plan: LoadPlan) -> LoadResult:
    """Join everybody, let media flow for the duration, report.

    Subscribers that cannot join are counted. Raises ConnectError or PublishError when a
    publisher cannot.
    """
    result = LoadResult()
    result.tracks_expected = plan.rooms * plan.subscribers * plan.publishers * plan.tracks
    certificate = new_certificate()
    async with AsyncExitStack() as stack:
        publishers = await _join_publishers(plan, result, certificate, stack)
        running = [asyncio.create_task(publisher.run()) for publisher in publishers]
        try:
            subscribers = await _join_subscribers(plan, result, certificate, stack)
            running += [asyncio.create_task(subscriber.run()) for subscriber in subscribers]
            await _wait_for_tracks(subscribers, plan.publishers * plan.tracks)
            await _measure(plan, result, publishers, subscribers)
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
        result.tracks_received = sum(len(subscriber.tracks) for subscriber in subscribers)
        result.first_packet_s = [
            subscriber.first_packet_s
            for subscriber in subscribers
            if subscriber.first_packet_s is not None
        ]
    return result


async def _join_publishers(
    plan: LoadPlan, result: LoadResult, certificate: RTCCertificate, stack: AsyncExitStack
) -> list[Publisher]:
    gate = asyncio.Semaphore(PARALLEL_JOINS)

    async def join(room: str, number: int) -> Publisher:
        token = room_token(plan, room, f"pub-{number}", publishes=True)
        async with gate:
            client, _ = await _join(plan, result, token, certificate, stack, subscribes=False)
            publisher = Publisher(client, plan)
            await publisher.start()
        return publisher

    return await asyncio.gather(
        *(join(room, number) for room in _rooms(plan) for number in range(plan.publishers))
    )


async def _join_subscribers(
    plan: LoadPlan, result: LoadResult, certificate: RTCCertificate, stack: AsyncExitStack
) -> list[Subscriber]:
    gate = asyncio.Semaphore(PARALLEL_JOINS)

    async def join(room: str, number: int) -> Subscriber | None:
        token = room_token(plan, room, f"sub-{number}", publishes=False)
        async with gate:
            try:
                joined = await _join(plan, result, token, certificate, stack, subscribes=True)
            except ConnectError as error:
                result.failures.append(str(error))
                return None
        return Subscriber(*joined)

    joined = await asyncio.gather(
        *(join(room, number) for room in _rooms(plan) for number in range(plan.subscribers))
    )
    return [subscriber for subscriber in joined if subscriber is not None]


async def _join(
    plan: LoadPlan,
    result: LoadResult,
    token: str,
    certificate: RTCCertificate,
    stack: AsyncExitStack,
    *,
    subscribes: bool,
) -> tuple[Client, float]:
    """A connected client and when its connecting began."""
    started_s = asyncio.get_running_loop().time()
    client = await Client.connect(
        plan.url, token, auto_subscribe=subscribes, certificate=certificate
    )
    stack.push_async_callback(client.leave)
    result.join_s.append(asyncio.get_running_loop().time() - started_s)
    return client, started_s


def _rooms(plan: LoadPlan) -> list[str]:
    return [f"{plan.room_prefix}-{number}" for number in range(plan.rooms)]


async def _wait_for_tracks(subscribers: list[Subscriber], tracks: int) -> None:
    """Until every subscriber gets every track, or for ten seconds."""
    deadline_s = time.monotonic() + 10
    while time.monotonic() < deadline_s:
        if all(len(subscriber.tracks) >= tracks for subscriber in subscribers):
            return
        await asyncio.sleep(0.05)


async def _measure(
    plan: LoadPlan,
    result: LoadResult,
    publishers: list[Publisher],
    subscribers: list[Subscriber],
) -> None:
    before, sent = _sum(subscribers), sum(publisher.sent for publisher in publishers)
    server_s = _cpu_s(plan.server_pid)
    client_s, started_s = _own_cpu_s(), time.monotonic()
    await asyncio.sleep(plan.duration_s)
    result.duration_s = time.monotonic() - started_s
    result.client_cpu_s = _own_cpu_s() - client_s
    if server_s is not None:
        now_s = _cpu_s(plan.server_pid)
        result.server_cpu_s = None if now_s is None else now_s - server_s
    after = _sum(subscribers)
    result.packets_sent = sum(publisher.sent for publisher in publishers) - sent
    result.packets = after.packets - before.packets
    result.octets = after.octets - before.octets
    result.lost = after.lost - before.lost
    result.recovered = after.recovered - before.recovered


def _sum(subscribers: list[Subscriber]) -> Totals:
    sums = Totals()
    for one in (subscriber.totals() for subscriber in subscribers):
        sums.packets += one.packets
        sums.octets += one.octets
        sums.lost += one.lost
        sums.recovered += one.recovered
    return sums


def room_token(plan: LoadPlan, room: str, identity: str, *, publishes: bool) -> str:
    """A token for one synthetic participant."""
    grant = VideoGrant(room=room, room_join=True, can_publish=publishes)
    claims = Claims(api_key=plan.api_key, identity=identity, video=grant)
    return issue_token(claims, plan.secret, time.time(), TOKEN_TTL_S)


def vp8_frame(size: int, *, is_key: bool) -> bytes:
    """Bytes a forwarder takes for a VP8 frame (RFC 6386 §9.1); no decoder could."""
    if not is_key:
        return b"\x31\x01\x00" + bytes(max(0, size - 3))
    size_field = WIDTH.to_bytes(2, "little") + HEIGHT.to_bytes(2, "little")
    return b"\x30\x01\x00\x9d\x01\x2a" + size_field + bytes(max(0, size - 10))


def _own_cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _cpu_s(pid: int | None) -> float | None:
    """CPU seconds a process has used, by Linux' /proc; None without one."""
    if pid is None:
        return None
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def table(rows: Mapping[str, str] | Iterator[tuple[str, str]]) -> str:
    """Figures as two columns."""
    pairs = list(rows.items() if isinstance(rows, Mapping) else rows)
    width = max(len(name) for name, _ in pairs)
    return "\n".join(f"{name:<{width}}  {value}" for name, value in pairs)
