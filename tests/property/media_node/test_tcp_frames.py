"""Packets over TCP: whatever way the stream is cut, the same packets come out (RFC 4571 §2)."""

import asyncio
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from media.transport.tcp import MAX_FRAME_BYTES, MAX_WAITING_BYTES, TcpPath, TcpPort

frames = st.lists(st.binary(min_size=1, max_size=300), max_size=20)


class Wire(asyncio.Transport):
    """A TCP connection that is only remembered."""

    def __init__(self) -> None:
        super().__init__({"peername": ("192.0.2.1", 4000)})
        self.written = bytearray()
        self.waiting = 0
        self.is_aborted = False

    def write(self, data: Any) -> None:
        self.written += data

    def get_write_buffer_size(self) -> int:
        return self.waiting

    def abort(self) -> None:
        self.is_aborted = True


class Reader:
    """A path and what came by it."""

    def __init__(self) -> None:
        self.got: list[bytes] = []
        self.drains = 0
        self.port = TcpPort(lambda _path, data, _source: self.got.append(data), self._drained)
        self.path, self.wire = TcpPath(self.port), Wire()
        self.path.connection_made(self.wire)

    def _drained(self) -> None:
        self.drains += 1


def in_loop(work: Any) -> None:
    async def run() -> None:
        work()

    asyncio.run(run())


@given(frames, st.lists(st.integers(1, 400), max_size=40))
@settings(max_examples=50)
def test_packets_come_out_as_they_went_in(sent: list[bytes], cuts: list[int]) -> None:
    def check() -> None:
        writer, reader = Reader(), Reader()
        for data in sent:
            assert writer.path.send(data, None)
        stream = bytes(writer.wire.written)
        for size in [*cuts, len(stream)]:
            piece, stream = stream[:size], stream[size:]
            if piece:
                reader.path.data_received(piece)
        assert reader.got == sent
        assert not reader.wire.is_aborted
        reader.path.connection_lost(None)
        assert reader.port.count == 0

    in_loop(check)


@given(st.binary(max_size=2000))
@settings(max_examples=100)
def test_any_stream_ends_at_most_its_own_connection(stream: bytes) -> None:
    def check() -> None:
        reader = Reader()
        reader.path.data_received(stream)
        assert all(0 < len(data) <= MAX_FRAME_BYTES for data in reader.got)
        reader.path.connection_lost(None)

    in_loop(check)


def test_a_full_queue_drops_and_a_stranger_is_not_kept() -> None:
    def check() -> None:
        reader = Reader()
        reader.wire.waiting = MAX_WAITING_BYTES + 1
        assert not reader.path.send(b"late", None)
        assert reader.path.send_errors == 1
        assert not reader.wire.written
        reader.path._end_if_unknown()
        assert reader.wire.is_aborted

    in_loop(check)
