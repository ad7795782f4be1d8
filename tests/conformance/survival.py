"""Break what a call hangs on and watch how it comes back.

A *subject*, the Python SDK or ``livekit-client`` in Chromium, signals through a tap and sends its
media through a proxy; both can be broken. Its *witness*, a Python SDK client in the same room, is
connected directly. Both send a small picture. What counts is when each sees the other move again,
and that nobody is there twice and no track is lost.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final, Protocol

from livekit import rtc
from livekit.api import AccessToken, VideoGrants

from tests.conformance.background import Background
from tests.conformance.chromium import Tab, Tabs
from tests.conformance.servers import Server, own_node
from tests.conformance.tap import Tap, tapped
from tests.integration.media_node.conftest import Person
from tests.support.line import Line
from tests.support.udp_proxy import UdpProxy

SIZE: Final = (320, 180)
STEADY_S: Final = 3.0
"""Pictures that moved this long without a pause count as flowing."""
PAUSE_S: Final = 0.5
WITHIN_S: Final = 75.0
DARK_S: Final = 10.0
LOSS: Final = 0.15


@dataclass
class Moves:
    """When a picture was seen to have moved."""

    pause_s: float = PAUSE_S
    """From how long on standing still counts as a pause."""
    count: int = 0
    at_s: list[float] = field(default_factory=list)

    def look(self, count: int, now_s: float) -> None:
        """Note the frame counter; one that fell belongs to a new track."""
        if count != self.count:
            self.count = count
            if count:
                self.at_s.append(now_s)

    def is_steady(self, since_s: float, now_s: float) -> bool:
        """Whether it has moved for a while since, up to now, without a pause."""
        start_s = max(since_s, now_s - STEADY_S)
        recent = [at_s for at_s in self.at_s if at_s >= start_s]
        if now_s - since_s < STEADY_S or not recent:
            return False
        edges = [start_s, *recent, now_s]
        return all(b - a < self.pause_s for a, b in pairwise(edges))

    def back_s(self, since_s: float) -> float:
        """Seconds after ``since_s`` when the last pause was over."""
        seen = [since_s, *(at_s for at_s in self.at_s if at_s >= since_s)]
        ends = [b for a, b in pairwise(seen) if b - a >= self.pause_s] or seen[1:2]
        return ends[-1] - since_s

    def longest_s(self, since_s: float) -> float:
        """The longest pause that ended after ``since_s``."""
        return max(b - a for a, b in pairwise(self.at_s) if b >= since_s)


class Subject(Protocol):
    """The client that is put to the test."""

    async def join(self, url: str, token: str, *, is_single: bool) -> None:
        """Join and send a picture."""

    async def frames_of(self, identity: str) -> int:
        """How many pictures of somebody were seen."""

    async def others(self) -> dict[str, int]:
        """Who is there, with the number of their tracks."""

    async def simulate(self, name: str) -> None:
        """Play a failure: ``resume`` or ``full``."""

    async def say(self, text: str) -> None:
        """Send reliable data to everybody."""

    async def heard(self) -> list[str]:
        """Data that came, in order."""

    async def leave(self) -> None:
        """Go."""


class PythonSubject:
    """The official Python SDK."""

    def __init__(self) -> None:
        self.person = Person()

    async def join(self, url: str, token: str, *, is_single: bool) -> None:
        await self.person.join(url, token, is_single=is_single)
        await self.person.show_picture(size=SIZE)

    async def frames_of(self, identity: str) -> int:
        return self.person.frames.get(identity, 0)

    async def others(self) -> dict[str, int]:
        return tracks_seen(self.person)

    async def simulate(self, name: str) -> None:
        kinds = rtc.SimulateScenarioKind
        kind = {
            "resume": kinds.SIMULATE_SIGNAL_RECONNECT,
            "full": kinds.SIMULATE_FULL_RECONNECT,
        }[name]
        await self.person.room.simulate_scenario(kind)

    async def say(self, text: str) -> None:
        await self.person.room.local_participant.publish_data(text)

    async def heard(self) -> list[str]:
        return [data.decode() for data, _sender in self.person.data]

    async def leave(self) -> None:
        await self.person.leave()


class ChromiumSubject:
    """``livekit-client`` in Chromium."""

    def __init__(self, tab: Tab) -> None:
        self._tab = tab

    async def join(self, url: str, token: str, *, is_single: bool) -> None:
        await self._tab.call("join", url, token, {"singlePeerConnection": is_single})
        await self._tab.call("camera", *SIZE)

    async def frames_of(self, identity: str) -> int:
        got = await self._tab.call("received", identity)
        return int(got["frames"]) if got else 0

    async def others(self) -> dict[str, int]:
        seen = {}
        for identity in await self._tab.call("others"):
            seen[identity] = len(await self._tab.call("tracksOf", identity))
        return seen

    async def simulate(self, name: str) -> None:
        # Its "resume-reconnect" lets the resume fail, so that a full reconnect follows.
        scenario = {"resume": "signal-reconnect", "full": "full-reconnect"}[name]
        await self._tab.call("simulate", scenario)

    async def say(self, text: str) -> None:
        await self._tab.call("say", text)

    async def heard(self) -> list[str]:
        return [text for _sender, text in await self._tab.call("said")]

    async def leave(self) -> None:
        await self._tab.close()


def tracks_seen(person: Person) -> dict[str, int]:
    """Who a Python client sees, with the number of their tracks."""
    others = person.room.remote_participants
    return {identity: len(other.track_publications) for identity, other in others.items()}


class Stand:
    """A node, a tap and a proxy in front of it, and what can be broken of them."""

    def __init__(self, server: Server, tap: Tap, proxy: UdpProxy, background: Background) -> None:
        self.server = server
        self.tap = tap
        self._proxy = proxy
        self._background = background

    def cut_signalling(self, identity: str) -> None:
        """Drop the subject's signalling socket."""
        self.tap.cut(identity)

    async def lose_signalling(self, identity: str) -> None:
        """Drop it and let nobody back in for a while."""
        self.tap.refuses = True
        self.tap.cut(identity)
        await asyncio.sleep(DARK_S)
        self.tap.refuses = False

    async def darken(self, _identity: str) -> None:
        """Let no datagram pass for a while."""
        await self._do(lambda: self._proxy.set_dark(True))
        await asyncio.sleep(DARK_S)
        await self._do(lambda: self._proxy.set_dark(False))

    async def rebind(self, _identity: str) -> None:
        """Move the subject to another address."""
        await self._background.wait(self._proxy.rebind())

    async def lose(self, share: float) -> None:
        """Lose that share of everything, handshakes included, of clients to come."""

        def change() -> None:
            self._proxy.spares_handshakes = share == 0
            self._proxy.make_line = lambda seed: Line(seed, loss=share, delay_s=0.0)

        await self._do(change)

    async def _do(self, change: Callable[[], None]) -> None:
        async def do() -> None:
            change()

        await self._background.wait(do())


