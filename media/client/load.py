"""Put a measured load on a LiveKit server: rooms with publishers and subscribers.

Subscribers are real clients until they are connected; then their packets are counted without
being decrypted (``drain``), so that hundreds fit beside the server. The first of each room stay
whole as *probes*: they decrypt what they get and tell how long it took. With
``LoadPlan.is_drained`` off every subscriber decrypts, orders and repairs like a recorder.

The figures are what arrived, not what a decoder would show.
"""

import asyncio
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import Final, Self

from aiortc.rtcdtlstransport import RTCCertificate

from media.client.client import Client
from media.client.drain import Drain, Drains
from media.client.events import TrackSubscribed
from media.client.load_media import Publisher, Voice
from media.client.load_probe import Probe
from media.client.load_result import LoadResult, own_cpu_s, process_cpu_s
from media.client.signal import ConnectError
from media.client.tracks import MediaPacket, RemoteTrack
from media.core.grants import Claims, VideoGrant
from media.tokens import issue_token
from media.transport.dtls import new_certificate

TOKEN_TTL_S: Final = 3600.0
PARALLEL_JOINS: Final = 10
JOIN_TIMEOUT_S: Final = 45.0
"""Longer than a person waits: a slow join is a figure, a failed one spoils the run."""
WAIT_FOR_TRACKS_S: Final = 30.0
SETTLE_S: Final = 1.0
"""Subscriptions and keyframes of the last to join are no part of what is measured."""


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """What to do."""

    url: str
    api_key: str
    secret: str
    rooms: int = 1
    publishers: int = 1
    """For each room, each with sound and picture as below."""
    subscribers: int = 1
    """For each room."""
    duration_s: float = 10.0
    audio: bool = True
    video_bps: int = 500_000
    """0: no video."""
    extra: tuple[Voice, ...] = ()
    """Further publishers of each room."""
    room_prefix: str = "load"
    server_pid: int | None = None
    is_drained: bool = True
    ramp_s: float | None = None
    """Begin the joins of subscribers spread over this time; None: ten at a time."""
    tag: str = ""
    """Told apart from another load in the same room by it."""
    joins_quietly: bool = False
    """Let publishers begin to send when everybody has joined: for loads that leave a machine no
    time for joins. The time to the first packet then means nothing."""
    probes: int = 1
    """Subscribers of each room whose packets' delay is measured, when drained."""

    @property
    def voices(self) -> tuple[Voice, ...]:
        """The publishers of one room."""
        return (Voice(self.audio, self.video_bps),) * self.publishers + self.extra

    @property
    def tracks(self) -> int:
        """Tracks of one room."""
        return sum(voice.tracks for voice in self.voices)


class Subscriber:
    """Counts what arrives."""

    def __init__(self, client: Client, started_s: float) -> None:
        self.client = client
        self._started_s = started_s
        self.first_packet_s: float | None = None
        """From the beginning of the connect to the first packet."""
        self.tracks: set[object] = set()
        """By sid, or by SSRC when drained."""
        self.drain: Drain | None = None

    async def run(self) -> None:
        """Listen until the client is disconnected."""
        async for event in self.client.events():
            if isinstance(event, TrackSubscribed) and self.drain is None:
                event.track.on_packet = self._counter(event.track)

    def _counter(self, track: RemoteTrack) -> "PacketCounter":
        return PacketCounter(self, track.sid)

    def note_first(self, key: object, now_s: float) -> None:
        """The first packet of a track came."""
        self.tracks.add(key)
        if self.first_packet_s is None:
            self.first_packet_s = now_s - self._started_s

    def count_only(self, drains: Drains) -> None:
        """From now on packets are counted and not looked into."""
        link = self.client.receiving_link
        if link is not None:
            loop = asyncio.get_running_loop()
            self.tracks.clear()
            self.drain = Drain(
                link,
                link.routes.local_ssrc,
                lambda ssrc: self.note_first(link.routes.sid_of(ssrc) or ssrc, loop.time()),
            )
            drains.add(self.drain)

    def totals(self) -> "Totals":
        """Counters so far."""
        sums = Totals()
        if self.drain is not None:
            for count in self.drain.streams.values():
                sums.add(count.packets, count.octets, count.lost, 0)
            return sums
        for track in self.client.tracks.values():
            stats = track.stats
            sums.add(stats.packets, stats.octets, stats.lost, stats.recovered)
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

    def add(self, packets: int, octets: int, lost: int, recovered: int) -> None:
        """Sum up."""
        self.packets += packets
        self.octets += octets
        self.lost += lost
        self.recovered += recovered


