"""The client's ICE agent against another one, on a simulated network with a virtual clock."""

import pytest

from media.client.ice import CONSENT_S, MAX_CANDIDATES, Address, IceAgent
from media.transport.ice import answer, read_check

CLIENT: Address = ("192.0.2.1", 5000)
NEAR: Address = ("192.0.2.2", 7882)
FAR: Address = ("198.51.100.2", 7882)


def candidate(address: Address, priority: int = 100) -> str:
    return f"candidate:1 1 udp {priority} {address[0]} {address[1]} typ host"


def pair() -> tuple[IceAgent, IceAgent]:
    client, server = IceAgent(is_controlling=True), IceAgent(is_controlling=False)
    client.set_remote(*server.local)
    server.set_remote(*client.local)
    return client, server


def exchange(
    client: IceAgent, server: IceAgent, now_s: float, dead: tuple[Address, ...] = ()
) -> int:
    """One round trip of everything due; the result is how many datagrams were sent."""
    sent = 0
    for data, address in client.poll(now_s):
        sent += 1
        if address not in dead:
            server.handle(data, CLIENT, now_s)
    for data, _ in server.poll(now_s):
        sent += 1
        client.handle(data, NEAR, now_s)
    return sent


def test_two_agents_agree_on_a_path_within_two_round_trips() -> None:
    client, server = pair()
    client.add_candidate(candidate(NEAR))
    exchange(client, server, 0.0)
    exchange(client, server, 0.01)
    assert client.selected == NEAR
    assert server.selected == CLIENT


def test_a_lite_server_gets_a_nominating_check_it_believes() -> None:
    client = IceAgent(is_controlling=True)
    client.set_remote("abcd", "p" * 22)
    client.add_candidate(candidate(NEAR))
    [(data, _)] = client.poll(0.0)
    check = read_check(data)
    assert check is not None
    assert check.ufrag == "abcd"
    assert check.nominates
    assert check.is_authentic("p" * 22)
    assert not check.is_authentic("q" * 22)
    client.handle(answer(check, CLIENT, "p" * 22), NEAR, 0.01)
    assert client.selected == NEAR


def test_a_dead_candidate_does_not_keep_the_live_one_waiting() -> None:
    client, server = pair()
    client.add_candidate(candidate(FAR, priority=200))
    client.add_candidate(candidate(NEAR, priority=100))
    now_s = 0.0
    while client.selected is None and now_s < 1:
        exchange(client, server, now_s, dead=(FAR,))
        now_s += 0.01
    assert client.selected == NEAR
    assert now_s <= 0.05


def test_an_answer_with_another_password_is_not_believed() -> None:
    client = IceAgent(is_controlling=True)
    client.set_remote("abcd", "p" * 22)
    client.add_candidate(candidate(NEAR))
    [(data, _)] = client.poll(0.0)
    check = read_check(data)
    assert check is not None
    client.handle(answer(check, CLIENT, "q" * 22), NEAR, 0.01)
    assert client.selected is None


def test_two_controlling_agents_settle_their_roles() -> None:
    client, server = IceAgent(is_controlling=True), IceAgent(is_controlling=True)
    client.set_remote(*server.local)
    server.set_remote(*client.local)
    client.add_candidate(candidate(NEAR))
    for step in range(100):
        exchange(client, server, step * 0.02)
    assert client.is_controlling != server.is_controlling
    assert client.selected == NEAR
    assert server.selected == CLIENT


def test_checks_keep_a_path_alive_and_silence_loses_it() -> None:
    client, server = pair()
    client.add_candidate(candidate(NEAR))
    now_s = 0.0
    while now_s < 60:
        exchange(client, server, now_s)
        assert not client.is_lost(now_s)
        now_s += 0.5
    while not client.is_lost(now_s):
        client.poll(now_s)
        now_s += 0.5
        assert now_s < 60 + CONSENT_S + 5
    assert now_s > 60 + CONSENT_S - 5


def test_an_idle_path_costs_little() -> None:
    client, server = pair()
    client.add_candidate(candidate(NEAR))
    for step in range(100):
        exchange(client, server, step * 0.01)
    assert sum(exchange(client, server, 1 + step * 0.01) for step in range(1000)) <= 30


def test_after_a_restart_old_credentials_are_refused() -> None:
    client, server = pair()
    client.add_candidate(candidate(NEAR))
    exchange(client, server, 0.0)
    old = server.local
    server.restart()
    assert client.has_other_remote(*server.local)
    client.set_remote(*old)
    server.set_remote(*client.local)
    server.handle(client.poll(5.0)[0][0], CLIENT, 5.0)
    assert server.poll(5.0) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "candidate:1 1 tcp 100 192.0.2.2 9 typ host tcptype active",
        "candidate:1 2 udp 100 192.0.2.2 7882 typ host",
        "candidate:1 1 udp 100 3f1c.local 7882 typ host",
        "candidate:1 1 udp 100 192.0.2.2 port typ host",
        "candidate:1 1 udp high 192.0.2.2 7882 typ host",
        "candidate:1 1 udp 100 192.0.2.2 0 typ host",
        "candidate:1 1 udp 100 192.0.2.2 70000 typ host",
    ],
)
def test_an_unusable_candidate_is_ignored(text: str) -> None:
    client = IceAgent(is_controlling=True)
    client.set_remote("abcd", "p" * 22)
    client.add_candidate(text)
    assert client.poll(0.0) == []


def test_candidates_without_end_are_not_all_checked() -> None:
    client = IceAgent(is_controlling=True)
    client.set_remote("abcd", "p" * 22)
    for port in range(1, 1000):
        client.add_candidate(candidate((NEAR[0], port)))
    assert len(client.poll(0.0)) == MAX_CANDIDATES


@pytest.mark.parametrize("data", [b"", b"\0", bytes(20), b"\x00\x01\x00\xff" + bytes(20)])
def test_malformed_messages_are_dropped(data: bytes) -> None:
    client, _ = pair()
    client.handle(data, NEAR, 0.0)
    assert client.selected is None