@contextmanager
def stand() -> Iterator[Stand]:
    """A node of its own with everything in front of it."""
    background = Background("line")
    proxy = UdpProxy(seed=3)
    with own_node() as server:
        background.do(proxy.start())
        proxy.connect(server.udp_port)
        with tapped(server.url, media_port=lambda: proxy.port) as tap:
            try:
                yield Stand(server, tap, proxy, background)
            finally:
                background.do(_closed(proxy))
                background.close()


async def _closed(proxy: UdpProxy) -> None:
    proxy.close()


Break = Callable[[Stand, Subject, str], Awaitable[None]]


async def _signalling_cut(stand: Stand, _subject: Subject, identity: str) -> None:
    stand.cut_signalling(identity)


async def _signalling_away(stand: Stand, _subject: Subject, identity: str) -> None:
    await stand.lose_signalling(identity)


async def _resume(_stand: Stand, subject: Subject, _identity: str) -> None:
    await subject.simulate("resume")


async def _full(_stand: Stand, subject: Subject, _identity: str) -> None:
    await subject.simulate("full")


async def _address(stand: Stand, _subject: Subject, identity: str) -> None:
    await stand.rebind(identity)


async def _dark(stand: Stand, _subject: Subject, identity: str) -> None:
    await stand.darken(identity)