async def run_load(plan: LoadPlan) -> LoadResult:
    """Join everybody, let media flow for the duration, report.

    Subscribers that cannot join are counted. ``tracks_received`` and losses are those of the
    subscribers without the probes. Raises ConnectError or PublishError when a publisher cannot.
    """
    async with Load(plan) as load:
        load.start()
        return await load.measure(plan.duration_s)


class Load:
    """A load that is joined once and measured in one or more windows.

    Between ``start`` and ``stop`` publishers send; while they rest everybody stays connected.
    """

    def __init__(self, plan: LoadPlan) -> None:
        self._plan = plan
        self._result = LoadResult(subscribers=plan.rooms * plan.subscribers)
        self._result.tracks_expected = plan.rooms * plan.subscribers * plan.tracks
        self._stack = AsyncExitStack()
        self._certificate: RTCCertificate = new_certificate()
        self._gate = asyncio.Semaphore(PARALLEL_JOINS)
        self._drains = Drains()
        self._probes: list[Probe] = []
        self._publishers: list[Publisher] = []
        self._subscribers: list[Subscriber] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._sending: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        """Join everybody; publishers rest afterwards."""
        try:
            self._publishers = await self._join_publishers()
            self._tasks.append(asyncio.create_task(self._drains.run()))
            if not self._plan.joins_quietly:
                self.start()
            self._subscribers = await self._join_subscribers()
            self.start()
            self._tasks += [asyncio.create_task(one.run()) for one in self._subscribers]
            await _wait_for_tracks(self._subscribers, self._plan.tracks)
            await self._join_probes()
            await self.stop()
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Let everybody leave."""
        await self._close()

    def start(self) -> None:
        """Let the publishers send."""
        if not self._sending:
            self._sending = [asyncio.create_task(one.run()) for one in self._publishers]

    async def stop(self) -> None:
        """Let the publishers rest."""
        await _end(self._sending)

    async def _close(self) -> None:
        for probe in self._probes:
            probe.end()
        await _end(self._sending)
        await _end(self._tasks)
        await self._stack.aclose()

    async def _join_publishers(self) -> list[Publisher]:
        """Let all publishers in, ten at a time; their pictures do not come at the same moment."""
        voices = self._plan.voices

        async def join(room: str, number: int, voice: Voice) -> Publisher:
            token = room_token(self._plan, room, self._name("pub", number), publishes=True)
            async with self._gate:
                client, _ = await self._join(token, subscribes=False)
                publisher = Publisher(client, voice, number / max(1, len(voices)))
                await publisher.start()
            return publisher

        return await asyncio.gather(
            *(
                join(room, number, voice)
                for room in _rooms(self._plan)
                for number, voice in enumerate(voices)
            )
        )

    async def _join_subscribers(self) -> list[Subscriber]:
        """Let all subscribers in; those that fail are counted."""
        plan = self._plan
        places = [(room, n) for room in _rooms(plan) for n in range(plan.subscribers)]
        joined = await asyncio.gather(
            *(
                self._join_subscriber(room, number, place / len(places))
                for place, (room, number) in enumerate(places)
            )
        )
        return [subscriber for subscriber in joined if subscriber is not None]

    async def _join_subscriber(self, room: str, number: int, place: float) -> Subscriber | None:
        token = room_token(self._plan, room, self._name("sub", number), publishes=False)
        try:
            if self._plan.ramp_s is None:
                async with self._gate:
                    subscriber = Subscriber(*await self._join(token, subscribes=True))
            else:
                await asyncio.sleep(place * self._plan.ramp_s)
                subscriber = Subscriber(*await self._join(token, subscribes=True))
        except ConnectError as error:
            self._result.failures.append(str(error))
            return None
        if self._plan.is_drained:
            subscriber.count_only(self._drains)
        return subscriber

    async def _join(self, token: str, *, subscribes: bool) -> tuple[Client, float]:
        """A connected client and when its connecting began."""
        loop = asyncio.get_running_loop()
        started_s = loop.time()
        client = await Client.connect(
            self._plan.url,
            token,
            auto_subscribe=subscribes,
            timeout_s=JOIN_TIMEOUT_S,
            certificate=self._certificate,
        )
        self._stack.push_async_callback(client.leave)
        self._result.join_s.append(loop.time() - started_s)
        return client, started_s

    async def measure(self, duration_s: float) -> LoadResult:
        """Count what flows for so long."""
        result = replace(self._result, delay_s=[])
        before, sent = self._totals(), self._sent()
        server_s = process_cpu_s(self._plan.server_pid)
        client_s, started_s = own_cpu_s(), time.monotonic()
        for probe in self._probes:
            probe.delays_s = result.delay_s
        await asyncio.sleep(duration_s)
        for probe in self._probes:
            probe.delays_s = None
        result.duration_s = time.monotonic() - started_s
        result.client_cpu_s = own_cpu_s() - client_s
        if server_s is not None:
            now_s = process_cpu_s(self._plan.server_pid)
            result.server_cpu_s = None if now_s is None else now_s - server_s
        after = self._totals()
        result.packets_sent = self._sent() - sent
        result.packets = after.packets - before.packets
        result.octets = after.octets - before.octets
        result.lost = after.lost - before.lost
        result.recovered = after.recovered - before.recovered
        result.tracks_received = sum(len(one.tracks) for one in self._subscribers)
        result.first_packet_s = [
            one.first_packet_s for one in self._subscribers if one.first_packet_s is not None
        ]
        return result

    def _name(self, kind: str, number: int) -> str:
        return f"{kind}{self._plan.tag}-{number}"

    def _sent(self) -> int:
        return sum(publisher.sent for publisher in self._publishers)

    def _totals(self) -> Totals:
        sums = Totals()
        for one in (subscriber.totals() for subscriber in self._subscribers):
            sums.add(one.packets, one.octets, one.lost, one.recovered)
        sums.packets += sum(probe.packets for probe in self._probes)
        return sums

    async def _join_probes(self) -> None:
        """Probes come last, so that they find the room as it is measured."""
        plan = self._plan
        if not plan.is_drained:
            return
        for room in _rooms(plan):
            for number in range(plan.probes):
                token = room_token(plan, room, self._name("probe", number), publishes=False)
                try:
                    client, _ = await self._join(token, subscribes=True)
                except ConnectError as error:
                    self._result.failures.append(str(error))
                    continue
                self._probes.append(Probe(client))
        for probe in self._probes:
            probe.begin()
        await asyncio.sleep(SETTLE_S)


def _rooms(plan: LoadPlan) -> list[str]:
    return [f"{plan.room_prefix}-{number}" for number in range(plan.rooms)]


async def _wait_for_tracks(subscribers: list[Subscriber], tracks: int) -> None:
    """Until every subscriber gets every track, but not for ever."""
    deadline_s = time.monotonic() + WAIT_FOR_TRACKS_S
    while time.monotonic() < deadline_s:
        if all(len(subscriber.tracks) >= tracks for subscriber in subscribers):
            return
        await asyncio.sleep(0.05)


async def _end(tasks: list["asyncio.Task[None]"]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    tasks.clear()


def room_token(plan: LoadPlan, room: str, identity: str, *, publishes: bool) -> str:
    """A token for one synthetic participant."""
    grant = VideoGrant(room=room, room_join=True, can_publish=publishes)
    claims = Claims(api_key=plan.api_key, identity=identity, video=grant)
    return issue_token(claims, plan.secret, time.time(), TOKEN_TTL_S)
