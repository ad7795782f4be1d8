"""The kernel and its twin write the same bytes, and neither uses a nonce twice."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pylibsrtp import Policy, Session

from media.core.rtp import RtpHeader
from media.transport.fanout.kernel import KernelFanout, library, load
from media.transport.fanout.libcrypto import candidates
from media.transport.fanout.port import (
    PROFILE_CM,
    PROFILE_GCM,
    Fanout,
    MasterKey,
    PictureFields,
    PictureShift,
)
from media.transport.fanout.twin import TwinFanout

CC_ID = 5

try:
    LIBRARY: Any = library()
except OSError:
    LIBRARY = None

needs_kernel = pytest.mark.skipif(LIBRARY is None, reason="the kernel was not built")


def master(profile: int, number: int = 0) -> MasterKey:
    salt_bytes = 12 if profile == PROFILE_GCM else 14
    return MasterKey(
        profile, bytes(range(number, number + 16)), bytes(range(100, 100 + salt_bytes))
    )


def inbound(key: MasterKey) -> Session:
    """What a receiver has: any outbound packet can be opened with it."""
    policy = Policy(
        key=key.key + key.salt, ssrc_type=Policy.SSRC_ANY_INBOUND, srtp_profile=key.profile
    )
    policy.window_size = 1024
    return Session(policy)


@dataclass(frozen=True)
class Plan:
    """One receiver's leg."""

    profile: int
    payload_type: int
    own: bytes
    has_cc: bool
    seq_shift: int
    timestamp_shift: int
    pictures: PictureShift | None


elements = st.lists(
    st.tuples(st.integers(6, 14), st.binary(min_size=1, max_size=16)), max_size=3
).map(lambda found: b"".join(bytes((i << 4 | len(v) - 1,)) + v for i, v in found))
own = st.one_of(
    st.just(b""), st.binary(min_size=1, max_size=16).map(lambda v: bytes((0x10 | len(v) - 1,)) + v)
)
plans = st.builds(
    Plan,
    profile=st.sampled_from((PROFILE_CM, PROFILE_GCM)),
    payload_type=st.integers(0, 127),
    own=own,
    has_cc=st.booleans(),
    seq_shift=st.integers(-(1 << 20), 1 << 20),
    timestamp_shift=st.integers(-(1 << 40), 1 << 40),
    pictures=st.one_of(
        st.none(),
        st.builds(PictureShift, st.integers(0, 0x7FFF), st.integers(0, 0xFF), st.integers(0, 0x1F)),
    ),
)
packets = st.tuples(
    st.integers(-40, 1500),  # how far ahead of the packet before
    st.integers(0, 0xFFFFFFFF),
    st.binary(min_size=0, max_size=1300),
    st.booleans(),
    elements,
    st.booleans(),  # whether it is VP8
    st.booleans(),  # whether it is urgent
)


def play(fanout: Fanout, legs: list[Plan], stream: list[Any], first: int) -> list[list[bytes]]:
    """Everything each receiver got."""
    out: list[list[bytes]] = [[] for _ in legs]
    group = fanout.open_group()
    for number, plan in enumerate(legs):
        session = fanout.open_session()
        fanout.set_keys(session, master(plan.profile, number))
        fanout.set_relay(session, out[number].append)
        fanout.set_transport_cc(session, CC_ID)
        leg = fanout.open_leg(
            session, 1000 + number, plan.payload_type, plan.own, has_cc=plan.has_cc
        )
        fanout.move_leg(leg, group, plan.seq_shift, plan.timestamp_shift, plan.pictures)
    seq = first
    for ahead, timestamp, payload, marker, shared, is_vp8, urgent in stream:
        seq += ahead
        fanout.multicast(
            group,
            seq & 0xFFFF,
            timestamp,
            payload,
            marker=marker,
            elements=shared,
            pictures=PictureFields(1, 2, 4, 5) if is_vp8 and len(payload) > 6 else None,
            urgent=urgent,
        )
    assert fanout.flush()
    return out