BREAKS: Final[dict[str, Break]] = {
    "signalling socket cut while media flows": _signalling_cut,
    "signalling away for 10 s while media flows": _signalling_away,
    "resume with ICE restart": _resume,
    "full reconnect": _full,
    "new address in mid-call": _address,
    "media dark for 10 s": _dark,
}
JOIN_UNDER_LOSS: Final = "join while 15 % of everything is lost"


@dataclass(frozen=True)
class Result:
    """How one break was survived."""

    seen_s: float
    """Until the subject saw the witness again, from the end of the break."""
    shown_s: float
    """Until the witness saw the subject again."""
    longest_s: float
    """The longest pause of either picture since the break began."""
    is_whole: bool
    """Everybody is there once, with one track."""

    @property
    def back_s(self) -> float:
        """Until pictures flowed both ways."""
        return max(self.seen_s, self.shown_s)


async def survive(
    stand: Stand,
    make_subject: Callable[[], Awaitable[Subject]],
    name: str,
    *,
    is_single: bool,
    pause_s: float = PAUSE_S,
) -> Result:
    """Break a call of two in the named way. AssertionError when it does not come back."""
    room = f"{name} {time.monotonic()}"
    subject, witness = await make_subject(), Person()
    try:
        await witness.join(stand.server.url, _token(stand, "witness", room))
        await witness.show_picture(size=SIZE)
        if name == JOIN_UNDER_LOSS:
            await stand.lose(LOSS)
        started_s = time.monotonic()
        await subject.join(
            stand.tap.url, _token(stand, f"subject {room}", room), is_single=is_single
        )
        watch = _Watch(subject, witness, f"subject {room}", pause_s)
        if name == JOIN_UNDER_LOSS:
            since_s = started_s
        else:
            await watch.until_steady(time.monotonic(), "before the break")
            started_s = time.monotonic()
            breaking = asyncio.create_task(BREAKS[name](stand, subject, f"subject {room}"))
            await watch.look_until(breaking)
            since_s = time.monotonic()
        # A client notices some breaks late: give it time to stumble before it is judged.
        await watch.until_steady(since_s + STEADY_S, "after the break")
        return await watch.result(started_s, since_s, is_join=name == JOIN_UNDER_LOSS)
    finally:
        await stand.lose(0.0)
        await subject.leave()
        await witness.leave()


async def talk_through(
    stand: Stand,
    make_subject: Callable[[], Awaitable[Subject]],
    name: str,
    *,
    is_single: bool,
) -> None:
    """Both number their reliable messages while the line breaks: each comes once, in order.

    AssertionError otherwise.
    """
    room = f"talk {name} {time.monotonic()}"
    identity = f"subject {room}"
    subject, witness = await make_subject(), Person()
    counts = {"subject": 0, "witness": 0}
    is_over = asyncio.Event()

    async def number(who: str, say: Callable[[str], Awaitable[None]]) -> None:
        while not is_over.is_set():
            await say(f"{who} {counts[who]}")
            counts[who] += 1
            await asyncio.sleep(0.05)

    async def witness_says(text: str) -> None:
        await witness.room.local_participant.publish_data(text)

    async def have_heard() -> bool:
        heard, seen = await subject.heard(), [data.decode() for data, _ in witness.data]
        wanted = [f"witness {n}" for n in range(counts["witness"])]
        shown = [f"subject {n}" for n in range(counts["subject"])]
        # What is there already must be right; what is missing may still come.
        assert heard == wanted[: len(heard)], (identity, _first_odd(heard, wanted))
        assert seen == shown[: len(seen)], (identity, _first_odd(seen, shown))
        return len(heard) == len(wanted) and len(seen) == len(shown)

    try:
        await witness.join(stand.server.url, _token(stand, "witness", room))
        await subject.join(stand.tap.url, _token(stand, identity, room), is_single=is_single)
        watch = _Watch(subject, witness, identity, PAUSE_S)
        await watch.until_present()
        talking = [
            asyncio.create_task(number("subject", subject.say)),
            asyncio.create_task(number("witness", witness_says)),
        ]
        await asyncio.sleep(0.5)
        await BREAKS[name](stand, subject, identity)
        await asyncio.sleep(STEADY_S)
        is_over.set()
        await asyncio.wait_for(asyncio.gather(*talking), WITHIN_S)
        deadline_s = time.monotonic() + WITHIN_S
        while not await have_heard():
            assert time.monotonic() < deadline_s, f"{identity}: messages are missing: {counts}"
            await asyncio.sleep(0.1)
        # One who comes back holds what is said meanwhile back, and so says less.
        assert min(counts.values()) > 3, counts
    finally:
        await subject.leave()
        await witness.leave()


