"""What a fan-out does when the system takes only some, or nothing, of what it is given."""

import errno
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import media.transport.fanout as package
from media.transport.fanout.kernel import KernelFanout, library, load, socket_address
from media.transport.fanout.libcrypto import candidates
from media.transport.fanout.port import PROFILE_CM, PROFILE_GCM, MasterKey
from media.transport.fanout.twin import TwinFanout
from tests.property.media_transport.test_fanout import inbound, makings, master, needs_kernel

Making = Callable[[], Any]


@pytest.fixture(params=makings())
def fanout(request: pytest.FixtureRequest) -> Any:
    return request.param()


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two connected datagram sockets that lose nothing and say when they are full."""
    left, right = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with left, right:
        left.setblocking(False)
        right.setblocking(False)
        yield left, right


def receivers(fanout: Any, sock: socket.socket, count: int) -> int:
    """A group of so many receivers behind one connected socket."""
    group = fanout.open_group()
    for number in range(count):
        session = fanout.open_session()
        fanout.set_keys(session, master(PROFILE_GCM, number))
        fanout.set_route(session, sock, None)
        fanout.move_leg(fanout.open_leg(session, 1000 + number, 96), group)
    return int(group)


def drain(sock: socket.socket) -> list[bytes]:
    found = []
    try:
        while True:
            found.append(sock.recv(4096))
    except BlockingIOError:
        return found


def texts(packets: list[bytes], count: int) -> dict[int, list[bytes]]:
    """Payloads by receiver, opened with its key; a replay would raise."""
    opened = {1000 + n: inbound(master(PROFILE_GCM, n)) for n in range(count)}
    found: dict[int, list[bytes]] = {ssrc: [] for ssrc in opened}
    for packet in packets:
        ssrc = int.from_bytes(packet[8:12], "big")
        found[ssrc].append(opened[ssrc].unprotect(packet)[12:])
    return found


def test_a_full_socket_delays_packets_and_loses_none(
    fanout: Any, pair: tuple[socket.socket, socket.socket]
) -> None:
    left, right = pair
    group = receivers(fanout, left, 3)
    for seq in range(200):  # more than any socket's queue
        fanout.multicast(group, seq, seq, seq.to_bytes(2, "big"))
    is_done = fanout.flush()
    assert not is_done
    assert fanout.counters.blocked == 1
    got: list[bytes] = []
    while not is_done:
        got += drain(right)
        is_done = fanout.resume()
    got += drain(right)
    wanted = [seq.to_bytes(2, "big") for seq in range(200)]
    assert texts(got, 3) == {1000 + n: wanted for n in range(3)}
    assert fanout.counters.sent == 600
    assert fanout.counters.dropped == 0


def test_what_is_queued_meanwhile_follows_in_order(
    fanout: Any, pair: tuple[socket.socket, socket.socket]
) -> None:
    left, right = pair
    group = receivers(fanout, left, 2)
    answers = [-errno.EAGAIN]
    fanout.before_send(lambda _fd, count: answers.pop() if answers else count)
    fanout.multicast(group, 1, 0, b"first")
    assert not fanout.flush()
    fanout.multicast(group, 2, 0, b"second")
    assert not fanout.flush()
    assert drain(right) == []
    assert fanout.resume()
    assert texts(drain(right), 2) == {1000: [b"first", b"second"], 1001: [b"first", b"second"]}


@pytest.mark.parametrize("error", [errno.EAGAIN, errno.ENOBUFS])
def test_a_system_that_takes_one_message_at_a_time_gets_them_all_once(
    fanout: Any, pair: tuple[socket.socket, socket.socket], error: int
) -> None:
    left, right = pair
    group = receivers(fanout, left, 5)
    turn = [0]

    def grudging(_fd: int, _count: int) -> int:
        turn[0] += 1
        return 1 if turn[0] % 2 else -error

    fanout.before_send(grudging)
    for seq in range(4):
        fanout.multicast(group, seq, 0, bytes((seq,)))
    is_done, got = fanout.flush(), []
    while not is_done:
        got += drain(right)
        is_done = fanout.resume()
    got += drain(right)
    assert texts(got, 5) == {1000 + n: [bytes((s,)) for s in range(4)] for n in range(5)}
    assert fanout.counters.blocked >= 9


@pytest.mark.parametrize("error", [errno.EPERM, errno.ENETUNREACH, errno.EBADF])
def test_one_unreachable_receiver_costs_only_its_packets(
    fanout: Any, pair: tuple[socket.socket, socket.socket], error: int
) -> None:
    left, right = pair
    group = receivers(fanout, left, 3)
    answers = [1, -error]  # the second receiver cannot be reached
    fanout.before_send(lambda _fd, count: answers.pop(0) if answers else count)
    fanout.multicast(group, 1, 0, b"x")
    assert fanout.flush()
    assert sorted(map(len, texts(drain(right), 3).values())) == [0, 1, 1]
    assert fanout.counters.failed == 1


def test_what_is_given_up_is_counted_and_the_next_packets_go(
    fanout: Any, pair: tuple[socket.socket, socket.socket]
) -> None:
    left, right = pair
    group = receivers(fanout, left, 2)
    answers = [-errno.EAGAIN]
    fanout.before_send(lambda _fd, count: answers.pop() if answers else count)
    fanout.multicast(group, 1, 0, b"old")
    assert not fanout.flush()
    fanout.discard()
    fanout.multicast(group, 2, 0, b"new")
    assert fanout.resume()
    assert texts(drain(right), 2) == {1000: [b"new"], 1001: [b"new"]}
    assert fanout.counters.failed == 2


def test_sound_leaves_before_pictures_queued_earlier(
    fanout: Any, pair: tuple[socket.socket, socket.socket]
) -> None:
    left, right = pair
    group = receivers(fanout, left, 2)
    for seq in range(3):
        fanout.multicast(group, seq, 0, b"picture")
    fanout.multicast(group, 3, 0, b"sound", urgent=True)
    assert fanout.flush()
    sizes = [len(packet) for packet in drain(right)]
    assert sizes == sorted(sizes)
    assert len(sizes) == 8


@pytest.mark.parametrize("profile", [PROFILE_CM, PROFILE_GCM])
def test_what_is_sent_again_is_the_ciphertext_of_the_first_time(fanout: Any, profile: int) -> None:
    out: list[bytes] = []
    session, group = fanout.open_session(), fanout.open_group()
    fanout.set_keys(session, master(profile))
    fanout.set_relay(session, out.append)
    fanout.set_transport_cc(session, 3)
    leg = fanout.open_leg(session, 7, 111, has_cc=True, keeps=True)
    fanout.move_leg(leg, group, 100)
    for seq in range(80):
        fanout.multicast(group, seq, 0, b"speech %d" % seq)
    fanout.flush()
    first = out.copy()
    out.clear()
    fanout.resend(leg, 150)
    fanout.resend(leg, 115)  # too old to be kept
    fanout.resend(leg, 180)  # never sent
    fanout.flush()
    assert out == [first[50]]
    fanout.multicast(group, 50, 0, b"another text under a used number")
    fanout.flush()
    assert out == [first[50]]
    assert fanout.counters.refused == 3


def test_a_retired_ssrc_never_comes_back(fanout: Any) -> None:
    out: list[bytes] = []
    session = fanout.open_session()
    fanout.set_keys(session, master(PROFILE_GCM))
    fanout.set_relay(session, out.append)
    fanout.open_leg(session, 7, 96)
    fanout.retire(session, 7)
    with pytest.raises(ValueError, match="EEXIST"):
        fanout.open_leg(session, 7, 96)
    fanout.unicast(session, b"\x80\x60\0\1" + bytes(4) + (7).to_bytes(4, "big") + b"text")
    fanout.flush()
    assert out == []
    assert fanout.counters.refused == 1


def test_packets_wait_for_nobody_without_keys_or_way_out(fanout: Any) -> None:
    group, session = fanout.open_group(), fanout.open_session()
    fanout.move_leg(fanout.open_leg(session, 7, 96), group)
    fanout.multicast(group, 1, 0, b"x")
    assert fanout.flush()
    assert fanout.counters.no_keys == 1
    fanout.set_keys(session, master(PROFILE_GCM))
    fanout.multicast(group, 2, 0, b"x")
    assert fanout.flush()
    assert fanout.counters.no_route == 1


def test_running_numbers_count_every_packet_of_a_connection_and_are_remembered(
    fanout: Any,
) -> None:
    out: list[bytes] = []
    session, group = fanout.open_session(), fanout.open_group()
    fanout.set_keys(session, master(PROFILE_GCM))
    fanout.set_relay(session, out.append)
    fanout.set_transport_cc(session, 3)
    fanout.move_leg(fanout.open_leg(session, 7, 96, has_cc=True), group)
    placeholder = b"\xbe\xde\0\1\x31\0\0\0"
    for seq in range(3):
        fanout.multicast(group, seq, 0, bytes(10 * seq))
        plain = b"\x90\x61" + seq.to_bytes(2, "big") + bytes(4) + b"\0\0\0\x09" + placeholder
        fanout.unicast(session, plain + b"again")
        fanout.flush()
    opened = inbound(master(PROFILE_GCM))
    numbers = [int.from_bytes(opened.unprotect(packet)[17:19], "big") for packet in out]
    assert numbers == list(range(6))
    sizes = [sent.size_bytes if sent else None for sent in fanout.history(session, 0xFFFF, 8)]
    assert sizes == [None, *map(len, out), None]
    fanout.close_session(session)


def test_a_closed_session_leaves_the_others_alone(
    fanout: Any, pair: tuple[socket.socket, socket.socket]
) -> None:
    left, right = pair
    group = receivers(fanout, left, 3)
    first = fanout.open_session()
    fanout.close_session(first)
    fanout.close_session(first)
    extra = fanout.open_session()
    fanout.set_keys(extra, master(PROFILE_GCM, 9))
    fanout.set_route(extra, left, None)
    leg = fanout.open_leg(extra, 1009, 96)
    fanout.move_leg(leg, group)
    fanout.close_session(extra)
    fanout.multicast(group, 1, 0, b"x")
    assert fanout.flush()
    assert len(drain(right)) == 3


def test_over_udp_runs_of_equal_size_arrive_as_they_were(fanout: Any) -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver,
    ):
        sender.bind(("127.0.0.1", 0))
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(10)
        session, group = fanout.open_session(), fanout.open_group()
        fanout.set_keys(session, master(PROFILE_GCM))
        fanout.set_route(session, sender, receiver.getsockname())
        fanout.move_leg(fanout.open_leg(session, 1000, 96), group)
        sent = [bytes(size) for size in (1100, 1100, 1100, 400, 900, 900, 1000, 50, 50, 50)]
        for seq, payload in enumerate(sent):
            fanout.multicast(group, seq, 0, payload)
        assert fanout.flush()
        got = [receiver.recv(2048) for _ in sent]
    assert texts(got, 1) == {1000: sent}
    if fanout.name == "kernel":
        assert fanout.counters.messages == 4
        assert fanout.counters.segmented == 4


@needs_kernel
def test_without_segmentation_in_the_system_packets_leave_one_by_one() -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver,
    ):
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(10)
        fanout = load()
        session, group = fanout.open_session(), fanout.open_group()
        fanout.set_keys(session, master(PROFILE_GCM))
        fanout.set_route(session, sender, receiver.getsockname())
        fanout.move_leg(fanout.open_leg(session, 1000, 96), group)
        answers = [-errno.EIO]  # what a device without checksum offload says
        fanout.before_send(lambda _fd, count: answers.pop() if answers else count)
        for seq in range(10):
            fanout.multicast(group, seq, 0, bytes((seq,)) * 500)
            if seq == 4:
                assert fanout.flush()
        assert fanout.flush()
        got = [receiver.recv(2048) for _ in range(10)]
    assert texts(got, 1) == {1000: [bytes((seq,)) * 500 for seq in range(10)]}
    assert fanout.counters.sent == 10
    assert fanout.counters.failed == 0


@needs_kernel
def test_every_libcrypto_that_is_found_gives_the_same_bytes() -> None:
    found = []
    for path in candidates():
        try:
            fanout = KernelFanout(library(), path)
        except OSError:
            continue
        out: list[bytes] = []
        for profile in (PROFILE_CM, PROFILE_GCM):
            session = fanout.open_session()
            fanout.set_keys(session, master(profile))
            fanout.set_relay(session, out.append)
            fanout.unicast(session, b"\x80\x60\0\1" + bytes(8) + b"text" * 99)
        fanout.flush()
        found.append(out)
    assert found
    assert all(out == found[0] for out in found)


@needs_kernel
def test_a_malformed_batch_is_refused_whole() -> None:
    fanout = load()
    assert fanout._lib.fanout_flush(fanout._handle, b"\1" * 30, 30) == -errno.EINVAL
    assert fanout._lib.fanout_flush(fanout._handle, b"", 0) == 0


def test_a_socket_address_is_laid_out_as_the_system_wants_it() -> None:
    assert socket_address(("127.0.0.1", 258))[2:8] == b"\x01\x02\x7f\0\0\x01"
    long = socket_address(("::1", 258, 0, 3))
    assert (len(long), long[2:4], long[-5:]) == (28, b"\x01\x02", b"\x01\x03\0\0\0")


def test_the_twin_stands_in_when_the_kernel_cannot_be_loaded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:

    def absent() -> KernelFanout:
        raise OSError(errno.ENOENT, "not built")

    monkeypatch.setattr(package, "load", absent)
    monkeypatch.delenv(package.VARIABLE, raising=False)
    assert isinstance(package.open_fanout(), TwinFanout)
    with pytest.raises(OSError, match="not built"):
        package.open_fanout("kernel")
    monkeypatch.setenv(package.VARIABLE, "python")
    assert isinstance(package.open_fanout("kernel"), TwinFanout)
    monkeypatch.setenv(package.VARIABLE, "fast")
    with pytest.raises(ValueError, match="fast"):
        package.open_fanout()


def test_a_master_key_of_both_profiles_has_its_own_lengths() -> None:
    assert [len(master(profile).salt) for profile in (PROFILE_CM, PROFILE_GCM)] == [14, 12]
    assert isinstance(master(PROFILE_CM), MasterKey)