@needs_kernel
@settings(max_examples=60)
@given(
    legs=st.lists(plans, min_size=1, max_size=4),
    stream=st.lists(packets, max_size=8),
    first=st.integers(0, 0xFFFF),
)
@example(
    legs=[Plan(PROFILE_GCM, 96, b"", True, 3, 9, None)],
    stream=[(1, 0, b"abc", False, b"", False, False)] * 5,
    first=0xFFFB,
)
def test_kernel_and_twin_write_the_same_bytes(
    legs: list[Plan], stream: list[Any], first: int
) -> None:
    kernel = KernelFanout(LIBRARY, candidates()[0])
    assert play(kernel, legs, stream, first) == play(TwinFanout(), legs, stream, first)


def makings() -> list[Any]:
    return [
        pytest.param(load, id="kernel", marks=needs_kernel),
        pytest.param(TwinFanout, id="twin"),
    ]


@pytest.mark.parametrize("profile", [PROFILE_CM, PROFILE_GCM])
@pytest.mark.parametrize("make", makings())
def test_a_receiver_opens_every_packet_across_three_wraps_of_the_sequence_number(
    make: Callable[[], Fanout], profile: int
) -> None:
    fanout, out = make(), []
    session, group = fanout.open_session(), fanout.open_group()
    fanout.set_keys(session, master(profile))
    fanout.set_relay(session, out.append)
    fanout.move_leg(fanout.open_leg(session, 7, 96), group, 60_000)
    opened = inbound(master(profile))
    sent = list(range(0, 3 << 16, 997))
    for number in sent:
        fanout.multicast(group, number & 0xFFFF, number, number.to_bytes(4, "big"))
        assert fanout.flush()
    plain = [opened.unprotect(packet) for packet in out]
    assert [int.from_bytes(packet[12:], "big") for packet in plain] == sent
    assert [RtpHeader.parse(packet).seq for packet in plain] == [n + 60_000 & 0xFFFF for n in sent]


@pytest.mark.parametrize("make", makings())
@settings(max_examples=25)
@given(jumps=st.lists(st.integers(-1300, 1300), max_size=60), first=st.integers(0, 0xFFFF))
def test_no_index_is_ever_protected_twice(
    make: Callable[[], Fanout], jumps: list[int], first: int
) -> None:
    """Whatever comes, in whatever order: receivers see each (SSRC, index) at most once."""
    fanout, out = make(), []
    session, group = fanout.open_session(), fanout.open_group()
    fanout.set_keys(session, master(PROFILE_GCM))
    fanout.set_relay(session, out.append)
    leg = fanout.open_leg(session, 7, 96)
    fanout.move_leg(leg, group)
    numbers, number = [], first
    for jump in jumps:
        numbers.append(number)
        number = max(0, number + jump)
    for text, index in enumerate(numbers):
        if text % 3:
            fanout.multicast(group, index & 0xFFFF, 0, text.to_bytes(4, "big"))
        else:  # the same stream, packet by packet
            plain = b"\x80\x60" + (index & 0xFFFF).to_bytes(2, "big") + bytes(4)
            fanout.unicast(session, plain + (7).to_bytes(4, "big") + text.to_bytes(4, "big"))
        fanout.flush()
    opened = inbound(master(PROFILE_GCM))
    assert len(out) == len(set(numbers[: len(numbers)])) - count_refused(numbers)
    for packet in out:  # the receiver's replay check, RFC 3711 §3.3.2, is the judge
        opened.unprotect(packet)
    assert fanout.counters.sent + len(out) + fanout.counters.refused == len(numbers)


def count_refused(numbers: list[int]) -> int:
    """Of the different indices, those too old when they came first: a naive model."""
    seen: set[int] = set()
    newest, old = -1, 0
    for number in numbers:
        if number in seen:
            continue
        if newest >= 0 and number <= newest - 1024:
            if number not in seen:
                old += 1
                seen.add(number)
            continue
        seen.add(number)
        newest = max(newest, number)
    return old
