"""The intake's two makings hand on the same packets, whatever comes in by the socket."""

import asyncio
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pylibsrtp import Error as SrtpError
from pylibsrtp import Policy, Session

from media.core.errors import RemoteProtocolError
from media.core.rtcp import ReceiverReport, write
from media.core.rtp import RtpHeader
from media.transport.fanout import VARIABLE
from media.transport.hub import TransportHub
from media.transport.intake import KernelIntake, PlainIntake, open_intake
from media.transport.intake.port import PACKETS_BURST
from tests.integration.media_node.conftest import until

LEVEL_ID, CC_ID = 3, 5
KEYS = {Policy.SRTP_PROFILE_AEAD_AES_128_GCM: 28, Policy.SRTP_PROFILE_AES128_CM_SHA1_80: 30}


@dataclass
class Log:
    """A handler that notes what it is given, read or to be read, in one form."""

    seen: list[object] = field(default_factory=list)

    def on_rtp(self, packet: bytes, now_s: float) -> None:
        try:
            header = RtpHeader.parse(packet)
            values = header.extensions(packet)
        except RemoteProtocolError:
            self.on_malformed()
            return
        header.note_elements(values, LEVEL_ID, CC_ID)
        self.on_media(header, packet, values, now_s)

    def on_media(
        self, header: RtpHeader, packet: bytes, values: Mapping[int, bytes], now_s: float
    ) -> None:
        self.seen.append(
            (
                packet, header.payload_type, header.marker, header.seq, header.timestamp,
                header.ssrc, header.payload_start, header.payload_end, header.level, header.cc,
                dict(values),
            )
        )  # fmt: skip

    def on_malformed(self) -> None:
        self.seen.append("malformed")

    def on_rtcp(self, packet: bytes, now_s: float) -> None:
        self.seen.append(("rtcp", packet))

    def on_closed(self, reason: str) -> None:
        self.seen.append(reason)


def session(profile: int, ssrc_type: int) -> Session:
    policy = Policy(key=bytes(range(KEYS[profile])), ssrc_type=ssrc_type, srtp_profile=profile)
    policy.allow_repeat_tx = True
    policy.window_size = 1024
    return Session(policy)


@contextmanager
def sockets(count: int) -> Iterator[list[socket.socket]]:
    made = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(count)]
    try:
        for one in made:
            one.bind(("127.0.0.1", 0))
        yield made
    finally:
        for one in made:
            one.close()


@dataclass
class Outcome:
    """What a node made of some datagrams."""

    seen: list[object]
    unauthentic: int
    flooded: float
    rejected: float


async def outcome(choice: str, profile: int, datagrams: list[tuple[bool, bytes]]) -> Outcome:
    """Send datagrams, from the address of the client or from another, and look at the result."""
    with patch.dict(os.environ, {VARIABLE: choice}), sockets(2) as (client, stranger):
        hub = TransportHub(["127.0.0.1"], 0)
        hub.start()
        try:
            log = Log()
            connection = hub.connect(log)  # type: ignore[arg-type]
            connection.srtp_in = session(profile, Policy.SSRC_ANY_INBOUND)
            hub.intake.set_srtp(connection.intake, connection.srtp_in)
            hub.intake.set_elements(connection.intake, LEVEL_ID, CC_ID)
            ufrag, udp = connection.local.ufrag, hub._udp.sockets[0]
            connection.path_validated(udp, client.getsockname(), ufrag, nominates=True)
            for number, (is_client, data) in enumerate(datagrams, start=1):
                (client if is_client else stranger).sendto(data, ("127.0.0.1", hub.port))
                if not number % 100 or number == len(datagrams):
                    await until(lambda sent=number: hub.received == sent, 5, "not all were read")
            await asyncio.sleep(0)
            figures = hub.figures()
            return Outcome(
                log.seen,
                connection.unauthentic,
                figures["packets_flooded_total"],
                figures["packets_rejected_total"],
            )
        finally:
            await hub.close()


