"""A connection that is only counted: packets, losses, reports."""

import socket
from collections.abc import Iterator

import pytest

from media.client.drain import Drain
from media.core import rtcp
from tests.support.packets import rtp_packet


class Link:
    """A connection whose sockets the test feeds."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self.fed: list[bytes] = []
        self.sent: list[list[rtcp.RtcpPacket]] = []

    def stop_reading(self) -> list[socket.socket]:
        return [self._sock]

    def feed(self, data: bytes) -> None:
        self.fed.append(data)

    def send_rtcp(self, packets: list[rtcp.RtcpPacket]) -> None:
        self.sent.append(packets)


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    left, right = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with left, right:
        left.setblocking(False)
        right.setblocking(False)
        yield left, right


def test_losses_and_wraps_are_counted_and_reported(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    sender, receiver = pair
    link, first = Link(receiver), []
    drain = Drain(link, 9, first.append)
    drain.begin()
    for seq in (65533, 65534, 0, 1, 4, 3):  # 65535 and 2 are missing, 3 comes late
        sender.send(rtp_packet(seq, b"x" * 50, ssrc=7))
        drain.empty(bytearray(2048))
    count = drain.streams[7]
    assert (count.packets, count.expected, count.lost) == (6, 8, 2)
    assert first == [7]
    drain.report(5.0)
    drain.report(5.1)
    (packets,) = link.sent
    (report,) = packets
    assert isinstance(report, rtcp.ReceiverReport)
    assert (report.blocks[0].packets_lost, report.blocks[0].fraction_lost) == (2, 64)


def test_everything_but_media_goes_to_the_connection(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    sender, receiver = pair
    link = Link(receiver)
    drain = Drain(link, 9, lambda _ssrc: None)
    drain.begin()
    others = [b"\0\1" + bytes(18), b"\x16" + bytes(30), b"\x80\xc8" + bytes(26), b"\x80"]
    for data in others:
        sender.send(data)
    drain.empty(bytearray(2048))
    assert link.fed == others
    assert drain.streams == {}
    drain.report(1.0)
    assert link.sent == []
