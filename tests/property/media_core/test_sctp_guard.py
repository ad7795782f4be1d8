"""What passes the SCTP guard can be parsed in no time; what aiortc writes passes."""

import contextlib
import struct
import time
from collections.abc import Callable

import pytest
from aiortc import rtcsctptransport as sctp
from google_crc32c import value as crc32c
from hypothesis import given
from hypothesis import strategies as st

from media.core.errors import RemoteProtocolError
from media.core.sctp_guard import check_packet
from tests.support.packets import mutated

PARSE_LIMIT_S = 0.5
"""Far above any honest parse, far below a loop that never ends."""


def packet(*chunks: bytes) -> bytes:
    """A packet around chunks, with the checksum aiortc verifies."""
    header = struct.pack("!HHL", 5000, 5000, 1)
    body = b"".join(chunks)
    checksum = crc32c(header + bytes(4) + body)
    return header + struct.pack("<L", checksum) + body


def chunk(kind: int, body: bytes) -> bytes:
    """A chunk with honest length and padding."""
    return struct.pack("!BBH", kind, 0, len(body) + 4) + body + bytes(-len(body) % 4)


ZERO_LENGTH_PARAMETER = b"\x00\x01\x00\x00"
INIT_FIELDS = struct.pack("!LLHHL", 1, 1, 1, 1, 1)


@pytest.mark.parametrize(
    "data",
    [
        packet(chunk(1, INIT_FIELDS + ZERO_LENGTH_PARAMETER)),
        packet(chunk(2, INIT_FIELDS + ZERO_LENGTH_PARAMETER)),
        packet(chunk(4, ZERO_LENGTH_PARAMETER)),
        packet(chunk(5, ZERO_LENGTH_PARAMETER)),
        packet(chunk(6, ZERO_LENGTH_PARAMETER)),
        packet(chunk(9, ZERO_LENGTH_PARAMETER)),
        packet(chunk(130, ZERO_LENGTH_PARAMETER)),
        packet(chunk(130, b"\x00\x01\x00\x06ab\0\0" + ZERO_LENGTH_PARAMETER)),
        packet(chunk(4, b"\x00\x01\x00\x03")),
        packet(chunk(4, b"\x00\x01\x00\x09abcd")),
    ],
    ids=["init", "init-ack", "heartbeat", "heartbeat-ack", "abort", "error", "reconfig", "second",
         "too-short", "past-the-end"],
)  # fmt: skip
def test_a_parameter_that_would_trap_the_parser_is_refused(data: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        check_packet(data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        packet(),
        packet(b"\x00\x00\x00\x00"),
        packet(b"\x00\x00\x00\x03"),
        packet(b"\x00\x00\x00\x14" + bytes(12)),
        packet(chunk(0, bytes(12))),
        packet(chunk(3, bytes(8))),
        packet(chunk(3, bytes(8) + b"\xff\xff\xff\xff")),
        packet(chunk(7, b"ab")),
        packet(chunk(192, bytes(6))),
        packet(chunk(130, b"\x00\x0d\x00\x08abcd")),
        packet(chunk(130, b"\x00\x0d\x00\x11" + bytes(13) + bytes(3))),
        packet(chunk(11, b""), b"\x0b"),
    ],
)
def test_lengths_that_lie_are_refused(data: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        check_packet(data)


def test_an_unknown_chunk_passes() -> None:
    check_packet(packet(chunk(64, b"anything"), chunk(14, b"")))


parameters = st.lists(st.tuples(st.integers(0, 0xFFFF), st.binary(max_size=40)), max_size=5)
u16, u32 = st.integers(0, 0xFFFF), st.integers(0, 2**32 - 1)


@st.composite
def honest_chunks(draw: st.DrawFn) -> sctp.Chunk:
    kind = draw(st.sampled_from(sctp.CHUNK_CLASSES))
    one = kind()
    if isinstance(one, sctp.DataChunk):
        one.tsn, one.stream_id, one.stream_seq = draw(u32), draw(u16), draw(u16)
        one.user_data = draw(st.binary(min_size=1, max_size=100))
    elif isinstance(one, sctp.SackChunk):
        one.gaps = draw(st.lists(st.tuples(u16, u16), max_size=10))
        one.duplicates = draw(st.lists(u32, max_size=10))
    elif isinstance(one, sctp.ForwardTsnChunk):
        one.streams = draw(st.lists(st.tuples(u16, u16), max_size=10))
    elif isinstance(one, sctp.ShutdownChunk):
        one.cumulative_tsn = draw(u32)
    elif isinstance(one, sctp.ReconfigChunk):
        one.params = draw(st.lists(reconfigurations, max_size=2))
    elif isinstance(one, sctp.BaseParamsChunk | sctp.BaseInitChunk):
        one.params = draw(parameters)
    elif isinstance(one, sctp.CookieEchoChunk):
        one.body = draw(st.binary(max_size=40))
    return one


reconfigurations = st.one_of(
    st.builds(sctp.StreamResetOutgoingParam, u32, u32, u32, st.lists(u16, max_size=8)).map(
        lambda parameter: (13, bytes(parameter))
    ),
    st.builds(sctp.StreamResetResponseParam, u32, u32).map(lambda one: (16, bytes(one))),
    st.builds(sctp.StreamAddOutgoingParam, u32, u16).map(lambda one: (17, bytes(one))),
)


@given(honest_chunks())
def test_what_aiortc_writes_passes(one: sctp.Chunk) -> None:
    check_packet(sctp.serialize_packet(5000, 5000, 1, one))


SEEDS = [
    packet(chunk(1, INIT_FIELDS + b"\x80\x08\x00\x06\x82\xc0\0\0\xc0\x00\x00\x04"))[12:],
    packet(chunk(0, bytes(12) + b"hello"), chunk(3, bytes(8) + b"\0\1\0\1" + bytes(8)))[12:],
    packet(chunk(130, b"\x00\x0d\x00\x12" + bytes(14) + bytes(2)))[12:],
    packet(chunk(4, b"\x00\x01\x00\x09abcde\0\0\0"), chunk(6, b""), chunk(192, bytes(8)))[12:],
]


def within_limit(act: Callable[[], object]) -> None:
    started_s = time.process_time()
    act()
    assert time.process_time() - started_s < PARSE_LIMIT_S


@given(chunks=mutated(SEEDS))
def test_what_passes_is_parsed_without_error_or_delay(chunks: bytes) -> None:
    data = packet(chunks)
    with contextlib.suppress(RemoteProtocolError):
        check_packet(data)
        within_limit(lambda: parse_fully(data))


def parse_fully(data: bytes) -> None:
    for one in sctp.parse_packet(data)[3]:
        if isinstance(one, sctp.ReconfigChunk):
            for kind, value in one.params:
                if kind in sctp.RECONFIG_PARAM_TYPES:
                    sctp.RECONFIG_PARAM_TYPES[kind].parse(value)