def packets(profile: int) -> st.SearchStrategy[list[tuple[bool, bytes]]]:
    """Authentic packets of every shape, repeated, late, forged, cut, and other people's."""
    head = st.builds(
        lambda first, second, seq, ssrc: bytes((first, second))
        + (seq % 65536).to_bytes(2, "big") + bytes(4) + ssrc.to_bytes(4, "big"),
        st.sampled_from((0x80, 0x80, 0x90, 0x90, 0xA0, 0xB0, 0x81, 0x92)),
        st.sampled_from((96, 111, 224, 191, 127)),
        st.integers(65_000, 67_000),
        st.sampled_from((1, 2, 0xFFFFFFFF)),
    )  # fmt: skip
    element = st.sampled_from((LEVEL_ID, CC_ID, 1, 14, 15, 0)).flatmap(
        lambda number: st.binary(min_size=1, max_size=4).map(
            lambda value: bytes((number << 4 | len(value) - 1,)) + value
        )
    )
    block = st.lists(element, max_size=4).map(b"".join).map(
        lambda text: text + bytes(-len(text) % 4)
    )  # fmt: skip
    extension = st.builds(
        lambda kind, text: kind + (len(text) // 4).to_bytes(2, "big") + text,
        st.sampled_from((b"\xbe\xde", b"\x10\x00", b"\x12\x34")),
        block | st.binary(max_size=8).map(lambda text: text + bytes(-len(text) % 4)),
    )
    plain = st.builds(
        lambda first, middle, payload: first + middle + payload,
        head,
        extension | st.just(b""),
        st.binary(max_size=40),
    )
    report = st.integers(0, 9).map(lambda ssrc: write([ReceiverReport(ssrc)]))
    wild = st.binary(max_size=60) | st.sampled_from((b"", b"\0\1", b"\x16abc", bytes(1600)))

    def protect(shapes: list[tuple[str, Any, bool]]) -> list[tuple[bool, bytes]]:
        out, sent = session(profile, Policy.SSRC_ANY_OUTBOUND), list[bytes]()
        found = []
        for kind, shape, is_client in shapes:
            data = shape
            if kind == "again":
                data = sent[shape % len(sent)] if sent else b""
            elif kind != "wild":
                try:
                    data = out.protect_rtcp(shape) if kind == "rtcp" else out.protect(shape)
                except SrtpError:  # the sender's library does not take every malformed one
                    continue
                sent.append(data)
                if kind == "forged":
                    data = data[:-1] + bytes((data[-1] ^ 1,))
            found.append((is_client, data))
        return found

    is_client = st.integers(0, 9).map(bool)
    shape = st.one_of(
        st.tuples(st.sampled_from(("rtp", "rtp", "rtp", "forged")), plain, is_client),
        st.tuples(st.just("rtcp"), report, is_client),
        st.tuples(st.just("again"), st.integers(0, 50), is_client),
        st.tuples(st.just("wild"), wild, is_client),
    )
    return st.lists(shape, min_size=1, max_size=70).map(protect)


@pytest.mark.parametrize("profile", KEYS)
def test_kernel_and_plain_way_make_the_same_of_any_datagrams(profile: int) -> None:
    if not isinstance(open_intake(), KernelIntake):
        pytest.skip("the kernel was not built")

    @settings(max_examples=60, deadline=None, database=None)
    @given(packets(profile))
    def compare(datagrams: list[tuple[bool, bytes]]) -> None:
        kernel = asyncio.run(outcome("kernel", profile, datagrams))
        plain = asyncio.run(outcome("python", profile, datagrams))
        assert kernel == plain

    compare()


def ordinary(number: int) -> bytes:
    return b"\x80\x60" + number.to_bytes(2, "big") + bytes(7) + b"\1" + bytes(50)


@pytest.mark.parametrize("choice", ["kernel", "python"])
async def test_a_packet_counts_once_though_it_comes_again_by_another_way(choice: str) -> None:
    if choice == "kernel" and not isinstance(open_intake(), KernelIntake):
        pytest.skip("the kernel was not built")
    profile = Policy.SRTP_PROFILE_AEAD_AES_128_GCM
    out = session(profile, Policy.SSRC_ANY_OUTBOUND)
    with patch.dict(os.environ, {VARIABLE: choice}), sockets(1) as (client,):
        hub = TransportHub(["127.0.0.1"], 0)
        hub.start()
        try:
            log = Log()
            connection = hub.connect(log)  # type: ignore[arg-type]
            connection.srtp_in = session(profile, Policy.SSRC_ANY_INBOUND)
            hub.intake.set_srtp(connection.intake, connection.srtp_in)
            ufrag, udp = connection.local.ufrag, hub._udp.sockets[0]
            connection.path_validated(udp, client.getsockname(), ufrag, nominates=True)
            protected = out.protect(ordinary(1))
            client.sendto(protected, ("127.0.0.1", hub.port))
            await until(lambda: len(log.seen) == 1, 5, "the packet did not come")
            connection.receive_srtp(protected, hub.now_s())  # as from TCP
            assert len(log.seen) == 1, "a replay was taken"
            connection.receive_srtp(out.protect(ordinary(2)), hub.now_s())
            assert len(log.seen) == 2
            assert connection.unauthentic == 1
        finally:
            await hub.close()


@pytest.mark.parametrize("choice", ["kernel", "python"])
async def test_what_is_beyond_the_allowance_is_not_decrypted(choice: str) -> None:
    if choice == "kernel" and not isinstance(open_intake(), KernelIntake):
        pytest.skip("the kernel was not built")
    profile = Policy.SRTP_PROFILE_AEAD_AES_128_GCM
    with patch.dict(os.environ, {VARIABLE: choice}):
        intake = open_intake()
        owner = intake.open(Log())
        taken = sum(intake.take(owner, 0.0) for _ in range(int(PACKETS_BURST) + 50))
        assert taken == PACKETS_BURST
        out = session(profile, Policy.SSRC_ANY_OUTBOUND)
        flood = [(True, out.protect(ordinary(number))) for number in range(200)]
        with (
            patch("media.transport.intake.plain.PACKETS_BURST", 40.0),
            patch("media.transport.intake.plain.PACKETS_PER_S", 0.001),
            patch("media.transport.intake.kernel.PACKETS_BURST", 40.0),
            patch("media.transport.intake.kernel.PACKETS_PER_S", 0.001),
        ):
            found = await outcome(choice, profile, flood)
        assert (len(found.seen), found.flooded) == (40, 160)


async def test_a_closed_owner_gets_nothing_more() -> None:
    profile = Policy.SRTP_PROFILE_AEAD_AES_128_GCM
    out = session(profile, Policy.SSRC_ANY_OUTBOUND)
    with sockets(1) as (client,):
        hub = TransportHub(["127.0.0.1"], 0)
        hub.start()
        try:
            log = Log()
            connection = hub.connect(log)  # type: ignore[arg-type]
            connection.srtp_in = session(profile, Policy.SSRC_ANY_INBOUND)
            hub.intake.set_srtp(connection.intake, connection.srtp_in)
            ufrag, udp = connection.local.ufrag, hub._udp.sockets[0]
            connection.path_validated(udp, client.getsockname(), ufrag, nominates=True)
            await connection.close()
            client.sendto(out.protect(ordinary(1)), ("127.0.0.1", hub.port))
            await until(lambda: hub.received == 1, 5, "it was not read")
            assert log.seen == []
            assert hub.figures()["packets_rejected_total"] == 1
            again = hub.connect(Log())  # type: ignore[arg-type]
            assert again.intake != connection.intake
        finally:
            await hub.close()


def test_the_plain_way_is_taken_when_asked_for() -> None:
    with patch.dict(os.environ, {VARIABLE: "python"}):
        assert isinstance(open_intake(), PlainIntake)
    with patch.dict(os.environ, {VARIABLE: "other"}), pytest.raises(ValueError, match="none of"):
        open_intake()