def _first_odd(come: list[str], wanted: list[str]) -> tuple[int, list[str], int, int]:
    """Where what came differs from what was wanted first, a few around it, and both counts."""
    at = next((n for n, (a, b) in enumerate(zip(come, wanted, strict=False)) if a != b), -1)
    return at, come[max(0, at - 2) : at + 4], len(come), len(wanted)


def _token(stand: Stand, identity: str, room: str) -> str:
    issued = AccessToken(stand.server.key, stand.server.secret).with_identity(identity)
    return issued.with_grants(VideoGrants(room_join=True, room=room)).to_jwt()


class _Watch:
    """Looks at both pictures until they flow."""

    def __init__(self, subject: Subject, witness: Person, identity: str, pause_s: float) -> None:
        self._subject = subject
        self._witness = witness
        self._identity = identity
        self._seen, self._shown = Moves(pause_s), Moves(pause_s)

    async def until_present(self) -> None:
        """Both can be heard: each knows the other and its picture comes."""
        deadline_s = time.monotonic() + WITHIN_S
        while not (
            await self._subject.others() and self._witness.frames.get(self._identity, 0) > 3
        ):
            assert time.monotonic() < deadline_s, f"{self._identity}: it did not join"
            await asyncio.sleep(0.05)

    async def until_steady(self, since_s: float, when: str) -> None:
        deadline_s = time.monotonic() + WITHIN_S
        while True:
            await self._look()
            now_s = time.monotonic()
            if self._seen.is_steady(since_s, now_s) and self._shown.is_steady(since_s, now_s):
                return
            assert now_s < deadline_s, f"{self._identity}: no pictures {when}: {self._counts()}"
            await asyncio.sleep(0.05)

    async def look_until(self, breaking: "asyncio.Task[None]") -> None:
        """Look on while something is being broken."""
        while not breaking.done():
            await self._look()
            await asyncio.sleep(0.05)
        await breaking

    async def _look(self) -> None:
        seen = await self._subject.frames_of("witness")
        now_s = time.monotonic()
        self._seen.look(seen, now_s)
        self._shown.look(self._witness.frames.get(self._identity, 0), now_s)

    async def result(self, started_s: float, since_s: float, *, is_join: bool) -> Result:
        """What came of it, once pictures flow."""
        others = await self._subject.others()
        is_whole = others == {"witness": 1} and tracks_seen(self._witness) == {self._identity: 1}
        both = (self._seen, self._shown)
        if is_join:
            seen_s, shown_s = (moves.at_s[0] - since_s for moves in both)
            return Result(seen_s, shown_s, 0.0, is_whole)
        seen_s, shown_s = (moves.back_s(since_s) for moves in both)
        longest_s = max(moves.longest_s(started_s) for moves in both)
        return Result(seen_s, shown_s, longest_s, is_whole)

    def _counts(self) -> dict[str, Any]:
        return {"seen": self._seen.count, "shown": self._shown.count}


Maker = Callable[[], Awaitable[Subject]]


def makers(tabs: Tabs) -> dict[str, Maker]:
    """How to make each kind of subject."""

    async def python() -> Subject:
        return PythonSubject()

    async def chromium() -> Subject:
        return ChromiumSubject(await tabs.open())

    return {"Python": python, "Chromium": chromium}
